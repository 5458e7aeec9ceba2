"""Commands on looks inside files: what was seen, what was not and why, and another look on demand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalog.models.samples import catalogue
from tests.cli.conftest import Say
from tests.portal_server import PortalServer, page

pytestmark = pytest.mark.slow  # a process for each file that is read

IT = "https://data.example/id/m"


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer() as server:
        yield server


def test_files_of_harvested_datasets_are_looked_into_listed_and_looked_into_again(
    helsinki: Say, tmp_path: Path, portal: PortalServer
) -> None:
    portal.pages["/a.csv"] = page(b"id,name\n1,x\n", etag='"1"')
    portal.pages["/b.csv"] = page(b"\x00\x01")
    (tmp_path / "source.ttl").write_text(catalogue(f"{portal.url}/a.csv", f"{portal.url}/b.csv"))
    for words in (
        ("sources", "add", "portal", tmp_path / "source.ttl", "--kind", "dcat"),
        ("harvest", "run", "portal"),
    ):
        assert helsinki(*words).code == 0

    done = helsinki("previews", "read")
    assert (done.code, done.out) == (0, "Looked into 2 now. Of all: 1 refused, 1 seen.\n"), done
    seen, refused = helsinki("previews", "list", "--json").json
    assert (seen["state"], seen["dataset"], seen["file"]) == ("seen", IT, f"{portal.url}/a.csv")
    assert (refused["preview"], "no text" in refused["detail"]) == ("", True)
    assert helsinki("previews", "read", "--json").json == {"done": 0, "states": {"refused": 1, "seen": 1}}

    assert helsinki("previews", "again", IT).out == "2 files are looked into next.\n"
    assert helsinki("previews", "read", "--json").json["done"] == 2
    assert helsinki("previews", "again", "https://data.example/id/none").code == 1
