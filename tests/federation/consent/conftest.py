"""What the tests of withdrawals begin with: three residents agreed, and by that data went to London."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.db import Database
from node.federation.consent.sources import ConsentSource
from tests.federation.consent.withdrawal_rig import GHENT, HEAD, LONDON, NOW, Rig


@pytest.fixture
def rig(lasting_db: Database, tmp_path: Path) -> Iterator[Rig]:
    file = tmp_path / "consent.csv"
    keys = ("r-1", "r-2", "r-3")
    lines = [f"{key},2026-01-01T00:00:00Z,ConsentGiven,AcademicResearch,{LONDON} {GHENT}\n" for key in keys]
    file.write_text(HEAD + "".join(lines))
    made = Rig(lasting_db, file)
    made.store.add(ConsentSource("residents", "file", str(file), at=NOW))
    made.read()
    yield made
    with lasting_db.write() as tx:
        for table in ("withdrawal", "consent_source", "consent_read", "consent_went", "outgoing"):
            tx.run(f"DELETE FROM {table}")  # noqa: S608
