"""Makes documents in bulk, in the order asked, by this process and a second one beside it.

To make a document takes Python longer than tantivy takes to index it, so of two processors one would rest. The second
process is begun for a run of many thousand records and ends with it, or soon after this one is gone; it gets payloads,
gives documents, and opens nothing. Where it cannot be had, or dies, this process does its work.
"""

import logging
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from node.catalog.search.document import Mapped, document_of
from node.catalog.shelf import Held
from node.vocab.mappings import plain_code

_logger = logging.getLogger("citynode.search")
_AHEAD = 2  # batches with the helper: one that it works on, one that waits for it
_MOST_WAITING = 8  # batches that wait for one before them, each of some megabytes
_NICE = 5
_SERVE = f"import sys; from {__name__} import serve; serve(int(sys.argv[1]), int(sys.argv[2]))"
_ROOT = Path(__file__).resolve().parents[3]
What = TypeVar("What")


@dataclass(frozen=True, slots=True)
class Task:
    """What one document is made of; `city`, `route` and `restricted` as `document_of` has them."""

    held: Held
    payload: bytes
    quality: int | None
    city: str
    route: int
    restricted: bool


def document(task: Task, mapped: Mapped) -> str:
    """Make a document; empty for a record without payload, or one that cannot be read."""
    if not task.payload:
        return ""
    try:
        return document_of(
            task.held,
            task.payload,
            quality=task.quality,
            city=task.city,
            mapped=mapped,
            restricted=task.restricted,
            route=task.route,
        )
    except ValueError as error:  # one that cannot be read must not hold up the others
        _logger.warning("a record is left out of the search index: %s: %s", task.held.iri, error)
        return ""


@dataclass(slots=True)
class Batch(Generic[What]):
    """Some tasks, what came with them, and their documents once they are made."""

    what: What
    tasks: Sequence[Task]
    mapped: Mapped
    documents: list[str] | None = None

    def make(self) -> None:
        """Make the documents here."""
        self.documents = [document(task, self.mapped) for task in self.tasks]


class Maker:
    """Makes documents here; with `helped` a second process makes some of them."""

    def __init__(self, *, helped: bool) -> None:
        """Begin nothing yet."""
        self._helper = _Helper() if helped and (os.cpu_count() or 1) > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._helper is not None:
            self._helper.end()

    def made(self, batches: Iterable[Batch[What]]) -> Iterator[Batch[What]]:
        """Give the batches with their documents, in order; what the helper is late with is made here."""
        waiting: deque[Batch[What]] = deque()
        helped: deque[Batch[What]] = deque()
        for batch in batches:
            waiting.append(batch)
            if not self._take(batch, helped):
                batch.make()
            self._collect(helped)
            if len(waiting) > _MOST_WAITING and waiting[0].documents is None:
                waiting[0].make()
            while waiting and waiting[0].documents is not None:
                yield waiting.popleft()
        while waiting:
            self._collect(helped)
            if waiting[0].documents is None:
                waiting[0].make()
            yield waiting.popleft()

    def _take(self, batch: Batch[What], helped: deque[Batch[What]]) -> bool:
        """Let the helper make a batch, if it is not behind."""
        if self._helper is None or len(helped) >= _AHEAD:
            return False
        self._helper.take(batch.tasks, batch.mapped)
        helped.append(batch)
        return True

    def _collect(self, helped: deque[Batch[What]]) -> None:
        """Take what the helper has made, in its order."""
        while helped and self._helper is not None:
            try:
                found = self._helper.give()
            except _GoneError:
                _logger.warning("the process that helps making the search index ended by itself")
                self._helper.end()
                self._helper = None
                break
            if found is None:
                return
            batch = helped.popleft()
            batch.documents = batch.documents or found


class _GoneError(Exception):
    """The helper ended before its work was done."""


class _Helper:
    """The second process, and what is on its way to it."""

    def __init__(self) -> None:
        (theirs, mine), (self._documents, made) = Pipe(duplex=False), Pipe(duplex=False)
        with theirs, made:
            # Nothing of the environment but what Python needs, and no signal of a terminal: those are for the node.
            self._process = subprocess.Popen(  # noqa: S603  (our own module, arguments of our own)
                [sys.executable, "-P", "-c", _SERVE, str(theirs.fileno()), str(made.fileno())],
                stdin=subprocess.DEVNULL,
                env={"PYTHONPATH": str(_ROOT), "PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                pass_fds=[theirs.fileno(), made.fileno()],
                process_group=0,
            )
        self._tasks = _Sender(mine)
        self._mapped: Mapped | None = None

    def take(self, tasks: Sequence[Task], mapped: Mapped) -> None:
        """Hand over a batch; what cities' words mean goes along when it is another than before."""
        self._tasks.put((tasks, None if mapped == self._mapped else mapped))
        self._mapped = mapped

    def give(self) -> list[str] | None:
        """Give the documents of the next batch; None if they are not made yet.

        Raises:
            _GoneError: It ended.
        """
        try:
            if not self._documents.poll():
                return None
            found: list[str] = self._documents.recv()
        except (EOFError, OSError) as error:
            raise _GoneError from error
        return found

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._tasks.end()
        self._documents.close()


class _Sender:
    """Sends what is put into a pipe from a thread of its own, so that who puts it never waits for who reads."""

    def __init__(self, pipe: "Connection[object, object]") -> None:
        self._pipe = pipe
        self._waiting: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.put = self._waiting.put
        self._thread = threading.Thread(target=self._send, name="search-sender", daemon=True)
        self._thread.start()

    def _send(self) -> None:
        # A reader that is gone is met by whoever waits for its answers.
        with self._pipe, suppress(OSError):
            while (found := self._waiting.get()) is not None:
                self._pipe.send(found)

    def end(self) -> None:
        """End the thread once what it sends is sent, or nobody reads any more."""
        self.put(None)
        self._thread.join()


def serve(tasks: int, documents: int) -> None:
    """Be the second process, between two pipes, until nobody asks any more."""
    os.nice(_NICE)  # who asks the search comes first
    asked = Connection(tasks, writable=False)
    mapped: Mapped = plain_code
    made = _Sender(Connection(documents, readable=False))
    with suppress(EOFError, OSError):
        while True:
            said: tuple[Sequence[Task], Mapped | None] = asked.recv()
            mapped = said[1] or mapped
            made.put([document(task, mapped) for task in said[0]])
