"""Giving a signed tail up on the command line: not while a peer can give it back, and then for good."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.cli import recover
from node.cli.main import main
from tests.federation.exchange.test_recover import MIRROR, append, burnt, mark_restored
from tests.federation.history_rig import NAME, Town, now_ms, towns

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

REASON = ("--new-epoch", NAME, "--reason", "The disk burnt.")
Cities = tuple[Town, Town, Town]
Said = Callable[..., tuple[int, str]]


@pytest.fixture
def three(tmp_path: Path, migrated: Path) -> Iterator[Cities]:
    with towns(tmp_path, migrated, "helsinki", "london", "oslo") as (helsinki, london, oslo):
        yield helsinki, london, oslo


@pytest.fixture
def at_helsinki(three: Cities, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Said:
    """Run `citynode recover` on the node of Helsinki, as it stands then."""
    monkeypatch.setattr(recover, "opened", lambda _: contextlib.nullcontext(three[0].node))

    def say(*words: str) -> tuple[int, str]:
        capfd.readouterr()
        code = main(["recover", *words])
        return code, "".join(capfd.readouterr())

    return say


def stubs_only(*mirrors: Town) -> None:
    for mirror in mirrors:
        with mirror.node.db.write() as tx:
            tx.run("UPDATE entry SET op = NULL, record = NULL, digest = NULL, salt = NULL WHERE seq = 5")


def test_what_a_peer_can_give_back_is_not_given_up(three: Cities, at_helsinki: Said):
    helsinki, london, _ = three
    burnt(helsinki, london)
    mark_restored(helsinki)
    code, said = at_helsinki(*REASON, "--yes")
    assert (code, f"london holds 8 entries of {NAME} that were signed" in said) == (1, True), said
    assert "citynode recover" in said
    assert helsinki.watching.epochs.published(NAME) == []
    assert at_helsinki()[0] == 0
    assert helsinki.size() == 8


def test_a_check_names_the_command_that_helps(three: Cities, at_helsinki: Said):
    helsinki, london, _ = three
    burnt(helsinki, london)
    code, said = at_helsinki("--check")
    assert (code, "Run: citynode recover" in said) == (1, True), said


def test_a_restored_node_is_not_told_that_nothing_is_missing_before_its_peers_were_asked(
    three: Cities, at_helsinki: Said
):
    helsinki, london, oslo = three
    burnt(helsinki, london)
    mark_restored(helsinki)
    london.stop()
    code, said = at_helsinki(*REASON, "--yes")
    assert (code, "Not known yet" in said, "london" in said) == (1, True, True), said
    oslo.stop()
    assert "Nothing that was signed" not in at_helsinki(*REASON, "--yes")[1]


def test_nothing_is_given_up_before_a_person_agreed_to_what_is_said(three: Cities, at_helsinki: Said):
    helsinki, london, oslo = three
    burnt(helsinki, london)
    stubs_only(london)
    assert at_helsinki("--check")[0] == 1
    oslo.stop()
    code, said = at_helsinki(*REASON)
    assert (code, "Entries 4 to 8 are given up for good" in said, "say --yes" in said) == (1, True, True), said
    assert "london cannot give them back" in said
    assert "oslo gave no answer" in said
    assert helsinki.watching.epochs.published(NAME) == []
    assert at_helsinki("--new-epoch", NAME)[0] == 1


def test_what_was_given_up_is_never_fetched_back(three: Cities, at_helsinki: Said):
    helsinki, london, oslo = three
    burnt(helsinki, london, oslo)
    oslo.stop()  # it has the whole tail, and cannot be reached now
    stubs_only(london)
    code, said = at_helsinki(*REASON, "--yes")
    assert code == 0, said
    oslo.start()
    for _ in range(2):
        assert at_helsinki("--check")[0] == 0
        assert at_helsinki()[0] == 0
        outcome = helsinki.watching.recovery.run(now_ms())  # what the worker does
        assert (outcome.recovered, outcome.held_back, helsinki.size()) == ((), "", 3)
    heads = london.node.federation.client.heads(oslo.url).heads
    helsinki.watching.recovery.notice("oslo", heads, now_ms())
    append(helsinki)
    assert helsinki.watching.recovery.run(now_ms()).held_back == ""
    assert (helsinki.size(), len(helsinki.watching.epochs.published(NAME))) == (4, 1)


def test_a_tail_that_is_longer_than_was_known_is_given_up_too(three: Cities, at_helsinki: Said):
    helsinki, london, oslo = three
    helsinki.put(range(3))
    copy = helsinki.backup()
    helsinki.put(range(3, 5))
    london.mirror(helsinki)
    helsinki.put(range(5, 9))
    oslo.mirror(helsinki)
    helsinki.restore(copy)
    stubs_only(london)
    oslo.stop()
    assert at_helsinki(*REASON, "--yes")[0] == 0
    oslo.start()
    outcome = helsinki.watching.recovery.run(now_ms())
    assert (outcome.recovered, outcome.held_back, helsinki.size()) == ((), "", 3)


def test_the_new_history_comes_back_although_others_still_show_the_old_one(three: Cities, at_helsinki: Said):
    helsinki, london, oslo = three
    burnt(helsinki, london, oslo)
    stubs_only(london, oslo)
    assert at_helsinki(*REASON, "--yes")[0] == 0
    copy = helsinki.backup()
    helsinki.put([50, 51], "After")
    london.watching.epochs.look("helsinki", NAME, now_ms())
    london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
    london.mirror(helsinki)
    root = helsinki.root(5)
    helsinki.restore(copy)
    assert at_helsinki()[0] == 0
    assert (helsinki.size(), helsinki.root(5), london.root(5, MIRROR)) == (5, root, root)


def test_a_tail_that_is_under_way_when_it_is_given_up_is_not_written(
    three: Cities, at_helsinki: Said, monkeypatch: pytest.MonkeyPatch
):
    helsinki, london, _ = three
    burnt(helsinki, london)
    recovery = helsinki.watching.recovery
    real = recovery._write

    def late(*args: object) -> object:
        helsinki.watching.epochs.open(NAME, "Meanwhile.", now_ms())
        return real(*args)

    monkeypatch.setattr(type(recovery), "_write", lambda _, *args: late(*args))
    outcome = recovery.run(now_ms())
    assert "not written" in outcome.recovered[0].error
    assert helsinki.size() == 3


def test_a_fork_ends_with_an_epoch_from_where_the_two_parted(three: Cities, at_helsinki: Said):
    helsinki, london, _ = three
    burnt(helsinki, london)
    helsinki.put(range(50, 57), "Another history")  # nobody was asked, and now it is longer than what was lost
    code, said = at_helsinki("--check")
    assert (code, "london holds 8 entries" in said) == (1, True), said
    assert "two histories" in at_helsinki()[1]
    code, said = at_helsinki(*REASON, "--yes")
    assert (code, "Up to entry 3 the two are one" in said) == (0, True), said
    offered = london.watching.epochs.look("helsinki", NAME, now_ms())
    assert offered is not None
    assert (offered.from_size, helsinki.size()) == (3, 10)
    london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
    assert london.size(MIRROR) == 3
    london.mirror(helsinki)
    assert london.root(10, MIRROR) == helsinki.root(10)
    assert at_helsinki()[0] == 0
    append(helsinki)


def test_a_check_of_what_is_level_says_so(three: Cities, at_helsinki: Said):
    helsinki, london, _ = three
    helsinki.put(range(3))
    london.mirror(helsinki)
    for words in ((), ("--check",)):
        code, said = at_helsinki(*words)
        assert (code, said) == (0, "Asked london, oslo\nNothing that was signed is missing, as far as they show\n")
