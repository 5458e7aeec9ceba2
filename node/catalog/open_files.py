"""A reading that follows which files our open datasets name, for whoever looks at such files (models, previews).

It lives in the database: position and list are written in one transaction. Mirrors are left out, since a city looks at
its own files, and so are restricted datasets, of which nothing may be told in the open. Nothing is fetched here. Reads
the shelf; what a dataset names, and how the list is written, is said by whoever looks.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from node.catalog.readings import ReadingStatus, State
from node.catalog.shelf import Held, Shelf
from node.catalog.touched import Change, Touched, position, save_position
from node.db import Database, Tx
from node.errors import NodeError

BATCH = 500
_KINDS = ("dataset", "dataset-series")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The files that a dataset names now; `digest` is the dataset's, and `urls` are none if it is gone or shut."""

    collection_id: int
    record_key: int
    iri: str
    slug: str
    digest: str
    urls: Collection[str]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of files in the database.

    `named` gives the files of a dataset that belong on it, `sync` notes which a dataset names now, `count` counts them.
    """

    named: Callable[[Held, bytes], Collection[str]]
    sync: Callable[[Tx, Wanted, int], None]
    count: Callable[[], int]


class OpenFiles:
    """The reading. Safe to call from several processes: whoever comes second does its work again."""

    def __init__(self, name: str, listing: Listing, db: Database, shelf: Shelf, *, clock_ms: Callable[[], int]) -> None:
        """Read nothing yet; `name` is the reading's."""
        self.name = name
        self._listing = listing
        self._db = db
        self._shelf = shelf
        self._touched = Touched(shelf)
        self._clock_ms = clock_ms

    def catch_up(self, stop: threading.Event) -> int:
        """Note what datasets that changed name now; give the number of records looked through."""
        at, count = self._position(), 0
        if at > self._touched.newest():
            self._restart()
            at = 0
        while not stop.is_set():
            changes = self._touched.after(at, BATCH)
            if not changes:
                break
            if self._save(self._wanted(changes), at, changes[-1].n):
                count += len(changes)
            at = self._position()
        return count

    def rebuild(self, stop: threading.Event) -> int:
        """Look through every record anew; what is known of files stays."""
        self._restart()
        return self.catch_up(stop)

    def status(self) -> ReadingStatus:
        """Say how it stands."""
        try:
            at, newest, files = self._position(), self._touched.newest(), self._listing.count()
        except NodeError as error:
            return ReadingStatus(self.name, "unreachable", 0, 0, 0, 0, str(error))
        state: State = "level" if at == newest else "behind"
        return ReadingStatus(self.name, state, at, newest, files, 0)

    def _position(self) -> int:
        with self._db.read() as tx:
            return position(tx, self.name)

    def _restart(self) -> None:
        # Every record that ever was here passes again, gone ones too, so nothing need be taken for gone meanwhile.
        with self._db.write() as tx:
            tx.lock(self.name)
            save_position(tx, self.name, 0)

    def _wanted(self, changes: Sequence[Change]) -> list[Wanted]:
        """Say which files each record names now; none for what is not an open dataset of ours."""
        is_open = {each.name for each in self._shelf.collections() if each.visibility == "public"}
        ours = [change for change in changes if "/" not in change.collection]
        told = [each.held if each.collection in is_open and _is_dataset(each.held) else None for each in ours]
        helds = [held for held in told if held]
        payloads = dict(zip(helds, self._shelf.readable(helds), strict=True))
        return [self._named(change, held, payloads) for change, held in zip(ours, told, strict=True)]

    def _named(self, change: Change, held: Held | None, payloads: dict[Held, bytes]) -> Wanted:
        place = (change.collection_id, change.record_key, change.iri)
        if held is None:
            return Wanted(*place, "", "", ())
        return Wanted(*place, held.slug, held.digest, self._listing.named(held, payloads[held]))

    def _save(self, wanted: Sequence[Wanted], at: int, to: int) -> bool:
        """Write the list and the new position; False if somebody else has moved it meanwhile."""
        now_ms = self._clock_ms()
        with self._db.write() as tx:
            tx.lock(self.name)
            if position(tx, self.name) != at:
                return False
            for each in wanted:
                self._listing.sync(tx, each, now_ms)
            save_position(tx, self.name, to)
        return True


def _is_dataset(held: Held | None) -> bool:
    return held is not None and held.kind in _KINDS
