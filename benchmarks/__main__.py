"""`python -m benchmarks [NAME…] [--quick]`: measure, then print one table.

Every figure the node promises for one city stands in it: measured, promised, and as a ratio to a peer that ran in
turns with it on the same machine. A figure of a busy machine says little: the load at the start is printed too.
"""

import argparse
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks import (
    agreement,
    consent,
    deciding,
    dsp_catalogue,
    exchange,
    finding,
    harvesting,
    knowledge,
    mirroring,
    models,
    pages,
    policy,
    querying,
    resting,
    search_index,
    search_query,
    serving,
    tokens,
    transfer,
)
from benchmarks.rig import Bench, Row, cpus, opened

BENCHMARKS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "first": harvesting.first,
    "again": harvesting.again,
    "memory": harvesting.memory,
    "serve": serving.serve,
    "page": serving.page,
    "start": resting.start,
    "rest": resting.rest,
    "tokens": tokens.tokens,
    "policy": policy.policy,
    "agreement": agreement.agreement,
    "deciding": deciding.deciding,
    "dsp": dsp_catalogue.dsp_catalogue,
    "mirror": mirroring.mirror,
    "exchange": exchange.exchange,
    "notified": exchange.notified,
    "transfer": transfer.transfer,
    "consent": consent.consent,
    "models": models.models,
    "import": knowledge.importing,
    "search": search_query.search_query,
    "search-million": search_query.search_query_million,
    "index": search_index.search_index,
    "sparql": querying.sparql,
    "pages": pages.pages,
    "finding": finding.finding,
    "million": finding.million,
}
# What takes half an hour.
ONLY_BY_NAME = {"million", "search-million"}


def main() -> int:
    """Run what was asked for; exit 1 if a figure misses its target and `--strict` was given."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all if none")
    arguments.add_argument("--quick", action="store_true", help="small sizes: to see that it works, not how fast")
    arguments.add_argument("--strict", action="store_true", help="exit 1 if a target is missed")
    given = arguments.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        arguments.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    about = machine()
    rows: list[Row] = []
    with opened(quick=given.quick) as bench:
        for name in [name for name in BENCHMARKS if name in (given.names or set(BENCHMARKS) - ONLY_BY_NAME)]:
            print(f"{name} …", file=sys.stderr, flush=True)
            rows += BENCHMARKS[name](bench)
    print(table(rows, about + (" · --quick: sizes are small" if given.quick else "")))
    return 1 if given.strict and any(row.ok is False for row in rows) else 0


def machine() -> str:
    """Say in one line what was measured on."""
    model = platform.processor() or platform.machine()
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    parts = (
        f"{model}, {len(cpus()) or os.cpu_count()} processors",
        f"load {os.getloadavg()[0]:.1f} at the start",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        f"pyoxigraph {version('pyoxigraph')}",
        time.strftime("%Y-%m-%d"),
    )
    return " · ".join(parts)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def table(rows: list[Row], about: str) -> str:
    """Lay the rows out in columns."""
    heads = ("what", "measured", "target", "", "CPU s", "wall s", "against a peer")
    lines = [heads, *((*_left(row), *_right(row)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    ruled = [lines[0], tuple("-" * width for width in widths), *lines[1:]]
    drawn = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in ruled]
    return "\n".join([about, "", *drawn])


def _left(row: Row) -> tuple[str, str, str, str]:
    verdict = {True: "ok", False: "MISSED", None: ""}[row.ok]
    return row.what, row.measured, row.target, verdict


def _right(row: Row) -> tuple[str, str, str]:
    cpu = "" if row.cpu_s is None else f"{row.cpu_s:.2f}"
    wall = "" if row.wall_s is None else f"{row.wall_s:.2f}"
    return cpu, wall, row.ratio


if __name__ == "__main__":
    sys.exit(main())
