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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from node.catalog.readings import ReadingStatus, State
from node.catalog.search import analyzers
from node.catalog.search.document import Mapped
from node.catalog.search.index import Indexes
from node.catalog.search.layout import PUBLIC, Layout, Position, index_of
from node.catalog.search.making import Batch, Maker, Task
from node.catalog.search.writing import Writing
from node.catalog.shelf import Held, Shelf
from node.catalog.touched import Change, Touched
from node.catalog.touching import touch_collection
from node.db import Database
from node.errors import NodeError, Stopped, Unavailable
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


@dataclass(frozen=True, slots=True)
class _Key:
    """Where a document is: its index, and its key there."""

    index: str
    key: str

    @classmethod
    def of(cls, collection: str, iri: str, collections: _Collections) -> Self:
        return cls(collections.indexes[collection], analyzers.key_of(collection, iri))


@dataclass(frozen=True, slots=True)
class _Step:
    """What a batch of changes comes to: its last number, how many they are, and where its documents go."""

    n: int
    count: int
    collections: _Collections
    put: Sequence[_Key]
    gone: Sequence[_Key]
    fresh: bool

    def knowing(self, before: Mapping[str, str]) -> dict[str, str]:
        """Give the index of each collection as it was known before, and of those that are new."""
        return {**self.collections.indexes, **before}


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
        """Tell the number of the last change that is read or, while somebody writes, may have been read."""
        if self._layout.busy():
            return self._touched.newest()
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
        total, pending = 0, 0
        with Writing(self._layout, position.makings, bulk=bulk) as writing, Maker(helped=bulk) as maker:
            for batch in maker.made(self._batches(position.n, stop)):
                _write(writing, batch)
                total, pending = total + batch.what.count, pending + batch.what.count
                # What was known before stays: a collection that changes meanwhile is met as changed the next time.
                position = replace(position, n=batch.what.n, collections=batch.what.knowing(position.collections))
                if pending >= COMMIT_EVERY:
                    self._commit(writing, position)
                    pending = 0
            if pending:
                self._commit(writing, position)
            if not stop.is_set():
                writing.settle()
        return total

    def _commit(self, writing: Writing, position: Position) -> None:
        writing.commit()
        self._layout.save(replace(position, makings=dict(writing.makings)))

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
        if moved:
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
        self._layout.sweep(self._layout.position() or Position())
        upto, total = self._touched.newest(), 0
        position = Position(collections=dict(self._collections().indexes))
        bulk = self._touched.behind(0) >= BULK_FROM
        with Writing(self._layout, {}, bulk=bulk) as writing, Maker(helped=bulk) as maker:
            writing.writer(PUBLIC)
            for batch in maker.made(self._batches(0, stop, first=upto)):
                _write(writing, batch)
                total += batch.what.count
                position = replace(position, n=batch.what.n, collections=batch.what.knowing(position.collections))
            if stop.is_set():
                raise Stopped("The search index was not made to its end.", fix="Run it again.")
            writing.commit()
            writing.settle()
            return replace(position, makings=dict(writing.makings)), total

    # ---------------------------------------------------------------- what is to be written

    def _batches(self, n: int, stop: threading.Event, *, first: int = 0) -> Iterator[Batch[_Step]]:
        """Give what changed after `n`. Up to the number `first` each record comes once, so none is looked for."""
        while not stop.is_set() and (changes := self._touched.after(n, BATCH)):
            fresh = changes[-1].n <= first
            n, collections = changes[-1].n, self._collections()
            placed = self._alone(changes, collections) if fresh else self._together(changes, collections)
            gone = [] if fresh else [change for change in changes if change.held is None]
            step = _Step(
                n,
                len(changes),
                collections,
                [_Key.of(each.held.collection, each.held.iri, collections) for each in placed],
                [_Key.of(change.collection, change.iri, collections) for change in gone],
                fresh,
            )
            yield Batch(step, self._tasks(placed, collections), self._mapped())

    def _alone(self, changes: Sequence[Change], collections: _Collections) -> list[_Placed]:
        """Give the newest state of records, each with its route; others of the same IRI come in their own turn."""
        routes = {(each.held.collection, each.held.iri): each.route for each in self._by_routes(changes, collections)}
        return [
            _Placed(change.held, _at(change), routes.get((change.collection, change.iri), 0))
            for change in changes
            if change.held is not None
        ]

    def _together(self, changes: Sequence[Change], collections: _Collections) -> list[_Placed]:
        """Give the newest state of records, and of those of the same IRI in other public collections."""
        placed = {(each.held.collection, each.held.iri): each for each in self._by_routes(changes, collections)}
        for change in changes:
            if change.held is not None:
                placed.setdefault((change.collection, change.iri), _Placed(change.held, _at(change)))
        return list(placed.values())

    def _by_routes(self, changes: Sequence[Change], collections: _Collections) -> Iterator[_Placed]:
        public = {change.iri for change in changes if collections.indexes[change.collection] == PUBLIC}
        for helds in self._shelf.holders(sorted(public)).values():
            shown = [held for held in helds if collections.indexes[held.collection] == PUBLIC]
            for route, held in enumerate(shown):
                yield _Placed(held, (collections.ids[held.collection], key_of(held.iri)), route)

    def _tasks(self, placed: Sequence[_Placed], collections: _Collections) -> list[Task]:
        payloads = self._shelf.readable([each.held for each in placed])
        points = self._points([each.at for each in placed])
        return [
            Task(
                each.held,
                payload,
                points.get(each.at),
                self._city_of(each.held.collection),
                each.route,
                restricted=collections.indexes[each.held.collection] != PUBLIC,
            )
            for each, payload in zip(placed, payloads, strict=True)
        ]

    def _city_of(self, collection: str) -> str:
        peer, mirrored, _ = collection.partition("/")
        return peer if mirrored else self._city

    def _collections(self) -> _Collections:
        rows = self._shelf.hot.rows("SELECT name, id, visibility FROM collection ORDER BY id")
        indexes = {name: PUBLIC if visibility == "public" else index_of(name) for name, _, visibility in rows}
        return _Collections(indexes, {name: number for name, number, _ in rows})


def _write(writing: Writing, batch: Batch[_Step]) -> None:
    for each in batch.what.gone:
        writing.take_out(each.index, each.key)
    for each, document in zip(batch.what.put, batch.documents or (), strict=True):
        if document:
            writing.put(each.index, each.key, document, fresh=batch.what.fresh)
        else:
            writing.take_out(each.index, each.key)


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
