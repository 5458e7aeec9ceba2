"""Negotiations between two sides: told to the end, repeated, lost on the way, killed at every step, and ended early."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.errors import Conflict, NotFound, Refused
from node.federation.agreements.text import read_text
from node.federation.dialogues.outgoing import GIVE_UP_MS, LEASE_MS
from node.federation.negotiation import Negotiation
from node.keys import Keyring
from tests.conftest_db import BOTH, _urls
from tests.federation.negotiating import (
    ABOUT,
    HELSINKI,
    LONDON,
    OFFER,
    OTHER,
    TARGET,
    Clock,
    Known,
    Line,
    Script,
    Side,
    Way,
    by_state,
    talk,
)

pytestmark = pytest.mark.slow  # seconds in all

AGREES = by_state(REQUESTED="agree", ACCEPTED="agree", VERIFIED="finalize")
SIGNS = by_state(OFFERED="accept", AGREED="verify")
Sides = tuple[Side, Side]
Make = Callable[..., Sides]


@pytest.fixture
def make(keyring: Keyring, their_keys: Keyring, tmp_path: Path, migrated: Path) -> Make:
    """Make Helsinki (consumer) and London (provider), each on a database of its own."""
    numbers = itertools.count()

    def database() -> Database:
        import shutil

        path = tmp_path / f"{next(numbers)}.db"
        shutil.copy(migrated, path)
        return Database(f"sqlite:///{path}")

    def build(**more: Any) -> Sides:
        clock, line, keys = Clock(), Line(), {HELSINKI: keyring, LONDON: their_keys}
        # Proofs are made with keys that exist by then.
        clock.now_ms = max(key.since_ms for ring in keys.values() for key in ring.published()) + 1_000_000
        helsinki, london = (
            Side(url, more.get("database", database)(), clock, line, Known(keys)) for url in (HELSINKI, LONDON)
        )
        helsinki.decider.script, london.decider.script = SIGNS, AGREES
        return helsinki, london

    return build


@pytest.fixture
def sides(make: Make) -> Sides:
    return make()


def ask(helsinki: Side) -> Negotiation:
    return helsinki.negotiations.request(LONDON, OFFER, ABOUT, by="Aino")


def kinds(side: Side) -> list[str]:
    return [f"{each.direction} {each.kind}" for each in side.negotiations.messages(side.one().pid)]


def turned(said: list[str]) -> list[str]:
    return [each.replace("in ", "x ").replace("out ", "in ").replace("x ", "out ") for each in said]


def check_concluded(helsinki: Side, london: Side) -> None:
    ours, theirs = helsinki.one(), london.one()
    assert (ours.state, theirs.state) == ("FINALIZED", "FINALIZED")
    assert ours.signed == theirs.signed
    assert len(read_text(ours.signed).proofs) == 2
    assert helsinki.in_force() == london.in_force() == [ours.agreement]
    assert ours.agreement.startswith(f"{LONDON}/agreements/")
    assert (ours.other_pid, theirs.other_pid) == (theirs.pid, ours.pid)
    assert not ours.sending
    assert not theirs.sending
    assert kinds(london) == turned(kinds(helsinki))


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


# ---------------------------------------------------------------- lost on the way


def wait(*sides: Side, times: int = 12) -> None:
    """Let time pass until everything was tried again."""
    for _ in range(times):
        talk(*sides)
        sides[0].clock.now_ms += LEASE_MS


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


# ---------------------------------------------------------------- killed


class Killed(BaseException):
    """The process ends here."""


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


# ---------------------------------------------------------------- ended


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
