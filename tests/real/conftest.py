"""A city per test, on SQLite, and a portal to serve the samples from."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalog.conftest import lasting_parser, portal  # noqa: F401 - fixtures
from tests.catalog.rig import City, make_city


@pytest.fixture
def city(migrated: Path, tmp_path: Path, lasting_parser: None) -> Iterator[City]:  # noqa: F811
    """Give a node with one empty collection."""
    shutil.copy(migrated, tmp_path / "node.db")
    made = make_city(tmp_path)
    yield made
    made.node.close()


@pytest.fixture
def second(migrated: Path, tmp_path: Path, lasting_parser: None) -> Iterator[City]:  # noqa: F811
    """Give another node with the same base URL."""
    folder = tmp_path / "second"
    folder.mkdir()
    shutil.copy(migrated, folder / "node.db")
    made = make_city(folder)
    yield made
    made.node.close()
