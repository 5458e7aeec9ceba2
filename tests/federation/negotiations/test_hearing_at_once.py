"""What one side hears at once, on both databases: one of two is taken, and what is begun is begun once."""

# ruff: noqa: F811 - fixtures are named as what they give
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.errors import Conflict, NodeError
from node.federation.negotiation import Negotiation, Step
from node.keys import Keyring
from tests.conftest_db import BOTH, _urls
from tests.federation.negotiating import ABOUT, HELSINKI, LONDON, OFFER, Clock, by_state, talk
from tests.federation.negotiations.hearing_rig import clock, first, held, message, sides, sides_on  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save


@pytest.fixture(params=BOTH)
def both(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, keyring: Keyring, their_keys: Keyring
) -> Iterator[Any]:
    folders = [tmp_path / "a", tmp_path / "b"]
    for each in folders:
        each.mkdir()
    urls = [_urls(request, each) for each in folders]
    databases = [Database(next(each)) for each in urls]
    yield sides_on((databases[0], databases[1]), clock, keyring, their_keys)
    for each in databases:
        each.close()
    for each in urls:
        next(each, None)


def at_once(*acts: Any) -> list[Any]:
    """Do everything at the same time; give what came of each."""
    start, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        start.wait()
        try:
            found[number] = acts[number]()
        except NodeError as error:
            found[number] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


def test_of_two_messages_at_once_one_is_taken(both: Any) -> None:
    _, london = both
    made = held(london, "provider", "OFFERED")
    accept = message("accept", "theirs", made.pid) | {"@id": "urn:uuid:1"}
    request = message("request", "theirs", made.pid) | {"@id": "urn:uuid:2"}
    found = at_once(
        lambda: london.negotiations.hear(HELSINKI, None, made.pid, accept, "accept"),
        lambda: london.negotiations.hear(HELSINKI, "provider", made.pid, request, "request"),
    )
    refused = [each for each in found if isinstance(each, Conflict)]
    assert len(refused) == 1
    assert london.one().version == 1
    assert len(london.negotiations.messages(made.pid)) == 1


def test_one_beginning_said_eight_times_at_once_begins_once(both: Any) -> None:
    _, london = both
    act = lambda: london.negotiations.hear(HELSINKI, "provider", "", first(), "request")  # noqa: E731
    found = at_once(*[act] * 8)
    assert len({each.pid for each in found}) == 1
    assert len(london.negotiations.messages(found[0].pid)) == 1


def test_approvals_that_race_a_termination_come_to_one_end(both: Any) -> None:
    """Two persons approve while a third ends it, and the worker sends meanwhile: there is one end, the same at both."""
    helsinki, london = both
    helsinki.decider.script = by_state(OFFERED="accept", AGREED="verify")
    for number in range(6):
        approved = threading.Event()
        london.decider.script = lambda n, yes=approved: (  # type: ignore[misc]
            by_state(REQUESTED="agree", VERIFIED="finalize")(n) if yes.is_set() else None
        )
        held_here = helsinki.negotiations.request(LONDON, OFFER, ABOUT)
        talk(helsinki, london)
        pid = next(each.pid for each in london.negotiations.list() if each.other_pid == held_here.pid)

        ending = (london, pid) if number % 2 else (helsinki, held_here.pid)

        def approve(yes: threading.Event = approved, pid: str = pid) -> None:
            yes.set()
            london.negotiations.settle(pid)

        at_once(
            approve,
            approve,
            lambda at=ending: at[0].negotiations.terminate(at[1], "withdrawn", ["Ask again."]),
            lambda: talk(london, helsinki),
        )
        for _ in range(4):
            talk(helsinki, london)
            helsinki.clock.now_ms += 200_000
        ours, theirs = helsinki.negotiations.get(held_here.pid), london.negotiations.get(pid)
        assert ours.state == theirs.state, number
        assert ours.is_final
        concluded = (helsinki.in_force().count(ours.agreement), london.in_force().count(theirs.agreement))
        assert concluded == ((1, 1) if ours.state == "FINALIZED" else (0, 0))


def test_a_decision_on_what_has_changed_meanwhile_is_made_anew(sides: Any) -> None:
    _, london = sides
    made = held(london, "provider", "REQUESTED")

    def slow(negotiation: Negotiation) -> Step | None:
        if negotiation.state == "REQUESTED":  # while we think about it, the other side ends it
            london.negotiations.hear(HELSINKI, None, made.pid, message("terminate", "theirs", made.pid), "terminate")
        return by_state(REQUESTED="agree", TERMINATED="agree")(negotiation)

    london.decider.script = slow
    assert london.negotiations.settle(made.pid).state == "TERMINATED"
    assert not london.one().sending
    assert london.decider.asked == 1
