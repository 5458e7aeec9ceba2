"""Who may read a restricted collection over HTTP, in a whole node with real tokens; and what peers report back."""

import asyncio
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.federation.tokens.dpop import ProofKey
from node.federation.tokens.jwt import AccessTokens
from node.web.assemble import build
from tests.catalog.rig import BASE, make_city
from tests.catalog.rig import City as Whole
from tests.federation.agreed import agree_alone, atom, change, peer, permits
from tests.federation.feed_rig import read
from tests.journal.rig import put
from tests.web.client import Client

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

PEER = "https://b.example"
PATHS = ["checkpoint", "entries", "entries?after=0&size=2", "entries?seqs=1", "snapshot", "tile/0/000.p/2", "feed"]
PATHS += ["feed/pages/1", "entries/1"]


@dataclass
class Rig:
    """A node with a restricted collection, and a client that can show tokens."""

    whole: Whole
    client: Client
    agreed: str
    key: ProofKey = field(default_factory=ProofKey)

    @property
    def node(self) -> Any:
        return self.whole.node

    def peer_token(self, url: str = PEER, *scopes: str) -> str:
        tokens = AccessTokens(BASE, self.node.keyring, self.node.db)
        wanted = frozenset(scopes or ("federation",))
        return tokens.issue(url, scopes=wanted, thumbprint=self.key.thumbprint, now_ms=now_ms())

    def as_peer(self, method: str, path: str, *, token: str = "", body: object = None) -> httpx.Response:
        token = token or self.peer_token()
        url = BASE + path.partition("?")[0]
        proof = self.key.proof(method, url, now_ms=now_ms(), token=token)
        headers = {"authorization": f"DPoP {token}", "dpop": proof}
        return self.say(method, path, headers=headers, body=body)

    def as_named(
        self, path: str, name: str, *, staff: bool = False, scopes: frozenset[str] = frozenset()
    ) -> httpx.Response:
        token = self.node.federation.named_tokens.issue(name, staff=staff, scopes=scopes, now_ms=now_ms())
        secret = token[1] if isinstance(token, tuple) else token
        return self.say("GET", path, headers={"authorization": f"Bearer {secret}"})

    def say(self, method: str, path: str, *, headers: dict[str, str], body: object = None) -> httpx.Response:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        asked = self.client._client.request(method, path, headers=headers, content=content)
        return self.client._runner.run(asked)

    def state(self, state: str, quarantine: str = "") -> None:
        with self.node.db.write() as tx:
            tx.run("UPDATE peer SET state = ?, quarantine = ? WHERE name = 'b'", state, quarantine)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def rig(migrated: Path, tmp_path: Path) -> Iterator[Rig]:
    shutil.copy(migrated, tmp_path / "node.db")
    whole = make_city(tmp_path, rate_feed_per_min=0, rate_public_per_min=0, rate_token_per_min=0)
    node = whole.node
    node.create_collection("secret", title="Secret", visibility="restricted", at_ms=1_000)
    node.create_collection("other", title="Other", visibility="restricted", at_ms=1_000)
    with node.db.write() as tx:
        for name in ("secret", "other", "open-data"):
            node.journals.append(tx, name, [put(1), put(1, "Newer")], at_ms=2_000)
        tx.run(
            "INSERT INTO peer (name, url, fingerprint, state, added_at) VALUES ('b', ?, 'f', 'active', 1)",
            PEER,
        )
    for name in ("secret", "other", "open-data"):
        node.journals.checkpoint(name, at_ms=3_000)
    agreed = agree_alone(node, PEER, "secret")
    client = Client(build(node.site), BASE)
    yield Rig(whole, client, agreed)
    client.close()
    node.close()


def test_a_peer_reads_what_an_agreement_permits_and_caches_keep_nothing(rig: Rig) -> None:
    for path in PATHS:
        reply = rig.as_peer("GET", f"/collections/secret/{path}")
        assert reply.status_code == 200, reply.text
        assert reply.headers["cache-control"] == "private, no-store"
        assert "Authorization" in reply.headers["vary"]
        assert rig.client.get(f"/collections/secret/{path}").status_code == 404


def test_what_is_not_agreed_looks_like_nothing_to_a_peer(rig: Rig) -> None:
    drop = {"x-request-id", "ratelimit"}
    for path in PATHS:
        one, none = (rig.as_peer("GET", f"/collections/{name}/{path}") for name in ("other", "ether"))
        assert one.status_code == none.status_code == 404
        assert one.content.replace(b"other", b"ether") == none.content
        found, absent = ({k: v for k, v in reply.headers.items() if k not in drop} for reply in (one, none))
        assert found == absent


def test_with_a_page_in_memory_nobody_else_gets_it(rig: Rig) -> None:
    for _ in range(2):
        assert rig.as_peer("GET", "/collections/secret/entries").status_code == 200
    assert rig.client.get("/collections/secret/entries").status_code == 404
    assert (
        rig.as_named("/collections/secret/entries", "program", scopes=frozenset({"read:open-data"})).status_code == 404
    )


def test_staff_reads_everything_and_a_program_what_its_token_names(rig: Rig) -> None:
    assert rig.as_named("/collections/other/entries", "maija", staff=True).status_code == 200
    assert rig.as_named("/collections/other/entries", "one", scopes=frozenset({"read:other"})).status_code == 200
    assert rig.as_named("/collections/other/entries", "two", scopes=frozenset({"read:secret"})).status_code == 404
    assert rig.as_named("/collections/ether/entries", "three", scopes=frozenset({"read:ether"})).status_code == 404


@pytest.mark.parametrize(
    ("state", "why"), [("paused", ""), ("blocked", ""), ("proposed", ""), ("active", "Other keys.")]
)
def test_a_token_of_a_peer_that_is_out_is_refused_at_every_door_alike(rig: Rig, state: str, why: str) -> None:
    rig.state(state, why)
    said = []
    for name in ("secret", "other", "ether", "open-data"):
        reply = rig.as_peer("GET", f"/collections/{name}/entries")
        assert reply.status_code in (401, 403)
        assert reply.headers["cache-control"] == "no-store"
        said.append(reply.json() | {"instance": ""})
    assert all(one == said[0] for one in said)


def test_an_agreement_ends_with_the_next_request_and_its_party_is_told(rig: Rig) -> None:
    token = rig.peer_token()
    assert rig.as_peer("GET", "/collections/secret/entries", token=token).status_code == 200
    change(rig.node, rig.agreed, "revoked")
    for path in PATHS:
        reply = rig.as_peer("GET", f"/collections/secret/{path}", token=token)
        assert (reply.status_code, reply.json()["agreement"]) == (403, rig.agreed)
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["cache-control"] == "no-store"
        assert rig.client.get(f"/collections/secret/{path}").status_code == 404


def test_a_mirrored_restricted_collection_is_for_our_own_staff(rig: Rig) -> None:
    with rig.node.db.write() as tx:
        iri = "https://c.example/collections/secret"
        rig.node.journals.create(tx, name="c/secret", iri=iri, title="", visibility="restricted", at_ms=1)
    peer(rig.node, "c", "https://c.example")
    assert rig.as_named("/collections/c/secret/entries", "anna", staff=True).status_code == 404
    agree_alone(rig.node, "https://c.example", "secret", mirror=True)
    assert rig.as_peer("GET", "/collections/c/secret/entries").status_code == 404
    staff = rig.as_named("/collections/c/secret/entries", "maija", staff=True)
    assert "has no checkpoint" in staff.json()["detail"]  # it is seen, and nothing of it is held in full yet


def test_a_false_token_is_refused_even_where_none_is_needed(rig: Rig) -> None:
    headers = {"authorization": "DPoP nonsense"}
    assert rig.say("GET", "/collections/open-data/entries", headers=headers).status_code == 401
    assert rig.client.get("/collections/open-data/entries").status_code == 200


def test_a_head_needs_a_proof_for_a_head(rig: Rig) -> None:
    assert rig.as_peer("HEAD", "/collections/secret/entries").status_code == 200
    token = rig.peer_token()
    proof = rig.key.proof("GET", f"{BASE}/collections/secret/entries", now_ms=now_ms(), token=token)
    headers = {"authorization": f"DPoP {token}", "dpop": proof}
    assert rig.say("HEAD", "/collections/secret/entries", headers=headers).status_code == 401


# ---------------------------------------------------------------- counts


def counted(rig: Rig, most: int) -> str:
    """An agreement that lets London read the other collection so many times."""
    rules = permits("read", "index", constraint=[atom("count", "lteq", str(most))])
    return agree_alone(rig.node, PEER, "other", rules=rules)


@pytest.mark.parametrize(("path", "clause"), [("/collections/other", "p1"), ("/collections/other/entries", "p2")])
def test_of_a_hundred_requests_at_once_exactly_as_many_as_agreed_are_answered(rig: Rig, path: str, clause: str) -> None:
    iri = counted(rig, 7)
    token = rig.peer_token()

    async def ask() -> httpx.Response:
        proof = rig.key.proof("GET", BASE + path, now_ms=now_ms(), token=token)
        headers = {"authorization": f"DPoP {token}", "dpop": proof, "accept": "text/turtle"}
        return await rig.client._client.get(path, headers=headers)

    async def all_of_them() -> list[httpx.Response]:
        return await asyncio.gather(*(ask() for _ in range(100)))

    replies = rig.client._runner.run(all_of_them())
    assert sorted(Counter(reply.status_code for reply in replies).items()) == [(200, 7), (403, 93)]
    refused = next(reply.json() for reply in replies if reply.status_code == 403)
    assert (refused["agreement"], refused["clause"], refused["operand"]) == (iri, f"{iri}#{clause}", "count")
    assert rig.node.db.hot().rows("SELECT rule, uses FROM counted") == [(f"{iri}#{clause}", 7)]


def test_a_single_record_is_handed_out_by_the_feed_exactly_as_often_as_agreed(rig: Rig) -> None:
    with rig.node.db.write() as tx:
        rig.node.journals.append(tx, "other", [put(2), put(3)], at_ms=4_000)
    rig.node.journals.checkpoint("other", at_ms=5_000)
    rules = permits("index", "read", constraint=[atom("count", "lteq", "7")])
    iri = agree_alone(rig.node, PEER, records=[put(2).record], rules=rules)
    token, path = rig.peer_token(), "/collections/other/entries"
    # A page without the record, and one that only counts what is there, use nothing up.
    for more in ("?after=0&limit=2", "?seqs=4"):
        assert rig.as_peer("GET", path + more).status_code == 200
    assert rig.node.db.hot().rows("SELECT * FROM counted") == []

    async def ask(query: str) -> httpx.Response:
        proof = rig.key.proof("GET", BASE + path, now_ms=now_ms(), token=token)
        return await rig.client._client.get(path + query, headers={"authorization": f"DPoP {token}", "dpop": proof})

    async def all_of_them() -> list[httpx.Response]:
        return await asyncio.gather(*(ask(("", "?seqs=3")[n % 2]) for n in range(100)))

    replies = rig.client._runner.run(all_of_them())
    assert sorted(Counter(reply.status_code for reply in replies).items()) == [(200, 7), (403, 93)]
    assert put(2).record in next(reply.text for reply in replies if reply.status_code == 200)
    assert rig.node.db.hot().rows("SELECT rule, target, uses FROM counted") == [(f"{iri}#p1", put(2).record, 7)]
    assert rig.as_peer("GET", "/collections/other/snapshot").status_code == 403


def test_what_hands_nothing_out_counts_nothing(rig: Rig) -> None:
    counted(rig, 2)
    for method, path in (
        ("HEAD", "entries"),
        ("GET", "checkpoint"),
        ("GET", "tile/0/000.p/2"),
        ("GET", "entries?size=99"),
        ("GET", "feed"),
    ):
        rig.as_peer(method, f"/collections/other/{path}")
    assert rig.node.db.hot().rows("SELECT * FROM counted") == []
    got = [rig.as_peer("GET", f"/collections/other/{path}").status_code for path in ("entries", "snapshot", "entries")]
    assert got == [200, 200, 403]


# ---------------------------------------------------------------- reports

SECRET = f"{BASE}/collections/secret"


def erase(rig: Rig, name: str = "secret") -> None:
    with rig.node.db.write() as tx:
        rig.node.journals.erase(tx, name, 1, at_ms=4_000)
    rig.node.journals.checkpoint(name, at_ms=5_000)


@pytest.mark.parametrize("name", ["secret", "open-data"])
def test_a_mirror_confirms_an_erasure_as_often_as_it_likes(rig: Rig, name: str) -> None:
    erase(rig, name)
    (before,) = rig.node.federation.erasures.list(name)
    assert before.confirmed == {}
    assert before.waiting == (("b",) if name == "secret" else ())
    for seqs in ([1], [1, 1, 2, 999_999], []):
        report = {"collection": f"{BASE}/collections/{name}", "seqs": seqs}
        reply = rig.as_peer("POST", "/federation/erasures", body=report)
        assert (reply.status_code, reply.content) == (204, b"")
    (after,) = rig.node.federation.erasures.list(name)
    assert list(after.confirmed) == ["b"]
    assert after.waiting == ()
    stub = read(rig.as_peer("GET", f"/collections/{name}/entries").content).lines[0]
    assert stub.keys() == {"entry"}


def test_a_peer_tells_what_it_refused_and_takes_it_back(rig: Rig) -> None:
    def tell(*refusals: tuple[int, str]) -> int:
        listed = [{"seq": seq, "code": code} for seq, code in refusals]
        return rig.as_peer("POST", "/federation/refusals", body={"collection": SECRET, "refusals": listed}).status_code

    def heard() -> list[tuple[int, str, str]]:
        return [(one.seq, one.peer, one.code) for one in rig.node.federation.refusals.list("secret")]

    assert tell((2, "too-large"), (1, "foreign-subject")) == tell((2, "too-large")) == 204
    assert heard() == [(1, "b", "foreign-subject"), (2, "b", "too-large")]
    assert tell((2, "bad-shape"), (1, "")) == 204
    assert heard() == [(2, "b", "bad-shape")]
    assert tell((1, "good"), (3, "past-the-end")) == 400
    assert heard() == [(2, "b", "bad-shape")]


@pytest.mark.parametrize("path", ["/federation/erasures", "/federation/refusals"])
def test_reports_are_taken_from_peers_alone(rig: Rig, path: str) -> None:
    body = {"collection": SECRET, path.rpartition("/")[2].replace("erasures", "seqs"): []}
    assert rig.as_peer("POST", path, body=body).status_code == 204
    nobody = rig.say("POST", path, headers={}, body=body)
    assert nobody.status_code == 401
    assert "DPoP" in nobody.headers["www-authenticate"]
    assert rig.as_peer("POST", path, body=body, token=rig.peer_token(PEER, "read:secret")).status_code == 403
    secret = rig.node.federation.named_tokens.issue("staff", staff=True, scopes=frozenset(), now_ms=now_ms())
    secret = secret[1] if isinstance(secret, tuple) else secret
    assert rig.say("POST", path, headers={"authorization": f"Bearer {secret}"}, body=body).status_code == 403
    for iri in (f"{BASE}/collections/other", f"{BASE}/collections/ether", f"{PEER}/collections/secret", "secret", ""):
        reply = rig.as_peer("POST", path, body=body | {"collection": iri})
        assert reply.status_code == 404, iri


NO_REPORTS: list[Any] = [
    *[b"", b"nonsense", b"[]", b"{}", b"1", b"null", b"\xff"],
    *[{"collection": SECRET}, {"collection": SECRET, "seqs": 1}, {"collection": SECRET, "seqs": ["1"]}],
    *[
        {"collection": SECRET, "seqs": [0]},
        {"collection": SECRET, "seqs": [-1]},
        {"collection": SECRET, "seqs": [1.5]},
    ],
    *[
        {"collection": SECRET, "seqs": [True]},
        {"collection": SECRET, "seqs": [1 << 60]},
        {"collection": 1, "seqs": []},
    ],
    *[{"collection": SECRET, "seqs": [], "more": 1}, {"collection": SECRET, "seqs": list(range(1, 1_002))}],
    {"collection": SECRET, "seqs": [[]]},
]


def test_a_report_that_is_none_is_malformed(rig: Rig) -> None:
    for body in NO_REPORTS:
        reply = rig.as_peer("POST", "/federation/erasures", body=body)
        assert (reply.status_code, reply.json()["type"]) == (400, f"{BASE}/problems/malformed"), body


CODES = ["Bad", "bad code", "a" * 41, "x\n", "-", "a-", "1", "é", "a\x00b", "-".join("a" * 20)]


def test_a_code_that_is_none_is_malformed(rig: Rig) -> None:
    for code in CODES:
        body = {"collection": SECRET, "refusals": [{"seq": 1, "code": code}]}
        assert rig.as_peer("POST", "/federation/refusals", body=body).status_code == 400, code


def test_a_report_that_is_too_long_is_not_read_to_its_end(rig: Rig) -> None:
    assert rig.as_peer("POST", "/federation/erasures", body=b"[" + b"1," * 100_000).status_code == 413
