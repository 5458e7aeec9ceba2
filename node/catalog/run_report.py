"""What a run did, for the people who answer for it: every list with titles and owners, a page at a time.

Beside `public_runs`, which shows everyone less: here restricted collections and addresses are named, so only the city's
own staff is answered. A reading of runs, journals and the shelf; it writes nothing and keeps nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from node.catalog.runs import Run, RunRow, Runs
from node.catalog.shelf import Held, Shelf
from node.catalog.story import Difference, Stories, owner_said, title_said
from node.catalog.work import FINDINGS_JOINED_BY
from node.vocab.ntriples import triples_of

MOST_ROWS = 10_000
_MOST_OWNERS = 200
_MOST_FINDINGS = 12
# Of what a run would withdraw so much belongs to one publisher that its list, and not the data, is the likely cause.
_MOSTLY = 2 / 3
_COUNTED = re.compile(r" Seen at (\d+) ([\w ]+)\.\Z")
_KEPT = frozenset({"refused", "held", "note", "sample"})


@dataclass(frozen=True, slots=True)
class Likely:
    """One publisher to whom most of what is held belongs."""

    owner: str
    count: int


@dataclass(frozen=True, slots=True)
class Owner:
    """What one publisher has to mend; the name is empty for what names none."""

    name: str
    rows: tuple[RunRow, ...]


class RunReports:
    """Reads runs for the staff. Safe to share by threads; its methods block."""

    def __init__(self, runs: Runs, stories: Stories, shelf: Shelf, *, language: str) -> None:
        """Name records in this language."""
        self._runs = runs
        self._stories = stories
        self._shelf = shelf
        self._language = language

    def rows(
        self, run: Run, change: str, *, offset: int = 0, limit: int = MOST_ROWS, language: str = ""
    ) -> list[RunRow]:
        """Give what a run did of one kind (added, changed, withdrawn, refused, held, note …), in order."""
        if run.dry or change in _KEPT:
            kept = self._runs.rows(run.id, change, limit=offset + limit)[offset:]
            return self._titled(kept) if change in ("held", "withdrawn") else kept
        return self._stories.touched(run, change, offset=offset, limit=limit, language=language or self._language)

    def everything(self, run: Run) -> list[RunRow]:
        """Give all of it, refused and held first; at most 10,000."""
        rows = self._stories.rows(run, limit=MOST_ROWS)
        held = iter(self._titled([row for row in rows if row.change == "held"]))
        return [next(held) if row.change == "held" else row for row in rows]

    def samples(self, run: Run) -> list[RunRow]:
        """Give the first records of a dry run as they would be: the payload is the message, the kind the code."""
        return self._runs.rows(run.id, "sample", limit=10)

    def findings(self, run: Run) -> list[tuple[str, int]]:
        """Give what a dry run found in most records: the sentence and how many have it, the most frequent first.

        What is not of the records themselves is said with how many files, contacts and so on of them all have it.
        """
        rows = self._runs.rows(run.id, limit=MOST_ROWS) if run.dry else []
        records, places, nouns = Counter[tuple[str, str]](), Counter[tuple[str, str]](), dict[tuple[str, str], str]()
        for row in rows:
            for part in sentences(row.message) if row.change != "refused" else ():
                counted = _COUNTED.search(part)
                of = counted[2] if counted else ""
                one = (_COUNTED.sub("", part), of.removesuffix("s"))
                records[one] += 1
                places[one] += int(counted[1]) if counted else 0
                nouns[one] = max(nouns.get(one, ""), of)  # the plural, where one has several
        seen = {one: f" Seen at {places[one]} {noun}." if noun else "" for one, noun in nouns.items()}
        told = [(f"{one[0]}{seen[one]}", n) for one, n in records.items()]
        return sorted(told, key=lambda pair: (-pair[1], pair[0]))[:_MOST_FINDINGS]

    def differences(self, run: Run, *, offset: int = 0, limit: int = 50, language: str = "") -> Sequence[Difference]:
        """Give records that a run changed, line by line."""
        if run.dry or not run.counters.changed:
            return []
        return self._stories.differences(run, offset=offset, limit=limit, language=language or self._language)

    def likely(self, held: Sequence[RunRow]) -> Likely | None:
        """Name the one publisher to whom most of what is held belongs, if it is more than a few."""
        counts = Counter(row.owner for row in held if row.owner)
        owner, count = next(iter(counts.most_common(1)), ("", 0))
        return Likely(owner, count) if count >= max(3, _MOSTLY * len(held)) else None

    def owners(self, run: Run) -> list[Owner]:
        """Give who has to mend what of the refused records, whoever has most first, the nameless last."""
        by_owner: dict[str, list[RunRow]] = {}
        for row in self._runs.rows(run.id, "refused", limit=MOST_ROWS):
            by_owner.setdefault(row.owner, []).append(row)
        ranked = sorted(by_owner.items(), key=lambda pair: (not pair[0], -len(pair[1]), pair[0]))
        return [Owner(name, tuple(rows)) for name, rows in ranked[:_MOST_OWNERS]]

    def _titled(self, rows: Sequence[RunRow]) -> list[RunRow]:
        """Fill in titles and owners of records that are published: rows of withdrawals know their names alone."""
        found = [self._shelf.by_iri(row.iri) if row.iri else None for row in rows]
        bodies = dict(zip([one.iri for one in found if one], self._payloads(found), strict=True))
        return [self._told(row, bodies.get(row.iri, b"")) for row in rows]

    def _payloads(self, found: Sequence[Held | None]) -> Iterator[bytes]:
        yield from self._shelf.payloads([one for one in found if one is not None])

    def _told(self, row: RunRow, payload: bytes) -> RunRow:
        if not payload:
            return row
        triples = triples_of(payload)
        (title, tag), (owner, owner_tag) = (of(triples, row.iri, self._language) for of in (title_said, owner_said))
        titled = replace(row, title=title, title_tag=tag) if title != row.iri else row
        return replace(titled, owner=owner, owner_tag=owner_tag)


def sentences(message: str) -> set[str]:
    """Part what `work.dry_row` joined; a level without a sentence is none."""
    parts = (part.partition(": ") for part in message.split(FINDINGS_JOINED_BY))
    return {sentence for level, _, sentence in parts if level in ("mandatory", "recommended") and sentence}
