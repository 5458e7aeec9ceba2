"""`kill -9` at any moment loses nothing that was acknowledged and leaves nothing half-applied."""

import random
import time
from pathlib import Path

import pytest

from tests.cluster.rig import City, catalogue, city

NUMBER = 2_500


def state(one: City) -> tuple[int, int]:
    stats = one.json("catalog", "stats")[0]
    return stats["records"], stats["entries"]


@pytest.mark.parametrize("seed", range(6))
def test_a_harvest_killed_at_any_moment_goes_on_from_what_is_there(tmp_path: Path, seed: int) -> None:
    after_s = random.Random(seed).uniform(0.4, 3.0)
    with city(tmp_path / "node") as helsinki:
        helsinki.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", NUMBER), "--kind", "dcat")
        run = helsinki.begin("harvest", "run", "own")
        time.sleep(after_s)
        run.kill()
        run.wait(20)
        records, entries = state(helsinki)
        assert records == entries, "the shelf and the journal moved together"
        helsinki.say("journal", "verify")
        assert all(one["state"] in ("failed", "succeeded") for one in helsinki.json("harvest", "list"))
        again = helsinki.json("harvest", "run", "own")
        assert again["state"] == "succeeded"
        assert again["counters"]["added"] == NUMBER - records or again["counters"]["unchanged"] == NUMBER
        assert state(helsinki) == (NUMBER, NUMBER)
        helsinki.say("journal", "verify")
        assert list((tmp_path / "node" / "work").glob("run-*")) in ([], [tmp_path / "node" / "work" / "run-1"])


def test_a_cancelled_run_ends_within_two_seconds_and_keeps_what_it_published(tmp_path: Path) -> None:
    with city(tmp_path / "node") as helsinki:
        helsinki.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", 150_000), "--kind", "dcat")
        run = helsinki.begin("harvest", "run", "own")
        deadline = time.monotonic() + 30
        while not any(one["state"] == "running" for one in helsinki.json("harvest", "list")):
            assert time.monotonic() < deadline
        number = helsinki.json("harvest", "list")[0]["id"]
        helsinki.say("harvest", "cancel", number)
        asked = time.monotonic()
        assert run.wait(20) == 1
        assert time.monotonic() - asked < 8, "2 s, and the time a process takes to end beside other suites"
        assert helsinki.json("harvest", "show", number)["state"] == "cancelled"
        records, entries = state(helsinki)
        assert records == entries
        helsinki.say("journal", "verify")
