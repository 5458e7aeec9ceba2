"""Two cities for the tests of pulls, put up once for each file of them."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.journal import catch_up
from tests.federation.data.door_rig import Pair, pair
from tests.federation.pulls.rig import Own, office


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Pair]:
    """Two cities for all tests here: putting them up takes longer than a pull."""
    with pair(tmp_path_factory.mktemp("pulls"), migrated) as made:
        made.helsinki.publish_many(40, start=2)
        for follower in made.helsinki.node.followers:
            catch_up(made.helsinki.node.journals, follower)
        yield made


@pytest.fixture(scope="module")
def numbers(world: Pair) -> Iterator[int]:
    """Number the datasets of the world, so that each test has its own."""
    return itertools.count(2)


@pytest.fixture
def two(world: Pair, numbers: Iterator[int], tmp_path: Path) -> Iterator[Own]:
    """Give a dataset of one's own in the same world."""
    wire = world.london.wire
    wire.forget()
    yield Own(world.helsinki, world.london, tmp_path, number=next(numbers))
    wire.snap = lambda _request, _sent, _length: None
    for each in office(world.london).list():
        office(world.london).cancel(each.id)
