"""A city that comes back from an old backup: it writes nothing before it has its own signed tail again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.errors import BrokenHistory
from node.journal import Draft, behind, note
from node.journal.verify import verify
from tests.federation.history_rig import NAME, Town, now_ms, title, towns

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

MIRROR = f"helsinki/{NAME}"


@pytest.fixture
def three(tmp_path: Path, migrated: Path) -> Iterator[tuple[Town, Town, Town]]:
    with towns(tmp_path, migrated, "helsinki", "london", "oslo", serve=False) as (helsinki, london, oslo):
        yield helsinki.start(), london.start(), oslo


def mark_restored(town: Town) -> None:
    with town.node.db.write() as tx:
        behind.mark_restored(tx, now_ms())


def append(town: Town) -> None:
    draft = Draft(town.record(99), "d99", "dataset", "put", title(town.record(99), "New"))
    with town.node.db.write() as tx:
        town.node.journals.append(tx, NAME, [draft], at_ms=now_ms())


def burnt(helsinki: Town, *mirrors: Town) -> None:
    """Let a city sign five entries more than its backup has, one of them an erasure, all mirrored."""
    helsinki.put(range(3))
    copy = helsinki.backup()
    helsinki.put(range(3, 5))
    helsinki.put([1], "Superseded")
    helsinki.put([1], "Newest")
    helsinki.erase(6)
    for mirror in mirrors:
        mirror.mirror(helsinki)
    helsinki.restore(copy)


def test_a_restored_city_gets_its_tail_back_to_the_byte(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    burnt(helsinki, london)
    mark_restored(helsinki)
    outcome = helsinki.watching.recovery.run(now_ms())
    (one,) = outcome.recovered
    assert (one.error, one.entries, one.size, one.peer) == ("", 5, 8, "london")
    assert helsinki.root(8) == london.root(8, MIRROR)
    assert helsinki.entries() == london.entries(MIRROR)
    assert note.checkpoint_of(note.parse(helsinki.newest()).text).size == 8
    verify(helsinki.node.journals, NAME, helsinki.node.journals.public_keys())
    # Oslo is silent: whether it holds even more is not known, so nothing is written yet.
    assert outcome.checked.silent == ("oslo",)
    assert "not every peer" in outcome.held_back


def test_when_every_peer_has_answered_the_city_goes_on_and_mirrors_follow(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    burnt(helsinki, london)
    mark_restored(helsinki)
    oslo.start()
    assert helsinki.watching.recovery.run(now_ms()).held_back == ""
    helsinki.put([99])
    london.mirror(helsinki)
    assert london.root(9, MIRROR) == helsinki.root(9)
    assert helsinki.node.db.hot().rows("SELECT * FROM refusal") == []
    assert helsinki.node.db.hot().rows("SELECT * FROM erasure_told") == []


def test_until_somebody_asked_nothing_is_appended_erased_or_signed(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    burnt(helsinki, london)
    mark_restored(helsinki)
    london.stop()
    oslo.stop()
    helsinki.watching.recovery.run(now_ms())
    for act in (lambda: append(helsinki), lambda: helsinki.erase(1), helsinki.sign):
        with pytest.raises(BrokenHistory, match="backup"):
            act()
    helsinki.watching.recovery.alone()
    append(helsinki)


def test_a_mirror_that_shows_more_holds_the_city_back_also_without_a_restore(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    burnt(helsinki, london)
    assert [one.size for one in helsinki.watching.recovery.check(now_ms()).behind] == [8]
    with pytest.raises(BrokenHistory, match="london holds 8"):
        append(helsinki)
    helsinki.watching.recovery.alone()
    with pytest.raises(BrokenHistory):
        append(helsinki)
    assert helsinki.watching.recovery.run(now_ms()).held_back == ""
    append(helsinki)


def test_a_city_that_is_level_is_held_back_by_nothing(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    helsinki.put(range(3))
    london.mirror(helsinki)
    helsinki.put(range(3, 5))
    outcome = helsinki.watching.recovery.run(now_ms())
    assert (outcome.recovered, outcome.held_back) == ((), "")
    append(helsinki)


def test_a_witness_alone_is_enough_to_know_that_something_is_missing(three: tuple[Town, Town, Town]):
    helsinki, _, _ = three
    helsinki.put(range(2))
    copy = helsinki.backup()
    helsinki.put(range(2, 4))
    helsinki.watching.cosigning.run(now_ms())
    helsinki.restore(copy)
    outcome = helsinki.watching.recovery.run(now_ms())
    assert "up to 4 at london" in outcome.held_back
    assert "No mirror" in outcome.recovered[0].error


def test_what_we_did_not_sign_holds_nobody_back(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    helsinki.put(range(2))
    london.mirror(helsinki)
    ring = london.node.keyring
    lie = note.signed(
        note.Checkpoint(helsinki.origin, 9, b"\5" * 32),
        ring.public_key("checkpoint"),
        lambda message: ring.sign("checkpoint", message),
    )
    helsinki.watching.recovery.notice("london", london.node.federation.client.heads(helsinki.url).heads, now_ms())
    with london.node.db.write() as tx:
        tx.run("UPDATE checkpoint SET note = ? WHERE size = 2", lie)
    assert helsinki.watching.recovery.run(now_ms()).held_back == ""


def test_a_tail_of_stubs_is_not_taken_for_the_whole(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    burnt(helsinki, london, oslo.start())
    for mirror in (london, oslo):
        with mirror.node.db.write() as tx:
            tx.run(
                "UPDATE entry SET op = NULL, record = NULL, record_key = NULL, slug = NULL, kind = NULL, digest = NULL,"
                " salt = NULL WHERE seq = 5"
            )
    outcome = helsinki.watching.recovery.run(now_ms())
    assert "only as stubs: 5" in outcome.recovered[0].error
    assert helsinki.size() == 3
    assert outcome.held_back


def test_of_two_mirrors_the_one_that_has_everything_gives_it(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    burnt(helsinki, london, oslo.start())
    with london.node.db.write() as tx:
        tx.run("UPDATE entry SET op = NULL, record = NULL, record_key = NULL, digest = NULL, salt = NULL WHERE seq = 5")
    outcome = helsinki.watching.recovery.run(now_ms())
    assert (outcome.recovered[0].peer, outcome.held_back) == ("oslo", "")


def test_a_bent_tail_is_not_written(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    burnt(helsinki, london)
    with london.node.db.write() as tx:
        tx.run("UPDATE entry SET at = at + 1 WHERE seq = 8")
    outcome = helsinki.watching.recovery.run(now_ms())
    assert "two histories" in outcome.recovered[0].error
    assert helsinki.size() == 3


def test_a_city_that_wrote_on_in_spite_of_it_is_told_so(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    burnt(helsinki, london)
    helsinki.put([50, 51], "Another history")  # no mark stands yet: nobody was asked
    outcome = helsinki.watching.recovery.run(now_ms())
    assert "two histories" in outcome.recovered[0].error
    with pytest.raises(BrokenHistory):
        append(helsinki)


def test_a_crash_between_two_pages_leaves_less_to_fetch(
    three: tuple[Town, Town, Town], monkeypatch: pytest.MonkeyPatch
):
    from node.federation.exchange import recover

    helsinki, london, _ = three
    burnt(helsinki, london)
    monkeypatch.setattr(recover, "PAGE_ENTRIES", 2)
    done: list[int] = []
    real = helsinki.node.journals.recover

    def dies(*args, **more):
        if len(done) == 2:
            raise RuntimeError("the power went off")
        done.append(1)
        return real(*args, **more)

    monkeypatch.setattr(helsinki.node.journals, "recover", dies)
    with pytest.raises(RuntimeError):
        helsinki.watching.recovery.run(now_ms())
    assert helsinki.size() == 7
    monkeypatch.setattr(helsinki.node.journals, "recover", real)
    assert helsinki.watching.recovery.run(now_ms()).held_back == ""
    assert helsinki.root(8) == london.root(8, MIRROR)
    verify(helsinki.node.journals, NAME, helsinki.node.journals.public_keys())
