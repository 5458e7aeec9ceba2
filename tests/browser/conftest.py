"""One city with plain and odd records, and one tab, for all tests of pages."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Tab, browser
from tests.browser.oddities import oddities
from tests.cluster.rig import City, catalogue, city


@pytest.fixture(scope="session")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("node")
    with city(folder / "node") as one:
        one.say("collections", "create", "odd", "--title", "Oddities")
        one.say("sources", "add", "own", catalogue(folder / "c.ttl", 130), "--kind", "dcat")
        one.say("sources", "add", "odd", oddities(folder / "o.ttl"), "--kind", "dcat", "--collection", "odd")
        one.say("harvest", "run", "own")
        one.say("harvest", "run", "odd")
        yield one.start()


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("browser")) as one:
        yield one
