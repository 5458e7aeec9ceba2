"""Fixtures for pytest: one city, two that know each other, or as many as a test asks for.

The only module here that imports pytest, and nothing of ours imports it. Use them with
`pytest_plugins = ["node.testing.fixtures"]` in the top `conftest.py`, or by importing the ones you need into a
`conftest.py` further down. Each starts real processes on loopback (a second or two per city) and ends them all.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.testing.city import City
from node.testing.city import city as one_city
from node.testing.cluster import Cluster

Clusters = Callable[..., Cluster]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """Give one city that runs, with an empty collection `open-data`."""
    with one_city(tmp_path / "node") as one:
        yield one.start()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Clusters]:
    """Give a function that makes a running cluster: `cluster(3, environ={…})`, the arguments of `Cluster`."""
    with contextlib.ExitStack() as stack:

        def begun(size: int = 2, **options: Any) -> Cluster:  # noqa: ANN401 (the arguments of Cluster)
            return stack.enter_context(Cluster(tmp_path, size, **options)).start()

        yield begun


@pytest.fixture
def two_cities(cluster: Clusters) -> Cluster:
    """Give Helsinki and London: running, introduced, each following the other's open data, which is empty so far."""
    two = cluster(2)
    two.introduce_all()
    return two
