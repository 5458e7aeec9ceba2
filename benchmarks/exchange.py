"""Benchmarks of the exchange: a first mirror, a poll of an unchanged peer, ten changes, a notified change.

The origin is a web process on its own processor; the follower pulls in this one, over real connections, with every
check and every commit. The yardstick for ten changes is what harvesters without a journal do: fetch all pages of the
same catalogue again (gzip, one connection) and parse them with the fastest parser there is. For notified changes two
whole nodes run as an operator runs them, and a visitor of the follower looks every few milliseconds.
"""

import gzip
import http.client
import threading
import time
import urllib.parse
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pyoxigraph

from benchmarks.harvesting import harvest
from benchmarks.rig import SERVER_CPU, Bench, Row, citynode, command, environment, free_port, running, waited_for
from node.assembly import Node, build
from node.assembly.clock import clock_ms
from node.journal import Draft
from node.outbound import Outbound, Reply
from node.settings import load

NAME = "open-data"
CHANGES = 10
POLLS = 100
NOTIFIED = 10


class Counting(Outbound):
    """The real way out; counts requests and the bytes of bodies as they were sent."""

    def __init__(self) -> None:
        super().__init__(loopback_allowed=True, private_origins=frozenset(), user_agent="benchmark")
        self.requests = self.bytes = 0

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        max_bytes: int,
        deadline_s: float,
        accept: str = "",
        etag: str = "",
        stop: threading.Event | None = None,
        statuses: Collection[int] | None = None,
    ) -> Reply:
        reply = super().ask(
            url,
            method=method,
            body=body,
            headers=headers,
            max_bytes=max_bytes,
            deadline_s=deadline_s,
            accept=accept,
            etag=etag,
            stop=stop,
            statuses=statuses,
        )
        self.requests += 1
        self.bytes += int(reply.headers.get("content-length", len(reply.body)))
        return reply

    def forget(self) -> None:
        self.requests = self.bytes = 0


@dataclass
class Pair:
    """An origin that is served by a process of its own, and a follower in this one."""

    origin: Node
    follower: Node
    port: int
    out: Counting

    def pull(self) -> float:
        """Pull and give the seconds it took."""
        started = perf_counter()
        visited = self.follower.federation.exchanging.visits.visit("origin")
        assert visited.pulled.level, visited
        return perf_counter() - started


def exchange(bench: Bench) -> Iterator[Row]:
    """Measure a first mirror, an unchanged peer and ten changes."""
    with ExitStack() as stack:
        pair = _pair(bench, stack)
        count = _size(pair.origin, NAME)
        yield _first(bench, pair, count)
        yield _unchanged(bench, pair)
        yield from _changed(bench, pair, count)


def _first(bench: Bench, pair: Pair, count: int) -> Row:
    bench.say(f"first mirror of {count:,} records")
    bench.calm()
    cpu, took = time.process_time(), pair.pull()
    assert _size(pair.follower, f"origin/{NAME}") == count
    rate, spent = count / took, time.process_time() - cpu
    what = f"first mirror of {count:,} records, verified"
    return Row(what, f"{rate:,.0f} records/s", ">= 5,000/s", rate >= 5_000, cpu_s=spent, wall_s=took)


def _unchanged(bench: Bench, pair: Pair) -> Row:
    pair.pull()
    bench.calm()
    pair.out.forget()
    times, clock = [], []
    for _ in range(POLLS):
        cpu = time.process_time()
        times.append(1000 * pair.pull())
        clock.append(1000 * (time.process_time() - cpu))
    assert pair.out.requests == POLLS, "an unchanged peer is asked one thing"
    ms = median(times)
    return Row(
        "poll of an unchanged peer", f"{ms:.1f} ms, {median(clock):.1f} ms of it our processor's", "<= 5 ms", ms <= 5
    )


def _changed(bench: Bench, pair: Pair, count: int) -> Iterator[Row]:
    times, requests, sent = [], 0, 0
    for turn in range(1 if bench.quick else 5):
        _change(pair.origin, turn)
        bench.calm()
        pair.out.forget()
        times.append(pair.pull())
        requests, sent = max(requests, pair.out.requests), max(sent, pair.out.bytes)
    took = median(times)
    bench.say("the same catalogue once more, page by page")
    bench.calm()
    crawl_s, crawl_bytes, crawl_requests = _crawl(pair.port)
    ok = requests <= 5 and sent <= 30_000 and took <= 0.2
    yield Row(
        f"{CHANGES} changes in {count:,} records",
        f"{requests} requests, {sent / 1000:.1f} kB, {1000 * took:.0f} ms",
        "<= 5, <= 30 kB, <= 200 ms",
        ok,
        f"a re-crawl: {crawl_requests} requests, {crawl_bytes / sent:,.0f} x bytes, {crawl_s / took:,.0f} x time",
    )


def _pair(bench: Bench, stack: ExitStack) -> Pair:
    port = free_port()
    data = bench.node("origin", bench.catalogue(bench.records, "dcat"), port=port)
    harvest(data)
    # Nobody limits his own benchmark: the rates are for strangers.
    rates = {"CITYNODE_RATE_PUBLIC_PER_MIN": "0", "CITYNODE_RATE_FEED_PER_MIN": "0"}
    argv = command("serve", "--port", str(port), "--workers", "1")
    process = stack.enter_context(running(argv, environment(data, **rates), cpu=SERVER_CPU))
    waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda: process.poll() is None)
    citynode(bench.folder / "follower", "init", "--name", "Follower", "--base-url", f"http://127.0.0.1:{free_port()}")
    out = Counting()
    origin = stack.enter_context(_opened(data))
    follower = stack.enter_context(_opened(bench.folder / "follower", out))
    _meet(follower, origin, "origin")
    return Pair(origin, follower, port, out)


class _Opened:
    """A node in this process, for as long as a `with` lasts."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def __enter__(self) -> Node:
        return self.node

    def __exit__(self, *_: object) -> None:
        self.node.close()


def _opened(data: Path, out: Outbound | None = None) -> _Opened:
    return _Opened(build(load(data=data, environ={}), outbound=out))


def _meet(follower: Node, origin: Node, name: str, *, follow: bool = True) -> None:
    """Admit a node as a person would."""
    peers, url = follower.federation.peers, origin.settings.base_url
    peers.add(f"{url}#{origin.federation.identity.fingerprint}", name=name, at_ms=clock_ms())
    peers.approve(name, by="benchmark", at_ms=clock_ms())
    if follow:
        peers.follow(name, [NAME], at_ms=clock_ms())


def _size(node: Node, collection: str) -> int:
    with node.db.read() as tx:
        return node.journals.get(tx, collection).size


def _change(node: Node, turn: int, count: int = CHANGES) -> list[str]:
    """Give some records another title, in one harvest's way: append, then sign."""
    held = node.shelf.page(NAME, offset=turn * count, limit=count)
    drafts = [
        Draft(each.iri, each.slug, each.kind, "put", _retitled(payload, each.iri, turn))
        for each, payload in zip(held, node.shelf.payloads(held), strict=True)
    ]
    with node.db.write() as tx:
        assert len(node.journals.append(tx, NAME, drafts, at_ms=clock_ms())) == len(drafts)
    node.journals.checkpoint(NAME, at_ms=clock_ms())
    return [each.iri for each in held]


def _retitled(payload: bytes, iri: str, turn: int) -> bytes:
    added = f'<{iri}> <http://purl.org/dc/terms/alternative> "Change {turn} at {clock_ms()}" .\n'.encode()
    return b"".join(sorted({*payload.splitlines(keepends=True), added}))


def _crawl(port: int) -> tuple[float, int, int]:
    """Fetch every page of the catalogue and parse it; give seconds, bytes as sent, and requests."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    started, sent, page = perf_counter(), 0, 1
    while True:
        connection.request("GET", f"/collections/{NAME}.ttl?page={page}", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            break
        sent += len(body)
        plain = gzip.decompress(body) if answer.getheader("Content-Encoding") == "gzip" else body
        for _ in pyoxigraph.parse(plain, format=pyoxigraph.RdfFormat.TURTLE):
            pass
        if 'rel="next"' not in (answer.getheader("Link") or ""):
            break
        page += 1
    connection.close()
    return perf_counter() - started, sent, page


def notified(bench: Bench) -> Iterator[Row]:
    """Measure the time from a commit at the origin until a visitor of the follower reads the change."""
    with ExitStack() as stack:
        ports = {"origin": free_port(), "follower": free_port()}
        nodes = {name: _whole(bench, stack, name, port) for name, port in ports.items()}
        _meet(nodes["follower"], nodes["origin"], "origin")
        _meet(nodes["origin"], nodes["follower"], "follower", follow=False)
        _publish(nodes["origin"], 0)
        _readable(ports["follower"], _iri(nodes["origin"], 0))
        bench.say(f"{NOTIFIED} changes, one after the other")
        times = []
        for number in range(1, (3 if bench.quick else NOTIFIED) + 1):
            time.sleep(0.7)
            _publish(nodes["origin"], number)
            times.append(_readable(ports["follower"], _iri(nodes["origin"], number)))
    worst = max(times)
    shown = f"{median(times):.2f} s, at worst {worst:.2f} s"
    yield Row("change at the origin readable at a peer", shown, "<= 2 s", worst <= 2)


def _whole(bench: Bench, stack: ExitStack, name: str, port: int) -> Node:
    """Run a whole node, web and worker, and open it here as well."""
    data = bench.folder / f"notified-{name}"
    citynode(data, "init", "--name", name.capitalize(), "--base-url", f"http://127.0.0.1:{port}")
    argv = command("run", "--port", str(port), "--workers", "1")
    process = stack.enter_context(running(argv, environment(data)))
    waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda: process.poll() is None)
    return stack.enter_context(_opened(data))


def _iri(node: Node, number: int) -> str:
    return f"{node.settings.base_url}/datasets/change-{number}"


def _publish(node: Node, number: int) -> None:
    it = _iri(node, number)
    payload = (
        f'<{it}> <http://purl.org/dc/terms/title> "Change {number}"@en .\n'
        f"<{it}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .\n"
    ).encode()
    with node.db.write() as tx:
        node.journals.append(tx, NAME, [Draft(it, f"change-{number}", "dataset", "put", payload)], at_ms=clock_ms())
    node.journals.checkpoint(NAME, at_ms=clock_ms())


def _readable(port: int, iri: str, *, limit_s: float = 60.0) -> float:
    """Wait until a node answers for a record; give the seconds."""
    started, answer = perf_counter(), None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    path = f"/records?iri={urllib.parse.quote(iri, safe='')}"
    while perf_counter() - started < limit_s:
        connection.request("GET", path, headers={"Accept": "text/turtle"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            connection.close()
            return perf_counter() - started
        time.sleep(0.005)
    raise RuntimeError(f"{iri} was not readable within {limit_s:g} s: {_status(answer)}")


def _status(answer: Any) -> str:
    return str(answer.status) if answer is not None else "no answer"
