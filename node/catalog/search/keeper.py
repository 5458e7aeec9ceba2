"""Keeps the search indexes level with the shelf: the reading `search`.

Public collections share one index, own and mirrored; each restricted one has its own, so that no word of it is counted
among public ones. What changed is read in the order of `touched`, and the position is saved after tantivy's commit: a
crash at any moment means that some records are read again. An index that is missing, damaged, of another version or
ahead of the database is made anew beside the one that serves, and takes its place in one step.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.catalog.readings import ReadingStatus, State
from node.catalog.search import analyzers
from node.catalog.search.document import Mapped, document_of
from node.catalog.search.index import Indexes
from node.catalog.search.layout import PUBLIC, Layout, Position, index_of
from node.catalog.search.writing import Writing
from node.catalog.shelf import Held, Shelf
from node.catalog.touched import Change, Touched
from node.catalog.touching import touch_collection
from node.db import Database
from node.errors import NodeError, Refuted, Stopped, Unavailable
from node.journal import key_of

_logger = logging.getLogger("citynode.search")

BATCH = 500
COMMIT_EVERY = 20_000  # records: a commit costs some 10 ms, and what lies behind becomes searchable bit by bit
BULK_FROM = 5_000

Points = Callable[[Sequence[tuple[int, int]]], Mapping[tuple[int, int], int]]
"""Gives the quality of records by (collection id, record key); those without any are left out."""


@dataclass(frozen=True, slots=True)
class _Collections:
    """Which collection goes into which index, and their ids."""

    indexes: Mapping[str, str]
    ids: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A record that goes into an index, by its route (see `schema.ROUTE`)."""

    held: Held
    at: tuple[int, int]  # collection id, record key
    route: int = 0


class SearchKeeper:
    """The reading `search`. Whoever comes second while one writes, in any process, is told so (`Unavailable`)."""

    name = "search"

    def __init__(
        self,
        folder: Path,
        db: Database,
        shelf: Shelf,
        touched: Touched,
        *,
        city: str,
        mapped: Callable[[], Mapped],
        points: Points,
    ) -> None:
        """Write nothing yet.

        Args:
            folder: Where the indexes are.
            db: The database of the shelf.
            shelf: What is indexed.
            touched: What changed.
            city: What search calls our own city.
            mapped: Gives what cities' words mean now.
            points: Gives the quality of records.
        """
        self._layout = Layout(folder)
        self._indexes = Indexes(folder)
        self._db = db
        self._shelf = shelf
        self._touched = touched
        self._city = city
        self._mapped = mapped
        self._points = points

    # ---------------------------------------------------------------- the reading

    def catch_up(self, stop: threading.Event) -> int:
        """Take in what changed since; make everything anew where there is nothing that can go on.

        Raises:
            Unavailable: Somebody else is at it, or the folder cannot be written.
        """
        if self._is_level():
            return 0
        with self._layout.alone(wait=False):
            position = self._position()
            if position is None:
                return self._make_anew(stop)
            try:
                return self._go_on(position, stop)
            except ValueError as error:
                _refuse_busy(error)
                _logger.warning("the search index cannot be used, and is made anew: %s", error)
                return self._make_anew(stop)

    def rebuild(self, stop: threading.Event) -> int:
        """Make all indexes anew while those there are serve; give the number of records.

        Raises:
            Unavailable: The folder cannot be written.
            Stopped: It was to end before it was done; what there was counts.
        """
        with self._layout.alone(wait=True):
            return self._make_anew(stop)

    def status(self) -> ReadingStatus:
        """Say how it stands."""
        position = self._layout.position()
        try:
            newest = self._touched.newest()
            if position is None:
                return ReadingStatus(self.name, "missing", 0, newest, 0, 0)
            state: State = "level" if position.n == newest else "behind"
            records = self._indexes.records()
        except NodeError as error:
            return ReadingStatus(self.name, "unreachable", position.n if position else 0, 0, 0, 0, str(error))
        return ReadingStatus(self.name, state, position.n, newest, records, self._layout.size())

    def searched(self) -> int:
        """Tell the number of the last change that can be found."""
        position = self._layout.position()
        return position.n if position else 0

    def _is_level(self) -> bool:
        position = self._layout.position()
        return (
            position is not None
            and position.n == self._touched.newest()
            and position.collections == self._collections().indexes
            and not self._layout.damaged()
        )

    def _position(self) -> Position | None:
        """Give the position to go on from; None if everything is to be made anew."""
        position = self._layout.position()
        if position is None or self._layout.damaged() or PUBLIC not in position.makings:
            return None
        # A database that was restored knows less than the index has read.
        return position if position.n <= self._touched.newest() else None

    # ---------------------------------------------------------------- going on

    def _go_on(self, position: Position, stop: threading.Event) -> int:
        position = self._moved(position)
        bulk = self._touched.behind(position.n) >= BULK_FROM
        total, pending, n = 0, 0, position.n
        with Writing(self._layout, position.makings, bulk=bulk) as writing:
            while not stop.is_set() and (changes := self._touched.after(n, BATCH)):
                collections = self._collections()
                self._take_in(writing, changes, collections)
                n, pending, total = changes[-1].n, pending + len(changes), total + len(changes)
                if pending >= COMMIT_EVERY:
                    position, pending = self._committed(writing, n, collections), 0
            if pending or position.n != n:
                self._committed(writing, n, self._collections())
            if not stop.is_set():
                writing.settle()
        return total

    def _committed(self, writing: Writing, n: int, collections: _Collections) -> Position:
        writing.commit()
        position = Position(n, dict(writing.makings), dict(collections.indexes))
        self._layout.save(position)
        return position

    def _moved(self, position: Position) -> Position:
        """Take collections out of the indexes they are no longer of; their records come again by being touched."""
        now = self._collections()
        if position.collections == now.indexes:
            return position
        moved = [name for name, index in position.collections.items() if now.indexes.get(name) != index]
        with Writing(self._layout, position.makings, bulk=False) as writing:
            for name in moved:
                index = position.collections[name]
                if index in position.makings:
                    writing.take_out_all(index, name)
            writing.commit()
            with self._db.write() as tx:
                for name in moved:
                    if name in now.ids:
                        touch_collection(tx, now.ids[name])
            wanted = {PUBLIC, *now.indexes.values()}
            makings = {index: making for index, making in position.makings.items() if index in wanted}
            position = Position(position.n, makings, dict(now.indexes))
        self._layout.save(position)
        self._layout.sweep(position)
        return position

    def _take_in(self, writing: Writing, changes: Sequence[Change], collections: _Collections) -> None:
        """Write the newest state of records, and of those of the same IRI in other public collections."""
        placed: dict[tuple[str, str], _Placed] = {}
        for each in self._by_routes(changes, collections):
            placed[each.held.collection, each.held.iri] = each
        for change in changes:
            if change.held is None and change.collection in collections.indexes:
                key = analyzers.key_of(change.collection, change.iri)
                writing.take_out(collections.indexes[change.collection], key)
            elif change.held is not None:
                placed.setdefault((change.collection, change.iri), _Placed(change.held, _at(change)))
        self._write(writing, list(placed.values()), collections, fresh=False)

    def _by_routes(self, changes: Sequence[Change], collections: _Collections) -> Iterator[_Placed]:
        public = {change.iri for change in changes if collections.indexes.get(change.collection) == PUBLIC}
        for helds in self._shelf.holders(sorted(public)).values():
            shown = [held for held in helds if collections.indexes.get(held.collection) == PUBLIC]
            for route, held in enumerate(shown):
                yield _Placed(held, (collections.ids[held.collection], key_of(held.iri)), route)

    # ---------------------------------------------------------------- making anew

    def _make_anew(self, stop: threading.Event) -> int:
        with _refusals():
            position, total = self._made(stop)
        self._layout.save(position)
        self._layout.mend()
        self._layout.sweep(position)
        return total

    def _made(self, stop: threading.Event) -> tuple[Position, int]:
        """Write all indexes beside those there are; what half was made, is swept away the next time."""
        position = self._layout.position()
        self._layout.sweep(position or Position())
        upto, n, total = self._touched.newest(), 0, 0
        with Writing(self._layout, {}, bulk=True) as writing:
            writing.writer(PUBLIC)
            while changes := self._touched.after(n, BATCH):
                if stop.is_set():
                    raise Stopped("The search index was not made to its end.", fix="Run it again.")
                collections = self._collections()
                first = [change for change in changes if change.n <= upto]
                self._take_in_first(writing, first, collections)
                if len(first) < len(changes):
                    self._take_in(writing, changes[len(first) :], collections)
                n, total = changes[-1].n, total + len(changes)
            writing.commit()
            writing.settle()
            return Position(n, dict(writing.makings), dict(self._collections().indexes)), total

    def _take_in_first(self, writing: Writing, changes: Sequence[Change], collections: _Collections) -> None:
        """Write records that no index has met: each comes in its own turn, so none is looked for."""
        routes = {(each.held.collection, each.held.iri): each.route for each in self._by_routes(changes, collections)}
        placed = [
            _Placed(change.held, _at(change), routes.get((change.collection, change.iri), 0))
            for change in changes
            if change.held is not None
        ]
        self._write(writing, placed, collections, fresh=True)

    # ---------------------------------------------------------------- documents

    def _write(self, writing: Writing, placed: Sequence[_Placed], collections: _Collections, *, fresh: bool) -> None:
        payloads = self._payloads([each.held for each in placed])
        points, mapped = self._points([each.at for each in placed]), self._mapped()
        for each, payload in zip(placed, payloads, strict=True):
            held, index = each.held, collections.indexes[each.held.collection]
            key = analyzers.key_of(held.collection, held.iri)
            document = self._document(each, payload, points.get(each.at), mapped, restricted=index != PUBLIC)
            if document:
                writing.put(index, key, document, fresh=fresh)
            else:
                writing.take_out(index, key)

    def _document(
        self, placed: _Placed, payload: bytes, quality: int | None, mapped: Mapped, *, restricted: bool
    ) -> str:
        """Give a document; empty for a record without payload, or one that cannot be read."""
        held = placed.held
        if not payload:
            return ""
        peer, mirrored, _ = held.collection.partition("/")
        try:
            return document_of(
                held,
                payload,
                quality=quality,
                city=peer if mirrored else self._city,
                mapped=mapped,
                restricted=restricted,
                route=placed.route,
            )
        except ValueError as error:  # one that cannot be read must not hold up the others
            _logger.warning("a record is left out of the search index: %s: %s", held.iri, error)
            return ""

    def _payloads(self, helds: Sequence[Held]) -> list[bytes]:
        """Give payloads in order; empty for one that is erased or damaged, which must not hold up the others."""
        try:
            return self._shelf.payloads(helds)
        except Refuted:
            return [b""] if len(helds) == 1 else [body for held in helds for body in self._payloads([held])]

    def _collections(self) -> _Collections:
        rows = self._shelf.hot.rows("SELECT name, id, visibility FROM collection ORDER BY id")
        indexes = {name: PUBLIC if visibility == "public" else index_of(name) for name, _, visibility in rows}
        return _Collections(indexes, {name: number for name, number, _ in rows})


def _at(change: Change) -> tuple[int, int]:
    return change.collection_id, change.record_key


def _refuse_busy(error: ValueError) -> None:
    if "LockBusy" in str(error):
        raise Unavailable("Somebody else writes the search index.", fix="Wait until that is done.") from error


@contextmanager
def _refusals() -> Iterator[None]:
    """Say what tantivy or the disk could not do in our own words."""
    try:
        yield
    except ValueError as error:
        _refuse_busy(error)
        raise Unavailable(f"The search index cannot be written: {error}.", fix="Is the disk full?") from error
    except OSError as error:
        raise Unavailable(f"The search index cannot be written: {error.strerror}.", fix="Is the disk full?") from error
