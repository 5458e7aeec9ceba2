"""Several cities are asked at once: nobody waits longer than the deadline, and who is silent is remembered and told."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from node.errors import Forbidden, NodeError, PeerUnreachable, TooManyRequests
from node.federation.asking.askable import Askable
from node.federation.asking.asking import FIRST_QUIET_S, MAX_PEERS, Asking, Heard, Wanted
from node.federation.tokens.access import Caller

STAFF = Caller("staff", "maija")
DEADLINE_MS = 300  # long beside what a loaded machine needs to wake a thread
Act = Callable[[int], None]


class World:
    """Cities that may be asked, and how each behaves: called with the number of the try, it sleeps or raises."""

    def __init__(self, **cities: Act) -> None:
        self.cities = cities
        self.asked: list[tuple[str, dict[str, str], float]] = []
        self.now = 0.0
        self._lock = threading.Lock()

    def of(self, caller: object) -> list[Askable]:
        return [
            Askable(name, f"https://{name}.example", name.title(), frozenset({"plans"}), details=({"agreement": name},))
            for name in sorted(self.cities)
        ]

    def namespaces(self) -> Mapping[str, frozenset[str]]:
        return {}

    def search(
        self, url: str, asked: Sequence[tuple[str, str]], *, details: Any, deadline_s: float, stop: threading.Event
    ) -> Mapping[str, Any]:
        name = url.removeprefix("https://").partition(".")[0]
        assert details[0]["agreement"] == name
        with self._lock:
            self.asked.append((name, dict(asked), deadline_s))
            number = sum(1 for each, _, _ in self.asked if each == name)
        self.cities[name](number)
        one = {"iri": f"{url}/datasets/x", "kind": "dataset", "collection": "plans", "title": name}
        return {"hits": [one], "total": 3, "total_is": "exact"}

    def tries(self, name: str) -> int:
        return sum(1 for each, _, _ in self.asked if each == name)


def well(_: int) -> None:
    """Answer at once."""


def silent(_: int) -> None:
    time.sleep(2 * DEADLINE_MS / 1000)


def late_once(number: int) -> None:
    if number == 1:
        silent(number)


def raising(error: NodeError, times: int = 99) -> Act:
    def act(number: int) -> None:
        if number <= times:
            raise error

    return act


@contextmanager
def asking(world: World, deadline_ms: int = DEADLINE_MS) -> Iterator[Asking]:
    made = Asking(  # the cities are strangers, whose side is made up here
        world,  # type: ignore[arg-type]
        world,  # type: ignore[arg-type]
        world,
        deadline_ms=deadline_ms,
        monotonic=lambda: world.now + time.monotonic(),
    )
    yield made
    made.close()


def states(heard: Heard) -> dict[str, str]:
    return {one.peer: one.state for one in heard.asked}


WANTED = Wanted((("q", "bus"),), 20)


def test_cities_answer_side_by_side_and_each_hit_says_whose_it_is() -> None:
    world = World(london=well, oslo=well)
    with asking(world) as made:
        heard = made.ask(STAFF, WANTED)
    assert [hits[0]["city"] for hits in heard.found] == ["london", "oslo"]
    assert (heard.total, heard.exact) == (6, True)
    assert states(heard) == {"london": "answered", "oslo": "answered"}
    assert all(
        asked == {"q": "bus", "collection": "plans", "limit": "20", "facet": "none"} for _, asked, _ in world.asked
    )


def test_a_silent_city_costs_its_deadline_once_and_is_told_each_time() -> None:
    world = World(london=well, oslo=silent)
    with asking(world) as made:
        begun = time.monotonic()
        heard = made.ask(STAFF, WANTED)
        spent = time.monotonic() - begun
        assert DEADLINE_MS / 1000 <= spent < 1.9 * DEADLINE_MS / 1000
        assert states(heard) == {"london": "answered", "oslo": "slow"}
        assert heard.total == 3
        assert not heard.exact
        tries = world.tries("oslo")
        assert states(made.ask(STAFF, WANTED)) == {"london": "answered", "oslo": "slow"}
        assert world.tries("oslo") == tries
        world.now += FIRST_QUIET_S + 1
        world.cities["oslo"] = well
        assert states(made.ask(STAFF, WANTED)) == {"london": "answered", "oslo": "answered"}


def test_a_city_that_is_late_is_asked_once_more_and_the_first_answer_counts() -> None:
    world = World(london=late_once)
    with asking(world) as made:
        heard = made.ask(STAFF, WANTED)
    assert states(heard) == {"london": "answered"}
    assert world.tries("london") == 2
    assert heard.asked[0].ms < DEADLINE_MS


def test_a_broken_connection_is_tried_once_more_and_a_dead_city_is_left_alone() -> None:
    gone = PeerUnreachable("Nobody listens.")
    world = World(london=raising(gone, 1), oslo=raising(gone))
    with asking(world) as made:
        assert states(made.ask(STAFF, WANTED)) == {"london": "answered", "oslo": "unreachable"}
        assert (world.tries("london"), world.tries("oslo")) == (2, 2)
        assert states(made.ask(STAFF, WANTED)) == {"london": "answered", "oslo": "unreachable"}
        assert world.tries("oslo") == 2


def test_a_refusal_is_told_and_asked_again_unless_the_city_wants_to_be_left_alone() -> None:
    world = World(london=raising(Forbidden("No.")), oslo=raising(TooManyRequests("Later.", retry_after_s=60)))
    with asking(world) as made:
        for _ in range(2):
            assert states(made.ask(STAFF, WANTED)) == {"london": "refused", "oslo": "refused"}
    assert (world.tries("london"), world.tries("oslo")) == (2, 1)


def test_an_answer_that_makes_no_sense_is_a_refusal_and_harms_nobody_else() -> None:
    world = World(london=well, oslo=well)
    world.search = lambda url, *_, **__: {"hits": 7} if "oslo" in url else World.search(world, url, *_, **__)  # type: ignore[method-assign]
    with asking(world) as made:
        assert states(made.ask(STAFF, WANTED)) == {"london": "answered", "oslo": "refused"}


def test_twenty_cities_are_asked_and_those_that_answer_come_before_the_silent() -> None:
    world = World(**{f"c{number:02}": well for number in range(MAX_PEERS + 2)})
    world.cities["c00"] = world.cities["c01"] = raising(PeerUnreachable("Nobody listens."))
    with asking(world) as made:
        first = made.ask(STAFF, WANTED)
        assert len(first.asked) == MAX_PEERS
        assert not first.exact
        second = made.ask(STAFF, WANTED)
    assert {one.peer for one in second.asked} == {f"c{number:02}" for number in range(2, MAX_PEERS + 2)}
    assert set(states(second).values()) == {"answered"}


@pytest.mark.parametrize(
    ("narrow", "asked"),
    [
        ({"cities": frozenset({"london"})}, {"london"}),
        ({"cities": frozenset({"helsinki"})}, set()),
        ({"not_cities": frozenset({"london"})}, {"oslo"}),
        ({"collections": frozenset({"london/plans", "oslo/other"})}, {"london"}),
        ({"not_collections": frozenset({"london/plans"})}, {"oslo"}),
    ],
)
def test_only_cities_and_collections_that_are_wanted_are_asked(narrow: dict[str, Any], asked: set[str]) -> None:
    world = World(london=well, oslo=well)
    with asking(world) as made:
        heard = made.ask(STAFF, Wanted((), 20, **narrow))
    assert set(states(heard)) == asked
