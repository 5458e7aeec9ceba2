"""A city, and another that it meets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.db import Database
from tests.federation.fake_peer import FakePeer
from tests.federation.peer_rig import Rig, rig


@pytest.fixture
def city(db: Database) -> Iterator[Rig]:
    made = rig(db)
    yield made
    made.outbound.close()


@pytest.fixture
def helsinki(tmp_path: Path) -> Iterator[FakePeer]:
    with FakePeer(tmp_path / "helsinki") as running:
        yield running
