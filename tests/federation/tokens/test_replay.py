"""Single use: whatever happens, an id is taken once. Processes and their deaths: `tests/cluster/test_replay.py`."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.db import Database
from node.errors import Conflict, TooManyRequests
from node.federation.tokens.replay import PRUNE_EVERY_MS, Replay

AT_MS = 1_800_000_000_000


@pytest.fixture
def replay(db: Database, tmp_path: Path) -> Iterator[Replay]:
    made = Replay(db, tmp_path)
    yield made
    made.close()


def use(replay: Replay, name: str, *, owner: str = "helsinki", kind: str = "proof", now_ms: int = AT_MS) -> bool:
    try:
        replay.use(kind, owner, name, until_ms=now_ms + 60_000, now_ms=now_ms)
    except Conflict:
        return False
    return True


def test_an_id_is_taken_once(replay: Replay) -> None:
    assert use(replay, "a")
    assert not use(replay, "a")
    assert use(replay, "b")


def test_kinds_and_owners_do_not_use_up_each_others_ids(replay: Replay) -> None:
    assert all(use(replay, "a", owner=owner, kind=kind) for owner in ("x", "y") for kind in ("proof", "assertion"))
    assert use(replay, "ba", owner="a")
    assert use(replay, "a", owner="ab")


def test_what_was_used_stays_used_after_a_restart(db: Database, tmp_path: Path) -> None:
    first = Replay(db, tmp_path)
    assert use(first, "a")
    first.close()
    second = Replay(db, tmp_path)
    assert not use(second, "a")
    second.close()


def test_of_many_at_once_one_is_first(db: Database, tmp_path: Path) -> None:
    stores = [Replay(db, tmp_path) for _ in range(4)]
    won: list[str] = []
    start = threading.Barrier(8)

    def run(store: Replay) -> None:
        start.wait()
        won.extend(name for name in map(str, range(50)) if use(store, name))

    threads = [threading.Thread(target=run, args=(stores[n % 4],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(map(str, range(50)))
    for store in stores:
        store.close()


def test_ids_are_forgotten_when_nothing_would_take_them_any_more(replay: Replay) -> None:
    assert use(replay, "a")
    assert not use(replay, "a", now_ms=AT_MS + 60_000)
    assert use(replay, "a", now_ms=AT_MS + 60_001 + PRUNE_EVERY_MS)


def test_a_clock_that_goes_back_makes_nothing_new_of_what_was_used(replay: Replay) -> None:
    assert use(replay, "a")
    assert not use(replay, "a", now_ms=AT_MS - 3_600_000)


def test_ids_are_bounded_and_none_is_forgotten_to_make_room(db: Database, tmp_path: Path) -> None:
    replay = Replay(db, tmp_path, most=10)
    assert all(use(replay, str(number)) for number in range(10))
    with pytest.raises(TooManyRequests):
        use(replay, "more")
    with pytest.raises(TooManyRequests):
        use(replay, "0")
    other = Replay(db, tmp_path, most=10)  # another process counts what is there
    with pytest.raises(TooManyRequests):
        use(other, "more")
    assert use(replay, "more", now_ms=AT_MS + 120_000)
    replay.close()
    other.close()


def test_an_id_may_be_any_text(replay: Replay) -> None:
    for name in ("\ud800", "\0", "ä" * 256, "'; DROP TABLE replay; --"):
        assert use(replay, name)
        assert not use(replay, name)
