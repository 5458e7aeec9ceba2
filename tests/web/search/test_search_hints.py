"""What a search says beside its hits, where nothing is found, and what it tells nobody who may not see it."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from node.web.wording.words import words
from tests.web.cities import PARKING
from tests.web.find_rig import HARM, SECRET, Rig, empty
from tests.web.search.rig import ATOM, iris

pytestmark = pytest.mark.slow  # a whole node with an index: seconds, not milliseconds


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
