"""A folder of keys, made once."""

import shutil
from pathlib import Path

import pytest

from node.keys import Keyring
from tests.keys.rig import AT


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of keys to copy."""
    folder = tmp_path_factory.mktemp("pattern") / "keys"
    Keyring.create(folder, now_ms=AT)
    return folder


@pytest.fixture
def folder(pattern: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pattern, tmp_path / "keys")
