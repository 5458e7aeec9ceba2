"""What one side hears: every message in every state, twice, changed, at once, and from others."""

# ruff: noqa: F811 - fixtures are named as what they give
import itertools
import json
from typing import Any

import pytest

from node.errors import Conflict, ForbiddenAddress, Malformed, NodeError, NotFound, Refused
from node.federation.negotiation import KINDS, STATES, heard
from node.federation.turns import ROLES, No, other
from tests.federation.negotiating import ABOUT, HELSINKI, LONDON, OFFER, OTHER, RULES, TARGET, by_state, talk
from tests.federation.negotiations.hearing_rig import (  # noqa: F401 - fixtures
    NAMES,
    NOW,
    NUMBERS,
    TABLES,
    clock,
    everything,
    first,
    held,
    message,
    sides,
    sides_on,
)

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save


# ---------------------------------------------------------------- every message in every state


def test_what_does_not_fit_is_refused_and_changes_nothing_in_any_state_of_either_role(sides: Any) -> None:
    for role, state, kind in itertools.product(ROLES, STATES, KINDS):
        side = sides[0] if role == "consumer" else sides[1]
        side.unsigned, side.signs = True, False
        side.restart()
        made = held(side, role, state)
        said = message(kind, made.consumer_pid, made.provider_pid, made.created_at)
        if kind == "request":
            said.pop("callbackAddress", None)
        before = everything(side.db)
        expected = heard(role, state, kind) if state else No("", "")
        if isinstance(expected, No):
            with pytest.raises(Conflict):
                side.negotiations.hear(made.peer, role, made.pid, said, kind)
            assert everything(side.db) == before
            with pytest.raises(NodeError):  # of another role's path: as if it were not there
                side.negotiations.hear(made.peer, other(role), made.pid, said, kind)
            assert everything(side.db) == before
        else:
            found = side.negotiations.hear(made.peer, role, made.pid, said, kind)
            assert found.state == expected
            assert found.version == made.version + 1


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"@type": "Nothing"},
        first() | {"@context": []},
        first() | {"offer": {"@type": "Offer", "@id": "x", "target": TARGET}},
        first() | {"offer": {"@type": "Offer", **OFFER, "permission": [{"action": "fly"}]}},
        first() | {"offer": {"@type": "Offer", **OFFER, "target": ""}},
        first() | {"offer": {"@type": "Offer", **RULES, "@id": "x"}},
        first() | {"@id": 7},
        *(first() | {"@id": name} for name in ("a\0b", "a\x85", "a\u202eb", "..", "urn:x/../y")),
        first() | {"callbackAddress": f"{HELSINKI}/dsp?to="},
        first() | {"@id": "x" * 1000},
        first() | {"providerPid": "p"},
        message("request", "c", "p"),
        message("accept", "c", "p"),
        message("offer", "", "p", callbackAddress=HELSINKI),
    ],
)
def test_a_beginning_that_cannot_be_read_begins_nothing(sides: Any, said: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        sides[1].negotiations.hear(HELSINKI, "provider", "", said, "request")
    assert not sides[1].negotiations.list()


@pytest.mark.parametrize(
    "callback", ["https://elsewhere.test/dsp", f"{HELSINKI}.evil.test/", f"{HELSINKI}@evil.test/", f"{HELSINKI}/../x"]
)
def test_an_answer_is_wanted_below_the_callers_own_address_alone(sides: Any, callback: str) -> None:
    with pytest.raises(ForbiddenAddress):
        sides[1].negotiations.hear(HELSINKI, "provider", "", first() | {"callbackAddress": callback}, "request")
    assert not sides[1].negotiations.list()


def test_a_negotiation_is_nobodys_but_its_two_sides(sides: Any) -> None:
    _helsinki, london = sides
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    said = message("terminate", "c-1", found.pid)
    before = everything(london.db)
    for caller, role, pid in (
        (LONDON, None, found.pid),
        (HELSINKI, None, "no such"),
        (HELSINKI, "consumer", found.pid),
    ):
        with pytest.raises(NotFound, match="no such negotiation"):
            london.negotiations.hear(caller, role, pid, said, "terminate")
        with pytest.raises(NotFound, match="no such negotiation"):
            london.negotiations.state(caller, role, pid)
    london.parties.strangers.add(HELSINKI)
    with pytest.raises(NotFound, match="no such negotiation"):
        london.negotiations.hear(HELSINKI, None, found.pid, said, "terminate")
    with pytest.raises(NotFound, match="no such negotiation"):
        london.negotiations.state(HELSINKI, None, found.pid)
    assert everything(london.db) == before


def test_wrong_pids_are_refused(sides: Any) -> None:
    _, london = sides
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    for consumer, provider in (("c-2", found.pid), ("c-1", "other")):
        with pytest.raises(Malformed, match="pids"):
            london.negotiations.hear(HELSINKI, None, found.pid, message("terminate", consumer, provider), "terminate")
    assert london.states() == ["REQUESTED"]


def test_what_may_not_begin_is_refused_as_it_says(sides: Any) -> None:
    _, london = sides

    def admits(*_: object) -> None:
        raise NotFound("There is no such dataset.")

    london.admits = admits
    with pytest.raises(NotFound, match="dataset"):
        london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    assert not london.negotiations.list()


def test_what_stands_beside_our_offer_stands_beside_a_request_that_does_not_know_it(sides: Any) -> None:
    _, london = sides
    london.about_of = lambda peer, offer: ABOUT if (peer, offer["@id"]) == (HELSINKI, OFFER["@id"]) else {}
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    assert found.about == ABOUT


def test_so_many_negotiations_and_messages_and_no_more(sides: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, london = sides
    monkeypatch.setattr("node.federation.dialogues.rounds.MAX_OPEN", 1)
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    with pytest.raises(Refused, match="are open"):
        london.negotiations.hear(HELSINKI, "provider", "", first() | {"consumerPid": "c-2"}, "request")
    monkeypatch.setattr("node.federation.dialogues.moves.MAX_MESSAGES", 0)
    long = held(london, "provider", "OFFERED")
    with pytest.raises(Conflict, match="messages"):
        london.negotiations.hear(HELSINKI, None, long.pid, message("request", "theirs", long.pid), "request")
    for each, consumer in ((long, "theirs"), (found, "c-1")):
        told = message("terminate", consumer, each.pid)
        assert london.negotiations.hear(HELSINKI, None, each.pid, told, "terminate").state == "TERMINATED"


# ---------------------------------------------------------------- twice


def test_a_first_message_again_is_the_same_negotiation(sides: Any) -> None:
    _, london = sides
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    before = everything(london.db)
    for again in (first(), first() | {"@id": "urn:uuid:1"}, first() | {"callbackAddress": f"{HELSINKI}/dsp/2025-1"}):
        assert london.negotiations.hear(HELSINKI, "provider", "", again, "request") == found
    for changed in ({"@type": "Offer", **OFFER, "@id": "other"}, {"@type": "Offer", **OTHER}):
        with pytest.raises(Conflict, match="pid of its own"):
            london.negotiations.hear(HELSINKI, "provider", "", first() | {"offer": changed}, "request")
    with pytest.raises(Conflict):
        london.negotiations.hear(
            HELSINKI, "provider", "", first() | {"callbackAddress": f"{HELSINKI}/other"}, "request"
        )
    assert everything(london.db) == before


@pytest.mark.parametrize("name", ["", "urn:uuid:7"])
def test_any_message_again_has_the_same_answer_and_no_second_effect(sides: Any, name: str) -> None:
    helsinki, _ = sides
    made = held(helsinki, "consumer", "REQUESTED")
    offer = message("offer", made.pid, "theirs") | ({"@id": name} if name else {})
    found = helsinki.negotiations.hear(LONDON, "consumer", made.pid, offer, "offer")
    assert found.state == "OFFERED"
    before = everything(helsinki.db)
    assert helsinki.negotiations.hear(LONDON, "consumer", made.pid, offer, "offer") == found
    assert everything(helsinki.db) == before


def test_a_repeat_with_another_content_is_refused(sides: Any) -> None:
    helsinki, _ = sides
    made = held(helsinki, "consumer", "REQUESTED")
    offer = message("offer", made.pid, "theirs") | {"@id": "urn:uuid:7"}
    helsinki.negotiations.hear(LONDON, "consumer", made.pid, offer, "offer")
    before = everything(helsinki.db)
    with pytest.raises(Conflict, match="@id"):
        helsinki.negotiations.hear(
            LONDON, "consumer", made.pid, offer | {"offer": {"@type": "Offer", **OTHER}}, "offer"
        )
    assert everything(helsinki.db) == before


def test_a_second_message_that_says_the_same_is_no_repeat(sides: Any) -> None:
    """The TCK's CN:03-04: two counter-requests alike but for their ids; the second does not fit any more."""
    _, london = sides
    made = held(london, "provider", "OFFERED")
    request = message("request", "theirs", made.pid)
    london.negotiations.hear(HELSINKI, "provider", made.pid, request | {"@id": "urn:uuid:1"}, "request")
    with pytest.raises(Conflict, match="No consumer asks"):
        london.negotiations.hear(HELSINKI, "provider", made.pid, request | {"@id": "urn:uuid:2"}, "request")
    assert london.one().state == "REQUESTED"


def test_a_late_repeat_does_not_take_back_what_came_after(sides: Any) -> None:
    helsinki, london = sides
    london.decider.script = by_state(REQUESTED="offer")
    helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    talk(helsinki, london)
    helsinki.negotiations.counter(helsinki.one().pid, OTHER, ABOUT)
    talk(helsinki, london)
    counter = next(each for each in london.negotiations.messages(london.one().pid)[::-1] if each.direction == "in")
    before = everything(london.db)
    found = london.negotiations.hear(HELSINKI, "provider", london.one().pid, json.loads(counter.body), "request")
    assert found.state == "OFFERED"
    assert everything(london.db) == before


def test_a_negotiation_that_is_being_begun_cannot_be_asked_about_yet(sides: Any) -> None:
    from node.errors import Unavailable

    helsinki, _ = sides
    made = helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    with pytest.raises(Unavailable):
        helsinki.negotiations.state(LONDON, None, made.pid)
    with pytest.raises(Conflict, match="not begun"):
        helsinki.negotiations.hear(LONDON, "consumer", made.pid, message("offer", made.pid, "p"), "offer")
