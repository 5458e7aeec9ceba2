"""Benchmarks 8: what it costs to believe a signed agreement, on one thread.

An agreement of seven rules with three constraints each, from its bytes to the last of two signatures: everything that a
city does before it lets one in. Read strictly and in canonical form, made anew of its clauses, parties, roles, times,
keys and federation checked. Keys lie in a real folder, a peer's in a list, as in the field. Seconds are processor
seconds. Measured against its two Ed25519 signatures alone, in turns with them; and signing, for which nothing is
promised.
"""

import time
from collections.abc import Callable, Iterator

from benchmarks.policy import rules
from benchmarks.rig import Bench, Row

TARGET_MS = 2.0
HELSINKI, LONDON = "https://helsinki.example", "https://london.example"
NOW_MS = 1_900_000_000_000
FEDERATION = "https://w3id.org/citynode/federation/digital-declaration"


def agreement(bench: Bench) -> Iterator[Row]:
    """Measure checking, reading and signing."""
    from node.federation.agreements.signing import Signing
    from node.federation.agreements.text import compose, read_text
    from node.keys import Keyring

    rings = {url: Keyring.create(bench.folder / name) for url, name in ((HELSINKI, "a"), (LONDON, "b"))}
    helsinki, london = (Signing(ring, url=url, federation=FEDERATION) for url, ring in rings.items())
    about = {"title": "Restricted data", "template": "restricted-data/1", "contacts": ["data@helsinki.example"]}
    iri, target = f"{HELSINKI}/agreements/1", f"{HELSINKI}/collections/plans"
    text = compose(iri, target, HELSINKI, LONDON, NOW_MS, about, rules())
    signed, _ = london.countersign(helsinki.sign_as_assigner(text, NOW_MS), NOW_MS)
    keys = {url: ring.published() for url, ring in rings.items()}
    check = _ms(bench, lambda: london.check(signed, keys_of=keys.__getitem__, now_ms=NOW_MS), 400)
    alone = _ms(bench, lambda: [ring.verify("record", b"x" * 64, bytes(64)) for ring in rings.values()], 400)
    ratio = f"{check / alone:.1f} times its two signatures alone, {alone:.2f} ms"
    size = f"{len(signed.encode()) / 1024:.1f} KiB"
    what = f"signed agreement checked, 7 rules of 3, {size}"
    yield Row(what, f"{check:.2f} ms", f"<= {TARGET_MS:.0f} ms", check <= TARGET_MS, ratio)
    read = _ms(bench, lambda: read_text(signed), 400)
    yield Row("its text read, no signature checked", f"{read:.2f} ms")
    made = _ms(bench, lambda: helsinki.sign_as_assigner(text, NOW_MS), 400)
    yield Row("it is signed by one city", f"{made:.2f} ms")


def _ms(bench: Bench, work: Callable[[], object], count: int) -> float:
    """Give the milliseconds of one call, the best of some rounds."""
    count = count // 10 if bench.quick else count
    best = float("inf")
    for _ in range(1 if bench.quick else 5):
        bench.calm(5)
        started = time.thread_time()
        for _ in range(count):
            work()
        best = min(best, time.thread_time() - started)
    return best / count * 1e3
