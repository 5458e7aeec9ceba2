"""Laws of the staff's door to drafts and corrections: only staff comes in, versions are heeded, errors have a place."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.vocab.kinds import TABLES, example_of
from tests.catalog.rig import ID, dataset, make_city, turtle
from tests.federation.oauth_rig import Door

pytestmark = pytest.mark.slow  # a whole node
JSON = ("content-type", "application/json")
SAID = example_of(TABLES["practice"])
SNOW = "/api/drafts/practice/snow"
ONE = f"/api/correction?iri={ID}n1"


class Desk:
    """A member of staff at the city's door."""

    def __init__(self, door: Door) -> None:
        self.door = door
        tokens, now_ms = door.node.federation.named_tokens, time.time_ns() // 1_000_000
        self.staff = tokens.issue("ada", now_ms=now_ms, staff=True)[1]
        self.program = tokens.issue("robot", now_ms=now_ms, scopes=["read:plans"])[1]

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> httpx.Response:
        shown = self.staff if token is None else token
        headers = [JSON, ("authorization", f"Bearer {shown}")] if shown else [JSON]
        return self.door.ask(method, path, content=b"" if body is None else json.dumps(body).encode(), headers=headers)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("drafted")
    (folder / "node.db").write_bytes(migrated.read_bytes())
    city = make_city(folder)
    city.harvest(turtle(dataset("n1"), dataset("n2")))
    with Door.to(city.node) as door:
        yield Desk(door)


def test_only_staff_comes_in(desk: Desk) -> None:
    for path in ("/api/drafts", SNOW, f"{SNOW}/history", "/api/corrections", ONE):
        assert desk.ask("GET", path, token="").status_code == 401
        assert desk.ask("GET", path, token=desk.program).status_code == 403


def test_a_draft_is_saved_read_published_told_and_taken_up_again(desk: Desk) -> None:
    saved = desk.ask("PUT", SNOW, {"said": SAID, "version": 0})
    assert saved.status_code == 200, saved.text
    assert (saved.json()["version"], saved.json()["saved_by"]) == (1, "ada")
    assert desk.ask("PUT", SNOW, {"said": SAID, "version": 0}).status_code == 412
    assert [each["slug"] for each in desk.ask("GET", "/api/drafts?kind=practice").json()["drafts"]] == ["snow"]
    assert desk.ask("POST", f"{SNOW}/ask", {"note": "Read this"}).json()["state"] == "review"
    published = desk.ask("POST", f"{SNOW}/publish", {"version": 1})
    assert published.status_code == 200, published.text
    changed = desk.ask("PUT", SNOW, {"said": SAID | {"title": {"en": "Another"}}}).json()
    assert changed["base"], "it knows what was published when it was begun"
    desk.ask("POST", f"{SNOW}/publish", {})
    versions = desk.ask("GET", f"{SNOW}/history").json()["versions"]
    assert [each["said"]["title"]["en"] for each in versions] == ["Another", "An example"]
    again = desk.ask("POST", f"{SNOW}/restore", {"seq": versions[1]["seq"], "collection": "practices"}).json()
    assert again["said"]["title"]["en"] == "An example"
    assert desk.ask("DELETE", SNOW).status_code == 200
    gone = desk.ask("POST", f"{SNOW}/withdraw", {"reason": "It was never true"})
    assert gone.json()["withdrawn"] == published.json()["published"]
    assert desk.ask("GET", SNOW).json()["note"] == "It was never true"


def test_what_the_desk_can_save_can_be_saved_here(desk: Desk) -> None:
    long = SAID | {name: {"en": "Words. " * 3_000} for name in ("problem", "solution", "results", "lessons")}
    saved = desk.ask("PUT", "/api/drafts/practice/long", {"said": long})
    assert (saved.status_code, len(saved.content) > 64 * 1024) == (200, True)
    again = desk.ask("PUT", "/api/drafts/practice/long", {"said": saved.json()["said"]})
    assert again.json()["said"] == saved.json()["said"]


def test_what_is_wrong_has_its_place_and_nothing_is_published(desk: Desk) -> None:
    bare = "/api/drafts/challenge/bare"
    saved = desk.ask("PUT", bare, {"said": {"title": {"en": "Bare"}}}).json()
    assert {each["pointer"] for each in saved["problems"] if each["level"] == "error"} == {"/description"}
    refused = desk.ask("POST", f"{bare}/publish", {})
    assert refused.status_code == 400
    assert "/said/description" in refused.text
    for body in ({}, {"said": []}, {"said": {}, "version": "1"}, {"said": {}, "version": True}):
        assert desk.ask("PUT", bare, body).status_code == 400
    assert desk.ask("PUT", "/api/drafts/nothing/x", {"said": {}}).status_code == 404
    assert desk.ask("POST", f"{bare}/restore", {"seq": 0}).status_code == 400
    assert desk.ask("GET", f"{bare}/history").status_code == 404


def test_a_correction_is_tried_made_listed_and_taken_back(desk: Desk) -> None:
    tried = desk.ask("POST", ONE.replace("?", "/lint?"), {"said": {"license": "MINE"}}).json()["problems"]
    assert [each["pointer"] for each in tried] == ["/license"]
    assert desk.ask("PUT", ONE, {"said": {"license": "MINE"}}).status_code == 400
    made = desk.ask("PUT", ONE, {"said": {"title": {"en": "Trees"}}, "note": "They know"}).json()
    assert made["correction"]["by"] == "ada"
    assert made["source_says"]["title"] == {"en": "Title of n1"}
    (listed,) = desk.ask("GET", "/api/corrections").json()["corrections"]
    assert (listed["record"], listed["said"]) == (f"{ID}n1", {"title": {"en": "Trees"}})
    assert desk.ask("GET", "/api/corrections?changed=true").json() == {"corrections": []}
    assert desk.ask("DELETE", ONE).json()["correction"] is None
    assert desk.ask("DELETE", ONE).status_code == 404
    assert desk.ask("GET", f"/api/correction?iri={ID}nothing").status_code == 404


def test_what_is_done_stands_in_the_audit_trail_and_what_is_read_does_not(desk: Desk) -> None:
    before = {each.id for each in desk.door.node.staff.trail.list()}
    desk.ask("GET", "/api/corrections")
    desk.ask("PUT", "/api/drafts/practice/noted", {"said": SAID})
    (event,) = [each for each in desk.door.node.staff.trail.list() if each.id not in before]
    assert (event.who, event.way, event.target) == ("ada", "api", "practice noted")
