"""What the door for data that are brought to us needs from the rest of the node.

The part of `ports` that belongs to `incoming`. Everything blocks, so it is called beside the event loop; an arrival is
used by one thread after the other and closed by whoever began it.
"""

from typing import Protocol

from node.federation.pushes.incoming import Upload
from node.federation.pushes.store import Arrived


class Arrival(Protocol):
    """One upload that runs."""

    def write(self, piece: bytes, /) -> None:
        """Take the next bytes in. Raises TooLarge, Conflict, NotFound."""

    def check(self) -> None:
        """Ask whether it may go on. Raises Conflict, NotFound."""

    def end(self) -> Arrived:
        """Close what came whole. Raises Refuted, Conflict, NotFound."""

    def close(self) -> None:
        """Keep what has come; repeatable."""


class Incoming(Protocol):
    """Takes in what providers bring."""

    @property
    def stall_s(self) -> float:
        """Give how long who brings something may send nothing."""

    def standing(self, peer_url: str, pid: str, part: str) -> Arrived:
        """Tell how far a part has come. Raises NotFound, Conflict."""

    def begin(self, peer_url: str, pid: str, part: str, upload: Upload) -> Arrival:
        """Let bytes of a part be brought. Raises NotFound, Conflict, TooLarge, AlreadyRunning."""
