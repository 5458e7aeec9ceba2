"""One city for a whole module of laws: every example has sources and records of its own in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.catalog import harvest
from tests.catalog.rig import City, LastingParser, make_city


@pytest.fixture(scope="module")
def cities(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, City]]:
    """Give two nodes with the same base URL."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harvest, "Parser", LastingParser)
        for name in ("first", "second"):
            folder = tmp_path_factory.mktemp(name)
            shutil.copy(migrated, folder / "node.db")
            made.append(make_city(folder))
        yield made[0], made[1]
    for city in made:
        city.node.close()
    LastingParser.end_all()
