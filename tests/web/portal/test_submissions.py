"""Laws of the door for submissions: anyone may send, only the sender reads how it stands, only staff decides."""

import itertools
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.catalog.submission_rules import CITY_SAYS
from node.keys import Keyring
from node.vocab.kinds import TABLES, example_of
from tests.federation.oauth_rig import LONDON, Door, made_node

_numbers = itertools.count(1)
JSON = ("content-type", "application/json")
FAR = "2001:db8:5::1"


class Visitor:
    """Whoever comes to London's door, with an address that has submitted nothing yet."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.address = f"203.0.113.{next(_numbers)}"
        _, secret = door.node.federation.named_tokens.issue(
            f"ada-{next(_numbers)}", now_ms=time.time_ns() // 1_000_000, staff=True
        )
        self.staff = ("authorization", f"Bearer {secret}")

    def ask(self, method: str, path: str, body: object = None, *headers: tuple[str, str]) -> httpx.Response:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.door.ask(method, path, content=content, headers=list(headers), address=self.address)

    def submit(self, body: object, *headers: tuple[str, str]) -> httpx.Response:
        return self.ask("POST", "/submissions", body, *(headers or (JSON,)))

    def taken(self, **more: Any) -> dict[str, Any]:
        reply = self.submit({"kind": "reuse", "described": reuse(), **more})
        assert reply.status_code == 202, reply.text
        return dict(reply.json())

    def decides(self, path: str, body: object, status: int = 200) -> Any:
        reply = self.ask("POST", path, body, JSON, self.staff)
        assert reply.status_code == status, reply.text
        return reply.json()


def reuse(**more: Any) -> dict[str, Any]:
    said = {name: value for name, value in example_of(TABLES["reuse"]).items() if name not in CITY_SAYS}
    number = next(_numbers)
    return said | {"title": {"en": f"Kerbs {number}"}, "link": f"https://app.example.org/{number}"} | more


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, migrated: Path, keyring: Keyring) -> Iterator[Door]:
    node = made_node(tmp_path_factory.mktemp("london"), migrated, keyring, submissions_per_day=8)
    with Door.to(node) as opened:
        yield opened


@pytest.fixture
def visitor(door: Door) -> Visitor:
    return Visitor(door)


def test_the_door_says_what_it_takes(visitor: Visitor) -> None:
    told = visitor.ask("GET", "/submissions").json()
    (kind,) = told["kinds"]
    fields = {each["name"]: each for each in kind["fields"]}
    assert kind["kind"] == "reuse"
    assert fields.keys().isdisjoint(CITY_SAYS)
    assert fields["maker"]["need"] == "must"
    assert set(fields["title"]["label"]) == {"en", "fi", "sv"}
    assert {"code", "label"} == set(fields["type"]["codes"][0])
    assert told["bounds"]["per_day"] == 8
    reply = visitor.submit({"kind": "reuse", "described": kind["example"]})
    assert reply.status_code == 202, reply.text  # the example is one


def test_a_reuse_is_submitted_accepted_and_shown_as_a_record(visitor: Visitor) -> None:
    reply = visitor.submit({"kind": "reuse", "described": reuse(), "email": "ada@app.example.org"})
    assert (reply.status_code, reply.headers["cache-control"]) == (202, "no-store")
    told = reply.json()
    assert reply.headers["location"] == told["status"]
    status = told["status"].removeprefix(LONDON)
    assert visitor.ask("GET", status).json()["state"] == "waiting"
    listed = visitor.ask("GET", "/api/submissions", None, visitor.staff).json()["submissions"]
    assert told["id"] in [each["id"] for each in listed]
    shown = visitor.ask("GET", f"/api/submissions/{told['id']}", None, visitor.staff).json()
    assert (shown["email"], shown["described"]["link"]) == ("ada@app.example.org", shown["described"]["link"])
    done = visitor.decides(f"/api/submissions/{told['id']}/accept", {"slug": "kerb-finder"})
    assert done["record"] == f"{LONDON}/reuses/kerb-finder"
    assert visitor.ask("GET", status).json()["record"] == done["record"]
    turtle = visitor.ask("GET", "/reuses/kerb-finder.ttl")
    assert turtle.status_code == 200
    assert "ada@app.example.org" not in turtle.text
    visitor.door.node.knowledge.authoring.withdraw("reuse", "kerb-finder")
    gone = visitor.ask("GET", status).json()
    assert (gone["state"], gone["withdrawn_ms"] >= gone["decided_ms"]) == ("withdrawn", True)


def test_a_refusal_is_read_by_its_sender_alone(visitor: Visitor) -> None:
    told = visitor.taken()
    path = f"/submissions/{told['id']}"
    visitor.decides(f"/api{path}/refuse", {}, 400)
    visitor.decides(f"/api{path}/refuse", {"reason": "It uses no open data."})
    assert visitor.ask("GET", told["status"].removeprefix(LONDON)).json()["reason"] == "It uses no open data."
    wrong, unknown = visitor.ask("GET", f"{path}?secret=x"), visitor.ask("GET", "/submissions/ffff?secret=x")
    assert (wrong.status_code, unknown.status_code) == (404, 404)
    assert wrong.json()["detail"] == unknown.json()["detail"]
    visitor.decides(f"/api{path}/accept", {}, 409)


def test_the_example_of_the_guide_is_taken(visitor: Visitor) -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs" / "challenges.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    reply = visitor.submit(example.encode())
    assert reply.status_code == 202, reply.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/submissions"),
        ("GET", "/api/submissions/{}"),
        ("POST", "/api/submissions/{}/accept"),
        ("POST", "/api/submissions/{}/refuse"),
    ],
)
def test_only_staff_sees_the_queue_and_decides(visitor: Visitor, method: str, path: str) -> None:
    told = visitor.taken()
    reply = visitor.ask(method, path.format(told["id"]), b"{}" if method == "POST" else None, JSON)
    assert reply.status_code == 401
    assert told["id"] not in reply.text.replace(path.format(told["id"]), "")
    assert visitor.ask("GET", told["status"].removeprefix(LONDON)).json()["state"] == "waiting"


def test_every_fault_is_named_with_its_place(visitor: Visitor) -> None:
    reply = visitor.submit({"kind": "reuse", "described": reuse(title={"en": "<b>x</b>"}, maker={})})
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"
    errors = {each["pointer"]: each["detail"] for each in reply.json()["errors"]}
    assert set(errors) == {"#/described/maker", "#/described/title/en"}
    assert "HTML" in errors["#/described/title/en"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"kind": "reuse"', 400),
        (b'{"kind": "reuse", "described": {"title": "\\ud800"}}', 400),
        (b"[" * 60_000, 400),
        (b'{"kind": "reuse", "described": {"title": 1' + b"0" * 5_000 + b"}}", 400),
        (b"x" * 70_000, 413),
    ],
)
def test_bytes_that_are_no_submission_are_refused(visitor: Visitor, body: bytes, status: int) -> None:
    assert visitor.submit(body).status_code == status


def test_other_sites_may_send_json_and_nothing_else(visitor: Visitor) -> None:
    asked = visitor.ask(
        "OPTIONS", "/submissions", None, ("origin", "https://x"), ("access-control-request-method", "POST")
    )
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "Content-Type" in asked.headers["access-control-allow-headers"]
    assert asked.headers["access-control-allow-origin"] == "*"
    taken = visitor.submit({"kind": "reuse", "described": reuse()}, JSON, ("origin", "https://x"))
    assert taken.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in taken.headers
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert visitor.submit({"kind": "reuse", "described": reuse()}, ("content-type", kind)).status_code == 400


def test_who_submits_too_much_is_told_when_to_come_back(visitor: Visitor) -> None:
    visitor.taken()
    visitor.taken()
    reply = visitor.submit({"kind": "reuse", "described": reuse()})
    assert (reply.status_code, reply.json()["type"]) == (429, f"{LONDON}/problems/too-many-requests")
    assert 0 < int(reply.headers["retry-after"]) <= 3600
    visitor.address = FAR
    visitor.taken()
    visitor.address = FAR.replace("::1", "::2")  # the same household
    visitor.taken()
    assert visitor.submit({"kind": "reuse", "described": reuse()}).status_code == 429
