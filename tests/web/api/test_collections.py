"""Laws of the staff's door to collections: what the desk and the command do, and it stands in the audit trail."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.rig import make_city
from tests.federation.oauth_rig import Door

pytestmark = pytest.mark.slow  # a whole node
JSON = ("content-type", "application/json")


@pytest.fixture
def door(tmp_path: Path, migrated: Path) -> Iterator[Door]:
    (tmp_path / "node.db").write_bytes(migrated.read_bytes())
    with Door.to(make_city(tmp_path).node) as made:
        yield made


def test_the_api_does_what_the_desk_does(door: Door) -> None:
    tokens, now_ms = door.node.federation.named_tokens, time.time_ns() // 1_000_000
    token = tokens.issue("ada", now_ms=now_ms, staff=True)[1]

    def ask(method: str, path: str, body: object = None, shown: str = token) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        headers = [JSON, ("authorization", f"Bearer {shown}")]
        reply = door.ask(method, f"/api/collections{path}", content=content, headers=headers)
        return reply.status_code, reply.json()

    made = ask("POST", "", {"name": "birds", "visibility": "public"})
    assert (made[0], made[1]["title"], made[1]["visibility"]) == (201, "Birds", "public")
    assert ask("POST", "", {"name": "birds"})[0] == 409
    changed = ask("PUT", "/birds", {"title": "All birds", "visibility": "restricted"})[1]
    assert (changed["title"], changed["visibility"]) == ("All birds", "restricted")
    assert ask("PUT", "/birds", {})[0] == ask("PUT", "/birds", {"visibility": "open"})[0] == 400
    assert ask("GET", "/agreements")[0] == 404
    assert "birds" in [each["name"] for each in ask("GET", "")[1]["collections"]]
    robot = tokens.issue("robot", now_ms=now_ms, scopes=["read:birds"])[1]
    assert ask("GET", "", shown=robot)[0] == 403
    noted = [(each.act, each.target, each.outcome) for each in door.node.staff.trail.list(who="ada")]
    assert ("PUT /api/collections/{name}", "birds", "done") in noted
    assert ("POST /api/collections", "birds", "done") in noted
