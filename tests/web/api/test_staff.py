"""The API of accounts and of the trail: for staff with a token, and every act of the API is written down."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web.desk.people_rig import staffed
from tests.web.find_rig import Rig

pytestmark = pytest.mark.slow  # whole nodes, page by page: seconds together


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    made = staffed(tmp_path_factory.mktemp("api"), migrated)
    made.node.create_collection("open", title="Open", visibility="public", at_ms=1_000)
    yield made
    made.close()


@pytest.fixture(scope="module")
def token(rig: Rig) -> str:
    tokens = rig.node.federation.named_tokens
    return tokens.issue("ops", now_ms=rig.node.staff.links._clock_ms(), staff=True)[1]


@pytest.fixture(scope="module")
def program(rig: Rig) -> str:
    tokens = rig.node.federation.named_tokens
    return tokens.issue("reader", now_ms=rig.node.staff.links._clock_ms(), scopes=["read:open"])[1]


def ask(rig: Rig, method: str, path: str, token: str, body: Any = None) -> httpx.Response:
    client = rig.client
    headers = {"authorization": f"Bearer {token}"} if token else {}
    content = None if body is None else json.dumps(body).encode()
    return client._runner.run(client._client.request(method, path, headers=headers, content=content))


def test_an_account_is_made_shown_and_changed(rig: Rig, token: str) -> None:
    made = ask(rig, "POST", "/api/staff", token, {"name": "maija", "roles": ["editor"], "shown": "Data team"})
    assert (made.status_code, "/desk/welcome/" in made.json()["link"]) == (201, True)
    assert ask(rig, "PUT", "/api/staff/maija/roles", token, {"roles": ["viewer", "admin"]}).json()["roles"] == [
        "admin",
        "viewer",
    ]
    shown = ask(rig, "GET", "/api/staff/maija", token)
    assert (shown.json()["shown"], shown.json()["signed_in"]) == ("Data team", [])
    assert shown.headers["cache-control"] == "no-store"
    assert "link" not in shown.json()
    assert [each["name"] for each in ask(rig, "GET", "/api/staff", token).json()["accounts"]] == ["maija"]


def test_acts_on_an_account_say_what_became_of_it(rig: Rig, token: str) -> None:
    ask(rig, "POST", "/api/staff", token, {"name": "paavo", "roles": ["editor"]})
    assert "/desk/welcome/" in ask(rig, "POST", "/api/staff/paavo/link", token).json()["link"]
    assert ask(rig, "POST", "/api/staff/paavo/disable", token).json()["state"] == "disabled"
    assert ask(rig, "POST", "/api/staff/paavo/link", token).status_code == 409
    assert ask(rig, "POST", "/api/staff/paavo/enable", token).json()["state"] == "invited"
    assert ask(rig, "DELETE", "/api/staff/paavo/phone", token).json()["second_factor"] is False
    assert ask(rig, "DELETE", "/api/staff/paavo/sessions", token).json() == {"name": "paavo", "ended": 0}
    assert ask(rig, "DELETE", "/api/staff/paavo/sessions/abc", token).json()["ended"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/staff", {"name": "N o", "roles": ["viewer"]}, 400),
        ("POST", "/api/staff", {"name": "x", "roles": ["king"]}, 400),
        ("POST", "/api/staff", {"name": "x", "roles": []}, 400),
        ("POST", "/api/staff", {"name": "x", "roles": "viewer"}, 400),
        ("GET", "/api/staff/nobody", None, 404),
        ("GET", "/api/staff/%00", None, 404),
        ("POST", "/api/staff/nobody/disable", None, 404),
        ("DELETE", "/api/staff/nobody/sessions", None, 404),
        ("GET", "/api/audit?from=yesterday", None, 400),
        ("GET", "/api/audit?limit=9999", None, 400),
        ("GET", "/api/audit.xlsx", None, 400),
    ],
)
def test_what_cannot_be_done_is_told_in_its_branch(
    rig: Rig, token: str, method: str, path: str, body: Any, status: int
) -> None:
    reply = ask(rig, method, path, token, body)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/staff", "/api/staff/maija", "/api/audit", "/api/audit.csv"])
def test_accounts_and_trail_are_for_staff_alone(rig: Rig, program: str, path: str) -> None:
    assert ask(rig, "GET", path, "").status_code == 401
    assert ask(rig, "GET", path, program).status_code == 403
    assert ask(rig, "POST", "/api/staff", program, {"name": "evil", "roles": ["admin"]}).status_code == 403


def test_every_act_of_the_api_stands_in_the_trail_and_looking_does_not(rig: Rig, token: str) -> None:
    before = len(rig.node.staff.trail.list(limit=500))
    ask(rig, "GET", "/api/staff", token)
    ask(rig, "POST", "/api/staff/nobody/disable", token)
    ask(rig, "POST", "/api/peers/nobody/pause", token)
    ask(rig, "PUT", "/api/practices/none", token, {"said": {}})
    events = rig.node.staff.trail.list(limit=500)
    assert len(events) == before + 3
    assert [(each.who, each.way, each.act, each.target, each.outcome) for each in reversed(events[:3])] == [
        ("ops", "api", "POST /api/staff/{name}/disable", "nobody", "refused not-found"),
        ("ops", "api", "POST /api/peers/{name}/pause", "nobody", "refused not-found"),
        ("ops", "api", "PUT /api/{kind:written}/{slug}", "practice none", "refused malformed"),
    ]


def test_the_trail_names_what_an_act_is_done_to_wherever_that_is_said(rig: Rig, token: str) -> None:
    ask(rig, "POST", "/api/staff", token, {"name": "ruler", "roles": ["admin", "approver"], "shown": "What was typed"})
    ask(rig, "PUT", "/api/staff/ruler/roles", token, {"roles": ["viewer"]})
    ask(rig, "PUT", "/api/correction?iri=https://data.example/1", token, {"said": {"title": {"en": "What was typed"}}})
    ask(rig, "DELETE", "/api/correction?iri=https://data.example/1", token)
    ask(rig, "POST", "/api/agreements/approve", token, {"name": "12345678", "terms": "sha-256:x"})
    ask(rig, "POST", "/api/agreements/revoke", token, {"name": "12345678", "reason": "What was typed"})
    ask(rig, "POST", "/api/peers", token, {"name": "ghent", "invitation": "What was typed"})
    found = list(reversed(rig.node.staff.trail.list(limit=7)))
    assert [(each.act.partition("/api/")[2], each.target, dict(each.detail)) for each in found] == [
        ("staff", "ruler", {"roles": "admin, approver"}),
        ("staff/{name}/roles", "ruler", {"roles": "viewer"}),
        ("correction", "https://data.example/1", {}),
        ("correction", "https://data.example/1", {}),
        ("agreements/approve", "12345678", {"terms": "sha-256:x"}),
        ("agreements/revoke", "12345678", {}),
        ("peers", "ghent", {}),
    ]


def test_the_trail_is_read_page_by_page_and_as_a_file(rig: Rig, token: str) -> None:
    for number in range(3):
        with rig.node.staff.trail.act(who="=1+1", way="desk", source="", act="paged", target=str(number)):
            pass
    first = ask(rig, "GET", "/api/audit?act=paged&limit=2", token).json()
    assert [each["target"] for each in first["events"]] == ["2", "1"]
    rest = ask(rig, "GET", f"/api/audit?act=paged&limit=2&before={first['before']}", token).json()
    assert [each["target"] for each in rest["events"]] == ["0"]
    table = ask(rig, "GET", "/api/audit.csv?act=paged", token)
    assert table.text.count("'=1+1") == 3
    lines = ask(rig, "GET", "/api/audit.ndjson?act=paged", token).text.splitlines()
    assert [json.loads(line)["who"] for line in lines] == ["=1+1"] * 3
    assert [each.target for each in rig.node.staff.trail.list(act="GET /api/audit")] == ["ndjson", "csv"]
