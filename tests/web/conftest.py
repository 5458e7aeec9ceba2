"""A city and a client for it; each test has its own, copied from a migrated file."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.db import Database
from node.journal.journal import Journals
from node.keys import Keyring
from tests.web.cities import BASE, City, found_helsinki, helsinki
from tests.web.client import Client


@pytest.fixture(scope="session")
def founded(migrated: Path, tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Path:
    path = tmp_path_factory.mktemp("city") / "node.db"
    shutil.copy(migrated, path)
    db = Database(f"sqlite:///{path}")
    found_helsinki(db, Journals(db, keyring))
    db.scrub()
    db.close()
    return path


@pytest.fixture
def city(founded: Path, tmp_path: Path, keyring: Keyring) -> Iterator[City]:
    shutil.copy(founded, tmp_path / "node.db")
    db = Database(f"sqlite:///{tmp_path / 'node.db'}")
    yield helsinki(db, Journals(db, keyring))
    db.close()


@pytest.fixture
def client(city: City) -> Iterator[Client]:
    made = Client(city.app(), BASE)
    yield made
    made.close()
