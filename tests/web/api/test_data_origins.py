"""Laws of the staff's API of data origins: staff alone, addresses alone, and no secret ever comes back."""

# ruff: noqa: F811 - fixtures are named as what they give
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalog.conftest import city, grown, lasting_parser  # noqa: F401 - fixtures
from tests.catalog.rig import BASE, City, datasets
from tests.test_outbound import Server
from tests.test_outbound_stream import BODY, ranged
from tests.web.api.test_sources import Api

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

SECRET = "s3cr3t-w0rd"  # noqa: S105
EVERY = [
    ("GET", "/api/data/origins"),
    ("POST", "/api/data/origins"),
    ("PATCH", "/api/data/origins"),
    ("POST", "/api/data/origins/test"),
    ("DELETE", "/api/data/origins?dataset=x"),
    ("GET", "/api/data/credentials"),
    ("PUT", "/api/data/credentials/token"),
    ("DELETE", "/api/data/credentials/token"),
]


@pytest.fixture
def api(city: City) -> Iterator[Api]:
    city.harvest(datasets(1))
    made = Api(city)
    yield made
    made.close()


def test_nobody_but_the_staff_reads_or_does_anything(api: Api) -> None:
    for method, path in EVERY:
        assert api.ask(method, path, who="").status_code == 401, (method, path)
        assert api.ask(method, path, who="robot").status_code == 403, (method, path)


def test_an_origin_is_registered_tested_changed_and_forgotten(api: Api) -> None:
    (held,) = api.city.held()
    with Server(ranged()) as server:
        named = {"dataset": held.iri, "part": "all.bin"}
        told = {"kind": "bearer", "for": server.url, "secret": SECRET}
        api.does("PUT", "/api/data/credentials/token", told)
        wish = {**named, "location": server.url + "/x?sig=hidden", "credential": "token", "personal": True}
        made = api.does("POST", "/api/data/origins", wish, status=201)
        assert (made["part"], made["kind"], made["personal"], made["trouble"]) == ("all.bin", "https", True, "")
        assert server.requests[0][1]["authorization"] == f"Bearer {SECRET}"
        tried = api.does("POST", "/api/data/origins/test", named)
        assert (tried["trouble"], tried["left_out"]) == ("", [])
        changed = api.does("PATCH", "/api/data/origins", {**named, "type": "application/zip", "subject_column": "who"})
        assert (changed["type"], changed["credential"]) == ("application/zip", "token")
        assert changed["subject_column"] == "who"
    down = api.does("POST", "/api/data/origins/test", named)
    assert down["trouble"]
    assert down["trouble_at"]
    (listed,) = api.does("GET", "/api/data/origins")["origins"]
    assert listed == down
    assert api.ask("DELETE", "/api/data/credentials/token").status_code == 409
    seen = api.ask("GET", "/api/data/origins").text + api.ask("GET", "/api/data/credentials").text
    assert SECRET not in seen
    assert "hidden" not in seen
    api.does("DELETE", f"/api/data/origins?dataset={held.iri}&part=all.bin")
    api.does("DELETE", "/api/data/credentials/token")
    assert api.does("GET", "/api/data/origins") == {"origins": []}
    with api.city.node.db.read() as tx:
        assert SECRET not in repr(tx.rows("SELECT * FROM audit"))


def test_a_path_of_this_machine_is_no_origin_here_whatever_it_looks_like(api: Api, tmp_path: Path) -> None:
    (held,) = api.city.held()
    (tmp_path / "x.csv").write_bytes(BODY)
    for location in (str(tmp_path / "x.csv"), f"file://{tmp_path}/x.csv", "/etc/passwd", "~/x", "x.csv"):
        reply = api.ask("POST", "/api/data/origins", {"dataset": held.iri, "location": location})
        assert reply.status_code in (400, 403), (location, reply.text)
    for wrong in (
        {"dataset": held.iri},
        {"location": "https://f.example/x.csv"},
        {"dataset": held.iri, "location": 5},
        {"dataset": held.iri, "location": "https://f.example/x.csv", "personal": "yes"},
        {"dataset": held.iri, "location": "https://f.example/x.csv", "part": "../x"},
        {"dataset": held.iri, "location": "https://f.example/x.csv", "part": "x" * 201},
    ):
        assert api.ask("POST", "/api/data/origins", wrong).status_code == 400, wrong
    there = {"dataset": f"{BASE}/datasets/none", "location": "https://f.example/x.csv"}
    assert api.ask("POST", "/api/data/origins", there).status_code == 404
    assert api.does("GET", "/api/data/origins") == {"origins": []}
