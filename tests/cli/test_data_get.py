"""Commands on data of other cities: what is refused says what to do, what waits says so, Ctrl-C keeps what came."""

import os
import signal
import threading
from pathlib import Path

import pytest

from node.assembly import build
from node.cli.data_get import _interruptible, _size
from node.settings import load
from tests.cli.conftest import Say
from tests.federation.agreed import RESEARCH, agree_alone, atom, peer, permits

LONDON = "http://127.0.0.1:1"
NOISE = f"{LONDON}/datasets/noise"


@pytest.fixture
def agreed(helsinki: Say, tmp_path: Path) -> Say:
    """Helsinki may get a dataset of London, which does not answer, for research."""
    node = build(load(data=tmp_path / "node"))
    try:
        peer(node, "london", LONDON)
        rules = permits("use", constraint=[atom("purpose", "isAnyOf", [RESEARCH])])
        agree_alone(node, LONDON, records=[NOISE], rules=rules, mirror=True)
    finally:
        node.close()
    return helsinki


@pytest.mark.slow
def test_what_waits_for_the_other_city_is_told_listed_handed_over_and_cancelled(agreed: Say, tmp_path: Path) -> None:
    say = agreed
    told = say("data", "get", NOISE, "--purpose", "AcademicResearch", "--to", tmp_path / "x.csv", "--wait", "0")
    assert told.code == 3, told.err
    assert "Pull 1 is stopped" in told.out
    assert "data pulls resume 1" in told.out
    assert str(tmp_path / "x.csv") in told.out
    again = say(
        "data", "get", NOISE, "--purpose", "AcademicResearch", "--to", tmp_path / "x.csv", "--wait", "0", "--json"
    )
    assert (again.code, again.json["id"], again.json["dataset"]) == (3, 1, NOISE)
    assert "stopped" in say("data", "pulls", "list").out
    assert say("data", "pulls", "resume", "1", "--json").json["state"] == "waiting"
    (listed,) = say("data", "pulls", "list", "--json").json
    assert listed["transfer"] == again.json["transfer"]
    assert "Transfer" in say("data", "pulls", "show", "1").out
    assert say("data", "pulls", "cancel", "1").code == 0
    assert say("data", "pulls", "list", "--json").json == []
    assert "--ended" in say("data", "pulls", "list").out, "that it is over is no reason to say nothing"
    over = say("data", "pulls", "resume", "1")
    assert (over.code, "is cancelled" in over.err) == (1, True)


@pytest.mark.slow
def test_a_refusal_says_what_to_do(agreed: Say) -> None:
    say = agreed
    missing = say("data", "get", NOISE, "--no-ask")
    assert (missing.code, "AcademicResearch" in missing.err) == (1, True)
    other = say("data", "get", NOISE, "--purpose", "Marketing", "--no-ask")
    assert (other.code, "not-agreed" in other.err) == (1, True)
    nothing = say("data", "get", f"{LONDON}/datasets/other", "--no-ask")
    assert (nothing.code, "citynode data request" in nothing.err) == (1, True)
    assert "no pull 7" in say("data", "pulls", "show", "7").err
    asked = say("data", "request", f"{LONDON}/datasets/other", "--purpose", "AcademicResearch", "--message", "Trams.")
    assert (asked.code, "negotiation" in asked.out) == (0, True)
    assert say("data", "request", NOISE).code == 1


def test_an_interruption_is_an_event_first_and_an_end_the_second_time() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with _interruptible() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    assert threading.current_thread() is threading.main_thread()


@pytest.mark.parametrize(
    ("count", "said"),
    [(-1, "-"), (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_280_000, "1.3 MB"), (5 * 10**15, "5000.0 TB")],
)
def test_amounts_are_said_in_units(count: int, said: str) -> None:
    assert _size(count) == said
