"""What tests of pages share: a city with plain and odd records and one tab; the worlds of people's journeys."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from node.vocab.kinds import TABLES, example_of
from tests.browser.chromium import Tab
from tests.browser.chromium import browser as one_tab
from tests.browser.oddities import oddities
from tests.browser.towns import Begun, Towns, begun, towns
from tests.browser.world import DEVICES, Device, World, chromium
from tests.cluster.rig import City, catalogue, city

KNOWLEDGE = ("practices", "ai-register", "questions", "challenges", "reuses")


def write_knowledge(folder: Path, dataset: str) -> None:
    """Write an example of each kind; wherever one may name a dataset it names this one, and one that is nowhere."""
    for table in TABLES.values():
        said = example_of(table)
        for field in table.fields:
            if "dataset" in field.to:
                said[field.name] = [dataset, "https://nowhere.example/datasets/1"] if field.many else dataset
        path = folder / table.command / "example.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(said))


@pytest.fixture(scope="session")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("node")
    with city(folder / "node") as one:
        one.say("collections", "create", "odd", "--title", "Oddities")
        one.say("sources", "add", "own", catalogue(folder / "c.ttl", 130), "--kind", "dcat")
        one.say("sources", "add", "odd", oddities(folder / "o.ttl"), "--kind", "dcat", "--collection", "odd")
        one.say("harvest", "run", "own")
        one.say("harvest", "run", "odd")
        write_knowledge(folder / "knowledge", f"{one.base_url}/datasets/d1")
        for command in KNOWLEDGE:
            one.say(command, "publish", "example", "--folder", folder / "knowledge" / command)
        one.start()
        with city(folder / "london", name="London") as other:
            other.say("sources", "add", "own", catalogue(folder / "l.ttl", 3, prefix="london"), "--kind", "dcat")
            other.say("harvest", "run", "own")
            one.say("peers", "add", other.start().say("peers", "invite").splitlines()[0], "--name", "london")
            one.say("peers", "approve", "london", "--yes")
            one.say("peers", "follow", "london", "open-data")
            one.say("exchange", "run", "london", "--wait")
            yield one


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with one_tab(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="session", params=DEVICES, ids=lambda device: device.name)
def device(request: pytest.FixtureRequest) -> Device:
    given: Device = request.param
    return given


@pytest.fixture(scope="session")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    with towns(tmp_path_factory.mktemp("towns")) as made:
        yield made


@pytest.fixture(scope="session")
def turku(device: Device, cities: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    with begun(tmp_path_factory.mktemp(device.name), cities.portals["turku"]) as made:
        yield made


@pytest.fixture(scope="session")
def world(device: Device, browser: Browser) -> Iterator[World]:
    made = World(device, browser)
    yield made
    made.close()
