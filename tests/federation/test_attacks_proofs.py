"""Attacks with proofs of possession, at the token endpoint and at a door, each with the code it must get."""

# ruff: noqa: F811 - fixtures are named as what they give
import json
from collections.abc import Callable
from typing import Any

import pytest

from node.federation.tokens.dpop import hash_of
from node.keys.jwk import b64
from tests.federation.attack_rig import NOTIFY, OTHER, helsinki, london, oslo, refused, turned_away  # noqa: F401 - fixtures
from tests.federation.oauth_rig import LONDON, OSLO, TOKEN_URL, Door, Town, now_s

PRIVATE = {"crv": "P-256", "kty": "EC", "d": b64(bytes(31) + b"\x01")}
SMALL = {"kty": "OKP", "crv": "Ed25519", "x": b64(b"\x01" + bytes(31))}


# What is bent: members of the claims, and `header` for those of the header.
PROOFS: dict[str, Callable[[int], dict[str, Any]]] = {
    "for another method": lambda now: {"htm": "GET"},
    "method in small letters": lambda now: {"htm": "post"},
    "no method": lambda now: {"htm": None},
    "for another address": lambda now: {"htu": f"{LONDON}/other"},
    "for another city": lambda now: {"htu": f"{OSLO}/oauth/token"},
    "for another scheme": lambda now: {"htu": TOKEN_URL.replace("http", "https")},
    "for another port": lambda now: {"htu": TOKEN_URL.replace("8001", "8002")},
    "address with a user": lambda now: {"htu": TOKEN_URL.replace("127", "x@127")},
    "address is a path": lambda now: {"htu": "/oauth/token"},
    "address is a number": lambda now: {"htu": 7},
    "no address": lambda now: {"htu": None},
    "address with a tab": lambda now: {"htu": TOKEN_URL + "\t"},
    "of long ago": lambda now: {"iat": now - 200},
    "of the future": lambda now: {"iat": now + 100},
    "of no time": lambda now: {"iat": None},
    "time is a text": lambda now: {"iat": str(now)},
    "time is true": lambda now: {"iat": True},
    "clock ten minutes behind": lambda now: {"iat": now - 600},
    "clock ten minutes ahead": lambda now: {"iat": now + 600},
    "no id": lambda now: {"jti": None},
    "endless id": lambda now: {"jti": "x" * 300},
    "type of an access token": lambda now: {"header": {"typ": "at+jwt"}},
    "no type": lambda now: {"header": {"typ": None}},
    "alg none": lambda now: {"header": {"alg": "none"}},
    "alg HS256": lambda now: {"header": {"alg": "HS256"}},
    "alg RS256": lambda now: {"header": {"alg": "RS256"}},
    "alg of the other kind": lambda now: {"header": {"alg": "Ed25519"}},
    "no key": lambda now: {"header": {"jwk": None}},
    "another key than signed it": lambda now: {"header": {"jwk": OTHER._public}},
    "a private key": lambda now: {"header": {"jwk": OTHER._public | PRIVATE}},
    "a symmetric key": lambda now: {"header": {"jwk": {"kty": "oct", "k": "eHh4"}, "alg": "HS256"}},
    "a key of small order": lambda now: {"header": {"jwk": SMALL, "alg": "Ed25519"}},
    "a point that is on no curve": lambda now: {"header": {"jwk": OTHER._public | {"y": b64(bytes(32))}}},
    "a key for encryption": lambda now: {"header": {"jwk": OTHER._public | {"use": "enc"}}},
    "points to keys": lambda now: {"header": {"jku": "https://evil.example/jwks"}},
    "a critical extension": lambda now: {"header": {"crit": ["exp"]}},
}


@pytest.mark.parametrize("wrong", PROOFS.values(), ids=PROOFS)
def test_a_proof_that_is_wrong_in_one_thing_gets_no_token(
    london: Door, helsinki: Town, wrong: Callable[[int], dict[str, Any]]
) -> None:
    refused(
        london.post(helsinki.form(), helsinki.bent_proof("POST", TOKEN_URL, **wrong(now_s()))), "invalid_dpop_proof"
    )


@pytest.mark.parametrize("wrong", PROOFS.values(), ids=PROOFS)
def test_a_proof_that_is_wrong_in_one_thing_opens_no_door(
    london: Door, helsinki: Town, wrong: Callable[[int], dict[str, Any]]
) -> None:
    token = london.token(helsinki)
    proof = helsinki.bent_proof("POST", NOTIFY, token=token, **wrong(now_s()))
    turned_away(london.notify(f"DPoP {token}", proof), "invalid_dpop_proof")


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_one_proof_to_a_request(london: Door, helsinki: Town, count: int) -> None:
    refused(london.post(helsinki.form(), *[helsinki.proof() for _ in range(count)]), "invalid_dpop_proof")
    token = london.token(helsinki)
    proofs = [helsinki.proof("POST", NOTIFY, token=token) for _ in range(count)]
    turned_away(london.notify(f"DPoP {token}", *proofs), "invalid_dpop_proof")


def test_a_proof_is_good_once(london: Door, helsinki: Town) -> None:
    proof = helsinki.proof()
    assert london.post(helsinki.form(), proof).status_code == 200
    refused(london.post(helsinki.form(), proof), "invalid_dpop_proof")
    token = london.token(helsinki)
    proof = helsinki.proof("POST", NOTIFY, token=token)
    assert london.notify(f"DPoP {token}", proof).status_code == 202
    turned_away(london.notify(f"DPoP {token}", proof), "invalid_dpop_proof")


@pytest.mark.parametrize("bound_to", ["", "x", "another token"])
def test_a_proof_is_for_its_token(london: Door, helsinki: Town, bound_to: str) -> None:
    token = london.token(helsinki)
    proof = helsinki.bent_proof("POST", NOTIFY, ath=hash_of(bound_to) if bound_to else None)
    turned_away(london.notify(f"DPoP {token}", proof), "invalid_dpop_proof")


def test_an_address_may_be_spelt_in_any_of_its_ways(london: Door, helsinki: Town) -> None:
    for spelt in (
        TOKEN_URL + "?a=b",
        TOKEN_URL + "#x",
        TOKEN_URL.replace("oauth", "%6fauth"),
        f"{LONDON}/x/../oauth/token",
    ):
        assert london.post(helsinki.form(), helsinki.bent_proof("POST", spelt)).status_code == 200


def test_headers_of_a_proxy_never_change_what_a_proof_is_for(london: Door, helsinki: Town) -> None:
    more = [
        ("x-forwarded-host", "oslo.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=oslo.example;proto=https"),
        ("host", "oslo.example"),
    ]
    assert london.post(helsinki.form(), helsinki.proof(), more=more).status_code == 200
    wrong = helsinki.proof("POST", f"{OSLO}/oauth/token")
    refused(london.post(helsinki.form(), wrong, more=more), "invalid_dpop_proof")
    metadata = london.ask("GET", "/.well-known/oauth-authorization-server", headers=more).json()
    assert metadata["issuer"] == LONDON
    assert OSLO not in json.dumps(metadata)


def test_while_many_ids_are_alive_a_nonce_is_asked_for_and_taken(
    london: Door, helsinki: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(20):
        token = london.token(helsinki)
    replay = london.node.federation.tokens.server.proofs.replay
    monkeypatch.setattr(replay, "_most", replay._count + 30)
    asked = london.post(helsinki.form(), helsinki.proof())
    refused(asked, "use_dpop_nonce")
    nonce = asked.headers["dpop-nonce"]
    proof = helsinki.key.proof("POST", TOKEN_URL, now_ms=now_s() * 1000, nonce=nonce)
    assert london.post(helsinki.form(), proof).status_code == 200
    away = london.notify(f"DPoP {token}", helsinki.proof("POST", NOTIFY, token=token))
    turned_away(away, "use_dpop_nonce")
    proof = helsinki.key.proof("POST", NOTIFY, now_ms=now_s() * 1000, token=token, nonce=away.headers["dpop-nonce"])
    assert london.notify(f"DPoP {token}", proof).status_code == 202
    monkeypatch.setattr(replay, "_most", 1)
    full = london.post(helsinki.form(), helsinki.key.proof("POST", TOKEN_URL, now_ms=now_s() * 1000, nonce=nonce))
    assert (full.status_code, full.headers["retry-after"]) == (429, "10")
