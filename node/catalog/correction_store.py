"""The table of corrections: what this city sets right in records of its sources, and what those say themselves.

Owns the table `correction`. Beside the correction a row keeps the source's own payload, so that the record can be given
back as its source has it, to the byte; and what the source says in the corrected places, then and now, so that a change
of it is noticed. Decides nothing and checks nothing.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from node.db import Row, Tx

MOST = 10_000
_COLUMNS = "iri, said, before, now, source, digest, collection, who, at, changed_at, note"
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction.

    Attributes:
        iri: The record.
        said: What stands in it instead, by field (see `node.vocab.overlay`).
        before: What the source said in those places when it was corrected.
        now: What it says there now.
        source: The source's own payload; empty once it was erased.
        digest: Of that payload.
        collection: Where the record stands.
        who: Who corrected.
        at_ms: When.
        changed_ms: Since when the source says something else there; 0 while it does not.
        note: Why.
    """

    iri: str
    said: Mapping[str, Any]
    before: Mapping[str, Any]
    now: Mapping[str, Any]
    source: bytes
    digest: str
    collection: str
    who: str
    at_ms: int
    changed_ms: int = 0
    note: str = ""

    @property
    def version(self) -> str:
        """Name this correction, as a person set it; what the source says meanwhile makes it no other."""
        return sha256(orjson.dumps([self.at_ms, self.who, self.note, _json(self.said)])).hexdigest()[:16]

    @property
    def taken(self) -> bool:
        """Tell whether the source says by now what the correction does, so that it can go."""
        return bool(self.changed_ms) and all(self.now.get(name) == value for name, value in self.said.items())


def put(tx: Tx, new: Correction) -> None:
    """Keep a correction in place of an earlier one of the same record."""
    drop(tx, new.iri)
    values = (new.iri, _json(new.said), _json(new.before), _json(new.now), zlib.compress(new.source), new.digest)
    tx.run(
        f"INSERT INTO correction ({_COLUMNS}) VALUES ({', '.join('?' * 11)})",  # noqa: S608
        *(*values, new.collection, new.who, new.at_ms, new.changed_ms, new.note),
    )


def drop(tx: Tx, iri: str) -> bool:
    """Forget a correction; tell whether there was one."""
    return bool(tx.run("DELETE FROM correction WHERE iri = ?", iri))


def one(tx: Tx, iri: str) -> Correction | None:
    """Find the correction of a record."""
    row = tx.row(f"SELECT {_COLUMNS} FROM correction WHERE iri = ?", iri)  # noqa: S608
    return _correction(row) if row else None


def some(tx: Tx, iris: Sequence[str]) -> dict[str, Correction]:
    """Find the corrections of records, by IRI."""
    found: dict[str, Correction] = {}
    for start in range(0, len(iris), _CHUNK):
        part = iris[start : start + _CHUNK]
        sql = f"SELECT {_COLUMNS} FROM correction WHERE iri IN ({', '.join('?' * len(part))})"  # noqa: S608
        found |= {row[0]: _correction(row) for row in tx.rows(sql, *part)}
    return found


def of_collection(tx: Tx, name: str) -> dict[str, Correction]:
    """Give the corrections of a collection's records, by IRI."""
    sql = f"SELECT {_COLUMNS} FROM correction WHERE collection = ? ORDER BY iri LIMIT ?"  # noqa: S608
    return {row[0]: _correction(row) for row in tx.rows(sql, name, MOST)}


def listed(tx: Tx, *, changed: bool = False, limit: int = MOST) -> list[Correction]:
    """List corrections, the last first; or those whose source says something else now."""
    where = " WHERE changed_at > 0" if changed else ""
    sql = f"SELECT {_COLUMNS} FROM correction{where} ORDER BY at DESC, iri LIMIT ?"  # noqa: S608
    return [_correction(row) for row in tx.rows(sql, min(limit, MOST))]


def renew(tx: Tx, heard: Iterable[Correction]) -> None:
    """Keep what sources say now of records that are corrected already; what a person meanwhile corrected stays."""
    tx.many(
        "UPDATE correction SET before = ?, now = ?, source = ?, digest = ?, changed_at = ?, collection = ?"
        " WHERE iri = ? AND at = ?",
        [
            (*_heard(one), zlib.compress(one.source), one.digest, one.changed_ms, one.collection, one.iri, one.at_ms)
            for one in heard
        ],
    )


def _heard(one: Correction) -> tuple[str, str]:
    return _json(one.before), _json(one.now)


def forget_source(tx: Tx, digest: str) -> None:
    """Forget all that a source said where its payload was erased; the correction itself stays."""
    sql = "UPDATE correction SET source = ?, digest = '', before = '{}', now = '{}', changed_at = 0 WHERE digest = ?"
    if digest:
        tx.run(sql, zlib.compress(b""), digest)


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _correction(row: Row) -> Correction:
    iri, said, before, now, source, digest, *rest = row
    return Correction(
        iri, orjson.loads(said), orjson.loads(before), orjson.loads(now), zlib.decompress(source), digest, *rest
    )
