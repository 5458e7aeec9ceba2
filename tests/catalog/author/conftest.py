"""One office for a module, over a real journal on both databases, with a clock that tests may move."""

from dataclasses import dataclass
from typing import Any

import pytest

from node.catalog.author.office import Authoring, City, Outcome, Written
from node.catalog.shelf import Held, Shelf, ShelfFollower
from node.db import Database
from node.journal import Entry
from node.journal.journal import Journals
from node.keys import Keyring
from node.vocab.kinds import TABLES, example_of

BASE = "https://helsinki.example"
DAY_MS = 86_400_000
NOW_MS = 20_779 * DAY_MS  # 2026-11-22


@dataclass
class Rig:
    """An office, and what it writes into."""

    journals: Journals
    shelf: Shelf
    office: Authoring
    now_ms: int = NOW_MS

    def publish(self, slug: str, *, kind: str = "practice", collection: str = "", **more: Any) -> Outcome:
        """Publish an example of a kind; a value of None takes a field away."""
        said = {name: value for name, value in (example_of(TABLES[kind]) | more).items() if value is not None}
        return self.office.publish(kind, [Written(slug, said)], collection=collection)

    def held(self, slug: str, kind: str = "practice") -> Held | None:
        return self.office.find(kind, slug)

    def size(self, name: str) -> int:
        with self.journals.db.read() as tx:
            return next((each.size for each in self.journals.collections(tx) if each.name == name), -1)

    def entries(self, name: str) -> list[Entry]:
        with self.journals.db.read() as tx:
            return self.journals.entries(tx, name)

    def open(self, name: str, visibility: str = "restricted") -> str:
        """Make a collection."""
        with self.journals.db.write() as tx:
            iri = f"{BASE}/collections/{name}"
            self.journals.create(tx, name=name, iri=iri, title=name, visibility=visibility, at_ms=self.now_ms)
        return name


@pytest.fixture(scope="module")
def rig(lasting_db: Database, keyring: Keyring) -> Rig:
    """Give the office of Helsinki."""
    journals = Journals(lasting_db, keyring)
    shelf = Shelf(journals)
    city = City("City of Helsinki", BASE, ("fi", "sv", "en"))
    made = Rig(journals, shelf, Authoring(journals, [ShelfFollower()], shelf, city, clock_ms=lambda: made.now_ms))
    return made
