"""Laws of the staff's API of peers: staff alone may use it, and it does what the command line does."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.errors import Malformed
from node.keys import Keyring
from node.web.doors.staff import read_object
from tests.federation.fake_peer import FakePeer
from tests.federation.oauth_rig import Door, Town, know, made_node

NO_BODY: dict[str, Any] = {}
READING = ["/api/invitation", "/api/peers", "/api/peers/helsinki", "/api/peers/helsinki/review", "/api/peers.csv"]
READING += ["/api/peers/helsinki/refusals", "/api/keys"]
ACTS = [
    ("POST", "/api/peers"),
    ("POST", "/api/peers.csv"),
    ("POST", "/api/peers/helsinki/test"),
    ("POST", "/api/peers/helsinki/approve"),
    ("POST", "/api/peers/helsinki/differs"),
    ("PUT", "/api/peers/helsinki/note"),
    ("POST", "/api/keys/record/rotate"),
    ("POST", "/api/keys/abc/retire"),
    ("POST", "/api/peers/helsinki/pause"),
    ("POST", "/api/peers/helsinki/resume"),
    ("POST", "/api/peers/helsinki/block"),
    ("POST", "/api/peers/helsinki/follows"),
    ("DELETE", "/api/peers/helsinki/follows/open-data"),
]
EVERY = [*(("GET", path) for path in READING), *ACTS]


class Staff:
    """A member of staff with a token, at London's API."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.secrets = {
            "ada": door.node.federation.named_tokens.issue("ada", now_ms=_now_ms(), staff=True)[1],
            "robot": door.node.federation.named_tokens.issue("robot", now_ms=_now_ms(), scopes=["read:plans"])[1],
        }

    def ask(self, method: str, path: str, body: object = None, *, who: str = "ada", kind: str = "") -> httpx.Response:
        headers = [("authorization", f"Bearer {self.secrets[who]}")] if who else []
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers.append(("content-type", kind or "application/json"))
        return self.door.ask(method, path, content=content, headers=headers)

    def get(self, path: str) -> Any:
        reply = self.ask("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def does(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        reply = self.ask(method, path, body)
        assert reply.status_code == status, reply.text
        assert reply.headers["cache-control"] == "no-store"
        return reply.json()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory, migrated: Path, keyring: Keyring) -> Iterator[Staff]:
    node = made_node(tmp_path_factory.mktemp("london"), migrated, keyring)
    node.create_collection("plans", title="Plans", visibility="restricted", at_ms=_now_ms())
    with Door.to(node) as door:
        yield Staff(door)


@pytest.fixture
def helsinki(tmp_path: Path, staff: Staff) -> Iterator[FakePeer]:
    with FakePeer(tmp_path / "helsinki") as running:
        running.publish(now_ms=_now_ms())
        running.shows({"collection": "https://x/c", "name": "open-data", "size": 1, "checkpoint": "note"})
        yield running
    with staff.door.node.db.write() as tx:
        for table in ("peer", "peer_key", "evidence", "follow"):
            tx.run(f"DELETE FROM {table}")  # noqa: S608 (our own names)


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_nobody_but_staff_comes_in_and_nothing_of_the_request_is_read(method: str, path: str, staff: Staff) -> None:
    nobody = staff.ask(method, path, b"\xff", who="")
    assert (nobody.status_code, nobody.headers["content-type"]) == (401, "application/problem+json")
    assert nobody.headers["www-authenticate"].startswith("Bearer")
    program = staff.ask(method, path, b"\xff", who="robot")
    assert (program.status_code, program.json()["type"]) == (403, "http://127.0.0.1:8001/problems/forbidden")
    wrong = staff.door.ask(method, path, headers=[("authorization", "Bearer cn_0123456789ab_" + "x" * 43)])
    assert wrong.status_code == 401


def test_a_peers_own_token_opens_nothing_here(staff: Staff, tmp_path: Path, helsinki: FakePeer) -> None:
    town = Town("https://oslo.example", Keyring.create(tmp_path / "oslo"))
    know(staff.door.node, town, "oslo")
    token = staff.door.token(town)
    proof = town.proof("GET", "http://127.0.0.1:8001/api/peers", token=token)
    reply = staff.door.ask("GET", "/api/peers", headers=[("authorization", f"DPoP {token}"), ("dpop", proof)])
    assert reply.status_code == 403


def test_a_peer_is_added_reviewed_approved_followed_and_shown(staff: Staff, helsinki: FakePeer) -> None:
    mine = staff.get("/api/invitation")
    assert mine["invitation"] == f"http://127.0.0.1:8001#{mine['fingerprint']}"

    invitation = f"{helsinki.url}#{helsinki.fingerprint}"
    added = staff.does("POST", "/api/peers", {"invitation": invitation, "name": "helsinki", "note": "met"}, status=201)
    assert (added["state"], added["note"]) == ("proposed", "met")
    assert "until a person approves" in added["effect"]
    walk = staff.does("POST", "/api/peers/helsinki/test")
    assert [step["result"] for step in walk["steps"]][:4] == ["ok", "ok", "ok", "missing"]

    review = staff.get("/api/peers/helsinki/review")
    assert (review["vouched"], len(review["new_keys"])) == (True, 7)
    assert staff.ask("POST", "/api/peers/helsinki/approve", NO_BODY).status_code == 400
    assert staff.ask("POST", "/api/peers/helsinki/approve", {"review": "0" * 64}).status_code == 409
    approved = staff.does("POST", "/api/peers/helsinki/approve", {"review": review["review"]})
    assert (approved["state"], approved["approved_by"], len(approved["keys"])) == ("approved", "ada", 7)

    assert staff.ask("POST", "/api/peers/helsinki/follows", NO_BODY).status_code == 400
    followed = staff.does("POST", "/api/peers/helsinki/follows", {"all": True})
    assert [one["local"] for one in followed["follows"]] == ["helsinki/open-data"]
    shown = staff.get("/api/peers/helsinki")
    assert shown["follows"][0]["verified_up_to"] == 0
    assert [one["name"] for one in staff.get("/api/peers")["peers"]] == ["helsinki"]

    assert staff.does("DELETE", "/api/peers/helsinki/follows/open-data")["follows"] == []
    for act, state in (("pause", "paused"), ("resume", "approved"), ("block", "blocked")):
        assert staff.does("POST", f"/api/peers/helsinki/{act}")["state"] == state
    assert staff.ask("POST", "/api/peers/helsinki/pause").status_code == 409
    metrics = staff.door.ask("GET", "/metrics").text
    assert 'citynode_peer_quarantined{peer="helsinki"} 0.0' in metrics


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        (b"{", 400),
        (b"[" * 50_000, 400),
        ({"name": "x"}, 400),
        ({"name": "x", "url": 3}, 400),
        ({"name": "x", "url": "https://10.0.0.1", "fingerprint": "a" * 43}, 403),
        ({"name": "x", "url": "https://peer.example"}, 400),
        ({"name": "X", "url": "https://peer.example", "fingerprint": "a" * 43}, 400),
        (b" " * 1_100_000, 413),
    ],
)
def test_what_is_no_peer_is_refused(body: object, status: int, staff: Staff, helsinki: FakePeer) -> None:
    reply = staff.ask("POST", "/api/peers", body)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    assert staff.get("/api/peers")["peers"] == []


def test_a_body_that_says_one_thing_twice_is_refused() -> None:
    assert read_object(b"") == {}
    assert read_object(b'{"a": {"b": 1}, "b": 2}') == {"a": {"b": 1}, "b": 2}
    with pytest.raises(Malformed, match="The key “b” stands twice"):
        read_object(b'{"a": [{"b": 1, "b": 2}]}')


@pytest.mark.parametrize("name", ["nobody", "x" * 64, "..%2f..%2fetc"])
def test_a_peer_that_is_not_there_is_not_found_or_no_name(name: str, staff: Staff) -> None:
    assert staff.ask("GET", f"/api/peers/{name}").status_code in (400, 404)


def test_a_table_goes_out_and_comes_in_after_it_was_looked_at(staff: Staff, helsinki: FakePeer) -> None:
    fingerprint = "a" * 43
    head = "name,url,fingerprint,state,title,note\r\n"
    table = f"{head}turku,https://turku.example,{fingerprint},blocked,,=1\r\n".encode()

    def send(query: str = "", kind: str = "text/csv; charset=utf-8") -> httpx.Response:
        return staff.ask("POST", f"/api/peers.csv{query}", table, kind=kind)

    assert send(kind="application/json").status_code == 400
    plan = send().json()
    assert [(one["name"], one["change"], one["state"]) for one in plan["changes"]] == [("turku", "add", "blocked")]
    assert staff.get("/api/peers")["peers"] == []
    assert send(f"?plan={'0' * 64}").status_code == 409
    assert send(f"?plan={plan['plan']}").json()["touched"] == 1
    out = staff.ask("GET", "/api/peers.csv")
    assert out.headers["content-type"] == "text/csv; charset=utf-8"
    assert out.text == f"{head}turku,https://turku.example,{fingerprint},blocked,,'=1\r\n"


def test_a_city_that_is_added_by_its_address_is_compared_before_anything_is_pinned(
    staff: Staff, helsinki: FakePeer
) -> None:
    body = {"url": helsinki.url, "name": "helsinki", "compare_later": True}
    assert staff.does("POST", "/api/peers", body, status=201)["fingerprint"] == ""
    review = staff.get("/api/peers/helsinki/review")
    assert (review["untold"], review["vouched"]) == (True, False)
    yes = {"review": review["review"], "told_by": "registry"}
    assert staff.ask("POST", "/api/peers/helsinki/approve", yes).status_code == 409
    done = staff.does("POST", "/api/peers/helsinki/approve", yes | {"fingerprint": helsinki.fingerprint})
    assert (done["state"], done["evidence"][0]["kind"]) == ("approved", "compared")
    assert staff.does("PUT", "/api/peers/helsinki/note", {"note": "Ask them."})["note"] == "Ask them."
    assert staff.get("/api/peers/helsinki/refusals")["ours"] == {"count": 0, "codes": {}, "entries": []}
    assert staff.ask("GET", "/api/peers/nobody/refusals").status_code == 404
    assert staff.does("POST", "/api/peers/helsinki/differs", {"told_by": "registry"})["state"] == "blocked"
