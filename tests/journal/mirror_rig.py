"""An origin and its mirror, and what arrives there."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from node.catalog.shelf import Shelf, ShelfFollower
from node.db import Database
from node.journal import Arrived, Draft, Entry, Opening, keep_up_in, late_in, rebuild
from node.journal.journal import Journals
from node.journal.verify import verify
from node.keys import Keyring
from tests.journal.rig import NAME

LOCAL = "helsinki/open-data"
NOW = 9_000


@dataclass
class Cities:
    """An origin in a database of its own, and a mirror of its collection with the shelf on top."""

    origin: Journals
    here: Journals
    shelf: Shelf
    follower: ShelfFollower

    def append(self, *drafts: Draft) -> list[Entry]:
        with self.origin.db.write() as tx:
            return self.origin.append(tx, NAME, drafts, at_ms=2_000)

    def erase(self, seq: int) -> Entry:
        with self.origin.db.write() as tx:
            return self.origin.erase(tx, NAME, seq, at_ms=3_000)

    def arrived(self, after: int = 0, *, size: int = 10_000) -> list[Arrived]:
        """Give what the origin shows of the entries after a seq."""
        with self.origin.db.read() as tx:
            entries = self.origin.entries(tx, NAME, after=after)[: size - after]
            held = self.origin.payloads(tx, [e.opening.digest for e in entries if e.opening and e.opening.digest])
        return [Arrived(e, held.get(e.opening.digest) if e.opening else None) for e in entries]

    def mirror(self, arrived: Sequence[Arrived], *, follow: bool = True) -> None:
        with self.here.db.write() as tx:
            grown, entries = self.here.mirrored(tx, LOCAL, arrived, at_ms=NOW)
            assert self.here.entries(tx, LOCAL, after=grown.size - len(entries), limit=1_000) == entries
            if follow:
                keep_up_in(tx, self.here, self.follower, grown, entries)

    def fill(self, seq: int, opening: Opening | None, payload: bytes | None) -> Entry:
        assert opening
        with self.here.db.write() as tx:
            entry = self.here.fill(tx, LOCAL, seq, opening, payload, at_ms=NOW)
            late_in(tx, self.here, self.follower, LOCAL, [entry])
        return entry

    def level(self) -> None:
        """Mirror everything, and keep the note."""
        with self.here.db.read() as tx:
            size = self.here.get(tx, LOCAL).size
        self.mirror(self.arrived(size))
        with self.here.db.write() as tx:
            self.here.keep_note(tx, LOCAL, self.origin.checkpoint(NAME, at_ms=1), NOW)

    def keys(self) -> list[bytes]:
        return [self.origin.public_key()]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.here.db.read() as tx:
            return tx.rows(sql)

    def held(self) -> dict[str, int]:
        return {held.iri: held.seq for held in self.shelf.page(LOCAL, offset=0, limit=1_000)}

    def check(self) -> dict[str, int]:
        """See that the mirror is sound and that rebuilt equals lived; give what lives."""
        everything = "SELECT * FROM shelf ORDER BY collection_id, record_key"
        verify(self.here, LOCAL, self.keys())
        lived = self.rows(everything)
        assert self.shelf.astray(LOCAL) == ""
        rebuild(self.here, self.follower)
        assert self.rows(everything) == lived
        return self.held()


@pytest.fixture
def cities(
    db: Database, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[Cities]:
    folder = tmp_path_factory.mktemp("origin")
    shutil.copy(migrated, folder / "node.db")
    other = Database(f"sqlite:///{folder / 'node.db'}")
    origin, here = Journals(other, Keyring.create(folder / "keys")), Journals(db, keyring)
    iri = "http://127.0.0.1:8001/collections/open-data"
    for journals, name in ((origin, NAME), (here, LOCAL), (here, "own")):
        with journals.db.write() as tx:
            mine = iri.replace("open-data", "own") if name == "own" else iri
            journals.create(tx, name=name, iri=mine, title="Open data", visibility="public", at_ms=1)
    yield Cities(origin, here, Shelf(here), ShelfFollower())
    other.close()


def stub(arrived: Arrived, code: str = "", **more: Any) -> Arrived:
    return Arrived(replace(arrived.entry, opening=None), None, code, **more)


def erasure(cities: Cities, seq: int, target: int, previous: Entry) -> Arrived:
    """An entry that the origin's own rules would never let it write."""
    opening = Opening("erase", sha256(str(seq).encode()).digest()[:16], target=target)
    return Arrived(Entry(previous.collection, seq, previous.at_ms, opening.commitment(), opening))
