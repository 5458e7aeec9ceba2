"""Laws of the staff's API of sources and runs: staff alone may use it, and it does what the command line does."""

# ruff: noqa: F811 - fixtures are named as what they give
import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.catalog.conftest import city, grown, lasting_parser  # noqa: F401 - fixtures
from tests.catalog.rig import City, datasets
from tests.web.desk.rig import app_of

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

READING = ["/api/sources", "/api/sources/portal", "/api/runs", "/api/runs/1", "/api/runs/1/rows", "/api/today"]
ACTS = [
    ("POST", "/api/sources"),
    ("PUT", "/api/sources/portal"),
    ("POST", "/api/sources/portal/pause"),
    ("POST", "/api/sources/portal/resume"),
    ("POST", "/api/sources/portal/runs"),
    ("POST", "/api/runs/1/stop"),
    ("POST", "/api/runs/1/approve"),
    ("POST", "/api/runs/1/keep"),
    ("POST", "/api/sources/portal/withdraw"),
    ("DELETE", "/api/sources/portal"),
]
EVERY = [*(("GET", path) for path in READING), *ACTS]


class Api:
    """Somebody with a token of the staff, and somebody with a program's."""

    def __init__(self, city: City) -> None:
        self.city = city
        tokens, now = city.node.federation.named_tokens, int(time.time() * 1000)
        self.secrets = {
            "ada": tokens.issue("ada", now_ms=now, staff=True)[1],
            "robot": tokens.issue("robot", now_ms=now, scopes=["read:plans"])[1],
        }
        transport = httpx.ASGITransport(app=app_of(city.node), raise_app_exceptions=False)  # type: ignore[arg-type]
        self._client = httpx.AsyncClient(transport=transport, base_url=city.node.settings.base_url)
        self._runner = asyncio.Runner()

    def ask(self, method: str, path: str, body: Any = None, *, who: str = "ada") -> httpx.Response:
        headers = {"authorization": f"Bearer {self.secrets[who]}"} if who else {}
        return self._runner.run(self._client.request(method, path, json=body or {}, headers=headers))

    def does(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        reply = self.ask(method, path, body)
        assert reply.status_code == status, reply.text
        return reply.json()

    def work(self) -> None:
        office = self.city.node.harvesting.office
        for number in office.asked():
            office.work(number)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@pytest.fixture
def api(city: City) -> Iterator[Api]:
    made = Api(city)
    yield made
    made.close()


def test_nobody_but_the_staff_reads_or_does_anything(api: Api) -> None:
    api.city.harvest(datasets(1))
    for method, path in EVERY:
        assert api.ask(method, path, who="").status_code == 401, (method, path)
        assert api.ask(method, path, who="robot").status_code == 403, (method, path)
    assert len(api.city.held()) == 1


def test_a_source_is_added_changed_paused_and_forgotten(api: Api) -> None:
    wanted = {"name": "parks", "kind": "dcat", "location": "https://parks.example/x.ttl", "every_min": 60}
    made = api.does("POST", "/api/sources", {**wanted, "paused": True}, status=201)
    assert (made["paused"], made["next_at"], made["every_min"]) == (True, None, 60)
    assert api.ask("POST", "/api/sources", wanted).status_code == 409
    changed = api.does("PUT", "/api/sources/parks", {"every_min": 120, "threshold": 3})
    assert (changed["every_min"], changed["threshold"], changed["location"]) == (120, 3, wanted["location"])
    assert api.does("POST", "/api/sources/parks/resume")["next_at"]
    assert api.does("POST", "/api/sources/parks/pause")["paused"]
    assert api.does("DELETE", "/api/sources/parks") == {"forgotten": "parks"}
    assert api.ask("GET", "/api/sources/parks").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"location": "/etc/passwd"},
        {"location": "file:///etc/passwd"},
        {"location": "ftp://x.example/"},
        {"kind": "unheard-of"},
        {"collection": "nowhere"},
        {"every_min": 1},
        {"every_min": True},
        {"every_min": "60"},
        {"threshold": 101},
        {"threshold": -1},
        {"name": "../x"},
        {"name": "-"},
        {"paused": "yes"},
        {"keep_contacts": 1},
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_added(api: Api, wrong: dict[str, Any]) -> None:
    good = {"name": "parks", "kind": "dcat", "location": "https://parks.example/x.ttl"}
    assert 400 <= api.ask("POST", "/api/sources", {**good, **wrong}).status_code < 500
    assert api.does("GET", "/api/sources") == {"sources": []}


def test_a_run_is_asked_for_done_by_the_worker_and_read_back(api: Api) -> None:
    api.city.add(api.city.write(datasets(1, 2)))
    asked = api.does("POST", "/api/sources/portal/runs", {"dry": True}, status=202)
    assert (asked["state"], asked["dry"], asked["by"]) == ("queued", True, "ada")
    assert api.ask("POST", "/api/sources/portal/runs").status_code == 503, "one run of a source at a time"
    api.work()
    assert api.does("GET", "/api/runs/1")["counters"]["added"] == 2
    assert api.city.size() == 0
    api.does("POST", "/api/sources/portal/runs", {}, status=202)
    api.work()
    assert {row["change"] for row in api.does("GET", "/api/runs/2/rows")["rows"]} == {"added"}
    assert [run["id"] for run in api.does("GET", "/api/runs?source=portal&limit=1")["runs"]] == [2]
    assert api.ask("POST", "/api/runs/2/stop").status_code == 409, "it has ended"
    assert api.ask("POST", "/api/runs/99/stop").status_code == 404


def test_held_withdrawals_are_chosen_kept_or_approved(api: Api) -> None:
    api.city.harvest(datasets(*range(5)))
    held = api.city.harvest(datasets(0))
    rows = api.does("GET", f"/api/runs/{held.id}/rows")["rows"]
    keys = [row["source_key"] for row in rows if row["change"] == "held"]
    assert len(keys) == 4
    assert api.ask("POST", f"/api/runs/{held.id}/approve", {"keys": ["strange"]}).status_code == 400
    done = api.does("POST", f"/api/runs/{held.id}/approve", {"keys": keys[:1], "word": "it ended"})
    assert done["decision"] == {
        "by": "ada",
        "at_ms": done["decision"]["at_ms"],
        "withdrawn": 1,
        "kept": 3,
        "word": "it ended",
    }
    assert len(api.city.held()) == 4
    again = api.city.run()
    assert api.does("GET", "/api/today")["needs"][0]["what"] == "held"
    assert api.does("POST", f"/api/runs/{again.id}/keep")["decision"]["kept"] == 3
    assert len(api.city.held()) == 4
    assert api.does("GET", "/api/today")["needs"] == []


def test_giving_up_a_source_withdraws_all_of_it_and_then_forgets_it(api: Api) -> None:
    api.city.harvest(datasets(1, 2))
    assert api.does("POST", "/api/sources/portal/withdraw", status=202)["order"] == "withdraw"
    api.work()
    assert api.city.held() == []
    assert api.does("GET", "/api/sources") == {"sources": []}
    assert api.city.harvest(datasets(1, 2)).counters.added == 2, "brought again, they return under their names"
    assert set(api.city.slugs().values()) == {"n1", "n2"}
