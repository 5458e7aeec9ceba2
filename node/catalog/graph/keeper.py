"""The reading that keeps one triple store level with the shelf.

It follows what was touched, in batches: noted in the book, written to the engine, crossed out. A store that is new, or
was thrown away, or has read further than the database goes, is filled through the engine's bulk loader, and says so in
a small file beside it (`Standing`), since half a store gives wrong answers. What surprises: peers that are blocked are
taken out and put back here, for a query over all graphs cannot leave any of them out.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from node.catalog.graph import writing
from node.catalog.graph.book import Book, alone
from node.catalog.graph.shapes import Of, Shape, Wanted
from node.catalog.readings import ReadingStatus, State
from node.catalog.touched import Change, Touched
from node.errors import Unavailable
from node.outbound.engine import Address, Engine

BATCH = 500
BULK = 1_000
# So far behind, and by more than half of what is there, a store is sooner filled anew than mended.
FAR_BEHIND = 50_000
STARTS_WITHIN_S, LOOK_S = 2.0, 0.05

Collections = Callable[[], Sequence[Of]]
Hidden = Callable[[], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a store stands, for those who ask it: filled once and kept level, or being filled."""

    whole: bool
    position: int
    records: int


def standing_at(path: Path) -> Standing | None:
    """Read how a store stands; None where there is none yet."""
    try:
        told = json.loads(path.read_text())
        return Standing(bool(told["whole"]), int(told["position"]), int(told["records"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


class GraphKeeper:
    """Keeps one store level; see `catalog.readings.Reading`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        shape: Shape,
        engine: Engine,
        touched: Touched,
        collections: Collections,
        hidden: Hidden,
    ) -> None:
        """Keep the store that `engine` serves.

        Args:
            name: Of the reading.
            folder: Of the store; book and standing are beside it.
            shape: How records stand in it.
            engine: Is asked for nothing but changes.
            touched: What changed.
            collections: All of them, own and mirrored.
            hidden: The peers whose mirrors are not shown.
        """
        self.name = name
        self._folder, self._shape, self._engine, self._touched = folder, shape, engine, touched
        self._collections, self._hidden = collections, hidden
        self._path = folder.with_name(f"{folder.name}.book")
        self._standing = folder.with_name(f"{folder.name}.json")
        self._of: dict[int, Of] = {}
        self._level: tuple[str, int] | None = None

    def catch_up(self, stop: threading.Event) -> int:
        """Take in what changed since; see `Reading`."""
        address = self._reached(stop)
        if address is None:
            return 0
        with alone(self._path), closing(Book(self._path)) as book:
            if book.born != address.born or self._is_of_another_past(book) or self._is_far_behind(book):
                self._begin(book, address.born)
            return self._follow(book, stop)

    def rebuild(self, stop: threading.Event) -> int:
        """Empty the store and fill it again; queries are put off meanwhile."""
        address = self._reached(stop)
        if address is None:
            raise Unavailable(
                "The triple store is not running.",
                fix="Start the node: citynode run.",
            ).on_page("no.sparql.filling")
        with alone(self._path), closing(Book(self._path)) as book:
            self._begin(book, address.born)
            return self._follow(book, stop)

    def status(self) -> ReadingStatus:
        """Say how it stands."""
        found, newest = standing_at(self._standing), self._touched.newest()
        state: State = "level"
        if self._engine.address is None:
            state = "unreachable"
        elif found is None:
            state = "missing"
        elif not found.whole:
            state = "busy"
        elif found.position != newest:
            state = "behind"
        size = sum(each.stat().st_size for each in self._folder.rglob("*") if each.is_file())
        position, records = (found.position, found.records) if found else (0, 0)
        return ReadingStatus(self.name, state, position, newest, records, size)

    def close(self) -> None:
        """Give back the connections; it may be asked to catch up again afterwards."""
        self._engine.close()

    def _reached(self, stop: threading.Event) -> Address | None:
        """Wait shortly for an engine that starts together with us."""
        until = time.monotonic() + STARTS_WITHIN_S
        while (address := self._engine.address) is None and time.monotonic() < until and not stop.wait(LOOK_S):
            pass
        return address

    def _is_of_another_past(self, book: Book) -> bool:
        """Tell whether the database was restored, or the machine broke off the writing of a store that cannot mend."""
        return book.position > self._touched.newest() or (book.doubted > 0 and not self._shape.mends)

    def _is_far_behind(self, book: Book) -> bool:
        behind = self._touched.newest() - book.position
        # Numbers leave gaps, so the records are counted only where there may be that many.
        if not book.until or book.position < book.until or behind < FAR_BEHIND:
            return False
        behind = self._touched.behind(book.position)
        return behind >= FAR_BEHIND and behind * 2 > book.count()

    def _begin(self, book: Book, born: str) -> None:
        """Empty the store, then the book: a crash between the two does it once more."""
        self._tell(Standing(whole=False, position=0, records=0))
        writing.clear(self._engine)
        book.reset(born, self._touched.newest())

    def _follow(self, book: Book, stop: threading.Event) -> int:
        total, doubted = 0, book.doubted
        self._shape.write(book, self._engine, empty=False)  # what a crash left
        self._look_at_collections(book)
        while not stop.is_set():
            filling = book.position < book.until
            changes = self._touched.after(book.position, BULK if filling else BATCH)
            if filling:
                changes = [each for each in changes if each.n <= book.until]
            if not changes and not filling:
                break
            for some, in_doubt in _parted(changes, doubted):
                self._take(book, some, empty=filling and not in_doubt, doubted=in_doubt)
            self._save(book, changes[-1].n if changes else book.until)
            total += len(changes)
        self._tell_if_new(book)
        return total

    def _take(self, book: Book, changes: Sequence[Change], *, empty: bool, doubted: bool) -> None:
        if any(each.collection_id not in self._of for each in changes):
            self._look_at_collections(book)
        seen = book.seen()
        wanted = [self._wanted(each, seen) for each in changes]
        with book.changed():
            lost = self._shape.take(book, [each for each in wanted if each], doubted=doubted)
        self._shape.write(book, self._engine, empty=empty)
        for collection_id in lost:
            self._again(book, self._of[collection_id])

    def _wanted(self, change: Change, seen: dict[int, bool]) -> Wanted | None:
        of = self._of.get(change.collection_id)
        if of is None:
            return None
        held = change.held if seen.get(of.id) else None
        return Wanted((change.collection_id, change.record_key), of, held)

    def _look_at_collections(self, book: Book) -> None:
        """Take out the collections that are no longer shown, and put in those that are again."""
        hidden = self._hidden()
        self._of = {each.id: each for each in self._collections()}
        now = {
            each.id: self._shape.shows(each.visibility) and each.name.partition("/")[0] not in _peers(hidden, each.name)
            for each in self._of.values()
        }
        before = book.seen()
        gone = [each for each, shown in before.items() if shown and not now.get(each)]
        back = [each for each, shown in now.items() if shown and before.get(each) is False]
        with book.changed():
            book.see(dict.fromkeys(before, False) | now)
        for each in gone:
            if each in self._of:
                self._shape.drop(book, self._engine, self._of[each])
        for each in back:
            self._again(book, self._of[each])

    def _again(self, book: Book, of: Of) -> None:
        """Read a collection anew as far as was read."""
        self._shape.drop(book, self._engine, of)
        after, upto = 0, book.position
        while changes := [each for each in self._touched.after(after, BATCH) if each.n <= upto]:
            after = changes[-1].n
            wanted = [Wanted((each.collection_id, each.record_key), of, each.held) for each in changes]
            with book.changed():
                self._shape.take(book, [each for each in wanted if each.key[0] == of.id])
            self._shape.write(book, self._engine, empty=False)

    def _save(self, book: Book, position: int) -> None:
        with book.changed():
            book.save(position, now_ms=time.time_ns() // 1_000_000)

    def _tell_if_new(self, book: Book) -> None:
        now = (book.born, book.position)
        if now != self._level or standing_at(self._standing) is None:
            self._tell(Standing(book.position >= book.until, book.position, book.count()))
            self._level = now

    def _tell(self, standing: Standing) -> None:
        part = self._standing.with_name(f"{self._standing.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(asdict(standing)))
        part.replace(self._standing)


def _parted(changes: Sequence[Change], doubted: int) -> list[tuple[list[Change], bool]]:
    """Part changes into those whose writing may be lost and those that come after."""
    parts = [([each for each in changes if each.n <= doubted], True), ([e for e in changes if e.n > doubted], False)]
    return [part for part in parts if part[0]]


def _peers(hidden: frozenset[str], name: str) -> frozenset[str]:
    """Give the peers that are hidden, if a collection is a peer's at all."""
    return hidden if "/" in name else frozenset()
