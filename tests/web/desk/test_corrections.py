"""Laws of corrections at the desk: what is left as it is is no correction, and what is corrected says so to readers."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.catalog.rig import ID, City, dataset, make_city, turtle
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.desk.sent import form_with, forms_to

pytestmark = pytest.mark.slow  # a whole node and runs

IRI = ID + "n1"
EDIT = f"/desk/corrections/edit?iri={quote(IRI, safe='')}"
FILE = '; dcat:distribution [ a dcat:Distribution ; dcat:accessURL <https://data.example/a> ; dct:format "odd" ]'


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("corrected")
    (folder / "node.db").write_bytes(migrated.read_bytes())
    made = make_city(folder)
    made.harvest(turtle(dataset("n1", more=FILE), dataset("n2")))
    yield made
    made.node.close()


@pytest.fixture
def desk(city: City) -> Iterator[Browser]:
    with at_desk(city.node, "editor") as browser:
        yield browser
    for each in city.node.knowledge.corrections.list():
        city.node.knowledge.corrections.remove(each.iri)


def test_a_form_that_is_sent_as_it_came_corrects_nothing(city: City, desk: Browser) -> None:
    before = city.digests()[IRI]
    fields = form_with(desk.get(EDIT).text, "/title/en")
    reply = desk.press(EDIT, {**fields, "do": "save"})
    assert reply.status_code == 422
    assert "Nothing is corrected: the source says all of this already." in text_of(reply)
    assert city.digests()[IRI] == before


def test_what_is_changed_in_the_form_is_the_correction_and_nothing_else(city: City, desk: Browser) -> None:
    fields = form_with(desk.get(EDIT).text, "/title/en")
    fields["/title/en"], fields["/title/fi"] = ["Trees"], ["Puut"]
    fields["/license"] = ["CC_BY_4_0"]
    fields["/files/0/format"] = ["CSV"]
    shown = text_of(desk.after(desk.press(EDIT, {**fields, "do": "save", "note": "They know"})))
    assert "The record is corrected" in shown
    (kept,) = city.node.knowledge.corrections.list()
    assert kept.said == {
        "title": {"en": "Trees", "fi": "Puut"},
        "license": "CC_BY_4_0",
        "files": [{"address": "https://data.example/a", "was": "odd", "format": "CSV"}],
    }
    assert (kept.who, kept.note) == ("maija", "They know")
    again = form_with(desk.get(EDIT).text, "/title/en")
    assert desk.press(EDIT, {**again, "do": "save"}).status_code == 303
    assert city.node.knowledge.corrections.list()[0].said == kept.said
    listed = text_of(desk.get("/desk/corrections"))
    assert "Corrected: Title, Licence, Files and services." in listed


def test_readers_see_that_the_city_corrected_it(city: City, desk: Browser) -> None:
    city.node.knowledge.corrections.set(IRI, {"title": {"en": "Trees"}}, who="maija")
    page = text_of(desk.get("/datasets/n1"))
    assert "Corrected by Testville on " in page
    assert ": Title. The source says something else." in page
    assert "maija" not in page
    assert "Corrected by" not in text_of(desk.get("/datasets/n2"))


def test_a_source_that_moved_is_told_on_both_pages_and_the_correction_can_go(city: City, desk: Browser) -> None:
    city.node.knowledge.corrections.set(IRI, {"title": {"en": "Trees"}}, who="maija")
    city.harvest(turtle(dataset("n1", "A third title", more=FILE), dataset("n2")))
    assert "The source says something else since" in text_of(desk.get("/desk/corrections?changed=1"))
    page = desk.get(EDIT)
    assert "A third title" in text_of(page)
    (fields,) = forms_to(page.text, "/desk/corrections/remove")
    desk.after(desk.press("/desk/corrections/remove", {**fields}))
    assert '"A third title"@en' in city.payload(IRI)
    city.harvest(turtle(dataset("n1", more=FILE), dataset("n2")))


def test_what_is_wrong_is_said_beside_its_field_and_kept_in_the_form(city: City, desk: Browser) -> None:
    fields = form_with(desk.get(EDIT).text, "/title/en")
    fields["/page"] = ["ftp://nowhere"]
    reply = desk.press(EDIT, {**fields, "do": "save"})
    assert reply.status_code == 422
    assert 'href="#f-page"' in reply.text
    assert 'value="ftp://nowhere"' in reply.text


def test_what_has_no_source_is_refused_and_viewers_correct_nothing(city: City, desk: Browser) -> None:
    assert desk.get("/desk/corrections/edit?iri=https://nowhere.example/1").status_code == 404
    assert desk.get("/desk/corrections/edit").status_code == 400
    with at_desk(city.node, "viewer", name="eero") as viewer:
        assert viewer.get("/desk/corrections").status_code == 200
        assert viewer.get(EDIT).status_code == 403


def test_a_correction_that_somebody_else_made_meanwhile_is_not_written_over_unseen(city: City, desk: Browser) -> None:
    stale = form_with(desk.get(EDIT).text, "/title/en") | {"/license": ["CC_BY_4_0"], "do": ["save"]}
    city.node.knowledge.corrections.set(IRI, {"title": {"en": "Trees"}}, who="eero")
    reply = desk.press(EDIT, stale)
    assert reply.status_code == 409
    assert "Saved meanwhile by: eero" in text_of(reply)
    (kept,) = city.node.knowledge.corrections.list()
    assert (kept.who, kept.said) == ("eero", {"title": {"en": "Trees"}})
    assert form_with(reply.text, "/title/en")["/license"] == ["CC_BY_4_0"], "what was written is still there"
    (gone,) = forms_to(desk.get(EDIT).text, "/desk/corrections/remove")
    city.node.knowledge.corrections.set(IRI, {"title": {"en": "All trees"}}, who="eero")
    assert desk.press("/desk/corrections/remove", gone).status_code == 412
    assert len(city.node.knowledge.corrections.list()) == 1
