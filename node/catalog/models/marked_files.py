"""Which files the datasets that are marked as about residents name: of these nothing that was read is told in the open.

A mark is set where data lie and not in a record, so it is asked for each time. A marked dataset counts in whatever
collection of ours it stands, since the same file may be named by an open one. Reads the shelf.
"""

from collections.abc import Callable, Collection

from node.catalog.models.candidates import distributions_of, urls_of
from node.catalog.shelf import Shelf
from node.db import Database
from node.vocab.terms import DCAT


class MarkedFiles:
    """Tells. Safe to share by threads; reads records anew only when something was written."""

    def __init__(self, db: Database, shelf: Shelf, datasets: Callable[[], Collection[str]]) -> None:
        """Read nothing yet; `datasets` names those that are marked."""
        self._db, self._shelf, self._datasets = db, shelf, datasets
        self._seen: tuple[int, frozenset[str]] | None = None

    def __call__(self) -> frozenset[str]:
        """Give the addresses of their files."""
        version, seen = self._db.data_version(), self._seen
        if seen is None or seen[0] != version:
            self._seen = seen = (version, self._read())
        return seen[1]

    def _read(self) -> frozenset[str]:
        helds = [each for some in self._shelf.holders(list(self._datasets())).values() for each in some]
        ours = [each for each in helds if "/" not in each.collection]
        return frozenset(
            url
            for held, payload in zip(ours, self._shelf.readable(ours), strict=True)
            for node in distributions_of(held.iri, payload)
            for term in (DCAT.downloadURL, DCAT.accessURL)
            for url in urls_of(node, term)
        )
