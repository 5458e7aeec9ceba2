"""The web beside histories: add-checkpoint by the letter, cosigned checkpoints, epochs, and statements of origins."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from node.app import create_app
from node.journal import note
from node.keys import verified
from node.web.exchange.witness import MAX_BODY_BYTES
from tests.federation.history_rig import NAME, Town, now_ms, towns
from tests.federation.witness.test_witness import body

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


class Visitor:
    """Asks a town's real app, without a socket, and sends no header that the test did not write."""

    def __init__(self, town: Town) -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app=create_app(town.node), raise_app_exceptions=False)  # type: ignore[arg-type]
        self._client = httpx.AsyncClient(transport=transport, base_url=town.url)
        self._client.headers.clear()

    def ask(self, method: str, path: str, *, content: bytes = b"", headers: list[tuple[str, str]]):
        return self._runner.run(self._client.request(method, path, content=content, headers=headers))

    def get(self, path: str, **headers: str):
        return self.ask("GET", path, headers=list(headers.items()))

    def post(self, text: bytes, kind: str = "text/plain"):
        headers = [("content-type", kind), ("content-length", str(len(text)))]
        return self.ask("POST", "/witness/add-checkpoint", content=text, headers=headers)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[tuple[Town, Town]]:
    with towns(tmp_path_factory.mktemp("towns"), migrated, "helsinki", "london", serve=False) as (helsinki, london):
        helsinki.put(range(3))
        helsinki.start()
        london.mirror(helsinki)
        yield helsinki, london


@pytest.fixture(scope="module")
def london(pair: tuple[Town, Town]) -> Iterator[Visitor]:
    visitor = Visitor(pair[1])
    yield visitor
    visitor.close()


def test_a_checkpoint_is_cosigned_and_can_be_asked_for(pair: tuple[Town, Town], london: Visitor):
    helsinki, witness = pair
    origin_hash = hashlib.sha256(helsinki.origin.encode()).hexdigest()
    assert london.get(f"/witness/{origin_hash}/checkpoint").status_code == 404
    reply = london.post(body(0, helsinki.newest()))
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert reply.headers["cache-control"] == "no-store"
    held = london.get(f"/witness/{origin_hash}/checkpoint")
    keys = {witness.watching.witness.name: [witness.node.keyring.public_key("witness")]}
    assert len(note.cosignatures(note.parse(held.text), keys, verified)) == 1
    known = {"if-none-match": held.headers["etag"]}
    assert london.get(f"/witness/{origin_hash}/checkpoint", **known).status_code == 304


def test_a_conflict_is_the_size_in_its_own_media_type(pair: tuple[Town, Town], london: Visitor):
    london.post(body(0, pair[0].newest()))
    reply = london.post(body(2, pair[0].newest()))
    assert (reply.status_code, reply.headers["content-type"], reply.content) == (409, "text/x.tlog.size", b"3\n")


def test_refusals_are_plain_text_and_no_problem_documents(london: Visitor):
    for text, status in ((b"old x\n\n", 400), (b"", 400)):
        reply = london.post(text)
        assert (reply.status_code, reply.headers["content-type"]) == (status, "text/plain; charset=utf-8")


def test_a_long_or_compressed_body_is_not_read(london: Visitor):
    assert london.post(b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    headers = [("content-encoding", "gzip"), ("content-length", "3")]
    assert london.ask("POST", "/witness/add-checkpoint", content=b"abc", headers=headers).status_code == 400


def test_the_witness_is_asked_with_post_and_odd_origins_are_not_there(london: Visitor):
    assert london.get("/witness/add-checkpoint").status_code == 405
    for odd in ("x", "A" * 64, "0" * 63, "0" * 65):
        assert london.get(f"/witness/{odd}/checkpoint").status_code == 404


def test_a_mirror_shows_the_statement_of_its_origin_to_the_byte(pair: tuple[Town, Town], london: Visitor):
    _, witness = pair
    reply = london.get(f"/collections/helsinki/{NAME}/origin")
    assert reply.headers["content-type"].startswith("application/entity-statement+jwt")
    assert reply.text == witness.peers.get("helsinki").statement
    own = london.get(f"/collections/{NAME}/origin")
    assert own.status_code == 200
    assert own.text != reply.text
    assert london.get("/collections/none/origin").status_code == 404
    assert london.get(f"/collections/paris/{NAME}/origin").status_code == 404


def test_epochs_are_listed_and_none_is_an_empty_list(pair: tuple[Town, Town], london: Visitor):
    told = london.get(f"/collections/{NAME}/epochs").json()
    assert told == {"collection": pair[1].iri, "epochs": []}
    assert london.get(f"/collections/helsinki/{NAME}/epochs").json()["collection"] == pair[0].iri
    assert london.get("/collections/none/epochs").status_code == 404


def test_a_restricted_collection_shows_neither(pair: tuple[Town, Town], london: Visitor):
    pair[1].node.create_collection("secret", title="S", visibility="restricted", at_ms=now_ms())
    replies = {path: london.get(f"/collections/{path}") for path in ("secret/origin", "nowhere/origin")}
    told = {path: json.loads(reply.text) for path, reply in replies.items()}
    assert {reply.status_code for reply in replies.values()} == {404}
    assert told["secret/origin"]["type"] == told["nowhere/origin"]["type"]
    assert london.get("/collections/secret/epochs").status_code == 404
