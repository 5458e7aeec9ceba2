"""Keeps the list of files to be looked into level with the shelf: what our open datasets name.

The walk over what changed is `open_files`; here is only what it writes down. Nothing is fetched; `rounds` does what the
list says. Writes through `store`.
"""

from collections.abc import Callable, Collection

from node.catalog.open_files import OpenFiles, Wanted
from node.catalog.previews import store
from node.catalog.previews.candidates import files_in
from node.catalog.previews.store import Looks
from node.catalog.shelf import Held, Shelf
from node.db import Database, Tx


class _Listing:
    """Previews, as far as the walk needs to know them."""

    def __init__(self, kept: Looks) -> None:
        self._kept = kept

    def named(self, held: Held, payload: bytes) -> Collection[str]:
        return files_in(held.kind, held.iri, payload)

    def sync(self, tx: Tx, wanted: Wanted, *, now_ms: int) -> None:
        store.sync(tx, wanted, now_ms=now_ms)

    def count(self) -> int:
        return self._kept.count()


def previews_keeper(db: Database, shelf: Shelf, *, clock_ms: Callable[[], int]) -> OpenFiles:
    """Make the reading `previews`."""
    return OpenFiles("previews", _Listing(Looks(db.hot())), db, shelf, clock_ms=clock_ms)
