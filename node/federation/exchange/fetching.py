"""Getting the pages of a collection in order: over the wire, the next while the last is checked, or of a snapshot.

Nothing is believed of a page but where its envelope says that it ends, and that only to ask for the next one early:
what was fetched for nothing is thrown away. A feed that drips (many short pages where one would do) ends here: every
request must bring the entries, or the bytes, of a page. Knows no store.
"""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import BinaryIO

import orjson

from node.errors import Malformed, Stopped
from node.federation.feed.feed_pages import MAX_ENTRIES

LIMIT = 1_000  # what is asked for
MAX_ENVELOPE_BYTES = 256 * 1024
MAX_PAGE_BYTES = 16 * 1024 * 1024
# A page closes early only for its payloads, and they reach 4 MiB less one payload of 1 MiB.
_FULL_BYTES = 3 * 1024 * 1024
_SPARE_PAGES = 4

Ask = Callable[[int, Event], bytes]  # the seq after which the page begins, and what stops it


class Either(Event):
    """An event that is set when it is set itself or another one is; for those who look and do not wait."""

    def __init__(self, other: Event | None) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        """Tell whether either is set."""
        return super().is_set() or (self._other is not None and self._other.is_set())


def pages(ask: Ask, *, after: int, size: int, stop: Event | None = None) -> Generator[bytes]:
    """Give the pages from `after` to `size`; while one is in use the next is on its way.

    Close the iterator when it is left early, so that what is on its way ends.

    Raises:
        Malformed: An envelope cannot be read, a page does not go on, or the feed drips.
        Stopped: `stop` was set.
    """
    gone = Either(stop)
    budget = _Budget(size - after)
    pool = ThreadPoolExecutor(1, thread_name_prefix="page")
    try:
        waiting: Future[bytes] | None = pool.submit(ask, after, gone) if after < size else None
        while waiting is not None:
            page = waiting.result()
            if gone.is_set():
                raise Stopped("The pull was stopped.")
            end = end_of(page)
            if not after < end <= size:
                raise Malformed(f"A page after entry {after} says that it ends at {end}, of {size}.")
            budget.spend(len(page))
            waiting = pool.submit(ask, end, gone) if end < size else None
            after = end
            yield page
    finally:
        gone.set()
        pool.shutdown(wait=True, cancel_futures=True)


def pages_of(file: Path) -> Iterator[bytes]:
    """Give the pages that stand one after the other in a file; memory holds one at a time.

    Raises:
        Malformed: An envelope cannot be read, or a page is longer than one may be.
    """
    with file.open("rb") as source:
        while first := source.readline(MAX_ENVELOPE_BYTES):
            yield _page(source, first)


def end_of(page: bytes) -> int:
    """Read from a page's envelope where it says that it ends."""
    return _span(page[: page.find(b"\n", 0, MAX_ENVELOPE_BYTES) + 1])[1]


def _page(source: BinaryIO, first: bytes) -> bytes:
    after, end = _span(first)
    if not 0 < end - after <= MAX_ENTRIES:
        raise Malformed(f"A page of the snapshot holds {end - after} entries.")
    lines, left = [first], MAX_PAGE_BYTES - len(first)
    for _ in range(end - after):
        # A line that was cut off by the limit, or by the end of the file, is refused when it is read.
        line = source.readline(left)
        left -= len(line)
        if left <= 0:
            raise Malformed("A page of the snapshot is longer than a page may be.")
        lines.append(line)
    return b"".join(lines)


def _span(envelope: bytes) -> tuple[int, int]:
    try:
        said = orjson.loads(envelope)
    except ValueError as error:
        raise Malformed("A page begins with its envelope, one line of JSON.") from error
    match said:
        case {"after": int(after), "end": int(end)} if not isinstance(end, bool):
            return after, end
    raise Malformed("The envelope of a page does not say where it ends.")


class _Budget:
    """How many pages a pull may take: as many as its entries fill, and one more for each page's worth of bytes."""

    def __init__(self, entries: int) -> None:
        self._pages = -(-entries // LIMIT) + _SPARE_PAGES
        self._bytes = 0
        self._taken = 0

    def spend(self, size: int) -> None:
        self._taken += 1
        self._bytes += size
        if self._taken > self._pages + self._bytes // _FULL_BYTES:
            raise Malformed("The feed drips: it cuts its pages far shorter than they may be.", fix="Tell its operator.")
