"""The addresses of files: which records name them, what is known of each, and when it is to be tried again.

Owner of the tables `link` (an address), `link_of` (who names it) and `link_host` (when its origin may be asked again).
An address that many records name is tried once for all of them. When it begins or ceases to answer, its records are
touched, so that their points are read anew. Values and SQL; nothing is fetched here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from node.catalog.quality.assess import Link
from node.catalog.touching import touch
from node.db import HotReader, Tx
from node.journal import key_of

State = Literal["ok", "failed", "unknown"]
KNOWN: Mapping[str, bool | None] = {"ok": True, "failed": False, "unknown": None}
_CHUNK = 400
_TOUCHED = 5_000
_COLUMNS = "l.url, l.state, l.status, l.detail, l.checked_at, l.bytes, l.media_type"


@dataclass(frozen=True, slots=True)
class Tried:
    """What is known of one address.

    `status` is that of its last answer, 0 if there was none; `detail` a word of `checker` that says why it is not ok;
    `size` and `media_type` are what its server says of it. `checked_ms` is 0 until it was tried.
    """

    url: str
    state: State
    status: int
    detail: str
    checked_ms: int
    size: int | None
    media_type: str

    @property
    def answers(self) -> bool | None:
        """Tell whether it answers; None if that is not known."""
        return KNOWN[self.state]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of trying one address, as it is kept: `fails` in a row, `next_ms` when it is to be tried again."""

    url: str
    state: State
    status: int
    detail: str
    at_ms: int
    next_ms: int
    fails: int
    size: int | None = None
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """An address to be tried, with what was known of it."""

    url: str
    state: State
    fails: int


@dataclass(frozen=True, slots=True)
class Host:
    """An origin that may be asked again: how often in a row it could not be reached."""

    name: str
    fails: int


@lru_cache(maxsize=8_192)
def host_of(url: str) -> str:
    """Give the origin of an address as its politeness is counted by: scheme, host and port; empty if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{port}" if host else ""


class Links:
    """Reads what is known of addresses; safe in every thread."""

    def __init__(self, hot: HotReader) -> None:
        """Read through a database's hot connection."""
        self._hot = hot

    def answers(self, urls: Iterable[str]) -> dict[str, bool | None]:
        """Tell of each address whether it answers; None where that is not known."""
        found: dict[str, bool | None] = dict.fromkeys(urls)
        wanted = list(found)
        for start in range(0, len(wanted), _CHUNK):
            part = [key_of(url) for url in wanted[start : start + _CHUNK]]
            sql = f"SELECT url, state FROM link WHERE url_key IN ({', '.join('?' * len(part))})"  # noqa: S608
            found |= {url: KNOWN[state] for url, state in self._hot.rows(sql, part) if url in found}
        return found

    def tried(self, urls: Iterable[str]) -> dict[str, Tried]:
        """Give what is known of addresses; those that nobody noted are left out."""
        keys = [key_of(url) for url in urls][:_CHUNK]
        sql = f"SELECT {_COLUMNS} FROM link l WHERE l.url_key IN ({', '.join('?' * len(keys))})"  # noqa: S608
        return {row[0]: Tried(*row) for row in self._hot.rows(sql, keys)} if keys else {}

    def failing(self, collection: str, *, limit: int) -> list[tuple[str, str, Tried]]:
        """List addresses of a collection that fail, as IRI of the record, role and address; by host, then address."""
        rows = self._hot.rows(
            f"SELECT s.iri, o.role, {_COLUMNS} FROM link_of o JOIN link l ON l.url_key = o.url_key"  # noqa: S608
            " JOIN shelf s ON s.collection_id = o.collection_id AND s.record_key = o.record_key"
            " WHERE o.collection_id = (SELECT id FROM collection WHERE name = ?) AND l.state = 'failed'"
            " ORDER BY l.host, l.url, s.iri, o.role LIMIT ?",
            (collection, limit),
        )
        return [(row[0], row[1], Tried(*row[2:])) for row in rows]

    def counts(self) -> dict[str, int]:
        """Count addresses by state; `untried` are those of the unknown that were never tried."""
        rows = self._hot.rows("SELECT state, checked_at = 0, count(*) FROM link GROUP BY state, checked_at = 0")
        found = {"ok": 0, "failed": 0, "unknown": 0, "untried": 0}
        for state, untried, number in rows:
            found[state] += number
            found["untried"] += number if untried else 0
        return found

    def dead(self, tries: int) -> int:
        """Count addresses that records of our own name and that failed so many times in a row, or more often."""
        row = self._hot.row(
            "SELECT count(*) FROM link l WHERE l.state = 'failed' AND l.fails >= ? AND EXISTS (SELECT 1 FROM link_of o"
            " JOIN collection c ON c.id = o.collection_id WHERE o.url_key = l.url_key AND c.name NOT LIKE '%/%')",
            (tries,),
        )
        return int(row[0]) if row else 0

    def tried_of(self, collection: str) -> tuple[int, int]:
        """Count the addresses that a collection names, and those of them that were tried."""
        row = self._hot.row(
            "SELECT count(*), coalesce(sum(CASE WHEN l.checked_at > 0 THEN 1 ELSE 0 END), 0) FROM link l"
            " WHERE l.url_key IN (SELECT o.url_key FROM link_of o"
            " WHERE o.collection_id = (SELECT id FROM collection WHERE name = ?))",
            (collection,),
        )
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def hosts_due(self, now_ms: int, limit: int) -> list[Host]:
        """List origins that may be asked now, the longest waiting first."""
        sql = "SELECT host, fails FROM link_host WHERE next_at <= ? AND free_at <= ? ORDER BY next_at, host LIMIT ?"
        return [Host(*row) for row in self._hot.rows(sql, (now_ms, now_ms, limit))]

    def due(self, host: str, now_ms: int) -> Due | None:
        """Give the address of an origin that has waited longest, if any is due."""
        sql = "SELECT url, state, fails FROM link WHERE host = ? AND next_at <= ? ORDER BY next_at LIMIT 1"
        row = self._hot.row(sql, (host, now_ms))
        return Due(*row) if row else None


@dataclass(frozen=True, slots=True)
class Named:
    """The addresses that one record names now; none for a record that is no more."""

    collection_id: int
    record_key: int
    links: Sequence[Link]


def note(tx: Tx, records: Sequence[Named], *, now_ms: int) -> None:
    """Note which addresses records name; new ones are due at once, what nobody names any more is forgotten."""
    had = _had(tx, records)
    wanted = {
        (each.collection_id, each.record_key, key_of(link.url), link.role): link.url
        for each in records
        for link in each.links
        if host_of(link.url)
    }
    new = [(row, url) for row, url in wanted.items() if row not in had]
    urls = {row[2]: url for row, url in new}
    tx.many(
        "INSERT INTO link (url_key, url, host, next_at) VALUES (?, ?, ?, ?) ON CONFLICT (url_key) DO NOTHING",
        [(key, url, host_of(url), now_ms) for key, url in urls.items()],
    )
    tx.many(
        "INSERT INTO link_of (collection_id, record_key, url_key, role) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [row for row, _ in new],
    )
    # That an origin has a link that is due changes nothing of when it may be asked.
    tx.many(
        "INSERT INTO link_host (host, next_at) VALUES (?, ?) ON CONFLICT (host) DO UPDATE"
        " SET next_at = excluded.next_at WHERE link_host.next_at > excluded.next_at",
        [(host, now_ms) for host in sorted({host_of(url) for url in urls.values()})],
    )
    _drop(tx, [row for row in had if row not in wanted])


def _had(tx: Tx, records: Sequence[Named]) -> set[tuple[int, int, int, str]]:
    """Give what the records named until now, as rows of `link_of`."""
    found: set[tuple[int, int, int, str]] = set()
    by_collection: dict[int, list[int]] = {}
    for each in records:
        by_collection.setdefault(each.collection_id, []).append(each.record_key)
    for collection_id, keys in by_collection.items():
        for start in range(0, len(keys), _CHUNK):
            part = keys[start : start + _CHUNK]
            marks = ", ".join("?" * len(part))
            sql = "SELECT collection_id, record_key, url_key, role FROM link_of WHERE collection_id = ?"
            rows = tx.rows(f"{sql} AND record_key IN ({marks})", collection_id, *part)
            found |= {(int(row[0]), int(row[1]), int(row[2]), str(row[3])) for row in rows}
    return found


def clear(tx: Tx) -> None:
    """Forget who names what; what is known of addresses stays, to be found again."""
    tx.run("DELETE FROM link_of")


def sweep(tx: Tx) -> None:
    """Forget addresses that nobody names, and origins without address."""
    tx.run("DELETE FROM link WHERE NOT EXISTS (SELECT 1 FROM link_of o WHERE o.url_key = link.url_key)")
    tx.run("DELETE FROM link_host WHERE NOT EXISTS (SELECT 1 FROM link l WHERE l.host = link_host.host)")


def save(tx: Tx, outcome: Outcome) -> None:
    """Keep what came of trying an address; the records that name it are touched if it began or ceased to answer."""
    key = key_of(outcome.url)
    row = tx.row("SELECT state FROM link WHERE url_key = ? AND url = ?", key, outcome.url)
    if row is None:
        return  # its last record was withdrawn meanwhile
    tx.run(
        "UPDATE link SET state = ?, status = ?, detail = ?, checked_at = ?, next_at = ?, fails = ?, bytes = ?,"
        " media_type = ? WHERE url_key = ?",
        *(outcome.state, outcome.status, outcome.detail, outcome.at_ms, outcome.next_ms, outcome.fails),
        *(outcome.size, outcome.media_type, key),
    )
    if row[0] != outcome.state:
        _touch(tx, [key])


def rest(tx: Tx, host: str, *, until_ms: int, fails: int) -> None:
    """Leave an origin alone until a time, and beyond it until one of its addresses is due; forget one without any."""
    row = tx.row("SELECT min(next_at) FROM link WHERE host = ?", host)
    if row is None or row[0] is None:
        tx.run("DELETE FROM link_host WHERE host = ?", host)
        return
    tx.run(
        "INSERT INTO link_host (host, next_at, free_at, fails) VALUES (?, ?, ?, ?) ON CONFLICT (host) DO UPDATE"
        " SET next_at = excluded.next_at, free_at = excluded.free_at, fails = excluded.fails",
        *(host, row[0], until_ms, fails),
    )


def give_up(tx: Tx, host: str, detail: str, *, at_ms: int, next_ms: int) -> None:
    """Take every address of an origin that cannot be reached for failed, without trying each of them."""
    rows = tx.rows("SELECT url_key FROM link WHERE host = ? AND state <> 'failed'", host)
    tx.run(
        "UPDATE link SET state = 'failed', status = 0, detail = ?, checked_at = ?, next_at = ?, fails = fails + 1"
        " WHERE host = ?",
        *(detail, at_ms, next_ms, host),
    )
    _touch(tx, [int(row[0]) for row in rows])


def _touch(tx: Tx, url_keys: Sequence[int]) -> None:
    for start in range(0, len(url_keys), _CHUNK):
        part = url_keys[start : start + _CHUNK]
        rows = tx.rows(
            "SELECT DISTINCT t.collection_id, t.record_key, t.iri FROM link_of o JOIN touched t"  # noqa: S608
            " ON t.collection_id = o.collection_id AND t.record_key = o.record_key"
            f" WHERE o.url_key IN ({', '.join('?' * len(part))})",
            *part,
        )
        for at in range(0, len(rows), _TOUCHED):
            touch(tx, [(row[0], row[1], row[2]) for row in rows[at : at + _TOUCHED]])


def _drop(tx: Tx, gone: Sequence[tuple[int, int, int, str]]) -> None:
    tx.many("DELETE FROM link_of WHERE collection_id = ? AND record_key = ? AND url_key = ? AND role = ?", list(gone))
    tx.many(
        "DELETE FROM link WHERE url_key = ? AND NOT EXISTS (SELECT 1 FROM link_of WHERE url_key = ?)",
        [(key, key) for key in sorted({row[2] for row in gone})],
    )
