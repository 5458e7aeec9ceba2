"""What cities say their own words mean: ours from a file and published, everyone's read back from public records.

The file is what people edit, the records of the collection `vocabularies` are what counts: ours, and those that peers
publish and we mirror. When a city's matches change, every record of that city is noted as touched, so that search
reads it again in the new words. Reads the shelf; writes through `publish` and the table of touched records.
"""

import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from node.catalog.homes import records
from node.catalog.publish import Published, Publisher
from node.catalog.readings import ReadingStatus, State
from node.catalog.shelf import Held, Shelf
from node.catalog.touched import save_position, touch
from node.db import Database, Tx
from node.errors import Malformed, NotFound
from node.journal import Draft
from node.vocab.mapping_file import MAX_BYTES, read_matches
from node.vocab.mapping_records import KIND, matches_in, payload_of, record_of
from node.vocab.mappings import TABLES, MappingBook, Match

COLLECTION = "vocabularies"
TITLE = "Vocabularies"
_MOST_OF_A_CITY = 20  # records that are read of one city; it needs one for each table
_CHUNK = 1_000


class Vocabularies:
    """The matches of all cities. Safe to share by threads."""

    def __init__(self, shelf: Shelf, publisher: Publisher, *, file: Path, base_url: str, city: str, slug: str) -> None:
        """Edit in `file`, publish as the city named `city`; search calls our own records' city `slug`."""
        self._shelf = shelf
        self._publisher = publisher
        self.file = file
        self._base = base_url
        self._city = city
        self._slug = slug
        self._made: tuple[int, tuple[Held, ...], MappingBook] = (-1, (), MappingBook())

    def drafted(self) -> list[Match]:
        """Read the file; no matches if there is none.

        Raises:
            Malformed: It cannot be used; the message says where and why.
        """
        try:
            with self.file.open("rb") as opened:
                body = opened.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return []
        try:
            return read_matches(body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Malformed(f"{self.file.name} is not written in UTF-8.", fix="Save it as CSV UTF-8.") from error

    def publish(self) -> Published:
        """Publish what the file says, one record for each table; a table that it no longer names is withdrawn.

        Raises:
            Malformed: The file cannot be used; nothing was published.
            NotFound: There is no file.
        """
        if not self.file.is_file():
            raise NotFound(f"There is no file {self.file}.", fix="Write it; see docs/vocabulary.md.")
        matches = self.drafted()
        live = {held.iri for held in self._held() if held.collection == COLLECTION}
        drafts = [self._draft(table, [each for each in matches if each.table == table], live) for table in TABLES]
        return self._publisher.publish(COLLECTION, TITLE, [draft for draft in drafts if draft])

    def _draft(self, table: str, matches: Sequence[Match], live: set[str]) -> Draft | None:
        record = record_of(table, self._base)
        if matches:
            payload = payload_of(table, matches, base_url=self._base, city=self._city)
            return Draft(record, table, KIND, "put", payload)
        return Draft(record, table, KIND, "withdraw", None) if record in live else None

    def published(self) -> dict[str, list[Match]]:
        """Give the matches that are in force, by city as search names it."""
        helds = self._held()
        found: dict[str, list[Match]] = {}
        for held, payload in zip(helds, self._shelf.payloads(helds), strict=True):
            found.setdefault(self._city_of(held), []).extend(matches_in(held.iri, payload))
        return found

    def book(self) -> MappingBook:
        """Give the matches to look values up in; made anew when one of the records changed, else at once."""
        version = self._shelf.version()
        if self._made[0] != version:
            helds = tuple(self._held())
            book = self._made[2] if self._made[1] == helds else MappingBook(self.published())
            self._made = (version, helds, book)
        return self._made[2]

    def states(self) -> dict[str, int]:
        """Give a number for each city that changes when its matches do."""
        said: dict[str, list[str]] = {}
        for held in self._held():
            said.setdefault(self._city_of(held), []).append(f"{held.iri} {held.digest}")
        return {city: _number(sorted(lines)) for city, lines in said.items()}

    def is_of(self, collection: str, city: str) -> bool:
        """Tell whether the records of a collection speak a city's words."""
        peer, mirrored, _ = collection.partition("/")
        return (peer if mirrored else self._slug) == city

    def _city_of(self, held: Held) -> str:
        return held.collection.partition("/")[0] if "/" in held.collection else self._slug

    def _held(self) -> list[Held]:
        return records(self._shelf, COLLECTION, KIND, most=_MOST_OF_A_CITY)


def _number(lines: Sequence[str]) -> int:
    return int.from_bytes(sha256("\n".join(lines).encode()).digest()[:7]) or 1


class VocabularyReading:
    """Keeps search in everybody's newest words: touches a city's records when its matches changed."""

    name = "vocabularies"

    def __init__(self, vocabularies: Vocabularies, shelf: Shelf, db: Database) -> None:
        """Watch these vocabularies; touch the records of this shelf."""
        self._vocabularies = vocabularies
        self._shelf = shelf
        self._db = db

    def catch_up(self, stop: threading.Event) -> int:
        """Touch the records of cities whose matches changed since the last time; give their number.

        A city is remembered as done after its last record, so what was broken off is done again.
        """
        return sum(self._touch(city, number, stop) for city, number in self._changed().items() if not stop.is_set())

    def rebuild(self, stop: threading.Event) -> int:
        """Do the same: nothing is kept here but which matches were passed on, and search is rebuilt by itself."""
        return self.catch_up(stop)

    def status(self) -> ReadingStatus:
        """Say how many cities' words changed and were not yet passed on."""
        states, waiting = self._vocabularies.states(), len(self._changed())
        state: State = "behind" if waiting else "level"
        return ReadingStatus(self.name, state, len(states) - waiting, len(states), len(states), 0)

    def _changed(self) -> Mapping[str, int]:
        states = self._vocabularies.states()
        with self._db.read() as tx:
            # What is remembered of cities that have no matches any more must go too: 0 says that they have none.
            rows = tx.rows("SELECT name, n FROM reader WHERE name LIKE ?", f"{self.name}/%")
        known = {row[0].partition("/")[2]: int(row[1]) for row in rows}
        wanted = {**dict.fromkeys(known, 0), **states}
        return {city: number for city, number in wanted.items() if known.get(city, 0) != number}

    def _touch(self, city: str, number: int, stop: threading.Event) -> int:
        total = 0
        for info in self._shelf.collections():
            if self._vocabularies.is_of(info.name, city):
                total += self._touch_all(info.name, stop)
        if not stop.is_set():
            with self._db.write() as tx:
                save_position(tx, f"{self.name}/{city}", number)
        return total

    def _touch_all(self, collection: str, stop: threading.Event) -> int:
        total, last = 0, -(1 << 63)
        while not stop.is_set():
            with self._db.write() as tx:
                rows = _after(tx, collection, last)
                touch(tx, [(row[0], row[1], row[2]) for row in rows])
            total += len(rows)
            if len(rows) < _CHUNK:
                break
            last = rows[-1][1]
        return total


def _after(tx: Tx, collection: str, key: int) -> list[tuple[int, int, str]]:
    sql = (
        "SELECT collection_id, record_key, iri FROM shelf WHERE collection_id = (SELECT id FROM collection WHERE"
        " name = ?) AND record_key > ? AND digest IS NOT NULL ORDER BY record_key LIMIT ?"
    )
    return [(int(row[0]), int(row[1]), str(row[2])) for row in tx.rows(sql, collection, key, _CHUNK)]
