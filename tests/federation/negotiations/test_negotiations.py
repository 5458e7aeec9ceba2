"""Negotiations between two sides: told to the end, repeated, lost on the way, killed at every step."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.errors import Conflict, NotFound, Refused
from node.federation.agreements.text import read_text
from node.federation.dialogues.outgoing import GIVE_UP_MS, LEASE_MS
from node.federation.negotiation import Negotiation
from tests.conftest_db import BOTH, _urls
from tests.federation.negotiating import ABOUT, HELSINKI, LONDON, OFFER, OTHER, TARGET, Script, Way, by_state, talk
from tests.federation.negotiations.rig import AGREES, SIGNS, Killed, Make, Sides, ask, check_concluded, kinds, wait

pytestmark = pytest.mark.slow  # seconds in all


# ---------------------------------------------------------------- told to the end


def test_a_request_that_is_agreed_to_is_signed_by_both(sides: Sides) -> None:
    helsinki, london = sides
    ask(helsinki)
    talk(*sides)
    check_concluded(helsinki, london)
    assert kinds(helsinki) == ["out request", "in agree", "out verify", "in finalize"]
    text = read_text(helsinki.one().signed)
    assert (text.assigner, text.assignee, text.target) == (LONDON, HELSINKI, TARGET)
    assert text.about == ABOUT


@pytest.fixture(params=BOTH)
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = _urls(request, tmp_path / "a"), _urls(request, tmp_path / "b")
    yield [next(first), next(second)]
    for each in (first, second):
        next(each, None)


def test_a_negotiation_with_counter_offers_ends_on_the_last_terms_on_both_databases(
    urls: list[str], make: Make
) -> None:
    databases = [Database(url) for url in urls]
    waiting = iter(databases)
    helsinki, london = make(database=lambda: next(waiting))
    london.decider.script = lambda n: AGREES(n) if n.state != "REQUESTED" else None
    helsinki.decider.script = lambda n: SIGNS(n) if n.state != "OFFERED" else None
    ask(helsinki)
    talk(helsinki, london)
    london.negotiations.counter(london.one().pid, OTHER, ABOUT, by="Ben")
    talk(helsinki, london)
    assert helsinki.one().terms == london.one().terms
    assert (helsinki.one().offered_by, london.one().offered_by) == ("them", "us")
    less = {**OTHER, "@id": ""}
    helsinki.negotiations.counter(helsinki.one().pid, less, {**ABOUT, "note": "Only these."}, by="Aino")
    talk(helsinki, london)
    assert london.one().about["note"] == "Only these."
    london.decider.script, helsinki.decider.script = AGREES, SIGNS
    london.negotiations.settle(london.one().pid)
    talk(helsinki, london)
    check_concluded(helsinki, london)
    assert kinds(helsinki)[:3] == ["out request", "in offer", "out request"]
    carried = [each.terms for each in helsinki.negotiations.messages(helsinki.one().pid)[:3]]
    assert len(set(carried)) == 3
    for each in databases:
        each.close()


def test_a_provider_can_begin(sides: Sides) -> None:
    helsinki, london = sides
    london.negotiations.offer(HELSINKI, OFFER, ABOUT, by="Ben")
    talk(*sides)
    check_concluded(helsinki, london)
    assert kinds(london)[:3] == ["out offer", "in accept", "out agree"]


def test_nobody_is_asked_twice_about_the_same(sides: Sides) -> None:
    helsinki, london = sides
    london.decider.script = lambda _: None
    ask(helsinki)
    talk(*sides)
    asked = london.decider.asked
    assert not london.negotiations.due(london.clock())
    assert london.deliver() == 0
    assert london.decider.asked == asked == 1


STEPS = ["request", "offers", "events", "agreement", "agreement/verification"]


@pytest.mark.slow  # every message and every answer is lost once
@pytest.mark.parametrize("lost", ["message", "answer"])
@pytest.mark.parametrize("step", STEPS)
def test_what_is_lost_is_said_again_and_counts_once(sides: Sides, step: str, lost: str) -> None:
    helsinki, london = sides
    losses = {step: 2}

    def lose(path: str, _who: str) -> str:
        losses[path] = losses.get(path, 0) - 1
        return lost if losses[path] >= 0 else ""

    helsinki.line.lose = lose
    london.decider.script = by_state(REQUESTED="offer", ACCEPTED="agree", VERIFIED="finalize")
    ask(helsinki)
    wait(*sides)
    check_concluded(helsinki, london)
    expected = ["out request", "in offer", "out accept", "in agree", "out verify", "in finalize"]
    assert kinds(helsinki) == expected


def test_a_message_that_only_follows_on_ours_proves_that_ours_arrived(sides: Sides) -> None:
    helsinki, london = sides
    helsinki.line.lose = lambda _path, who: "answer" if who == HELSINKI else ""
    london.decider.script = by_state(REQUESTED="offer", ACCEPTED="agree", VERIFIED="finalize")
    ask(helsinki)
    talk(*sides)
    check_concluded(helsinki, london)


def test_before_anything_is_said_again_the_other_side_is_asked_how_it_stands(sides: Sides) -> None:
    helsinki, london = sides
    london.decider.script = by_state(REQUESTED="offer")
    fates = iter(["", "", "answer"])
    helsinki.line.lose = lambda _path, _who: next(fates, "")
    ask(helsinki)
    wait(*sides)
    said = [step for who, step in helsinki.line.said if who == HELSINKI]
    assert said == ["request", "events", "state"]
    assert helsinki.states() == london.states() == ["ACCEPTED"]


def test_a_peer_that_never_answers_ends_it_after_a_week_with_a_reason(sides: Sides) -> None:
    helsinki, london = sides
    helsinki.line.lose = lambda _path, _who: "message"
    ask(helsinki)
    talk(*sides)
    assert helsinki.states() == [""]
    helsinki.clock.now_ms += GIVE_UP_MS + LEASE_MS
    talk(*sides)
    held = helsinki.one()
    assert (held.state, held.code) == ("TERMINATED", "unreachable")
    assert "citynode peers test" in held.reasons[0]
    assert not london.negotiations.list()


def test_what_the_other_side_refuses_ends_it_and_both_know_why(sides: Sides) -> None:
    helsinki, london = sides
    helsinki.line.refuse = lambda path, _who: Refused("The agreement is not signed.") if path == "agreement" else None
    ask(helsinki)
    talk(*sides)
    for side in sides:
        assert side.one().state == "TERMINATED"
        assert "The agreement is not signed." in side.one().reasons[0]
        assert side.one().reasons[0].endswith("begin anew.")
    assert not london.in_force()


def test_with_a_peer_that_is_paused_nothing_is_exchanged_until_it_is_resumed(sides: Sides) -> None:
    helsinki, london = sides
    ask(helsinki)
    helsinki.parties.strangers.add(LONDON)
    talk(*sides)
    assert helsinki.states() == [""]
    with pytest.raises(NotFound):
        helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    helsinki.parties.strangers.clear()
    wait(*sides)
    check_concluded(helsinki, london)


def test_messages_to_a_dead_peer_cost_one_attempt_a_round(sides: Sides) -> None:
    helsinki, _ = sides
    helsinki.line.lose = lambda _path, _who: "message"
    for _ in range(5):
        ask(helsinki)
    helsinki.deliver()
    assert len(helsinki.line.said) == 1
    assert not helsinki.negotiations.due(helsinki.clock())


class Doom:
    """Kills at the nth place where it is asked."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.happened = False

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.happened = True
            raise Killed


class Doomed:
    """A way on which the process may die before and after each message."""

    def __init__(self, way: Way, doom: Doom) -> None:
        self.way, self.doom = way, doom
        self.endpoints, self.state = way.endpoints, way.state

    def send(self, *said: Any) -> Any:
        self.doom()
        answer = self.way.send(*said)
        self.doom()
        return answer


def doomed(script: Script, doom: Doom) -> Script:
    def decide(negotiation: Negotiation) -> Any:
        doom()
        return script(negotiation)

    return decide


@pytest.mark.slow
def test_killed_between_any_two_steps_it_goes_on_where_it_was(make: Make) -> None:
    for number in itertools.count(1):
        doom = Doom(number)
        helsinki, london = make()
        for side, script in ((helsinki, SIGNS), (london, AGREES)):
            side.wrap = lambda way, doom=doom: Doomed(way, doom)  # type: ignore[misc]
            side.decider.script = doomed(script, doom)
            side.crash = doom
            side.restart()
        london.decider.script = doomed(by_state(REQUESTED="offer", ACCEPTED="agree", VERIFIED="finalize"), doom)
        ask(helsinki)
        for _ in range(4):
            try:
                talk(helsinki, london)
            except Killed:
                helsinki.restart()
                london.restart()
            helsinki.clock.now_ms += LEASE_MS
        check_concluded(helsinki, london)
        for side in (helsinki, london):
            side.db.close()
        if not doom.happened:
            break
    assert number > 15


# ---------------------------------------------------------------- decided


def test_a_step_that_does_not_fit_changes_nothing(sides: Sides) -> None:
    helsinki, london = sides
    london.decider.script = by_state(REQUESTED="finalize")
    ask(helsinki)
    talk(*sides)
    assert london.states() == ["REQUESTED"]
    assert not london.one().sending
    with pytest.raises(Conflict):
        london.negotiations.settle(london.one().pid)


def test_a_decider_that_cannot_say_now_is_asked_again_later(sides: Sides) -> None:
    from node.errors import JournalBusy

    helsinki, london = sides
    busy = [True]

    def script(negotiation: Negotiation) -> Any:
        if busy:
            raise JournalBusy("Busy.")
        return AGREES(negotiation)

    london.decider.script = script
    ask(helsinki)
    talk(*sides)
    assert london.states() == ["REQUESTED"]
    busy.clear()
    assert not london.negotiations.due(london.clock())
    wait(*sides, times=2)
    check_concluded(helsinki, london)


def test_while_our_message_is_on_its_way_nothing_else_is_decided(sides: Sides) -> None:
    helsinki, _ = sides
    held = ask(helsinki)
    with pytest.raises(Conflict, match="not been taken yet"):
        helsinki.negotiations.counter(held.pid, OFFER, ABOUT)


def test_a_counter_offer_is_about_the_same_dataset(sides: Sides) -> None:
    helsinki, london = sides
    london.decider.script = lambda _: None
    ask(helsinki)
    talk(*sides)
    with pytest.raises(Refused, match="one dataset"):
        london.negotiations.counter(london.one().pid, {**OFFER, "target": f"{LONDON}/collections/other"}, ABOUT)


def test_what_is_unknown_in_our_own_terms_is_refused_before_anything_is_written(sides: Sides) -> None:
    helsinki, _ = sides
    with pytest.raises(Refused, match="fly"):
        helsinki.negotiations.request(LONDON, {**OFFER, "permission": [{"action": "fly"}]}, ABOUT)
    with pytest.raises(Refused, match="target"):
        helsinki.negotiations.request(LONDON, {**OFFER, "target": ""}, ABOUT)
    assert not helsinki.negotiations.list()
