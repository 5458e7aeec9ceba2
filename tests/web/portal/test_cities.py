"""Laws of the page of the federation: each city with its days, place and public agreements, nothing of the staff's."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.federation.peers.days import DAY_MS
from node.web.wording.words import LANGUAGES, words
from tests.federation.agreed import agree_alone, change, permits
from tests.federation.fake_peer import FakePeer
from tests.web.find_rig import Rig, empty

pytestmark = pytest.mark.slow  # whole nodes and a peer's server: seconds, not milliseconds


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def rig(tmp_path: Path, migrated: Path) -> Iterator[Rig]:
    made = empty(tmp_path / "node", migrated, place="60.17,24.94", contact_mailbox="data@city.example")
    yield made
    made.close()


@pytest.fixture
def london(tmp_path: Path, rig: Rig) -> Iterator[FakePeer]:
    with FakePeer(tmp_path / "london", name="London") as running:
        claims = running.claims(now_ms=now_ms())
        claims["metadata"]["citynode"] |= {"place": [51.5, -0.12], "accent": "#e00a0a"}
        running.publish(running.keyring.jwt("entity", "entity-statement+jwt", claims))
        office = rig.node.federation.office
        office.add(f"{running.url}#{running.fingerprint}", name="london", note="Ask Ada.")
        office.approve("london", by="ada", review=str(office.review("london")["review"]))
        office.follow("london", ["open-data"], all_of_them=False)
        yield running


def _day(rig: Rig, ago: int, visits: int, failures: int) -> None:
    with rig.node.db.write() as tx:
        tx.run("INSERT INTO peer_day VALUES ('london', ?, ?, ?, 0)", now_ms() // DAY_MS - ago, visits, failures)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_city_stands_there_with_its_days_in_bars_and_in_words(rig: Rig, london: FakePeer, language: str) -> None:
    for ago in range(30):
        _day(rig, ago, 280, 280 if ago < 2 else 0)
    page = rig.page("/federation", language)
    assert words(language, "reach.away", away=2, days=30) in page
    drawing = re.search(r"<svg viewBox=\"0 0 238 30\".*?</svg>", page, re.DOTALL)
    assert drawing
    assert (drawing[0].count("<rect"), drawing[0].count('class="none"')) == (30, 2)
    told = rig.json("/federation.json")["cities"][0]
    assert [day["reach"] for day in told["days"][-3:]] == ["full", "away", "away"]


def test_cities_that_say_where_they_are_are_on_the_map_and_the_list_says_the_same(rig: Rig, london: FakePeer) -> None:
    page = rig.page("/federation")
    assert 'data-map="points" data-of="cities"' in page
    assert 'data-lat="51.5" data-lon="-0.12" data-name="London"' in page
    assert 'data-lat="60.17" data-lon="24.94"' in page, "our own city"
    assert page.index('id="cities"') < page.index('data-lat="51.5"')
    assert rig.json("/federation.json")["cities"][0]["place"] == [51.5, -0.12]
    london.publish(now_ms=now_ms() + 1_000)
    rig.node.federation.peers.refresh("london", now_ms() + 60_000)
    assert "data-map=" not in rig.page("/federation"), "a map of one city says nothing"


def test_a_public_agreement_in_force_is_named_and_no_other(rig: Rig, london: FakePeer) -> None:
    node = rig.node
    rules = permits("index", "read")
    shown = agree_alone(node, london.url, "open-data", rules=rules, title="Open to all", public=True)
    agree_alone(node, london.url, "open-data", rules=rules, title="Between us")
    page = rig.page("/federation")
    assert (">Open to all: Testville opens to London<" in page, "Between us" in page) == (True, False)
    [told] = rig.json("/federation.json")["cities"][0]["agreements"]
    assert (told["agreement"], told["title"]) == (shown, "Open to all")
    change(node, shown, "revoked")
    assert "Open to all" not in rig.page("/federation")


def test_what_only_the_staff_knows_is_not_told(rig: Rig, london: FakePeer) -> None:
    peers = rig.node.federation.peers
    peers.quarantine("london", "key-changed", "It shows other keys.", "{}", now_ms())
    for path in ("/federation", "/federation.json"):
        said = rig.get(path, "text/html, application/json;q=0.9").text
        assert "Ask Ada" not in said
        assert "other keys" not in said
        assert london.fingerprint not in said
    assert rig.json("/federation.json")["cities"][0]["state"] == "quarantined"
    rig.node.federation.office.block("london")
    assert rig.json("/federation.json")["cities"] == []
    assert words("en", "cities.none") in rig.page("/federation")


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_wants_to_join_reads_how_and_gets_no_fingerprint_from_a_page(rig: Rig, language: str) -> None:
    page = rig.page("/join", language)
    for step in range(1, 6):
        assert words(language, f"join.step{step}") in page
    assert "data@city.example" in page
    assert rig.node.keyring.fingerprint not in page
    assert rig.get("/join", "application/json").status_code == 406


def test_each_city_has_the_dot_of_the_colour_it_declares(rig: Rig, london: FakePeer) -> None:
    sheet = rig.get("/static/theme.css", "text/css")
    dots = dict(re.findall(r'\[data-city="?([a-z-]+)"?\]\{--h:(\d+)\}', sheet.text))
    assert set(dots) == {"self", "london"}
    assert dots["self"] != dots["london"]
    assert sheet.headers["cache-control"] == "public, no-cache"
    assert 'data-city="london"' in rig.page("/federation")
