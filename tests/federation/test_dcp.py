"""DCP's self-issued tokens: a pinned city is known by one, and nobody by one that is bent, old, used or another's."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.errors import ForbiddenAddress, Unauthenticated
from node.federation.dcp import SelfIssued, SelfIssuedTokens, is_self_issued
from node.federation.identity.did import did_web
from node.federation.peers.store import Peer, PeerStore
from node.federation.tokens.replay import Replay
from node.keys import Keyring
from tests.federation.oauth_rig import bent, raw_jwt

LONDON, HELSINKI, OSLO = "http://127.0.0.1:8001", "https://helsinki.example/city", "https://oslo.example"
NOW_MS = 1_800_000_000_000
NOW_S = NOW_MS // 1000


class Rig:
    """London, which knows Helsinki by its pinned keys, and Oslo without having approved it."""

    def __init__(self, db: Database, folder: Path, keys: dict[str, Keyring]) -> None:
        self.book = PeerStore(db, chance=lambda: 0.0)
        self.keys, self.now_ms, self.renewed = keys, NOW_MS, list[str]()
        self.replay = Replay(db, folder)
        self.tokens = SelfIssuedTokens(LONDON, self.book, self.replay, self.renew, clock_ms=lambda: self.now_ms)
        self.know("helsinki", HELSINKI, "active")
        self.know("oslo", OSLO, "proposed")

    def know(self, name: str, url: str, state: str) -> None:
        columns: dict[str, Any] = dict.fromkeys(Peer.__dataclass_fields__, 0)
        texts = (
            "title",
            "fingerprint",
            "quarantine",
            "note",
            "statement",
            "approved_by",
            "last_error_code",
            "last_error",
        )
        columns |= dict.fromkeys(texts, "") | {"name": name, "url": url, "state": state, "namespaces": ()}
        with self.book.db.write() as tx:
            self.book.insert(tx, Peer(**columns))
            self.book.pin(tx, name, self.keys[name].published(), 0)

    def renew(self, name: str, now_ms: int, *, kid: str) -> None:
        self.renewed.append(kid)

    def token(self, *, by: str = "helsinki", header: dict[str, Any] | None = None, **changes: Any) -> str:
        did = did_web({"helsinki": HELSINKI, "oslo": OSLO}.get(by, HELSINKI))
        key = self.keys[by].current("client")
        honest = {
            "iss": did,
            "sub": did,
            "aud": did_web(LONDON),
            "jti": secrets.token_urlsafe(12),
            "iat": NOW_S,
            "exp": NOW_S + 120,
        }
        named = bent({"typ": "JWT", "alg": "ES256", "kid": f"{did}#{key.kid}"}, header or {})
        return raw_jwt(named, bent(honest, changes), lambda said: self.keys[by].sign("client", said))

    def caller(self, token: str) -> Any:
        return self.tokens.caller(f"Bearer {token}")


@pytest.fixture(scope="module")
def rig(lasting_db: Database, tmp_path_factory: pytest.TempPathFactory, keys: dict[str, Keyring]) -> Rig:
    return Rig(lasting_db, tmp_path_factory.mktemp("replay"), keys)


@pytest.fixture
def fresh(db: Database, tmp_path: Path, keys: dict[str, Keyring]) -> Rig:
    """Give one whose peers a test may change."""
    return Rig(db, tmp_path, keys)


def test_a_pinned_city_is_known_by_a_token_it_issued(rig: Rig):
    caller = rig.caller(rig.token())
    assert (caller.kind, caller.name, caller.url, caller.scopes) == ("peer", "helsinki", HELSINKI, {"federation"})
    assert rig.caller(rig.token(header={"kid": None})).name == "helsinki"
    assert rig.caller(rig.token(header={"typ": None})).name == "helsinki"


def test_our_own_tokens_are_of_that_kind(rig: Rig):
    theirs = SelfIssued(HELSINKI, rig.keys["helsinki"], clock_ms=lambda: NOW_MS)
    headers = theirs.headers(LONDON, "POST", f"{LONDON}/dsp/2025-1/catalog/request")
    assert is_self_issued([headers["Authorization"]])
    assert rig.tokens.caller(headers["Authorization"]).name == "helsinki"
    assert not theirs.again(LONDON, {})
    for elsewhere in (f"{LONDON}.example/", "https://elsewhere.example"):
        with pytest.raises(ForbiddenAddress):
            theirs.headers(LONDON, "GET", elsewhere)
    with pytest.raises(ForbiddenAddress):
        theirs.headers("http://plain.example", "GET", "http://plain.example/x")


def test_a_token_is_good_once(rig: Rig):
    token = rig.token()
    rig.caller(token)
    with pytest.raises(Unauthenticated, match="used before"):
        rig.caller(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": did_web(OSLO)},
        {"iss": HELSINKI},
        {"iss": None},
        {"iss": "did:web:helsinki.example"},
        {"iss": ["did:web:helsinki.example:city"]},
        {"iss": "did:web:" + "x" * 4_000},
        {"sub": did_web(OSLO)},
        {"sub": None},
        {"aud": did_web(OSLO)},
        {"aud": LONDON},
        {"aud": [did_web(LONDON)]},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 257},
        {"exp": NOW_S},
        {"exp": NOW_S + 301},
        {"exp": None},
        {"exp": "soon"},
        {"iat": NOW_S + 100},
        {"iat": NOW_S - 300},
        {"nbf": NOW_S + 100},
        {"header": {"alg": "none"}},
        {"header": {"alg": "HS256"}},
        {"header": {"typ": "at+jwt"}},
        {"header": {"kid": "did:web:oslo.example#key"}},
        {"header": {"kid": ""}},
        {"header": {"jwk": {}}},
        {"header": {"crit": ["exp"]}},
    ],
)
def test_a_bent_token_is_refused(rig: Rig, changes: dict[str, Any]):
    with pytest.raises(Unauthenticated) as refused:
        rig.caller(rig.token(**changes))
    assert refused.value.challenge.startswith('Bearer realm="citynode", error="invalid_token"')


def test_a_kid_must_name_the_did_and_not_the_thumbprint_alone(rig: Rig):
    with pytest.raises(Unauthenticated):
        rig.caller(rig.token(header={"kid": rig.keys["helsinki"].current("client").kid}))


@pytest.mark.parametrize("token", ["", "..", "a.b.c", "e30.e30.e30", "x" * 20_000])
def test_nonsense_is_refused(rig: Rig, token: str):
    with pytest.raises(Unauthenticated):
        rig.caller(token)


def test_who_was_not_approved_and_who_is_unknown_hear_the_same(rig: Rig):
    said = []
    for token in (rig.token(by="oslo"), rig.token(iss="did:web:nobody.example", sub="did:web:nobody.example")):
        with pytest.raises(Unauthenticated) as refused:
            rig.caller(token)
        said.append(refused.value.message)
    assert len(set(said)) == 1


def test_another_city_cannot_speak_for_a_pinned_one(rig: Rig):
    with pytest.raises(Unauthenticated):
        rig.caller(rig.token(by="mallory"))


def test_a_paused_city_is_told_so(fresh: Rig):
    with fresh.book.db.write() as tx:
        tx.run("UPDATE peer SET state = 'paused' WHERE name = 'helsinki'")
    with pytest.raises(Unauthenticated, match="exchanges nothing"):
        fresh.caller(fresh.token())


def test_among_several_keys_the_one_that_signed_is_named_and_a_new_one_is_looked_for(fresh: Rig, tmp_path: Path):
    ring = Keyring.create(tmp_path / "rotating")
    fresh.keys = {**fresh.keys, "helsinki": ring}
    with pytest.raises(Unauthenticated):
        fresh.caller(fresh.token())
    assert fresh.renewed == [ring.current("client").kid]
    with fresh.book.db.write() as tx:
        fresh.book.pin(tx, "helsinki", ring.published(), 0)
    assert fresh.caller(fresh.token()).name == "helsinki"
    with pytest.raises(Unauthenticated, match="several keys"):
        fresh.caller(fresh.token(header={"kid": None}))


@pytest.mark.parametrize(
    ("shown", "is_one"),
    [
        ([], False),
        (["Bearer a.b.c"], True),
        (["bearer a.b.c"], True),
        (["Bearer cn_secret"], False),
        (["DPoP a.b.c"], False),
        (["Bearer a.b.c", "Bearer a.b.c"], False),
    ],
)
def test_what_looks_like_such_a_token(shown: list[str], is_one: bool):
    assert is_self_issued(shown) == is_one
