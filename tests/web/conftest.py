"""A city and a client for it: a test that changes its city has its own, all others read one and the same."""

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


@pytest.fixture(scope="session")
def reader(founded: Path, tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Iterator[Client]:
    """A client of a city that nobody changes: making an app costs more than most tests."""
    path = tmp_path_factory.mktemp("read") / "node.db"
    shutil.copy(founded, path)
    db = Database(f"sqlite:///{path}")
    made = Client(helsinki(db, Journals(db, keyring)).app(), BASE)
    yield made
    made.close()
    db.close()


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Give a client of the test's own city, if it takes one, else of the one that all read."""
    if "city" not in request.fixturenames:
        yield request.getfixturevalue("reader")
        return
    made = Client(request.getfixturevalue("city").app(), BASE)
    yield made
    made.close()
