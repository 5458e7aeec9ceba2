"""Benchmarks of SPARQL: a catalogue's queries through `/sparql`, in turns with the engine itself; filling; a runaway.

`citynode run` as an operator runs it, over made datasets of 80 triples. Both are asked over HTTP one query at a time
and give the same bytes: the engine at its loopback port without anything in front, the node with its checks, limits
and places. What a runaway query leaves for the next one is measured last.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from benchmarks.harvesting import harvest
from benchmarks.rig import Bench, Row, command, environment, free_port, running

ROUNDS, LIMIT_S = 9, 20
FULL = 1.2
_PREFIXES = """PREFIX dcat: <http://www.w3.org/ns/dcat#>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX foaf: <http://xmlns.com/foaf/0.1/>
PREFIX theme: <http://publications.europa.eu/resource/authority/data-theme/>
PREFIX licence: <http://publications.europa.eu/resource/authority/licence/>
"""
_THEMED = """?dataset a dcat:Dataset ; dcat:theme theme:TRAN ; dcat:distribution ?file .
  ?file dct:license licence:CC_BY_4_0 ."""
QUERIES = {
    "theme and licence, 100 of them": f"SELECT DISTINCT ?dataset {{ {_THEMED} }} LIMIT 100",
    "the same, counted": f"SELECT (COUNT(DISTINCT ?dataset) AS ?n) {{ {_THEMED} }}",
    "datasets by publisher": "SELECT ?name (COUNT(DISTINCT ?dataset) AS ?n) { ?dataset a dcat:Dataset ;"
    " dct:publisher/foaf:name ?name } GROUP BY ?name ORDER BY DESC(?n) LIMIT 50",
    "a keyword by pattern, 100 of them": "SELECT ?dataset ?word { ?dataset dcat:keyword ?word"
    ' FILTER(REGEX(?word, "ka.+a", "i")) } LIMIT 100',
    "a keyword by pattern, counted": "SELECT (COUNT(?dataset) AS ?n) { ?dataset dcat:keyword ?word"
    ' FILTER(REGEX(?word, "ka.+a", "i")) }',
}
# It costs the engine a millisecond, so that this tells what the way through the node costs and nothing else.
LOOKUP = 'SELECT (COUNT(?dataset) AS ?n) { ?dataset dcat:keyword "xx"@en }'
_RUNAWAY = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a ?p{n} ?o{n} ." for n in range(7)) + " }"
_KEPT: dict[int, http.client.HTTPConnection] = {}
_COUNT = "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?s a dcat:Dataset } }"


def sparql(bench: Bench) -> Iterator[Row]:
    """Measure with 100,000 datasets."""
    count, port = bench.many, free_port()
    data = bench.node("sparql", bench.catalogue(count, "dcat"), port=port)
    bench.say(f"harvesting {count:,} datasets")
    harvest(data)
    environ = environment(data, CITYNODE_LINK_CHECK_DAYS="0", CITYNODE_RATE_PUBLIC_PER_MIN="0")
    # The comparison must not end at the limit of a busy machine; a runaway is stopped at this one.
    environ |= {"CITYNODE_SPARQL_TIMEOUT_S": str(LIMIT_S)}
    bench.say("filling the store")
    with running(command("run", "--port", str(port)), environ) as process:
        begun = time.monotonic()
        _until(lambda: _number(port, _COUNT) == count, 3600, lambda: process.poll() is None)
        took = time.monotonic() - begun
        yield Row(f"{count:,} records: store filled after the node's start", f"{took:,.0f} s ({count / took:,.0f}/s)")
        bench.calm()
        for name, query in QUERIES.items():
            yield _compared(port, _engine(data), name, _PREFIXES + query)
        yield _way_through(port, _engine(data))
        yield _after_a_runaway(port)


def _compared(port: int, engine: int, name: str, query: str) -> Row:
    """Ask both in turns; the order changes, so that neither always finds what the other has just warmed."""
    through, bare = _in_turns(port, engine, query, ROUNDS)
    ratio = through / bare
    said = f"{ratio:.2f} of {bare:.1f} ms"
    return Row(f"SPARQL: {name}", f"{through:.1f} ms", f"<= {FULL:g} x the engine", ratio <= FULL, said)


def _way_through(port: int, engine: int) -> Row:
    through, bare = _in_turns(port, engine, _PREFIXES + LOOKUP, 200)
    return Row(
        "SPARQL: the way through the node", f"{through - bare:.2f} ms", ratio=f"{through / bare:.1f} of {bare:.2f} ms"
    )


def _in_turns(port: int, engine: int, query: str, rounds: int) -> tuple[float, float]:
    """Give the medians in ms; the first round is for the caches."""
    through, bare = list[float](), list[float]()
    asks = ((through, port, "/sparql"), (bare, engine, "/query?union-default-graph=true"))
    for number in range(rounds + 1):
        for times, where, path in asks if number % 2 else asks[::-1]:
            took = _timed(where, query, path)
            if number:
                times.append(took)
    return median(through), median(bare)


def _after_a_runaway(port: int) -> Row:
    query = _PREFIXES + LOOKUP
    before = [_timed(port, query) for _ in range(ROUNDS)]
    begun = time.monotonic()
    status, _ = _asked(port, "/sparql", _RUNAWAY)
    stopped = time.monotonic() - begun
    after = [_timed(port, query) for _ in range(ROUNDS)]
    good = status == http.client.SERVICE_UNAVAILABLE and stopped < LIMIT_S + 1
    said = f"{status} after {stopped:.1f} s; the next {median(after):.1f} ms, the slowest {max(after):.0f}"
    return Row("SPARQL: a runaway query", said, f"stopped at {LIMIT_S} s", good, f"{median(before):.1f} ms before it")


def _timed(port: int, query: str, path: str = "/sparql") -> float:
    begun = time.perf_counter()
    status, body = _asked(port, path, query)
    if status != http.client.OK:
        raise RuntimeError(f"{status} {body[:300]!r}")
    return (time.perf_counter() - begun) * 1000


def _asked(port: int, path: str, query: str) -> tuple[int, bytes]:
    """Ask over a connection that is kept, as clients of either would: an engine is slow to forget those it had."""
    headers = {"Content-Type": "application/sparql-query", "Accept": "application/sparql-results+json"}
    connection = _KEPT.pop(port, None) or http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", path, query.encode(), headers)
        reply = connection.getresponse()
        found = reply.status, reply.read()
    except BaseException:
        connection.close()
        raise
    _KEPT[port] = connection
    return found


def _number(port: int, query: str) -> int:
    with suppress(OSError, http.client.HTTPException):
        status, body = _asked(port, "/sparql?" + urlencode({"lang": "en"}), _PREFIXES + query)
        if status == http.client.OK:
            return int(json.loads(body)["results"]["bindings"][0]["n"]["value"])
    return -1


def _engine(data: Path) -> int:
    return int(json.loads((data / "graph" / "public.address").read_text())["port"])


def _until(holds: Callable[[], bool], limit_s: float, alive: Callable[[], bool]) -> None:
    until = time.monotonic() + limit_s
    while time.monotonic() < until and alive():
        if holds():
            return
        time.sleep(0.25)
    raise RuntimeError("the store was not filled in time")
