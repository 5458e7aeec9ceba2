"""Keeps the list of files to be looked at level with the shelf: which of our open datasets name a city model.

A reading that lives in the database: position and list are written in one transaction. Mirrors are left out, since a
city describes its own models, and so are restricted datasets, whose models would tell of them in an open collection.
Nothing is fetched here; `rounds` does what the list says. Reads the shelf; writes through `inspections`.
"""

import threading
from collections.abc import Callable, Sequence

from node.catalog.models import inspections
from node.catalog.models.candidates import candidates_in
from node.catalog.models.inspections import Inspections, Wanted
from node.catalog.readings import ReadingStatus, State
from node.catalog.shelf import Held, Shelf
from node.catalog.touched import Change, Touched, position, save_position
from node.db import Database
from node.errors import NodeError, Refuted

BATCH = 500
_KINDS = ("dataset", "dataset-series")


class ModelsKeeper:
    """The reading `models`. Safe to call from several processes: whoever comes second does its work again."""

    name = "models"

    def __init__(self, db: Database, shelf: Shelf, touched: Touched, *, clock_ms: Callable[[], int]) -> None:
        """Read nothing yet."""
        self._db = db
        self._shelf = shelf
        self._touched = touched
        self._inspections = Inspections(db.hot())
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
            at, newest, files = self._position(), self._touched.newest(), self._inspections.count()
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
        payloads = self._payloads([held for held in told if held])
        return [_named(change, held, payloads) for change, held in zip(ours, told, strict=True)]

    def _payloads(self, helds: Sequence[Held]) -> dict[Held, bytes]:
        """Give payloads; one that is erased or damaged is empty, and must not hold up the others."""
        try:
            return dict(zip(helds, self._shelf.payloads(helds), strict=True))
        except Refuted:
            if len(helds) == 1:
                return {helds[0]: b""}
            return {held: body for each in helds for held, body in self._payloads([each]).items()}

    def _save(self, wanted: Sequence[Wanted], at: int, to: int) -> bool:
        """Write the list and the new position; False if somebody else has moved it meanwhile."""
        now_ms = self._clock_ms()
        with self._db.write() as tx:
            tx.lock(self.name)
            if position(tx, self.name) != at:
                return False
            for each in wanted:
                inspections.sync(tx, each, now_ms=now_ms)
            save_position(tx, self.name, to)
        return True


def _is_dataset(held: Held | None) -> bool:
    return held is not None and held.kind in _KINDS


def _named(change: Change, held: Held | None, payloads: dict[Held, bytes]) -> Wanted:
    place = (change.collection_id, change.record_key, change.iri)
    if held is None:
        return Wanted(*place, "", "", ())
    urls = [each.url for each in candidates_in(held.iri, payloads[held])]
    return Wanted(*place, held.slug, held.digest, urls)
