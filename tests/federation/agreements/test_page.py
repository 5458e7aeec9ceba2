"""A public agreement has a page at both cities; one that is not public has none for anyone."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.federation.agreed import agree
from tests.federation.cities import HELSINKI, LONDON, City, cities

pytestmark = pytest.mark.slow
Two = tuple[City, City]


@pytest.fixture
def friends(tmp_path: Path, migrated: Path) -> Iterator[Two]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        yield helsinki, london


def test_a_public_agreement_is_read_in_sentences_by_everyone_at_both_cities(friends: Two) -> None:
    helsinki, london = friends
    agree(helsinki.node, london.node, "open-data", public=True)
    for town in friends:
        listed = town.get("/collections/agreements.nt").body.decode()
        assert (
            f"{helsinki.node.settings.name} → {london.node.settings.name}. Yes, in force"
            in town.get("/collections/agreements", accept="text/html").body.decode()
        )
        for reading in town.node.finding.readings:
            reading.catch_up(threading.Event())
        found = json.loads(town.get("/search.json?kind=agreement").body)
        assert [each["description"].partition(".")[0] for each in found["hits"]] == [
            f"{helsinki.node.settings.name} → {london.node.settings.name}"
        ]
        listed_there = town.get("/federation", accept="text/html").body.decode()
        (leads,) = set(re.findall(r'href="(/agreements/[^"#?]+)"', listed_there)) - {"/agreements"}
        assert town.get(leads, accept="text/html").status == 200, "the page of the cities leads to the agreement's page"
        records = {line.split()[0][1:-1] for line in listed.splitlines() if "/ns#text> " in line}
        assert len(records) == 1
        page = town.get(next(iter(records)).removeprefix(town.node.settings.base_url), accept="text/html")
        assert page.status == 200
        said = page.body.decode()
        assert "citynode agreements verify agreement.json" in said
        assert f"citynode agreements verify '{town.node.settings.base_url}/agreements/" in said
        assert 'id="c2-1"' in said
        assert "Yes, in force" in said


def test_one_that_is_not_public_has_a_page_for_nobody(friends: Two) -> None:
    helsinki, london = friends
    agree(helsinki.node, london.node, "open-data")
    for town in friends:
        assert town.get("/collections/agreements").status == 404
        assert "/agreements/" not in town.get("/catalog.ttl").body.decode()
