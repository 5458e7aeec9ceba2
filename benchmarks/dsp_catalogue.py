"""Benchmarks 8: a catalogue request of the Dataspace Protocol over many datasets, from its bytes to its answer's.

A whole web process without sockets: token, proof, rights, offers, terms of every dataset, JSON, gzip. Half of the
datasets are offered to the peer that asks, a quarter to another one, a quarter to everybody, so that what is hidden is
skipped too. What matters is that a page costs as much in a large catalogue as in a small one: both are measured, and
the statements that reach the database are counted.
"""

import asyncio
import json
import shutil
import statistics
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import httpx

from benchmarks.rig import Bench, Row, citynode, free_port
from benchmarks.tokens import PEER, admit

TARGET_MS = 50.0
OTHER = "https://oslo.example"
PATH = "/dsp/2025-1/catalog/request"
_PAYLOAD = (
    '<{iri}> <http://purl.org/dc/terms/description> "{words}"@en .\n'
    '<{iri}> <http://purl.org/dc/terms/title> "Dataset {number}"@en .\n'
    "<{iri}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .\n"
    '<{iri}> <http://www.w3.org/ns/dcat#keyword> "city"@en .\n'
)


def dsp_catalogue(bench: Bench) -> Iterator[Row]:
    """Measure the first page of a small and a large catalogue, and a page from the middle."""
    small, large = 400, bench.records
    found: dict[int, tuple[float, int]] = {}
    middle_ms = 0.0
    for count in (small, large):
        bench.say(f"a catalogue of {count:,} datasets")
        shop = _Shop(bench, count)
        try:
            first = shop.page([])
            found[count] = (shop.page([]).ms, first.statements)
            middle_ms = shop.page([{"@type": "QuerySpec", "offset": count // 2, "limit": 100}]).ms
        finally:
            shop.close()
    ms, statements = found[large]
    ratio = f"{ms / found[small][0]:.1f} times a catalogue of {small}"
    yield Row(
        f"catalogue request, {large:,} datasets: first page of 100",
        f"{ms:.1f} ms",
        f"<= {TARGET_MS:.0f} ms",
        ms <= TARGET_MS,
        ratio,
    )
    same = statements == found[small][1]
    yield Row("statements for it", f"{statements}", f"{found[small][1]}, as for {small}", same)
    yield Row("catalogue request: a page from the middle, by EDC's offset", f"{middle_ms:.1f} ms")


class _Page:
    """What one page took: the median of several, and the statements of one."""

    def __init__(self, ms: float, statements: int) -> None:
        self.ms, self.statements = ms, statements


class _Shop:
    """A node with many restricted datasets on offer, and a peer of it."""

    def __init__(self, bench: Bench, count: int) -> None:
        from node.app import create_app
        from node.assembly import build
        from node.federation.tokens.dpop import ProofKey
        from node.keys import Keyring
        from node.settings import load

        self._folder = bench.folder / f"shop-{count}"
        self._base = f"http://127.0.0.1:{free_port()}"
        citynode(self._folder, "init", "--name", "Bench", "--base-url", self._base)
        limits = dict.fromkeys(("rate_public_per_min", "rate_feed_per_min", "rate_token_per_min"), 0)
        self._node = build(load(environ={}, data=self._folder, overrides=limits))
        self._key = ProofKey()
        self._ring = Keyring.create(bench.folder / f"peer-{count}")
        admit(self._node, self._ring)
        self._fill(count)
        self._runner, self._rounds = asyncio.Runner(), 5 if bench.quick else 21
        transport = httpx.ASGITransport(app=create_app(self._node))
        self._client = httpx.AsyncClient(transport=transport, base_url=self._base)

    def page(self, filters: list[dict[str, Any]]) -> _Page:
        """Ask for a page, again and again."""
        asked = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage"}
        body = json.dumps(asked | ({"filter": filters} if filters else {})).encode()
        times = []
        for _ in range(self._rounds):
            headers = self._headers(body)
            started = time.perf_counter()
            reply = self._runner.run(self._client.post(PATH, content=body, headers=headers))
            times.append((time.perf_counter() - started) * 1000)
            assert (reply.status_code, len(reply.json()["dataset"])) == (200, 100)
        return _Page(statistics.median(times), self._statements(body))

    def close(self) -> None:
        """Take it down."""
        self._runner.run(self._client.aclose())
        self._runner.close()
        self._node.close()
        shutil.rmtree(self._folder)

    def _statements(self, body: bytes) -> int:
        """Count what one page asks of the database, beside what showing a token costs."""
        from node.db import HotReader
        from node.federation.dsp.documents import CatalogRequest

        asked: list[str] = []
        rows = HotReader.rows

        def counted(hot: HotReader, sql: str, *params: Any) -> Any:
            asked.append(sql)
            return rows(hot, sql, *params)

        with patch.object(HotReader, "rows", counted):
            self._node.federation.dsp.catalogue.page(PEER, CatalogRequest.read(json.loads(body)))
        return len(asked)

    def _headers(self, body: bytes) -> dict[str, str]:
        from node.federation.signing.messages import MessageSigning
        from node.federation.tokens.jwt import AccessTokens

        now_ms = time.time_ns() // 1_000_000
        tokens = AccessTokens(self._base, self._node.keyring, self._node.db)
        scopes = frozenset({"federation"})
        token = tokens.issue(PEER, scopes=scopes, thumbprint=self._key.thumbprint, now_ms=now_ms)
        proof = self._key.proof("POST", self._base + PATH, now_ms=now_ms, token=token)
        shown = {"authorization": f"DPoP {token}", "dpop": proof, "content-type": "application/json"}
        nobody: Any = None  # it only signs
        hand = MessageSigning(self._ring, nobody, nobody, nobody, clock_ms=lambda: now_ms)
        return {**shown, **hand.sign_request("POST", self._base + PATH, shown, body)}

    def _fill(self, count: int) -> None:
        from node.catalog.shelf import ShelfFollower
        from node.journal import Draft, catch_up

        names = {"closed": "restricted", "open": "public"}
        for name, visibility in names.items():
            self._node.create_collection(name, title=name, visibility=visibility, at_ms=1)
        iris = [f"{self._base}/datasets/d{number:06}" for number in range(count)]
        for name in names:
            chosen = [number for number in range(count) if (number % 4 == 3) == (name == "open")]
            for start in range(0, len(chosen), 1_000):
                drafts = [_draft(Draft, iris[number], number) for number in chosen[start : start + 1_000]]
                with self._node.db.write() as tx:
                    self._node.journals.append(tx, name, drafts, at_ms=2)
        catch_up(self._node.journals, ShelfFollower())
        self._offer(iris)

    def _offer(self, iris: list[str]) -> None:
        """Write the offers at once; publishing each would wait for the disk ten thousand times."""
        rule = {
            "action": "use",
            "constraint": [{"leftOperand": "odrl:recipient", "operator": "eq", "rightOperand": PEER}],
        }
        rows = []
        for number, iri in enumerate(iris):
            peers = {2: [OTHER], 3: []}.get(number % 4, [PEER])
            offer = f"{self._base}/offers/o{number}"
            rules = {"permission": [{"@id": f"{offer}#p1", **rule}]}
            told = (json.dumps(each) for each in ([iri], {"title": f"Dataset {number}"}, rules, peers))
            rows.append((offer, iri, *told, False, 1, "bench", 0))
        names = "iri, target, covers, about, rules, peers, automatic, published_at, published_by, withdrawn_at"
        with self._node.db.write() as tx:
            tx.many(f"INSERT INTO offer ({names}) VALUES ({', '.join('?' * 10)})", rows)  # noqa: S608 - our own text


def _draft(kind: Any, iri: str, number: int) -> Any:
    payload = _PAYLOAD.format(iri=iri, number=number, words="What it is about, at some length. " * 8)
    return kind(iri, f"d{number:06}", "dataset", "put", payload.encode())
