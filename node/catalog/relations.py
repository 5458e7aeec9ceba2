"""What points to what among the records of knowledge, and when each is to be looked at again.

A follower reads every practice, adoption, AI system and so on by the table of its kind and keeps its links to other
records, ours or a peer's, held here or not: so a dataset's page knows who uses it, also when it comes later than its
users. Who may see a link is decided by whoever asks: it names the collections that may be seen, and nothing of others
is read. Writes the tables `knowledge` and `relation`, and nothing else; both can be thrown away and read again.
"""

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from node.catalog.addresses import record_of
from node.catalog.shelf import Shelf
from node.db import Tx
from node.journal import Collection as Journal
from node.journal import Entry, Payloads, key_of, newest_of
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.reading import links_in, part_of, said_in

REVIEW = "review"
MOST_LINKS = 500
MOST_FOUND = 1_000
_CHUNK = 500
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
# What is not on the shelf is in no answer, whatever the follower still keeps of it.
_HELD = (
    " JOIN collection c ON c.id = k.collection_id JOIN shelf s"
    " ON s.collection_id = k.collection_id AND s.record_key = k.record_key AND s.iri = k.iri AND s.digest IS NOT NULL"
)
_LINK = "r.collection_id = k.collection_id AND r.record_key = k.record_key"
# However many one collection sends, there is room for others: the newest of each come first, then the next of each.
_INTO = (
    "SELECT name, iri, kind, field, target FROM (SELECT c.name AS name, k.iri AS iri, k.kind AS kind, r.name AS field,"  # noqa: S608
    " r.target AS target, s.at AS at, ROW_NUMBER() OVER (PARTITION BY c.name, k.kind, r.name ORDER BY s.at DESC, k.iri)"
    f" AS place FROM relation r JOIN knowledge k ON {_LINK}{_HELD}"
    " WHERE r.target_key IN ({targets}) AND c.name IN ({shown})) AS placed"
    " WHERE place <= ? ORDER BY place, at DESC, iri, field LIMIT ?"
)
_OUT_OF = (
    f"SELECT c.name, k.iri, k.kind, r.name, r.target FROM knowledge k{_HELD} JOIN relation r ON {_LINK}"  # noqa: S608
    " WHERE c.name = ? AND k.record_key = ? AND k.iri = ? ORDER BY r.name, r.target"
)
_DUE = (
    f"SELECT c.name, k.iri, k.kind, k.review_day FROM knowledge k{_HELD}"  # noqa: S608
    " WHERE k.review_day < ? AND c.name NOT LIKE '%/%' ORDER BY k.review_day, k.iri LIMIT ?"
)

# Of whatever this node holds, also mirrors: a peer asks and answers in its own journal.
_ASKED = (
    f"SELECT c.name, k.iri, k.kind, s.at FROM knowledge k{_HELD} WHERE k.kind = 'question'"  # noqa: S608
    f" AND EXISTS (SELECT 1 FROM relation r JOIN shelf t ON t.record_key = r.target_key AND t.iri = r.target"
    " AND t.digest IS NOT NULL JOIN collection tc ON tc.id = t.collection_id AND tc.name NOT LIKE '%/%'"
    f" WHERE {_LINK} AND r.name = 'about')"
    " AND NOT EXISTS (SELECT 1 FROM relation a JOIN shelf t ON t.collection_id = a.collection_id"
    " AND t.record_key = a.record_key AND t.digest IS NOT NULL AND t.kind = 'answer'"
    " WHERE a.target_key = k.record_key AND a.target = k.iri AND a.name = 'question')"
    " ORDER BY s.at, k.iri LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Relation:
    """One link: the record of this kind, in this collection, names `target` in its field `name`.

    `name` is a field's name, `group.field` within a group.
    """

    collection: str
    iri: str
    kind: str
    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Due:
    """A record that waits for us by the end of a day, counted since 1970-01-01: to be looked at again, or answered."""

    collection: str
    iri: str
    kind: str
    day: int


class RelationsFollower:
    """Keeps both tables level with the journals; cursor and effect share a transaction."""

    name = "relations"

    def __init__(self, tables: Mapping[str, KindTable]) -> None:
        """Read records of these kinds; others have no links that are followed."""
        self._tables = {kind: part_of(table, _is_followed) for kind, table in tables.items()}

    def apply(self, tx: Tx, collection: Journal, entries: Sequence[Entry], payloads: Payloads) -> None:
        """Take in the newest state of each record that changed."""
        newest: dict[str, Entry | None] = {
            entry.opening.record: entry for entry in entries if entry.opening and entry.opening.op != "erase"
        }
        self._place(tx, collection, newest, payloads)
        # As on the shelf: in a mirror a record may have stood on what was erased, and stands on less now.
        erased = [entry.opening.target for entry in entries if entry.opening and entry.opening.op == "erase"]
        for start in range(0, len(erased), _CHUNK):
            part = erased[start : start + _CHUNK]
            sql = f"SELECT iri FROM knowledge WHERE collection_id = ? AND seq IN ({_marks(part)})"  # noqa: S608
            records = [str(row[0]) for row in tx.rows(sql, collection.id, *part)]
            again = {each: newest_of(tx, collection, each, upto=entries[-1].seq) for each in records}
            self._place(tx, collection, again, payloads)

    def clear(self, tx: Tx) -> None:
        """Forget everything before a rebuild."""
        tx.run("DELETE FROM relation")
        tx.run("DELETE FROM knowledge")

    def _place(self, tx: Tx, collection: Journal, newest: Mapping[str, Entry | None], payloads: Payloads) -> None:
        _forget(tx, collection.id, list(newest))
        wanted = [entry for entry in newest.values() if entry is not None and self._is_read(entry)]
        bodies = payloads(entry.opening.digest for entry in wanted if entry.opening and entry.opening.digest)
        records: list[tuple[object, ...]] = []
        links: list[tuple[object, ...]] = []
        for entry in wanted:
            opening = entry.opening
            body = bodies.get(opening.digest or "") if opening else None
            if opening is None or body is None:
                continue
            table, key = self._tables[opening.kind], key_of(opening.record)
            said = said_in(table, opening.record, body)
            records.append((collection.id, key, opening.record, opening.kind, entry.seq, _review_day(said)))
            # A peer, or this city before, may have written the address of a page about the record.
            found = ((name, record_of(target)) for name, target in links_in(table, said))
            named = list(dict.fromkeys(found))[:MOST_LINKS]
            links += [(collection.id, key, name, key_of(target), target) for name, target in named]
        tx.many(
            "INSERT INTO knowledge (collection_id, record_key, iri, kind, seq, review_day) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            records,
        )
        tx.many(
            "INSERT INTO relation (collection_id, record_key, name, target_key, target) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            links,
        )

    def _is_read(self, entry: Entry) -> bool:
        opening = entry.opening
        return opening is not None and opening.op == "put" and opening.kind in self._tables and not entry.refused


def _forget(tx: Tx, collection_id: int, iris: Sequence[str]) -> None:
    """Drop what was kept of records; most that change are none of ours, and are told by one question for many."""
    for start in range(0, len(iris), _CHUNK):
        keys = [key_of(iri) for iri in iris[start : start + _CHUNK]]
        sql = f"SELECT record_key FROM knowledge WHERE collection_id = ? AND record_key IN ({_marks(keys)})"  # noqa: S608
        known = [(collection_id, row[0]) for row in tx.rows(sql, collection_id, *keys)]
        tx.many("DELETE FROM relation WHERE collection_id = ? AND record_key = ?", known)
        tx.many("DELETE FROM knowledge WHERE collection_id = ? AND record_key = ?", known)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _is_followed(field: Field) -> bool:
    return (field.form == "link" and bool(field.to)) or field.name == REVIEW


def _review_day(said: Mapping[str, Any]) -> int | None:
    """Give the last day of the date, month or year by which a record is to be looked at again, since 1970-01-01."""
    value = said.get(REVIEW)
    if not isinstance(value, str):
        return None
    year, month, day = (*map(int, value.split("-")), 0, 0)[:3]
    month = month or 12
    return (date(year, month, day or monthrange(year, month)[1]) - _EPOCH).days


class Relations:
    """Reads what the follower keeps; safe in every thread."""

    def __init__(self, shelf: Shelf) -> None:
        """Read through the shelf's connection; what is not on the shelf is in no answer."""
        self._hot = shelf.hot

    def into(self, targets: Sequence[str], shown: Collection[str], each: int = MOST_FOUND) -> list[Relation]:
        """Give the links to records with these IRIs from live records of the collections `shown`.

        The newest of each collection, kind and field come first, then the next of each. At most 1,000, `each` of one
        collection, kind and field, and of at most 500 targets. A record that is held in two collections is in the
        answer twice.
        """
        if not targets or not shown:
            return []
        asked, names = list(dict.fromkeys(targets))[:_CHUNK], sorted(shown)
        sql = _INTO.format(targets=_marks(asked), shown=_marks(names))
        rows = self._hot.rows(sql, (*map(key_of, asked), *names, each, MOST_FOUND))
        wanted = set(asked)
        return [found for row in rows if (found := Relation(*row)).target in wanted]

    def out_of(self, collection: str, iri: str) -> list[Relation]:
        """Give the links of one live record, in order of field and target."""
        return [Relation(*row) for row in self._hot.rows(_OUT_OF, (collection, key_of(iri), iri))]

    def due(self, before_day: int, limit: int = MOST_FOUND) -> list[Due]:
        """Give our own live records whose review is due before a day (since 1970-01-01), the longest due first."""
        return [Due(*row) for row in self._hot.rows(_DUE, (before_day, limit))]

    def asked(self, limit: int = MOST_FOUND) -> list[Due]:
        """Give the live questions about records of ours, anybody's, that nobody has answered, the oldest first.

        The day is that on which each was asked.
        """
        rows = self._hot.rows(_ASKED, (limit,))
        return [Due(name, iri, kind, int(at_ms) // _DAY_MS) for name, iri, kind, at_ms in rows]
