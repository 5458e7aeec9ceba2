"""The wall clock: where the parts that `assembly` builds get their time from.

Milliseconds since the epoch, UTC. A module of its own, so that every part is handed the same one, and a test that
needs another time hands over another callable instead of bending this one.
"""

import time


def clock_ms() -> int:
    """Read the wall clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
