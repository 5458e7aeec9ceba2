"""Laws of held withdrawals that several persons decide: one decision, and the records are what it says.

Whole nodes on both databases; the persons are threads, and what they race for is the run that holds.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from node.catalog.runs import Run
from node.errors import AlreadyRunning, Conflict, NotFound
from tests.catalog.rig import City, datasets


def test_while_one_decides_the_other_is_told_that_it_is_under_way(city: City) -> None:
    city.harvest(datasets(*range(10)))
    held = city.harvest(datasets(*range(5)))
    now = city.node.harvest._clock_ms()
    run, was = city.node.runs.take_up(held.id, now_ms=now, deadline_ms=now + 60_000)
    office = city.node.harvesting.office
    for decide in (office.approve, office.keep):
        with pytest.raises(AlreadyRunning):
            decide(held.id, by="the other")
    with pytest.raises(AlreadyRunning):
        city.run()
    run.state = was
    city.node.runs.amend(run)
    assert office.keep(held.id, by="the other").decision is not None
    assert len(city.digests()) == 10


def test_a_decision_that_fails_midway_leaves_the_run_to_be_decided(city: City) -> None:
    city.harvest(datasets(*range(10)))
    held = city.harvest(datasets(*range(5)))
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET name = 'elsewhere'")
    office = city.node.harvesting.office
    with pytest.raises(NotFound):
        office.approve(held.id, by="x")
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET name = 'portal'")
    assert city.node.runs.get(held.id).state == "partial"
    assert office.approve(held.id, by="x").counters.withdrawn == 5


@pytest.mark.slow
def test_of_two_that_decide_at_once_one_does_and_the_records_are_as_it_decided(city: City) -> None:
    city.harvest(datasets(*range(40)))
    office = city.node.harvesting.office
    for least in range(30, 10, -5):
        before = len(city.digests())
        held = city.harvest(datasets(*range(least)))
        gate = Barrier(2)

        def decide(how: Callable[..., Run], number: int, who: str, gate: Barrier = gate) -> Run | None:
            gate.wait(timeout=10)
            try:
                return how(number, by=who)
            except (Conflict, AlreadyRunning):
                return None

        with ThreadPoolExecutor(2) as two:
            every = [two.submit(decide, how, held.id, who) for how, who in ((office.approve, "a"), (office.keep, "b"))]
            (done,) = [each for each in (one.result(timeout=30) for one in every) if each is not None]
        stands = city.node.runs.get(held.id).decision
        assert stands is not None
        assert stands == done.decision
        assert len(city.digests()) == before - stands.withdrawn
