"""What the pages need to know of other cities: what everyone may know, and nothing of the staff's.

Protocols like those in `ports`, where the whole of what the web needs is put together; `federation.public_view` has
this shape.
"""

from collections.abc import Sequence
from typing import Protocol


class Mirror(Protocol):
    """A collection of another city that is held here."""

    @property
    def local(self) -> str:
        """Give its name here, `{peer}/{name}`."""

    @property
    def peer(self) -> str:
        """Give the peer's name here."""

    @property
    def city(self) -> str:
        """Give the city's name as it says it."""

    @property
    def url(self) -> str:
        """Give the base URL of its origin's node."""

    @property
    def checked_at_ms(self) -> int:
        """Give the last time its origin answered, 0 for never."""

    @property
    def known_size(self) -> int:
        """Count the entries its origin last signed, as far as this node knows."""

    @property
    def stale(self) -> bool:
        """Tell whether its origin has been silent for too long."""

    @property
    def away(self) -> bool:
        """Tell whether its origin did not answer the last time."""


class PeerCity(Protocol):
    """A city this node exchanges with, as everyone may see it."""

    @property
    def name(self) -> str:
        """Give the peer's name here."""

    @property
    def city(self) -> str:
        """Give the city's name as it says it."""

    @property
    def url(self) -> str:
        """Give the base URL of its node."""

    @property
    def state(self) -> str:
        """Give approved, active, paused or quarantined."""

    @property
    def since_ms(self) -> int:
        """Give the time it was approved."""

    @property
    def answered_at_ms(self) -> int:
        """Give the last time it answered us, 0 for never."""

    @property
    def stale(self) -> bool:
        """Tell whether it has been silent for too long."""

    @property
    def away(self) -> bool:
        """Tell whether it did not answer the last time."""

    @property
    def mirrors(self) -> Sequence[Mirror]:
        """List what is held of it."""


class Cities(Protocol):
    """What everyone may know of the other cities."""

    def mirror(self, local: str) -> Mirror | None:
        """Say how a mirrored collection stands."""

    def cities(self) -> Sequence[PeerCity]:
        """List the cities this node exchanges with, in order of name; proposed and blocked ones are not told."""

    def hidden(self) -> frozenset[str]:
        """Name the peers whose mirrors are not shown: those that are blocked."""
