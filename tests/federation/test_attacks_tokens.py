"""Attacks with tokens that are stolen, bent or meant for something else, each with the code it must get."""

# ruff: noqa: F811 - fixtures are named as what they give
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.federation.tokens.clients import ASSERTION_TYPE
from node.keys import Keyring
from tests.federation.attack_rig import NOTIFY, OTHER, at, helsinki, london, oslo, plain, refused, turned_away  # noqa: F401 - fixtures
from tests.federation.oauth_rig import HELSINKI, LONDON, OSLO, Door, Town, know, now_s

TOKENS: dict[str, Callable[[int], dict[str, Any]]] = {
    "of another issuer": lambda now: {"iss": OSLO},
    "for another audience": lambda now: {"aud": OSLO},
    "for a list of audiences": lambda now: {"aud": [LONDON]},
    "has ended": lambda now: {"iat": now - 400, "exp": now - 100},
    "of the future": lambda now: {"iat": now + 600, "exp": now + 900},
    "no end": lambda now: {"exp": None},
    "bound to no key": lambda now: {"cnf": None},
    "bound to another key": lambda now: {"cnf": {"jkt": OTHER.thumbprint}},
    "bound to a certificate": lambda now: {"cnf": {"x5t#S256": "x"}},
    "no id": lambda now: {"jti": None},
    "no client": lambda now: {"client_id": None},
    "of a client that is no peer": lambda now: {"client_id": "https://nowhere.example"},
    "no type": lambda now: {"typ": "JWT"},
    "type of a statement": lambda now: {"typ": "entity-statement+jwt"},
    "type of a proof": lambda now: {"typ": "dpop+jwt"},
    "signed by the client key": lambda now: {"key": "client"},
    "signed by the entity key": lambda now: {"key": "entity"},
    "signed by the checkpoint key": lambda now: {"key": "checkpoint"},
}


def test_a_token_as_london_writes_it_is_taken(london: Door, helsinki: Town) -> None:
    token = at(london, helsinki)
    assert london.notify(f"DPoP {token}", helsinki.proof("POST", NOTIFY, token=token)).status_code == 202


@pytest.mark.parametrize("wrong", TOKENS.values(), ids=TOKENS)
def test_a_token_that_is_wrong_in_one_thing_opens_no_door(
    london: Door, helsinki: Town, wrong: Callable[[int], dict[str, Any]]
) -> None:
    token = at(london, helsinki, **wrong(now_s()))
    turned_away(london.notify(f"DPoP {token}", helsinki.proof("POST", NOTIFY, token=token)), "invalid_token")


def test_a_token_that_another_city_signed_is_none(london: Door, helsinki: Town, keys: dict[str, Keyring]) -> None:
    claims = json.loads(plain(at(london, helsinki).split(".")[1]))
    token = keys["oslo"].jwt("token", "at+jwt", claims)
    turned_away(london.notify(f"DPoP {token}", helsinki.proof("POST", NOTIFY, token=token)), "invalid_token")


def test_a_stolen_token_is_worth_nothing_without_its_key(london: Door, helsinki: Town, oslo: Town) -> None:
    token = london.token(helsinki)
    turned_away(london.notify(f"DPoP {token}", oslo.proof("POST", NOTIFY, token=token)), "invalid_token")


def test_a_token_that_is_bound_is_not_taken_as_bearer(london: Door, helsinki: Town) -> None:
    token = london.token(helsinki)
    for proofs in ((), (helsinki.proof("POST", NOTIFY, token=token),)):
        turned_away(london.notify(f"Bearer {token}", *proofs), "invalid_token", "Bearer")


@pytest.mark.parametrize("shown", ["Bearer", "Bearer ", "DPoP", "DPoP ", "Basic eDp5", "x", "Bearer x", "DPoP a.b.c"])
def test_credentials_that_are_none_are_not_taken_for_the_public(london: Door, shown: str) -> None:
    reply = london.ask("GET", "/collections/nothing/checkpoint", headers=[("authorization", shown)])
    assert reply.status_code == 401
    assert "www-authenticate" in reply.headers


def test_two_credentials_are_one_too_many(london: Door, helsinki: Town) -> None:
    token = london.token(helsinki)
    proof = helsinki.proof("POST", NOTIFY, token=token)
    headers = [("authorization", f"DPoP {token}"), ("authorization", "Bearer x"), ("dpop", proof)]
    turned_away(london.ask("POST", "/federation/notify", content=b"{}", headers=headers), "invalid_token")


def test_without_a_token_the_door_says_what_it_wants(london: Door) -> None:
    reply = london.notify("")
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("DPoP")


def test_a_token_in_the_address_is_no_token(london: Door, helsinki: Town) -> None:
    token = london.token(helsinki)
    reply = london.ask("POST", f"/federation/notify?access_token={token}", content=b"{}")
    assert reply.status_code == 401


@pytest.mark.parametrize("act", ["pause", "block", "quarantine"])
def test_who_is_shut_out_is_out_with_the_next_request(london: Door, tmp_path: Path, act: str) -> None:
    town = Town(f"https://{act}.example", Keyring.create(tmp_path / "keys"))
    know(london.node, town, act)
    token = london.token(town)
    assert london.notify(f"DPoP {token}", town.proof("POST", NOTIFY, token=token)).status_code == 202
    peers = london.node.federation.peers
    if act == "quarantine":
        peers.quarantine(act, "keys", "Its keys changed.", "", now_s() * 1000)
    else:
        getattr(peers, act)(act)
    turned_away(london.notify(f"DPoP {token}", town.proof("POST", NOTIFY, token=token)), "invalid_token")


# ---------------------------------------------------------------- introspection and revocation


def about(town: Town, token: str) -> dict[str, Any]:
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": town.assertion(), "token": token}


def test_a_client_hears_about_its_own_token(london: Door, helsinki: Town) -> None:
    token = london.token(helsinki)
    told = london.post(about(helsinki, token), path="/oauth/introspect").json()
    assert (told["active"], told["client_id"], told["token_type"]) == (True, HELSINKI, "DPoP")
    assert told["cnf"] == {"jkt": helsinki.key.thumbprint}


def test_of_anothers_token_a_client_hears_nothing(london: Door, helsinki: Town, oslo: Town) -> None:
    token = london.token(helsinki)
    for shown in (token, "garbage", at(london, helsinki, exp=now_s() - 1)):
        reply = london.post(about(oslo, shown), path="/oauth/introspect")
        assert (reply.status_code, reply.json()) == (200, {"active": False})
        assert reply.headers["cache-control"] == "no-store"


def test_a_token_that_was_revoked_is_none(london: Door, helsinki: Town) -> None:
    token = london.token(helsinki)
    reply = london.post(about(helsinki, token) | {"token_type_hint": "refresh_token"}, path="/oauth/revoke")
    assert reply.status_code == 200
    assert london.post(about(helsinki, token), path="/oauth/introspect").json() == {"active": False}
    turned_away(london.notify(f"DPoP {token}", helsinki.proof("POST", NOTIFY, token=token)), "invalid_token")
    assert london.post(about(helsinki, token), path="/oauth/revoke").status_code == 200


def test_nobody_revokes_anothers_token(london: Door, helsinki: Town, oslo: Town) -> None:
    token = london.token(helsinki)
    assert london.post(about(oslo, token), path="/oauth/revoke").status_code == 200
    assert london.notify(f"DPoP {token}", helsinki.proof("POST", NOTIFY, token=token)).status_code == 202


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
def test_who_asks_about_tokens_proves_who_it_is(london: Door, helsinki: Town, path: str) -> None:
    token = london.token(helsinki)
    refused(london.post({"token": token}, path=path), "invalid_client")
    refused(london.post(about(helsinki, token) | {"client_assertion": "a.b.c"}, path=path), "invalid_client")
    form = about(helsinki, token)
    assert london.post(form, path=path).status_code == 200
    refused(london.post(form, path=path), "invalid_client")
    refused(london.post(about(helsinki, ""), path=path), "invalid_request")


# ---------------------------------------------------------------- every JWT at every address


def test_no_kind_of_token_stands_for_another(london: Door, helsinki: Town, keys: dict[str, Keyring]) -> None:
    token = london.token(helsinki)
    kinds = {
        "access token": token,
        "entity statement of ours": london.node.federation.identity.statement(now_s() * 1000),
        "entity statement of theirs": helsinki.keyring.jwt("entity", "entity-statement+jwt", helsinki.claims()),
        "rotation of a key": helsinki.keyring.jwt("client", "key-rotation+jwt", helsinki.claims()),
        "proof": helsinki.proof("POST", NOTIFY, token=token),
        "assertion": helsinki.assertion(),
        "secret of a person": london.node.federation.named_tokens.issue("anna", now_ms=now_s() * 1000, staff=True)[1],
    }
    for name, shown in kinds.items():
        if name != "assertion":
            refused(london.post(helsinki.form(client_assertion=shown), helsinki.proof()), "invalid_client")
        if name != "access token":
            proof = helsinki.proof("POST", NOTIFY, token=shown)
            turned_away(london.notify(f"DPoP {shown}", proof), "invalid_token")
        if name != "proof":
            turned_away(london.notify(f"DPoP {token}", shown), "invalid_dpop_proof")
            refused(london.post(helsinki.form(), shown), "invalid_dpop_proof")
        if name != "secret of a person":
            turned_away(london.notify(f"Bearer {shown}"), "invalid_token", "Bearer")


# ---------------------------------------------------------------- staff and programs


def test_a_person_of_the_staff_is_let_in_by_name(london: Door) -> None:
    named = london.node.federation.named_tokens
    _, secret = named.issue("berta", now_ms=now_s() * 1000, staff=True)
    caller = london.node.federation.access.caller([f"Bearer {secret}"], [], method="GET", path="/x")
    assert (caller.kind, caller.name) == ("staff", "berta")
    assert london.notify(f"Bearer {secret}").status_code == 403  # known, and no peer
    named.revoke("berta", now_ms=now_s() * 1000)
    turned_away(london.notify(f"Bearer {secret}"), "invalid_token", "Bearer")


@pytest.mark.parametrize(
    "bend", [lambda s: s[:-1], lambda s: s + "A", lambda s: s[:3] + s[3:].upper(), lambda s: s[:16] + "A" * 43]
)
def test_a_guessed_secret_gets_the_answer_of_any_other(london: Door, bend: Callable[[str], str]) -> None:
    named = london.node.federation.named_tokens
    _, secret = named.issue(f"n{abs(hash(bend))}", now_ms=now_s() * 1000, staff=True)
    replies = [london.notify(f"Bearer {shown}") for shown in (bend(secret), "cn_000000000000_" + "A" * 43)]
    assert replies[0].status_code == 401
    assert replies[0].content == replies[1].content
