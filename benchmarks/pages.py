"""Benchmark of pages for people: home, records, searches and a part of a search, at 100,000 records of ten cities.

One web process on processor 0, `citynode serve`; questions come one after another over one kept connection, as a
browser asks them (HTML, gzip), in three languages, each page asked for once, so that nothing is answered from memory
but the front page, which is kept for a minute by design and asked for often. Times are at the caller. What a first
visit loads (page, sheets, scripts) is counted in compressed bytes: maps are fetched when somebody sees one.
"""

import gzip
import http.client
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from urllib.parse import urlencode

from benchmarks.made_cities import CITIES, WORDS, iri_of
from benchmarks.rig import SERVER_CPU, Bench, Row, citynode, command, environment, free_port, running, spent, waited_for

LANGUAGES = ("en", "fi", "sv")
ASKED, WARM = 150, 15
HOME_MS, RECORD_MS, SEARCH_MS = 60.0, 60.0, 120.0
FIRST_PAGE_KB = 60
# Own records as well, peers that are known, and every reading level: what a city's node has.
_FILL = """
import sys, threading
from pathlib import Path
from benchmarks.made_cities import CITIES, fill
from node.assembly import build
from node.settings import load
node = build(load(data=Path(sys.argv[1])))
with node.db.write() as tx:
    for city in CITIES:
        tx.run(
            "INSERT INTO peer (name, url, fingerprint, state, added_at, approved_at)"
            " VALUES (?, ?, 'f', 'active', 1, 1)", city, f"https://{city}.example.org")
fill(node, int(sys.argv[2]))
for reading in node.finding.readings:
    reading.catch_up(threading.Event())
node.close()
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: how long it took, and what it was."""

    ms: float
    status: int
    body: bytes
    sent: int


class Browser:
    """Asks for pages over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str, language: str = "en", **more: str) -> Reply:
        """Ask once."""
        headers = {"Accept": "text/html", "Accept-Encoding": "gzip", "Accept-Language": language} | more
        began = time.perf_counter()
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        sent = answer.read()
        ms = 1000 * (time.perf_counter() - began)
        packed = answer.headers.get("content-encoding") == "gzip"
        return Reply(ms, answer.status, gzip.decompress(sent) if packed else sent, len(sent))


def pages(bench: Bench) -> Iterator[Row]:
    """Measure with 100,000 records."""
    port, count = free_port(), bench.many
    data = bench.folder / f"pages-{count}"
    citynode(data, "init", "--name", "Bench", "--base-url", f"http://127.0.0.1:{port}")
    bench.say(f"writing and indexing {count:,} records of {len(CITIES)} cities")
    spent([sys.executable, "-c", _FILL, str(data), str(count)], environment(data))
    quiet = environment(data, CITYNODE_SPARQL="off")
    with running(command("serve", "--port", str(port)), quiet, cpu=SERVER_CPU) as process:
        waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda: process.poll() is None)
        bench.calm()
        yield from rows(Browser(port), count)


def rows(browser: Browser, count: int) -> Iterator[Row]:
    """Measure a server that is ready."""
    rng = random.Random(count)
    numbers = rng.sample(range(count), ASKED)
    questions = [f"/search?{urlencode(_question(rng))}" for _ in range(ASKED)]
    part = {"HX-Request": "true", "HX-Request-Type": "partial"}
    yield _row(browser, count, "home", ["/"] * ASKED, HOME_MS)
    records = [f"/records?{urlencode({'iri': iri_of(number)})}" for number in numbers]
    yield _row(browser, count, "a record's page", records, RECORD_MS)
    yield _row(browser, count, "search: words, facets, marks", questions, SEARCH_MS)
    yield _row(browser, count, "search: all there is, by any order", _everything(rng), SEARCH_MS)
    yield _row(browser, count, "search: the part that a script asks for", questions[::-1], SEARCH_MS, **part)
    for name, path in (("home", "/"), ("search", questions[0]), ("record", records[0])):
        size = first_visit(browser, path)
        kept = size <= FIRST_PAGE_KB * 1000
        yield Row(
            f"first visit, {name}: page, sheets and scripts", f"{size / 1000:.1f} kB", f"<= {FIRST_PAGE_KB} kB", kept
        )


def first_visit(browser: Browser, path: str) -> int:
    """Count the compressed bytes of a page and of all that it loads before anybody touches it."""
    page = browser.get(path)
    text = page.body.decode()
    loads = re.findall(r'<script[^>]*\ssrc="([^"]+)"', text)
    loads += re.findall(r'<link rel="(?:stylesheet|icon)"[^>]*href="([^"]+)"', text)
    return page.sent + sum(browser.get(each, Accept="*/*").sent for each in dict.fromkeys(loads))


def _row(browser: Browser, count: int, what: str, paths: Sequence[str], most_ms: float, **headers: str) -> Row:
    replies = [browser.get(path, LANGUAGES[at % 3], **headers) for at, path in enumerate(paths)]
    wrong = [reply.status for reply in replies if reply.status != 200]
    if wrong:
        raise RuntimeError(f"{what}: {len(wrong)} of {len(replies)} were answered {wrong[0]}")
    times = [reply.ms for reply in replies[WARM:]]
    p50, p95 = median(times), quantiles(times, n=20)[-1]
    said = f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, {max(reply.sent for reply in replies) / 1000:.1f} kB"
    return Row(f"{count:,} records: {what}", said, f"p95 <= {most_ms:g} ms", p95 <= most_ms)


def _question(rng: random.Random) -> dict[str, str]:
    words = WORDS[rng.choice(sorted(WORDS))]
    asked = {"q": " ".join(rng.choices(words, k=rng.randint(1, 2)))}
    if rng.random() < 0.5:
        asked["theme"] = rng.choice(("TRAN", "ENVI", "GOVE", "ECON"))
    if rng.random() < 0.5:
        asked["city"] = rng.choice(CITIES)
    if rng.random() < 0.33:
        west, south = rng.uniform(-4, 20), rng.uniform(51, 60)
        asked["bbox"] = f"{west:.2f},{south:.2f},{west + 5:.2f},{south + 4:.2f}"
    return asked


def _everything(rng: random.Random) -> list[str]:
    orders = ("relevance", "changed", "title", "quality")
    chosen = ({"sort": rng.choice(orders), "city": rng.choice((*CITIES, ""))} for _ in range(ASKED))
    return [f"/search?{urlencode(each)}" for each in chosen]
