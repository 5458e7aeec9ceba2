"""Benchmarks of a node that holds the records of ten cities: ready how soon, searched how fast, in how much memory.

`citynode run` as an operator runs it. Questions come one after another over one connection, 200 of them seeded: one or
two words of three languages, half with a theme or a city, a third with a box, all with the count and two facets.
What pycsw 3.0 needs for one page of its OGC Records over 2,000 records was measured elsewhere (24 to 49 ms); the ratio
to that is a hint, not a race.
"""

import http.client
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from statistics import median, quantiles
from urllib.parse import urlencode

from benchmarks.made_cities import CITIES, WORDS
from benchmarks.rig import Bench, Row, citynode, command, environment, free_port, resident, running, spent, waited_for

PYCSW_MS = (24, 49)
LEVEL_S = 1_800
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


def finding(bench: Bench) -> Iterator[Row]:
    """Measure with 100,000 records."""
    yield from _of(bench, bench.many, ready_s=5, p95_ms=15)


def million(bench: Bench) -> Iterator[Row]:
    """Measure with a million; only if asked for by name, since it takes half an hour."""
    yield from _of(bench, bench.many if bench.quick else 1_000_000, ready_s=5, p95_ms=50)


def _of(bench: Bench, count: int, *, ready_s: float, p95_ms: float) -> Iterator[Row]:
    port = free_port()
    data = bench.folder / f"cities-{count}"
    citynode(data, "init", "--name", "Bench", "--base-url", f"http://127.0.0.1:{port}")
    bench.say(f"writing {count:,} records of {len(CITIES)} cities")
    spent([sys.executable, "-c", _FILL, str(data), str(count)], environment(data))
    quiet = environment(data, CITYNODE_SPARQL="off", CITYNODE_LINK_CHECK_DAYS="0", CITYNODE_RATE_PUBLIC_PER_MIN="0")
    bench.say("indexing")
    with running(command("run", "--port", str(port)), quiet) as process:
        waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda: process.poll() is None)
        took = _level(port, count)
        yield Row(f"{count:,} records: searchable after the node's start", f"{took:,.0f} s ({count / took:,.0f}/s)")
    with running(command("run", "--port", str(port)), quiet) as process:
        ready = waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda: process.poll() is None)
        yield Row(f"{count:,} records: ready", f"{ready:.2f} s", f"< {ready_s:g} s", ready < ready_s)
        bench.calm()
        times = _asked(port)
        p50, p95 = median(times), quantiles(times, n=20)[-1]
        ratio = f"{p50 / PYCSW_MS[0]:.2f} to {p50 / PYCSW_MS[1]:.2f} of pycsw's over 2,000 records, measured elsewhere"
        told = f"p50 {p50:.1f} ms, p95 {p95:.1f} ms"
        yield Row(
            f"{count:,} records: /search, box, count, facets", told, f"p95 <= {p95_ms:g} ms", p95 <= p95_ms, ratio
        )
        mib = resident(process.pid).get("web", 0) >> 20
        yield Row(f"{count:,} records: the web process", f"{mib} MiB", "<= 500 MiB", mib <= 500)


def _level(port: int, count: int) -> float:
    """Wait until all records are found; give the seconds."""
    started = time.monotonic()
    while time.monotonic() - started < LEVEL_S:
        try:
            if _search(http.client.HTTPConnection("127.0.0.1", port, timeout=60), {"limit": "1"})["total"] >= count:
                return time.monotonic() - started
        except (OSError, KeyError):
            pass
        time.sleep(0.5)
    raise RuntimeError(f"not all of {count} records were searchable after {LEVEL_S} s")


def _asked(port: int) -> Sequence[float]:
    """Put the questions, after some to warm up; give milliseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for number in range(220):
        asked = _question(random.Random(number))
        started = time.perf_counter()
        _search(connection, asked)
        times.append(1000 * (time.perf_counter() - started))
    return times[20:]


def _question(rng: random.Random) -> dict[str, str]:
    words = WORDS[rng.choice(sorted(WORDS))]
    asked = {"q": " ".join(rng.choices(words, k=rng.randint(1, 2))), "facet": "theme,format", "limit": "10"}
    if rng.random() < 0.5:
        asked["theme"] = rng.choice(("TRAN", "ENVI", "GOVE", "ECON"))
    if rng.random() < 0.5:
        asked["city"] = rng.choice(CITIES)
    if rng.random() < 0.33:
        west, south = rng.uniform(-4, 20), rng.uniform(51, 60)
        asked["bbox"] = f"{west:.2f},{south:.2f},{west + 5:.2f},{south + 4:.2f}"
    return asked


def _search(connection: http.client.HTTPConnection, asked: dict[str, str]) -> dict[str, int]:
    connection.request("GET", "/search?" + urlencode(asked), headers={"Accept": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise KeyError(f"{answer.status}: {body[:200]!r}")
    found: dict[str, int] = json.loads(body)
    return found
