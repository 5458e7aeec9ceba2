"""Commands on transfers: listed, shown, suspended and ended by the beginning of an id, and no address is said."""

from pathlib import Path

import pytest

from node.assembly import build
from node.settings import load
from tests.cli.conftest import Say
from tests.federation.agreed import agree_alone, peer, permits

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

LONDON = "http://127.0.0.1:8002"


@pytest.fixture
def requested(helsinki: Say, tmp_path: Path) -> tuple[Say, list[str]]:
    """Helsinki has requested two transfers of London, which nobody has sent yet."""
    node = build(load(data=tmp_path / "node"))
    try:
        peer(node, "london", LONDON)
        dataset = f"{LONDON}/datasets/noise"
        agreement = agree_alone(node, LONDON, records=[dataset], rules=permits("use"), mirror=True)
        transfers = node.federation.moving.transfers
        pids = [transfers.request(LONDON, agreement, dataset, part).pid for part in ("a.csv", "b.csv")]
    finally:
        node.close()
    return helsinki, pids


def test_transfers_are_listed_shown_and_ended(requested: tuple[Say, list[str]]) -> None:
    say, pids = requested
    assert {each["pid"] for each in say("data", "transfers", "list", "--json").json["transfers"]} == set(pids)
    assert "on its way" in say("data", "transfers", "list").out
    shown = say("data", "transfers", "show", pids[0][:8])
    assert shown.code == 0, shown.err
    assert LONDON in shown.out
    assert "we are the consumer" in shown.out
    early = say("data", "transfers", "suspend", pids[0])
    assert (early.code != 0, "not been taken yet" in early.err) == (True, True)
    unasked = say("data", "transfers", "terminate", pids[0], "--reason", "Not needed any more.")
    assert (unasked.code, "say --yes" in unasked.err) == (1, True)
    ended = say("data", "transfers", "terminate", pids[0], "--reason", "Not needed any more.", "--yes")
    assert ended.code == 0, ended.err
    (left,) = say("data", "transfers", "list", "--json").json["transfers"]
    assert left["pid"] == pids[1]
    over = {each["pid"]: each for each in say("data", "transfers", "list", "--ended", "--json").json["transfers"]}
    assert over[pids[0]]["state"] == "TERMINATED"
    assert over[pids[0]]["reasons"] == ["Not needed any more."]
    assert "why" in say("data", "transfers", "show", pids[0]).out
    assert say("data", "transfers", "resume", pids[0]).code != 0


def test_what_is_not_there_is_said(requested: tuple[Say, list[str]]) -> None:
    say, _ = requested
    assert "There is no such transfer" in say("data", "transfers", "show", "nothing").err
