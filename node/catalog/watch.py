"""What goes on beside a harvest run: signs of life, and ears for cancellations and deadlines.

A thread looks twice a second at what the database says of the run, so that whatever blocks the run itself (a slow
portal, a long parse) it is stopped within a second. It writes heartbeats through `runs` and nothing else.
"""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from node.catalog.desk import OnProgress
from node.catalog.runs import Run, Runs, State
from node.errors import NodeError

_LOOK_S = 0.5
_BEAT = 4  # looks


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cycles a hundred times less often: a walk makes millions of tuples and no cycles.

    Measured on 10,000 datasets of 75 triples: a quarter of the run's processor time.
    """
    before = gc.get_threshold()
    gc.set_threshold(70_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Watch:
    """Gives signs of life, hears of cancellations and deadlines, and stops the run within a second."""

    def __init__(self, runs: Runs, run: Run, clock_ms: Callable[[], int], on_progress: OnProgress | None) -> None:
        self.stop = threading.Event()
        self.why: tuple[State, str] | None = None
        self._runs = runs
        self._run = run
        self._clock_ms = clock_ms
        self._on_progress = on_progress
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name=f"watch-run-{run.id}", daemon=True)

    def heard(self, stage: str, done: int, total: int | None) -> None:
        """Remember how far the stage is for the next heartbeat, and pass the counts on."""
        self._run.at_work(stage, done, total, now_ms=self._clock_ms())
        if self._on_progress:
            self._on_progress(stage, done, total)

    def _look(self) -> None:
        beats = 0
        while not self._over.wait(_LOOK_S):
            beats += 1
            try:
                if self._clock_ms() > self._run.deadline_ms:
                    self._end("failed", "The run took longer than its deadline.")
                elif self._runs.is_cancelled(self._run.id):
                    self._end("cancelled", "Somebody cancelled it. What was published before stays.")
                elif beats % _BEAT == 0:
                    self._runs.beat(self._run, now_ms=self._clock_ms())
            except NodeError:
                continue  # a busy database is no reason to stop; the next look comes soon

    def _end(self, state: State, reason: str) -> None:
        self.why = self.why or (state, reason)
        self.stop.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=10)
