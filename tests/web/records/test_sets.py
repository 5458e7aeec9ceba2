"""Laws of the pages of sets and comparisons: side by side, honest about guesses, blind to what is not for everyone."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from node.assembly.clock import clock_ms
from node.catalog.sets import SetsReading
from node.journal import Draft, catch_up
from node.vocab.ntriples import literal
from node.vocab.set_records import ColumnMap, ComparableSet
from tests.federation.cities import HELSINKI, LONDON, NAME, City, cities
from tests.web.client import Client

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

DCT, DCAT = "http://purl.org/dc/terms/", "http://www.w3.org/ns/dcat#"
EU = "http://publications.europa.eu/resource/authority/"
TITLE = "Parking areas & <b>bays</b>"


def draft(city: City, name: str, title: str, licence: str, form: str = "CSV") -> Draft:
    it = f"{city.url}/datasets/{name}"
    file = f"{it}#file"
    lines = [
        f"<{it}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{DCAT}Dataset> .",
        f"<{it}> <{DCT}title> {literal(title, language='en')} .",
        f"<{it}> <{DCAT}distribution> <{file}> .",
        f"<{file}> <{DCT}format> <{EU}file-type/{form}> .",
    ]
    lines += [f"<{file}> <{DCT}license> <{EU}licence/{licence}> ."] if licence else []
    return Draft(it, name, "dataset", "put", "".join(f"{line}\n" for line in sorted(lines)).encode())


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    """Helsinki, and London which mirrors it; two records about parking, two about something else."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.publish(draft(helsinki, "parking", TITLE, "CC_BY_4_0"), draft(helsinki, "quays", "Quays", ""))
        london.publish(
            draft(london, "bays", "Parking bays", "OGL_3_0", "JSON"), draft(london, "crime", "Crime", "ODC_BL")
        )
        london.meet(helsinki)
        london.pull(helsinki)
        level(helsinki)
        level(london)
        yield helsinki, london


def level(city: City) -> None:
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)


def compare(*names: str, form: str = ".json") -> str:
    return f"/compare{form}?" + "&".join(f"iri={quote(name, safe='')}" for name in names)


H, L = f"{HELSINKI}/datasets/parking", f"{LONDON}/datasets/bays"


def json_at(city: City, path: str) -> dict:
    reply = city.get(path)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def page_at(city: City, path: str) -> str:
    reply = city.get(path, accept="text/html")
    assert reply.status == 200, reply.body
    return reply.body.decode()


def test_records_of_two_cities_stand_side_by_side_with_what_may_be_done_together(two: tuple[City, City]) -> None:
    _, london = two
    said = json_at(london, compare(H, L))
    assert [(one["iri"], one["city"]) for one in said["records"]] == [(H, "Helsinki"), (L, "London")]
    assert (said["combination"]["may"], said["combination"]["commercial"]) == ("yes", "yes")
    assert "name-source" in {due["code"] for due in said["combination"]["duties"]}
    page = page_at(london, compare(H, L, form=""))
    assert "You may combine them." in page
    assert 'data-of="Helsinki"' in page
    assert "&lt;b&gt;" in page
    assert "<b>bays" not in page
    assert page.count('class="differs"') >= 2, "licence and forms"


def test_a_record_without_licence_makes_the_answer_ask(two: tuple[City, City]) -> None:
    _, london = two
    said = json_at(london, compare(f"{HELSINKI}/datasets/quays", L))
    assert (said["combination"]["may"], said["combination"]["reasons"][0]["code"]) == ("ask", "none")
    two_alike = json_at(london, compare(f"{LONDON}/datasets/crime", H))
    assert (two_alike["combination"]["may"], two_alike["combination"]["reasons"][0]["code"]) == ("ask", "waiver")


def test_a_restricted_record_looks_like_one_that_does_not_exist(two: tuple[City, City]) -> None:
    _, london = two
    with london.node.db.write() as tx:
        london.node.journals.change(tx, NAME, visibility="restricted")
    for form in ("", ".json"):
        secret = london.get(compare(H, L, form=form), accept="text/html,application/json;q=0.5").body
        nothing = london.get(
            compare(H, L.replace("bays", "none"), form=form), accept="text/html,application/json;q=0.5"
        )
        assert secret.replace(b"bays", b"none") == nothing.body.replace(b"bays", b"none")
        assert b"Parking bays" not in secret


BAD = [
    "/compare",
    "/compare?iri=a",
    "/compare?iri=a&iri=a",
    "/compare?set=a&iri=b&iri=c",
    "/compare?set=" + "x" * 2_001,
    "/compare?" + "&".join(f"iri={n}" for n in range(21)),
    "/compare?iri=&iri=b",
]


@pytest.mark.parametrize("path", BAD)
def test_what_cannot_be_compared_is_told_what_to_write(two: tuple[City, City], path: str) -> None:
    reply = two[1].get(path, accept="application/json")
    assert (reply.status, b"/compare?iri=" in reply.body) == (400, True)


def test_a_record_to_compare_that_is_not_here_is_said_to_be_not_here(two: tuple[City, City]) -> None:
    page = page_at(two[0], "/compare?iri=https://nowhere.example/x")
    assert "Not held here, or not for everyone" in page
    assert "https://nowhere.example/x" in page


def test_who_brings_nothing_to_compare_is_told_how(two: tuple[City, City]) -> None:
    page = page_at(two[1], "/compare")
    assert ("How to compare" in page, 'href="/sets"' in page, "/compare?iri=" in page) == (True, True, True)


def test_differing_forms_are_marked_and_lead_to_the_files(two: tuple[City, City]) -> None:
    page = page_at(two[1], compare(H, L, form=""))
    row = page.partition(">Forms")[2].partition("</tr>")[0]
    assert "differs" in row
    assert "Parking bays: " not in page.partition("<h1>")[0]
    assert ": Helsinki and London side by side</h1>" in page


def test_a_record_says_which_sets_have_it_and_a_set_lists_its_records(two: tuple[City, City]) -> None:
    _, london = two
    assert "/compare?" not in page_at(london, "/datasets/bays")
    SetsReading(london.node.finding.sets, london.node.finding.touched, clock_ms).rebuild(threading.Event())
    page = page_at(london, "/datasets/bays?lang=en")  # a page with a query is made anew each time
    assert (page.count("/compare?iri="), page.count("suggestion</span>"), "in Helsinki</a>" in page) == (1, 1, True)
    sets = london.node.finding.sets
    sets.draft("parking", ComparableSet({"en": "Kerbside"}, (H, L), {}, "TRAN", ()))
    sets.publish("parking")
    level(london)
    page = page_at(london, "/datasets/bays")
    assert page.count("/compare?set=") == 1
    assert "suggestion</span>" not in page, "what is published is suggested no more"
    assert "in Helsinki</a>" in page
    assert "/compare?" not in page_at(london, "/datasets/crime")
    made = page_at(london, "/sets/parking")
    assert "Parking bays" in made
    assert f"/records?iri={quote(H, safe='')}" in made
    with london.node.db.write() as tx:
        london.node.journals.change(tx, NAME, visibility="restricted")
    assert "Parking bays" not in page_at(london, "/sets/parking")


def test_unheard_of_records_and_sets_are_no_fault_of_ours(two: tuple[City, City]) -> None:
    _, london = two
    said = json_at(london, compare("https://x.example/1", "\x00'\"<>"))
    assert (said["records"], len(said["not_here"]), said["combination"]) == ([], 2, None)
    assert london.get("/compare?set=https://x.example/").status == 404
    assert london.get(f"/compare?set={quote(H, safe='')}").status == 404, "a dataset is no set"


def test_suggestions_are_marked_and_a_set_that_people_made_is_not(two: tuple[City, City]) -> None:
    helsinki, london = two
    assert json_at(london, "/sets.json") == {"sets": [], "suggestions": []}
    SetsReading(london.node.finding.sets, london.node.finding.touched, clock_ms).rebuild(threading.Event())
    (guess,) = json_at(london, "/sets.json")["suggestions"]
    assert (guess["suggested"], guess["set"]) == (True, None)
    assert {one["iri"] for one in guess["records"]} == {H, L}
    assert guess["reasons"]["words"]
    assert json_at(london, compare(H, L))["suggested"] is True
    page = page_at(london, "/sets")
    assert "suggestion</span>" in page
    assert "suggestion</span>" in page_at(london, compare(H, L, form=""))
    sets = london.node.finding.sets
    column = ColumnMap({"en": "Longest stay"}, {H: "max_min", L: "maximum_stay"}, "convert", {"en": "minutes"})
    sets.draft("parking", ComparableSet({"en": "Kerbside"}, (H, L), {}, "TRAN", (column,)))
    sets.publish("parking")
    assert json_at(london, "/sets.json")["suggestions"] == []
    level(london)
    SetsReading(sets, london.node.finding.touched, clock_ms).rebuild(threading.Event())
    assert json_at(london, "/sets.json")["suggestions"] == []
    helsinki.meet(london, follow=("sets", NAME))
    helsinki.pull(london)
    level(helsinki)
    for city in two:
        (made,) = json_at(city, "/sets.json")["sets"]
        assert (made["suggested"], made["city"], made["not_here"]) == (False, "London", 0)
        beside = page_at(city, f"/compare?set={quote(made['set'], safe='')}")
        assert ("max_min" in beside, "Convert" in beside, "suggestion</span>" in beside) == (True, True, False)
        assert "Kerbside" in page_at(city, "/sets")
    assert "/compare?set=" in page_at(london, "/sets/parking")


@pytest.mark.parametrize(("path", "said"), [("/sets", "Arvauksia"), ("/licences", "Saanko yhdistää")])
def test_pages_speak_the_readers_language(client: Client, path: str, said: str) -> None:
    reply = client.get(path, headers={"accept": "text/html", "accept-language": "fi"})
    assert (reply.status_code, said in reply.text, 'lang="fi"' in reply.text) == (200, True, True)
