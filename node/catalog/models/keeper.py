"""Keeps the list of files to be looked at level with the shelf: which of our open datasets name a city model.

The walk over what changed is `open_files`; here is only what it writes down. Nothing is fetched; `rounds` does what the
list says. Writes through `inspections`.
"""

from collections.abc import Callable, Collection

from node.catalog.models import inspections
from node.catalog.models.candidates import candidates_in
from node.catalog.models.inspections import Inspections
from node.catalog.open_files import OpenFiles, Wanted
from node.catalog.shelf import Held, Shelf
from node.db import Database, Tx


class _Listing:
    """Models, as far as the walk needs to know them."""

    def __init__(self, kept: Inspections) -> None:
        self._kept = kept

    def named(self, held: Held, payload: bytes) -> Collection[str]:
        return [each.url for each in candidates_in(held.iri, payload)]

    def sync(self, tx: Tx, wanted: Wanted, *, now_ms: int) -> None:
        inspections.sync(tx, wanted, now_ms=now_ms)

    def count(self) -> int:
        return self._kept.count()


def models_keeper(db: Database, shelf: Shelf, *, clock_ms: Callable[[], int]) -> OpenFiles:
    """Make the reading `models`."""
    return OpenFiles("models", _Listing(Inspections(db.hot())), db, shelf, clock_ms=clock_ms)
