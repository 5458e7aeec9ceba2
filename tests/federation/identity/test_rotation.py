"""Laws of rotation between whole nodes: what the old key vouches for is taken at once, by whoever needs it first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.assembly.clock import clock_ms
from node.keys import Purpose
from tests.federation.cities import HELSINKI, LONDON, NAME, City, cities

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

DAY_MS = 86_400_000
Two = tuple[City, City]


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Two]:
    """Helsinki and London know each other; London follows Helsinki."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        yield helsinki, london


def rotate(city: City, purpose: Purpose) -> str:
    return city.node.keyring.rotate(purpose, now_ms=clock_ms(), overlap_ms=DAY_MS).kid


def test_a_token_is_given_to_a_client_key_that_was_rotated_a_moment_ago(two: Two) -> None:
    helsinki, london = two
    kid = rotate(london, "client")
    assert kid not in {key.kid for key in helsinki.federation.peers.all_keys("london")}
    london.federation.token_source.headers(HELSINKI, "GET", f"{HELSINKI}/collections/{NAME}/entries")
    assert kid in {key.kid for key in helsinki.federation.peers.all_keys("london")}


@pytest.mark.parametrize("purpose", ["entity", "token", "client", "checkpoint", "record", "witness"])
def test_every_key_can_be_rotated_between_two_pulls(two: Two, purpose: Purpose) -> None:
    helsinki, london = two
    helsinki.publish_many(2)
    assert london.pull(helsinki).pulled.error is None
    kid = rotate(helsinki, purpose)
    helsinki.publish_many(2, start=3)
    assert london.pull(helsinki).pulled.error is None
    assert london.size(f"helsinki/{NAME}") == 4
    london.federation.peers.refresh("helsinki", clock_ms())
    assert kid in {key.kid for key in london.federation.peers.all_keys("helsinki")}
    assert not london.federation.peers.get("helsinki").quarantine
