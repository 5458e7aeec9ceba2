"""One question, one answer in every form: the page works without script, and what may not be seen is not there."""

import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import pytest

from node.web.search.query import EDGES
from node.web.search.search import FORMS
from node.web.wording.words import words
from tests.web.cities import PARKING
from tests.web.find_rig import MANY, TWIN, Rig, empty
from tests.web.search.rig import ATOM, iris

pytestmark = pytest.mark.slow  # a whole node with an index: seconds, not milliseconds

HITS = re.compile(r'<ol class="rows">.*?</ol>', re.DOTALL)
ROW = re.compile(r'<h2><a href="([^"]+)"')
MEMBER = "<http://www.w3.org/ns/hydra/core#member> <"
HIT = {
    "iri": str, "page": str, "kind": str, "title": str, "title_language": str, "description": str,
    "description_language": str, "city": str, "city_title": str, "publisher": str, "collection": str,
    "licence": (dict, type(None)), "formats": list, "themes": list, "changed": str, "quality": (int, type(None)),
    "why": dict, "also_via": list, "similar": list, "live": bool,
}  # fmt: skip


# ---------------------------------------------------------------- what is answered


def test_whoever_chose_a_language_reads_on_in_it_and_no_parameter_stands_twice(rig: Rig) -> None:
    path, pages = "/search?limit=2&sort=title&lang=sv", 0
    while path and pages < 3:
        page = rig.get(path, "text/html")
        assert page.status_code == 200, path
        assert '<html lang="sv"' in page.text
        asked = (unescape(href) for href in re.findall(r'href="([^"]*[?][^"]*)"', page.text))
        assert [href for href in asked if len(re.findall(r"[?&]lang=", href)) > 1] == []
        path = next(iter(re.findall(r'href="([^"]+)" rel="next nofollow"', page.text)), "")
        path, pages = unescape(path), pages + 1
    assert pages == 3


def test_a_hit_says_all_that_a_reader_of_json_was_promised(rig: Rig) -> None:
    told = rig.json("/search?q=polygon%20kerbside")
    assert set(told) == {
        "total",
        "total_is",
        "hits",
        "facets",
        "next",
        "did_you_mean",
        "fuzzy",
        "cut",
        "hint",
        "renewed",
        "asked",
    }
    assert (told["total"], told["total_is"], told["asked"]) == (1, "exact", [])
    (hit,) = told["hits"]
    assert {name: isinstance(hit[name], kind) for name, kind in HIT.items()} == dict.fromkeys(HIT, True)  # type: ignore[arg-type]
    assert set(hit) == set(HIT)
    assert hit["city"] == "testville"
    assert hit["licence"]["name"] == "CC BY 4.0"
    assert hit["formats"] == ["CSV", "GEOJSON"]
    assert hit["themes"] == ["TRAN"]
    assert hit["changed"] == "2026-11-21T00:00:00Z"
    assert hit["why"]["title"] == "<mark>Kerbside</mark> parking areas"
    assert hit["also_via"] == [{"city": "london", "collection": "london/open-data"}]
    assert [(one["iri"], one["reason"]) for one in hit["similar"]] == [(TWIN, "landing-page")]


def test_every_form_answers_with_the_same_records(rig: Rig) -> None:
    expected = iris(rig.json("/search?q=set&sort=title&limit=5"))
    assert len(expected) == 5
    for suffix in FORMS:
        reply = rig.get(f"/search.{suffix}?q=set&sort=title&limit=5", "*/*")
        assert reply.status_code == 200, suffix
        assert reply.headers["content-type"].partition(";")[0] == FORMS[suffix]
        assert set(FOUND[suffix](reply)) == set(expected), suffix


def _in_page(reply: Any) -> list[str]:
    (rows,) = HITS.findall(reply.text)
    return [f"http://127.0.0.1:8001{href}" for href in ROW.findall(rows)]


def _in_atom(reply: Any) -> list[str]:
    return [entry.findtext(f"{ATOM}id", "") for entry in ElementTree.fromstring(reply.content).iter(f"{ATOM}entry")]  # noqa: S314


def _in_triples(reply: Any) -> list[str]:
    return [line.split(MEMBER)[1].rpartition("> .")[0] for line in reply.text.splitlines() if MEMBER in line]


def _in_text(reply: Any) -> list[str]:
    """Turtle, JSON-LD and RDF/XML: whose reading is tested elsewhere; here that the records are there."""
    return re.findall(r"http://127\.0\.0\.1:8001/datasets/set-\d+", reply.text)


FOUND = {
    "json": lambda reply: iris(reply.json()),
    "html": _in_page,
    "atom": _in_atom,
    "nt": _in_triples,
    "ttl": _in_text,
    "jsonld": _in_text,
    "rdf": _in_text,
}


def test_a_page_of_linked_data_holds_the_payloads_as_they_are(rig: Rig) -> None:
    lines = set(rig.get("/search.nt?q=polygon").text.splitlines())
    assert set(PARKING.payload.decode().splitlines()) <= lines  # type: ignore[union-attr]


def test_a_browser_gets_a_page_and_a_program_json_and_neither_a_guess(rig: Rig) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert rig.get("/search", browser).headers["content-type"].startswith("text/html")
    assert rig.client.get("/search").headers["content-type"] == "application/json"
    assert rig.get("/search", "application/atom+xml").headers["content-type"].startswith("application/atom+xml")
    refused = rig.get("/search", "image/png")
    assert refused.status_code == 406
    assert {one["media_type"] for one in refused.json()["available"]} == set(FORMS.values())


def test_pages_lead_through_everything_once(rig: Rig) -> None:
    path, found = "/search?q=set&sort=title&limit=10&lang=fi", []
    while path:
        told = rig.json(path)
        found += iris(told)
        path = urlsplit(told["next"] or "")._replace(scheme="", netloc="").geturl()
    assert len(found) == len(set(found)) == told["total"] == MANY


def test_counts_say_what_there_would_be_and_labels_are_the_readers(rig: Rig) -> None:
    facets = rig.json("/search?lang=fi&facet=city,kind,use")["facets"]
    assert list(facets) == ["city", "kind", "use"]
    assert {one["value"]: one["label"] for one in facets["kind"]} == {"dataset": "Tietoaineisto"}
    assert {one["value"]: one["label"] for one in facets["city"]} == {"testville": "Testville", "london": "london"}
    assert rig.json("/search?facet=none")["facets"] == {}


def test_what_did_not_change_is_not_sent_again(rig: Rig) -> None:
    first = rig.get("/search?q=kerbside")
    assert first.headers["cache-control"] == "public, no-cache"
    again = rig.get("/search?q=kerbside", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


# ---------------------------------------------------------------- the page


def test_chosen_filters_are_ticked_and_each_can_be_taken_off(rig: Rig) -> None:
    page = rig.page("/search?q=parking&city=testville&format=CSV&theme=-ENVI")
    for name in ("city-testville", "format-CSV"):
        assert re.search(rf'id="{name}" [^>]*checked', page)
    assert '<input type="hidden" name="theme" value="-ENVI">' in page
    (chips,) = re.findall(r'<ul class="chosen".*?</ul>', page, re.DOTALL)
    hrefs = [unescape(href) for href in re.findall(r'href="([^"]+)"', chips)]
    assert hrefs == [
        "/search?q=parking&format=CSV&theme=-ENVI",
        "/search?q=parking&city=testville&theme=-ENVI",
        "/search?q=parking&city=testville&format=CSV",
    ]


def test_the_form_loses_nothing_that_it_has_no_field_for(rig: Rig) -> None:
    page = rig.page("/search?q=parking&bbox=24,60,26,61&keyword=kerb&sort=title&lang=en&licence=NO_SUCH")
    for name, value in (("keyword", "kerb"), ("sort", "title"), ("lang", "en")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page
    edges = dict(re.findall(r'<input form="find" id="(\w+)" name="\1" value="([^"]*)"', page))
    assert [edges[name] for name in EDGES] == ["24", "60", "26", "61"]
    assert 'name="bbox"' not in page
    assert re.search(r'id="licence-NO_SUCH" [^>]*checked', page)  # nothing has it, and it is still chosen


def test_nothing_found_is_said_with_a_way_on_and_is_no_error(rig: Rig) -> None:
    reply = rig.get("/search?q=qwxzqwxz&city=london", "text/html")
    assert reply.status_code == 200
    assert "No record matches “qwxzqwxz”" in reply.text
    assert 'href="/search?q=qwxzqwxz">Remove all filters' in reply.text
    assert 'class="blank fail"' not in reply.text


def test_a_misspelt_word_finds_what_was_meant_and_says_so(rig: Rig) -> None:
    told = rig.json("/search?q=kerbsid%20polygn")
    assert told["fuzzy"]
    assert PARKING.record in iris(told)
    assert "come close" in rig.page("/search?q=kerbsid%20polygn")


def test_a_search_that_is_broken_keeps_the_question_and_is_neither_empty_nor_ours_to_hide(
    migrated: Path, tmp_path: Path
) -> None:
    rig = empty(tmp_path / "node", migrated)
    try:
        page = rig.get("/search?q=parking&city=london", "text/html")
        assert page.status_code == 503
        assert "The search is not working just now" in page.text
        assert 'value="parking"' in page.text
        assert "No record matches" not in page.text
        told = rig.get("/search?q=parking")
        assert (told.status_code, told.json()["type"].rpartition("/")[2]) == (503, "unavailable")
        assert told.headers["retry-after"]
    finally:
        rig.close()


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_the_page_speaks_the_readers_language_throughout(rig: Rig, language: str) -> None:
    page = rig.page("/search?q=parking&format=CSV", language)
    assert f'<html lang="{language}">' in page
    said = {"en": "Narrow the results", "fi": "Rajaa tuloksia", "sv": "Begränsa resultaten"}
    assert [code for code, words in said.items() if words in page] == [language]


@pytest.mark.parametrize(
    "path",
    ["/search?q=harmful", f"/search?q={quote('<script>alert(1)</script>')}", "/search?q=harm%00&place=%22%3E%3Cb%3E"],
)
def test_nothing_that_a_record_or_a_reader_wrote_is_markup(rig: Rig, path: str) -> None:
    page = rig.page(path)
    assert "<script>" not in page
    assert "<b>" not in page
    assert "\x00" not in page
    for mark in re.findall(r"<mark>(.*?)</mark>", page):
        assert re.fullmatch(r"\w+", mark)
    ElementTree.fromstring(rig.get(path.replace("/search", "/search.atom", 1)).content)  # noqa: S314


def test_home_has_the_box_and_every_page_leads_to_the_search(rig: Rig) -> None:
    assert '<form class="seek" role="search" action="/search">' in rig.page("/")
    assert 'href="/search"' in rig.page("/catalog")


def test_a_records_page_says_where_else_it_is_and_what_looks_like_it(rig: Rig) -> None:
    page = rig.page("/datasets/parking")
    assert 'href="/collections/london/open-data"' in page
    assert f'href="/records?iri={quote(TWIN, safe="")}"' in page
    assert "same title, same page" in page


# ---------------------------------------------------------------- what cannot be asked


@pytest.mark.parametrize(
    "query",
    ["facet=colour", "colour=red", "sort=best", "limit=1000", "bbox=26,61,24,60", "bbox=x", "from=x", "cursor=%25%25"],
)
def test_what_cannot_be_asked_is_refused_with_what_can_in_every_form(rig: Rig, query: str) -> None:
    reply = rig.get(f"/search?{query}")
    assert reply.status_code == 400
    assert reply.json()["fix"]
    assert rig.get(f"/search.atom?{query}", "*/*").status_code == 400


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("facet=colour", "facet"), ("colour=red", "parameter"), ("sort=best", "sort"), ("limit=1000", "limit"),
        ("bbox=26,61,24,60", "bbox"), ("bbox=x", "bbox"), ("west=1&south=2", "bbox"), ("from=x", "date"),
        ("from=2026&to=2020", "period"), ("cursor=%25%25", "cursor"), ("sort=title&sort=title", "twice"),
        (f"place={'x' * 301}", "long"), ("&".join(f"city=c{n}" for n in range(101)), "many"),
    ],
)  # fmt: skip
def test_a_page_says_in_the_readers_language_what_cannot_be_asked_and_keeps_the_rest(
    rig: Rig, query: str, key: str, language: str
) -> None:
    reply = rig.get(f"/search?q=kerbside&{query}", "text/html", **{"accept-language": language})
    page = unescape(reply.text)
    assert reply.status_code == 400
    assert words(language, "refuse.title") in page
    assert words(language, f"refuse.{key}").partition("{")[0] in page
    assert 'class="blank fail"' not in page
    assert words(language, "search.none_all") not in page
    assert key == "many" or 'value="kerbside"' in page
    assert re.search(r'<a href="/search[^"]*">' + re.escape(words(language, "refuse.without")), page)


# ---------------------------------------------------------------- parts of a page

FRAGMENT = {"hx-request": "true", "hx-request-type": "partial"}


def test_a_script_gets_the_part_that_changed_and_the_shortest_address(rig: Rig) -> None:
    asked = "/search?q=kerbside&place=&from=&to=&west=&south=&east=&north=&city=testville"
    whole, part = rig.get(asked, "text/html"), rig.get(asked, "text/html", **FRAGMENT)
    assert part.headers["hx-push-url"] == "/search?q=kerbside&city=testville"
    assert part.text.lstrip().startswith('<div class="find" id="found">')
    assert "<html" not in part.text
    rows = re.search(r'<ol class="rows">.*?</ol>', part.text, re.DOTALL)
    assert rows is not None
    assert rows[0] in whole.text
    assert "hx-request" in part.headers["vary"].lower()
    assert whole.headers["vary"] == part.headers["vary"]
    assert whole.headers["etag"] != part.headers["etag"]
    assert "hx-push-url" not in whole.headers


def test_going_back_gives_the_whole_page(rig: Rig) -> None:
    reply = rig.get("/search?q=kerbside", "text/html", **{"hx-request": "true", "hx-request-type": "full"})
    assert reply.text.startswith("<!doctype html>")


def test_a_part_that_cannot_be_made_says_so_in_its_own_place(rig: Rig) -> None:
    reply = rig.get("/search?q=kerbside&from=x", "text/html", **FRAGMENT)
    assert reply.status_code == 400
    assert words("en", "refuse.title") in reply.text
    assert reply.text.lstrip().startswith('<div class="find" id="found">')
