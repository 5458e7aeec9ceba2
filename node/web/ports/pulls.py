"""What the web needs of data that this city gets from others: the desk behind the staff's API.

A protocol and not a class, as in `ports`. Every method blocks, some as long as another city takes to answer, so they
are called beside the event loop; errors are those of the tree.
"""

from collections.abc import Sequence
from typing import Protocol

from node.federation.pulls.store import Pull, Wanted


class PullOffice(Protocol):
    """The desk of pulls."""

    def list(self, *, ended: bool = False, limit: int = 500) -> Sequence[Pull]:
        """Give pulls, the newest first."""

    def show(self, number: int) -> Pull:
        """Give one. Raises NotFound."""

    def begin(self, wanted: Wanted) -> Pull:
        """Write down what the worker shall get. Raises NotFound, Conflict, NotAgreed, Malformed, PeerUnreachable."""

    def request(self, wanted: Wanted, message: str = "") -> str:
        """Ask a city for access; give the negotiation. Raises NotFound, Malformed."""

    def resume(self, number: int) -> Pull:
        """Let the worker go on. Raises NotFound, Conflict."""

    def cancel(self, number: int) -> Pull:
        """End one. Raises NotFound, Conflict."""


class Pulling(Protocol):
    """The parts of pulls that the web uses."""

    @property
    def office(self) -> PullOffice:
        """Give the desk."""
