"""Negotiations that are ended: early, by either side, unheard, too late, or over there already."""

import pytest

from node.errors import Conflict, Refused
from node.federation.dialogues.outgoing import GIVE_UP_MS, LEASE_MS
from tests.federation.negotiating import ABOUT, HELSINKI, LONDON, OFFER, OTHER, Script, Side, by_state, talk
from tests.federation.negotiations.rig import AGREES, SIGNS, Killed, Sides, ask, check_concluded, kinds, wait

pytestmark = pytest.mark.slow  # seconds in all


def test_reasons_are_kept_and_shown_both_ways(sides: Sides) -> None:
    helsinki, london = sides
    london.decider.script = lambda _: None
    ask(helsinki)
    talk(*sides)
    london.negotiations.terminate(london.one().pid, "no-purpose", ["Name a purpose and ask again."], by="Ben")
    talk(*sides)
    for side, who in ((helsinki, "them"), (london, "us")):
        assert side.one().state == "TERMINATED"
        assert side.one().code == "no-purpose"
        assert side.one().reasons == ("Name a purpose and ask again.",)
        assert side.one().reason["by"] == who
    with pytest.raises(Conflict, match="new one"):
        london.negotiations.terminate(london.one().pid, "again", ["No."])


def test_what_was_never_sent_is_ended_without_a_word(sides: Sides) -> None:
    helsinki, london = sides
    held = ask(helsinki)
    helsinki.negotiations.terminate(held.pid, "mistake", ["It was a mistake."], by="Aino")
    talk(*sides)
    assert helsinki.states() == ["TERMINATED"]
    assert not london.negotiations.list()


@pytest.mark.parametrize("lost", ["message", "answer"])
def test_an_end_waits_for_the_answer_to_what_is_on_its_way(sides: Sides, lost: str) -> None:
    """The agreement went out and nobody answered; then a person ends it. Whether it arrived is found out first."""
    helsinki, london = sides
    helsinki.line.lose = lambda path, _who: lost if path == "agreement" else ""
    helsinki.decider.script = lambda _: None
    ask(helsinki)
    talk(*sides)
    london.negotiations.terminate(london.one().pid, "withdrawn", ["We withdraw it."], by="Ben")
    london.negotiations.terminate(london.one().pid, "withdrawn", ["We withdraw it."], by="Ben")
    assert london.one().sending == ("agree", "terminate")
    wait(*sides, times=3)
    assert helsinki.states() == london.states() == ["TERMINATED"]
    assert helsinki.one().code == "withdrawn"
    assert ("in agree" in kinds(helsinki)) == (lost == "answer")


def test_a_first_message_that_nobody_answered_is_ended_here(sides: Sides) -> None:
    helsinki, _london = sides
    helsinki.line.lose = lambda _path, _who: "message"
    held = ask(helsinki)
    talk(*sides)
    helsinki.negotiations.terminate(held.pid, "mistake", ["It was a mistake."])
    wait(*sides, times=2)
    assert helsinki.states() == ["TERMINATED"]
    assert helsinki.one().code == "mistake"


def test_an_end_of_what_nobody_answered_is_told_once_the_other_side_is_known(sides: Sides) -> None:
    helsinki, london = sides
    helsinki.line.lose = lambda path, _who: "answer" if path == "request" else ""
    london.decider.script = by_state(REQUESTED="offer")
    held = ask(helsinki)
    helsinki.deliver()
    helsinki.negotiations.terminate(held.pid, "mistake", ["It was a mistake."])
    talk(*sides)
    assert helsinki.states() == london.states() == ["TERMINATED"]
    assert london.one().code == "mistake"


def test_an_end_that_nobody_could_be_told_is_found_out_by_whoever_goes_on(sides: Sides) -> None:
    helsinki, london = sides
    helsinki.line.lose = lambda path, _who: "answer" if path == "request" else ""
    held = ask(helsinki)
    helsinki.deliver()
    helsinki.negotiations.terminate(held.pid, "mistake", ["It was a mistake."])
    london.decider.script = lambda _: None
    wait(*sides, times=3)
    assert (helsinki.states(), london.states()) == (["TERMINATED"], ["REQUESTED"])
    london.decider.script = by_state(REQUESTED="offer")
    london.negotiations.settle(london.one().pid)
    talk(*sides)
    assert london.states() == ["TERMINATED"]
    assert "ended without agreement" in london.one().reasons[0]


@pytest.mark.parametrize("script", [by_state(REQUESTED="terminate"), by_state(OFFERED="terminate")])
def test_a_decider_can_end_it_with_reasons(sides: Sides, script: Script) -> None:
    helsinki, london = sides
    london.decider.script = lambda n: script(n) or (by_state(REQUESTED="offer")(n))
    helsinki.decider.script = lambda _: None
    ask(helsinki)
    talk(*sides)
    assert helsinki.states() == london.states() == ["TERMINATED"]
    assert helsinki.one().reasons == ("Ask again.",)


def test_an_end_that_the_other_side_does_not_take_stands_here(sides: Sides) -> None:
    helsinki, london = sides
    london.decider.script = lambda _: None
    ask(helsinki)
    talk(*sides)
    helsinki.line.refuse = lambda path, _who: Refused("No.") if path == "termination" else None
    london.negotiations.terminate(london.one().pid, "withdrawn", ["We withdraw it."])
    talk(*sides)
    assert london.one().state == "TERMINATED"
    assert london.one().code == "withdrawn"


def test_what_a_person_is_ending_is_not_made_final(sides: Sides) -> None:
    """Helsinki's word that it ends it is lost; meanwhile London finalizes. Both have ended it, and nothing stands."""
    helsinki, london = sides
    london.decider.script = by_state(REQUESTED="agree")
    ask(helsinki)
    talk(*sides)
    assert helsinki.states() == london.states() == ["VERIFIED"]
    helsinki.line.lose = lambda path, _who: "message" if path == "termination" else ""
    helsinki.negotiations.terminate(helsinki.one().pid, "mistake", ["It was a mistake."], by="Aino")
    helsinki.deliver()
    assert helsinki.one().trouble
    london.decider.script = AGREES
    london.negotiations.settle(london.one().pid)
    london.deliver()
    helsinki.line.lose = lambda _path, _who: ""
    wait(*sides, times=3)
    assert helsinki.states() == london.states() == ["TERMINATED"]
    assert "It was a mistake." in london.one().reasons[0]
    assert not helsinki.in_force()
    assert not london.in_force()


def final_without_an_answer(helsinki: Side, london: Side) -> None:
    ask(helsinki)
    helsinki.line.lose = lambda path, who: "answer" if (path, who) == ("events", LONDON) else ""
    talk(helsinki, london)
    assert (helsinki.states(), london.states()) == (["FINALIZED"], ["VERIFIED"])


def test_what_may_be_final_over_there_is_never_given_up(sides: Sides) -> None:
    helsinki, london = sides
    final_without_an_answer(*sides)
    helsinki.line.lose = lambda _path, _who: "message"
    london.clock.now_ms += GIVE_UP_MS + LEASE_MS
    talk(*sides)
    assert london.states() == ["VERIFIED"]
    helsinki.line.lose = lambda _path, _who: ""
    wait(*sides, times=12)
    check_concluded(helsinki, london)


def refuse() -> None:
    raise Conflict("This agreement is held already.")


def test_what_cannot_be_concluded_here_holds_up_nothing_else(sides: Sides) -> None:
    helsinki, london = sides
    final_without_an_answer(*sides)
    london.crash = refuse
    helsinki.line.lose = lambda _path, _who: ""
    london.clock.now_ms += LEASE_MS
    london.negotiations.offer(HELSINKI, OFFER, ABOUT)
    london.deliver()
    assert sorted(helsinki.states()) == ["FINALIZED", "OFFERED"]
    assert sorted(london.states()) == ["OFFERED", "VERIFIED"]
    assert not london.in_force()
    london.crash = lambda: None
    wait(*sides, times=3)
    assert "FINALIZED" in london.states()
    assert helsinki.in_force()[0] in london.in_force()


def break_off(*_: object) -> None:
    raise Killed


def test_what_belongs_to_a_message_stands_with_it_or_neither_does(sides: Sides) -> None:
    helsinki, london = sides
    for begin in (helsinki.negotiations.request, helsinki.negotiations.offer):
        with pytest.raises(Killed):
            begin(LONDON, OFFER, ABOUT, within=break_off)
    assert not helsinki.states()
    assert not helsinki.deliver()
    london.decider.script = lambda _: None
    ask(helsinki)
    talk(*sides)
    with pytest.raises(Killed):
        london.negotiations.counter(london.one().pid, OTHER, ABOUT, within=break_off)
    assert not london.one().sending


def test_what_is_final_over_there_is_not_ended_here(sides: Sides) -> None:
    helsinki, london = sides
    final_without_an_answer(*sides)
    london.negotiations.terminate(london.one().pid, "withdrawn", ["We withdraw it."])
    helsinki.line.lose = lambda _path, _who: ""
    wait(*sides, times=3)
    check_concluded(helsinki, london)


def test_an_end_that_comes_too_late_finds_out_that_it_is_final(sides: Sides) -> None:
    """London had given up saying that it is final, although it had been heard."""
    helsinki, london = sides
    final_without_an_answer(*sides)
    london.negotiations.terminate(london.one().pid, "withdrawn", ["We withdraw it."])
    with london.db.write() as tx:
        tx.run("UPDATE outgoing SET done_at = 1 WHERE step = 'finalize'")
    helsinki.line.lose = lambda _path, _who: ""
    wait(*sides, times=3)
    assert london.states() == helsinki.states() == ["FINALIZED"]
    assert helsinki.in_force() == london.in_force() == [london.one().agreement]


def test_a_refusal_while_a_person_ends_it_is_told_with_the_persons_reasons(sides: Sides) -> None:
    helsinki, london = sides
    london.decider.script = by_state(REQUESTED="agree")
    helsinki.line.lose = lambda path, _who: "message" if path == "agreement" else ""
    ask(helsinki)
    talk(*sides)
    london.negotiations.terminate(london.one().pid, "withdrawn", ["We withdraw it."])
    helsinki.line.lose = lambda path, _who: "all" if path == "state" else ""
    helsinki.line.refuse = lambda path, _who: Refused("No.") if path == "agreement" else None
    wait(*sides, times=1)
    helsinki.line.lose = lambda _path, _who: ""
    wait(*sides, times=4)
    assert helsinki.states() == london.states() == ["TERMINATED"]
    assert helsinki.one().reasons == london.one().reasons == ("We withdraw it.",)


def test_an_end_that_was_not_heard_is_found_when_we_ask(sides: Sides) -> None:
    """London ended it and could not tell; Helsinki's acceptance is refused, and it asks why."""
    helsinki, london = sides
    helsinki.decider.script = lambda _: None
    london.decider.script = by_state(REQUESTED="offer")
    ask(helsinki)
    talk(*sides)
    helsinki.line.lose = lambda _path, who: "message" if who == LONDON else ""
    london.negotiations.terminate(london.one().pid, "withdrawn", ["We withdraw it."])
    talk(*sides)
    london.clock.now_ms += GIVE_UP_MS + LEASE_MS
    talk(*sides)
    assert london.states() == ["TERMINATED"]
    helsinki.decider.script = SIGNS
    helsinki.negotiations.settle(helsinki.one().pid)
    talk(*sides)
    assert (helsinki.one().state, helsinki.one().code) == ("TERMINATED", "ended-there")
