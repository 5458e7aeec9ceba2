"""Laws of the front page: it says what the pages it leads to say, of every city, and nothing that is shut."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from node.catalog.search.results import Hit
from node.catalog.shelf import Held
from node.journal import Draft
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from node.web.pages import Pages, Visitor
from node.web.parts import Parts
from node.web.portal.home import NEW_SHOWN, SAME_SHOWN, Home, _mixed
from node.web.reading import Reading
from node.web.wire.front import Keeper
from node.web.wording.words import LANGUAGES, words
from tests.catalog.rig import BASE
from tests.web.cities import PARKING
from tests.web.find_rig import Rig, dataset, empty, full


def record(kind: str, name: str, called: str, **said: Any) -> Draft:
    table = TABLES[kind]
    iri = f"{BASE}/{kind}s/{name}"
    whole = example_of(table) | {"title": {"en": called}, "summary": {"en": f"About {called}."}} | said
    return Draft(iri, name, kind, "put", payload_of(table, iri, whole))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    rig = full(tmp_path_factory.mktemp("home") / "node", migrated)
    rig.put(
        "open-data",
        record("challenge", "snow", "Snow yards", status="open"),
        record("challenge", "ice", "Ice roads", status="decided"),
        record("practice", "ploughs", "Ploughs that talk"),
    )
    rig.put("plans", record("challenge", "secret", "Zanzibar challenge", status="open"))
    rig.read()
    yield rig
    rig.close()


def section(page: str, title: str) -> str:
    """Give what stands under a heading, up to the next."""
    found = re.search(
        rf"<h2[^>]*>{re.escape(title)}</h2>(.*?)(?=<h2|</div>\s*<aside|</main>)", unescape(page), re.DOTALL
    )
    return found[1] if found else ""


slow = pytest.mark.slow


@slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_the_sentence_is_what_its_link_finds(rig: Rig, language: str) -> None:
    page = unescape(rig.page("/", language))
    sentence = page[page.index(words(language, "home.read")) : page.index("</section>")]
    links = re.findall(r'<a href="([^"]+)">[^<]*?(\d+)[^<]*</a>', sentence)
    assert len(links) == 4  # own datasets, mirrored ones, practices, challenges
    for href, count in links:
        asked = href if "?" in href else f"{href}?facet=none"
        path, _, query = asked.partition("?")
        assert rig.json(f"{path}.json?{query}")["total"] == int(count), href


@slow
def test_challenges_that_take_answers_are_told_and_no_others(rig: Rig) -> None:
    page = rig.page("/")
    assert "Snow yards" in section(page, words("en", "home.open"))
    assert "Snow yards" not in section(page, words("en", "home.new"))
    assert "Ice roads" not in section(page, words("en", "home.open"))
    assert "Ice roads" in section(page, words("en", "home.new"))


@slow
def test_one_practice_is_seen_among_many_datasets(rig: Rig) -> None:
    rows = section(rig.page("/"), words("en", "home.new"))
    assert "Ploughs that talk" in rows
    assert rows.count('<li>\n  <div class="kind">') == NEW_SHOWN


@slow
def test_nothing_shut_is_told_or_counted(rig: Rig) -> None:
    assert "anzibar" not in rig.page("/")
    staff = rig.get("/", "text/html", **rig.bearer("aino", staff=True))
    assert "anzibar" not in staff.text


@slow
def test_what_was_committed_is_there_at_the_next_look(rig: Rig) -> None:
    assert "Quokka" not in rig.page("/")
    rig.put("open-data", record("practice", "quokka", "Quokka counting"))
    rig.read()
    assert "Quokka counting" in rig.page("/")


@slow
def test_a_blocked_city_is_gone_at_once(rig: Rig) -> None:
    assert "/federation#london" in rig.page("/")
    assert "from partner cities" in rig.page("/")
    with rig.node.db.write() as tx:
        tx.run("UPDATE peer SET state = 'blocked' WHERE name = 'london'")
    try:
        assert "london" not in rig.page("/")
        assert "from partner cities" not in rig.page("/")
    finally:
        with rig.node.db.write() as tx:
            tx.run("UPDATE peer SET state = 'active' WHERE name = 'london'")


@slow
def test_a_map_of_the_cities_has_its_list_beside_it_and_is_fetched_when_it_is_seen(rig: Rig) -> None:
    site: Any = rig.node.site
    reading = Reading(site.shelf, site.federation.view.hidden)
    pages = Pages(site)
    visitor = Visitor("en", chosen=False, path="/", query=())
    front = Home(Parts(site, reading, pages, Keeper(reading))).front(visitor, time.time_ns() // 1_000_000)
    assert not front.placed
    assert front.cities
    there: Any = [replace(one, place=(51.5, -0.12)) for one in front.cities]  # type: ignore[type-var]
    placed = replace(front, place=(60.17, 24.94), cities=tuple(there))
    page = pages.render("home.html", visitor, front=placed, checkpoints=[]).decode()
    assert 'data-map="points" data-of="partners"' in page
    listed = page[page.index('<div id="partners">') :]
    assert 'data-lat="51.5" data-lon="-0.12"' in listed
    assert 'data-lat="60.17" data-lon="24.94"' in listed
    assert "/static/js/later.js" in page
    assert "leaflet" not in page


@slow
def test_the_page_stands_without_a_search_that_answers(migrated: Path, tmp_path: Path) -> None:
    rig = empty(tmp_path / "node", migrated)
    try:
        for language in LANGUAGES:
            bare = unescape(rig.page("/", language))
            assert bare.count(words(language, "catalog.none")) == 2, "above, and where what is new would stand"
            assert words(language, "home.none") not in bare
            assert words(language, "home.none_more") not in bare
        rig.put("open-data", PARKING, dataset(f"{BASE}/datasets/one", "The one"))
        reply = rig.get("/", "text/html")
        assert reply.status_code == 200
        assert "The one" in section(reply.text, words("en", "home.new"))
        assert "2 records in" in reply.text
    finally:
        rig.close()


def hit(number: int, collection: str, kind: str) -> Hit:
    return Hit(Held(collection, f"https://x.example/{number}", kind, str(number), "", number, number), str(number))


def test_few_of_one_city_and_kind_come_first_and_the_others_only_to_fill_up() -> None:
    many = [hit(number, "open-data", "dataset") for number in range(10)]
    late = [hit(10, "practices", "practice"), hit(11, "london/open-data", "dataset")]
    mixed = _mixed([*many, *late], 6)
    assert [one.held.seq for one in mixed] == [0, 1, 2, 3, 10, 11]
    assert [one.held.seq for one in _mixed(many, 6)] == [0, 1, 2, 3, 4, 5]
    assert len(_mixed([*many, *late], SAME_SHOWN + 2)) == SAME_SHOWN + 2
    assert _mixed([], 6) == ()
