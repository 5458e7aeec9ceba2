"""The API of evidence: for our staff alone, with a check made now, and a bundle that proves itself elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.assembly.clock import clock_ms
from node.federation.evidence.verify import verify
from node.keys import Keyring
from tests.federation.agreed import agree_alone, peer
from tests.federation.oauth_rig import HELSINKI, Door, made_node

pytestmark = pytest.mark.slow  # a whole node


@pytest.fixture(scope="module")
def door(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("evidence")
    node = made_node(folder, migrated, Keyring.create(folder / "london"))
    peer(node, "helsinki", HELSINKI)
    node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1)
    agreement = agree_alone(node, HELSINKI, "plans")
    evidence = node.federation.moving.evidencing.evidence
    with node.db.write() as tx:
        said = {"transfer": "p1", "agreement": agreement, "dataset": "urn:plans", "why": "Revoked."}
        evidence.put(tx, "cut", "one", said, other=HELSINKI, at_ms=clock_ms())
        evidence.put(tx, "cut", "two", {"transfer": "p2", "why": "Expired."}, other=HELSINKI, at_ms=clock_ms())
    with Door.to(node) as made:
        yield made


def ask(door: Door, path: str, method: str = "GET") -> Any:
    issued = door.node.federation.named_tokens.issue(
        f"t{clock_ms()}-{len(path)}", staff=True, scopes=frozenset(), now_ms=clock_ms()
    )
    secret = issued[1] if isinstance(issued, tuple) else issued
    return door.ask(method, path, headers=[("authorization", f"Bearer {secret}")])


def test_statements_are_listed_the_newest_first_and_found_by_what_they_are_about(door: Door):
    every = ask(door, "/api/evidence").json()["statements"]
    assert sorted(each["transfer"] for each in every) == ["p1", "p2"]
    (one,) = ask(door, "/api/evidence?transfer=p1").json()["statements"]
    assert (one["kind"], one["peer"], one["statement"]["why"]) == ("cut", HELSINKI, "Revoked.")
    assert ask(door, "/api/evidence?since=2999-01-01").json()["statements"] == []
    assert ask(door, "/api/evidence?since=yesterday").status_code == 400


def test_one_is_shown_with_a_check_made_now(door: Door):
    (one,) = ask(door, "/api/evidence?transfer=p2").json()["statements"]
    told = ask(door, f"/api/evidence/{one['name']}").json()
    assert (told["holds"], told["record"]) == (True, one["record"])
    assert any("is whole" in each["sentence"] for each in told["findings"])
    assert ask(door, "/api/evidence/none").status_code == 404


def test_the_bundle_proves_itself_without_this_node(door: Door):
    reply = ask(door, "/api/evidence/export?transfer=p1")
    assert reply.headers["cache-control"] == "no-store"
    report = verify(reply.content, trusted={}, now_ms=clock_ms() + 1_000)
    assert [each.transfer for each in report.statements] == ["p1"]
    assert orjson.loads(reply.content)["citynode"] == "evidence/1"
    assert ask(door, "/api/evidence/export?transfer=none").status_code == 404


def test_nobody_else_learns_that_there_is_any(door: Door):
    for path in ("/api/evidence", "/api/evidence/export", "/api/evidence/x"):
        assert door.ask("GET", path).status_code == 401
    for path in ("/collections/evidence", "/collections/evidence/feed", "/collections/evidence/checkpoint"):
        missing = door.ask("GET", path.replace("evidence", "nothing"))
        found = door.ask("GET", path)
        assert found.status_code == missing.status_code == 404
    assert b"evidence" not in door.ask("GET", "/checkpoints").content
    with door.node.db.read() as tx:
        statement = door.node.journals.entries(tx, "evidence")[0].opening
    assert statement
    assert door.ask("GET", f"/statements/{statement.slug}").status_code == 404


def test_evidence_is_offered_to_nobody_whatever_is_asked(door: Door):
    federation = door.node.federation
    iri = f"{door.node.settings.base_url}/collections/evidence"
    assert not federation.agreeing.offers.holds(iri)
    assert federation.rights.readers("evidence") == frozenset()


def test_one_is_erased_for_good(door: Door):
    (one,) = ask(door, "/api/evidence?transfer=p2").json()["statements"]
    assert ask(door, f"/api/evidence/{one['name']}", "DELETE").json() == {"erased": one["name"], "entries": 2}
    assert ask(door, "/api/evidence?transfer=p2").json()["statements"] == []
    assert ask(door, f"/api/evidence/{one['name']}").status_code == 404
