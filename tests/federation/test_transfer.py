"""The table of transfers: every state, every message, both roles and both senders, against the drawing."""

import itertools
from dataclasses import replace

import pytest

from node.federation.transfer import (
    FINAL,
    KINDS,
    STATES,
    TABLE,
    Kind,
    Role,
    State,
    Step,
    counted,
    ended,
    heard,
    said,
)
from node.federation.transfers.moves import new
from node.federation.turns import ROLES, No, other

# The drawing of the specification, arrow by arrow, written by hand once more: from, to, who sends, which message.
BOTH: tuple[Role, ...] = ("consumer", "provider")
DRAWN: set[tuple[State, State, Role, Kind]] = {
    ("", "REQUESTED", "consumer", "request"),
    ("REQUESTED", "STARTED", "provider", "start"),
    *((("REQUESTED", "TERMINATED", role, "terminate")) for role in BOTH),
    *((("STARTED", "COMPLETED", role, "complete")) for role in BOTH),
    *((("STARTED", "SUSPENDED", role, "suspend")) for role in BOTH),
    *((("STARTED", "TERMINATED", role, "terminate")) for role in BOTH),
    *((("SUSPENDED", "STARTED", role, "start")) for role in BOTH),
    *((("SUSPENDED", "TERMINATED", role, "terminate")) for role in BOTH),
}
EVERY = list(itertools.product(ROLES, STATES, KINDS))


def reached(found: State | No) -> set[State]:
    return set() if isinstance(found, No) else {found}


@pytest.mark.parametrize(("role", "state", "kind"), EVERY)
def test_we_say_exactly_what_is_drawn(role: Role, state: State, kind: Kind) -> None:
    drawn = {then for start, then, sender, message in DRAWN if (start, sender, message) == (state, role, kind)}
    assert reached(said(role, state, kind)) == drawn


@pytest.mark.parametrize(("role", "state", "kind"), EVERY)
def test_we_hear_exactly_what_is_drawn(role: Role, state: State, kind: Kind) -> None:
    drawn = {then for start, then, sender, message in DRAWN if (start, sender, message) == (state, other(role), kind)}
    assert reached(heard(role, state, kind)) == drawn


@pytest.mark.parametrize(("role", "state", "kind"), EVERY)
def test_every_no_says_what_would_fit(role: Role, state: State, kind: Kind) -> None:
    for found in (said(role, state, kind), heard(role, state, kind)):
        if isinstance(found, No):
            assert found.why.endswith(".")
            assert found.fix.endswith(".")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", ROLES)
def test_a_person_may_end_whatever_has_not_ended(role: Role, state: State) -> None:
    assert isinstance(ended(role, state), No) == (state in FINAL)


def test_nothing_leads_out_of_an_end() -> None:
    assert not [key for key in TABLE if key[0] in FINAL]
    for role, state, kind in EVERY:
        if state in FINAL:
            assert isinstance(said(role, state, kind), No)
            assert isinstance(counted(role, state, kind), No)


@pytest.mark.parametrize("role", ROLES)
def test_who_suspended_a_transfer_starts_it_again(role: Role) -> None:
    assert reached(heard(role, "SUSPENDED", "start", "them")) == {"STARTED"}
    assert not reached(heard(role, "SUSPENDED", "start", "us"))
    assert not reached(heard(role, "SUSPENDED", "start", "agreement"))
    assert reached(said(role, "SUSPENDED", "start")) == {"STARTED"}


@pytest.mark.parametrize("role", ROLES)
def test_what_ends_it_over_there_has_ended_it_wherever_we_have_come_to(role: Role) -> None:
    assert counted(role, "SUSPENDED", "complete") == "COMPLETED"
    assert counted(role, "SUSPENDED", "terminate") == "TERMINATED"
    assert isinstance(counted(role, "REQUESTED", "complete"), No)


def test_bytes_flow_from_our_word_that_it_starts_until_our_word_that_it_stops() -> None:
    held = new("provider", "https://london.test", 1, pid="p", state="REQUESTED")
    assert not held.streams
    assert replace(held, sending=("start",)).streams
    started = replace(held, state="STARTED")
    assert started.streams
    for word in ("suspend", "terminate", "complete"):
        assert not replace(started, sending=(word,)).streams
    assert not replace(started, state="SUSPENDED").streams
    assert replace(started, state="SUSPENDED", sending=("start",)).streams
    assert not any(replace(started, state=state, sending=("start",)).streams for state in ("COMPLETED", "TERMINATED"))


def test_to_resume_is_to_start_again_in_the_words_of_the_protocol() -> None:
    assert [Step(act).kind for act in ("start", "suspend", "resume", "complete", "terminate")] == [
        *("start", "suspend", "start", "complete", "terminate")
    ]
