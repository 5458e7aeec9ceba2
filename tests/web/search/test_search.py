"""One question, one answer in every form: the page works without script, and what may not be seen is not there."""

import json
import re
from collections.abc import Iterator
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
from tests.web.find_rig import HARM, MANY, SECRET, TWIN, Rig, empty, full

pytestmark = pytest.mark.slow  # a whole node with an index: seconds, not milliseconds

HITS = re.compile(r'<ol class="rows">.*?</ol>', re.DOTALL)
ROW = re.compile(r'<h2><a href="([^"]+)"')
MEMBER = "<http://www.w3.org/ns/hydra/core#member> <"
ATOM = "{http://www.w3.org/2005/Atom}"
HIT = {
    "iri": str, "page": str, "kind": str, "title": str, "title_language": str, "description": str,
    "description_language": str, "city": str, "city_title": str, "publisher": str, "collection": str,
    "licence": (dict, type(None)), "formats": list, "themes": list, "changed": str, "quality": (int, type(None)),
    "why": dict, "also_via": list, "similar": list, "live": bool,
}  # fmt: skip


@pytest.fixture(scope="module")
def rig(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = full(tmp_path_factory.mktemp("find") / "node", migrated)
    yield made
    made.close()


def iris(told: Any) -> list[str]:
    return [hit["iri"] for hit in told["hits"]]


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


# ---------------------------------------------------------------- what else a result says


def test_a_result_says_where_the_words_stand_if_not_in_its_text(rig: Rig) -> None:
    hit = next(hit for hit in rig.json("/search?q=kaupunkiympäristö")["hits"] if hit["iri"] == PARKING.record)
    assert hit["why"]["in"] == "publisher"
    assert "Found in the publisher’s name: " in unescape(rig.page("/search?q=kaupunkiympäristö"))
    assert rig.json("/search?q=polygon")["hits"][0]["why"]["in"] == "text"


def test_records_of_data_can_be_ticked_and_compared_without_script(rig: Rig) -> None:
    page = rig.page("/search?lang=en&sort=title")
    picks = re.findall(r'<input type="checkbox" form="beside" id="[^"]+" name="iri" value="([^"]+)">', page)
    assert len(picks) == len(set(picks)) > 2
    assert '<form id="beside" action="/compare"><input type="hidden" name="lang" value="en">' in page
    compared = rig.get("/compare?" + "&".join(f"iri={quote(iri, safe='')}" for iri in picks[:2]), "text/html")
    assert compared.status_code == 200


def test_whoever_narrows_words_down_to_nothing_is_told_what_there_is_without(rig: Rig) -> None:
    count = rig.json("/search?q=kerbside&facet=none")["total"]
    assert f"{count} records match without the filters." in rig.page("/search?q=kerbside&format=NO_SUCH")
    assert "without the filters" not in rig.page("/search?q=qwxzqwxz&format=NO_SUCH")
    # What is restricted is not counted either.
    assert "without the filters" not in rig.page("/search?q=zanzibar&format=CSV")


@pytest.mark.parametrize(
    "text",
    [
        '"unbalanced',
        "parking AND",
        "AND",
        "-",
        "((",
        "🚲🅿️",
        "شارع\u202eكتاب",
        "a\x00b",
        "x" * 1000,
        "*",
        "city:",
        'title:"',
    ],
)
def test_whatever_people_type_is_answered(rig: Rig, text: str) -> None:
    for accept in ("application/json", "text/html"):
        assert rig.get(f"/search?q={quote(text)}", accept).status_code == 200


def test_ten_kilobytes_are_refused_before_anybody_reads_them(rig: Rig) -> None:
    reply = rig.get(f"/search?q={'x' * 10_000}")
    assert reply.status_code == 414
    assert "4,096 characters" in reply.json()["detail"]
    assert "of q the first 2,000 characters" in reply.json()["fix"]
    assert 'maxlength="500"' in rig.page("/search")


def test_a_question_that_is_longer_than_it_is_read_says_so_in_every_form(rig: Rig) -> None:
    short, long = f"q={'set+' * 32}", f"q={'set+' * 33}"
    assert rig.json(f"/search?{short}")["cut"] is False
    assert rig.json(f"/search?{long}")["cut"] is True
    said = words("en", "search.cut")
    assert ElementTree.fromstring(rig.get(f"/search.atom?{long}").content).findtext(f"{ATOM}subtitle") == said  # noqa: S314
    for suffix in ("html", "atom", "nt", "ttl", "jsonld", "rdf"):
        assert said in rig.get(f"/search.{suffix}?{long}").text, suffix
        assert said not in rig.get(f"/search.{suffix}?{short}").text, suffix
    assert rig.json(f"/search?q={'%3F' * 1_000}&facet=none")["cut"] is False
    assert rig.json(f"/search?q={'?' * 2_001}&facet=none")["cut"] is True


def test_who_finds_nothing_hears_what_in_the_question_may_be_why(rig: Rig) -> None:
    def hint(query: str) -> str:
        told = rig.json(f"/search?{query}")
        assert told["total"] == 0
        assert (told["hint"] or "") in unescape(rig.page(f"/search?{query}"))
        return told["hint"] or ""

    assert "“Nowhereville”" in hint("q=kerbside&place=Nowhereville")
    assert "quotes must stand together" in hint("q=%22areas+kerbside%22")
    assert "no field “nosuch:”" in hint("q=nosuch:thing")
    assert hint("q=title:qqqqqqqq+https://q.example/qqq") == ""
    assert rig.json("/search?q=kerbside")["hint"] is None
    page = unescape(rig.page("/search?q=kerbside&place=Nowhereville", "sv"))
    assert "Vi känner inte till någon plats som heter ”Nowhereville”" in page
    assert words("sv", "search.none", q="kerbside") not in page


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
@pytest.mark.parametrize(
    ("facet", "value"),
    [
        ("kind", "zzz"),
        ("access", "zzz"),
        ("freshness", "zzz"),
        ("quality", "zzz"),
        ("use", "zz"),
        ("language", "zz"),
        ("city", "atlantis"),
        ("format", "zzz"),
    ],
)
def test_a_value_that_nothing_has_is_named_with_those_there_are(
    rig: Rig, facet: str, value: str, language: str
) -> None:
    told = rig.json(f"/search?{facet}={value}&lang={language}")
    there = [one["value"] for one in rig.json("/search?limit=1")["facets"][facet] if one["count"]]
    title = words(language, f"facet.{facet}")
    assert told["total"] == 0
    assert f"”{value}”" in told["hint"].replace("“", "”")
    assert title in told["hint"]
    assert there
    if facet != "city":  # a city is named by its name alone where that is the same
        assert all(each.casefold() in told["hint"].casefold() for each in there[:12])
    page = unescape(rig.page(f"/search?{facet}={value}", language))
    assert told["hint"] in page
    assert words(language, "search.none_more") not in page


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_a_kind_of_which_nothing_is_published_reads_as_that_and_not_as_a_failed_search(rig: Rig, language: str) -> None:
    there = {one["value"] for one in rig.json("/search?limit=1")["facets"]["kind"] if one["count"]}
    assert "question" not in there
    for asked in ("/questions", "/search?kind=question", "/questions?q=kerbside"):
        page = unescape(rig.page(asked, language))
        assert f"<h2>{words(language, 'search.unpublished_kind')}</h2>" in page, asked
        assert words(language, "search.none_more") not in page
        assert f'<a href="/knowledge">{words(language, "nav.knowledge")}</a>' in page
        assert "(dataset)" not in page
    told = rig.json(f"/search?kind=question&lang={language}")
    assert told["hint"] == words(language, "search.unpublished_kind")


def test_a_node_where_nothing_is_published_says_so_and_leads_on(migrated: Path, tmp_path: Path) -> None:
    rig = empty(tmp_path / "bare", migrated)
    try:
        rig.read()
        for asked in ("/search", "/search?q=kerbside", "/practices", "/search?kind=dataset"):
            page = rig.page(asked)
            assert words("en", "search.unpublished_all") in page, asked
            assert words("en", "search.none_more") not in page
            assert f'<a href="/about">{words("en", "about.title")}</a>' in page
    finally:
        rig.close()


def test_a_value_that_something_has_is_not_blamed_when_the_words_find_nothing(rig: Rig) -> None:
    assert rig.json("/search?q=qqqqqqqq&kind=dataset")["hint"] is None


def test_a_value_that_only_the_restricted_have_is_not_told_to_strangers(rig: Rig) -> None:
    asked = "/search?collection=zzz"
    strangers, staff = rig.json(asked)["hint"], rig.json(asked, **rig.bearer("rosa", staff=True))["hint"]
    assert ("open-data" in strangers, "plans" in strangers) == (True, False)
    assert "plans" in staff


def test_a_place_that_only_the_restricted_have_is_unknown_to_strangers(rig: Rig) -> None:
    asked = "/search?q=qqqqqqqq&place=Zembla"
    assert "“Zembla”" in rig.json(asked)["hint"]
    assert rig.json(asked, **rig.bearer("charles", staff=True))["hint"] is None


# ---------------------------------------------------------------- who sees what


def test_what_is_restricted_is_found_by_nobody_but_those_who_may(rig: Rig) -> None:
    nobody = rig.get("/search?q=zanzibar")
    assert iris(nobody.json()) == []
    assert nobody.json()["did_you_mean"] is None
    for headers in (rig.bearer("maija", staff=True), rig.bearer("planner", scopes=["read:plans"])):
        reply = rig.get("/search?q=zanzibar", **headers)
        assert iris(reply.json()) == [SECRET]
        assert reply.headers["cache-control"] == "private, no-store"
        assert "Authorization" in reply.headers["vary"]
    stranger = rig.get("/search?q=zanzibar", **rig.bearer("reader", scopes=["read:open-data"]))
    assert stranger.content == nobody.content
    assert stranger.headers["cache-control"] == nobody.headers["cache-control"]


def test_counts_of_a_stranger_know_nothing_of_what_is_restricted(rig: Rig) -> None:
    public, staff = rig.json("/search"), rig.json("/search", **rig.bearer("liisa", staff=True))
    assert staff["total"] == public["total"] + 1
    assert "plans" not in json.dumps(public)
    assert "plans" in {one["value"] for one in staff["facets"]["collection"]}


def test_a_false_token_is_refused_and_not_treated_as_nobody(rig: Rig) -> None:
    assert rig.get("/search", authorization="Bearer cn_no").status_code == 401


def test_mirrors_of_a_blocked_peer_are_gone_at_once(rig: Rig) -> None:
    assert rig.json("/search?city=london")["total"] == 2
    with rig.node.db.write() as tx:
        tx.run("UPDATE peer SET state = 'blocked' WHERE name = 'london'")
    try:
        told = rig.json("/search?q=kerbside")
        assert rig.json("/search?city=london")["total"] == 0
        assert (told["hits"][0]["also_via"], told["hits"][0]["similar"]) == ([], [])
    finally:
        with rig.node.db.write() as tx:
            tx.run("UPDATE peer SET state = 'active' WHERE name = 'london'")


def test_harm_is_found_by_its_words(rig: Rig) -> None:
    assert iris(rig.json("/search?q=harmful")) == [HARM]
