"""`python -m benchmarks.soak --minutes 10`: harvest a changing catalogue and read pages, watching for what grows.

A whole node runs (`citynode run`: supervisor, web, worker). This process harvests a file that changes before every run
(some records come, go and change), as one long-lived harvester, and a thread reads documents and pages all the while.
Memory of every process is looked at each second. At the end the journal is verified from its first entry on, and the
soak fails on a wrong answer, a refuted journal, a run that did not succeed, or a process that grew by more than a
quarter and 32 MiB after its warm-up.

Then, for as many minutes again, five nodes mirror each other under changes, kills, cuts and corruptions
(`node.testing.Chaos`), and must end level, whole and proven. Then two nodes move `--gib` of data and, for as many
minutes again, parts of all sizes under the same harm (`benchmarks.soak_data`). `--only memory`, `chaos` or `data` does
one of the three.
"""

import argparse
import http.client
import json
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import catalogue
from benchmarks.__main__ import machine
from benchmarks.rig import Bench, citynode, command, environment, free_port, opened, resident, running, waited_for

RECORDS = 400
WARM_UP = 0.25  # of the time: caches fill, dictionaries are trained
CHAOS_RECORDS, LEVEL_S = 60, 120
GROWTH, GROWTH_BYTES = 1.25, 32 << 20
_PATHS = (
    "/datasets/{n:07d}.ttl",
    "/datasets/{n:07d}.jsonld",
    "/datasets/{n:07d}",
    "/datasets/{n:07d}/proof",
    "/collections/open-data.ttl?page={p}",
    "/collections/open-data?page={p}",
    "/catalog",
    "/",
)


@dataclass(slots=True)
class Seen:
    """What was seen of memory: samples of each process by what it is."""

    since: float
    until: float
    early: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    late: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, sizes: dict[str, int]) -> None:
        """Note one look; the warm-up counts for nothing, then come two halves."""
        done = (time.monotonic() - self.since) / (self.until - self.since)
        if done >= WARM_UP:
            half = self.early if done < (1 + WARM_UP) / 2 else self.late
            for role, size in sizes.items():
                half[role].append(size)

    def grown(self) -> Iterator[tuple[str, int, int]]:
        """Give each process with its median in both halves."""
        for role in sorted(self.early.keys() & self.late.keys()):
            yield role, _median(self.early[role]), _median(self.late[role])


def _median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


def main() -> int:
    """Soak for the minutes asked; exit 1 if something is wrong."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--records", type=int, default=RECORDS)
    arguments.add_argument("--only", choices=("memory", "chaos", "data"), default="")
    arguments.add_argument("--gib", type=float, default=5.0)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    print(machine())
    code = 0
    if given.only in ("", "memory"):
        with opened(quick=True) as bench:
            code = _soak(bench, minutes=given.minutes, records=given.records)
    if given.only in ("", "chaos"):
        with opened(quick=True) as bench:
            code |= _chaos(bench, minutes=given.minutes, seed=given.seed)
    if given.only in ("", "data"):
        with opened(quick=True) as bench:
            code |= _data(bench, minutes=given.minutes, gib=given.gib, seed=given.seed)
    return code


def _chaos(bench: Bench, *, minutes: float, seed: int) -> int:
    """Do everything at once to five nodes; say what was done, and whether anything came of it."""
    from node.testing import Chaos, Cluster, RigError

    def tell(text: str) -> None:
        print(text, flush=True)

    try:
        with Cluster(bench.folder, 5, seed=seed) as five:
            five.sow(CHAOS_RECORDS)
            five.start().introduce_all()
            five.until_level(LEVEL_S)
            tell(str(Chaos(five, seed=seed, seconds=60 * minutes, tell=tell).run()))
    except RigError as wrong:
        print(f"WRONG: {wrong}")
        return 1
    print("ok")
    return 0


def _data(bench: Bench, *, minutes: float, gib: float, seed: int) -> int:
    """Move data between two nodes; say how it went."""
    from benchmarks.soak_data import soak
    from node.testing import RigError

    def tell(text: str) -> None:
        print(text, flush=True)

    try:
        soak(bench.folder, minutes=minutes, gib=gib, seed=seed, tell=tell)
    except RigError as wrong:
        print(f"WRONG: {wrong}")
        return 1
    print("ok")
    return 0


def _soak(bench: Bench, *, minutes: float, records: int) -> int:
    source, port = bench.folder / "changing.ttl", free_port()
    _rewrite(source, records, 0)
    data = bench.node("soak", source, port=port)
    seen = Seen(time.monotonic(), time.monotonic() + 60 * minutes)
    answers: Counter[int] = Counter()
    with running(command("run", "--port", str(port)), environment(data)) as process:
        waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda: process.poll() is None)
        with _reading(port, records, answers), _watching(process.pid, seen):
            states = _harvesting(data, source, records, seen.until)
        alive = process.poll() is None
    verified = citynode(data, "journal", "verify", codes=(0, 1))
    print(verified.out.strip())
    return _verdict(seen, answers, states, alive=alive, verified="open-data" in verified.out)


def _rewrite(path: Path, records: int, turn: int) -> None:
    """Write the catalogue as it stands at a turn: one record in twenty is another text, one in fifty is not there."""
    rng = random.Random(turn)
    draft = path.with_suffix(".part")
    with draft.open("w", encoding="utf-8") as out:
        out.write(catalogue.PREFIXES)
        for number in range(records):
            if rng.random() < 0.02:
                continue
            text = catalogue.dataset(number)
            out.write(text.replace("Data team", f"Data office {turn}") if rng.random() < 0.05 else text)
    draft.rename(path)


def _harvesting(data: Path, source: Path, records: int, until: float) -> Counter[str]:
    """Harvest again and again in this process, as the worker would; give how the runs ended."""
    from node.assembly import build
    from node.errors import AlreadyRunning
    from node.settings import load

    node, states, turn = build(load(data=data, environ={})), Counter[str](), 0
    try:
        while time.monotonic() < until:
            try:
                run = node.harvest.run("portal", trigger="soak", full=turn % 5 == 4)
            except AlreadyRunning:  # the worker harvests a new source at once
                time.sleep(0.2)
                continue
            states[run.state] += 1
            turn += 1
            if turn % 3:
                _rewrite(source, records, turn)
            time.sleep(0.5)
    finally:
        node.close()
    return states


@contextmanager
def _reading(port: int, records: int, answers: Counter[int]) -> Iterator[None]:
    """Read documents and pages until the block ends, some as they were, some only if changed."""
    over = threading.Event()
    thread = threading.Thread(target=_read, args=(port, records, answers, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def _read(port: int, records: int, answers: Counter[int], over: threading.Event) -> None:
    rng, marks = random.Random(1), {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not over.wait(0.002):
        path = rng.choice(_PATHS).format(n=rng.randrange(records), p=rng.randint(1, max(1, records // 100)))
        headers = {"If-None-Match": marks[path]} if path in marks and rng.random() < 0.5 else {}
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            answers[0] += 1
            continue
        answers[answer.status] += 1
        if answer.status == 200 and answer.getheader("ETag"):
            marks[path] = answer.getheader("ETag", "")
    connection.close()


@contextmanager
def _watching(pid: int, seen: Seen) -> Iterator[None]:
    """Look at the memory of the node and of this process each second; tell once a minute."""
    over = threading.Event()

    def look() -> None:
        told = time.monotonic()
        while not over.wait(1):
            sizes = resident(pid) | {"harvester": _own()}
            seen.add(sizes)
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                print("  ".join(f"{role} {size >> 20} MiB" for role, size in sorted(sizes.items())), flush=True)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)


def _own() -> int:
    import os

    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _verdict(seen: Seen, answers: Counter[int], states: Counter[str], *, alive: bool, verified: bool) -> int:
    wrong = []
    for role, early, late in seen.grown():
        print(f"{role}: {early >> 20} MiB, later {late >> 20} MiB")
        if late > early * GROWTH and late > early + GROWTH_BYTES:
            wrong.append(f"{role} grew from {early >> 20} to {late >> 20} MiB")
    # 404 and 410 are right for records that come and go.
    bad = {status: count for status, count in answers.items() if status not in (200, 304, 404, 410)}
    print(f"answers: {json.dumps(dict(sorted(answers.items())))}; runs: {json.dumps(dict(states))}")
    wrong += [f"answers that should not be: {bad}"] if bad else []
    wrong += [f"runs that failed: {dict(states)}"] if set(states) - {"succeeded", "partial"} else []
    wrong += [] if alive else ["the node died"]
    wrong += [] if verified else ["the journal did not verify"]
    print("\n".join(f"WRONG: {one}" for one in wrong) or "ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
