"""What every test may use, and the guard that keeps the suite on this machine.

Sockets are closed but for loopback (pytest-socket, `pyproject.toml`), warnings are errors, and hypothesis is
repeatable: the same commit runs the same examples, on a slow machine too.
"""

import functools
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from hypothesis import HealthCheck, settings

from tests.conftest_db import (  # noqa: F401 - fixtures for every test below
    db,
    db_url,
    journals,
    keyring,
    lasting_db,
    migrated,
    postgres,
    postgres_server_url,
)

# Hardly anything that is made while tests are collected is garbage, and looking for it takes a quarter of that time.
gc.set_threshold(3_000_000, 20, 20)

settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("search", deadline=None, max_examples=1_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("CITYNODE_TEST_HYPOTHESIS", "repeatable"))

ROOT = Path(__file__).resolve().parent.parent
STAND_APART = {"real": "real", "conformance": "conformance", "cluster": "cluster", "browser": "browser"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands apart by the folder it stands in."""
    for item in items:
        mark = _mark_of(item.path)
        if mark:
            item.add_marker(mark)


@functools.cache
def _mark_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts if path.is_relative_to(ROOT) else ()
    return STAND_APART.get(parts[1], "") if parts[:1] == ("tests",) else ""


def pytest_collection_finish() -> None:
    """Keep what was imported and collected out of every later collection of garbage: it lives as long as the run."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the operator's own CITYNODE_ variables out of the tests."""
    for name in list(os.environ):
        if name.startswith("CITYNODE_") and not name.startswith("CITYNODE_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _one_tree_of_commands() -> Iterator[None]:
    """Make the tree of commands once for all that are said in this process: that takes longer than most of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """Find the sample portals and the standards' suites, or skip saying that they are absent."""
    folder = Path(os.environ.get("CITYNODE_TEST_DATA", ROOT.parent / "shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"CITYNODE_TEST_DATA names {folder}, which is absent")
    return folder
