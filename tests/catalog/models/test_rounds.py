"""Harvested city models are read by themselves: a real portal, a real harvest, the real reader, both databases."""

import threading
from typing import Any

import pytest

from node.catalog.fetched_files import DAY_MS, EVERY_MS
from node.catalog.models.inspections import Inspection, withhold
from node.journal import Draft, catch_up
from tests.catalog.models.samples import catalogue, cityjson
from tests.catalog.rig import City
from tests.portal_server import PortalServer, page, status

pytestmark = pytest.mark.slow  # a process for each model that is read


def look(city: City) -> int:
    """Bring the list level and do all that is due; give how many things that was."""
    models, stop, done = city.node.knowledge.models, threading.Event(), 0
    models.keeper.catch_up(stop)
    while models.inspector.round(stop):
        done += 1
        assert done < 50
    return done


def known(city: City) -> list[Inspection]:
    return city.node.knowledge.models.inspections.all()


def due(city: City) -> None:
    """Let time pass for all files."""
    with city.node.db.write() as tx:
        tx.run("UPDATE inspection SET next_at = 0, checked_at = 0")


def models(city: City) -> list[dict[str, Any]]:
    office = city.node.knowledge.authoring
    return [office.said(held) for held in office.own("city-model")]


def test_a_model_that_a_harvested_dataset_names_gets_a_record_of_its_own(city: City, portal: PortalServer) -> None:
    url = f"{portal.url}/centre.city.json"
    portal.pages["/centre.city.json"] = page(cityjson(), "application/json", etag='"1"')
    city.harvest(catalogue(url, more="; dct:license <http://creativecommons.org/licenses/by/4.0/>"))

    assert look(city) == 1

    (said,) = models(city)
    assert said["title"] == {"en": "3D model of the centre (CityJSON)"}
    assert said["about"] == "https://data.example/id/m"
    assert said["file"] == url
    assert (said["format"], said["format_version"], said["type"]) == ("cityjson", "2.0", "semantic")
    assert (said["objects"], said["lods"], said["epoch"]) == ("2", ["1.2"], "2024-05-01")
    assert said["counts"] == [{"type": "Building", "count": "2"}]
    assert said["attributes"] == ["storeys"]
    assert said["license"] == "CC_BY_4_0"
    assert said["crs"] == "http://www.opengis.net/def/crs/EPSG/0/3879"
    assert said["lower_corner"] == "25496000 6672000 0"
    assert str(said["area"]).startswith("{'bbox': 'POLYGON((24.9")
    assert set(said["summary"]) == {"en", "fi", "sv"}
    assert city.verify("models") == 1


def test_looking_again_at_a_file_that_did_not_change_fetches_and_writes_nothing(
    city: City, portal: PortalServer
) -> None:
    portal.pages["/m.city.json"] = page(cityjson(), etag='"1"')
    city.harvest(catalogue(f"{portal.url}/m.city.json"))
    look(city)
    size = city.size("models")

    assert look(city) == 0
    due(city)
    assert look(city) == 1

    assert portal.asked[-1][1]["if-none-match"] == '"1"'
    assert city.size("models") == size
    (one,) = known(city)
    assert one.next_ms - one.checked_ms == EVERY_MS


def test_a_server_without_etags_is_asked_by_date(city: City, portal: PortalServer) -> None:
    portal.pages["/m.city.json"] = page(cityjson(), last_modified="Sat, 21 Nov 2026 10:00:00 GMT")
    city.harvest(catalogue(f"{portal.url}/m.city.json"))
    look(city)
    due(city)
    look(city)
    assert portal.asked[-1][1]["if-modified-since"] == "Sat, 21 Nov 2026 10:00:00 GMT"
    assert [each.state for each in known(city)] == ["read"]


def test_a_changed_file_changes_its_record_and_a_changed_title_needs_no_fetching(
    city: City, portal: PortalServer
) -> None:
    url = f"{portal.url}/m.city.json"
    portal.pages["/m.city.json"] = page(cityjson(), etag='"1"')
    city.harvest(catalogue(url))
    look(city)
    asked = len(portal.asked)

    city.harvest(catalogue(url, title="The centre, renamed"))
    assert look(city) == 1
    assert models(city)[0]["title"] == {"en": "The centre, renamed (3D model, CityJSON)"}
    assert len(portal.asked) == asked, "a renamed dataset is no reason to fetch its files the same day"
    (one,) = known(city)
    assert one.next_ms == one.checked_ms + DAY_MS, "but they may have changed as well"

    portal.pages["/m.city.json"] = page(cityjson(blocks=3), etag='"2"')
    due(city)
    look(city)
    assert models(city)[0]["objects"] == "3"


def test_what_its_dataset_names_no_more_is_withdrawn(city: City, portal: PortalServer) -> None:
    first, second = f"{portal.url}/1.city.json", f"{portal.url}/2.city.json"
    portal.pages |= {"/1.city.json": page(cityjson()), "/2.city.json": page(cityjson(blocks=1))}
    city.harvest(catalogue(first, second))
    assert look(city) == 2
    assert sorted(str(said["title"]) for said in models(city)) == [
        "{'en': '3D model of the centre: Part 1'}",
        "{'en': '3D model of the centre: Part 2'}",
    ]

    city.harvest(catalogue(first))
    look(city)
    assert [(said["file"], said["title"]) for said in models(city)] == [
        (first, {"en": "3D model of the centre (CityJSON)"})
    ]
    assert [each.url for each in known(city)] == [first]


def test_a_dataset_that_is_closed_takes_its_models_along(city: City, portal: PortalServer) -> None:
    portal.pages["/m.city.json"] = page(cityjson())
    city.harvest(catalogue(f"{portal.url}/m.city.json"))
    look(city)
    with city.node.db.write() as tx:
        tx.run("UPDATE collection SET visibility = 'restricted' WHERE name = 'open-data'")
    city.node.knowledge.models.keeper.rebuild(threading.Event())
    look(city)
    assert models(city) == []
    assert known(city) == []


def test_a_file_that_cannot_be_fetched_keeps_its_record_and_is_asked_ever_less_often(
    city: City, portal: PortalServer
) -> None:
    portal.pages["/m.city.json"] = page(cityjson())
    city.harvest(catalogue(f"{portal.url}/m.city.json"))
    look(city)
    portal.pages["/m.city.json"] = status(503)
    waits = []
    for _ in range(3):
        with city.node.db.write() as tx:  # so much time passes that it is due, and no more
            tx.run("UPDATE inspection SET checked_at = checked_at - next_at, next_at = 0")
        look(city)
        (one,) = known(city)
        assert one.state == "failed"
        assert "503" in one.detail
        waits.append((one.next_ms - one.checked_ms) // 3_600_000)
    assert waits == [1, 2, 4]
    assert len(models(city)) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"<html>not here</html>", "page"), (b'{"type": "FeatureCollection"}', "city model"), (b"", "empty")],
)
def test_what_is_no_model_is_refused_with_the_reason_and_let_be(
    city: City, portal: PortalServer, body: bytes, said: str
) -> None:
    portal.pages["/m.city.json"] = page(body)
    city.harvest(catalogue(f"{portal.url}/m.city.json"))
    look(city)
    (one,) = known(city)
    assert (one.state, models(city)) == ("refused", [])
    assert said in one.detail
    assert one.next_ms - one.checked_ms == 30 * DAY_MS


def test_a_model_of_a_dataset_with_personal_data_is_not_even_fetched(city: City, portal: PortalServer) -> None:
    portal.pages["/m.city.json"] = page(cityjson())
    city.harvest(catalogue(f"{portal.url}/m.city.json"))
    held = city.node.shelf.by_iri("https://data.example/id/m")
    assert held is not None
    flag = b"<https://data.example/id/m> <https://w3id.org/dpv#hasPersonalData> <https://w3id.org/dpv#PersonalData> .\n"
    lines = [*city.node.shelf.payload(held).splitlines(keepends=True), flag]
    draft = Draft(held.iri, held.slug, held.kind, "put", b"".join(sorted(lines)))
    with city.node.db.write() as tx:  # by no door: each of them would have refused it
        city.node.journals.append(tx, "open-data", [draft], at_ms=2_000)
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)
    look(city)
    assert (known(city), models(city), portal.asked) == ([], [], [])


def test_a_model_that_a_person_took_back_stays_away(city: City, portal: PortalServer) -> None:
    url = f"{portal.url}/m.city.json"
    portal.pages["/m.city.json"] = page(cityjson())
    city.harvest(catalogue(url))
    look(city)
    (one,) = known(city)
    city.node.knowledge.authoring.withdraw("city-model", one.slug)
    with city.node.db.write() as tx:
        assert withhold(tx, one.slug) == 1
    city.harvest(catalogue(url, title="Renamed"))
    due(city)
    assert look(city) == 0
    assert models(city) == []
