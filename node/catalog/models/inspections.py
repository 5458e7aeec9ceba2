"""Which files of our datasets are looked at as city models: what is known of each, and when it is due again.

Owner of the table `inspection`, one row for a file of a dataset. Its states: `new` (not looked at yet), `read` (its
facts stand in a record), `again` (its dataset changed: the record is to be written anew), `failed` (could not be
fetched), `refused` (no model, or its record may not be published), `withheld` (a person took its record back),
`residents` (a dataset about residents names it: nothing is kept of it, and nobody looks), `gone` (its dataset names it
no more: the record is to be withdrawn). Values and SQL; nothing is fetched here.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from node.catalog.fetched_files import DAY_MS
from node.catalog.models.telling import slug_for
from node.catalog.open_files import Wanted
from node.db import HotReader, Tx
from node.journal import key_of

State = Literal["new", "read", "again", "failed", "refused", "withheld", "residents", "gone"]
_COLUMNS = (
    "i.url_key, c.name, i.iri, i.slug, i.digest, i.url, i.etag, i.state, i.detail, i.checked_at, i.next_at, i.facts"
)
_ROWS = f"SELECT {_COLUMNS} FROM inspection i JOIN collection c ON c.id = i.collection_id"  # noqa: S608
_AT_ONCE = 500
_MARKED = f"{_ROWS} WHERE i.state <> 'gone' AND (i.state <> 'withheld' OR i.facts <> '')"


@dataclass(frozen=True, slots=True)
class Inspection:
    """One file of a dataset: `slug` is that of its model's record, `facts` JSON, empty before the first reading."""

    key: int
    collection: str
    dataset: str
    slug: str
    digest: str
    url: str
    etag: str
    state: State
    detail: str
    checked_ms: int
    next_ms: int
    facts: str


class Inspections:
    """Reads what is known; safe in every thread."""

    def __init__(self, hot: HotReader) -> None:
        """Read through that connection."""
        self._hot = hot

    def next(self, now_ms: int) -> Inspection | None:
        """Give what is to be done first: what only needs writing, then the file that has waited longest."""
        for where, params in (
            ("i.state = 'gone'", ()),
            ("i.state = 'again'", ()),
            ("i.state IN ('new', 'read', 'failed', 'refused') AND i.next_at <= ?", (now_ms,)),
        ):
            rows = self._hot.rows(f"{_ROWS} WHERE {where} ORDER BY i.next_at, i.url_key LIMIT 1", params)
            if rows:
                return _inspection(rows[0])
        return None

    def astray(self, residents: Collection[str], urls: Collection[str]) -> tuple[list[Inspection], list[Inspection]]:
        """Give what must be shut and is not yet, and what is shut and need not be any more.

        Args:
            residents: The datasets that are marked as about residents.
            urls: The files that these name.
        """
        marked = {
            one.key: one for field, values in (("iri", residents), ("url", urls)) for one in self._of(field, values)
        }
        kept = [_inspection(row) for row in self._hot.rows(f"{_ROWS} WHERE i.state = 'residents'")]
        return [one for one in marked.values() if one.state != "residents"], [
            one for one in kept if one.key not in marked
        ]

    def _of(self, field: str, values: Collection[str]) -> Iterator[Inspection]:
        """Give whatever is looked at and has one of these values, and what of a person's choice is still kept."""
        named = sorted(values)
        for start in range(0, len(named), _AT_ONCE):
            part = named[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            yield from map(_inspection, self._hot.rows(f"{_MARKED} AND i.{field} IN ({marks})", part))

    def all(self, *, limit: int = 10_000) -> list[Inspection]:
        """List what is known, by address."""
        return [_inspection(row) for row in self._hot.rows(f"{_ROWS} ORDER BY i.url, i.url_key LIMIT ?", (limit,))]

    def count(self) -> int:
        """Count the files."""
        row = self._hot.row("SELECT count(*) FROM inspection")
        return int(row[0]) if row else 0


def sync(tx: Tx, wanted: Wanted, now_ms: int) -> None:
    """Note which files a dataset names now: new ones are due, changed ones soon, and the records of others must go.

    A dataset that changed may have changed files, but portals touch datasets nightly: a file is fetched again a day
    after it last was, at the earliest, while its record is written anew at once.
    """
    rows = tx.rows(
        "SELECT url_key, url, state, digest, checked_at, next_at FROM inspection"
        " WHERE collection_id = ? AND record_key = ? AND iri = ?",
        *_of(wanted),
    )
    urls = set(wanted.urls)
    known = {str(row[1]) for row in rows}
    tx.many("UPDATE inspection SET state = 'gone' WHERE url_key = ?", [(row[0],) for row in rows if row[1] not in urls])
    changed = [row for row in rows if row[1] in urls and (row[3] != wanted.digest or row[2] == "gone")]
    tx.many(
        "UPDATE inspection SET digest = ?, next_at = ?, state = CASE WHEN state = 'withheld' THEN state"
        " WHEN facts <> '' THEN 'again' WHEN state = 'gone' THEN 'new' ELSE state END WHERE url_key = ?",
        [(wanted.digest, min(int(row[5]), max(now_ms, int(row[4]) + DAY_MS)), row[0]) for row in changed],
    )
    tx.many(
        "INSERT INTO inspection (url_key, collection_id, record_key, iri, slug, digest, url, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'new')",
        [(_key(wanted, url), *_of(wanted), slug_for(wanted.slug, url), wanted.digest, url) for url in urls - known],
    )


def save(tx: Tx, before: Inspection, after: Inspection) -> bool:
    """Write what came of looking at a file, unless it was noted anew meanwhile; tell whether it was written."""
    done = tx.run(
        "UPDATE inspection SET etag = ?, state = ?, detail = ?, checked_at = ?, next_at = ?, facts = ?"
        " WHERE url_key = ? AND state = ? AND digest = ?",
        after.etag,
        after.state,
        after.detail[:500],
        after.checked_ms,
        after.next_ms,
        after.facts,
        before.key,
        before.state,
        before.digest,
    )
    return bool(done)


def forget(tx: Tx, before: Inspection) -> None:
    """Remove a file whose record is withdrawn, unless its dataset names it again."""
    tx.run("DELETE FROM inspection WHERE url_key = ? AND state = 'gone'", before.key)


def shut(tx: Tx, some: Sequence[Inspection]) -> None:
    """Keep nothing of these files, and let nobody look at them; what a person withheld stays so."""
    state = "CASE WHEN state IN ('withheld', 'gone') THEN state ELSE 'residents' END"
    sql = f"UPDATE inspection SET state = {state}, etag = '', detail = '', facts = '' WHERE url_key = ?"  # noqa: S608
    tx.many(sql, [(each.key,) for each in some])


def release(tx: Tx, some: Sequence[Inspection], *, now_ms: int) -> None:
    """Let files that were shut be looked at again."""
    sql = "UPDATE inspection SET state = 'new', next_at = ? WHERE url_key = ? AND state = 'residents'"
    tx.many(sql, [(now_ms, each.key) for each in some])


def withhold(tx: Tx, slug: str) -> int:
    """Let the record of a file be; give how many files that is."""
    return tx.run("UPDATE inspection SET state = 'withheld' WHERE slug = ?", slug)


def _key(wanted: Wanted, url: str) -> int:
    return key_of(f"{wanted.collection_id} {wanted.iri} {url}")


def _of(wanted: Wanted) -> tuple[int, int, str]:
    return wanted.collection_id, wanted.record_key, wanted.iri


def _inspection(row: Sequence[object]) -> Inspection:
    return Inspection(*cast("tuple", row))  # type: ignore[type-arg]
