"""How fast one peer may read: a lane for each, in which its streams take turns, chunk by chunk.

In memory and for one process, which has its share of the rate, so that the whole node keeps to it. How many streams a
peer may have at once is counted over all processes, in the table of streams (`streams`).
"""

import threading
import time
from collections.abc import Callable

# What a lane that was idle may catch up on.
BURST_S = 0.25
MOST_LANES = 1_000


class Lanes:
    """The lanes of one process. Safe to share by threads."""

    def __init__(self, bytes_per_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the rate of each lane, 0 for none; `clock` gives seconds that never go back."""
        self._rate = bytes_per_s
        self._clock = clock
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait_s(self, peer: str, many: int) -> float:
        """Take room for so many bytes; give the seconds until they may go.

        Whoever asks is behind all who asked before for the same peer, so that no stream of it starves another.
        """
        if not self._rate:
            return 0.0
        now_s = self._clock()
        with self._lock:
            begins = max(now_s - BURST_S, self._free_at.get(peer, 0.0))
            self._free_at[peer] = begins + many / self._rate
            self._forget(now_s)
        return max(0.0, begins - now_s)

    def _forget(self, now_s: float) -> None:
        """Let go of lanes that are as good as new."""
        if len(self._free_at) > MOST_LANES:
            self._free_at = {peer: at for peer, at in self._free_at.items() if at > now_s - BURST_S}
