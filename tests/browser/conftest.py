"""One city with plain and odd records, and one tab, for all tests of pages."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.vocab.kinds import TABLES, example_of
from tests.browser.chromium import Tab, browser
from tests.browser.oddities import oddities
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
    with browser(tmp_path_factory.mktemp("browser")) as one:
        yield one
