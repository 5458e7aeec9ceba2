"""Who a city is: what it says is what is read, every bound is held, and new keys follow only from trusted ones."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.errors import BadSignature, Malformed, Refused, TooLarge
from node.federation.identity.identity import MAX_BYTES, Identity, chain_holds, read_statement
from node.federation.identity.own import City, OwnIdentity
from node.keys import DAY_MS, PURPOSES, Keyring, PublicKey, Purpose, read_jwt, thumbprint
from node.keys.jwt import unchecked_claims
from tests.keys.multikeys import raw_of

URL = "https://helsinki.example/node"
AT = 1_795_000_000_000
COLLECTIONS = [
    ("open-data", f"{URL}/collections/open-data", "Open data"),
    ("maps", f"{URL}/collections/maps", "Kartat ä"),
]
CITY = City(
    url=URL,
    name="Helsinki",
    software="citynode/0.1.0",
    federation="https://w3id.org/citynode/federation/x",
    namespaces=("https://hri.example/id/", "https://hri.example/ns#"),
    mailbox="data@helsinki.example",
)


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keys", now_ms=AT - DAY_MS)


@pytest.fixture
def own(ring: Keyring) -> OwnIdentity:
    return OwnIdentity(CITY, ring, collections=lambda: COLLECTIONS)


def read(own: OwnIdentity, now_ms: int = AT) -> Identity:
    return read_statement(own.statement(now_ms), url=URL, now_ms=now_ms)


# ---------------------------------------------------------------- what is said is what is read


def test_a_city_is_read_as_it_shows_itself(own: OwnIdentity, ring: Keyring):
    ring.rotate("checkpoint", now_ms=AT, issuer=URL)
    found = read(own)
    assert (found.url, found.name, found.fingerprint) == (URL, "Helsinki", ring.current("entity").kid)
    assert (found.software, found.federation) == (CITY.software, CITY.federation)
    assert found.namespaces == (f"{URL}/", *CITY.namespaces)
    assert found.collections == tuple(COLLECTIONS)
    assert list(found.keys) == ring.published()
    for purpose in PURPOSES:
        assert found.keys_of(purpose) == ring.published(purpose)
    assert found.endpoints["token"] == f"{URL}/oauth/token"
    assert found.protocols == {"feed": ("1",), "witness": ("cosignature/v1",)}
    assert found.expires_ms - found.issued_ms == DAY_MS
    assert 0 <= AT - found.issued_ms < 3_600_000
    assert found.statement == own.statement(AT)


def test_a_statement_has_the_parts_that_openid_federation_and_oauth_ask_for(own: OwnIdentity, ring: Keyring):
    header, claims = read_jwt(
        own.statement(AT), [ring.current("entity").jwk], typ="entity-statement+jwt", max_bytes=MAX_BYTES
    )
    assert header == {"alg": "ES256", "kid": ring.fingerprint, "typ": "entity-statement+jwt"}
    assert claims["iss"] == claims["sub"] == URL
    metadata = claims["metadata"]
    assert metadata["federation_entity"] == {"organization_name": "Helsinki", "contacts": ["data@helsinki.example"]}
    server, client = metadata["oauth_authorization_server"], metadata["oauth_client"]
    assert (server["issuer"], server["token_endpoint"]) == (URL, f"{URL}/oauth/token")
    assert (client["token_endpoint_auth_method"], client["grant_types"]) == ("private_key_jwt", ["client_credentials"])
    assert metadata["oauth_resource"]["resource"] == URL
    for purpose, holder in (("entity", claims), ("token", server), ("client", client)):
        assert [key["kid"] for key in holder["jwks"]["keys"]] == [ring.current(purpose).kid]


def test_a_replaced_key_stays_in_the_key_sets_until_its_overlap_is_over(own: OwnIdentity, ring: Keyring):
    old = ring.current("token").kid
    new = ring.rotate("token", now_ms=AT, overlap_ms=DAY_MS, issuer=URL).kid

    def listed(now_ms: int) -> tuple[list[str], list[str]]:
        metadata = unchecked_claims(own.statement(now_ms), max_bytes=MAX_BYTES)["metadata"]
        keys = metadata["oauth_authorization_server"]["jwks"]["keys"]
        return [key["kid"] for key in keys], [k["kid"] for k in metadata["citynode"]["keys"] if k["purpose"] == "token"]

    assert listed(AT) == ([new, old], [new, old])
    assert listed(AT + DAY_MS) == ([new], [new, old])


def test_equal_content_gives_equal_bytes_in_every_process(ring: Keyring, tmp_path: Path):
    listed = list(COLLECTIONS)
    mine, other = (OwnIdentity(CITY, Keyring(tmp_path / "keys"), collections=lambda: listed) for _ in range(2))
    first = mine.statement(AT)
    assert first == other.statement(AT) == mine.statement(AT)
    ring.rotate("client", now_ms=AT, issuer=URL)
    rotated = mine.statement(AT)
    assert first != rotated == other.statement(AT)
    listed.pop()
    assert mine.statement(AT) != rotated
    assert mine.statement(AT) != mine.statement(AT + 3_600_000)


def test_a_statement_stays_within_what_is_read_however_much_there_is_to_say(ring: Keyring):
    for turn in range(30):
        ring.rotate("entity", now_ms=AT + turn, overlap_ms=0, issuer=URL)
    many = [(f"c{n}-{'x' * 50}", f"{URL}/collections/c{n}-{'x' * 50}", "ä" * 100) for n in range(400)]
    own = OwnIdentity(CITY, ring, collections=lambda: many)
    assert len(own.statement(AT)) <= MAX_BYTES
    found = read(own)
    assert found.fingerprint == ring.fingerprint
    assert 0 < len(found.collections) < 200
    assert all(found.keys_of(purpose)[0] == ring.current(purpose) for purpose in PURPOSES)
    assert OwnIdentity(CITY, ring, collections=list).statement(AT)


def test_the_did_document_lists_the_keys_that_sign_documents(own: OwnIdentity, ring: Keyring):
    old = ring.current("record")
    new = ring.rotate("record", now_ms=AT, issuer=URL)
    document = own.did()
    did = "did:web:helsinki.example:node"
    assert (document["id"], document["alsoKnownAs"], own.did_name) == (did, [URL], did)
    methods = {method["id"]: method for method in document["verificationMethod"]}  # type: ignore[index, attr-defined]
    wanted, client = [new, old, ring.current("checkpoint"), ring.current("witness")], ring.current("client")
    assert list(methods) == [f"{did}#{key.kid}" for key in [*wanted, client]]
    for key in wanted:
        method = methods[f"{did}#{key.kid}"]
        assert (method["type"], method["controller"]) == ("Multikey", did)
        assert raw_of(method["publicKeyMultibase"]) == key.raw
        assert ("expires" in method) == (key is old)
    assert document["assertionMethod"] == [f"{did}#{new.kid}", f"{did}#{old.kid}"]
    shown = methods[f"{did}#{client.kid}"]
    assert (shown["type"], shown["publicKeyJwk"]["kid"]) == ("JsonWebKey", client.kid)
    assert document["authentication"] == document["capabilityInvocation"] == [f"{did}#{client.kid}"]


@pytest.mark.parametrize(
    ("url", "did"),
    [
        ("https://city.example", "did:web:city.example"),
        ("http://127.0.0.1:8001", "did:web:127.0.0.1%3A8001"),
        ("https://city.example:444/a/b c", "did:web:city.example%3A444:a:b%20c"),
    ],
)
def test_a_did_web_spells_port_and_path(ring: Keyring, url: str, did: str):
    assert OwnIdentity(replace(CITY, url=url), ring, collections=list).did_name == did


def test_the_key_set_has_every_key_there_ever_was_once(own: OwnIdentity, ring: Keyring):
    for purpose in PURPOSES:
        ring.rotate(purpose, now_ms=AT, overlap_ms=0, issuer=URL)
    keys: Any = own.jwks()["keys"]
    assert [key["kid"] for key in keys] == [key.kid for key in ring.published()]
    assert len({key["kid"] for key in keys}) == len(keys) == 14
    for key in keys:
        assert key["kid"] == thumbprint(key)
        assert key["use"] == "sig"
        assert "d" not in key
    summary = own.summary()
    assert (summary["issuer"], summary["fingerprint"]) == (URL, ring.fingerprint)
    assert summary["keys"] == [key.document() for key in ring.published()]
    assert own.fingerprint == ring.fingerprint
    assert own.url == URL


@pytest.mark.parametrize("accent", ["#0000BF", "#ffffff", ""])
def test_a_city_says_its_colour_or_nothing_of_it(accent: str, ring: Keyring):
    own = OwnIdentity(replace(CITY, accent=accent), ring, collections=list)
    assert read(own).accent == accent.lower()


@pytest.mark.parametrize("place", [(60.17, 24.94), (-90.0, 180.0), (0.0, 0.0), None])
def test_a_city_is_where_it_says_it_is_or_says_nothing_of_it(place: tuple[float, float] | None, ring: Keyring):
    own = OwnIdentity(replace(CITY, place=place), ring, collections=list)
    assert read(own).place == place
    said = unchecked_claims(own.statement(AT), max_bytes=MAX_BYTES)["metadata"]["citynode"]
    assert ("place" in said) == (place is not None)


# ---------------------------------------------------------------- what is refused


def changed(
    own: OwnIdentity, ring: Keyring, change: Callable[[dict[str, Any]], object], typ: str = "entity-statement+jwt"
) -> str:
    claims = json.loads(json.dumps(unchecked_claims(own.statement(AT), max_bytes=MAX_BYTES)))
    change(claims)
    return ring.jwt("entity", typ, claims)


def city(change: dict[str, Any]) -> Callable[[dict[str, Any]], object]:
    return lambda claims: claims["metadata"]["citynode"].update(change)


def without(*path: str) -> Callable[[dict[str, Any]], object]:
    def change(claims: dict[str, Any]) -> None:
        for name in path[:-1]:
            claims = claims[name]
        del claims[path[-1]]

    return change


NAMESPACES = [
    "https://a.example",
    "https://a.example/x",
    "https:///x/",
    "ftp://a.example/",
    "a.example/",
    "/",
    "#",
    "https://u@a.example/",
    "https://a.example:x/",
    "https://a.example:0/",
    "https://a.example:99999/",
    "https://a.example/?x=/",
    "https://a.example/ x/",
    "https://a.example/\u0000/",
    "https://a.example/<x>/",
    "https://[::1/",
    "https://a.example/" + "x" * 600 + "/",
    5,
    None,
]
KEYS_CHANGES: list[Callable[[list[dict[str, Any]]], object]] = [
    lambda keys: keys.clear(),
    lambda keys: keys.append(keys[0]),
    lambda keys: keys.append({**keys[0], "until": "2027-01-01T00:00:00Z"}),
    lambda keys: keys[0].update(until="2027-01-01T00:00:00Z"),
    lambda keys: keys[0].update(kid="x"),
    lambda keys: keys[0].update(purpose="token"),
    lambda keys: keys[1].update(purpose="client"),
    lambda keys: keys[3]["jwk"].update(x="AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    lambda keys: keys.extend([{"purpose": "later"}] * 70),
    lambda keys: keys.append("x"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(
    "change",
    [
        lambda claims: claims.update(iss="https://evil.example"),
        lambda claims: claims.update(sub="https://evil.example"),
        lambda claims: claims.update(iss=URL + "/", sub=URL + "/"),
        lambda claims: claims.update(iss=None),
        without("sub"),
        without("metadata"),
        without("metadata", "citynode"),
        lambda claims: claims.update(metadata=[]),
        without("jwks"),
        lambda claims: claims.update(jwks={"keys": []}),
        lambda claims: claims.update(jwks={"keys": [claims["metadata"]["oauth_client"]["jwks"]["keys"][0]]}),
        lambda claims: claims.update(jwks={"keys": claims["jwks"]["keys"] * 70}),
        lambda claims: claims.update(jwks=[]),
        *(
            city({"place": one})
            for one in (
                "60,24",
                [60],
                [60, 24, 1],
                [91, 0],
                [0, -181],
                [True, 0],
                ["60", "24"],
                [None, 0],
                {},
                [1e999, 0],
            )
        ),
        city({"v": 2}),
        city({"v": "1"}),
        city({"name": ""}),
        city({"name": " "}),
        city({"name": "x" * 201}),
        city({"name": "a\nb"}),
        city({"name": "a\u202eb"}),
        city({"name": None}),
        city({"federation": 5}),
        city({"software": ""}),
        city({"namespaces": None}),
        city({"namespaces": "https://a.example/"}),
        city({"namespaces": [f"https://a{n}.example/" for n in range(33)]}),
        *(city({"namespaces": [one]}) for one in NAMESPACES),
        city({"endpoints": []}),
        city({"endpoints": {"token": "https://evil.example/oauth/token"}}),
        city({"endpoints": {"token": URL + ".evil.example/"}}),
        city({"endpoints": {"token": URL}}),
        city({"endpoints": {"token": 5}}),
        city({"endpoints": {f"e{n}": URL + "/x" for n in range(40)}}),
        city({"protocols": []}),
        city({"protocols": {"feed": "1"}}),
        city({"protocols": {"feed": [1]}}),
        city({"protocols": {"feed": ["1"] * 40}}),
        city({"protocols": {"feed": ["x" * 40]}}),
        city({"protocols": {f"p{n}": [] for n in range(40)}}),
        city({"collections": None}),
        city({"collections": ["x"]}),
        city({"collections": [{"name": "Open Data", "iri": URL + "/x", "title": "x"}]}),
        city({"collections": [{"name": "a/b", "iri": URL + "/x", "title": "x"}]}),
        city({"collections": [{"name": "x", "iri": "urn:x", "title": "x"}]}),
        city({"collections": [{"name": "x", "iri": URL + "/x", "title": ""}]}),
        city({"collections": [{"name": "x", "iri": URL + "/x", "title": "x"}] * 2}),
        city({"collections": [{"name": "x", "iri": URL + "/x", "title": "x"}] * 201}),
        city({"keys": None}),
        *(lambda claims, one=one: one(claims["metadata"]["citynode"]["keys"]) for one in KEYS_CHANGES),
    ],
)
def test_what_no_city_says_of_itself_is_refused(
    own: OwnIdentity, ring: Keyring, change: Callable[[dict[str, Any]], object]
):
    with pytest.raises((Malformed, BadSignature)):
        read_statement(changed(own, ring, change), url=URL, now_ms=AT)


def test_what_a_later_program_adds_is_passed_over(own: OwnIdentity, ring: Keyring):
    def later(claims: dict[str, Any]) -> None:
        claims["more"] = 1
        claims["metadata"]["other"] = {}
        claims["metadata"]["citynode"] |= {"more": 1}
        claims["metadata"]["citynode"]["keys"].append({"purpose": "later", "alg": "ML-DSA-44"})

    found = read_statement(changed(own, ring, later), url=URL, now_ms=AT)
    assert list(found.keys) == ring.published()


def test_times_are_held_to_a_minute_and_to_seven_days(own: OwnIdentity, ring: Keyring):
    now = AT // 1000

    def judge(issued: object, expires: object) -> bool:
        text = changed(own, ring, lambda claims: claims.update(iat=issued, exp=expires))
        try:
            read_statement(text, url=URL, now_ms=AT)
        except Malformed:
            return False
        return True

    day = 24 * 3600
    assert judge(now, now + 7 * day)
    assert judge(now + 60, now + day)
    assert judge(now - day, now - 60)
    for issued, expires in (
        (now + 61, now + day),
        (now + 600, now + day),
        (now - day, now - 61),
        (now - day, now - 600),
        (now, now),
        (now + 30, now + 20),
        (now, now + 7 * day + 61),
        (now, 2**62),
        (float(now), now + day),
        (now, str(now + day)),
        (True, now + day),
        (-5, now + day),
        (None, None),
    ):
        assert not judge(issued, expires), (issued, expires)


def test_a_token_of_another_type_is_no_statement(own: OwnIdentity, ring: Keyring):
    for typ in ("at+jwt", "JWT", "key-rotation+jwt", "dpop+jwt"):
        with pytest.raises(Malformed, match="type"):
            read_statement(changed(own, ring, lambda claims: None, typ), url=URL, now_ms=AT)


def test_a_statement_is_signed_by_the_key_it_names(own: OwnIdentity, ring: Keyring, tmp_path: Path):
    mallory = Keyring.create(tmp_path / "mallory", now_ms=AT)
    with pytest.raises(BadSignature):
        read_statement(changed(own, mallory, lambda claims: None), url=URL, now_ms=AT)
    other_purpose = ring.jwt("token", "entity-statement+jwt", unchecked_claims(own.statement(AT), max_bytes=MAX_BYTES))
    with pytest.raises(BadSignature):
        read_statement(other_purpose, url=URL, now_ms=AT)


def test_every_changed_character_is_noticed(own: OwnIdentity):
    text = own.statement(AT)
    for place in [*range(0, len(text), 401), len(text) - 1]:
        other = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(Refused):
            read_statement(other, url=URL, now_ms=AT)


def test_what_is_no_statement_at_all_is_refused_at_once(own: OwnIdentity):
    for text in ("", "<html>", "a.b.c", own.statement(AT).rpartition(".")[0]):
        with pytest.raises(Malformed):
            read_statement(text, url=URL, now_ms=AT)
    with pytest.raises(TooLarge):
        read_statement("a" * (MAX_BYTES + 1), url=URL, now_ms=AT)
    with pytest.raises(Malformed, match="not of"):
        read_statement(own.statement(AT), url="https://london.example", now_ms=AT)


# ---------------------------------------------------------------- the rule for new keys


def rotated(ring: Keyring, *purposes: Purpose) -> list[PublicKey]:
    for turn, purpose in enumerate(purposes):
        ring.rotate(purpose, now_ms=AT + turn, issuer=URL)
    return ring.published()


def test_the_same_keys_hold(ring: Keyring):
    pinned = ring.published()
    assert chain_holds(pinned, pinned, pinned)
    assert chain_holds(pinned, pinned)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_chain_of_rotations_holds_and_a_missing_link_does_not(ring: Keyring, purpose: Purpose):
    pinned = ring.published()
    offered = rotated(ring, purpose, purpose, purpose)
    assert chain_holds(pinned, offered, pinned, url=URL)
    assert not chain_holds(pinned, offered, pinned, url="https://london.example")
    middle = [key for key in offered if key.purpose == purpose][1:3]
    for gone in middle:
        assert not chain_holds(pinned, [key for key in offered if key != gone], pinned)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_key_that_nobody_signed_does_not_hold(ring: Keyring, tmp_path: Path, purpose: Purpose):
    pinned = ring.published()
    stranger = Keyring.create(tmp_path / "mallory", now_ms=AT)
    own = stranger.current(purpose)
    old = next(key for key in pinned if key.purpose == purpose)
    # Alone, beside the old key, said to be endorsed by it, or endorsed for another purpose or by the stranger.
    forged = stranger.rotate(purpose, now_ms=AT, issuer=URL)
    others = [key for key in pinned if key != old]
    for key in (own, forged, replace(forged, endorsed_by=old.kid)):
        assert not chain_holds(pinned, [*others, key], pinned)
        assert not chain_holds(pinned, [*others, replace(old, until_ms=AT), key], pinned)
        assert not chain_holds(pinned, [*others, key])


def test_an_old_key_of_a_stranger_is_not_taken_among_the_historic_ones(ring: Keyring, tmp_path: Path):
    pinned = ring.published()
    strange = replace(Keyring.create(tmp_path / "mallory", now_ms=AT).current("checkpoint"), until_ms=AT)
    assert not chain_holds(pinned, [*pinned, strange], pinned)
    # Who asks only for the keys in use (by a fingerprint alone) learns nothing of older ones.
    assert chain_holds(pinned, [*pinned, strange])


def test_a_key_vouches_once(ring: Keyring, tmp_path: Path):
    import shutil

    thief = Keyring(shutil.copytree(tmp_path / "keys", tmp_path / "stolen"))
    before = ring.published()
    after = rotated(ring, "checkpoint")
    theirs = rotated(thief, "checkpoint")
    assert chain_holds(before, after, before)
    assert chain_holds(before, theirs, before), "whoever has the key can rotate it, until the city has"
    assert not chain_holds(after, theirs, after)
    both = [*after, *(key for key in theirs if key.until_ms is None and key.purpose == "checkpoint")]
    assert not chain_holds(before, both, before), "two heirs of one key"


def test_a_key_whose_time_is_over_does_not_come_back_into_use(ring: Keyring):
    before = ring.published()
    after = rotated(ring, "entity")
    in_force = [key for key in after if key.until_ms is None]
    assert chain_holds(after, before, after), "an older statement within the overlap is no attack"
    assert not chain_holds(in_force, before, after)


def test_a_purpose_that_was_never_pinned_is_vouched_for_by_the_statement(ring: Keyring):
    everything = ring.published()
    pinned = [key for key in everything if key.purpose != "witness"]
    assert chain_holds(pinned, everything, pinned)


def test_endorsements_in_a_ring_end(ring: Keyring):
    pinned = ring.published()
    offered = rotated(ring, "record", "record")
    looped = [replace(key, endorsed_by=key.kid) if key.purpose == "record" else key for key in offered]
    assert not chain_holds(pinned, looped, pinned)
