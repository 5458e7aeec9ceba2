"""Three real cities: they witness each other's checkpoints, and one that tells two stories is found out by both."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.testing import GONE, HEALTHY, OPEN_DATA, City, Cluster, wait_for
from node.testing.fixtures import Clusters


@pytest.fixture
def three(cluster: Clusters) -> Cluster:
    three = cluster(3)
    three.introduce_all()
    three.sow(5)
    three.until_level()
    return three


def of(one: City) -> str:
    return f"{one.base_url}/collections/{OPEN_DATA}"


def quarantine_of(one: City, peer: City) -> str:
    found = next(each for each in one.json("peers", "list") if each["name"] == peer.slug)
    return str(found["quarantine"])


@contextlib.contextmanager
def fork(one: City, folder: Path) -> Iterator[City]:
    copy = one.copy(folder)
    try:
        yield copy
    finally:
        copy.end()


def test_a_checkpoint_is_cosigned_by_the_others_and_travels_with_their_lines(three: Cluster) -> None:
    helsinki, london, antwerp = three.cities
    states = {one["witness"]: one["state"] for one in helsinki.json("witness", "run")}
    assert states == {"london": "cosigned", "antwerp": "cosigned"}
    note = helsinki.heads()[of(helsinki)].note
    signers = {line.split(" ")[1] for line in note.splitlines() if line.startswith("— ")}
    assert signers == {
        of(helsinki).removeprefix("http://"),
        *(c.base_url.removeprefix("http://") for c in (london, antwerp)),
    }
    assert helsinki.say("verify", of(helsinki)).splitlines()[-1].startswith("proven: ")


def test_a_city_that_tells_two_stories_is_quarantined_by_both_who_heard_them(three: Cluster, tmp_path: Path) -> None:
    helsinki, london, antwerp = three.cities
    proxy, portal = three.proxy_of(helsinki), three.portal_of(helsinki)
    first, second, *_ = portal.titles
    told_first = portal.titles[first]
    assert helsinki.stop() == 0
    with fork(helsinki, tmp_path / "fork") as other:
        # London hears one story while Antwerp sleeps …
        antwerp.kill()
        portal.change(first)
        three.harvest(helsinki)
        helsinki.start()
        wait_for(
            lambda: london.heads().get(of(helsinki)) == helsinki.heads().get(of(helsinki)), "one story", london.log
        )
        # … and Antwerp the other while London sleeps.
        london.kill()
        helsinki.kill()
        portal.titles[first] = told_first
        portal.change(second)
        other.say("harvest", "run", "own")
        proxy.behind = other.start().port
        antwerp.start()
        wait_for(lambda: antwerp.heads().get(of(helsinki)) == other.heads().get(of(helsinki)), "another", antwerp.log)
        # Helsinki falls silent, and London asks the others what they have of it.
        proxy.faults = GONE
        london.start()
        wait_for(lambda: quarantine_of(london, helsinki) != "", "London to notice", london.log, 60)
        # Antwerp does as soon as it hears more of Helsinki.
        antwerp.kill()
        portal.add(1)
        other.say("harvest", "run", "own")
        proxy.faults = HEALTHY
        antwerp.say("exchange", "run", "helsinki", code=1)
        assert quarantine_of(antwerp, helsinki)
        antwerp.start()
        held = london.heads()[of(helsinki)]
        assert london.record(first)[0] == antwerp.record(first)[0] == 200, "nothing that was held is lost"
        assert london.heads()[of(helsinki)] == held
    for one in (london, antwerp):
        assert not any(quarantine_of(one, each) for each in (london, antwerp) if each is not one)
