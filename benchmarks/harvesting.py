"""Benchmarks 1 to 3: the first harvest, the same again, and the memory of a large source.

The command `citynode harvest run` is measured as a city runs it, process start included, pinned to one processor.
Its peer is rdflib reading a tenth of the same catalogue into a graph and doing nothing else, in turns with it.
"""

import hashlib
import http.server
import json
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import ClassVar

from benchmarks.rig import SERVER_CPU, Bench, Memory, Row, Spent, citynode, command, environment, spent

GIB = 1 << 30
_RDFLIB = """
import sys, time, rdflib
start = time.process_time()
graph = rdflib.Graph().parse(sys.argv[1], format="turtle")
print(time.process_time() - start, len(graph))
"""
_AGAIN = """
import sys, time
from pathlib import Path
from node.assembly import build
from node.settings import load
node = build(load(data=Path(sys.argv[1])))
for _ in range(5):
    start, cpu = time.perf_counter(), time.process_time()
    run = node.harvest.run("portal", trigger="bench")
    assert run.state == "succeeded" and run.counters.unchanged == int(sys.argv[2]), run
    print(1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu))
node.close()
"""


def first(bench: Bench) -> Iterator[Row]:
    """Measure the first harvest, Turtle and CKAN JSON."""
    yield from _first_turtle(bench)
    yield from _first_ckan(bench)


def _first_turtle(bench: Bench) -> Iterator[Row]:
    count, peers = bench.records, max(200, bench.records // 10)
    source, part = bench.catalogue(count, "dcat"), bench.catalogue(peers, "dcat")
    ours: list[Spent] = []
    theirs: list[float] = []
    for turn in range(1 if bench.quick else 3):
        bench.say(f"first harvest of {count} datasets, Turtle, turn {turn + 1}; then rdflib on {peers}")
        data = bench.node(f"turtle-{turn}", source)
        bench.calm()
        ours.append(harvest(data))
        check_harvest(data, count)
        theirs.append(_rdflib(part) / peers)
        bench.left["turtle"] = data
    best = min(ours, key=lambda one: one.wall_s)
    yield _rate("first harvest, Turtle", count, best, 1_000, _against_rdflib(count / best.cpu_s, 1 / min(theirs)))
    yield Row("  rdflib, parsing alone", f"{1 / min(theirs):,.0f} datasets/s", cpu_s=min(theirs) * peers)


def _first_ckan(bench: Bench) -> Iterator[Row]:
    count = bench.records
    source = bench.catalogue(count, "ckan")
    ours: list[Spent] = []
    for turn in range(1 if bench.quick else 3):
        bench.say(f"first harvest of {count} datasets, CKAN JSON, turn {turn + 1}")
        data = bench.node(f"ckan-{turn}", source, "ckan")
        bench.calm()
        ours.append(harvest(data))
        check_harvest(data, count)
        bench.left["ckan"] = data
    yield _rate("first harvest, CKAN JSON", count, min(ours, key=lambda one: one.wall_s), 1_000)


def _rate(what: str, count: int, took: Spent, target: int, ratio: str = "") -> Row:
    rate = count / took.wall_s
    return Row(what, f"{rate:,.0f} datasets/s", f">= {target:,}", rate >= target, ratio, took.cpu_s, took.wall_s)


def _against_rdflib(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.1f} x rdflib's parsing alone (CPU)"


def _rdflib(path: Path) -> float:
    """Give the processor seconds rdflib takes to parse a catalogue, imports aside."""
    took = spent([sys.executable, "-c", _RDFLIB, str(path)], environment(), cpu=SERVER_CPU)
    return float(took.out.split()[0])


def harvest(data: Path, *more: str, watch: Memory | None = None) -> Spent:
    """Harvest the node's source once, on one processor."""
    return spent(command("harvest", "run", "portal", *more), environment(data), cpu=SERVER_CPU, watch=watch)


def check_harvest(data: Path, records: int) -> None:
    """See that a benchmark measured what it says: every dataset is published, and the run succeeded."""
    run = json.loads(citynode(data, "harvest", "list", "--json").out)[0]
    counters = run["counters"]
    assert run["state"] == "succeeded", run
    assert counters["added"] + counters["unchanged"] == records, run


def entries_of(data: Path) -> int:
    """Count the entries of all journals of a node."""
    connection = sqlite3.connect(data / "node.db")
    try:
        return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])
    finally:
        connection.close()


def again(bench: Bench) -> Iterator[Row]:
    """Measure harvests of an unchanged source: the same bytes, a forced re-read, and a 304."""
    count = bench.records
    for kind, name in (("dcat", "turtle"), ("ckan", "ckan")):
        data = bench.left.get(name) or _harvested(bench, name, kind, count)
        before = entries_of(data)
        bench.say(f"{name}: the same bytes again, then a forced re-read")
        bench.calm()
        same = min((harvest(data) for _ in range(3)), key=lambda one: one.wall_s)
        check_harvest(data, count)
        yield _rate(f"same bytes again, {name}", count, same, 5_000)
        full = min((harvest(data, "--full") for _ in range(1 if bench.quick else 2)), key=lambda one: one.wall_s)
        check_harvest(data, count)
        yield Row(
            f"  forced re-read, {name}", f"{count / full.wall_s:,.0f} datasets/s", cpu_s=full.cpu_s, wall_s=full.wall_s
        )
        written = entries_of(data) - before
        yield Row(f"  entries written by both, {name}", str(written), "0", written == 0)
    yield from _not_modified(bench)


def _harvested(bench: Bench, name: str, kind: str, count: int) -> Path:
    data = bench.node(f"{name}-again", bench.catalogue(count, kind), kind)
    harvest(data)
    check_harvest(data, count)
    return data


def _not_modified(bench: Bench) -> Iterator[Row]:
    count = bench.records
    with _portal(bench.catalogue(count, "dcat")) as address:
        data = bench.node("conditional", address)
        bench.say("a source on the loopback that answers 304")
        harvest(data)
        check_harvest(data, count)
        bench.calm()
        took = spent([sys.executable, "-c", _AGAIN, str(data), str(count)], environment(), cpu=SERVER_CPU)
    times = [tuple(map(float, line.split())) for line in took.out.splitlines()]
    ms = median(wall for wall, _ in times)
    cpu_ms = median(cpu for _, cpu in times)
    text = f"{ms:.0f} ms (first {times[0][0]:.0f})"
    yield Row("304 from the source", text, "< 50 ms", ms < 50, cpu_s=cpu_ms / 1000, wall_s=ms / 1000)


class _Portal(http.server.BaseHTTPRequestHandler):
    """Serves one file with an ETag, and 304 to whoever has it."""

    path_on_disk: ClassVar[Path]
    etag: ClassVar[str]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        fresh = self.headers.get("If-None-Match") == self.etag
        self.send_response(304 if fresh else 200)
        self.send_header("ETag", self.etag)
        self.send_header("Content-Type", "text/turtle")
        self.send_header("Content-Length", "0" if fresh else str(self.path_on_disk.stat().st_size))
        self.end_headers()
        if not fresh:
            with self.path_on_disk.open("rb") as file:
                while block := file.read(1 << 20):
                    self.wfile.write(block)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _portal(path: Path) -> Iterator[str]:
    etag = f'"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"'
    handler = type("Handler", (_Portal,), {"path_on_disk": path, "etag": etag})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/catalogue.ttl"
        finally:
            server.shutdown()


def memory(bench: Bench) -> Iterator[Row]:
    """Measure the peak memory of a harvest of a large source in one file."""
    count = bench.many
    for kind, name in (("dcat", "Turtle"), ("ckan", "CKAN JSON")):
        source = bench.catalogue(count, kind)
        bench.say(f"memory: {count} datasets in one {name} file of {source.stat().st_size / 1e6:,.0f} MB")
        data = bench.node(f"many-{kind}", source, kind)
        watch = Memory()
        started = time.monotonic()
        took = harvest(data, watch=watch)
        watch.stop()
        check_harvest(data, count)
        bench.left[f"many-{kind}"] = data
        parts = ", ".join(f"{role} {size >> 20}" for role, size in sorted(watch.peaks.items()))
        peak = watch.peak_together
        text = f"{peak >> 20} MiB ({parts})"
        yield Row(f"peak memory, {name}", text, "< 1024 MiB", peak < GIB, "", took.cpu_s, time.monotonic() - started)
        yield Row(f"  its rate, {name}", f"{count / took.wall_s:,.0f} datasets/s")
