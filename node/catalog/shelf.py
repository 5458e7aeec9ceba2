"""The shelf: the newest state of every record, read from the journals. A follower and a reader, nothing else.

Pages, single records and counts are read here in microseconds; payloads come out of the journal's store as the bytes
that were hashed. A withdrawn record keeps its place without a digest, so that its address can say "gone". Everything
on the shelf can be thrown away and read again (`rebuild`); it may write its own table only, and notes what it touched
(`touching`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from node.catalog.touching import touch, touch_all
from node.db import HotReader, Tx
from node.errors import Refuted
from node.journal import Collection, Entry, Payloads, Reader, key_of, newest_of
from node.records import Finding, Level

_COLUMNS = "collection_id, iri, kind, slug, digest, seq, at"
# Addresses are those of our own records: a mirror's slugs are its origin's, and are found by IRI (`by_iri`).
_OWN = "collection_id IN (SELECT id FROM collection WHERE name NOT LIKE '%/%')"
_BY_ADDRESS = (
    f"SELECT {_COLUMNS} FROM shelf WHERE kind = ? AND slug = ? AND {_OWN}"  # noqa: S608
    # One record may stand in two collections of ours, as agreements do: what everyone may see comes first.
    " ORDER BY digest IS NULL, collection_id IN (SELECT id FROM collection WHERE visibility <> 'public'), seq DESC"
    " LIMIT 1"
)
# The same record may be held twice: what may be seen comes first, then what is our own. One look-up for each collection
# and key: the order of the tables matters to SQLite, which else reads the whole shelf.
_BY_IRI = (
    "SELECT s.collection_id, s.iri, s.kind, s.slug, s.digest, s.seq, s.at FROM collection c CROSS JOIN shelf s"
    " WHERE s.collection_id = c.id AND s.record_key = ? AND s.iri = ? AND s.digest IS NOT NULL"
    " ORDER BY c.visibility <> 'public', c.name LIKE '%/%', c.id LIMIT ?"
)
_BY_KEYS = (
    "SELECT s.collection_id, s.iri, s.kind, s.slug, s.digest, s.seq, s.at FROM collection c CROSS JOIN shelf s"
    " WHERE s.collection_id = c.id AND s.record_key IN ({}) AND s.digest IS NOT NULL"
    " ORDER BY c.visibility <> 'public', c.name LIKE '%/%', c.id"
)
_MOST_OF_ONE_IRI = 20
_WITHDRAWN = (
    "SELECT s.iri, s.at FROM shelf s JOIN collection c ON c.id = s.collection_id WHERE s.kind = ? AND s.slug = ?"
    " AND s.digest IS NULL AND c.visibility = 'public' AND c.name NOT LIKE '%/%' ORDER BY s.seq DESC LIMIT 1"
)
_GONE = (
    "SELECT c.name, s.at FROM collection c CROSS JOIN shelf s WHERE s.collection_id = c.id AND s.record_key = ?"
    " AND s.iri = ? AND s.digest IS NULL AND c.visibility = 'public' ORDER BY c.name LIKE '%/%', s.at DESC LIMIT ?"
)
_CHUNK = 500

_OF = "(SELECT id FROM collection WHERE name = ?)"
# The newest entry of each record that is not wholly erased, and the place it should have (none where this node does
# not keep its payload); then places without entry.
_ASTRAY = (
    "SELECT COALESCE(s.slug, e.slug) FROM (SELECT collection_id AS c, record AS r, max(seq) AS m FROM entry"  # noqa: S608
    f" WHERE collection_id = {_OF} AND record IS NOT NULL GROUP BY collection_id, record) x"
    " JOIN entry e ON e.collection_id = x.c AND e.seq = x.m"
    " LEFT JOIN shelf s ON s.collection_id = x.c AND s.record_key = e.record_key"
    " LEFT JOIN refusal f ON f.collection_id = x.c AND f.seq = e.seq"
    " WHERE (f.code IS NOT NULL AND s.seq IS NOT NULL) OR (f.code IS NULL AND (s.seq IS NULL"
    " OR s.seq <> e.seq OR s.iri <> e.record OR s.slug <> e.slug OR s.kind <> e.kind"
    " OR s.at <> e.at OR (e.op = 'put' AND (s.digest IS NULL OR s.digest <> e.digest))"
    " OR (e.op = 'withdraw' AND s.digest IS NOT NULL)))"
    " UNION ALL SELECT s.slug FROM shelf s LEFT JOIN entry e ON e.collection_id = s.collection_id AND e.seq = s.seq"
    f" WHERE s.collection_id = {_OF} AND (e.record IS NULL OR e.record <> s.iri) LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Held:
    """One record as it stands: `at_ms` is the time of its newest entry, `digest` empty once withdrawn."""

    collection: str
    iri: str
    kind: str
    slug: str
    digest: str
    seq: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection as its readers see it: `size` counts the journal's entries; `Shelf.count` counts live records."""

    name: str
    iri: str
    title: str
    visibility: str
    size: int
    updated_at_ms: int


class ShelfFollower:
    """Keeps the shelf's table level with the journals; cursor and effect share a transaction."""

    name = "shelf"

    def apply(self, tx: Tx, collection: Collection, entries: Sequence[Entry], payloads: Payloads) -> None:  # noqa: ARG002
        """Put the newest state of each touched record into its place."""
        newest = {entry.opening.record: entry for entry in entries if entry.opening and entry.opening.op != "erase"}
        _place(tx, collection, newest)
        # What a city of ours erases was superseded, or was the withdrawal of a record of which nothing else is left.
        # In a mirror that may have been refused, so that the record stands on less than its origin knows.
        erased = [entry.opening.target for entry in entries if entry.opening and entry.opening.op == "erase"]
        for start in range(0, len(erased), _CHUNK):
            part = erased[start : start + _CHUNK]
            sql = f"SELECT iri FROM shelf WHERE collection_id = ? AND seq IN ({', '.join('?' * len(part))})"  # noqa: S608
            records = [str(row[0]) for row in tx.rows(sql, collection.id, *part)]
            _place(tx, collection, {each: newest_of(tx, collection, each, upto=entries[-1].seq) for each in records})

    def clear(self, tx: Tx) -> None:
        """Empty the shelf before a rebuild."""
        tx.run("DELETE FROM shelf")
        touch_all(tx)


def _place(tx: Tx, collection: Collection, newest: Mapping[str, Entry | None]) -> None:
    """Give records the places that their newest entries say; those without one, or without payload here, have none."""
    tx.many(
        "INSERT INTO shelf (collection_id, record_key, iri, kind, slug, digest, seq, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (collection_id, record_key) DO UPDATE SET"
        " iri = excluded.iri, kind = excluded.kind, slug = excluded.slug, digest = excluded.digest,"
        " seq = excluded.seq, at = excluded.at",
        [_row(collection.id, entry) for entry in newest.values() if entry and not entry.refused],
    )
    tx.many(
        "DELETE FROM shelf WHERE collection_id = ? AND record_key = ? AND iri = ?",
        [(collection.id, key_of(iri), iri) for iri, entry in newest.items() if entry is None or entry.refused],
    )
    touch(tx, [(collection.id, key_of(iri), iri) for iri in newest])


def _row(collection_id: int, entry: Entry) -> tuple[object, ...]:
    opening = entry.opening
    assert opening is not None  # noqa: S101  (apply filtered)
    digest = bytes.fromhex(opening.digest.removeprefix("sha256:")) if opening.op == "put" and opening.digest else None
    key = key_of(opening.record)
    return collection_id, key, opening.record, opening.kind, opening.slug, digest, entry.seq, entry.at_ms


class Shelf:
    """Reads the shelf; safe in every thread."""

    def __init__(self, reader: Reader) -> None:
        """Read through the database's hot connection."""
        self._reader = reader
        self._db = reader.db
        self._hot = reader.db.hot()
        self._names: dict[int, str] = {}

    def record(self, kind: str, slug: str) -> Held | None:
        """Find a live record of our own by its address."""
        row = self._hot.row(_BY_ADDRESS, (kind, slug))
        return self._held(row) if row and row[4] is not None else None

    def withdrawn(self, kind: str, slug: str) -> tuple[str, int] | None:
        """Give IRI and time of withdrawal of a record that was once at this address, in a public collection.

        That something restricted was ever here is nobody's to know.
        """
        row = self._hot.row(_WITHDRAWN, (kind, slug))
        return (row[0], row[1]) if row else None

    def gone(self, iri: str) -> list[tuple[str, int]]:
        """Give the public collections, own or mirrored, that held this IRI until it was withdrawn there, and when.

        Our own come first, then the newest.
        """
        return [(str(row[0]), int(row[1])) for row in self._hot.rows(_GONE, (key_of(iri), iri, _MOST_OF_ONE_IRI))]

    def by_iri(self, iri: str) -> Held | None:
        """Find a live record by its IRI, own or mirrored."""
        row = self._hot.row(_BY_IRI, (key_of(iri), iri, 1))
        return self._held(row) if row else None

    def all_by_iri(self, iri: str) -> list[Held]:
        """List the live records with an IRI, in the order in which one is chosen: public first, then our own."""
        return [self._held(row) for row in self._hot.rows(_BY_IRI, (key_of(iri), iri, _MOST_OF_ONE_IRI))]

    def holders(self, iris: Sequence[str]) -> dict[str, list[Held]]:
        """Give, for each of these IRIs that has any, its live records in the order of `all_by_iri`."""
        found: dict[str, list[Held]] = {}
        wanted = set(iris)
        keys = list({key_of(iri) for iri in wanted})
        for start in range(0, len(keys), _CHUNK):
            part = keys[start : start + _CHUNK]
            for row in self._hot.rows(_BY_KEYS.format(", ".join("?" * len(part))), part):
                if row[1] in wanted:
                    found.setdefault(row[1], []).append(self._held(row))
        return found

    @property
    def hot(self) -> HotReader:
        """Give the connection that is read through."""
        return self._hot

    def some(self, places: Sequence[tuple[str, str]]) -> list[Held | None]:
        """Give the live records at places (collection, IRI) in the order asked; None where there is none now."""
        found: dict[tuple[str, str], Held] = {}
        by_collection: dict[str, list[str]] = {}
        for collection, iri in places:
            by_collection.setdefault(collection, []).append(iri)
        for collection, iris in by_collection.items():
            for start in range(0, len(iris), _CHUNK):
                keys = [key_of(iri) for iri in iris[start : start + _CHUNK]]
                sql = (
                    f"SELECT {_COLUMNS} FROM shelf WHERE collection_id = {_OF}"  # noqa: S608
                    f" AND record_key IN ({', '.join('?' * len(keys))}) AND digest IS NOT NULL"
                )
                for held in map(self._held, self._hot.rows(sql, (collection, *keys))):
                    found[collection, held.iri] = held
        return [found.get(place) for place in places]

    def page(
        self, collection: str, *, offset: int, limit: int, modified_since_ms: int = 0, kind: str | None = None
    ) -> list[Held]:
        """Give live records of a collection in order of slug."""
        where, params = self._where(collection, modified_since_ms, kind)
        sql = f"SELECT {_COLUMNS} FROM shelf WHERE {where} ORDER BY slug, kind LIMIT ? OFFSET ?"  # noqa: S608
        return [self._held(row) for row in self._hot.rows(sql, (*params, limit, offset))]

    def count(self, collection: str, *, modified_since_ms: int = 0, kind: str | None = None) -> int:
        """Count the live records that `page` would walk."""
        where, params = self._where(collection, modified_since_ms, kind)
        row = self._hot.row(f"SELECT count(*) FROM shelf WHERE {where}", params)  # noqa: S608
        return int(row[0]) if row else 0

    def _where(self, collection: str, since_ms: int, kind: str | None) -> tuple[str, tuple[object, ...]]:
        where = "collection_id = (SELECT id FROM collection WHERE name = ?) AND digest IS NOT NULL"
        params: list[object] = [collection]
        if since_ms:
            where += " AND at >= ?"
            params.append(since_ms)
        if kind:
            where += " AND kind = ?"
            params.append(kind)
        return where, tuple(params)

    def withdrawn_since(self, collection: str, since_ms: int) -> list[Held]:
        """Give the records withdrawn at or after a time, in order of slug; at most 10,000."""
        sql = (
            f"SELECT {_COLUMNS} FROM shelf WHERE collection_id = (SELECT id FROM collection WHERE name = ?)"  # noqa: S608
            " AND digest IS NULL AND at >= ? ORDER BY slug, kind LIMIT 10000"
        )
        return [self._held(row) for row in self._hot.rows(sql, (collection, since_ms))]

    def digests(self, collection: str) -> dict[int, str]:
        """Give record key and digest of every live record of a collection; one number and one text each."""
        sql = "SELECT record_key, digest FROM shelf WHERE collection_id = (SELECT id FROM collection WHERE name = ?)"
        return {
            row[0]: "sha256:" + bytes(row[1]).hex()
            for row in self._hot.rows(sql + " AND digest IS NOT NULL", (collection,))
        }

    def finding_sets(self, collection: str) -> dict[int, bytes]:
        """Give record key and hash of the findings (see `finding_set`) of every record of a collection that has any."""
        sql = (
            "SELECT record_key, set_hash, places FROM finding"
            " WHERE collection_id = (SELECT id FROM collection WHERE name = ?)"
        )
        return {row[0]: _with_places(bytes(row[1]), row[2]) for row in self._hot.rows(sql, (collection,))}

    def payload(self, held: Held) -> bytes:
        """Give the bytes that were hashed; empty if the record is withdrawn or the payload erased."""
        return self.payloads([held])[0]

    def payloads(self, helds: Sequence[Held]) -> list[bytes]:
        """Give many payloads in the order asked."""
        found = self._reader.store.some([held.digest for held in helds if held.digest])
        return [found.get(held.digest, b"") for held in helds]

    def readable(self, helds: Sequence[Held]) -> list[bytes]:
        """Give many payloads in the order asked; empty is also a damaged one, which must not hold up the others."""
        try:
            return self.payloads(helds)
        except Refuted:
            return [b""] if len(helds) == 1 else [body for held in helds for body in self.readable([held])]

    def findings(self, held: Held) -> list[Finding]:
        """Give what was found of a record when it was last harvested."""
        row = self._hot.row(
            "SELECT body, places FROM finding JOIN finding_set ON set_hash = hash"
            " WHERE collection_id = (SELECT id FROM collection WHERE name = ?) AND record_key = ?",
            (held.collection, key_of(held.iri)),
        )
        return findings_from(*row) if row else []

    def finding_counts(self, collection: str) -> list[tuple[Finding, int]]:
        """Count records by finding, most frequent first; where in each record it was seen is left out."""
        rows = self._hot.rows(
            "SELECT body, count(*) FROM finding f JOIN finding_set ON set_hash = hash"
            " JOIN shelf s ON s.collection_id = f.collection_id AND s.record_key = f.record_key"
            " WHERE f.collection_id = (SELECT id FROM collection WHERE name = ?) AND s.digest IS NOT NULL"
            " GROUP BY body",
            (collection,),
        )
        counts: dict[Finding, int] = {}
        for body, count in rows:
            for finding in {_in_general(finding) for finding in findings_from(body)}:
                counts[finding] = counts.get(finding, 0) + int(count)
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].code, pair[0].path))

    def astray(self, collection: str) -> str:
        """Give the slug of a record whose place differs from the newest entry of its journal; empty if all are level.

        The shelf can be thrown away and read again, so no hash guards it: this comparison does.
        """
        found = self._hot.row(_ASTRAY, (collection, collection))
        return str(found[0] or "?") if found else ""

    def collections(self) -> list[CollectionInfo]:
        """Give every collection in order of name; counts nothing, so it stays quick however many records there are."""
        rows = self._hot.rows("SELECT name, iri, title, visibility, size, last_at FROM collection ORDER BY name")
        return [CollectionInfo(*row) for row in rows]

    def version(self) -> int:
        """Give a number that changes whenever anything was committed (for caches of one process)."""
        return self._db.data_version()

    def _held(self, row: tuple[object, ...]) -> Held:
        collection_id, iri, kind, slug, digest, seq, at = row
        name = self._names.get(collection_id) or self._learn(collection_id)  # type: ignore[arg-type, call-overload]
        hexed = "sha256:" + bytes(digest).hex() if digest is not None else ""  # type: ignore[call-overload]
        return Held(name, iri, kind, slug, hexed, seq, at)  # type: ignore[arg-type]

    def _learn(self, collection_id: int) -> str:
        self._names = {row[0]: row[1] for row in self._hot.rows("SELECT id, name FROM collection")}
        return self._names[collection_id]


# An address in a message. They differ from record to record, the rest does not, so they are kept apart from it.
_PLACE = re.compile(r"<[^<>\s]*>")


def findings_body(findings: Sequence[Finding]) -> tuple[str, str]:
    """Spell findings as they are stored: the set with holes for the addresses, and the addresses in their order.

    Sets are sorted, so that equal ones are one row.
    """
    rows = sorted(
        {(f.code, f.level, f.path, _PLACE.sub("<>", f.message), *_PLACE.findall(f.message)) for f in findings}
    )
    places = " ".join(place[1:-1] for row in rows for place in row[4:])
    return _spelt(tuple([row[:4] for row in rows])), places


@lru_cache(maxsize=4096)
def _spelt(rows: tuple[tuple[str, ...], ...]) -> str:
    return json.dumps(rows, ensure_ascii=False)


def findings_from(body: str, places: str = "") -> list[Finding]:
    """Read stored findings back, the gravest first; without the addresses the holes stay."""
    left = iter(places.split(" "))
    found = [
        Finding(code, level, path, _PLACE.sub(lambda _: f"<{next(left, '')}>", message))
        for code, level, path, message in json.loads(body)
    ]
    grave: dict[Level, int] = {"mandatory": 0, "recommended": 1, "repaired": 2, "note": 3}
    return sorted(found, key=lambda f: (grave[f.level], f.code, f.path))


def _in_general(finding: Finding) -> Finding:
    """Leave out the sentences that say where."""
    sentences = finding.message.removesuffix(".").split(". ")
    kept = [sentence for sentence in sentences if "<>" not in sentence]
    return replace(finding, message=". ".join(kept) + ".") if kept else finding


@lru_cache(maxsize=4096)
def finding_set(findings: tuple[Finding, ...]) -> bytes | None:
    """Give the hash under which a set of findings, addresses and all, is known; None for no findings."""
    if not findings:
        return None
    body, places = findings_body(findings)
    return _with_places(_hash(body), places)


@lru_cache(maxsize=4096)
def _hash(body: str) -> bytes:
    return sha256(body.encode()).digest()[:16]


def _with_places(hashed: bytes, places: str) -> bytes:
    return sha256(hashed + places.encode()).digest()[:16] if places else hashed


def save_findings(tx: Tx, collection_id: int, found: Mapping[str, Sequence[Finding]]) -> None:
    """Keep the findings of records by IRI; an empty sequence clears what was there."""
    bodies = {iri: findings_body(findings) for iri, findings in found.items() if findings}
    hashes = {body: _hash(body) for body, _ in set(bodies.values())}
    tx.many(
        "DELETE FROM finding WHERE collection_id = ? AND record_key = ?",
        [(collection_id, key_of(iri)) for iri in found],
    )
    tx.many(
        "INSERT INTO finding_set (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING",
        [(hashed, body) for body, hashed in hashes.items()],
    )
    tx.many(
        "INSERT INTO finding (collection_id, record_key, set_hash, places) VALUES (?, ?, ?, ?)",
        [(collection_id, key_of(iri), hashes[body], places) for iri, (body, places) in bodies.items()],
    )
