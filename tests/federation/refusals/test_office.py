"""Laws of what two cities refuse of each other: both are shown the same entries, each peer's own, counted by reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.federation.refusals import office as module
from tests.federation.cities import GHENT, HELSINKI, LONDON, NAME, City, cities
from tests.federation.refusals.test_reports import of_another_city

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds


@pytest.fixture
def three(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City, City]]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON, ghent=GHENT) as (helsinki, london, ghent):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        london.meet(ghent, follow=())
        helsinki.publish(helsinki.put(1), of_another_city(helsinki, ghent), of_another_city(helsinki, ghent))
        london.pull(helsinki)
        yield helsinki, london, ghent


def of(city: City, peer: str) -> dict[str, Any]:
    return city.node.federation.refusal_office.of(peer)


def test_both_cities_see_what_one_refuses_of_the_other(three: tuple[City, City, City]) -> None:
    helsinki, london, _ = three
    at_london, at_helsinki = of(london, "helsinki"), of(helsinki, "london")
    [ours] = at_london["ours"]["entries"]
    [theirs] = at_helsinki["theirs"]["entries"]
    assert (ours["collection"], theirs["collection"]) == (f"helsinki/{NAME}", NAME)
    assert (ours["entry"], ours["code"]) == (theirs["entry"], theirs["code"]) == (2, "foreign-record")
    assert ours["told_at"]
    assert at_london["ours"]["codes"] == at_helsinki["theirs"]["codes"] == {"foreign-record": 1}
    assert (at_london["theirs"]["count"], at_helsinki["ours"]["count"]) == (0, 0)


def test_another_city_is_told_nothing_of_it(three: tuple[City, City, City]) -> None:
    _, london, _ = three
    found = of(london, "ghent")
    assert (found["ours"]["entries"], found["theirs"]["entries"]) == ([], [])


def test_what_a_page_can_show_is_bounded_and_the_count_is_whole(
    three: tuple[City, City, City], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, london, _ = three
    monkeypatch.setattr(module, "MOST", 0)
    found = of(london, "helsinki")
    assert (found["ours"]["entries"], found["ours"]["count"]) == ([], 1)
