"""A part whose origin is being asked for its bytes: it can be let go of before they are there.

An origin may take as long as it likes to answer, and who waits for it counts as a stream and is watched like one. One
thread opens and reads, any other closes. Owns nothing and asks nobody itself.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack

from node.errors import Stopped
from node.federation.moving import Part, Source


class Opening:
    """A source that is opened when it is told to."""

    def __init__(self, part: Part, opens: Callable[[ExitStack], Source]) -> None:
        """Take how it is opened: what has to be let go of after it goes on the stack."""
        self.part = part
        self._opens = opens
        self._source: Source | None = None
        self._held: ExitStack | None = None
        self._closed = False
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open it. Blocks. Raises what opening raises, and Stopped if it was closed meanwhile."""
        with ExitStack() as held:
            source = self._opens(held)
            with self._lock:
                if self._closed:
                    raise Stopped(f"{self.part.name} was let go of before it was open.")
                self._source, self._held = source, held.pop_all()
        self.part = source.part

    def read(self, most: int) -> bytes:
        """Give the next bytes."""
        if self._source is None:
            raise Stopped(f"{self.part.name} is not open.")
        return self._source.read(most)

    def close(self) -> None:
        """Let go of it; repeatable."""
        with self._lock:
            self._closed = True
            held, source, self._held = self._held, self._source, None
        if source is not None:
            source.close()
        if held is not None:
            held.close()
