"""What the web needs of consent: its desk for staff, and what hears other cities' words about withdrawals.

The part of `ports` that belongs to `consent_api`. Everything blocks, so it is called beside the event loop; errors are
those of the tree.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from node.federation.consent.post import Answered, Told
from node.federation.consent.withdrawals import Watched
from node.federation.moved import ConsentTold, WithdrawalTold


class ConsentOffice(Protocol):
    """The desk of consent."""

    def sources(self) -> Sequence[ConsentTold]:
        """List the sources."""

    def add(self, name: str, location: str, *, credential: str = "") -> ConsentTold:
        """Add a service. Raises Malformed, Conflict, ForbiddenAddress, ConsentUnknown."""

    def check(self, name: str) -> ConsentTold:
        """Ask a source now. Raises NotFound."""

    def remove(self, name: str) -> None:
        """Forget a source. Raises NotFound, Conflict."""

    def watch(self, name: str = "") -> Watched:
        """Look now who has withdrawn. Raises NotFound."""

    def withdrawals(
        self, *, stage: Literal["open", "erased", "untold"] = "open", peer: str = "", after: str = "", limit: int = ...
    ) -> Sequence[WithdrawalTold]:
        """List withdrawals that were told or heard, a page at a time. Raises Malformed for a cursor that is none."""

    def acknowledge(self, *names: str, by: str) -> Sequence[WithdrawalTold]:
        """Tell the cities that we know we must erase. Raises NotFound, Conflict."""

    def erased(self, *names: str, by: str) -> Sequence[WithdrawalTold]:
        """Tell the cities that it is erased. Raises NotFound, Conflict."""

    def resend(self, *names: str) -> Sequence[WithdrawalTold]:
        """Send again what was not taken of our answers. Raises NotFound, Conflict."""


class HearsWithdrawals(Protocol):
    """Hears which keys withdrew."""

    def hear(self, peer: str, told: Told) -> int:
        """Keep what a peer tells. Raises NotAgreed, TooManyRequests."""


class HearsAnswers(Protocol):
    """Hears what became of withdrawals that we told."""

    def hear(self, peer: str, answer: Answered) -> int:
        """Take what a peer says. Raises NotFound."""


class Consenting(Protocol):
    """Consent, as far as the web speaks of it."""

    @property
    def office(self) -> ConsentOffice:
        """Give the desk."""

    @property
    def withdrawals(self) -> HearsAnswers:
        """Give what hears answers."""

    @property
    def acknowledgements(self) -> HearsWithdrawals:
        """Give what hears withdrawals."""
