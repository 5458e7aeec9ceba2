"""What records are called here: IRIs kept or minted, slugs given once and never to another record.

A slug is remembered by the source's key for its record, also after a withdrawal, so addresses never change hands.
Rules: `formats.md` 1. Owns the table `name`; decides nothing about what is published.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from node.catalog.hosts import host_of, is_inner, is_private
from node.catalog.portals.base import Head, Named, Refusal
from node.db import Tx
from node.errors import Conflict
from node.records import KINDS, slug_of
from node.vocab.canon import GENID

ELSEWHERE = "iri-live-elsewhere"
BY_SOURCES = frozenset({"dataset", "dataset-series", "data-service"})
"""The kinds that sources bring, so that what is written here must not take their names, nor they its."""
_WRITTEN = ""  # stands for a source in names of what this city wrote itself; no source can be named so
_MAX_SLUG = 80
_MAX_IRI = 2_000  # longer ones do not fit into the headers that name them
_COLUMNS = "source_key, COALESCE(iri, source_key), slug, kind, live, source"
_WHITE = re.compile(r"[\s<>\"{}|\\^`]")


@dataclass(frozen=True, slots=True)
class Known:
    """A name given earlier, under `source`: `live` tells whether its record is published now."""

    key: str
    iri: str
    slug: str
    kind: str
    live: bool
    source: str = ""


def is_good_iri(iri: str, base_url: str) -> bool:
    """Tell whether a source's IRI can be the record's: http(s), no private host by its spelling, no genid."""
    if len(iri) > _MAX_IRI or not iri.startswith(("http://", "https://")) or GENID in iri or _WHITE.search(iri):
        return False
    host = host_of(iri)
    return bool(host) and (not is_private(host) or is_private(host_of(base_url)))


def is_good_link(address: str, base_url: str) -> bool:
    """Tell whether a web link leads where another city can follow; from a node on an inner host it may stay inside."""
    whole = f"https:{address}" if address.startswith("//") else address
    if not is_good_iri(whole.partition("#")[0], base_url):
        return False
    return not is_inner(host_of(whole)) or is_inner(host_of(base_url))


class Names:
    """The names of one source, loaded once per run.

    `orphans` are those of its records whose names came with a source that is gone by now, by source key: whoever
    brings such a record takes its name over (`take_over`).
    """

    def __init__(self, tx: Tx, source: str, *, base_url: str) -> None:
        """Load what was given earlier, and every slug and live IRI of the node."""
        self._base_url = base_url
        rows = tx.rows(f"SELECT {_COLUMNS} FROM name WHERE source = ?", source)  # noqa: S608
        self.known = {row[0]: Known(*row) for row in rows}
        self.orphans: dict[str, Known] = {}
        self._numbers: dict[tuple[str, str], int] = {}  # the last one given; a portal may call everything "data"
        self._taken = {(row[0], row[1]) for row in tx.rows("SELECT kind, slug FROM name")}
        self._elsewhere = {
            row[0]: row[1]
            for row in tx.rows(
                "SELECT COALESCE(iri, source_key), source FROM name WHERE source <> ? AND live"
                " AND (source = ? OR source IN (SELECT name FROM source))",
                source,
                _WRITTEN,
            )
        }
        sql = f"SELECT {_COLUMNS} FROM name WHERE source <> ? AND source NOT IN (SELECT name FROM source)"  # noqa: S608
        left = tx.rows(sql, _WRITTEN)
        self._left = {(row[3], row[2]): Known(*row) for row in left}
        self._left_by_iri = {name.iri: name for name in self._left.values()}

    def settle(self, heads: Iterable[Head | Refusal]) -> tuple[dict[str, Named], list[Refusal]]:
        """Name every head; collisions are settled in order of source key.

        Returns:
            The names by source key, and the heads that cannot have one: a key or a live IRI held twice.
        """
        by_key: dict[str, Head] = {}
        refused: list[Refusal] = []
        for head in heads:
            if isinstance(head, Refusal):
                refused.append(head)
            elif head.key in by_key:
                message = "The source has this key twice. Give each record a key of its own."
                refused.append(Refusal(head.key, head.title, "duplicate-key", message))
            else:
                by_key[head.key] = head
        often = Counter(head.iri for head in by_key.values() if head.iri)
        names: dict[str, Named] = {}
        # Who brings an address of ours has a right to its slug, before anyone who only would like it.
        for key in sorted(by_key, key=lambda key: (not self._own_slug(by_key[key]), key)):
            named = self._name(by_key[key], unique=often[by_key[key].iri] == 1)
            other = self._elsewhere.get(named.iri)
            if other is None:
                names[key] = named
            else:
                who = f"The source {other!r}" if other != _WRITTEN else "This city itself"
                message = f"{who} already publishes this record. Remove it from one of the two."
                refused.append(Refusal(key, by_key[key].title, ELSEWHERE, message))
        return names, refused

    def _name(self, head: Head, *, unique: bool) -> Named:
        own = self._own_slug(head) if unique else ""
        slug = self._slug(head, own)
        # An address of ours leads to the record of that slug, so no other record may bear it.
        good = unique and is_good_iri(head.iri, self._base_url) and own in ("", slug)
        iri = head.iri if good else f"{self._base_url}/{KINDS[head.kind]}/{slug}"
        return Named(iri, slug, head.kind)

    def _own_slug(self, head: Head) -> str:
        """The slug in an IRI that this node mints or minted; empty for any other IRI."""
        prefix = f"{self._base_url}/{KINDS[head.kind]}/"
        slug = head.iri[len(prefix) :] if head.iri.startswith(prefix) else ""
        return slug if slug == slug_of(slug) else ""

    def _slug(self, head: Head, own: str) -> str:
        for key in (head.key, left_key(head.key, head.kind)):
            known = self.known.get(key)
            if known and known.kind == head.kind:
                return known.slug
        wanted = own or slug_of(head.name) or slug_of(_last_part(head.iri)) or _hex_of(head.key)
        orphan = self._orphan(head, wanted)
        if orphan is None:
            return self._free_slug(head.kind, wanted)
        del self._left[orphan.kind, orphan.slug], self._left_by_iri[orphan.iri]
        self.orphans[head.key] = orphan
        return orphan.slug

    def bearers(self, key: str) -> list[Known]:
        """Give the live names of what a source key stands for: its own, and the one it would take over."""
        return [name for name in (self.known.get(key), self.orphans.get(key)) if name and name.live]

    def _orphan(self, head: Head, wanted: str) -> Known | None:
        """The name that this record had from a source that is gone: under its IRI, or the same key and name."""
        by_iri, by_slug = self._left_by_iri.get(head.iri), self._left.get((head.kind, wanted))
        if by_iri and by_iri.kind == head.kind:
            return by_iri
        return by_slug if by_slug and by_slug.key == head.key and by_slug.iri in self._left_by_iri else None

    def _free_slug(self, kind: str, wanted: str) -> str:
        slug, number = wanted, self._numbers.get((kind, wanted), 1)
        while (kind, slug) in self._taken:
            number += 1
            tail = f"-{number}"
            slug = wanted[: _MAX_SLUG - len(tail)].rstrip("-") + tail
        self._taken.add((kind, slug))
        self._numbers[kind, wanted] = number
        return slug


def _hex_of(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _last_part(iri: str) -> str:
    """The fragment, or the last non-empty segment of the path."""
    try:
        parts = urlsplit(iri)
    except ValueError:
        return ""
    segments = [segment for segment in parts.path.split("/") if segment]
    return parts.fragment or (segments[-1] if segments else "")


def save(tx: Tx, source: str, named: Mapping[str, Named], *, live: bool) -> None:
    """Remember names by source key, all in the caller's transaction."""
    tx.many(
        "INSERT INTO name (source, key_hash, source_key, kind, slug, iri, seen_run, live)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, ?)"
        " ON CONFLICT (source, key_hash) DO UPDATE SET kind = excluded.kind, slug = excluded.slug, iri = excluded.iri,"
        " live = excluded.live",
        [
            (source, key_hash(key), key, name.kind, name.slug, None if name.iri == key else name.iri, live)
            for key, name in named.items()
        ],
    )


def left_key(key: str, kind: str) -> str:
    """Give the source key under which the name stays that a record bore while it was of this kind."""
    return f"{key}\n{kind}"


def leave_kind(tx: Tx, known: Known, kind: str) -> None:
    """Before a record is saved under another kind: keep its old name for it, and free the one it left earlier."""
    tx.run("DELETE FROM name WHERE source = ? AND key_hash = ?", known.source, key_hash(left_key(known.key, kind)))
    left = left_key(known.key, known.kind)
    tx.run(
        "UPDATE name SET source_key = ?, key_hash = ?, iri = ?, live = FALSE WHERE source = ? AND key_hash = ?",
        left,
        key_hash(left),
        known.iri,
        known.source,
        key_hash(known.key),
    )


def take_over(tx: Tx, orphans: Iterable[Known]) -> None:
    """Free names of sources that are gone, for the source that brings their records now."""
    tx.many(
        "DELETE FROM name WHERE source = ? AND key_hash = ?", [(name.source, key_hash(name.key)) for name in orphans]
    )


def clashes(tx: Tx, source: str, named: Mapping[str, Named]) -> set[str]:
    """Tell the source keys whose slug another record got since these names were settled, by a run beside this one."""
    if not named:
        return set()
    by_slug = {(name.kind, name.slug): key for key, name in named.items()}
    marks = ", ".join("?" * len(named))
    rows = tx.rows(
        f"SELECT kind, slug, source, source_key FROM name WHERE slug IN ({marks})",  # noqa: S608
        *(name.slug for name in named.values()),
    )
    holders = {by_slug[kind, slug]: (who, key) for kind, slug, who, key in rows if (kind, slug) in by_slug}
    return {key for key, holder in holders.items() if holder != (source, key)}


def count_live(tx: Tx, source: str) -> int:
    """Count the names of a source whose records are published now."""
    row = tx.row("SELECT count(*) FROM name WHERE source = ? AND live", source)
    return int(row[0]) if row else 0


def bury(tx: Tx, names: Sequence[Known]) -> None:
    """Mark names as withdrawn; they stay given."""
    rows = [(name.source, key_hash(name.key)) for name in names]
    tx.many("UPDATE name SET live = FALSE WHERE source = ? AND key_hash = ?", rows)


def source_of(tx: Tx, kind: str, slug: str) -> str | None:
    """Give the source whose record bears a slug; None if no source's does."""
    row = tx.row("SELECT source FROM name WHERE kind = ? AND slug = ? AND source <> ?", kind, slug, _WRITTEN)
    return str(row[0]) if row else None


def reserve(tx: Tx, kind: str, iris: Mapping[str, str], *, live: bool) -> None:
    """Remember names, by slug, of what this city wrote itself, where a source might bring records of the kind.

    Locks the names, so call it before journals are locked, as a harvest does.

    Raises:
        Conflict: A record of a source bears one of them.
    """
    if kind not in BY_SOURCES:
        return
    tx.lock("names")
    for slug in iris:
        source = source_of(tx, kind, slug)
        if source is not None:
            message = f"The source {source} has a record of the name {slug}."
            raise Conflict(
                message,
                fix="Choose another name, or take it out of the source.",
            ).on_page("no.record.source", source=source, name=slug)
    save(tx, _WRITTEN, {iri: Named(iri, slug, kind) for slug, iri in iris.items()}, live=live)


def written(tx: Tx, kind: str) -> set[str]:
    """Give the slugs of the live records of a kind in `BY_SOURCES` that this city wrote itself."""
    rows = tx.rows("SELECT slug FROM name WHERE source = ? AND kind = ? AND live", _WRITTEN, kind)
    return {str(row[0]) for row in rows}


def key_hash(key: str) -> bytes:
    """Give the 16 bytes under which a source key is found."""
    return sha256(key.encode()).digest()[:16]
