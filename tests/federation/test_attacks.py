"""The attacks on OAuth that a city must expect, each against the real app, each with the code it must get.

A guard is tested where it stands: everything but the one thing under attack is right, so that no other check can be
what refuses. That the honest request gets through stands first, or the rest would prove nothing.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.federation.tokens.clients import ASSERTION_TYPE, TYPE, UNKNOWN
from node.federation.tokens.dpop import ProofKey, hash_of
from node.keys import Keyring
from node.keys.jwk import b64
from tests.federation.oauth_rig import (
    HELSINKI,
    LONDON,
    OSLO,
    TOKEN_URL,
    Door,
    Town,
    know,
    made_node,
    now_s,
    raw_jwt,
)

NOTIFY = f"{LONDON}/federation/notify"
Claims = dict[str, Any]


@pytest.fixture(scope="module")
def london(migrated: Path, keys: dict[str, Keyring], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    node = made_node(tmp_path_factory.mktemp("london"), migrated, keys["london"])
    know(node, Town(HELSINKI, keys["helsinki"]), "helsinki")
    know(node, Town(OSLO, keys["oslo"]), "oslo")
    with Door.to(node) as door:
        yield door


@pytest.fixture
def helsinki(keys: dict[str, Keyring]) -> Town:
    return Town(HELSINKI, keys["helsinki"])


@pytest.fixture
def oslo(keys: dict[str, Keyring]) -> Town:
    return Town(OSLO, keys["oslo"])


def refused(reply: httpx.Response, code: str) -> None:
    """Check what every refusal of these endpoints is: OAuth's JSON, never stored, with its code."""
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    told = reply.json()
    assert told["error"] == code, told
    assert set(told) == {"error", "error_description"}
    assert reply.status_code == (401 if code == "invalid_client" else 400)
    assert ("www-authenticate" in reply.headers) == (reply.status_code == 401)


def turned_away(reply: httpx.Response, error: str, scheme: str = "DPoP") -> None:
    """Check what every 401 of a protected address is: a problem, with a challenge that names what is wrong."""
    assert reply.status_code == 401, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == f"{LONDON}/problems/unauthenticated"
    dpop, bearer = reply.headers["www-authenticate"].split(", Bearer ")
    assert dpop.startswith("DPoP ")
    assert 'algs="ES256 Ed25519"' in dpop
    assert f'resource_metadata="{LONDON}/.well-known/oauth-protected-resource"' in dpop
    assert f'error="{error}"' in (dpop if scheme == "DPoP" else bearer)


# ---------------------------------------------------------------- what is right


def test_an_approved_city_gets_a_token_bound_to_its_key_for_five_minutes(london: Door, helsinki: Town) -> None:
    reply = london.post(helsinki.form(), helsinki.proof())
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("DPoP", 300, "federation")
    assert (reply.headers["cache-control"], reply.headers["pragma"]) == ("no-store", "no-cache")
    header, claims, _ = told["access_token"].split(".")
    assert json.loads(_plain(header))["typ"] == "at+jwt"
    said = json.loads(_plain(claims))
    assert (said["iss"], said["aud"], said["client_id"], said["sub"]) == (LONDON, LONDON, HELSINKI, HELSINKI)
    assert (said["exp"] - said["iat"], said["cnf"]) == (300, {"jkt": helsinki.key.thumbprint})


def test_with_the_token_and_a_proof_the_door_opens_and_the_city_was_heard(london: Door, helsinki: Town) -> None:
    token = london.token(helsinki)
    assert london.notify(f"DPoP {token}", helsinki.proof("POST", NOTIFY, token=token)).status_code == 202
    assert london.node.federation.peers.get("helsinki").last_in_at > 0


def test_an_ordinary_oauth_library_may_call_its_assertion_jwt(london: Door, helsinki: Town) -> None:
    assertion = helsinki.keyring.jwt("client", "JWT", helsinki.claims())
    assert london.post(helsinki.form(client_assertion=assertion), helsinki.proof()).status_code == 200


def _plain(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


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


# ---------------------------------------------------------------- proofs, at the token endpoint and at a door

OTHER = ProofKey()
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


# ---------------------------------------------------------------- tokens


def at(london: Door, helsinki: Town, *, key: str = "token", typ: str = "at+jwt", **changes: Any) -> str:
    """Write a token as London would, but for what is changed, signed by London's own key."""
    honest = {
        "iss": LONDON,
        "sub": HELSINKI,
        "client_id": HELSINKI,
        "aud": LONDON,
        "iat": now_s(),
        "exp": now_s() + 300,
        "jti": f"made-{now_s()}",
        "scope": "federation",
        "cnf": {"jkt": helsinki.key.thumbprint},
    }
    claims = {k: v for k, v in {**honest, **changes}.items() if v is not None}
    return london.node.keyring.jwt(key, typ, claims)  # type: ignore[arg-type]


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
    claims = json.loads(_plain(at(london, helsinki).split(".")[1]))
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
