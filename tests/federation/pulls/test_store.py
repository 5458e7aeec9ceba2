"""Laws of the books of pulls, on both databases: one process at a time, and whoever lost a pull writes nothing more."""

import contextlib
import threading
from dataclasses import replace

import pytest

from node.db import Database
from node.errors import AlreadyRunning, Conflict, NotFound, Stopped
from node.federation.moving import Moved
from node.federation.pulls.store import LEASE_MS, MAX_SAID, Progress, Pull, PullStore, Wanted

NOW = 1_000_000
WISH = Wanted("https://h.example/d1", "purpose", "", "helsinki", "/tmp/x", by="ada")  # noqa: S108
HERE = Progress(5, '"one"', 5, "sha256:" + "0" * 64, "text/csv", file="/tmp/x")  # noqa: S108


@pytest.fixture
def store(db: Database) -> PullStore:
    return PullStore(db)


def claimed(store: PullStore, holder: str = "worker 1 on here", now_ms: int = NOW) -> Pull:
    return store.claim(store.add(WISH, state="waiting", now_ms=NOW).id, holder, now_ms)


def test_a_wish_is_kept_as_it_was_said_and_found_again(store: PullStore) -> None:
    made = store.add(WISH, state="waiting", now_ms=NOW)
    assert (made.dataset, made.purpose, made.peer, made.target, made.by) == (
        *(WISH.dataset, WISH.purpose, WISH.peer, WISH.target, WISH.by),
    )
    assert (made.ask, made.parts, made.got, made.state) == (False, {}, 0, "waiting")
    assert store.same(WISH) == made == store.get(made.id) == store.list()[0]
    assert store.same(Wanted(WISH.dataset, "another", target=WISH.target)) is None
    with pytest.raises(Conflict, match=f"Pull {made.id} brings"):
        store.add(Wanted("https://h.example/d2", target=WISH.target), state="waiting", now_ms=NOW)
    with pytest.raises(NotFound):
        store.get(made.id + 1)


def test_one_process_has_it_at_a_time_and_the_next_after_its_lease(store: PullStore) -> None:
    pull = claimed(store)
    with pytest.raises(AlreadyRunning):
        store.claim(pull.id, "worker 2 on there", NOW + LEASE_MS - 1)
    assert not store.due(NOW + LEASE_MS - 1)
    assert store.due(NOW + LEASE_MS) == [(pull.id, "helsinki")]
    other = store.claim(pull.id, "worker 2 on there", NOW + LEASE_MS)
    with pytest.raises(Stopped):
        store.keep(pull, NOW, got=7)
    assert not store.is_ours(pull)
    assert store.is_ours(other)
    assert store.leave(pull, "failed", "no", NOW).state == "running"


def test_of_many_that_want_it_at_once_one_gets_it(store: PullStore) -> None:
    number, got = store.add(WISH, state="waiting", now_ms=NOW).id, []

    def want(name: str) -> None:
        with contextlib.suppress(AlreadyRunning):
            got.append(store.claim(number, name, NOW).held_by)

    threads = [threading.Thread(target=want, args=(f"worker {each} on there",)) for each in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(got) == 1
    assert store.get(number).held_by == got[0]


def test_a_commands_pull_is_nobody_elses_until_it_is_handed_over(store: PullStore) -> None:
    pull = claimed(store, "command 1 on here")
    assert not store.due(NOW + 10 * LEASE_MS)
    with pytest.raises(Conflict):
        store.hand_over(pull.id, NOW)
    store.leave(pull, "stopped", "", NOW)
    assert not store.due(NOW + 10 * LEASE_MS)
    store.hand_over(pull.id, NOW)
    assert store.due(NOW) == [(pull.id, "helsinki")]


def test_what_waits_comes_when_its_time_has_come(store: PullStore) -> None:
    pull = store.leave(claimed(store), "waiting", "x" * 5_000, NOW, due_at=NOW + 5, tries=3)
    assert (len(pull.said), pull.tries) == (MAX_SAID, 3)
    assert not store.due(NOW + 4)
    assert store.due(NOW + 5) == [(pull.id, "helsinki")]


def test_a_city_of_which_much_waits_does_not_hide_the_others(store: PullStore) -> None:
    for number in range(6):
        wish = Wanted(f"https://h.example/d{number}", peer="helsinki", target=f"/tmp/{number}")  # noqa: S108
        store.add(wish, state="waiting", now_ms=NOW)
    last = store.add(Wanted("https://l.example/d", peer="lund", target="/tmp/l"), state="waiting", now_ms=NOW + 1)  # noqa: S108
    found = store.due(NOW + 1, of_one=2, limit=3)
    assert [city for _, city in found] == ["helsinki", "helsinki", "lund"]
    assert found[-1][0] == last.id


def test_two_pulls_never_bring_one_file(store: PullStore) -> None:
    first, second = (
        claimed(store),
        store.add(Wanted("https://h.example/d2", target="/here/"), state="waiting", now_ms=1),
    )
    second = store.claim(second.id, "worker 2 on there", NOW)
    first = store.settle(first, {"a": Progress(file="/here/a"), "b": Progress(file="/here/b")}, NOW)
    assert sorted(first.parts) == ["a", "b"]
    with pytest.raises(Conflict, match=f"Pull {first.id} brings /here/b"):
        store.settle(second, {"b": Progress(file="/here/b")}, NOW)
    assert store.settle(second, {"c": Progress(file="/here/c")}, NOW).parts == {"c": Progress(file="/here/c")}
    store.cancel(first.id, NOW)
    assert store.settle(second, {"b": Progress(file="/here/b")}, NOW).parts == {"b": Progress(file="/here/b")}
    with pytest.raises(Stopped):
        store.settle(first, {"a": Progress(file="/here/a")}, NOW)


def test_what_pulls_of_one_wish_left_is_known_by_file(store: PullStore) -> None:
    named = replace(HERE, named=True, mark="1.2.3")
    pull = store.keep(claimed(store), NOW, parts={"a": named, "b": replace(HERE, file="/tmp/y")})  # noqa: S108
    assert store.left(WISH.dataset, WISH.purpose) == {HERE.file: [named]}, "what has no name yet is no file"
    store.leave(pull, "done", "", NOW)
    assert set(store.left(WISH.dataset, WISH.purpose)) == {HERE.file, "/tmp/y"}  # noqa: S108
    assert not store.left(WISH.dataset, "another")
    assert not store.left("https://h.example/d2", WISH.purpose)


def test_progress_is_kept_and_told_as_what_moved(store: PullStore) -> None:
    pull = store.keep(claimed(store), NOW, transfer="pid", total=9)
    pull = store.keep(pull, NOW + 1, parts={"b": Progress(3, '"two"'), "a": HERE}, got=8)
    assert store.get(pull.id).parts == {"a": HERE, "b": Progress(3, '"two"')}
    assert store.of_transfer("pid") == pull
    assert store.books("pid") == [Moved("a", "text/csv", 5, HERE.digest), Moved("b", "", 3, "")]
    assert store.of_transfer("other") is None
    assert store.books("other") == []


def test_what_is_cancelled_stays_so(store: PullStore) -> None:
    pull = claimed(store)
    assert store.cancel(pull.id, NOW).state == "cancelled"
    with pytest.raises(Stopped, match="cancelled"):
        store.keep(pull, NOW, got=1)
    assert store.leave(pull, "done", "", NOW).state == "cancelled"
    for act in (store.cancel, store.hand_over):
        with pytest.raises(Conflict):
            act(pull.id, NOW)
    with pytest.raises(Conflict):
        store.claim(pull.id, "worker 1 on here", NOW)
    assert store.list() == []
    assert [each.id for each in store.list(ended=True)] == [pull.id]
    assert store.same(WISH) is None


def test_what_failed_begins_anew(store: PullStore) -> None:
    pull = store.keep(claimed(store), NOW, transfer="pid", agreement="a", parts={"a": HERE}, got=5, total=5)
    store.leave(pull, "failed", "no", NOW)
    again = store.hand_over(pull.id, NOW)
    assert (again.state, again.transfer, again.agreement, again.parts, again.got) == ("waiting", "", "", {}, 0)
