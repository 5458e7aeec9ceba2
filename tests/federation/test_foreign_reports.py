"""Laws of what a peer may report: its word counts for our collections alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.errors import NodeError
from tests.federation.cities import HELSINKI, LONDON, NAME, City, cities

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

FOREIGN = [
    f"https://elsewhere.example/collections/{NAME}",
    f"{HELSINKI}/collections/{NAME}",
    f"{LONDON}/collections/helsinki/{NAME}",
    f"{LONDON}/collections/../collections/{NAME}",
    f"{LONDON}/x/collections/{NAME}",
    NAME,
]


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    """Helsinki and London know each other."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.meet(london, follow=())
        london.meet(helsinki, follow=())
        london.publish_many(2)
        yield helsinki, london


@pytest.mark.parametrize("iri", FOREIGN)
def test_a_report_about_a_collection_that_is_not_ours_is_kept_nowhere(two: tuple[City, City], iri: str) -> None:
    helsinki, london = two
    client = helsinki.federation.client
    with pytest.raises(NodeError, match="no such collection"):
        client.tell_refusals(LONDON, iri, [{"seq": 1, "code": "too-large"}])
    with pytest.raises(NodeError, match="no such collection"):
        client.confirm_erasures(LONDON, iri, [1])
    assert london.sql("SELECT * FROM refusal_heard") == []
    assert london.sql("SELECT * FROM erasure_heard") == []


def test_a_report_about_our_own_collection_is_kept(two: tuple[City, City]) -> None:
    helsinki, london = two
    helsinki.federation.client.tell_refusals(LONDON, london.iri, [{"seq": 1, "code": "too-large"}])
    assert [row[1:4] for row in london.sql("SELECT * FROM refusal_heard")] == [(1, "helsinki", "too-large")]
