"""A city per test, on both databases, and a portal to harvest over HTTP."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.catalog import harvest
from tests.catalog.rig import City, LastingParser, make_city
from tests.portal_server import PortalServer


@pytest.fixture(scope="session", autouse=True)
def _parsers_end() -> Iterator[None]:
    yield
    LastingParser.end_all()


@pytest.fixture
def lasting_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand the parser's child from run to run."""
    monkeypatch.setattr(harvest, "Parser", LastingParser)


@pytest.fixture(scope="session")
def grown(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the keys and the database of a node with one empty collection: copying them is cheaper than making them."""
    folder = tmp_path_factory.mktemp("grown")
    shutil.copy(migrated, folder / "node.db")
    made = make_city(folder)
    made.node.db.scrub()
    made.node.close()
    return folder


@pytest.fixture
def city(db_url: str, tmp_path: Path, grown: Path, lasting_parser: None) -> Iterator[City]:
    """Give a node with one empty collection."""
    shutil.copytree(grown / "keys", tmp_path / "keys")
    if db_url.startswith("sqlite"):
        shutil.copy(grown / "node.db", tmp_path / "node.db")
    made = make_city(tmp_path, database_url=db_url)
    yield made
    made.node.close()


@pytest.fixture
def second(migrated: Path, tmp_path: Path, lasting_parser: None) -> Iterator[City]:
    """Give another node with the same base URL, on SQLite."""
    folder = tmp_path / "second"
    folder.mkdir()
    shutil.copy(migrated, folder / "node.db")
    made = make_city(folder)
    yield made
    made.node.close()


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    """Give a portal on loopback."""
    with PortalServer() as server:
        yield server
