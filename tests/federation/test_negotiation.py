"""The table of negotiations: every state, every message, both roles and both senders, against the drawing."""

import itertools

import pytest

from node.federation.negotiation import (
    FINAL,
    KINDS,
    STATES,
    TABLE,
    Kind,
    Role,
    State,
    ended,
    heard,
    is_after,
    said,
)
from node.federation.turns import ROLES, No, other

# The drawing of the specification, arrow by arrow, written by hand once more: from, to, who sends, which message.
DRAWN: set[tuple[State, State, Role, Kind]] = {
    ("", "REQUESTED", "consumer", "request"),
    ("", "OFFERED", "provider", "offer"),
    ("REQUESTED", "OFFERED", "provider", "offer"),
    ("REQUESTED", "AGREED", "provider", "agree"),
    ("OFFERED", "REQUESTED", "consumer", "request"),
    ("OFFERED", "ACCEPTED", "consumer", "accept"),
    ("ACCEPTED", "AGREED", "provider", "agree"),
    ("AGREED", "VERIFIED", "consumer", "verify"),
    ("VERIFIED", "FINALIZED", "provider", "finalize"),
    ("REQUESTED", "TERMINATED", "consumer", "terminate"),
    ("REQUESTED", "TERMINATED", "provider", "terminate"),
    ("OFFERED", "TERMINATED", "consumer", "terminate"),
    ("OFFERED", "TERMINATED", "provider", "terminate"),
    ("ACCEPTED", "TERMINATED", "provider", "terminate"),
    ("AGREED", "TERMINATED", "consumer", "terminate"),
    ("VERIFIED", "TERMINATED", "provider", "terminate"),
}
EVERY = list(itertools.product(ROLES, STATES, KINDS))


@pytest.mark.parametrize(("role", "state", "kind"), EVERY)
def test_we_say_by_ourselves_exactly_what_is_drawn(role: Role, state: State, kind: Kind) -> None:
    drawn = {then for start, then, sender, message in DRAWN if (start, sender, message) == (state, role, kind)}
    found = said(role, state, kind)
    assert ({found} if not isinstance(found, No) else set()) == drawn


@pytest.mark.parametrize(("role", "state", "kind"), EVERY)
def test_we_hear_what_is_drawn_and_an_end_at_any_time_before_the_end(role: Role, state: State, kind: Kind) -> None:
    drawn = {then for start, then, sender, message in DRAWN if (start, sender, message) == (state, other(role), kind)}
    if kind == "terminate":
        drawn = {"TERMINATED"} if state and state not in FINAL else set()
    found = heard(role, state, kind)
    assert ({found} if not isinstance(found, No) else set()) == drawn


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
            assert isinstance(heard(role, state, kind), No)


def test_both_sides_of_the_table_agree() -> None:
    """What one side may say, the other side hears in the same state, and both end up in the same one."""
    for role, state, kind in EVERY:
        ours = said(role, state, kind)
        if not isinstance(ours, No):
            assert heard(other(role), state, kind) == ours


def test_only_what_lies_behind_is_known_to_have_been() -> None:
    assert is_after("VERIFIED", "AGREED")
    assert is_after("AGREED", "REQUESTED")
    assert is_after("OFFERED", "OFFERED")
    assert not is_after("OFFERED", "REQUESTED")
    assert not is_after("REQUESTED", "OFFERED")
    assert not is_after("TERMINATED", "OFFERED")
    assert not is_after("AGREED", "VERIFIED")
