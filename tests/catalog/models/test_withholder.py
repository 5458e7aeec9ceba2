"""Laws of marks: of a dataset about residents nothing that its models say is published, nor stays so."""

import threading
from typing import Any

import pytest

from node.catalog.author.office import Written
from node.errors import Conflict
from tests.catalog.models.samples import catalogue, cityjson
from tests.catalog.models.test_rounds import due, known, look, models
from tests.catalog.rig import City
from tests.portal_server import PortalServer, page

pytestmark = pytest.mark.slow  # a process for each model that is read

DATASET = "https://data.example/id/m"


def mark(city: City, dataset: str = DATASET) -> None:
    with city.node.db.write() as tx:
        sql = "INSERT INTO data_personal (dataset, subject_column, consent, at) VALUES (?, 'id', '', 1)"
        tx.run(sql, dataset)


def unmark(city: City) -> None:
    with city.node.db.write() as tx:
        tx.run("DELETE FROM data_personal")


@pytest.fixture
def model(city: City, portal: PortalServer) -> str:
    """The address of a model that a harvested dataset names."""
    portal.pages["/m.city.json"] = page(cityjson(), etag='"1"')
    url = f"{portal.url}/m.city.json"
    city.harvest(catalogue(url))
    return url


def test_what_was_read_goes_when_the_mark_comes_and_comes_back_when_it_was_a_slip(
    city: City, portal: PortalServer, model: str
) -> None:
    look(city)
    (before,) = models(city)
    mark(city)
    assert look(city) == 0
    assert models(city) == []
    (one,) = known(city)
    assert (one.state, one.facts, one.etag) == ("residents", "", "")
    asked = len(portal.asked)
    city.harvest(catalogue(model, f"{portal.url}/b.city.json", title="Another title"))
    due(city)
    look(city)
    assert ([each.state for each in known(city)], models(city)) == (["residents"] * 2, [])
    assert len(portal.asked) == asked, "and nobody looks again"
    city.harvest(catalogue(model))
    unmark(city)
    look(city)
    assert models(city) == [before]


def test_what_is_marked_before_is_never_fetched(city: City, portal: PortalServer, model: str) -> None:
    mark(city)
    assert look(city) == 0
    assert (models(city), [each.state for each in known(city)], portal.asked) == ([], ["residents"], [])


def test_a_mark_that_comes_while_a_file_is_read_is_kept_to(
    city: City, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = city.node.knowledge.models.files
    read = files.read

    def slow(*args: Any, **more: Any) -> Any:
        mark(city)
        return read(*args, **more)

    monkeypatch.setattr(type(files), "read", lambda _, *args, **more: slow(*args, **more))
    size = city.size("models") if "models" in city.node.knowledge.authoring.visibilities() else 0
    look(city)
    after = city.size("models") if "models" in city.node.knowledge.authoring.visibilities() else 0
    assert (after, [each.state for each in known(city)]) == (size, ["residents"]), "no entry of it was ever written"


def test_a_file_that_a_marked_dataset_names_too_is_shut_wherever_that_stands(city: City, model: str) -> None:
    look(city)
    other = catalogue(model, title="Who lives there").replace("d:m ", "d:people ").replace("/id/m/", "/id/people/")
    city.node.knowledge.collections.make("closed")
    city.add(city.write(other, "closed.ttl"), "closed", collection="closed")
    city.run("closed")
    mark(city, "https://data.example/id/people")
    look(city)
    assert (models(city), [each.state for each in known(city)]) == ([], ["residents"])


def test_what_a_person_withheld_stays_withheld(city: City, model: str) -> None:
    from node.catalog.models.inspections import withhold

    look(city)
    (one,) = known(city)
    city.node.knowledge.authoring.withdraw("city-model", one.slug)
    with city.node.db.write() as tx:
        withhold(tx, one.slug)
    mark(city)
    look(city)
    unmark(city)
    look(city)
    assert [(each.state, each.facts) for each in known(city)] == [("withheld", "")]
    assert models(city) == []


def test_a_model_published_by_hand_goes_too_and_is_not_published_again(city: City, model: str) -> None:
    held = city.node.shelf.by_iri(DATASET)
    assert held is not None
    said = {"title": {"en": "By hand"}, "about": DATASET, "type": "mesh", "format": "cityjson", "format_version": "2.0"}
    outcome = city.node.knowledge.authoring.publish("city-model", [Written("by-hand", said)])
    assert outcome.put, outcome.refused
    mark(city)
    withholder = city.node.knowledge.models.withholder
    assert withholder.round(threading.Event()) > 0
    assert withholder.round(threading.Event()) == 0
    assert models(city) == []
    for dataset, url in ((DATASET, ""), ("", model)):
        with pytest.raises(Conflict, match="residents"):
            withholder.check(dataset, url, "")
    withholder.check("urn:other", "https://other.example/m.city.json", "")
