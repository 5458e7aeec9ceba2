"""Whose rows may have gone to a city: noted before they do, so that it hears of nobody whose row it never had.

For each agreement, dataset, city and purpose there is a field of 16 million places; a person has one of them, found by
their key under a salt that is told to nobody. Who may have rows leave has theirs marked before the first byte, for
good. So the answer is yes for everybody who ever was allowed at a read, and for others hardly ever, since two persons
may have one place. What the source shows today may be less than what it showed then. Owns the table.
"""

import hmac
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Set

from node.db import Database, Tx
from node.federation.consent.store import ConsentRead

_PLACE = 3  # bytes of the salted key
_BYTES = 1 << (8 * _PLACE - 3)
_KEPT = 4


class Went:
    """Marks and tells. Safe to share by threads and processes; keeps who was marked last for a few questions."""

    def __init__(self, db: Database) -> None:
        """Keep it in this database."""
        self._db = db
        self._lock = threading.Lock()
        self._marked: OrderedDict[tuple[str, ...], Set[str]] = OrderedDict()

    def mark(self, read: ConsentRead, subjects: Set[str]) -> None:
        """Note that rows of these may leave from now on; to be called before they do."""
        key = _key(read)
        with self._lock:
            before = self._marked.get(key)
        if before is not None and subjects <= before:
            return
        with self._db.write() as tx:
            tx.lock(f"withdrawals/{read.dataset}")
            self._put(tx, read, places_of(read, subjects - (before or frozenset())).values())
        with self._lock:
            self._marked[key] = subjects
            self._marked.move_to_end(key)
            while len(self._marked) > _KEPT:
                self._marked.popitem(last=False)

    def _put(self, tx: Tx, read: ConsentRead, places: Iterable[int]) -> None:
        held = self._places(tx, read)
        field = bytearray(_BYTES) if held is None else bytearray(held)
        for place in places:
            field[place >> 3] |= 1 << (place & 7)
        if held is not None and field == held:
            return
        sql = (
            "INSERT INTO consent_went (agreement, dataset, peer, purpose, places) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (agreement, dataset, peer, purpose) DO UPDATE SET places = excluded.places"
        )
        tx.run(sql, *_key(read), zlib.compress(field, 1))

    def among(self, tx: Tx, read: ConsentRead, subjects: Iterable[str]) -> Set[str]:
        """Give those of some persons whose rows may have gone; all of them where nothing was noted."""
        field = self._places(tx, read)
        if field is None:
            return frozenset(subjects)
        return frozenset(each for each, place in places_of(read, subjects).items() if _is_marked(field, place))

    def _places(self, tx: Tx, read: ConsentRead) -> bytes | None:
        where = "agreement = ? AND dataset = ? AND peer = ? AND purpose = ?"
        row = tx.row(f"SELECT places FROM consent_went WHERE {where}", *_key(read))  # noqa: S608
        return zlib.decompress(bytes(row[0])) if row else None


def forget(tx: Tx, agreement: str) -> None:
    """Forget whose rows went under an agreement; only where nobody is told of anything under it any more."""
    tx.run("DELETE FROM consent_went WHERE agreement = ?", agreement)


def places_of(read: ConsentRead, subjects: Iterable[str]) -> Mapping[str, int]:
    """Give the place of each person, of 16 million."""
    salt, before = bytes.fromhex(read.salt), f"went {read.peer} {read.purpose} ".encode()
    digest, number = hmac.digest, int.from_bytes  # everybody of a town is looked up at a read
    return {each: number(digest(salt, before + each.encode(), "sha256")[:_PLACE]) for each in subjects}


def _is_marked(field: bytes, place: int) -> bool:
    return bool(field[place >> 3] & 1 << (place & 7))


def _key(read: ConsentRead) -> tuple[str, str, str, str]:
    return (read.agreement, read.dataset, read.peer, read.purpose)
