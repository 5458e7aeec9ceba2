"""The collections that everyone may read, by name: where records of one kind live here and in every mirror.

Records that cities write themselves stand in collections of a fixed name (`vocabularies`, `sets`), so that those of all
cities are found without searching mirrors of millions. Asks the table of collections and counts nothing.
"""

from collections.abc import Sequence

from node.catalog.shelf import Held, Shelf
from node.errors import Conflict

_PUBLIC = "SELECT name FROM collection WHERE visibility = 'public'"


def public(shelf: Shelf) -> list[str]:
    """Give the names of the public collections, our own first."""
    return _ours_first(shelf, _PUBLIC, ())


def homes(shelf: Shelf, name: str) -> list[str]:
    """Give the public collections of that name: ours, then the mirrors of peers'."""
    return _ours_first(shelf, f"{_PUBLIC} AND (name = ? OR name LIKE ?)", (name, f"%/{name}"))


def nodes_own(name: str) -> Conflict:
    """Say that nobody publishes into a collection, since the node alone writes it (`records.is_nodes_own`)."""
    return Conflict(
        f"{name} is written by the node alone.", fix="Choose another collection of ours: citynode collections list"
    ).on_page("no.collection.filled", field="collection", name=name)


def _ours_first(shelf: Shelf, sql: str, parameters: Sequence[object]) -> list[str]:
    return sorted((str(row[0]) for row in shelf.hot.rows(sql, parameters)), key=lambda found: ("/" in found, found))


def records(shelf: Shelf, name: str, kind: str, *, most: int) -> list[Held]:
    """Give the live records of a kind in all collections of that name; at most so many of each."""
    return [held for home in homes(shelf, name) for held in shelf.page(home, offset=0, limit=most, kind=kind)]
