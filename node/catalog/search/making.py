"""Makes documents in bulk, in the order asked, by this process and a second one beside it.

To make a document takes Python longer than tantivy takes to index it, so of two processors one would rest. The second
process is begun for a run of many thousand records and ends with it, or soon after this one is gone; it gets payloads,
gives documents, and opens nothing. Where it cannot be had, or dies, this process does its work.
"""

import logging
import multiprocessing
import os
import queue
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from node.catalog.search.document import Mapped, document_of
from node.catalog.shelf import Held

_logger = logging.getLogger("citynode.search")
_AHEAD = 2  # batches with the helper: one that it works on, one that waits for it
_MOST_WAITING = 8  # batches that wait for one before them, each of some megabytes
_LOOK_S = 1.0
_NICE = 5
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
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._helper is not None:
            self._helper.end()

    def made(self, batches: Iterable[Batch[What]]) -> Iterator[Batch[What]]:
        """Give the batches with their documents, in order."""
        waiting: deque[Batch[What]] = deque()
        helped: deque[Batch[What]] = deque()
        for batch in batches:
            waiting.append(batch)
            if len(helped) < _AHEAD and self._take(batch):
                helped.append(batch)
            else:
                batch.make()
            self._collect(helped, wait=len(waiting) > _MOST_WAITING)
            while waiting and waiting[0].documents is not None:
                yield waiting.popleft()
        while waiting:
            self._collect(helped, wait=waiting[0].documents is None)
            yield waiting.popleft()

    def _take(self, batch: Batch[What]) -> bool:
        if self._helper is None:
            return False
        self._helper.take(batch.tasks, batch.mapped)
        return True

    def _collect(self, helped: deque[Batch[What]], *, wait: bool) -> None:
        """Take what the helper has made, in its order; with `wait` at least one batch, if it has any."""
        while helped and self._helper is not None:
            try:
                found = self._helper.give(wait=wait)
            except _GoneError:
                self._helper = None
                break
            if found is None:
                return
            helped.popleft().documents = found
            wait = False
        if self._helper is None:
            for batch in helped:
                batch.make()
            helped.clear()


class _GoneError(Exception):
    """The helper ended before its work was done."""


class _Helper:
    """The second process."""

    def __init__(self) -> None:
        # A fresh interpreter: this process has threads, which a fork would leave in the middle of something.
        fresh = multiprocessing.get_context("spawn")
        self._tasks: multiprocessing.Queue[tuple[Sequence[Task], Mapped | None]] = fresh.Queue()
        self._documents: multiprocessing.Queue[list[str]] = fresh.Queue()
        self._mapped: Mapped | None = None
        self._process = fresh.Process(target=_serve, args=(self._tasks, self._documents), daemon=True)
        self._process.start()

    def take(self, tasks: Sequence[Task], mapped: Mapped) -> None:
        """Hand over a batch; what cities' words mean goes along when it is another than before."""
        self._tasks.put((tasks, None if mapped == self._mapped else mapped))
        self._mapped = mapped

    def give(self, *, wait: bool) -> list[str] | None:
        """Give the documents of the next batch; None if they are not made yet and nobody waits."""
        while True:
            try:
                return self._documents.get(timeout=_LOOK_S) if wait else self._documents.get_nowait()
            except queue.Empty:
                if not self._process.is_alive():
                    _logger.warning("the process that helps making the search index ended by itself")
                    raise _GoneError from None
                if not wait:
                    return None

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()
        for each in (self._tasks, self._documents):
            each.close()
            each.cancel_join_thread()


def _serve(
    tasks: "multiprocessing.Queue[tuple[Sequence[Task], Mapped | None]]",
    documents: "multiprocessing.Queue[list[str]]",
) -> None:
    """Make documents until nobody is there any more."""
    os.nice(_NICE)  # who asks the search comes first
    parent, mapped = multiprocessing.parent_process(), None
    while parent is not None and parent.is_alive():
        try:
            batch = tasks.get(timeout=_LOOK_S)
        except queue.Empty:
            continue
        mapped = batch[1] or mapped
        if mapped is not None:
            documents.put([document(task, mapped) for task in batch[0]])
    documents.cancel_join_thread()
