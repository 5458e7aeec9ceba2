"""Turns at a triple store: nobody holds it alone, and who ran into bounds leaves a place to the others."""

import threading
import time
from collections.abc import Callable

import pytest

from node.catalog.graph import places as module
from node.catalog.graph.places import Places
from node.errors import TooManyRequests, Unavailable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(number: int, clock: Callable[[], float] = time.monotonic) -> Places:
    """Whoever would have to wait hears no at once."""
    return Places(number, wait_s=0, clock=clock)


def test_each_asker_runs_one_query_and_others_have_the_rest() -> None:
    places = made(2)
    mine = places.take("a")
    with pytest.raises(TooManyRequests, match="yours") as own:
        places.take("a")
    assert own.value.retry_after_s
    other = places.take("b")
    with pytest.raises(Unavailable, match="Other queries"):
        places.take("c")
    places.leave(mine)
    places.leave(other)
    places.leave(places.take("a"))


def test_who_needs_no_turn_has_as_many_as_there_are() -> None:
    places = made(2)
    places.take()
    places.take()
    with pytest.raises(Unavailable, match="Other queries"):
        places.take()


def test_a_query_that_ran_away_is_followed_by_the_next_of_its_asker() -> None:
    places = made(2)
    late = places.take("a")
    places.ran_away(late)
    places.give_up(late)
    places.take("a")


def test_who_ran_away_leaves_one_place_to_the_others_for_some_minutes() -> None:
    clock = Clock()
    places = made(3, clock)
    for who in "abc":
        turn = places.take(who)
        places.ran_away(turn)
        places.leave(turn)
    running = [places.take("a"), places.take("b")]
    with pytest.raises(Unavailable):
        places.take("c")
    running.append(places.take("somebody else"))
    for turn in running:
        places.leave(turn)
    clock.now += module.REMEMBERED_S
    assert len([places.take(who) for who in "abc"]) == 3


def test_where_there_is_one_place_the_others_come_first() -> None:
    places = Places(1, wait_s=10)
    turn = places.take("heavy")
    places.ran_away(turn)
    order: list[str] = []

    def ask(who: str) -> None:
        mine = places.take(who)
        order.append(who)
        places.leave(mine)

    threads = []
    for number, who in enumerate(("heavy", "light"), 1):
        threads.append(threading.Thread(target=ask, args=(who,)))
        threads[-1].start()
        while len(places._waiting) < number:
            pass
    places.leave(turn)
    for thread in threads:
        thread.join()
    assert order == ["light", "heavy"]


def test_one_asker_or_those_who_ran_away_never_fill_the_queue() -> None:
    places = Places(1, wait_s=0.3)
    turn = places.take("a")
    said: list[type[Exception]] = []

    def ask() -> None:
        try:
            places.take("a")
        except Unavailable as error:
            said.append(type(error))

    threads = [threading.Thread(target=ask) for _ in range(module.QUEUE)]
    for thread in threads:
        thread.start()
    while len(places._waiting) < module.SHARE or len(said) < module.QUEUE - module.SHARE:
        pass
    assert len(places._waiting) == module.SHARE
    places.leave(turn)
    for thread in threads:
        thread.join()


def test_whose_query_the_engine_died_of_waits_longer_each_time() -> None:
    clock = Clock()
    places = made(2, clock)
    waits = []
    for _ in range(7):
        turn = places.take("a")
        waits.append(places.felled(turn))
        places.leave(turn)
        with pytest.raises(TooManyRequests, match="memory"):
            places.take("a")
        places.leave(places.take("b"))
        clock.now += waits[-1]
    assert waits == [5, 8, 16, 32, 64, 64, 64]


def test_of_several_none_waits_longer_since_it_is_not_known_whose_query_it_was() -> None:
    clock = Clock()
    places = made(2, clock)
    for _ in range(3):
        turns = [places.take("a"), places.take("b")]
        for turn in turns:
            assert places.felled(turn) == 5
            places.leave(turn)
        clock.now += 5


def test_no_more_is_remembered_than_is_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 3)
    clock = Clock()
    places = made(2, clock)
    for number in range(9):
        turn = places.take(str(number))
        places.ran_away(turn)
        places.leave(turn)
    assert list(places._marks) == ["6", "7", "8"]
    clock.now += module.REMEMBERED_S
    places.ran_away(places.take("9"))
    assert list(places._marks) == ["9"]
