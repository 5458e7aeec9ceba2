"""A walk over spill files of JSON records, one a line: shared by the portals that answer in JSON.

Each spill begins with one line of the document's other small members (its envelope). The walk reads the lines twice,
first for the heads, then for the descriptions, and holds one record at a time. What is judged unfit in the first pass
is judged so again in the second, in the same order, so the two never disagree about who came first.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from node.catalog.portals.base import Description, Desk, Head, Named, Refusal, SourceInfo
from node.catalog.portals.jsonvalues import line_of, loads, map_of, names
from node.errors import Malformed
from node.records import is_unseen

_TELL_EVERY = 500
_LOST = {
    "too-large": "The record is past the size that is taken. Shorten its fields.",
    "too-deep": "The record is nested too deep. Flatten its fields.",
    "malformed": "The record cannot be read. Mend its JSON.",
}


def envelope_of(spill: Path) -> dict[str, Any]:
    """Read a spill's first line: what the document says beside its records."""
    with spill.open("rb") as lines:
        return map_of(loads(lines.readline()))


def records_of(spill: Path) -> Iterator[object]:
    """Read a spill's records."""
    with spill.open("rb", buffering=1 << 20) as lines:
        next(lines, None)
        for line in lines:
            yield loads(line)


def count_of(spill: Path) -> int:
    """Count a spill's records without reading them."""
    with spill.open("rb", buffering=1 << 20) as lines:
        return max(sum(1 for _ in lines) - 1, 0)


def raise_if_no_answer(spill: Path) -> None:
    """Refuse a document that says that it failed, or that holds a single object which is no dataset.

    A portal's error message with status 200 must not pass for a catalogue of one broken record.
    """
    first = map_of(next(records_of(spill), None))
    for said in (envelope_of(spill), first):
        if said.get("success") is False:
            error = map_of(said.get("error"))
            reason = line_of(error.get("message")) or line_of(said.get("error")) or "no reason given"
            fix = "Ask its keepers, or try again later."
            raise Malformed(f"The portal answered that it failed: {reason[:200]}.", fix=fix)
    if first and count_of(spill) == 1 and first.keys().isdisjoint(_SIGNS):
        raise Malformed("The document holds no list of datasets.", fix="Check the address and the source's kind.")


_SIGNS = names("id name title identifier resources distribution _refused")


class JsonWalk(ABC):
    """The records of a source. `full` is False if the walk asked for the changed ones only."""

    def __init__(self, desk: Desk, spills: Sequence[Path], *, full: bool = True, repeats: bool = False) -> None:
        """Take the spills over.

        Args:
            desk: For the source and for progress.
            spills: In the order of the pages.
            full: Whether the walk asked for everything.
            repeats: A record that comes twice is the paging's doing, not a fault of the source.
        """
        self.full = full
        self._desk = desk
        self._source: SourceInfo = desk.source
        self._spills = spills
        self._repeats = repeats

    @abstractmethod
    def head_of(self, record: dict[str, Any], row: int) -> Head | Refusal:
        """Name a record, or say why it cannot be published."""

    @abstractmethod
    def description_of(self, record: dict[str, Any], head: Head, named: Named) -> Description:
        """Describe a record that has a head."""

    def heads(self) -> Iterator[Head | Refusal]:
        """Name each record once; the second of a key is refused."""
        seen: set[str] = set()
        for row, record in self._records():
            head = self._judge(record, row)
            if isinstance(head, Refusal) or head.key not in seen:
                if isinstance(head, Head):
                    seen.add(head.key)
                yield head
            elif not self._repeats:
                message = f"The identifier {head.key[:80]!r} comes twice; the first was taken. Give each its own."
                yield Refusal(head.key, head.title, "duplicate-key", message)

    def describe(self, names: Mapping[str, Named]) -> Iterator[Description | Refusal]:
        """Describe every record whose key is named, in the source's order."""
        done: set[str] = set()
        for row, record in self._records():
            head = self._judge(record, row)
            if isinstance(head, Refusal) or head.key in done:
                continue
            done.add(head.key)
            named = names.get(head.key)
            if named is not None and isinstance(record, dict):
                yield self.description_of(record, head, named)

    def _judge(self, record: object, row: int) -> Head | Refusal:
        if not isinstance(record, dict):
            return Refusal(f"#{row}", "", "malformed", f"Row {row} is no JSON object. Write one per dataset.")
        lost = record.get("_refused")
        if isinstance(lost, str) and lost in _LOST:
            key = line_of(record.get("id")) or line_of(record.get("identifier")) or f"#{row}"
            return Refusal(key, line_of(record.get("title")), lost, _LOST[lost])
        return self.head_of(record, row)

    def _records(self) -> Iterator[tuple[int, object]]:
        row = 0
        for spill in self._spills:
            for record in records_of(spill):
                row += 1
                if row % _TELL_EVERY == 0:
                    self._desk.progress("read", row)
                yield row, record


def refusal_for_want(key: str, row: int, title: str, owner: str) -> Refusal | None:
    """Refuse a record that has no title or cannot be named; None if it has both."""
    if is_unseen(title):
        shown = key or f"#{row}"
        return Refusal(shown, "", "title-missing", "The dataset has no title. Write one in its metadata.", owner)
    if not key:
        message = "The dataset has neither a name nor an identifier. Give it one that stays."
        return Refusal(f"#{row}", title, "nameless", message, owner)
    return None
