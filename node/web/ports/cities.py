"""What the pages need to know of other cities: what everyone may know, and nothing of the staff's.

Protocols like those in `ports`, where the whole of what the web needs is put together; `federation.public_view` has
this shape.
"""

from collections.abc import Mapping, Sequence
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


class Day(Protocol):
    """One day of a city, UTC."""

    @property
    def at_ms(self) -> int:
        """Give its beginning."""

    @property
    def reach(self) -> str:
        """Say how the day went: full, part, away, or unknown where nobody asked."""


class Agreed(Protocol):
    """A public agreement in force."""

    @property
    def iri(self) -> str:
        """Give its name."""

    @property
    def title(self) -> str:
        """Give its title."""

    @property
    def ends_at_ms(self) -> int:
        """Give its end, 0 for none."""

    @property
    def opens(self) -> bool:
        """Tell whether this city opens records by it; else the other one does."""


class Standing(Protocol):
    """A city with all that the page of the federation says of it."""

    @property
    def city(self) -> PeerCity:
        """Give the city."""

    @property
    def days(self) -> Sequence[Day]:
        """Give the last thirty days, oldest first."""

    @property
    def place(self) -> tuple[float, float] | None:
        """Give latitude and longitude, where the city says them."""

    @property
    def agreements(self) -> Sequence[Agreed]:
        """List the public agreements in force with it."""

    @property
    def level(self) -> bool:
        """Tell whether all that is followed of it in public is held."""


class Cities(Protocol):
    """What everyone may know of the other cities."""

    @property
    def place(self) -> tuple[float, float] | None:
        """Give latitude and longitude of this city, where they were set."""

    def standings(self) -> Sequence[Standing]:
        """List the cities as `cities` does, with their days, places and public agreements; slower than that."""

    def mirror(self, local: str) -> Mirror | None:
        """Say how a mirrored collection stands."""

    def cities(self) -> Sequence[PeerCity]:
        """List the cities this node exchanges with, in order of name; proposed and blocked ones are not told."""

    def accents(self) -> Mapping[str, str]:
        """Give the colours that cities declare, `#rrggbb`, by the names that their peers bear here."""

    def hidden(self) -> frozenset[str]:
        """Name the peers whose mirrors are not shown: those that are blocked."""
