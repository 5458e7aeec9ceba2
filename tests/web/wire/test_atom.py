"""Atom: every search, whatever its records say, is a feed that follows RFC 4287."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.web.wire.atom import EPOCH, About, Entry, entry_of, feed
from tests.web.feed_rules import ATOM, broken_rules
from tests.web.feed_rules import parsed as read

BASE = "https://data.example.org"
ABOUT = About(
    id=f"{BASE}/search?q=parking",
    here=f"{BASE}/search.atom?q=parking",
    page=f"{BASE}/search?q=parking",
    title="parking · Helsinki",
    author="Helsinki",
    query="parking",
    total=41,
    next=f"{BASE}/search.atom?q=parking&cursor=x",
    description=f"{BASE}/opensearch.xml",
    updated="2026-11-20T00:00:00Z",
    icon=f"{BASE}/static/icon.svg",
    software="0.1.0",
)
HIT = {
    "iri": "https://london.example/datasets/kerbs",
    "page": f"{BASE}/records?iri=https%3A%2F%2Flondon.example%2Fdatasets%2Fkerbs",
    "title": "Kerbs & <parking>",
    "title_language": "en",
    "description": "Where one may stop.",
    "city": "london",
    "city_title": "London",
    "publisher": "Transport for London",
    "licence": {"iri": "http://publications.europa.eu/resource/authority/licence/OGL_3_0", "name": "OGL"},
    "formats": ["CSV"],
    "themes": ["TRAN"],
    "changed": "2026-11-21T03:40:00+00:00",
}


def test_a_hit_becomes_an_entry_with_all_a_reader_needs() -> None:
    body = feed(ABOUT, [entry_of(HIT)])
    assert broken_rules(body) == []
    (entry,) = read(body).findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "Kerbs & <parking>"
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Transport for London"
    links = {link.get("rel"): link.get("href") for link in entry.findall(f"{ATOM}link")}
    assert links == {"alternate": HIT["page"], "via": HIT["iri"], "license": HIT["licence"]["iri"]}
    assert [category.get("term") for category in entry.findall(f"{ATOM}category")] == ["TRAN", "CSV"]


def test_a_feed_is_as_new_as_its_newest_entry_whatever_zones_the_times_are_in() -> None:
    # 01:00 at +05:00 is before 21:00 at Z of the day before.
    times = ["2026-11-21T01:00:00+05:00", "2026-11-20T21:00:00Z"]
    body = feed(ABOUT, [Entry(f"urn:x:{at}", BASE, "x", changed=at) for at in times])
    assert read(body).findtext(f"{ATOM}updated") == "2026-11-20T21:00:00Z"
    assert read(feed(ABOUT, [])).findtext(f"{ATOM}updated") == ABOUT.updated


def test_a_feed_says_how_much_there_is_and_where_it_goes_on() -> None:
    told = read(feed(ABOUT, []))
    assert told.findtext("{http://a9.com/-/spec/opensearch/1.1/}totalResults") == "41"
    links = {link.get("rel"): link.get("href") for link in told.findall(f"{ATOM}link")}
    assert links["next"] == ABOUT.next
    assert links["self"] == ABOUT.here
    assert links["search"] == ABOUT.description
    last = About(id=ABOUT.id, here=ABOUT.here, page=ABOUT.page, title="", author="")
    assert broken_rules(feed(last, [])) == []
    assert "next" not in {link.get("rel") for link in read(feed(last, [])).findall(f"{ATOM}link")}


@pytest.mark.parametrize("changed", ["", "2026", "2026-13-45T00:00:00Z", "yesterday", "2026-11-21T03:40:00"])
def test_a_time_that_is_none_is_the_beginning_of_all_times(changed: str) -> None:
    body = feed(ABOUT, [entry_of(HIT | {"changed": changed})])
    assert broken_rules(body) == []
    assert read(body).findtext(f"{ATOM}entry/{ATOM}updated") == EPOCH


@pytest.mark.parametrize("nothing", ["", " ", "\n\t", "\x00\x0b", "\ud800"])
def test_where_a_record_has_no_name_its_iri_stands_for_it(nothing: str) -> None:
    body = feed(
        ABOUT, [entry_of(HIT | {"title": nothing, "publisher": nothing, "city_title": nothing, "city": nothing})]
    )
    assert broken_rules(body) == []
    assert read(body).findtext(f"{ATOM}entry/{ATOM}title") == HIT["iri"]
    assert read(body).findtext(f"{ATOM}entry/{ATOM}author/{ATOM}name") == "Helsinki"


@settings(max_examples=30)
@given(title=st.text(max_size=40), about=st.text(max_size=40), publisher=st.text(max_size=20))
def test_no_text_of_a_record_breaks_a_feed(title: str, about: str, publisher: str) -> None:
    hit = HIT | {"title": title, "description": about, "publisher": publisher, "city_title": ""}
    assert broken_rules(feed(ABOUT, [entry_of(hit)])) == []


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(sorted(HIT)), st.one_of(st.none(), st.integers(), st.lists(st.integers()))))
def test_a_hit_of_another_shape_is_read_for_what_it_has(strange: dict[str, object]) -> None:
    kept = {name: value for name, value in (HIT | strange).items() if name not in ("iri", "page")}
    assert broken_rules(feed(ABOUT, [entry_of(kept | {"iri": HIT["iri"], "page": HIT["page"]})])) == []
