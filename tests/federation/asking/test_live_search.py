"""Whole nodes: what an agreement lets London read at Helsinki and not copy is found in London live, and by whom."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from node.assembly.clock import clock_ms
from node.federation.asking.asking import FIRST_QUIET_S
from node.journal import catch_up
from tests.federation.agreed import MARKETING, RESEARCH, agree, atom, change, permits
from tests.federation.cities import GHENT, HELSINKI, LONDON, City, cities

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

Three = tuple[City, City, City]
APP = "https://app.example/"
SEARCH = "https://w3id.org/citynode/odrl#channel-search"
FEED = "https://w3id.org/citynode/odrl#channel-feed"


@pytest.fixture
def friends(migrated: Path, tmp_path: Path) -> Iterator[Three]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON, ghent=GHENT) as (helsinki, london, ghent):
        for one, other in ((london, helsinki), (helsinki, london), (ghent, london), (london, ghent)):
            one.meet(other, follow=())
        helsinki.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=clock_ms())
        helsinki.publish(
            *(helsinki.put(number, f"Harbour plan {number}") for number in range(1, 4)), collection="plans"
        )
        helsinki.publish(helsinki.put(9, "Harbour for everyone"))
        london.publish(london.put(1, "Harbour of London"))
        for city in (helsinki, london, ghent):
            level(city)
        yield helsinki, london, ghent


def level(city: City) -> None:
    """Let everything that reads journals catch up."""
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)
    for reading in city.node.finding.readings:
        reading.catch_up(threading.Event())


def staff(city: City) -> dict[str, str]:
    _, secret = city.federation.named_tokens.issue(f"s{clock_ms()}", staff=True, now_ms=clock_ms())
    return {"authorization": f"Bearer {secret}"}


def found(city: City, headers: dict[str, str] | None = None, query: str = "q=harbour") -> Any:
    reply = city.get(f"/search.json?{query}", **(headers or {}))
    assert reply.status == 200, reply.body
    return orjson.loads(reply.body)


def live(told: Any) -> list[str]:
    return [hit["iri"] for hit in told["hits"] if hit["live"]]


def states(told: Any) -> dict[str, str]:
    return {one["city"]: one["state"] for one in told["asked"]}


def test_our_staff_finds_what_it_may_read_elsewhere_beside_what_is_held_here(friends: Three) -> None:
    helsinki, london, _ = friends
    headers = staff(london)
    assert not live(found(london, headers))
    agree(helsinki.node, london.node, "plans", rules=permits("read"))
    told = found(london, headers)
    assert sorted(live(told)) == [helsinki.record(number) for number in (1, 2, 3)]
    assert london.record(1) in [hit["iri"] for hit in told["hits"]]
    assert (told["total"], told["total_is"], states(told)) == (4, "exact", {"helsinki": "answered"})
    hit = next(hit for hit in told["hits"] if hit["live"])
    assert (hit["city"], hit["city_title"], hit["collection"]) == ("helsinki", "Helsinki", "helsinki/plans")
    assert hit["page"].startswith(f"{HELSINKI}/")
    page = london.get("/search.html?q=harbour", **headers)
    assert b"asked there just now" in page.body
    assert page.headers["cache-control"] == "private, no-store"


def test_nobody_else_hears_of_it_and_nothing_is_asked_for_them(friends: Three) -> None:
    helsinki, london, ghent = friends
    agree(helsinki.node, london.node, "plans", rules=permits("read"))
    _, secret = london.federation.named_tokens.issue("reader", scopes=["read:open-data"], now_ms=clock_ms())
    url = f"{LONDON}/search.json"
    peer = {k.lower(): v for k, v in ghent.federation.token_source.headers(LONDON, "GET", url).items()}
    nobody = found(london)
    london.wire.forget()
    for headers in ({}, {"authorization": f"Bearer {secret}"}, peer):
        assert found(london, headers) == nobody
    assert not nobody["asked"]
    assert not london.wire.asked


def test_the_other_city_decides_too_and_by_its_own_journal(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans", rules=permits("read"))
    headers = staff(london)
    assert live(found(london, headers))
    change(helsinki.node, iri, "suspended")  # London has not heard of it
    told = found(london, headers)
    assert not live(told)
    assert set(states(told)) == {"helsinki"}


def test_what_we_suspended_ourselves_is_not_asked_for(friends: Three) -> None:
    helsinki, london, _ = friends
    iri = agree(helsinki.node, london.node, "plans", rules=permits("read"))
    change(london.node, iri, "suspended")
    london.wire.forget()
    assert not found(london, staff(london))["asked"]
    assert not london.wire.asked


@pytest.mark.parametrize(("channel", "number"), [(SEARCH, 3), (FEED, 0)])
def test_a_clause_for_another_channel_is_no_clause_for_live_search(friends: Three, channel: str, number: int) -> None:
    helsinki, london, _ = friends
    agree(
        helsinki.node, london.node, "plans", rules=permits("read", constraint=[atom("deliveryChannel", "eq", channel)])
    )
    assert len(live(found(london, staff(london)))) == number


def test_the_purpose_goes_in_the_token_and_not_in_the_address(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans", rules=permits("read", constraint=[atom("purpose", "isA", RESEARCH)]))
    assert len(live(found(london, staff(london)))) == 3
    assert not any(RESEARCH in each.url for each in london.wire.asked)
    asked = [each.url for each in london.wire.asked if "/search?" in each.url]
    assert asked
    assert all("collection=plans" in url and "city=" not in url for url in asked)


def test_a_single_record_is_found_by_its_name_and_nothing_beside_it(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, records=[helsinki.record(2)], rules=permits("read"))
    assert live(found(london, staff(london))) == [helsinki.record(2)]


def test_a_program_that_a_clause_names_finds_it_for_its_purpose_alone(friends: Three) -> None:
    helsinki, london, _ = friends
    ours = permits("read", constraint=[atom("purpose", "isA", RESEARCH)])
    theirs = permits("read", constraint=[atom("recipient", "eq", APP), atom("purpose", "isA", RESEARCH)])
    rules = {"permission": [*ours["permission"], *theirs["permission"]]}
    iri = agree(helsinki.node, london.node, "plans", rules=rules)
    number = {}
    for purpose in (RESEARCH, MARKETING):
        _, secret = london.federation.named_tokens.grant(
            f"app-{len(purpose)}", agreement=iri, purpose=purpose, recipient=APP, now_ms=clock_ms()
        )
        number[purpose] = len(live(found(london, {"authorization": f"Bearer {secret}"})))
    assert number == {RESEARCH: 3, MARKETING: 0}


def test_a_city_that_is_away_is_told_of_and_costs_nothing_the_second_time(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans", rules=permits("read"))
    headers = staff(london)
    london.wire.down.add(HELSINKI)
    told = found(london, headers)
    assert states(told) == {"helsinki": "unreachable"}
    assert (len(told["hits"]), told["total_is"]) == (1, "at-least")
    assert "Helsinki cannot be reached just now" in london.get("/search.html?q=harbour", **headers).body.decode()
    london.wire.forget()
    assert states(found(london, headers)) == {"helsinki": "unreachable"}
    assert not london.wire.asked
    london.wire.down.clear()
    real = london.federation.asking._monotonic
    london.federation.asking._monotonic = lambda: real() + FIRST_QUIET_S + 1
    assert states(found(london, headers)) == {"helsinki": "answered"}


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("q=harbour&city=london", False),
        ("q=harbour&city=helsinki", True),
        ("q=harbour%20city:london", False),
        ("q=harbour&city=-helsinki", False),
        ("q=harbour&collection=helsinki/plans", True),
        ("q=harbour&collection=open-data", False),
    ],
)
def test_a_city_is_asked_only_if_it_is_wanted(friends: Three, query: str, asked: bool) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans", rules=permits("read"))
    told = found(london, staff(london), query)
    assert bool(told["asked"]) is asked
    assert bool(live(told)) is asked


def test_filters_and_orders_hold_over_there_too(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans", rules=permits("read"))
    headers = staff(london)
    titles = [hit["title"] for hit in found(london, headers, "q=harbour&sort=title")["hits"]]
    assert titles == ["Harbour of London", "Harbour plan 1", "Harbour plan 2", "Harbour plan 3"]
    assert not live(found(london, headers, "q=harbour&kind=data-service"))
    assert len(live(found(london, headers, f"q={quote('harbour -2')}"))) == 2


def test_what_is_mirrored_is_not_asked_for_again(friends: Three) -> None:
    helsinki, london, _ = friends
    agree(helsinki.node, london.node, "plans", rules=permits("index", "read"))
    london.federation.peers.follow("helsinki", ["plans"], at_ms=clock_ms())
    london.pull(helsinki)
    level(london)
    told = found(london, staff(london))
    assert not told["asked"]
    assert len([hit for hit in told["hits"] if hit["collection"] == "helsinki/plans"]) == 3
