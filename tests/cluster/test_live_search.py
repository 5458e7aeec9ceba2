"""Three real cities: what two of them let Helsinki read and not copy is found there; a slow or dead one is told of.

The network is real, with proxies that slow it down. The way to an agreement is tested elsewhere: here it is in force.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from node.cli.common import opened
from node.testing import City, Cluster, Faults, wait_for
from tests.federation.agreed import agree, permits

PLANS = "plans"
DEADLINE_S = 1.5  # as `search_peers_ms` has it where nothing else is said
AT_ONCE_S = 1.0  # a search that waits for nobody, on a machine with other things to do


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("live"), 3) as three:
        helsinki, london, antwerp = three.cities
        for other in (london, antwerp):
            portal = three.portal_of(other)
            portal.add(5)
            other.say("collections", "create", PLANS, "--visibility", "restricted")
            other.say("sources", "add", PLANS, portal.path, "--kind", "dcat", "--collection", PLANS)
            other.say("harvest", "run", PLANS)
        three.start()
        for other in (london, antwerp):
            three.introduce(helsinki, other)
            with opened(helsinki.folder) as ours, opened(other.folder) as theirs:
                agree(theirs, ours, PLANS, rules=permits("read"))
        yield three


@pytest.fixture(scope="module")
def token(three: Cluster) -> str:
    return three.cities[0].say("tokens", "issue", "maija", "--staff").strip().splitlines()[-1]


def searched(city: City, token: str) -> tuple[Any, float]:
    """What the city's staff finds, and after how long."""
    begun = time.monotonic()
    reply = city.ask("/search.json?q=title&limit=100", headers={"Authorization": f"Bearer {token}"})
    spent = time.monotonic() - begun
    assert reply.status in (200, 503), reply.body  # there is no index in the first moment
    return reply.json() if reply.status == 200 else {"hits": [], "asked": []}, spent


def states(told: Any) -> dict[str, str]:
    return {one["city"]: one["state"] for one in told["asked"]}


def live(told: Any) -> set[str]:
    return {hit["city"] for hit in told["hits"] if hit["live"]}


def test_two_cities_answer_beside_what_is_held_here(three: Cluster, token: str) -> None:
    helsinki = three.cities[0]
    wait_for(lambda: live(searched(helsinki, token)[0]) == {"london", "antwerp"}, "both to answer", helsinki.log, 60)
    told, _ = searched(helsinki, token)
    assert states(told) == {"london": "answered", "antwerp": "answered"}
    assert len([hit for hit in told["hits"] if hit["live"]]) == 10


def test_a_slow_city_costs_one_search_its_deadline_and_the_next_nothing(three: Cluster, token: str) -> None:
    helsinki, london, _ = three.cities
    three.proxy_of(london).faults = Faults(delay=1.0, delay_s=20.0, paths="^/search")
    told, spent = searched(helsinki, token)
    assert states(told) == {"london": "slow", "antwerp": "answered"}
    assert DEADLINE_S <= spent < DEADLINE_S + AT_ONCE_S
    again, spent = searched(helsinki, token)
    assert states(again) == {"london": "slow", "antwerp": "answered"}
    assert spent < AT_ONCE_S
    assert live(again) == {"antwerp"}


def test_a_dead_city_is_told_of_and_the_search_answers(three: Cluster, token: str) -> None:
    helsinki, _, antwerp = three.cities
    antwerp.kill()
    three.proxy_of(antwerp).faults = Faults(refuse=1.0)
    told, spent = searched(helsinki, token)
    assert states(told)["antwerp"] in ("unreachable", "slow")
    assert spent < DEADLINE_S + AT_ONCE_S
    again, spent = searched(helsinki, token)
    assert set(states(again)) == {"london", "antwerp"}
    assert spent < AT_ONCE_S
    assert not live(again)
