"""What runs is looked at again and again, and ends soon after it may no longer run, whatever it is doing."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from node.errors import JournalBusy, Unavailable
from node.federation.data import live
from node.federation.data.live import Live, Running

EVERY_S = 0.01


class Stream:
    def __init__(self, transfer: str) -> None:
        self.transfer, self.code, self.over = transfer, "", threading.Event()

    def cut(self, code: str) -> None:
        self.code = self.code or code
        self.over.set()


def watching(stopped: Callable[[str], str], noted: Callable[[Sequence[Running]], None] = lambda _: None) -> Live:
    return Live(stopped, noted, every_s=EVERY_S)


def test_all_streams_of_a_transfer_that_may_not_go_on_are_cut_and_no_others() -> None:
    states = {"a": "", "b": ""}
    seen = watching(states.__getitem__)
    streams = [Stream("a"), Stream("a"), Stream("b")]
    for each in streams:
        seen.add(each)
    states["a"] = "suspended"
    assert all(each.over.wait(1) for each in streams[:2])
    assert [each.code for each in streams] == ["suspended", "suspended", ""]
    for each in streams:
        seen.remove(each)
    assert len(seen) == 0


def test_a_stream_is_cut_where_it_cannot_be_known_for_long_whether_it_may_go_on() -> None:
    def unknown(_: str) -> str:
        raise JournalBusy("Nobody knows.")

    seen, stream = watching(unknown), Stream("a")
    begun = time.monotonic()
    seen.add(stream)
    assert stream.over.wait(2)
    assert live.BLIND_S <= time.monotonic() - begun < 1.0
    assert stream.code == live.UNKNOWN
    seen.remove(stream)


def test_a_fault_of_any_kind_is_not_knowing_and_ends_no_watching() -> None:
    states: dict[str, str] = {}

    def answered(pid: str) -> str:
        if pid not in states:
            raise OSError(24, "Too many open files")
        return states[pid]

    seen = watching(answered)
    seen.add(first := Stream("a"))
    assert first.over.wait(2)
    assert first.code == live.UNKNOWN
    seen.remove(first)
    states["b"] = "revoked"
    seen.add(later := Stream("b"))
    assert later.over.wait(1)
    assert later.code == "revoked"
    seen.remove(later)


def test_a_stream_that_does_not_end_well_keeps_no_other_going() -> None:
    class Clinging(Stream):
        def cut(self, code: str) -> None:
            raise RuntimeError("It cannot be cut.")

    seen = watching(lambda _: "revoked")
    seen.add(bad := Clinging("a"))
    seen.add(good := Stream("b"))
    assert good.over.wait(1)
    for each in (bad, good):
        seen.remove(each)


def test_nothing_streams_that_nobody_can_watch(monkeypatch) -> None:
    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    seen = watching(lambda _: "revoked")
    with monkeypatch.context() as bounded:
        bounded.setattr(threading.Thread, "start", full)
        with pytest.raises(Unavailable):
            seen.add(Stream("a"))
    assert len(seen) == 0
    seen.add(last := Stream("b"))
    assert last.over.wait(1)
    seen.remove(last)


def test_books_for_which_there_is_no_thread_end_no_watching(monkeypatch) -> None:
    monkeypatch.setattr(live, "NOTED_EVERY_S", 0.0)
    states = {"a": ""}
    seen, stream, asked = watching(states.__getitem__), Stream("a"), threading.Event()
    seen.add(stream)

    def full(_: threading.Thread) -> None:
        asked.set()
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    assert asked.wait(1)
    states["a"] = "revoked"
    assert stream.over.wait(1)
    seen.remove(stream)


def test_a_stream_is_cut_by_itself_where_what_it_reads_is_gone() -> None:
    gone: set[Running] = set()
    seen = Live(lambda _: "", lambda _: None, moved=lambda each: "gone" if each in gone else "", every_s=EVERY_S)
    streams = [Stream("a"), Stream("a")]
    for each in streams:
        seen.add(each)
    gone.add(streams[0])
    assert streams[0].over.wait(1)
    assert [each.code for each in streams] == ["gone", ""]
    for each in streams:
        seen.remove(each)


def test_one_answer_that_is_missing_ends_nothing() -> None:
    asked = threading.Event()
    answers = iter([JournalBusy("Not now."), ""])

    def answered(_: str) -> str:
        found = next(answers, "")
        if isinstance(found, Exception):
            raise found
        asked.set()
        return found

    seen, stream = watching(answered), Stream("a")
    seen.add(stream)
    assert asked.wait(1)
    assert stream.code == ""
    seen.remove(stream)


def test_a_stream_that_comes_when_nobody_watches_any_more_is_watched(monkeypatch) -> None:
    monkeypatch.setattr(live, "LINGERS_S", 0.0)
    seen = watching(lambda _: "")
    for _ in range(3):
        seen.add(first := Stream("a"))
        seen.remove(first)
        until = time.monotonic() + 1
        while seen._watched and time.monotonic() < until:
            time.sleep(0.001)
        assert not seen._watched
    stopped = Live(lambda _: "gone", lambda _: None, every_s=EVERY_S)
    stopped.add(last := Stream("a"))
    assert last.over.wait(1)
    stopped.remove(last)


def test_books_that_cannot_be_written_keep_no_stream_going(monkeypatch) -> None:
    monkeypatch.setattr(live, "NOTED_EVERY_S", 0.0)
    writing, over = threading.Event(), threading.Event()

    def noted(_: Sequence[Running]) -> None:
        writing.set()
        assert over.wait(5)

    states = {"a": ""}
    seen = watching(states.__getitem__, noted)
    seen.add(stream := Stream("a"))
    try:
        assert writing.wait(1)
        states["a"] = "expired"
        assert stream.over.wait(1)
    finally:
        over.set()
        seen.remove(stream)


def test_the_books_hear_of_what_lives(monkeypatch) -> None:
    monkeypatch.setattr(live, "NOTED_EVERY_S", 0.0)
    told: list[int] = []
    heard = threading.Event()

    def noted(streams: Sequence[Running]) -> None:
        told.append(len(streams))
        heard.set()

    seen, stream = watching(lambda _: "", noted), Stream("a")
    seen.add(stream)
    assert heard.wait(1)
    seen.remove(stream)
    assert told[0] == 1
