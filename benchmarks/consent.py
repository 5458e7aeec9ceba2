"""Benchmarks 12: what it costs to leave out rows about persons while a part streams, on one thread.

A made table of people, half of whom have consented; read in pieces as an origin gives them, filtered, and thrown away.
Every field without quotes, then with quotes in each row; then JSON lines and Parquet. Processor seconds of one thread,
so that a busy machine tells the same. Peer: the same bytes through Python's own csv module, which is what a loop over
rows would cost, in turns; and reading the consent file of everybody once.
"""

import csv
import io
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext

from benchmarks.rig import Bench, Row

TARGET_MB_S = 60.0
MIB = 1024 * 1024
NOW_MS = 1_900_000_000_000


class _Held:
    """Bytes that are read as an origin gives them."""

    def __init__(self, data: bytes, name: str, start: int = 0) -> None:
        from node.federation.moving import Part

        self.part = Part("urn:people", name, "", len(data), "", '"1"', 0)
        self._data, self._at = memoryview(data), start

    def read(self, most: int) -> bytes:
        """Give the next bytes."""
        given = self._data[self._at : self._at + most]
        self._at += len(given)
        return bytes(given)

    def close(self) -> None:
        """Let go."""


def consent(bench: Bench) -> Iterator[Row]:
    """Measure the filter in its three forms, and how fast consent records are read."""
    people = 20_000 if bench.quick else 1_000_000
    allowed = frozenset(_key(number) for number in range(0, people, 2))
    table = _table(people, quoted=False)
    peer = len(table) / MIB / _best(bench, lambda: _looped(table, allowed))
    forms = (
        ("a table", "people.csv", table),
        ("a table with quotes in each row", "people.csv", _table(people, quoted=True)),
        ("JSON lines", "people.jsonl", _lines(people)),
        ("Parquet", "people.parquet", _parquet(table)),
    )
    for called, name, data in forms:
        speed = len(data) / MIB / _best(bench, lambda data=data, name=name: _filtered(data, name, allowed))  # type: ignore[misc]
        promised = f">= {TARGET_MB_S:.0f} MB/s" if name.endswith("csv") else ""
        ok = speed >= TARGET_MB_S if promised else None
        ratio = f"{speed / peer:.1f} times a loop over rows, {peer:.0f} MB/s"
        yield Row(f"rows left out of {called}, {len(data) / MIB:.0f} MB", f"{speed:.0f} MB/s", promised, ok, ratio)
    yield from _records(bench, people)


def _records(bench: Bench, people: int) -> Iterator[Row]:
    from node.federation.consent.records import Asked, read_csv, standings

    asked = Asked("urn:people", "https://w3id.org/dpv#AcademicResearch", "https://london.example")
    head = "pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties"
    said = "2026-01-01T00:00:00Z,ConsentGiven,AcademicResearch,https://london.example"
    lines = [head, *(f"{_key(number)},{said}" for number in range(people // 10))]
    spent = _best(bench, lambda: len(standings(read_csv(lines), asked, NOW_MS)))
    yield Row("consent records read and weighed", f"{people // 10 / spent:,.0f} /s")


def _key(number: int) -> str:
    return f"R-{number:07d}"


def _table(people: int, *, quoted: bool) -> bytes:
    street = '"Kallio; ""Linja"", {}"' if quoted else "Kallio {}"
    rows = (
        f"{_key(number)},2026-11-22T10:00:00Z,{street.format(number % 97)},{number * 0.37:.2f},a home of some size\n"
        for number in range(people)
    )
    return ("id,when,street,kwh,note\n" + "".join(rows)).encode()


def _lines(people: int) -> bytes:
    rows = (
        f'{{"id":"{_key(number)}","when":"2026-11-22T10:00:00Z","street":"Kallio {number % 97}","kwh":{number}}}\n'
        for number in range(people)
    )
    return "".join(rows).encode()


def _parquet(table: bytes) -> bytes:
    import pyarrow.csv
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(pyarrow.csv.read_csv(io.BytesIO(table)), out, row_group_size=100_000)
    return out.getvalue()


def _filtered(data: bytes, name: str, allowed: frozenset[str]) -> None:
    from node.federation.consent.filter import Filtered

    source = Filtered(_Held(data, name), "id", allowed, lambda start: nullcontext(_Held(data, name, start)))
    while source.read(512 * 1024):
        pass


def _looped(table: bytes, allowed: frozenset[str]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in csv.reader(io.StringIO(table.decode(), newline="")):
        if row[0] in allowed:
            writer.writerow(row)


def _best(bench: Bench, work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(1 if bench.quick else 3):
        bench.calm(5)
        started = time.thread_time()
        work()
        best = min(best, time.thread_time() - started)
    return best
