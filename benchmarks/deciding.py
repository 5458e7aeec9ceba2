"""Benchmarks 9: what agreements cost at the doors: one question to the decision point, and a page of a filtered feed.

A node with fifty agreements in force. The question is asked as a door asks it: purpose and digest from a token, the
database looked at for changes first. A page of 1,000 entries is made for a reader who may see every other record by
name, in turns with the same page for one who may see all. Seconds are processor seconds of one thread, the best of some
rounds.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.policy import CITY, DPV, NOW_MS, rules
from benchmarks.rig import Bench, Row

TARGET_PERCENT = 10.0
HOME = "https://london.example"
AGREEMENTS = 50
SINGLE = 300


def deciding(bench: Bench) -> Iterator[Row]:
    """Measure a question and two pages."""
    from node.db import Database
    from node.federation.agreements.agreements import Agreements
    from node.federation.answers import Ask, Records
    from node.federation.feed.feed import Feed
    from node.federation.rights.decisions import Decisions
    from node.journal.journal import Journals
    from node.keys import Keyring

    folder = bench.folder / "deciding"
    folder.mkdir()
    db = Database(f"sqlite:///{folder / 'node.db'}")
    db.upgrade()
    journals = Journals(db, Keyring.create(folder / "keys"))
    iris = _filled(journals)
    details = _agreed(db)
    decisions = Decisions(db, Agreements(db, unsigned="never", is_public=lambda _: False), base_url=HOME)
    ask = Ask("index", f"{HOME}/collections/plans", peer="helsinki", recipient=CITY, details=[details])
    assert decisions.decide(ask, NOW_MS).allowed
    asked = _us(bench, lambda: decisions.decide(ask, NOW_MS), 50_000)
    looked = _us(bench, db.data_version, 50_000)
    yield Row(
        f"a question at a door, {AGREEMENTS} agreements", f"{asked:.1f} us", ratio=f"{looked:.1f} us of it: is it new?"
    )
    yield from _at_the_door(bench, db, decisions, iris)
    feed = Feed(journals, lambda _: journals.public_keys())
    half = Records(frozenset(iris[::2]))
    pages: dict[str, Callable[[], object]] = {
        "whole": lambda: feed.paged("plans", after=0, limit=1_000),
        "filtered": lambda: feed.paged("plans", after=0, limit=1_000, only=Records(frozenset(iris))),
        "half": lambda: feed.paged("plans", after=0, limit=1_000, only=half),
    }
    took = dict.fromkeys(pages, float("inf"))
    for _ in range(3 if bench.quick else 15):
        for name, make in pages.items():
            took[name] = min(took[name], _us(bench, make, 10, rounds=1))
    more = (took["filtered"] / took["whole"] - 1) * 100
    yield Row(
        "a feed page of 1,000 entries through an agreement, more",
        f"{more:.1f} %",
        f"<= {TARGET_PERCENT:.0f} %",
        more <= TARGET_PERCENT,
        f"{took['whole'] / 1e3:.1f} ms whole, {took['half'] / 1e3:.1f} ms with every other one",
    )
    db.close()


def _at_the_door(bench: Bench, db: Any, decisions: Any, iris: list[str]) -> Iterator[Row]:
    """Measure all that a door asks, how much of a collection somebody may see, with and without many single records."""
    from node.federation.answers import Ask

    ask = Ask("index", f"{HOME}/collections/plans", peer="helsinki", recipient=CITY)
    other = Ask("index", f"{HOME}/collections/plans", peer="ghent", recipient="https://ghent.example")
    none = Ask("index", f"{HOME}/collections/none", peer="ghent", recipient="https://ghent.example")
    whole = _us(bench, lambda: decisions.extent(ask, NOW_MS, name="plans"), 20_000)
    _agreed_singly(db, iris[:SINGLE])
    assert len(decisions.extent(other, NOW_MS, name="plans").records) == SINGLE
    single = _us(bench, lambda: decisions.extent(other, NOW_MS, name="plans"), 100)
    missing = _us(bench, lambda: decisions.extent(none, NOW_MS, name="none"), 20_000)
    yield Row("how much of a collection, a door's whole question", f"{whole:.1f} us")
    yield Row(
        f"the same under {SINGLE} agreements on single records",
        f"{single / 1e3:.2f} ms",
        ratio=f"{missing:.1f} us for a collection that is not there",
    )


def _filled(journals: Any) -> list[str]:
    """Write a collection of 1,000 records of ordinary size, and sign it; give their IRIs."""
    from node.journal import Draft

    iris = [f"{HOME}/datasets/d{number}" for number in range(1_000)]
    about = "About this dataset and how it came to be. " * 30
    payloads = [
        f'<{iri}> <http://purl.org/dc/terms/description> "{about}" .\n'
        f'<{iri}> <http://purl.org/dc/terms/title> "{iri}" .\n'.encode()
        for iri in iris
    ]
    drafts = [
        Draft(iri, iri.rpartition("/")[2], "dataset", "put", payload)
        for iri, payload in zip(iris, payloads, strict=True)
    ]
    with journals.db.write() as tx:
        name, iri = "plans", f"{HOME}/collections/plans"
        journals.create(tx, name=name, iri=iri, title="Plans", visibility="restricted", at_ms=1)
        journals.append(tx, name, drafts, at_ms=NOW_MS)
    journals.checkpoint("plans", at_ms=NOW_MS)
    return iris


def _agreed(db: Any) -> dict[str, str]:
    """Write the agreements; give what a token says of the first."""
    import json

    from node.federation.agreements.text import compose

    names = ["plans", *(f"c{number}" for number in range(1, AGREEMENTS))]
    found = []
    for number, name in enumerate(names):
        target = f"{HOME}/collections/{name}"
        text = compose(f"{HOME}/agreements/{number}", target, HOME, CITY, NOW_MS - 1_000, {"title": name}, rules())
        found.append((text.iri, json.dumps([target]), text.digest, text.text, target))
    with db.write() as tx:
        tx.many(
            "INSERT INTO agreement (iri, covers, digest, signed, target, record, peer, role, signed_by, public,"
            " agreed_at, our_state) VALUES (?, ?, ?, ?, ?, '', 'helsinki', 'provider', 'both', FALSE, 1, 'in-force')",
            found,
        )
    return {"agreement": found[0][0], "digest": found[0][2], "purpose": DPV + "AcademicResearch"}


def _agreed_singly(db: Any, iris: list[str]) -> None:
    """Write an agreement with another city on each of these records."""
    import json

    from node.federation.agreements.text import compose

    with db.write() as tx:
        for number, iri in enumerate(iris):
            name, party = f"{HOME}/agreements/single-{number}", "https://ghent.example"
            rules = {"permission": [{"action": "odrl:index"}]}
            text = compose(name, iri, HOME, party, NOW_MS - 1_000, {"title": iri}, rules)
            tx.run(
                "INSERT INTO agreement (iri, covers, digest, signed, target, record, peer, role, signed_by, public,"
                " agreed_at, our_state) VALUES (?, ?, ?, ?, ?, '', 'ghent', 'provider', 'both', FALSE, 1, 'in-force')",
                *(text.iri, json.dumps([iri]), text.digest, text.text, iri),
            )


def _us(bench: Bench, work: Callable[[], object], count: int, *, rounds: int = 5) -> float:
    """Give the microseconds of one call: the best of some rounds."""
    count = max(1, count // 10) if bench.quick else count
    best = float("inf")
    for _ in range(rounds):
        started = time.thread_time()
        for _ in range(count):
            work()
        best = min(best, time.thread_time() - started)
    return best / count * 1e6
