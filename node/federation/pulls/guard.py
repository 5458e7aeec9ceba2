"""Watches over a pull while it is worked on: keeps the lease, and sees in time that it must not go on.

Whoever downloads waits in a read, so a thread beside looks several times a second: has somebody cancelled the pull, has
the transfer been suspended or ended, is this process to stop? Then it sets the event on which every wait and every read
of the download ends. Writes nothing but the lease.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from node.errors import NodeError, Stopped
from node.federation.pulls.store import LEASE_MS, Pull, PullStore
from node.federation.transfer import Transfer

_logger = logging.getLogger("citynode.pulls")
LOOK_S = 0.2
_RENEW_S = LEASE_MS / 3000


class Guard:
    """Use it with `with`; `cut` is set when the pull must not go on, and `raised` says why."""

    def __init__(
        self,
        pull: Pull,
        store: PullStore,
        *,
        stop: threading.Event,
        transfer: Callable[[], Transfer] | None = None,
        clock_ms: Callable[[], int],
    ) -> None:
        """Watch this pull; with `transfer` also whether bytes may flow."""
        self._pull, self._store, self._stop, self._transfer = pull, store, stop, transfer
        self._clock_ms = clock_ms
        self._done = threading.Event()
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._watch, name="pull-guard", daemon=True)
        self.cut = threading.Event()
        self.paused = False  # the transfer has stopped, and not we

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(LOOK_S):
            try:
                self._look()
            except Stopped:
                self.cut.set()
            except NodeError as error:  # the database is busy: the next look sees
                _logger.debug("pull %s is not looked at now: %s", self._pull.id, error)
            if self.cut.is_set():
                return

    def _look(self) -> None:
        if self._stop.is_set():
            self.cut.set()
        elif self._transfer is not None and not self._transfer().streams:
            self.paused = True
            self.cut.set()
        elif time.monotonic() - self._renewed >= _RENEW_S:
            self._renewed = time.monotonic()
            self._store.keep(self._pull, self._clock_ms())
        elif not self._store.is_ours(self._pull):
            self.cut.set()
