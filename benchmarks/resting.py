"""Benchmarks 5: how soon a large node is ready, and how much room its records take at rest.

Room is that of the SQLite files once the write-ahead log was emptied into the database, everything in them counted:
payloads, entries, tree, names, findings, indexes, dictionary. Real catalogues say more than made ones; those of
Antwerp and Ghent are measured when the sample data is there.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harvesting import entries_of, harvest
from benchmarks.rig import (
    ROOT,
    Bench,
    Row,
    at_rest,
    citynode,
    command,
    environment,
    free_port,
    running,
    waited_for,
)

_REAL = ("antwerp-sample.ttl", "ghent.rdf")


def _large(bench: Bench) -> Path:
    """Give a large node: the one that the memory benchmark left, or a new one."""
    if "many-dcat" not in bench.left:
        bench.say(f"harvesting {bench.many} datasets")
        data = bench.node("many-dcat", bench.catalogue(bench.many, "dcat"))
        harvest(data)
        bench.left["many-dcat"] = data
    return bench.left["many-dcat"]


def start(bench: Bench) -> Iterator[Row]:
    """Measure from process start to the first 200 of /readyz."""
    data = _large(bench)
    times = []
    for _ in range(2 if bench.quick else 4):
        port = free_port()
        bench.calm()
        started = time.monotonic()
        with running(command("run", "--port", str(port)), environment(data)) as process:
            waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda process=process: process.poll() is None)
            times.append(time.monotonic() - started)
    best = min(times)
    text = f"{best:.2f} s (of {len(times)}: {', '.join(f'{one:.2f}' for one in times)})"
    yield Row(f"start of a node of {bench.many:,} records", text, "< 3 s", best < 3)


def rest(bench: Bench) -> Iterator[Row]:
    """Measure the bytes per record at rest."""
    data = _large(bench)
    each = at_rest(data) / bench.many
    told = f"{each:,.0f} bytes/record ({at_rest(data) / 1e6:,.1f} MB)"
    yield Row(f"at rest, {bench.many:,} made records", told, "<= 3,072", each <= 3_072)
    yield _real(bench)


def _real(bench: Bench) -> Row:
    """Measure two real catalogues; they are small, so what an empty database takes is told apart."""
    what = "  at rest, Antwerp and Ghent"
    samples = (
        Path(os.environ.get("CITYNODE_TEST_DATA", str(ROOT.parent / "shared"))) / "data" / "be-antwerp-ghent-dcat-ap"
    )
    if not samples.is_dir():
        return Row(what, "left out: CITYNODE_TEST_DATA names no sample data")
    real = bench.folder / "real"
    citynode(real, "init", "--name", "Bench", "--base-url", "http://127.0.0.1:8001")
    empty = at_rest(real)
    for name in _REAL:
        place = bench.folder / name
        shutil.copyfile(samples / name, place)
        citynode(real, "sources", "add", place.stem, str(place), "--kind", "dcat", "--collection", "open-data")
        citynode(real, "harvest", "run", place.stem, codes=(0, 1))
    size, records = at_rest(real), entries_of(real)
    told = f"{(size - empty) / records:,.0f} bytes/record beyond an empty database's {empty / 1e6:,.1f} MB ({records})"
    return Row(what, told)
