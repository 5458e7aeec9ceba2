"""A city that can be searched, put up once for each file of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.find_rig import Rig, full


@pytest.fixture(scope="module")
def rig(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = full(tmp_path_factory.mktemp("find") / "node", migrated)
    yield made
    made.close()
