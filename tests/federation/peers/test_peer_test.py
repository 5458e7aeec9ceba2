"""Laws of the walk to a peer: it names the step that fails, and why; nothing that comes after is tried."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.db import Database
from node.errors import Unauthenticated
from node.federation.peers.peer_test import STEPS, Walk
from node.federation.peers.peers import proposed
from node.federation.tokens.clients import UNKNOWN
from node.keys import Keyring
from tests.federation.fake_peer import NOW_MS, FakePeer, Said
from tests.federation.peer_rig import Rig, rig


@pytest.fixture
def helsinki(tmp_path: Path) -> Iterator[FakePeer]:
    with FakePeer(tmp_path / "helsinki") as running:
        own, mirrored = f"{running.url}/collections/open-data", "https://x/collections/open-data"
        running.shows(
            {"collection": own, "name": "open-data", "size": 1, "checkpoint": "note"},
            {"collection": mirrored, "name": "x/open-data", "size": 1, "checkpoint": "note"},
        )
        yield running


@pytest.fixture
def city(db: Database, helsinki: FakePeer) -> Iterator[Rig]:
    made = rig(db)
    made.approves(helsinki)
    yield made
    made.outbound.close()


def results(walk: Walk) -> list[str]:
    return [step.result for step in walk.steps]


def test_a_good_peer_passes_every_step_and_each_is_timed(city: Rig) -> None:
    walk = city.office.walk("helsinki")
    assert tuple(step.name for step in walk.steps) == STEPS
    assert results(walk) == ["ok"] * 6
    assert all(step.ms > 0 for step in walk.steps)
    assert (walk.ok, walk.failed_at, walk.steps[-1].detail) == (True, "", "1 public collection")
    said = city.office.test("helsinki")
    assert (said["ok"], said["failed_at"], said["code"]) == (True, "", "")


def test_a_proposed_peer_is_told_what_is_missing_and_that_is_no_failure(db: Database, helsinki: FakePeer) -> None:
    city = rig(db)
    city.adds(helsinki)
    city.tokens.refuses = Unauthenticated("invalid_client")
    walk = city.office.walk("helsinki")
    assert results(walk) == ["ok", "ok", "ok", "missing", "missing", "ok"]
    assert "They have not approved you yet" in walk.steps[4].detail
    assert walk.ok
    city.outbound.close()


def test_an_approved_peer_that_does_not_know_us_yet_is_missing_something_and_its_feed_is_tested(city: Rig) -> None:
    city.tokens.refuses = Unauthenticated(f"It gives us no token: invalid_client. {UNKNOWN}", error="invalid_client")
    walk = city.office.walk("helsinki")
    assert results(walk) == ["ok", "ok", "ok", "ok", "missing", "ok"]
    assert walk.steps[4].detail.startswith("They have not approved you yet: ")
    assert walk.ok
    city.peers.heard("helsinki", city.now_ms)
    assert city.office.walk("helsinki").failed_at == "token", "it asked us, so it approved us once"


def thief(city: Rig, helsinki: FakePeer, folder: Path) -> None:
    helsinki.becomes(Keyring.create(folder / "thief"), now_ms=NOW_MS)


def forged(city: Rig, helsinki: FakePeer, folder: Path) -> None:
    helsinki.publish(helsinki.statement(now_ms=NOW_MS, iss="https://other.example"))


def no_feed(city: Rig, helsinki: FakePeer, folder: Path) -> None:
    helsinki.says["/checkpoints"] = Said(b"", 503)


def no_token(city: Rig, helsinki: FakePeer, folder: Path) -> None:
    city.tokens.refuses = Unauthenticated("unauthorized_client")


@pytest.mark.parametrize(
    ("harm", "step", "code"),
    [
        (forged, "identity", "malformed"),
        (thief, "keys", "key-changed"),
        (no_token, "token", "unauthenticated"),
        (no_feed, "feed", "peer-unreachable"),
    ],
)
def test_the_step_that_fails_is_named_and_the_rest_is_not_tried(
    harm: Callable[[Rig, FakePeer, Path], None], step: str, code: str, city: Rig, helsinki: FakePeer, tmp_path: Path
) -> None:
    harm(city, helsinki, tmp_path)
    walk = city.office.walk("helsinki")
    at = STEPS.index(step)
    assert results(walk) == ["ok"] * at + ["failed"] + ["not reached"] * (5 - at)
    assert walk.failed_at == step
    assert walk.error is not None
    assert walk.error.code == code
    assert walk.steps[at].detail
    # The walk changes nothing: what it found is for the next exchange to act on.
    assert city.peers.get("helsinki").quarantine == ""
    assert city.peers.evidence("helsinki") == []


def insert(city: Rig, name: str, url: str) -> None:
    with city.db.write() as tx:
        city.peers.insert(tx, proposed(name, url, "a" * 43, at_ms=NOW_MS))


def test_a_name_that_nobody_knows_an_address_we_never_fetch_and_a_dead_port_are_told_apart(db: Database) -> None:
    def resolver(host: str, port: int) -> list[str]:
        if host == "inside.example":
            return ["93.184.216.34", "10.0.0.1"]
        raise socket.gaierror(-2, "Name or service not known")

    city = rig(db, resolver=resolver)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    insert(city, "unknown", "https://nobody.example")
    insert(city, "inside", "https://inside.example")
    insert(city, "dead", f"https://127.0.0.1:{port}")
    assert city.office.walk("unknown").failed_at == "dns"
    inside = city.office.walk("inside")
    assert (inside.failed_at, inside.error.code if inside.error else "") == ("dns", "forbidden-address")
    assert city.office.walk("dead").failed_at == "tls"
    city.outbound.close()


def test_plain_http_behind_an_https_address_fails_at_tls(db: Database, helsinki: FakePeer) -> None:
    city = rig(db)
    insert(city, "plain", helsinki.url.replace("http:", "https:"))
    walk = city.office.walk("plain")
    assert (walk.failed_at, "TLS" in walk.steps[1].detail) == ("tls", True)
    city.outbound.close()
