"""Laws of corrections: they survive every harvest, are seen in the record, and can be taken back to the byte."""

from collections.abc import Iterator
from typing import Any

import pytest

from node.catalog.correction_store import Correction
from node.catalog.corrections import Corrections
from node.errors import Conflict, Malformed, NotFound
from node.vocab import overlay
from tests.catalog.rig import BASE, ID, NAME, City, counts, dataset, turtle

pytestmark = pytest.mark.slow  # whole nodes and runs

IRI = ID + "n1"
_FILE = 'dcat:distribution [ a dcat:Distribution ; dcat:accessURL <https://data.example/{}> ; dct:format "{}" ]'
MORE = "; dcat:keyword 'tree'@en, 'puu'@fi ; dcat:contactPoint [ a vcard:Organization ; vcard:fn 'Desk' ] ; " + (
    " ; ".join(_FILE.format(*each) for each in (("a", "x-odd"), ("b", "CSV")))
)
SAID: dict[str, Any] = {
    "title": {"en": "Trees of the city", "fi": "Kaupungin puut"},
    "license": "CC_BY_4_0",
    "files": [{"address": "https://data.example/a", "was": "x-odd", "format": "GEOJSON"}],
}


@pytest.fixture
def office(city: City) -> Iterator[Corrections]:
    city.harvest(turtle(dataset("n1", more=MORE), dataset("n2")))
    return city.node.knowledge.corrections


def stands(city: City, iri: str = IRI) -> str:
    return city.digests()[iri]


def test_a_correction_is_in_the_record_at_once_and_the_next_harvest_finds_nothing_new(
    city: City, office: Corrections
) -> None:
    before = stands(city)
    office.set(IRI, SAID, who="ada")
    corrected, payload = stands(city), city.payload(IRI)
    assert corrected != before
    assert '"Trees of the city"@en' in payload
    assert '"Kaupungin puut"@fi' in payload
    assert '"Title of n1"' not in payload
    assert payload.count("authority/licence/CC_BY_4_0>") == 2, "the licence stands on every file"
    assert "authority/file-type/GEOJSON>" in payload
    assert '"x-odd"' not in payload
    assert '"CSV"' in payload
    assert '"About n1."@en' in payload, "what was not corrected is the source's"
    run = city.run(full=True)
    assert counts(run) == {"unchanged": 2}
    assert stands(city) == corrected
    assert city.verify() == 3


def test_the_record_says_who_corrected_what_and_names_no_person(city: City, office: Corrections) -> None:
    office.set(IRI, SAID, who="ada.lovelace", note="The publisher is on holiday")
    payload = city.payload(IRI)
    told = overlay.told_in(IRI, payload.encode())
    assert told is not None
    assert [field.name for field in told.fields] == ["title", "license", "files"]
    assert told.by == BASE
    assert "lovelace" not in payload
    assert "holiday" not in payload
    assert overlay.told_in(ID + "n2", city.payload(ID + "n2").encode()) is None


def test_what_the_source_adds_beside_a_correction_arrives(city: City, office: Corrections) -> None:
    office.set(IRI, SAID, who="ada")
    run = city.harvest(turtle(dataset("n1", more=f"{MORE} ; dct:identifier 'T-1'"), dataset("n2")))
    assert counts(run) == {"changed": 1, "unchanged": 1}
    payload = city.payload(IRI)
    assert '"T-1"' in payload
    assert '"Trees of the city"@en' in payload
    assert office.list(changed=True) == []


def test_a_source_that_changes_the_corrected_value_leaves_a_task_and_not_the_record(
    city: City, office: Corrections
) -> None:
    office.set(IRI, SAID, who="ada")
    corrected = stands(city)
    run = city.harvest(turtle(dataset("n1", "A third title", more=MORE), dataset("n2")))
    assert counts(run) == {"unchanged": 2}
    assert stands(city) == corrected
    (found,) = office.list(changed=True)
    assert found.before["title"] == {"en": "Title of n1"}
    assert found.now["title"] == {"en": "A third title"}
    assert not found.taken
    due = city.node.knowledge.tasks.due(found.changed_ms)
    assert [(task.what, task.iri, task.title) for task in due] == [("correction", IRI, "Trees of the city")]
    city.harvest(turtle(dataset("n1", more=MORE), dataset("n2")))
    assert office.list(changed=True) == [], "the source says again what it said"


def test_taking_a_correction_back_gives_the_sources_own_bytes(city: City, office: Corrections) -> None:
    before = stands(city)
    office.set(IRI, SAID, who="ada")
    office.set(IRI, {"title": {"en": "Another"}}, who="bob")
    assert "CC_BY_4_0" not in city.payload(IRI), "a later correction stands instead of the earlier one"
    sheet = office.remove(IRI)
    assert sheet is not None
    assert sheet.correction is None
    assert stands(city) == before
    assert office.list() == []
    with pytest.raises(NotFound):
        office.remove(IRI)


def test_taking_back_gives_what_the_source_says_now(city: City, office: Corrections) -> None:
    office.set(IRI, SAID, who="ada")
    city.harvest(turtle(dataset("n1", "A third title", more=MORE), dataset("n2")))
    office.remove(IRI)
    assert '"A third title"@en' in city.payload(IRI)
    assert counts(city.run(full=True)) == {"unchanged": 2}


def test_a_withdrawn_record_that_comes_back_is_corrected_again(city: City, office: Corrections) -> None:
    office.set(IRI, SAID, who="ada")
    corrected = stands(city)
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET threshold_percent = 100")
    city.harvest(turtle(dataset("n2")))
    assert IRI not in city.digests()
    city.harvest(turtle(dataset("n1", more=MORE), dataset("n2")))
    assert stands(city) == corrected


def test_a_correction_made_while_a_run_reads_is_not_lost(city: City, office: Corrections) -> None:
    done = []

    def meanwhile(stage: str, *_: object) -> None:
        if stage == "publish" and not done:
            done.append(office.set(IRI, SAID, who="ada"))

    city.write(turtle(dataset("n1", more=f"{MORE} ; dct:identifier 'T-1'"), dataset("n2")), "portal.ttl")
    city.run(on_progress=meanwhile)
    assert done
    payload = city.payload(IRI)
    assert '"T-1"' in payload
    assert '"Trees of the city"@en' in payload
    (kept,) = office.list()
    assert b'"T-1"' in kept.source


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"title": {"en": "Title of n1"}}, ""),
        ({"license": "MY_OWN"}, "/license"),
        ({"titel": {"en": "X"}}, "/titel"),
        ({"contact": {"name": {"en": "Desk"}, "email": "maija.meri@hel.example"}}, "/contact/email"),
        ({"period": {"start": "soon"}}, "/period/start"),
        ({"description": {"en": "Henkilötunnus 131052-308T."}, "page": "ftp://x"}, "/page"),
    ],
)
def test_what_is_no_correction_is_refused_where_it_is_wrong(
    city: City, office: Corrections, said: dict[str, Any], place: str
) -> None:
    before = stands(city)
    with pytest.raises(Malformed) as error:
        office.set(IRI, said, who="ada")
    assert [at for at, _ in error.value.places] == [place]
    assert stands(city) == before
    assert office.list() == []


def test_what_this_city_wrote_itself_has_no_source_to_correct(city: City, office: Corrections) -> None:
    from node.catalog.author.office import Written
    from node.vocab.kinds import TABLES, example_of

    authoring = city.node.knowledge.authoring
    outcome = authoring.publish("data-service", [Written("twin", example_of(TABLES["data-service"]))])
    with pytest.raises(Conflict):
        office.set(outcome.put[0], SAID, who="ada")
    with pytest.raises(NotFound):
        office.show(ID + "nowhere")


def test_findings_of_what_was_corrected_are_gone_and_come_back_with_the_source(city: City, office: Corrections) -> None:
    city.harvest(turtle(dataset("n1", more="; dcat:landingPage 'ask us'"), dataset("n2")))
    paths = {finding.path for finding in city.node.shelf.findings(city.held()[0])}
    landing = "http://www.w3.org/ns/dcat#landingPage"
    assert landing in paths
    office.set(IRI, {"page": "https://city.example/trees"}, who="ada")
    assert landing not in {finding.path for finding in city.node.shelf.findings(city.held()[0])}
    office.remove(IRI)
    city.run()
    assert landing in {finding.path for finding in city.node.shelf.findings(city.held()[0])}


def test_an_erased_source_is_forgotten_beside_its_correction_too(city: City, office: Corrections) -> None:
    from node.catalog import correction_store

    office.set(IRI, SAID, who="ada")
    (kept,) = office.list()
    with city.node.db.write() as tx:
        correction_store.forget_source(tx, kept.digest)
    (kept,) = office.list()
    assert kept.source == b""
    with pytest.raises(Conflict):
        office.set(IRI, {"title": {"en": "Y"}}, who="ada")
    city.run(full=True)
    (kept,) = office.list()
    assert kept.source
    assert kept.collection == NAME
    assert isinstance(kept, Correction)
