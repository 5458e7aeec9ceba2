"""Commands on deletion: what must be deleted is listed with its place, and said to be gone once, by who means it."""

from pathlib import Path

import pytest

from node.assembly import build
from node.assembly.clock import clock_ms
from node.federation.pulls.store import PullStore, Wanted
from node.federation.transfers.moves import new
from node.federation.transfers.store import TransferStore
from node.settings import load
from tests.cli.conftest import Say
from tests.federation.agreed import agree_alone, change, peer, permits

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds
LONDON = "https://london.example"
DATASET = f"{LONDON}/datasets/noise"


@pytest.fixture
def over(helsinki: Say, tmp_path: Path) -> str:
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
            tx.run("UPDATE pull SET state = 'done', agreement = ?, got = 8 WHERE id = ?", agreement, pull.id)
    finally:
        node.close()
    return agreement


def test_what_must_be_deleted_is_listed_and_said_to_be_gone_once(helsinki: Say, over: str) -> None:
    short = over.rpartition("/")[2][:8]
    assert all(word in helsinki("data", "deletions").out for word in (short, "/srv/got/", "revoked", "open"))
    asked = helsinki("data", "deleted", short)
    assert (asked.code != 0, "/srv/got/" in asked.err, "--yes" in asked.err) == (True, True, True)
    (told,) = helsinki("data", "deletions", "--json").json["deletions"]
    assert (told["agreement"], told["said_ms"]) == (over, 0)
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
