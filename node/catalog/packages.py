"""Records under the names and ids that CKAN gives to packages: unique, stable, and found again without a table.

CKAN knows one flat space of names (`a-z0-9_-`, at most 100) and ids that are UUIDs. A record of our own is named by its
slug, a mirrored one `{peer}_{slug}`; slugs and peers' names hold no underscore, so no two names can meet. An id is made
of the record's key, so it leads back to the record. Reads the shelf's table, of given collections only; writes nothing.
"""

import hashlib
import re
import uuid
from collections.abc import Collection, Iterable, Sequence

from node.catalog.shelf import Held
from node.journal import Reader, key_of
from node.records import is_collection_name, slug_of

KINDS = ("dataset", "dataset-series")  # what CKAN has a word for
MAX_NAME = 100
_SERIES = "__series"
_REGULAR = re.compile(r"[a-z0-9][a-z0-9-]{0,79}\Z")
_KEYED = re.compile(r".*__([0-9a-f]{16})\Z")
_COLUMNS = "collection_id, iri, kind, slug, digest, seq, at"
_LIVE = "kind IN (?, ?) AND digest IS NOT NULL AND collection_id IN ({})"


def name_of(held: Held) -> str:
    """Give the name of a record's package; one that is too long or irregular ends in the record's key instead."""
    peer = held.collection.rpartition("/")[0]
    plain = "_".join(part for part in (peer, held.slug) if part) + (_SERIES if held.kind == "dataset-series" else "")
    if _REGULAR.match(held.slug) and len(plain) <= MAX_NAME:
        return plain
    head = "_".join(part for part in (peer, slug_of(held.slug)) if part)[: MAX_NAME - 18]
    return f"{head}__{key_of(held.iri) & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def id_of(held: Held) -> str:
    """Give the id of a record's package: a UUID of version 8 (RFC 9562, 5.8) that begins with the record's key.

    The rest is a hash of collection and IRI, because one record may stand in several collections.
    """
    key = key_of(held.iri) & 0xFFFF_FFFF_FFFF_FFFF
    rest = int.from_bytes(hashlib.sha256(f"{held.collection}\n{held.iri}".encode()).digest()[:8], "big") >> 6
    # 48 bits of the key, the version, 12 bits of it, the variant, its last 4 bits, the rest.
    return str(uuid.UUID(int=key >> 16 << 80 | 8 << 76 | (key >> 4 & 0xFFF) << 64 | 2 << 62 | (key & 0xF) << 58 | rest))


def _key_in(identifier: str) -> int | None:
    """Read the record's key out of an id of ours; None for any other text."""
    try:
        value = uuid.UUID(identifier)
    except ValueError:
        return None
    if value.version != 8:
        return None
    bits = value.int
    return _signed(bits >> 80 << 16 | (bits >> 64 & 0xFFF) << 4 | bits >> 58 & 0xF)


def _signed(key: int) -> int:
    return key - (1 << 64) if key >> 63 else key


class Packages:
    """Finds packages by name and id, and lists them in a lasting order. Safe in every thread.

    Every method takes the local names of the collections that may be seen; of others nothing is told.
    """

    def __init__(self, reader: Reader) -> None:
        """Read through the database's hot connection."""
        self._hot = reader.db.hot()

    def find(self, called: str, shown: Collection[str]) -> Held | None:
        """Find a package by its id, its name, or the record's IRI."""
        if ":" in called:
            return next(iter(self._by_key(key_of(called), shown, iri=called)), None)
        if (key := _key_in(called)) is not None:
            found = [held for held in self._by_key(key, shown) if id_of(held) == called.lower()]
        elif keyed := _KEYED.match(called):
            found = [held for held in self._by_key(_signed(int(keyed[1], 16)), shown) if name_of(held) == called]
        else:
            found = self._by_name(called, shown)
        return found[0] if found else None

    def _by_name(self, called: str, shown: Collection[str]) -> list[Held]:
        kind = "dataset-series" if called.endswith(_SERIES) else "dataset"
        peer, _, slug = called.removesuffix(_SERIES).rpartition("_")
        if not _REGULAR.match(slug) or (peer and not is_collection_name(peer)):
            return []
        ids = self._ids([name for name in shown if name.rpartition("/")[0] == peer])
        if not ids:
            return []
        sql = f"SELECT {_COLUMNS} FROM shelf WHERE slug = ? AND {_LIVE.format(_marks(ids))} ORDER BY collection_id"  # noqa: S608
        rows = self._hot.rows(sql, (slug, kind, kind, *ids))
        return [held for held in self._held(ids, rows) if name_of(held) == called]

    def _by_key(self, key: int, shown: Collection[str], *, iri: str = "") -> list[Held]:
        ids = self._ids(shown)
        if not ids:
            return []
        sql = (
            f"SELECT {_COLUMNS} FROM shelf WHERE record_key = ? AND {_LIVE.format(_marks(ids))} ORDER BY collection_id"  # noqa: S608
        )
        found = self._held(ids, self._hot.rows(sql, (key, *KINDS, *ids)))
        return [held for held in found if not iri or held.iri == iri]

    def count(self, shown: Collection[str], *, since_ms: int = 0) -> int:
        """Count the packages whose newest entry is of that time or later."""
        ids = self._ids(shown)
        if not ids:
            return 0
        sql = f"SELECT count(*) FROM shelf WHERE {_LIVE.format(_marks(ids))}{_since(since_ms)}"  # noqa: S608
        row = self._hot.row(sql, (*KINDS, *ids, *_since_of(since_ms)))
        return int(row[0]) if row else 0

    def page(self, shown: Collection[str], *, offset: int, limit: int, since_ms: int = 0) -> list[Held]:
        """List packages: collection by collection in the order they came to this node, each in order of slug."""
        ids = self._ids(shown)
        if not ids:
            return []
        sql = (
            f"SELECT {_COLUMNS} FROM shelf WHERE {_LIVE.format(_marks(ids))}{_since(since_ms)}"  # noqa: S608
            " ORDER BY collection_id, slug, kind LIMIT ? OFFSET ?"
        )
        return self._held(ids, self._hot.rows(sql, (*KINDS, *ids, *_since_of(since_ms), limit, offset)))

    def _ids(self, shown: Collection[str]) -> dict[int, str]:
        """Give the collections' local names by number, in order of number."""
        rows = self._hot.rows("SELECT id, name FROM collection ORDER BY id")
        return {row[0]: row[1] for row in rows if row[1] in shown}

    def _held(self, names: dict[int, str], rows: Iterable[Sequence[object]]) -> list[Held]:
        return [
            Held(names[of], iri, kind, slug, "sha256:" + bytes(digest).hex(), seq, at)  # type: ignore[index, arg-type, call-overload]
            for of, iri, kind, slug, digest, seq, at in rows
        ]


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _since(since_ms: int) -> str:
    return " AND at >= ?" if since_ms else ""


def _since_of(since_ms: int) -> tuple[int, ...]:
    return (since_ms,) if since_ms else ()
