"""The list of files to look at follows the shelf: our open datasets alone, and nothing twice."""

import threading

import pytest

from node.catalog.models.inspections import Inspection
from tests.catalog.models.samples import catalogue
from tests.catalog.rig import City

pytestmark = pytest.mark.slow  # a harvest each, on both databases

A, B = "https://files.example/a.city.json", "https://files.example/b.city.json"


def listed(city: City) -> list[Inspection]:
    models = city.node.knowledge.models
    models.keeper.catch_up(threading.Event())
    return models.inspections.all()


def test_the_files_of_a_harvested_dataset_are_due_at_once_and_those_it_leaves_out_are_gone(city: City) -> None:
    city.harvest(catalogue(A, B))
    found = listed(city)
    assert [(each.url, each.state, each.next_ms) for each in found] == [(A, "new", 0), (B, "new", 0)]
    assert {each.dataset for each in found} == {"https://data.example/id/m"}
    assert city.node.knowledge.models.keeper.status().state == "level"

    city.harvest(catalogue(B))
    assert [(each.url, each.state) for each in listed(city)] == [(A, "gone"), (B, "new")]
    city.harvest(catalogue(A, B))
    assert [(each.url, each.state) for each in listed(city)] == [(A, "new"), (B, "new")]


def test_a_dataset_of_a_closed_collection_is_left_out_and_drops_out_when_it_is_closed(city: City) -> None:
    city.harvest(catalogue(A))
    assert [each.state for each in listed(city)] == ["new"]
    with city.node.db.write() as tx:
        tx.run("UPDATE collection SET visibility = 'restricted' WHERE name = 'open-data'")
    city.node.knowledge.models.keeper.rebuild(threading.Event())
    assert [each.state for each in listed(city)] == ["gone"]
    with city.node.db.write() as tx:
        tx.run("DELETE FROM inspection")
    city.node.knowledge.models.keeper.rebuild(threading.Event())
    assert listed(city) == []


def test_a_mirror_is_left_to_its_own_city(city: City) -> None:
    city.harvest(catalogue(A))
    with city.node.db.write() as tx:
        tx.run("UPDATE collection SET name = 'london/open-data' WHERE name = 'open-data'")
    assert listed(city) == []


def test_reading_the_shelf_anew_leaves_what_is_known_as_it_is(city: City) -> None:
    city.harvest(catalogue(A))
    listed(city)
    with city.node.db.write() as tx:
        tx.run("UPDATE inspection SET state = 'read', facts = '{}', next_at = 9, checked_at = 5")
    before = listed(city)
    assert city.node.knowledge.models.keeper.rebuild(threading.Event()) >= 1
    assert listed(city) == before
