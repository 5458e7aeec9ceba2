"""Benchmark: the first mirror of a catalogue, every check made, and the memory that takes however large it is.

The pages stand in a file, as a snapshot gives them, so the origin's own work is not in the figure; what is: reading and
checking each page, the child process that parses its payloads, and commits that are durable. The mirror's process and
its child may use both processors, as they do in a node. The ratio to a re-crawl is printed by `exchange`.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harvesting import check_harvest, harvest
from benchmarks.rig import Bench, Memory, Row, Spent, citynode, environment, spent

TARGET = 5_000
MAX_MIB = 512
_SNAPSHOT = """
import sys
from pathlib import Path
from node.assembly import build
from node.settings import load
node = build(load(data=Path(sys.argv[1])))
with Path(sys.argv[2]).open("wb") as file:
    for part in node.federation.feed.snapshot("open-data"):
        file.write(part)
node.close()
"""
_MIRROR = """
import base64, json, sys, time
from dataclasses import replace
from pathlib import Path
from node.assembly import build
from node.federation.exchange.fetching import pages_of
from node.federation.peers.peers import proposed, new_follow
from node.journal.verify import verify
from node.keys import PublicKey
from node.settings import load

origin, node = build(load(data=Path(sys.argv[1]))), build(load(data=Path(sys.argv[2])))

class Book:
    def keys(self, name, purpose): return origin.keyring.published(purpose)
    def namespaces(self): return {"https://another.example/": frozenset({"another"})}
    def identity(self, name): return None

intake = node.federation.exchanging.intake
intake._peers = intake._judge._peers = Book()
peer = replace(proposed("bench", "http://127.0.0.1:8001", "f" * 43, at_ms=1), state="active")
follow = new_follow(peer, "open-data", "", (), 1)
intake._judge._parser.look_at([b"<http://a/> <http://a/> <http://a/> .\\n"], [], 30)
start, cpu = time.perf_counter(), time.process_time()
entries = refused = 0
pages, now_ms = pages_of(Path(sys.argv[3])), time.time_ns() // 1_000_000
for accepted in intake.accept_all(pages, follow, peer, now_ms, restricted=False):
    entries, refused = entries + accepted.entries, refused + accepted.refused
wall, cpu = time.perf_counter() - start, time.process_time() - cpu
told = {"wall_s": wall, "cpu_s": cpu, "entries": entries, "refused": refused}
if sys.argv[4:]:
    found = verify(node.journals, follow.local, origin.journals.public_keys())
    assert found.signed == found.size == entries and found.stubs == 0, found
print(json.dumps(told))
node.close()
"""


def mirror(bench: Bench) -> Iterator[Row]:
    """Measure the first mirror, and its memory over a larger one."""
    count = bench.records
    rates = []
    for turn in range(1 if bench.quick else 3):
        bench.say(f"first mirror of {count} records, turn {turn + 1}")
        bench.calm()
        rates.append(_mirrored(bench, count, f"mirror-{turn}"))
    took = min(rates, key=lambda told: told["wall_s"])
    rate = count / took["wall_s"]
    yield Row(
        "first mirror, every check made",
        f"{rate:,.0f} records/s",
        f">= {TARGET:,}",
        rate >= TARGET,
        cpu_s=took["cpu_s"],
        wall_s=took["wall_s"],
    )
    yield from _memory(bench)


def _memory(bench: Bench) -> Iterator[Row]:
    watch = Memory()
    _mirrored(bench, bench.many, "mirror-many", watch)
    peak = watch.peak_together / (1 << 20)
    what = f"  memory, mirror of {bench.many:,} records, child and all"
    yield Row(what, f"{peak:,.0f} MiB", f"<= {MAX_MIB} MiB", peak <= MAX_MIB)


def _mirrored(bench: Bench, count: int, name: str, watch: Memory | None = None) -> dict[str, float]:
    origin, snapshot = _origin(bench, count)
    data = bench.folder / name
    citynode(data, "init", "--name", "Mirror", "--base-url", "http://127.0.0.1:8002")
    check = [] if watch else ["verify"]
    took = _python(_MIRROR, str(origin), str(data), str(snapshot), *check, watch=watch)
    told: dict[str, float] = json.loads(took.out)
    assert (told["entries"], told["refused"]) == (count, 0), told
    return told


def _origin(bench: Bench, count: int) -> tuple[Path, Path]:
    """Give a harvested node and the snapshot of its collection, made once for each size."""
    known = f"snapshot-{count}"
    if known not in bench.left:
        bench.say(f"harvesting {count} records and writing their snapshot")
        data = bench.node(f"origin-{count}", bench.catalogue(count, "dcat"))
        harvest(data)
        check_harvest(data, count)
        file = bench.folder / f"{known}.jsonl"
        _python(_SNAPSHOT, str(data), str(file))
        bench.left[known], bench.left[f"origin-{count}"] = file, data
    return bench.left[f"origin-{count}"], bench.left[known]


def _python(code: str, *arguments: str, watch: Memory | None = None) -> Spent:
    return spent([sys.executable, "-c", code, *arguments], environment(), watch=watch)
