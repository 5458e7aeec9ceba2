"""Two real cities: what one says the other holds, verified, and still serves and proves when the first is gone.

Starting and introducing them takes longer than any of the laws here, so they share one pair; each brings its own
records, and the last takes Helsinki away.
"""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.testing import HEALTHY, OPEN_DATA, City, Cluster, Faults, evidence, is_gone, wait_for

SEED = 3


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # So rarely asked that only a notification explains what comes soon.
    environ = {"CITYNODE_PEER_POLL_S": "20", "CITYNODE_NOTIFY_AFTER_MS": "1000"}
    with Cluster(tmp_path_factory.mktemp("two"), 2, environ=environ) as two:
        two.sow(30)
        two.start().introduce_all()
        two.until_level()
        yield two


def of(one: City) -> str:
    return f"{one.base_url}/collections/{OPEN_DATA}"


def alike(two: Cluster) -> bool:
    helsinki, london = two.cities
    return evidence.entries(london, of(helsinki)) == evidence.entries(helsinki, of(helsinki))


def test_a_mirror_is_the_same_to_the_byte_and_named_for_its_peer(two: Cluster) -> None:
    helsinki, london = two.cities
    assert alike(two)
    named = {one["collection"]: one["name"] for one in json.loads(london.get("/checkpoints")[1])["checkpoints"]}
    assert named == {of(london): OPEN_DATA, of(helsinki): f"helsinki/{OPEN_DATA}"}
    assert london.get(f"/collections/helsinki/{OPEN_DATA}", "text/turtle")[1].count(b" a dcat:Dataset") == 30


def test_a_quiet_federation_logs_nothing_bad(two: Cluster) -> None:
    for one in two.cities:
        assert [event for event in one.events() if event["level"] in ("warning", "error")] == []


def test_changes_and_withdrawals_travel(two: Cluster) -> None:
    helsinki, london = two.cities
    portal = two.portal_of(helsinki)
    first, second, *_ = portal.titles
    portal.change(first)
    portal.withdraw(second)
    two.harvest(helsinki)
    two.until_level()
    assert b"Title 0, version 1" in london.record(first)[1]
    assert london.record(second)[0] == helsinki.record(second)[0]
    assert london.record(second)[0] in (404, 410)
    assert alike(two)


def test_a_change_is_told_and_not_waited_for(two: Cluster) -> None:
    helsinki, london = two.cities
    took_s = []
    for _ in range(3):
        (new,) = two.portal_of(helsinki).add(1)
        two.harvest(helsinki)
        begun = time.monotonic()
        wait_for(lambda new=new: london.record(new)[0] == 200, "the change to be read in London", london.log, 15)
        took_s.append(time.monotonic() - begun)
    assert min(took_s) < 5, f"polling is every 20 s; it took {took_s}"


def test_no_corrupted_byte_is_ever_held_and_the_whole_comes_later(two: Cluster) -> None:
    helsinki, london = two.cities
    proxy = two.proxy_of(helsinki)
    proxy.faults = Faults(corrupt=1.0, paths="/entries$")
    for _ in range(3):
        two.portal_of(helsinki).add(5)
        two.harvest(helsinki)
        london.ran("exchange", "run", "helsinki")
    assert proxy.counts["corrupt"] >= 3
    # A flipped bit of a compressed body may mean nothing, or one entry, which is a stub until it is asked for again;
    # what is held is proven either way.
    held = evidence.entries(london, of(helsinki))
    for ours, theirs in zip(held, evidence.entries(helsinki, of(helsinki)), strict=False):
        assert ours == theirs or (ours.entry == theirs.entry and ours.opening is None and ours.payload is None)
    (peer,) = london.json("peers", "list")
    assert not peer["quarantine"], "a broken line is no crime"
    proxy.faults = HEALTHY
    two.until_level()
    # What was broken on its way is asked for by itself three times; all of these may have been on the broken line.
    wait_for(
        lambda: london.ran("exchange", "retry", "helsinki").returncode == 0 and alike(two),
        "all to be asked for",
        london.log,
        60,
    )


def test_a_mirror_killed_at_any_moment_goes_on_from_what_it_has(two: Cluster) -> None:
    helsinki, london = two.cities
    two.proxy_of(helsinki).faults = Faults(drip=0.5, drip_s=0.5, paths="/entries$")
    two.portal_of(helsinki).add(1_500)
    two.harvest(helsinki)
    chance = random.Random(SEED)
    for _ in range(3):
        time.sleep(chance.uniform(0.3, 1.5))
        london.kill_process("worker")
        pull = london.begin("exchange", "run", "helsinki")
        time.sleep(chance.uniform(1.0, 2.5))
        pull.kill()
        pull.wait(20)
    two.heal()
    two.until_level()
    assert alike(two)
    london.say("journal", "verify")


def test_a_mirror_serves_and_proves_what_its_origin_said_when_the_origin_is_gone(two: Cluster) -> None:
    helsinki, london = two.cities
    iri = next(iter(two.portal_of(helsinki).titles))
    helsinki.kill()
    held = evidence.entries(london, of(helsinki))
    status, body = london.record(iri)
    assert status == 200
    assert b'"Title 0' in body
    for target in (f"records?iri={iri}", f"collections/helsinki/{OPEN_DATA}"):
        said = london.say("verify", f"{london.base_url}/{target}").splitlines()
        assert said[-1].startswith("proven: ")
    london.ran("exchange", "run", "helsinki")
    assert evidence.entries(london, of(helsinki)) == held, "nothing vanishes because of an error"


def test_everything_stays_in_the_folder_and_nothing_runs_afterwards(tmp_path: Path) -> None:
    with Cluster(tmp_path, 2) as two:
        two.start()
        pids = [pid for one in two.cities for name in one.processes() for pid in one.pids(name)]
        pids += [one.process.pid for one in two.cities if one.process]
        assert len(pids) == 6
    assert all(map(is_gone, pids))
    assert {path.name for path in tmp_path.iterdir()} >= {"helsinki", "london", "helsinki.log", "london.log"}
