"""Laws of the staff's API of transfers: staff alone, no token ever told, and what a person says holds at once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.outbound import Reply
from tests.federation.cities import City, Request
from tests.federation.data.door_rig import Pair, pair

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Pair]:
    with pair(tmp_path, migrated) as made:
        made.lay()
        made.start()
        yield made


@dataclass
class Api:
    """Somebody with a token of the staff, and somebody with a program's."""

    city: City
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tokens = self.city.federation.named_tokens
        for name, more in (("ada", {"staff": True}), ("robot", {"scopes": ["read:plans"]})):
            self.secrets[name] = tokens.issue(name, now_ms=clock_ms(), **more)[1]

    def ask(self, method: str, path: str, body: Any = None, *, who: str = "ada") -> Reply:
        headers = {"authorization": f"Bearer {self.secrets[who]}"} if who else {}
        headers |= {"content-type": "application/json", "accept-encoding": "identity"}
        data = json.dumps(body or {}).encode() if method == "POST" else b""
        return self.city.wire.call(Request("somebody", method, self.city.url + path, headers, data))

    def does(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        reply = self.ask(method, path, body)
        assert reply.status == status, reply.body
        return json.loads(reply.body)


@pytest.fixture
def api(two: Pair) -> Api:
    return Api(two.helsinki)


def test_nobody_but_the_staff_sees_or_does_anything(two: Pair, api: Api) -> None:
    one = f"/api/data/transfers/{two.pid}"
    every = [("GET", "/api/data/transfers"), ("GET", one)]
    every += [("POST", f"{one}/{act}") for act in ("suspend", "resume", "terminate")]
    for method, path in every:
        assert api.ask(method, path, who="").status == 401, (method, path)
        assert api.ask(method, path, who="robot").status == 403, (method, path)
    assert two.helsinki.federation.moving.transfers.get(two.pid).state == "STARTED"


def test_a_transfer_is_told_suspended_resumed_and_ended(two: Pair, api: Api) -> None:
    (listed,) = api.does("GET", "/api/data/transfers")["transfers"]
    assert (listed["pid"], listed["state"], listed["peer"]) == (two.pid, "STARTED", two.london.url)
    one = f"/api/data/transfers/{two.pid}"
    told = api.does("GET", one)
    assert [(each["direction"], each["name"]) for each in told["history"]] == [
        ("in", "TransferRequest"),
        ("out", "TransferStart"),
    ]
    api.does("POST", f"{one}/suspend", {"reason": "We move house."})
    assert not two.helsinki.federation.moving.transfers.get(two.pid).streams, "it holds before the other city heard it"
    api.does("POST", f"{one}/resume", status=409)
    two.settle()
    assert two.london.federation.moving.transfers.list()[0].reasons == ("We move house.",)
    api.does("POST", f"{one}/resume")
    two.settle()
    assert api.does("GET", one)["state"] == "STARTED"
    api.does("POST", f"{one}/terminate", {"reason": "No longer needed."})
    two.settle()
    assert api.does("GET", "/api/data/transfers") == {"transfers": []}
    assert api.does("GET", "/api/data/transfers?ended=true")["transfers"][0]["state"] == "TERMINATED"
    api.does("POST", f"{one}/resume", status=409)
    api.does("GET", "/api/data/transfers/none", status=404)


def test_no_token_is_told(two: Pair) -> None:
    ours = two.london.federation.moving.transfers.list()[0]
    token = next(each["value"] for each in ours.address["endpointProperties"] if each["name"] == "authorization")
    for city, pid in ((two.london, ours.pid), (two.helsinki, two.pid)):
        api = Api(city)
        for path in (f"/api/data/transfers/{pid}", "/api/data/transfers"):
            told = api.ask("GET", path).body.decode()
            assert pid in told
            assert token not in told
            assert "authorization" not in told
