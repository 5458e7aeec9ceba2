"""Makes documents in bulk, in the order asked, by this process and a second one beside it.

To make a document takes Python five times as long as tantivy takes to index it, so of two processors one would rest. The
second process is begun for a run of many thousand records and ends with it, or soon after this process is gone; it
gets payloads and gives documents, and opens nothing. Where it cannot be had, or dies, this one does its work.
"""

import logging
import multiprocessing
import os
import queue
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.queues import Queue
from types import TracebackType
from typing import Self

from node.catalog.search.document import Mapped, document_of
from node.catalog.shelf import Held

_logger = logging.getLogger("citynode.search")
_AHEAD = 2  # batches with the helper: one that it works on, one that waits for it
_LOOK_S = 1.0
_NICE = 5


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


class Maker:
    """Makes documents here, and with `helped` in a second process too."""

    def __init__(self, *, helped: bool) -> None:
        """Begin nothing yet."""
        self._helped = helped and len(os.sched_getaffinity(0)) > 1
        self._helper: _Helper | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._give_up()

    def made[T](self, batches: Iterable[tuple[T, Sequence[Task], Mapped]]) -> Iterator[tuple[T, list[str]]]:
        """Give what came with each batch, in order, and the documents of its tasks."""
        waiting: deque[_Batch[T]] = deque()
        for number, (what, tasks, mapped) in enumerate(batches):
            batch = _Batch(number, what, tasks, mapped)
            waiting.append(batch)
            helper = self._helper_for(mapped)
            if helper is None or not helper.take(number, tasks):
                batch.documents = [document(task, mapped) for task in tasks]
            self._collect(waiting)
            while waiting and waiting[0].documents is not None:
                yield waiting[0].what, waiting.popleft().documents or []
        for batch in waiting:
            while batch.documents is None:
                self._collect(waiting, wait=True)
            yield batch.what, batch.documents
"""
"""
