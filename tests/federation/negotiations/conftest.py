"""Two sides that negotiate."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.keys import Keyring
from tests.federation.negotiating import HELSINKI, LONDON, Clock, Known, Line, Side
from tests.federation.negotiations.rig import AGREES, SIGNS, Make, Sides


@pytest.fixture
def make(keyring: Keyring, their_keys: Keyring, tmp_path: Path, migrated: Path) -> Make:
    """Make Helsinki (consumer) and London (provider), each on a database of its own."""
    numbers = itertools.count()

    def database() -> Database:
        import shutil

        path = tmp_path / f"{next(numbers)}.db"
        shutil.copy(migrated, path)
        return Database(f"sqlite:///{path}")

    def build(**more: Any) -> Sides:
        clock, line, keys = Clock(), Line(), {HELSINKI: keyring, LONDON: their_keys}
        # Proofs are made with keys that exist by then.
        clock.now_ms = max(key.since_ms for ring in keys.values() for key in ring.published()) + 1_000_000
        helsinki, london = (
            Side(url, more.get("database", database)(), clock, line, Known(keys)) for url in (HELSINKI, LONDON)
        )
        helsinki.decider.script, london.decider.script = SIGNS, AGREES
        return helsinki, london

    return build


@pytest.fixture
def sides(make: Make) -> Sides:
    return make()
