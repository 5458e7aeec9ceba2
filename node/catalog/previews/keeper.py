"""Keeps the list of files to be looked into level with the shelf: what our open datasets name.

The walk over what changed is `open_files`; here is only what it writes down. Nothing is fetched; `rounds` does what the
list says. Writes through `store`.
"""

from collections.abc import Callable, Collection

from node.catalog.open_files import Listing, OpenFiles
from node.catalog.previews.candidates import files_in
from node.catalog.previews.store import Looks, sync
from node.catalog.shelf import Held, Shelf
from node.db import Database


def previews_keeper(db: Database, shelf: Shelf, *, clock_ms: Callable[[], int]) -> OpenFiles:
    """Make the reading `previews`."""
    listing = Listing(_named, sync, Looks(db.hot()).count)
    return OpenFiles("previews", listing, db, shelf, clock_ms=clock_ms)


def _named(held: Held, payload: bytes) -> Collection[str]:
    return files_in(held.kind, held.iri, payload)
