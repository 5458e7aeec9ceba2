"""What every reading of the catalogue has in common: search index, triple stores, quality.

A reading follows what the shelf touched (`touched`), keeps its own position and can be thrown away. It may be asked to
catch up by the worker, again and again, or by a command where no worker runs; two at once are kept apart by the reading
itself. Values and a protocol only.
"""

import threading
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["level", "behind", "missing", "busy", "off", "unreachable"]


@dataclass(frozen=True, slots=True)
class ReadingStatus:
    """How a reading stands: read up to `position` of `newest`; `records` in it, `size` in bytes at rest."""

    name: str
    state: State
    position: int
    newest: int
    records: int
    size: int
    detail: str = ""


class Reading(Protocol):
    """Something made of the shelf that is kept outside its tables."""

    @property
    def name(self) -> str:
        """Give a stable name: `search`, `graph`, `quality`."""

    def catch_up(self, stop: threading.Event) -> int:
        """Take in what changed since; give the number of records. Returns soon after `stop` is set.

        Raises:
            Unavailable: Somebody else is at it, or what it writes to cannot be reached; nothing is lost.
        """

    def rebuild(self, stop: threading.Event) -> int:
        """Make it anew from the shelf while what there is goes on serving; give the number of records.

        Raises:
            Unavailable: As `catch_up`.
        """

    def status(self) -> ReadingStatus:
        """Say how it stands; never raises."""
