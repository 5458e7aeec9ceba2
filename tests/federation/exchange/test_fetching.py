"""Laws of fetching: pages come in order, one ahead, bounded; a file of pages is the pages."""

import threading
import time
from pathlib import Path

import orjson
import pytest

from node.errors import Malformed, PeerUnreachable, Stopped
from node.federation.exchange import fetching


def page(after: int, end: int, *, padding: int = 0) -> bytes:
    first = orjson.dumps({"after": after, "end": end, "padding": "x" * padding}) + b"\n"
    return first + b"".join(b"%d\n" % seq for seq in range(after + 1, end + 1))


def test_pages_come_in_order_and_one_ahead() -> None:
    asked: list[int] = []

    def ask(after: int, _: threading.Event) -> bytes:
        asked.append(after)
        return page(after, min(after + 10, 35))

    found = fetching.pages(ask, after=0, size=35)
    first = next(found)
    assert first == page(0, 10)
    until = time.monotonic() + 5
    while len(asked) < 2 and time.monotonic() < until:
        time.sleep(0.001)
    assert asked == [0, 10], "the next one is on its way, and no more than that"
    assert list(found) == [page(10, 20), page(20, 30), page(30, 35)]


def test_nothing_is_asked_for_when_nothing_is_missing() -> None:
    assert list(fetching.pages(lambda *_: pytest.fail("asked"), after=7, size=7)) == []


@pytest.mark.parametrize(("after", "end"), [(0, 0), (0, -5), (0, 11), (0, 10**30)])
def test_a_page_that_does_not_go_on_or_goes_too_far_ends_it(after: int, end: int) -> None:
    with pytest.raises(Malformed):
        list(
            fetching.pages(lambda *_: orjson.dumps({"after": after, "end": 3})[:-2] + b"%d}\n" % end, after=0, size=10)
        )


@pytest.mark.parametrize("first", [b"", b"\n", b"{}\n", b"[1]\n", b'{"after":0,"end":true}\n', b"x" * 300_000])
def test_an_envelope_that_cannot_be_read_ends_it(first: bytes) -> None:
    with pytest.raises(Malformed):
        list(fetching.pages(lambda *_: first, after=0, size=10))


def test_a_feed_that_drips_ends_after_few_pages_and_one_of_large_records_does_not() -> None:
    asked: list[int] = []

    def drip(after: int, _: threading.Event) -> bytes:
        asked.append(after)
        return page(after, after + 1)

    with pytest.raises(Malformed, match="drips"):
        list(fetching.pages(drip, after=0, size=5_000))
    assert len(asked) < 20
    large = fetching.pages(lambda after, _: page(after, after + 1, padding=4_000_000), after=0, size=30)
    # The padding makes the envelope too long to be one; the bytes are what counts here.
    with pytest.raises(Malformed, match="envelope"):
        list(large)

    def full(after: int, _: threading.Event) -> bytes:
        return page(after, after + 1) + b"x" * 4_000_000

    assert len(list(fetching.pages(full, after=0, size=30))) == 30


def test_leaving_early_or_a_stop_ends_what_is_on_its_way() -> None:
    ended: list[bool] = []
    begun = threading.Event()

    def ask(after: int, stop: threading.Event) -> bytes:
        if after == 0:
            return page(0, 5)
        begun.set()
        until = time.monotonic() + 5
        while not stop.is_set() and time.monotonic() < until:
            time.sleep(0.001)
        ended.append(stop.is_set())
        raise Stopped("The request was stopped.")

    found = fetching.pages(ask, after=0, size=10)
    next(found)
    assert begun.wait(5)
    found.close()
    assert ended == [True]
    outer = threading.Event()
    found = fetching.pages(ask, after=0, size=10, stop=outer)
    next(found)
    outer.set()
    with pytest.raises(Stopped):
        next(found)


def test_what_the_peer_says_wrong_comes_out_as_it_was() -> None:
    def away(*_: object) -> bytes:
        raise PeerUnreachable("Away.")

    with pytest.raises(PeerUnreachable, match="Away"):
        list(fetching.pages(away, after=0, size=10))


def test_a_file_of_pages_is_the_pages(tmp_path: Path) -> None:
    said = [page(0, 1_000), page(1_000, 1_001), page(1_001, 1_500)]
    file = tmp_path / "pages"
    file.write_bytes(b"".join(said))
    assert list(fetching.pages_of(file)) == said


@pytest.mark.parametrize(
    "body", [page(0, 1_001), page(5, 5), page(5, 3), b"{}\n", page(0, 2) + b"x" * (fetching.MAX_PAGE_BYTES + 1)]
)
def test_a_file_that_is_no_pages_is_refused(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "pages"
    file.write_bytes(body)
    with pytest.raises(Malformed):
        list(fetching.pages_of(file))


def test_a_line_without_an_end_costs_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "pages"
    file.write_bytes(b'{"after":0,"end":3}\n' + b"x" * (fetching.MAX_PAGE_BYTES + 10))
    with pytest.raises(Malformed, match="longer"):
        list(fetching.pages_of(file))
