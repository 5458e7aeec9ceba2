"""What of ours can be offered to other cities: our collections and the live records in them, found by IRI in a batch.

Three statements, however many are asked for: a catalogue of offers must not ask once per dataset. Reads the shelf and
the payloads that stand behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.db import Database
from node.journal import Reader, key_of
from node.records import EVIDENCE

_CHUNK = 400
_MOST_NAMED = 20
# What may have data of its own.
KINDS = ("dataset", "city-model", "ai-system", "dataset-series", "data-service")


@dataclass(frozen=True, slots=True)
class Offerable:
    """A collection of ours, or a live record in one; a record's title stands in its payload."""

    iri: str
    title: str
    public: bool
    payload: bytes = field(default=b"", repr=False)


class Offered:
    """Finds what can be offered. Safe to share by threads."""

    def __init__(self, db: Database, reader: Reader) -> None:
        """Read through the database's hot connection."""
        self._hot = db.hot()
        self._store = reader.store

    def things(self, iris: Sequence[str]) -> Mapping[str, Offerable]:
        """Give those of these that are ours, by IRI. Mirrors are their cities' to offer, evidence is nobody's."""
        found: dict[str, Offerable] = {}
        for start in range(0, len(iris), _CHUNK):
            part = iris[start : start + _CHUNK]
            found |= self._collections(part)
            found |= self._records([iri for iri in part if iri not in found])
        return found

    def collections_of(self, iris: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Give the IRIs of our collections that hold each of these records now; those that none holds are left out."""
        found: dict[str, list[str]] = {}
        for start in range(0, len(iris), _CHUNK):
            part = iris[start : start + _CHUNK]
            sql = (
                "SELECT s.iri, c.iri FROM collection c CROSS JOIN shelf s"  # noqa: S608 - marks
                f" WHERE s.collection_id = c.id AND s.record_key IN ({_marks(part)}) AND s.iri IN ({_marks(part)})"
                " AND s.digest IS NOT NULL AND c.name NOT LIKE '%/%' ORDER BY s.iri, c.iri"
            )
            for iri, collection in self._hot.rows(sql, (*map(key_of, part), *part)):
                found.setdefault(iri, []).append(collection)
        return found

    def named(self, slug: str) -> Sequence[str]:
        """Give the IRIs of our records whose name in addresses this is; of withdrawn ones only if none stands."""
        sql = (
            "SELECT DISTINCT s.iri, s.digest IS NULL FROM shelf s JOIN collection c ON c.id = s.collection_id"  # noqa: S608
            f" WHERE s.kind IN ({_marks(KINDS)}) AND s.slug = ? AND c.name NOT LIKE '%/%' AND c.name <> '{EVIDENCE}'"
            " ORDER BY s.iri LIMIT ?"
        )
        rows = self._hot.rows(sql, (*KINDS, slug, _MOST_NAMED))
        standing = [str(iri) for iri, is_gone in rows if not is_gone]
        return standing or list(dict.fromkeys(str(iri) for iri, _ in rows))

    def _collections(self, iris: Sequence[str]) -> dict[str, Offerable]:
        sql = (
            "SELECT iri, title, visibility FROM collection WHERE name NOT LIKE '%/%'"  # noqa: S608 - marks
            f" AND name <> '{EVIDENCE}' AND iri IN ({_marks(iris)})"
        )
        return {row[0]: Offerable(row[0], row[1], row[2] == "public") for row in self._hot.rows(sql, tuple(iris))}

    def _records(self, iris: Sequence[str]) -> dict[str, Offerable]:
        if not iris:
            return {}
        # A record may stand in two collections of ours: as soon as everyone may read it in one, it is public.
        sql = (
            # CROSS JOIN: by collection and then by key, as the shelf's rows stand, and never through all of them.
            "SELECT s.iri, s.digest, c.visibility FROM collection c CROSS JOIN shelf s"  # noqa: S608 - marks
            f" WHERE s.collection_id = c.id AND s.record_key IN ({_marks(iris)}) AND s.iri IN ({_marks(iris)})"
            f" AND s.digest IS NOT NULL AND c.name NOT LIKE '%/%' AND c.name <> '{EVIDENCE}'"
            " ORDER BY c.visibility = 'public', c.id DESC"
        )
        rows = self._hot.rows(sql, (*map(key_of, iris), *iris))
        digests = {row[0]: f"sha256:{bytes(row[1]).hex()}" for row in rows}
        payloads = self._store.some(list(digests.values()))
        public = {row[0]: row[2] == "public" for row in rows}
        return {iri: Offerable(iri, "", public[iri], payloads.get(digest, b"")) for iri, digest in digests.items()}


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
