"""What was seen in which file: owner of the table `preview`, one row for a file of a dataset.

Its states: `new` (not looked into yet), `seen` (facts stand in it, and files under `file`), `failed` (could not be
fetched), `refused` (nothing of which anything can be shown; `detail` says why: for readers by a name, a colon and then
more of it for staff), `withheld` (a dataset about residents names it: nothing is kept of it, and nobody looks), `gone`
(its dataset names it no more, or may not be shown: what was made of it must go). Values and SQL; nothing is fetched
here.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from node.catalog.fetched_files import DAY_MS
from node.catalog.open_files import Wanted
from node.catalog.previews.values import Why, why_named
from node.db import HotReader, Row, Tx
from node.journal import key_of

State = Literal["new", "seen", "failed", "refused", "withheld", "gone"]
_ROWS = (
    "SELECT c.name, p.collection_id, p.record_key, p.url_key, p.iri, p.url, p.etag, p.state, p.detail, p.file, p.facts,"
    " p.checked_at, p.next_at, p.digest FROM preview p JOIN collection c ON c.id = p.collection_id"
)
_AT_ONCE = 500
_KEY = "collection_id = ? AND record_key = ? AND url_key = ?"


@dataclass(frozen=True, slots=True)
class Look:
    """One file of a dataset: `facts` is JSON, empty before the first look; `file` the name of what was made of it."""

    collection: str
    collection_id: int
    record_key: int
    url_key: int
    dataset: str
    url: str
    etag: str
    state: State
    detail: str
    file: str
    facts: str
    checked_ms: int
    next_ms: int
    digest: str

    @property
    def why(self) -> Why | None:
        """Name why nothing can be shown, as readers are told; None where nobody has said."""
        return why_named(self.detail.partition(": ")[0]) if self.state == "refused" else None


class Looks:
    """Reads what is known; safe in every thread."""

    def __init__(self, hot: HotReader, residents: Callable[[], Collection[str]] = frozenset) -> None:
        """Read through that connection.

        `residents` names the datasets that are marked as about residents, and is asked each time: of a file that one of
        them names nothing is told, whichever other dataset names it as well.
        """
        self._hot, self._residents = hot, residents

    def next(self, now_ms: int, resting: Sequence[str] = ()) -> Look | None:
        """Give what is to be done first: what must go, then the file that has waited longest.

        Not what lies at an address that begins with one of those `resting`, unless nothing else is due; then those
        named last have their turn first.
        """
        if gone := self._first("p.state = 'gone'"):
            return gone
        due = "p.state NOT IN ('gone', 'withheld') AND p.next_at <= ?"
        for left in range(len(resting), -1, -1):
            others = [part for start in resting[:left] for part in (len(start), start)]
            if found := self._first(due + " AND substr(p.url, 1, ?) <> ?" * left, now_ms, *others):
                return found
        return None

    def _first(self, where: str, *params: int | str) -> Look | None:
        rows = self._hot.rows(f"{_ROWS} WHERE {where} ORDER BY p.next_at, p.url_key LIMIT 1", params)
        return _look(rows[0]) if rows else None

    def of(self, collection: str, iri: str) -> list[Look]:
        """Give what is known of a dataset's files, by address; nothing of what is not open."""
        return self._shown(
            "c.name = ? AND p.record_key = ? AND p.iri = ? ORDER BY p.url", (collection, key_of(iri), iri)
        )

    def at(self, url: str) -> list[Look]:
        """Give what is known of the file at an address, whichever open dataset names it."""
        return self._shown("p.url_key = ? AND p.url = ?", (key_of(url), url))[:1]

    def shown_of(self, file: str) -> list[str]:
        """Name the open collections in which something is kept under that name."""
        return sorted({look.collection for look in self._shown("p.file = ?", (file,))})

    def astray(self, files: Collection[str] = ()) -> tuple[list[Look], list[Look]]:
        """Give what must be withheld and is not yet, and what is withheld and need not be any more.

        `files` are further ones of datasets about residents, which nobody looks into: they may stand where not
        everybody reads.
        """
        shut = self._shut() | frozenset(map(key_of, files))
        listed = self._chunks("p.state NOT IN ('gone', 'withheld') AND p.url_key IN", sorted(shut))
        held = map(_look, self._hot.rows(f"{_ROWS} WHERE p.state = 'withheld'"))
        return [_look(row) for row in listed], [look for look in held if look.url_key not in shut]

    def _shown(self, where: str, values: Sequence[object]) -> list[Look]:
        rows = self._hot.rows(
            f"{_ROWS} WHERE c.visibility = 'public' AND p.state NOT IN ('gone', 'withheld') AND {where}", values
        )
        shut = self._shut() if rows else frozenset()
        return [look for look in map(_look, rows) if look.url_key not in shut]

    def _shut(self) -> frozenset[int]:
        """Give the keys of the files that a dataset about residents names."""
        residents = self._residents()
        rows = self._chunks("p.record_key IN", sorted(map(key_of, residents)))
        return frozenset(look.url_key for look in map(_look, rows) if look.dataset in residents)

    def _chunks(self, where: str, keys: Sequence[int]) -> Iterator[Row]:
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            yield from self._hot.rows(f"{_ROWS} WHERE {where} ({', '.join('?' * len(part))})", part)

    def files(self) -> set[str]:
        """Give the names of everything that is kept."""
        return {str(row[0]) for row in self._hot.rows("SELECT DISTINCT file FROM preview WHERE file <> ''")}

    def all(self, *, limit: int = 10_000) -> list[Look]:
        """List what is known, by address."""
        return [_look(row) for row in self._hot.rows(f"{_ROWS} ORDER BY p.url, p.url_key LIMIT ?", (limit,))]

    def count(self) -> int:
        """Count the files."""
        row = self._hot.row("SELECT count(*) FROM preview")
        return int(row[0]) if row else 0


def sync(tx: Tx, wanted: Wanted, now_ms: int) -> None:
    """Note which files a dataset names now: new ones are due, changed ones soon, and what is of others must go.

    Portals touch datasets nightly: a file is fetched again a day after it last was, at the earliest.
    """
    place = (wanted.collection_id, wanted.record_key)
    rows = tx.rows(
        "SELECT url_key, url, state, digest, checked_at, next_at FROM preview"
        " WHERE collection_id = ? AND record_key = ?",
        *place,
    )
    urls = set(wanted.urls)
    known = {str(row[1]) for row in rows}
    gone = [(*place, row[0]) for row in rows if row[1] not in urls]
    tx.many(f"UPDATE preview SET state = 'gone' WHERE {_KEY}", gone)  # noqa: S608
    changed = [row for row in rows if row[1] in urls and (row[3] != wanted.digest or row[2] == "gone")]
    tx.many(
        "UPDATE preview SET digest = ?, next_at = ?, state = CASE WHEN state <> 'gone' THEN state"  # noqa: S608
        f" WHEN facts <> '' THEN 'seen' ELSE 'new' END WHERE {_KEY}",
        [(wanted.digest, min(int(row[5]), max(now_ms, int(row[4]) + DAY_MS)), *place, row[0]) for row in changed],
    )
    tx.many(
        "INSERT INTO preview (collection_id, record_key, url_key, iri, url, state, digest)"
        " VALUES (?, ?, ?, ?, ?, 'new', ?)",
        [(*place, key_of(url), wanted.iri, url, wanted.digest) for url in sorted(urls - known)],
    )


def save(tx: Tx, before: Look, after: Look) -> bool:
    """Write what came of a look, unless the file was taken off the list meanwhile; tell whether it was written."""
    done = tx.run(
        "UPDATE preview SET etag = ?, state = ?, detail = ?, file = ?, facts = ?, checked_at = ?, next_at = ?"  # noqa: S608
        f" WHERE {_KEY} AND state NOT IN ('gone', 'withheld')",
        after.etag,
        after.state,
        after.detail[:500],
        after.file,
        after.facts,
        after.checked_ms,
        after.next_ms,
        *_key(before),
    )
    return bool(done)


def forget(tx: Tx, before: Look) -> None:
    """Remove a file from the list, unless its dataset names it again."""
    tx.run(f"DELETE FROM preview WHERE {_KEY} AND state = 'gone'", *_key(before))  # noqa: S608


def again(tx: Tx, iri: str, *, now_ms: int) -> int:
    """Let the files of a dataset be due at once; give how many that is."""
    sql = "UPDATE preview SET next_at = ?, etag = '' WHERE iri = ? AND state NOT IN ('gone', 'withheld')"
    return tx.run(sql, now_ms, iri)


def withhold(tx: Tx, looks: Sequence[Look]) -> None:
    """Keep nothing of these files, and let nobody look into them."""
    emptied = "state = 'withheld', etag = '', detail = '', file = '', facts = ''"
    tx.many(f"UPDATE preview SET {emptied} WHERE {_KEY} AND state <> 'gone'", [_key(look) for look in looks])  # noqa: S608


def release(tx: Tx, looks: Sequence[Look], *, now_ms: int) -> None:
    """Let files that were withheld be looked into again."""
    sql = f"UPDATE preview SET state = 'new', next_at = ? WHERE {_KEY} AND state = 'withheld'"  # noqa: S608
    tx.many(sql, [(now_ms, *_key(look)) for look in looks])


def lost(tx: Tx, files: Sequence[str], *, now_ms: int) -> None:
    """Let be due at once, whatever their servers say, the files whose previews are not there any more."""
    tx.many(
        "UPDATE preview SET next_at = ?, etag = '', file = '' WHERE file = ? AND state <> 'gone'",
        [(now_ms, file) for file in files],
    )


def _key(look: Look) -> tuple[int, int, int]:
    return look.collection_id, look.record_key, look.url_key


def _look(row: Sequence[object]) -> Look:
    return Look(*cast("tuple", row))  # type: ignore[type-arg]
