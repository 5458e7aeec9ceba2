"""Benchmarks of the search index: made anew while it serves, brought level after many changes, and after one.

The records of ten cities (`made_cities`), some 55 triples each in three languages. The index is made and read in this
process, as the worker does it; seconds are by the clock, and beside them stand the processor's, of Python's thread and
of tantivy's together. While an index is made anew, somebody asks the old one twenty times a second. One change is
measured from its commit until a reader finds it, by the worker's own loop, which looks ten times a second.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.made_cities import CITIES
from benchmarks.rig import Bench, Row, citynode, environment, spent

if TYPE_CHECKING:
    from node.assembly import Node
    from node.catalog.readings import Reading

PER_S = 5_000
REBUILD_S = 20.0
SEARCHABLE_S = 1.0
CHANGES = 20
NAME = "bench"
_FILL = """
import sys
from pathlib import Path
from benchmarks.made_cities import fill
from node.assembly import build
from node.settings import load
node = build(load(data=Path(sys.argv[1])))
fill(node, int(sys.argv[2]))
node.close()
"""


def search_index(bench: Bench) -> Iterator[Row]:
    """Measure with 100,000 records."""
    from node.assembly import build
    from node.catalog.touching import touch_all
    from node.settings import load

    count, data = bench.many, bench.folder / "search-index"
    citynode(data, "init", "--name", "Bench", "--base-url", "http://127.0.0.1:8001")
    bench.say(f"writing {count:,} records of {len(CITIES)} cities")
    spent([sys.executable, "-c", _FILL, str(data), str(count)], environment(data))
    node = build(load(data=data, overrides={"sparql": "off", "link_check_days": 0}))
    try:
        keeper = next(each for each in node.finding.readings if each.name == "search")
        keeper.rebuild(threading.Event())
        bench.calm()
        yield _rebuilt(node, keeper, count)
        with node.db.write() as tx:
            touch_all(tx)
        bench.calm()
        yield _caught_up(keeper, count)
        bench.calm()
        yield _one(bench, node)
        size = keeper.status().size
        yield Row(f"the index of {count:,} records", f"{size / (1 << 20):.0f} MiB, {size // count} bytes a record")
    finally:
        node.close()


@dataclass(slots=True)
class _Took:
    """What a piece of work took, filled in at its end."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    python_s: float = 0.0

    def told(self, count: int) -> str:
        """Say it for so many records."""
        us = 1e6 / count
        each = f"{self.cpu_s * us:.0f} us of processor a record, {self.python_s * us:.0f} of them Python's"
        return f"{self.wall_s:.1f} s, {count / self.wall_s:,.0f}/s ({each})"


@contextmanager
def _taking() -> Iterator[_Took]:
    took = _Took()
    wall, cpu, python = time.perf_counter(), time.process_time(), time.thread_time()
    yield took
    took.wall_s = time.perf_counter() - wall
    took.cpu_s, took.python_s = time.process_time() - cpu, time.thread_time() - python


@dataclass(slots=True)
class _Asker:
    """Asks what there is for a word, again and again, in a thread of its own."""

    node: "Node"
    waits_s: list[float] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Ask until told to stop."""
        while not self.stop.wait(0.05):
            started = time.perf_counter()
            _hits(self.node, "parking")
            self.waits_s.append(time.perf_counter() - started)


def _hits(node: "Node", text: str) -> int:
    from node.catalog.search.query import Query
    from node.errors import Unavailable

    try:
        return node.finding.search.find(Query(text=text, limit=1, highlight=False), now_ms=1_800_000_000_000).total
    except Unavailable:  # there is no index yet
        return 0


def _rebuilt(node: "Node", keeper: "Reading", count: int) -> Row:
    asker = _Asker(node)
    thread = threading.Thread(target=asker.run)
    thread.start()
    with _taking() as took:
        keeper.rebuild(threading.Event())
    asker.stop.set()
    thread.join()
    slowest = max(asker.waits_s, default=0.0)
    return Row(
        f"index of {count:,} records made anew while it serves",
        took.told(count),
        f"<= {REBUILD_S * count / 100_000:g} s",
        took.wall_s <= REBUILD_S * count / 100_000,
        f"{len(asker.waits_s)} questions meanwhile, median {1000 * median(asker.waits_s or [0]):.0f} ms,"
        f" slowest {1000 * slowest:.0f} ms",
    )


def _caught_up(keeper: "Reading", count: int) -> Row:
    with _taking() as took:
        keeper.catch_up(threading.Event())
    rate = count / took.wall_s
    return Row(f"behind the journal by {count:,} changes", took.told(count), f">= {PER_S:,}/s", rate >= PER_S)


def _one(bench: Bench, node: "Node") -> Row:
    """Write one record at a time and wait until it is found."""
    from node.jobs.readings import Keeping

    for reading in node.finding.readings:
        reading.catch_up(threading.Event())
    stop = threading.Event()
    thread = Keeping(node.finding.readings, node.db, "bench").start(stop)
    try:
        waits = [_searchable_s(node, number) for number in range(5 if bench.quick else CHANGES)]
    finally:
        stop.set()
        thread.join()
    told = f"median {1000 * median(waits):.0f} ms, slowest {1000 * max(waits):.0f} ms"
    return Row("a change searchable after its commit", told, f"<= {SEARCHABLE_S:g} s", max(waits) <= SEARCHABLE_S)


def _word(number: int) -> str:
    """Give a word that no other is near to, or the search would find those."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in sha256(str(number).encode()).hexdigest()[:20])


def _searchable_s(node: "Node", number: int) -> float:
    word = _word(number)
    _publish(node, number, word)
    started = time.perf_counter()
    while not _hits(node, word):
        if time.perf_counter() - started > 60:
            raise RuntimeError("a change was not searchable within a minute")
        time.sleep(0.005)
    return time.perf_counter() - started


def _publish(node: "Node", number: int, word: str) -> None:
    from node.journal import Draft, keep_up_in

    iri = f"{node.settings.base_url}/datasets/{NAME}-{number}"
    kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset>"
    payload = f'<{iri}> <http://purl.org/dc/terms/title> "{word}"@en .\n<{iri}> {kind} .\n'.encode()
    with node.db.write() as tx:
        if not any(each.name == NAME for each in node.journals.collections(tx)):
            address = f"{node.settings.base_url}/collections/{NAME}"
            node.journals.create(tx, name=NAME, iri=address, title="Bench", visibility="public", at_ms=1)
        draft = Draft(iri, f"{NAME}-{number}", "dataset", "put", payload)
        entries = node.journals.append(tx, NAME, [draft], at_ms=1_800_000_000_000 + number)
        for follower in node.followers:
            keep_up_in(tx, node.journals, follower, node.journals.get(tx, NAME), entries)
