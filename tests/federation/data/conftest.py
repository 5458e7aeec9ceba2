"""Cities with origins, for every test of this room that makes none of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.db import Database
from node.journal.journal import Journals
from node.keys import Keyring
from tests.federation.data.rig import Rig, alone, rig


@pytest.fixture
def city(migrated: Path, keyring: Keyring, tmp_path: Path) -> Iterator[Rig]:
    with alone(migrated, keyring, tmp_path) as made:
        yield made


@pytest.fixture
def everywhere(db: Database, journals: Journals, tmp_path: Path) -> Rig:
    """Give the same on each database: for what the tables themselves do."""
    return rig(db, journals, tmp_path)
