"""Keeps the list of files to be looked at level with the shelf: which of our open datasets name a city model.

The walk over what changed is `open_files`; here is only what it writes down. Nothing is fetched; `rounds` does what the
list says. Nothing of a dataset that is flagged as holding personal data is listed. Writes through `inspections`.
"""

from collections.abc import Callable, Collection

from node.catalog.models.candidates import candidates_in
from node.catalog.models.inspections import Inspections, sync
from node.catalog.open_files import Listing, OpenFiles
from node.catalog.shelf import Held, Shelf
from node.db import Database
from node.vocab import personal


def models_keeper(db: Database, shelf: Shelf, *, clock_ms: Callable[[], int]) -> OpenFiles:
    """Make the reading `models`."""
    listing = Listing(_named, sync, Inspections(db.hot()).count)
    return OpenFiles("models", listing, db, shelf, clock_ms=clock_ms)


def _named(held: Held, payload: bytes) -> Collection[str]:
    return [] if personal.contains(held.kind, payload) else [each.url for each in candidates_in(held.iri, payload)]
