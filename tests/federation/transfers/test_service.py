"""Transfers between two sides: told to the end, repeated, lost on the way, killed at every step, ended early."""

import itertools
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.errors import BadSignature, Conflict, ForbiddenAddress, Malformed, NotAgreed, NotFound
from node.federation.dialogues.outgoing import GIVE_UP_MS, LEASE_MS
from node.federation.transfer import Step, Transfer
from tests.conftest_db import BOTH, _urls
from tests.federation.transfers.sides import AGREEMENT, DATASET, HELSINKI, LONDON, Clock, Line, Side, starts, talk

pytestmark = pytest.mark.slow  # seconds in all
Sides = tuple[Side, Side]
LATER_MS = LEASE_MS + 3_600_000


@pytest.fixture
def sides(tmp_path: Path, migrated: Path) -> Sides:
    """Make Helsinki (consumer) and London (provider, which starts what is requested)."""
    clock, line, numbers = Clock(), Line(), itertools.count()

    def side(url: str) -> Side:
        path = tmp_path / f"{next(numbers)}.db"
        shutil.copy(migrated, path)
        return Side(url, Database(f"sqlite:///{path}"), clock, line)

    helsinki, london = side(HELSINKI), side(LONDON)
    london.decider.script = starts
    return helsinki, london


def ask(helsinki: Side, **more: Any) -> Transfer:
    return helsinki.transfers.request(LONDON, AGREEMENT, DATASET, "noise.csv", jkt="thumb", by="Aino", **more)


def started(helsinki: Side, london: Side) -> tuple[Transfer, Transfer]:
    ask(helsinki)
    talk(helsinki, london)
    assert (helsinki.one().state, london.one().state) == ("STARTED", "STARTED")
    return helsinki.one(), london.one()


def agree(helsinki: Side, london: Side, state: str) -> None:
    ours, theirs = helsinki.one(), london.one()
    assert (ours.state, theirs.state) == (state, state)
    assert (ours.other_pid, theirs.other_pid) == (theirs.pid, ours.pid)
    assert not ours.sending
    assert not theirs.sending


# ---------------------------------------------------------------- told to the end


def test_a_request_starts_and_brings_the_address_with_the_fresh_token(sides: Sides) -> None:
    helsinki, london = sides
    ours, theirs = started(*sides)
    agree(*sides, "STARTED")
    assert (theirs.dataset, theirs.part, theirs.jkt) == (DATASET, "noise.csv", "thumb")
    assert ours.address["endpoint"] == f"{LONDON}/data/{theirs.pid}"
    assert ours.address["endpointProperties"][0]["value"] == "token-1"
    assert (theirs.clause, london.used()) == ("clause-1", [theirs.pid])
    assert theirs.started_at
    assert helsinki.kinds() == ["out request", "in start"]
    assert london.kinds() == ["in request", "out start"]


def test_the_consumer_completes_and_both_hold_the_whole_receipt(sides: Sides) -> None:
    helsinki, london = sides
    ours, _ = started(*sides)
    helsinki.transfers.step(ours.pid, Step("complete", receipt="half"))
    talk(*sides)
    agree(*sides, "COMPLETED")
    assert helsinki.one().receipt == london.one().receipt == "half, countersigned"


def test_the_provider_of_a_push_completes_after_it_delivered(sides: Sides) -> None:
    helsinki, london = sides
    where = {"@type": "DataAddress", "endpointType": "https://w3id.org/idsa/v4.1/HTTP", "endpoint": "https://a.test/x"}
    ask(helsinki, format="HttpData-PUSH", address=where)
    talk(*sides)
    assert london.one().address == where
    assert not helsinki.one().address.get("endpointProperties")
    assert london.tokens == 0
    london.transfers.step(london.one().pid, Step("complete", receipt="half"))
    talk(*sides)
    agree(*sides, "COMPLETED")
    assert helsinki.one().receipt == london.one().receipt == "half, countersigned"


@pytest.mark.parametrize("who", [0, 1])
def test_either_suspends_and_begins_again(sides: Sides, who: int) -> None:
    started(*sides)
    acts, other = sides[who], sides[1 - who]
    acts.transfers.step(acts.one().pid, Step("suspend", code="break", reasons=("We move house.",)))
    talk(*sides)
    agree(*sides, "SUSPENDED")
    assert other.one().reasons == ("We move house.",)
    acts.transfers.step(acts.one().pid, Step("resume"))
    talk(*sides)
    agree(*sides, "STARTED")
    assert not acts.one().reasons
    assert sides[1].used() == [sides[1].one().pid], "one transfer is one use"


def test_who_did_not_suspend_it_is_not_heard_to_start_it_and_nothing_ends(sides: Sides) -> None:
    helsinki, london = sides
    started(*sides)
    london.transfers.step(london.one().pid, Step("suspend"))
    talk(*sides)
    helsinki.transfers.step(helsinki.one().pid, Step("resume"))
    talk(*sides)
    agree(*sides, "SUSPENDED")


def test_two_suspensions_that_cross_leave_either_free_to_begin_again(sides: Sides) -> None:
    helsinki, _ = sides
    started(*sides)
    for side in sides:
        side.transfers.step(side.one().pid, Step("suspend"))
    talk(*sides)
    agree(*sides, "SUSPENDED")
    helsinki.transfers.step(helsinki.one().pid, Step("resume"))
    talk(*sides)
    agree(*sides, "STARTED")


def test_a_start_again_is_asked_of_the_agreement(sides: Sides) -> None:
    helsinki, london = sides
    started(*sides)
    helsinki.transfers.step(helsinki.one().pid, Step("suspend"))
    talk(*sides)

    def no(_: Transfer) -> None:
        raise NotAgreed("The agreement is suspended.")

    london.resumes = no
    helsinki.transfers.step(helsinki.one().pid, Step("resume"))
    talk(*sides)
    agree(*sides, "SUSPENDED")


@pytest.mark.parametrize("who", [0, 1])
def test_either_terminates_with_its_reasons(sides: Sides, who: int) -> None:
    started(*sides)
    acts, other = sides[who], sides[1 - who]
    acts.transfers.step(acts.one().pid, Step("terminate", code="done-with", reasons=("Ask again next year.",)))
    assert not acts.one().streams, "our own word counts at once"
    talk(*sides)
    agree(*sides, "TERMINATED")
    assert (other.one().code, other.one().reasons) == ("done-with", ("Ask again next year.",))
    assert sides[1].stopped == [(sides[1].one().pid, "TERMINATED")]


# ---------------------------------------------------------------- who may


def test_what_may_not_be_is_refused_with_reasons_and_leaves_nothing(sides: Sides) -> None:
    helsinki, london = sides

    def no(_: Transfer) -> Transfer:
        raise NotAgreed("No clause permits it.")

    london.admits = no
    ask(helsinki)
    talk(*sides)
    assert helsinki.one().state == "TERMINATED"
    assert "No clause permits it." in helsinki.one().reasons[0]
    assert not london.transfers.list()


def test_what_was_used_up_meanwhile_is_terminated_with_the_code(sides: Sides) -> None:
    helsinki, london = sides

    def no(_: Transfer) -> str:
        raise NotAgreed("A condition of the clause does not hold.")

    london.spend = no
    ask(helsinki)
    talk(*sides)
    agree(*sides, "TERMINATED")
    assert helsinki.one().code == "not-agreed"
    assert london.used() == []


def test_nobody_else_hears_of_a_transfer(sides: Sides) -> None:
    _, london = sides
    _, theirs = started(*sides)
    for caller in (LONDON, "https://mallory.test"):
        with pytest.raises(NotFound):
            london.transfers.state(caller, None, theirs.pid)
        with pytest.raises(NotFound):
            london.transfers.hear(caller, None, theirs.pid, message("TransferTerminationMessage", theirs), "terminate")
    assert london.one().state == "STARTED"


def test_pids_of_another_transfer_are_refused(sides: Sides) -> None:
    _, london = sides
    _, theirs = started(*sides)
    said = message("TransferTerminationMessage", theirs) | {"consumerPid": "urn:uuid:other"}
    with pytest.raises(Malformed):
        london.transfers.hear(HELSINKI, None, theirs.pid, said, "terminate")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "AmazonS3-PUSH"},
        {"format": "HttpData-PUSH"},
        {"dataAddress": {"@type": "DataAddress", "endpointType": "x", "endpoint": "https://a.test"}},
        {"callbackAddress": "https://elsewhere.test/dsp"},
        {"callbackAddress": "https://helsinki.test/dsp?x=1"},
        {"https://w3id.org/citynode/ns#part": "../keys"},
        {"consumerPid": "a/b"},
        {"dataAddress": "https://a.test"},
    ],
)
def test_a_request_of_another_form_is_refused_and_leaves_nothing(sides: Sides, change: dict[str, Any]) -> None:
    _, london = sides
    with pytest.raises((Malformed, ForbiddenAddress)):
        london.transfers.hear(HELSINKI, "provider", "", request() | change, "request")
    assert not london.transfers.list()


def request() -> dict[str, Any]:
    return {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "TransferRequestMessage",
        "consumerPid": "consumer-1",
        "agreementId": AGREEMENT,
        "format": "HttpData-PULL",
        "callbackAddress": f"{HELSINKI}/dsp/2025-1",
    }


def message(name: str, transfer: Transfer) -> dict[str, Any]:
    pids = {"providerPid": transfer.provider_pid, "consumerPid": transfer.consumer_pid}
    return {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": name, **pids}


# ---------------------------------------------------------------- said twice


def test_a_request_that_comes_again_begins_one_transfer(sides: Sides) -> None:
    _, london = sides
    first = london.transfers.hear(HELSINKI, "provider", "", request(), "request")
    assert (
        london.transfers.hear(HELSINKI, "provider", "", request() | {"@id": "urn:uuid:2"}, "request").pid == first.pid
    )
    with pytest.raises(Conflict):
        london.transfers.hear(HELSINKI, "provider", "", request() | {"agreementId": "urn:other"}, "request")
    assert len(london.transfers.list()) == 1


def test_the_same_start_with_another_token_changes_nothing(sides: Sides) -> None:
    helsinki, london = sides
    lost = iter(["answer"])
    london.line.lose = lambda path, _: next(lost, "") if path == "start" else ""
    ask(helsinki)
    talk(*sides)
    london.clock.now_ms += LATER_MS
    talk(*sides)
    agree(*sides, "STARTED")
    assert london.tokens == 2
    assert helsinki.kinds() == ["out request", "in start"]
    assert london.used() == [london.one().pid]


def test_no_token_is_kept_in_messages_or_in_what_waits(sides: Sides) -> None:
    started(*sides)
    for side in sides:
        kept = [each.body for each in side.transfers.messages(side.one().pid)]
        kept += [row[0] for row in side.db.hot().rows("SELECT body FROM outgoing")]
        assert not [body for body in kept if "token-" in body]


def test_terminating_again_is_no_harm_and_completing_what_has_ended_is_refused(sides: Sides) -> None:
    _, london = sides
    _, theirs = started(*sides)
    said = message("TransferTerminationMessage", theirs) | {"@id": "urn:uuid:1"}
    for _ in range(2):
        assert london.transfers.hear(HELSINKI, None, theirs.pid, said, "terminate").state == "TERMINATED"
    with pytest.raises(Conflict):
        london.transfers.hear(HELSINKI, None, theirs.pid, message("TransferCompletionMessage", theirs), "complete")
    with pytest.raises(Conflict):
        london.transfers.step(theirs.pid, Step("resume"))


# ---------------------------------------------------------------- lost and crashed


STORY = [
    (0, Step("suspend")),
    (0, Step("resume")),
    (1, Step("suspend")),
    (1, Step("resume")),
    (0, Step("complete", receipt="half")),
]


@pytest.mark.parametrize("fate", ["message", "answer"])
@pytest.mark.parametrize("nth", range(7))
def test_whatever_is_lost_once_the_two_end_level(sides: Sides, nth: int, fate: str) -> None:
    counter = itertools.count()
    sides[0].line.lose = lambda path, _: fate if path != "state" and next(counter) == nth else ""
    ask(sides[0])
    for who, step in [(None, None), *STORY]:
        if who is not None and step is not None:
            sides[who].transfers.step(sides[who].one().pid, step)
        for side in sides:
            side.restart()  # nothing is only in memory
        talk(*sides)
        sides[0].clock.now_ms += LATER_MS
        talk(*sides)
    agree(*sides, "COMPLETED")
    assert sides[0].one().receipt == sides[1].one().receipt == "half, countersigned"
    assert sides[1].used() == [sides[1].one().pid]


@pytest.mark.parametrize("kind", BOTH)
def test_a_story_is_the_same_on_either_database(
    request: pytest.FixtureRequest, sides: Sides, tmp_path: Path, kind: str
) -> None:
    helsinki, _ = sides
    request.param = kind
    folder = tmp_path / "other"
    folder.mkdir()
    for url in _urls(request, folder):
        helsinki.db = Database(url)
        helsinki.restart()
        ask(helsinki)
        talk(*sides)
        for who, step in STORY:
            sides[who].transfers.step(sides[who].one().pid, step)
            talk(*sides)
        agree(*sides, "COMPLETED")
        assert helsinki.transfers.messages(helsinki.one().pid)[0].kind == "request"
        assert helsinki.transfers.found(helsinki.one().pid[:8]) == helsinki.one()
        helsinki.db.close()


def test_a_start_proves_that_the_request_arrived(sides: Sides) -> None:
    helsinki, london = sides
    helsinki.line.lose = lambda path, _: "answer" if path == "request" else ""
    ask(helsinki)
    helsinki.deliver()
    london.deliver()
    agree(*sides, "STARTED")


def test_a_completion_that_crossed_a_suspension_counts_on_both_sides(sides: Sides) -> None:
    helsinki, london = sides
    ours, _ = started(*sides)

    def suspends(path: str, who: str) -> None:
        if (path, who) == ("completion", HELSINKI):
            london.line.meanwhile = lambda *_: None
            said = message("TransferSuspensionMessage", ours)
            helsinki.transfers.hear(LONDON, None, ours.pid, said, "suspend")

    helsinki.line.meanwhile = suspends
    helsinki.transfers.step(ours.pid, Step("complete", receipt="half"))
    helsinki.deliver()
    agree(*sides, "COMPLETED")
    assert helsinki.one().receipt == "half, countersigned"


def test_a_completion_is_not_heard_by_who_is_ending_the_transfer(sides: Sides) -> None:
    helsinki, london = sides
    started(*sides)
    london.transfers.step(london.one().pid, Step("terminate", reasons=("The agreement was revoked.",)))
    helsinki.transfers.step(helsinki.one().pid, Step("complete", receipt="half"))
    talk(*sides)
    agree(*sides, "TERMINATED")


def test_a_receipt_that_does_not_hold_completes_nothing(sides: Sides) -> None:
    helsinki, london = sides
    started(*sides)

    def no(_: Transfer, receipt: str) -> str:
        raise BadSignature("Signed by no key that was pinned.")

    london.concludes = no
    helsinki.transfers.step(helsinki.one().pid, Step("complete", receipt="forged"))
    helsinki.deliver()  # and what follows from the refusal by the next round
    talk(*sides)
    agree(*sides, "TERMINATED")
    assert "Signed by no key" in helsinki.one().reasons[0]


def test_what_the_other_side_has_completed_is_completed_here_with_its_receipt(sides: Sides) -> None:
    helsinki, london = sides
    ours, theirs = started(*sides)
    london.transfers.hear(HELSINKI, None, theirs.pid, message("TransferCompletionMessage", theirs), "complete")
    helsinki.transfers.step(ours.pid, Step("suspend"))
    talk(*sides)
    agree(*sides, "COMPLETED")


def test_what_is_not_taken_for_a_week_ends_here(sides: Sides) -> None:
    helsinki, london = sides
    helsinki.line.lose = lambda *_: "message"
    ask(helsinki)
    talk(*sides)
    helsinki.clock.now_ms += GIVE_UP_MS + LATER_MS
    helsinki.deliver()
    assert (helsinki.one().state, helsinki.one().code) == ("TERMINATED", "unreachable")
    assert not london.transfers.list()


def test_what_was_never_sent_ends_without_a_word(sides: Sides) -> None:
    helsinki, london = sides
    ours = ask(helsinki)
    helsinki.transfers.step(ours.pid, Step("terminate", reasons=("Not needed any more.",)))
    talk(*sides)
    assert helsinki.one().state == "TERMINATED"
    assert not helsinki.line.said
    assert not london.transfers.list()


# ---------------------------------------------------------------- agreements change


def test_a_change_of_the_agreement_is_seen_by_the_next_round(sides: Sides) -> None:
    helsinki, london = sides
    started(*sides)

    def script(transfer: Transfer) -> Step | None:
        if london.stands[AGREEMENT] and transfer.state == "STARTED":
            return Step("suspend", code="suspended", reasons=("It is suspended.",), paused_by="agreement")
        again = not london.stands[AGREEMENT] and transfer.state == "SUSPENDED"
        return Step("start") if again and transfer.paused_by == "agreement" else None

    london.stands[AGREEMENT] = ""
    london.deliver()
    london.decider.script = script
    assert not london.transfers.due(london.clock())
    london.stands[AGREEMENT] = "suspended"
    assert london.transfers.due(london.clock())
    talk(*sides)
    agree(*sides, "SUSPENDED")
    assert helsinki.one().code == "suspended"
    helsinki.transfers.step(helsinki.one().pid, Step("resume"))
    talk(*sides)
    agree(*sides, "SUSPENDED")
    london.stands[AGREEMENT] = ""
    talk(*sides)
    agree(*sides, "STARTED")
    assert london.used() == [london.one().pid]


def test_what_only_time_changes_is_seen_within_seconds(sides: Sides) -> None:
    helsinki, london = sides
    started(*sides)
    london.deliver()
    ends = lambda each: Step("terminate", code="not-satisfied") if each.state == "STARTED" else None  # noqa: E731
    london.decider.script = ends
    assert not london.transfers.due(london.clock())
    london.clock.now_ms += 16_000
    assert london.transfers.due(london.clock())
    talk(*sides)
    agree(*sides, "TERMINATED")
    assert helsinki.one().code == "not-satisfied"


def test_a_dataset_is_named_by_who_provides_it(sides: Sides) -> None:
    helsinki, london = sides
    london.admits = lambda asked: replace(asked, dataset=DATASET)
    helsinki.transfers.request(LONDON, AGREEMENT)
    talk(*sides)
    assert (helsinki.one().dataset, london.one().dataset) == ("", DATASET)
