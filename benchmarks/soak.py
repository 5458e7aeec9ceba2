"""`make soak`: one node under readers and harvests for as long as wanted, watching what it holds in memory.

Not part of `make bench`, since it measures no speed: it fails if an answer fails, if a process died, if the journal no
longer proves, or if a process holds much more at the end than when it was warm. Every harvest changes one title in ten.
"""

import argparse
import sys
import time
import urllib.request
from pathlib import Path

from benchmarks.rig import citynode, command, environment, free_port, opened, resident, running, waited_for

RECORDS = 2_000
HARVEST_EVERY_S = 20
WARM = 0.25  # of the whole time
GROWTH_BYTES = 60 << 20
FORMS = (".ttl", ".jsonld", ".rdf", ".nt", "")


def main() -> int:
    """Soak one node and say what was seen; 0 if it stood."""
    parser = argparse.ArgumentParser(description="Run one node for a while and watch its memory.")
    parser.add_argument("--minutes", type=float, default=10)
    minutes: float = parser.parse_args().minutes
    with opened(quick=False) as bench:
        data, port = bench.folder / "node", free_port()
        _made(data, bench.folder / "catalogue.ttl", port)
        with running(command("run", "--port", str(port)), environment(data)) as node:
            waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda: node.poll() is None)
            warm, last, answers, harvests = _soaked(data, bench.folder, port, node.pid, minutes * 60)
        citynode(data, "journal", "verify")
    grown = {role: last.get(role, 0) - size for role, size in warm.items()}
    for role, growth in grown.items():
        print(
            f"{role:8} {warm[role] >> 20:5} MiB warm, {last.get(role, 0) >> 20:5} MiB at the end ({growth >> 20:+} MiB)"
        )
    print(f"{answers} answers, {harvests} harvests, the journal is proven")
    return int(any(growth > GROWTH_BYTES for growth in grown.values()))


def _made(data: Path, source: Path, port: int) -> None:
    citynode(data, "init", "--name", "Soak", "--base-url", f"http://127.0.0.1:{port}")
    _catalogue(source, 0)
    citynode(data, "sources", "add", "own", str(source), "--kind", "dcat")
    citynode(data, "harvest", "run", "own")


def _catalogue(path: Path, turn: int) -> None:
    """Write the source anew; one title in ten differs from the turn before."""
    lines = ["@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> ."]
    for n in range(RECORDS):
        title = f"Title {n} of turn {turn if n % 10 == turn % 10 else 0}"
        lines.append(f'<https://soak.example/{n}> a dcat:Dataset ; dct:title "{title}"@en ; dct:description "{n}"@en .')
    path.write_text("\n".join(lines))


def _soaked(
    data: Path, folder: Path, port: int, pid: int, length_s: float
) -> tuple[dict[str, int], dict[str, int], int, int]:
    """Read and harvest for so long; give memory when warm and at the end, answers and harvests."""
    begun = harvested = time.monotonic()
    warm: dict[str, int] = {}
    answers = harvests = 0
    while (now := time.monotonic()) - begun < length_s:
        if not warm and now - begun > WARM * length_s:
            warm = resident(pid)
        for n in range(200):
            where = f"http://127.0.0.1:{port}/datasets/{(answers + n) * 7 % RECORDS}{FORMS[n % len(FORMS)]}"
            with urllib.request.urlopen(where, timeout=10) as answer:  # a failing answer raises, and ends the soak
                answer.read()
        answers += 200
        if now - harvested > HARVEST_EVERY_S:
            harvested, harvests = now, harvests + 1
            _catalogue(folder / "catalogue.ttl", harvests)
            citynode(data, "harvest", "run", "own")
    return warm or resident(pid), resident(pid), answers, harvests


if __name__ == "__main__":
    sys.exit(main())
