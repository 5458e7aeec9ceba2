"""Laws of the staff's door to authoring: only staff writes, nobody overwrites another, what is wrong has its place."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.keys import Keyring
from node.records import KINDS
from node.vocab.kinds import TABLES, example_of
from tests.federation.oauth_rig import LONDON, Door, made_node

pytestmark = pytest.mark.slow  # a whole node
JSON = ("content-type", "application/json")
SAID = example_of(TABLES["practice"])


class Desk:
    """A member of staff at London's door."""

    def __init__(self, door: Door) -> None:
        self.door = door
        tokens = door.node.federation.named_tokens
        _, secret = tokens.issue("ada", now_ms=time.time_ns() // 1_000_000, staff=True)
        _, program = tokens.issue("robot", now_ms=time.time_ns() // 1_000_000, scopes=["read:plans"])
        self.staff = ("authorization", f"Bearer {secret}")
        self.program = ("authorization", f"Bearer {program}")

    def ask(self, method: str, path: str, body: object = None, *headers: tuple[str, str]) -> httpx.Response:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.door.ask(method, path, content=content, headers=[JSON, *(headers or (self.staff,))])

    def put(self, slug: str, *headers: tuple[str, str], **more: Any) -> httpx.Response:
        body = {"said": SAID | more}
        return self.ask("PUT", f"/api/practices/{slug}", body, self.staff, *headers)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, migrated: Path, keyring: Keyring) -> Iterator[Desk]:
    with Door.to(made_node(tmp_path_factory.mktemp("london"), migrated, keyring)) as door:
        yield Desk(door)


def test_what_is_put_is_published_read_back_listed_and_withdrawn(desk: Desk) -> None:
    made = desk.put("yards")
    assert made.status_code == 200, made.text
    told = made.json()
    assert (told["record"], told["collection"], told["changed"]) == (f"{LONDON}/practices/yards", "practices", True)
    assert told["said"].items() >= SAID.items()
    assert desk.put("yards").json()["changed"] is False
    shown = desk.ask("GET", "/api/practices/yards")
    assert shown.headers["etag"] == made.headers["etag"]
    assert shown.headers["cache-control"] == "no-store"
    listed = desk.ask("GET", "/api/practices").json()["records"]
    assert {"slug": "yards", "record": f"{LONDON}/practices/yards", "collection": "practices"} in listed
    assert desk.door.ask("GET", "/practices/yards.ttl").status_code == 200
    assert desk.ask("DELETE", "/api/practices/yards").json() == {"withdrawn": [f"{LONDON}/practices/yards"]}
    assert desk.ask("GET", "/api/practices/yards").status_code == 404
    assert desk.door.ask("GET", "/practices/yards.ttl").status_code == 410


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_can_be_looked_at_before_it_is_put(desk: Desk, kind: str) -> None:
    told = desk.ask("POST", f"/api/{KINDS[kind]}/lint", {"said": example_of(TABLES[kind])})
    assert told.status_code == 200, told.text
    assert {each["level"] for each in told.json()["problems"]} <= {"warning"}
    assert desk.ask("GET", f"/api/{KINDS[kind]}/new").status_code == 404


def test_only_staff_is_let_in_and_nothing_is_read_before(desk: Desk) -> None:
    calls = [("GET", ""), ("GET", "/x"), ("PUT", "/x"), ("DELETE", "/x"), ("POST", "/lint")]
    for method, path in calls:
        assert desk.ask(method, f"/api/practices{path}", b"{", JSON).status_code == 401
        assert desk.ask(method, f"/api/practices{path}", b"{", desk.program).status_code == 403


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(desk: Desk) -> None:
    first = desk.put("raced", ("if-none-match", "*"))
    assert first.status_code == 200
    assert desk.put("raced", ("if-none-match", "*"), maturity="3").status_code == 412
    second = desk.put("raced", ("if-match", first.headers["etag"]), maturity="3")
    assert second.status_code == 200
    for reply in (
        desk.put("raced", ("if-match", first.headers["etag"]), maturity="4"),
        desk.ask("DELETE", "/api/practices/raced", None, desk.staff, ("if-match", first.headers["etag"])),
    ):
        assert reply.status_code == 412
        assert reply.json()["type"].endswith("/problems/changed")
    assert desk.put("raced", ("if-match", 'W/"x"')).status_code == 400
    assert desk.put("never", ("if-match", "*")).status_code == 412
    assert desk.put("never", ("if-match", first.headers["etag"])).status_code == 412
    second = desk.put("raced", ("if-match", "*"), maturity="4")
    assert second.status_code == 200
    gone = desk.ask("DELETE", "/api/practices/raced", None, desk.staff, ("if-match", second.headers["etag"]))
    assert gone.status_code == 200


def test_what_is_wrong_has_its_place_in_the_body(desk: Desk) -> None:
    reply = desk.put("wrong", status="splendid", evidence=[{"indicator": {"en": "a"}, "value": "many"}])
    assert reply.status_code == 400
    pointers = {each["pointer"] for each in reply.json()["errors"]}
    assert pointers == {"#/said/status", "#/said/evidence/0/value"}
    assert desk.ask("GET", "/api/practices/wrong").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/practices/x", b"{", 400),
        ("/api/practices/x", {"said": []}, 400),
        ("/api/practices/x", {}, 400),
        ("/api/practices/x", {"said": SAID, "file": "/etc/passwd"}, 400),
        ("/api/practices/x", {"said": SAID, "collection": 7}, 400),
        ("/api/practices/x", {"said": SAID, "collection": "nowhere"}, 404),
        ("/api/practices/x", {"said": SAID, "collection": "helsinki/practices"}, 409),
        ("/api/practices/Not%20A%20Name", {"said": SAID}, 400),
        ("/api/practices/x", {"said": {"title": "x" * 1_100_000}}, 413),
        ("/api/agreements/x", {"said": SAID}, 404),
        ("/api/datasets/x", {"said": SAID}, 404),
    ],
)
def test_what_cannot_be_put_is_refused_and_nothing_is_there(desk: Desk, path: str, body: object, status: int) -> None:
    assert desk.ask("PUT", path, body).status_code == status
    assert desk.ask("GET", "/api/practices/x").status_code == 404


def test_warnings_come_along_with_what_was_published(desk: Desk) -> None:
    told = desk.put("short", approach={"en": "We did it.", "fi": "Teimme sen."}).json()
    assert {each["code"] for each in told["problems"] if each["pointer"].startswith("/approach")} == {"short-text"}


@pytest.mark.parametrize("name", ["evidence", "agreements-helsinki-0123abcd"])
def test_nothing_is_put_into_what_the_node_alone_writes(desk: Desk, name: str) -> None:
    desk.door.node.create_collection(name, title="Its own", visibility="restricted", at_ms=1)
    refused = desk.ask("PUT", "/api/practices/quokka", {"said": SAID, "collection": name})
    assert refused.status_code == 409, refused.text
    assert "is written by the node alone" in refused.text
    assert desk.ask("GET", "/api/practices/quokka").status_code == 404
