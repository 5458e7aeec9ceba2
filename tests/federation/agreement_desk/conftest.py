"""Two cities that may agree."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.assembly.clock import clock_ms
from tests.federation.cities import HELSINKI, LONDON, City, cities


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.meet(london)
        london.meet(helsinki)
        for city in (helsinki, london):
            city.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=clock_ms())
        yield helsinki, london
