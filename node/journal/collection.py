"""Collections: the row that heads each journal, with the size, root and frontier of its tree.

What no hash of the tree covers (name, title, visibility …) is guarded by a checksum over the whole row, so that
`verify` sees a changed byte there as well. Only `journal`, `reading` and `verify` use this module.
"""

import json
import zlib
from dataclasses import dataclass, replace

from node.db import Row, Tx
from node.errors import Malformed, NotFound, Refuted
from node.journal.note import origin_of
from node.journal.tree import EMPTY_ROOT, Frontier
from node.records import is_collection_name

VISIBILITIES = ("public", "restricted")
# Words that stand behind a collection's name in addresses: `/collections/oulu/feed` is no mirror named so.
RESERVED = frozenset({"checkpoint", "entries", "epochs", "feed", "origin", "snapshot", "tile"})
_COLUMNS = "id, name, iri, title, visibility, created_at, size, root, frontier, last_at, epoch"
_ALL = f"SELECT {_COLUMNS}, crc FROM collection"  # noqa: S608 - names of columns, no values


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of records and its journal; `size` is the seq of its newest entry, 0 if there is none."""

    id: int
    name: str
    iri: str
    title: str
    visibility: str
    created_at_ms: int
    size: int
    root: bytes
    frontier: bytes
    last_at_ms: int
    epoch: int

    @property
    def is_mirror(self) -> bool:
        """Tell whether this is the journal of another city, `peer/name`, that only its origin continues."""
        return "/" in self.name

    def grown(self, frontier: Frontier, at_ms: int) -> "Collection":
        """Give the collection as it stands after entries were appended."""
        return replace(self, size=frontier.size, root=frontier.root(), frontier=frontier.to_bytes(), last_at_ms=at_ms)


def insert(tx: Tx, *, name: str, iri: str, title: str, visibility: str, at_ms: int) -> Collection:
    """Write a new, empty collection; Malformed for bad names, Conflict if the name or IRI is taken."""
    _check(name, iri, title, visibility)
    sql = (
        "INSERT INTO collection (name, iri, title, visibility, created_at, size, root, frontier, last_at, epoch, crc)"
        " VALUES (?, ?, ?, ?, ?, 0, ?, ?, 0, 0, 0) RETURNING id"
    )
    row = tx.row(sql, name, iri, title, visibility, at_ms, EMPTY_ROOT, b"")
    collection = Collection(row[0] if row else 0, name, iri, title, visibility, at_ms, 0, EMPTY_ROOT, b"", 0, 0)
    save(tx, collection)
    return collection


def _check(name: str, iri: str, title: str, visibility: str) -> None:
    if not 1 <= name.count("/") + 1 <= 2 or not all(map(is_collection_name, name.split("/"))):
        raise Malformed(f"A collection cannot be named {name!r}.", fix="Use a-z, 0-9 and -, at most 63.")
    if name.rpartition("/")[2] in RESERVED:
        taken = ", ".join(sorted(RESERVED))
        raise Malformed(f"A collection cannot be named {name!r}.", fix=f"These words are taken: {taken}.")
    origin_of(iri)
    check_words(title, visibility)


def check_words(title: str, visibility: str) -> None:
    """Malformed unless the title is text for every database and the visibility is one of ours."""
    if visibility not in VISIBILITIES:
        raise Malformed(f"There is no visibility {visibility!r}.", fix="Use public or restricted.")
    if "\x00" in title:
        raise Malformed("A title holds no NUL.")


def save(tx: Tx, collection: Collection) -> None:
    """Write what may change of a collection, and the checksum."""
    sql = (
        "UPDATE collection SET title = ?, visibility = ?, size = ?, root = ?, frontier = ?, last_at = ?, epoch = ?,"
        " crc = ? WHERE id = ?"
    )
    c = collection
    tx.run(sql, c.title, c.visibility, c.size, c.root, c.frontier, c.last_at_ms, c.epoch, checksum(c), c.id)


def load(tx: Tx, name: str) -> Collection:
    """Read one collection; NotFound if there is none of that name."""
    return load_row(tx, name)[0]


def load_row(tx: Tx, name: str) -> tuple[Collection, int]:
    """Read one collection and its checksum as it is stored."""
    row = tx.row(_ALL + " WHERE name = ?", name)
    if row is None:
        raise NotFound(f"There is no collection {name}.")
    return _of(row), row[-1]


def load_all(tx: Tx) -> list[Collection]:
    """Read all collections, by id."""
    return [_of(row) for row in tx.rows(_ALL + " ORDER BY id")]


def frontier_of(collection: Collection) -> Frontier:
    """Give the frontier of a collection's tree; Refuted if its head is damaged."""
    # Never build on a damaged head: the next checkpoint would sign the damage.
    try:
        frontier = Frontier.from_bytes(collection.size, collection.frontier)
    except ValueError as error:
        raise _damaged(collection) from error
    if frontier.root() != collection.root:
        raise _damaged(collection)
    return frontier


def _damaged(collection: Collection) -> Refuted:
    return Refuted(f"The head of {collection.name} is damaged.", fix="Run citynode journal verify.")


def checksum(collection: Collection) -> int:
    """Give the CRC-32 over everything a collection's row says."""
    c = collection
    values = [c.id, c.name, c.iri, c.title, c.visibility, c.created_at_ms, c.size, c.last_at_ms, c.epoch]
    return zlib.crc32(json.dumps(values).encode() + c.root + c.frontier)


def checkpoint_checksum(collection_id: int, size: int, text: str, signed_at_ms: int) -> int:
    """Give the CRC-32 over everything the row of a checkpoint says."""
    return zlib.crc32(f"{collection_id} {size} {signed_at_ms} {text}".encode())


def _of(row: Row) -> Collection:
    return Collection(*row[:-1])
