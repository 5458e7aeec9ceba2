"""Commands on deletion: what must be deleted is listed with its place, and said to be gone once, by who means it."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from node.assembly import build
from node.assembly.clock import clock_ms
from node.federation.pulls.store import Progress, PullStore, Wanted
from node.federation.transfers.moves import new
from node.federation.transfers.store import TransferStore
from node.settings import load
from tests.cli.conftest import Say
from tests.federation.agreed import agree_alone, change, peer, permits

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds
LONDON = "https://london.example"
DATASET = f"{LONDON}/datasets/noise"


@pytest.fixture
def lying(tmp_path: Path) -> Path:
    """Where the file was put; nothing stands there."""
    return tmp_path / "x.csv"


@pytest.fixture
def over(helsinki: Say, tmp_path: Path, lying: Path) -> str:
    """An agreement that London revoked, under which this city fetched something; its IRI."""
    node = build(load(data=tmp_path / "node"))
    try:
        peer(node, "london", LONDON)
        rules = permits("use", duty=[{"action": "odrl:delete"}])
        agreement = agree_alone(node, LONDON, records=[DATASET], rules=rules, mirror=True)
        change(node, agreement, "revoked")
        said = {"pid": "one", "agreement": agreement, "dataset": DATASET, "started_at": 5, "state": "COMPLETED"}
        pulls = PullStore(node.db)
        pull = pulls.add(Wanted(DATASET, peer="london", target="/srv/got/"), state="waiting", now_ms=clock_ms())
        with node.db.write() as tx:
            TransferStore(node.db).insert(tx, new("consumer", LONDON, clock_ms(), other_url=LONDON, **said))
            sql = "UPDATE pull SET state = 'done', agreement = ?, got = 8, parts = ? WHERE id = ?"
            part = Progress(8, digest="sha256:0", file=str(lying), named=True)
            tx.run(sql, agreement, json.dumps({"x": asdict(part)}), pull.id)
    finally:
        node.close()
    return agreement


def test_files_that_are_others_by_now_are_said_to_be(helsinki: Say, over: str, lying: Path) -> None:
    lying.write_bytes(b"x")
    assert "delete before" in helsinki("data", "deletions").out
    said = helsinki("data", "deleted", over, "--other-files", "--yes")
    assert said.code == 0, said.err
    assert lying.exists()


def test_what_must_be_deleted_is_listed_and_said_to_be_gone_once(helsinki: Say, over: str, lying: Path) -> None:
    short = over.rpartition("/")[2][:8]
    assert all(word in helsinki("data", "deletions").out for word in (short, "/srv/got/", "revoked", "open"))
    asked = helsinki("data", "deleted", short)
    assert (asked.code != 0, "/srv/got/" in asked.err, "--yes" in asked.err) == (True, True, True)
    (told,) = helsinki("data", "deletions", "--json").json["deletions"]
    assert (told["agreement"], told["said_ms"]) == (over, 0)
    lying.write_bytes(b"x")
    refused = helsinki("data", "deleted", short, "--yes")
    assert (refused.code != 0, str(lying) in refused.err, "--other-files" in refused.err) == (True, True, True)
    lying.unlink()
    said = helsinki("data", "deleted", short, "--yes")
    assert said.code == 0, said.err
    assert "is told as soon as it answers" in said.out
    assert "Nothing has to be deleted" in helsinki("data", "deletions").out
    assert "said gone" in helsinki("data", "deletions", "--ended").out
    assert "conflict" in helsinki("data", "deleted", over, "--yes").err
    assert "not-found" in helsinki("data", "deleted", "00000000", "--yes").err
    (statement,) = helsinki("evidence", "list", "--json").json
    assert statement["kind"] == "deletion"
    trail = helsinki("audit", "list", "--json").out
    assert "data deleted" in trail
    assert "data deletions" not in trail
