"""`kill -9` while the search index is made or kept level: the next one ends with the same index, made by itself."""

import random
import time
from pathlib import Path

import pytest

from tests.cluster.rig import City, catalogue, city

NUMBER = 6_000  # more than a run with a helper begins at


def status(one: City) -> dict[str, object]:
    found: list[dict[str, object]] = one.json("index", "status")
    return next(each for each in found if each["name"] == "search")


@pytest.fixture
def helsinki(tmp_path: Path):
    with city(tmp_path / "node") as made:
        made.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", NUMBER), "--kind", "dcat")
        made.say("harvest", "run", "own")
        yield made


def test_an_index_killed_at_any_moment_of_its_making_is_made_the_next_time(helsinki: City) -> None:
    for seed in range(4):
        run = helsinki.begin("index", "rebuild", "search")
        time.sleep(random.Random(seed).uniform(0.3, 2.5))
        run.kill()
        run.wait(20)
    helsinki.say("index", "rebuild", "search")
    after = status(helsinki)
    assert (after["state"], after["records"]) == ("level", NUMBER)
    folder = helsinki.folder / "search"
    assert len(list((folder / "public").iterdir())) == 1, "nothing half made is left"


def test_while_one_makes_the_index_another_waits_and_both_end_well(helsinki: City) -> None:
    first = helsinki.begin("index", "rebuild", "search")
    second = helsinki.begin("index", "rebuild", "search")
    assert (first.wait(120), second.wait(120)) == (0, 0)
    assert status(helsinki)["records"] == NUMBER


def test_the_helper_ends_with_its_parent_also_if_that_is_killed(helsinki: City) -> None:
    run = helsinki.begin("index", "rebuild", "search")
    deadline = time.monotonic() + 20
    while not (helper := _helpers(run.pid)) and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert helper, "a run of so many records has a helper"
    run.kill()
    run.wait(20)
    while any(Path(f"/proc/{each}").exists() for each in helper):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _helpers(parent: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []
