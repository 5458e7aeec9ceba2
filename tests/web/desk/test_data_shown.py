"""Laws of how data that move are said: every state has words, and nobody is offered what is of no use."""

from string import Formatter
from typing import get_args

import pytest

from node.federation.evidence.found import SENTENCES
from node.federation.evidence.statements import Kind as StatementKind
from node.federation.moved import (
    ConsentTold,
    Message,
    OriginTold,
    PullTold,
    StatementTold,
    Streamed,
    TransferTold,
    WithdrawalTold,
)
from node.federation.pulls.store import State as PullState
from node.federation.transfer import STATES, PausedBy
from node.web.desk import data_shown as shown
from node.web.wording.words import known, table

LANGUAGES = ("en", "fi", "sv")
MESSAGES = ("TransferRequest", "TransferStart", "TransferSuspension", "TransferCompletion", "TransferTermination")


def transfer(state: str, paused_by: str = "", **more: object) -> TransferTold:
    made = {
        "pid": "p", "role": "provider", "peer": "https://london.example", "state": state, "format": "HttpData-PULL",
        "agreement": "urn:a", "dataset": "urn:d", "part": "", "purpose": "", "clause": "", "paused_by": paused_by,
        "reasons": (), "by": "", "requested_ms": 1, "started_ms": 2, "changed_ms": 3,
    }  # fmt: skip
    return TransferTold(**(made | more))  # type: ignore[arg-type]


def pull(state: str) -> PullTold:
    return PullTold(1, "urn:d", "", "", "", "HttpData-PULL", "", "", "", state, "", 0, 0, "", 1, 1)


def statement(kind: str, at_ms: int = 9) -> StatementTold:
    return StatementTold("urn:s", kind, "p", "", "", "", at_ms, {})


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("paused_by", get_args(PausedBy))
def test_every_state_of_a_transfer_has_words_and_a_sentence(state: str, paused_by: str) -> None:
    told = transfer(state, paused_by)
    assert known(shown.transfer_look(told)[0])
    assert known(f"desk.data.means.{state or 'SENDING'}")
    for act in shown.acts(told):
        assert all(known(f"desk.data.act.{act}{end}") for end in ("", ".more", ".go"))
        assert known(f"desk.data.note.{act}")


def test_what_the_other_side_or_the_agreement_paused_is_not_ours_to_begin_again() -> None:
    assert "resume" in shown.acts(transfer("SUSPENDED", "us"))
    assert "resume" not in shown.acts(transfer("SUSPENDED", "them"))
    assert "resume" not in shown.acts(transfer("SUSPENDED", "agreement"))


@pytest.mark.parametrize("state", ["COMPLETED", "TERMINATED"])
def test_what_has_ended_offers_nothing(state: str) -> None:
    assert shown.acts(transfer(state)) == ()


@pytest.mark.parametrize("state", get_args(PullState))
def test_every_state_of_a_pull_has_words_and_only_acts_that_fit(state: str) -> None:
    told = pull(state)
    assert shown.pull_look(told)[0] == f"desk.data.pull.{state}"
    assert known(shown.pull_look(told)[0])
    assert all(known(f"desk.data.pull.{act}") for act in shown.pull_acts(told))
    assert bool(shown.pull_acts(told)) == (state not in ("done", "cancelled"))
    assert shown.is_live(told) == (state in ("waiting", "running"))


@pytest.mark.parametrize("kind", [*get_args(StatementKind), "of another day"])
def test_every_kind_of_evidence_has_words_and_what_is_wrong_never_looks_right(kind: str) -> None:
    told = statement(kind)
    assert known(shown.statement_key(told))
    assert known(shown.statement_key(told) + ".more")
    assert (shown.statement_look(told)[0] == "warn") == (kind in ("difference", "one-sided"))


def test_the_story_is_told_from_its_end_and_every_stream_says_how_it_ended() -> None:
    streams = (
        Streamed("a.csv", 0, 5, begun_ms=20, ended_ms=30, how="cut"),
        Streamed("a.csv", 5, 7, begun_ms=40, ended_ms=0, how=""),
    )
    history = (Message(10, "in", "TransferRequest"), Message(15, "out", "TransferStart"))
    story = shown.course(transfer("STARTED", streams=streams, history=history), [statement("cut", 35)])
    assert [step.at_ms for step in story] == [40, 35, 30, 20, 15, 10]
    assert [step.style for step in story] == ["now", "done", "held", "done", "done", "done"]
    assert story[2].key == "desk.data.step.stream.cut"
    assert (story[2].part, story[2].sent) == ("a.csv", 5)
    assert all(known(step.key) for step in story)


@pytest.mark.parametrize("how", ["done", "handed", "cut", "gone", "stalled", "broken", "in a way to come"])
def test_however_a_stream_ended_there_are_words_and_only_done_looks_done(how: str) -> None:
    streams = (Streamed("a", 0, 1, 1, 2, how),)
    step = shown.course(transfer("STARTED", streams=streams, history=(Message(0, "in", "x"),)))[0]
    assert known(step.key)
    assert (step.style == "done") == (how in ("done", "handed"))


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("name", [*MESSAGES, "TransferSomethingToCome"])
def test_every_message_is_said(direction: str, name: str) -> None:
    (step,) = shown.course(transfer("STARTED", history=(Message(1, direction, name),)))
    assert known(step.key)
    assert step.key.endswith(".other") == (name not in MESSAGES)


def test_an_origin_a_source_and_a_withdrawal_say_how_they_stand() -> None:
    good = OriginTold("urn:d", "a", "https", "https://x.example", "", "", "", 0)
    bad = OriginTold("urn:d", "a", "s3", "s3://b/k", "", "", "It is gone.", 5)
    assert [shown.origin_look(one)[1] for one in (good, bad)] == ["ok", "warn"]
    sources = [ConsentTold("c", "http", "", *rest) for rest in ((0, ""), (5, ""), (5, "It is away."))]
    looks = [shown.consent_look(one) for one in sources]
    assert [look[1] for look in looks] == ["", "ok", "bad"]
    gone = [
        WithdrawalTold("w", direction, "", "", "", 1, 2, acknowledged, erased, "")  # type: ignore[arg-type]
        for direction in ("in", "out")
        for acknowledged, erased in ((0, 0), (3, 0), (3, 4))
    ]
    looks += [shown.withdrawal_look(one) for one in gone]
    assert [shown.withdrawal_look(one)[1] for one in gone] == ["warn", "warn", "ok", "", "", "ok"]
    assert all(known(look[0]) for look in looks)


@pytest.mark.parametrize("code", SENTENCES)
def test_what_a_check_of_evidence_finds_is_said_in_every_language_with_the_same_facts(code: str) -> None:
    said = {language: table(language)[f"desk.data.found.{code}"] for language in LANGUAGES}
    assert said["en"] == SENTENCES[code], "the command and the desk say the same"
    facts = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in said.values()]
    assert facts == [facts[0]] * len(LANGUAGES)
