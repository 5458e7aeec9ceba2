"""The attacks on OAuth that a city must expect, each against the real app, each with the code it must get.

A guard is tested where it stands: everything but the one thing under attack is right, so that no other check can be
what refuses. That the honest request gets through stands first, or the rest would prove nothing.
"""

# ruff: noqa: F811 - fixtures are named as what they give
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.federation.tokens.clients import TYPE, UNKNOWN
from node.keys import Keyring
from node.keys.jwk import b64
from tests.federation.attack_rig import NOTIFY, OTHER, at, helsinki, london, oslo, plain, refused, turned_away  # noqa: F401 - fixtures
from tests.federation.oauth_rig import HELSINKI, LONDON, OSLO, TOKEN_URL, Door, Town, know, now_s, raw_jwt

Claims = dict[str, Any]


# ---------------------------------------------------------------- what is right


def test_an_approved_city_gets_a_token_bound_to_its_key_for_five_minutes(london: Door, helsinki: Town) -> None:
    reply = london.post(helsinki.form(), helsinki.proof())
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("DPoP", 300, "federation")
    assert (reply.headers["cache-control"], reply.headers["pragma"]) == ("no-store", "no-cache")
    header, claims, _ = told["access_token"].split(".")
    assert json.loads(plain(header))["typ"] == "at+jwt"
    said = json.loads(plain(claims))
    assert (said["iss"], said["aud"], said["client_id"], said["sub"]) == (LONDON, LONDON, HELSINKI, HELSINKI)
    assert (said["exp"] - said["iat"], said["cnf"]) == (300, {"jkt": helsinki.key.thumbprint})


def test_with_the_token_and_a_proof_the_door_opens_and_the_city_was_heard(london: Door, helsinki: Town) -> None:
    token = london.token(helsinki)
    assert london.notify(f"DPoP {token}", helsinki.proof("POST", NOTIFY, token=token)).status_code == 202
    assert london.node.federation.peers.get("helsinki").last_in_at > 0


def test_an_ordinary_oauth_library_may_call_its_assertion_jwt(london: Door, helsinki: Town) -> None:
    assertion = helsinki.keyring.jwt("client", "JWT", helsinki.claims())
    assert london.post(helsinki.form(client_assertion=assertion), helsinki.proof()).status_code == 200


# ---------------------------------------------------------------- assertions: one claim is wrong

ASSERTIONS: dict[str, Callable[[int], Claims]] = {
    "audience of another city": lambda now: {"aud": OSLO},
    "audience in a list": lambda now: {"aud": [LONDON]},
    "audience beside another": lambda now: {"aud": [LONDON, OSLO]},
    "audience is the token endpoint": lambda now: {"aud": TOKEN_URL},
    "audience with a slash": lambda now: {"aud": f"{LONDON}/"},
    "no audience": lambda now: {"aud": None},
    "lives too long": lambda now: {"exp": now + 3600},
    "lives for ever": lambda now: {"exp": 2**62},
    "no end": lambda now: {"exp": None},
    "end is a text": lambda now: {"exp": "tomorrow"},
    "end is true": lambda now: {"exp": True},
    "has ended": lambda now: {"iat": now - 400, "exp": now - 200},
    "of the future": lambda now: {"iat": now + 200, "exp": now + 300},
    "begins in the future": lambda now: {"nbf": now + 200},
    "no beginning": lambda now: {"iat": None},
    "no id": lambda now: {"jti": None},
    "empty id": lambda now: {"jti": ""},
    "id is a number": lambda now: {"jti": 7},
    "endless id": lambda now: {"jti": "x" * 300},
    "issuer is another": lambda now: {"iss": OSLO},
    "no issuer": lambda now: {"iss": None},
    "clock ten minutes behind": lambda now: {"iat": now - 600, "exp": now - 480},
    "clock ten minutes ahead": lambda now: {"iat": now + 600, "exp": now + 720},
}


@pytest.mark.parametrize("wrong", ASSERTIONS.values(), ids=ASSERTIONS)
def test_an_assertion_with_one_wrong_claim_is_refused(
    london: Door, helsinki: Town, wrong: Callable[[int], Claims]
) -> None:
    assertion = helsinki.assertion(**wrong(now_s()))
    refused(london.post(helsinki.form(client_assertion=assertion), helsinki.proof()), "invalid_client")


@pytest.mark.parametrize("skew", [-60, -30, 30, 55])
def test_a_clock_that_is_a_minute_off_does_no_harm(london: Door, helsinki: Town, skew: int) -> None:
    at = now_s() + skew
    form = helsinki.form(client_assertion=helsinki.assertion(iat=at, exp=at + 240))
    assert london.post(form, helsinki.proof(at_s=at)).status_code == 200


def test_an_assertion_is_good_once(london: Door, helsinki: Town) -> None:
    form = helsinki.form()
    assert london.post(form, helsinki.proof()).status_code == 200
    refused(london.post(form, helsinki.proof()), "invalid_client")


def test_an_id_that_one_city_used_is_still_good_for_another(london: Door, helsinki: Town, oslo: Town) -> None:
    for town in (helsinki, oslo):
        assert london.post(town.form(client_assertion=town.assertion(jti="same")), town.proof()).status_code == 200


def test_the_forms_client_must_be_the_assertions(london: Door, helsinki: Town) -> None:
    refused(london.post(helsinki.form(client_id=OSLO), helsinki.proof()), "invalid_client")
    assert london.post(helsinki.form(client_id=HELSINKI), helsinki.proof()).status_code == 200


# ---------------------------------------------------------------- assertions: forged


@dataclass
class Forger:
    """Knows everything of Helsinki that is public, and signs with a key of its own."""

    town: Town
    ring: Keyring

    def __post_init__(self) -> None:
        self.claims = self.town.claims()
        self.pinned = self.town.keyring.current("client")
        self.honest = self.town.keyring.jwt("client", TYPE, self.claims).split(".")

    def with_header(self, **header: Any) -> str:
        named = {"alg": "ES256", "typ": TYPE, "kid": self.pinned.kid} | header
        return raw_jwt({k: v for k, v in named.items() if v is not None}, self.claims, self.sign)

    def with_body(self, body: bytes) -> str:
        return raw_jwt({"alg": "ES256", "typ": TYPE, "kid": self.pinned.kid}, body, self.sign)

    def with_secret(self, secret: bytes) -> str:
        header = {"alg": "HS256", "typ": TYPE, "kid": self.pinned.kid}
        return raw_jwt(header, self.claims, lambda said: hmac.new(secret, said, hashlib.sha256).digest())

    def signed_by_helsinki(self, body: bytes, **header: Any) -> str:
        """Even what the right key signed is refused if it can be read in two ways."""
        named = {"alg": "ES256", "typ": TYPE, "kid": self.pinned.kid} | header
        return raw_jwt(named, body, lambda said: self.town.keyring.sign("client", said))

    def sign(self, said: bytes) -> bytes:
        return self.ring.sign("client", said)


def _twice(f: Forger) -> str:
    return f.signed_by_helsinki(json.dumps(f.claims).encode()[:-1] + b', "aud": "https://x.example"}')


FORGERIES: dict[str, Callable[[Forger], str]] = {
    "another key": lambda f: f.ring.jwt("client", TYPE, f.claims),
    "another key under the right name": lambda f: f.with_header(),
    "alg none": lambda f: f.with_header(alg="none"),
    "alg NONE": lambda f: f.with_header(alg="NONE"),
    "alg none, nothing behind it": lambda f: f.with_header(alg="none").rsplit(".", 1)[0] + ".",
    "HS256, the public key as secret": lambda f: f.with_secret(json.dumps(dict(f.pinned.jwk)).encode()),
    "HS256, a coordinate as secret": lambda f: f.with_secret(f.pinned.jwk["x"].encode()),
    "HS256, nothing as secret": lambda f: f.with_secret(b""),
    "no alg": lambda f: f.with_header(alg=None),
    "alg is a list": lambda f: f.with_header(alg=["ES256"]),
    "alg RS256": lambda f: f.with_header(alg="RS256"),
    "alg of the other kind": lambda f: f.with_header(alg="Ed25519"),
    "brings its key": lambda f: f.with_header(jwk=dict(f.ring.current("client").jwk)),
    "brings its key, no name": lambda f: f.with_header(jwk=dict(f.ring.current("client").jwk), kid=None),
    "points to keys": lambda f: f.with_header(jku="https://evil.example/jwks"),
    "points to a certificate": lambda f: f.with_header(x5u="https://evil.example/c"),
    "brings a certificate": lambda f: f.with_header(x5c=["MIIB"]),
    "an extension that is critical": lambda f: f.with_header(crit=["exp"]),
    "claims that are not encoded": lambda f: f.with_header(b64=False, crit=["b64"]),
    "the name of a key is a path": lambda f: f.with_header(kid="../../keys"),
    "the name of a key is SQL": lambda f: f.with_header(kid="' OR 1=1 --"),
    "the name of a key is an object": lambda f: f.with_header(kid={}),
    "no type": lambda f: f.with_header(typ=None),
    "other claims under a good signature": lambda f: f"{f.honest[0]}.{b64(b'{}')}.{f.honest[2]}",
    "another header over a good signature": lambda f: ".".join([b64(b'{"alg":"ES256"}'), *f.honest[1:]]),
    "signature cut off": lambda f: ".".join(f.honest[:2]) + ".",
    "signature of zeros": lambda f: ".".join(f.honest[:2]) + "." + b64(bytes(64)),
    "signature in DER": lambda f: ".".join(f.honest[:2]) + "." + b64(bytes.fromhex("3006020101020101")),
    "padded": lambda f: ".".join(f.honest) + "==",
    "four parts": lambda f: ".".join(f.honest) + ".x",
    "five parts, as if encrypted": lambda f: "a.b.c.d.e",
    "spelt as JSON": lambda f: json.dumps(dict(zip(("protected", "payload", "signature"), f.honest, strict=True))),
    "no token at all": lambda f: "garbage",
    "a claim twice": _twice,
    "claims that are a list": lambda f: f.signed_by_helsinki(b"[]"),
    "claims that are deep": lambda f: f.with_body(b"[" * 5000 + b"]" * 5000),
    "a subject that is a number": lambda f: f.with_body(json.dumps({**f.claims, "sub": 7}).encode()),
    "a subject of half a character": lambda f: f.with_body(b'{"sub": "\\ud800"}'),
    "very long": lambda f: f.with_body(json.dumps({**f.claims, "x": "y" * 30_000}).encode()),
    "an entity statement": lambda f: f.town.keyring.jwt("entity", "entity-statement+jwt", f.claims),
    "an access token": lambda f: f.town.keyring.jwt("token", "at+jwt", f.claims),
    "a client key, another type": lambda f: f.town.keyring.jwt("client", "at+jwt", f.claims),
    "a token key, the right type": lambda f: f.town.keyring.jwt("token", TYPE, f.claims),
    "an entity key, the right type": lambda f: f.town.keyring.jwt("entity", TYPE, f.claims),
    "a checkpoint key, the right type": lambda f: f.town.keyring.jwt("checkpoint", TYPE, f.claims),
    "a proof": lambda f: f.town.proof(),
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_assertion_gets_the_answer_that_a_stranger_gets(
    london: Door, helsinki: Town, keys: dict[str, Keyring], forged: Callable[[Forger], str]
) -> None:
    assertion = forged(Forger(helsinki, keys["mallory"]))
    reply = london.post(helsinki.form(client_assertion=assertion), helsinki.proof())
    refused(reply, "invalid_client")
    assert reply.json()["error_description"] == UNKNOWN


def test_nobody_learns_who_is_a_peer_here(london: Door, keys: dict[str, Keyring], helsinki: Town) -> None:
    strangers = Town("https://nowhere.example", keys["mallory"]), Town(HELSINKI, keys["mallory"])
    replies = [london.post(town.form(), town.proof()) for town in strangers]
    replies.append(
        london.post(helsinki.form(client_assertion=helsinki.assertion(sub=OSLO, iss=OSLO)), helsinki.proof())
    )
    assert len({(reply.status_code, reply.content, reply.headers["www-authenticate"]) for reply in replies}) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"client_assertion": "none", "client_secret": "x"},
        {"client_secret": "x"},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion_type": None},
    ],
    ids=["a secret instead", "a secret beside it", "SAML", "no type of assertion"],
)
def test_there_is_one_way_to_prove_who_one_is(london: Door, helsinki: Town, changes: dict[str, Any]) -> None:
    refused(london.post(helsinki.form(**changes), helsinki.proof()), "invalid_client")


def test_basic_authentication_is_no_way_in(london: Door, helsinki: Town) -> None:
    form = {"grant_type": "client_credentials", "resource": LONDON}
    reply = london.post(form, helsinki.proof(), more=[("authorization", "Basic aGVsc2lua2k6eA==")])
    refused(reply, "invalid_client")


@pytest.mark.parametrize(
    ("state", "quarantine", "code"),
    [
        ("approved", "", ""),
        ("active", "", ""),
        ("proposed", "", "invalid_client"),
        ("blocked", "", "invalid_client"),
        ("paused", "", "unauthorized_client"),
        ("active", "Its keys changed.", "unauthorized_client"),
    ],
)
def test_only_a_peer_that_may_exchange_gets_a_token(
    london: Door, tmp_path: Path, state: str, quarantine: str, code: str
) -> None:
    town = Town(f"https://{state}{len(quarantine)}.example", Keyring.create(tmp_path / "keys"))
    know(london.node, town, f"{state}{len(quarantine)}", state=state, quarantine=quarantine)
    reply = london.post(town.form(), town.proof())
    if code:
        refused(reply, code)
    else:
        assert reply.status_code == 200


# ---------------------------------------------------------------- what is asked for

REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "another grant": ({"grant_type": "password"}, "unsupported_grant_type"),
    "a grant that reads like code": ({"grant_type": '"><script>'}, "unsupported_grant_type"),
    "no grant": ({"grant_type": None}, "unsupported_grant_type"),
    "no resource": ({"resource": None}, "invalid_target"),
    "another city's resource": ({"resource": OSLO}, "invalid_target"),
    "a resource below ours": ({"resource": f"{LONDON}/collections"}, "invalid_target"),
    "a scope beyond a peer's": ({"scope": "staff"}, "invalid_scope"),
    "a scope beside its own": ({"scope": "federation admin"}, "invalid_scope"),
    "a scope with a path": ({"scope": "read:../secret"}, "invalid_scope"),
    "two blanks in a scope": ({"scope": "federation  read:x"}, "invalid_scope"),
    "many scopes": ({"scope": " ".join(f"read:c{n}" for n in range(60))}, "invalid_scope"),
    "details of another type": ({"authorization_details": '[{"type": "payment"}]'}, "invalid_authorization_details"),
    "details that are no list": ({"authorization_details": "{}"}, "invalid_authorization_details"),
    "details that are no JSON": ({"authorization_details": "[{"}, "invalid_authorization_details"),
    "details that are deep": ({"authorization_details": "[" * 3000}, "invalid_authorization_details"),
    "details that are many": (
        {"authorization_details": json.dumps([{"type": "agreement-access"}] * 11)},
        "invalid_authorization_details",
    ),
    "a parameter twice": ({"scope": ["federation", "federation"]}, "invalid_request"),
    "two resources": ({"resource": [LONDON, OSLO]}, "invalid_request"),
    "two assertions": ({"client_assertion": ["a.b.c", "d.e.f"]}, "invalid_request"),
    "many parameters": ({f"p{n}": "x" for n in range(40)}, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "code"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_is_wrong_in_one_parameter_is_refused(
    london: Door, helsinki: Town, changes: dict[str, Any], code: str
) -> None:
    reply = london.post(helsinki.form(**changes), helsinki.proof())
    refused(reply, code)
    assert "<script>" not in reply.text


DETAIL = {"type": "agreement-access", "agreement": f"{LONDON}/agreements/1", "digest": "sha256:" + "0" * 64}
DETAILS: dict[str, dict[str, Any]] = {
    "whole, but no agreement is in force": {},
    "whole, with everything": {"purpose": "https://w3id.org/dpv#Research", "datasets": [LONDON], "actions": ["read"]},
    "an agreement that is no address": {"agreement": "one"},
    "no digest": {"digest": None},
    "a short digest": {"digest": "sha256:00"},
    "a member nobody reads": {"admin": True},
    "an action nobody knows": {"actions": ["own"]},
    "an action that is a list": {"actions": [["read"]]},
    "no actions": {"actions": []},
    "many datasets": {"datasets": [LONDON] * 101},
}


@pytest.mark.parametrize("changes", DETAILS.values(), ids=DETAILS)
def test_agreement_access_is_granted_by_nothing_yet(london: Door, helsinki: Town, changes: dict[str, Any]) -> None:
    detail = {k: v for k, v in {**DETAIL, **changes}.items() if v is not None}
    form = helsinki.form(authorization_details=json.dumps([detail]))
    refused(london.post(form, helsinki.proof()), "invalid_authorization_details")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"grant_type", "application/x-www-form-urlencoded"),
        (b"grant_type=%ff", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
        (b"", ""),
    ],
)
def test_what_is_no_form_is_refused(london: Door, helsinki: Town, body: bytes, kind: str) -> None:
    reply = london.post(body, helsinki.proof(), kind=kind)
    assert reply.status_code == 400
    assert reply.json()["error"] in ("invalid_request", "unsupported_grant_type")


def test_a_form_past_its_bound_is_refused_unread(london: Door, helsinki: Town) -> None:
    reply = london.post(b"x=" + b"y" * 70_000, helsinki.proof())
    assert (reply.status_code, reply.json()["type"]) == (413, f"{LONDON}/problems/too-large")


@pytest.mark.parametrize("scope", ["federation", "read:secret", "federation read:helsinki/open-data"])
def test_a_scope_names_what_a_token_is_for(london: Door, helsinki: Town, scope: str) -> None:
    reply = london.post(helsinki.form(scope=scope), helsinki.proof())
    assert reply.json()["scope"] == scope
