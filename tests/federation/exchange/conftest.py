"""Two cities that exchange."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.federation.cities import HELSINKI, LONDON, cities
from tests.federation.exchange.rig import Two


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Two]:
    """Helsinki, and London which follows it; Helsinki does not know London."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        yield helsinki, london


@pytest.fixture
def friends(two: Two) -> Two:
    """Both know each other."""
    helsinki, london = two
    helsinki.meet(london, follow=())
    return two
