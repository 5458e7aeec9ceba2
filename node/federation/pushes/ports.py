"""What pushes need of others: who keeps transfers, who shows who we are, what went out, and who writes receipts.

Protocols alone, so that each is tested with the real thing and none is imported. Everything here may block, and raises
the errors of the tree.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from node.federation.moving import Moved, Part
from node.federation.transfer import Step, Transfer


class Transfers(Protocol):
    """Who keeps transfers and speaks of them with the other city."""

    def open(self) -> Sequence[Transfer]:
        """Give all that have not ended."""

    def get(self, pid: str) -> Transfer:
        """Give one. Raises NotFound."""

    def step(self, pid: str, step: Step) -> Transfer:
        """Do a step of ours. Raises Conflict where it does not fit."""


class Tokens(Protocol):
    """Our own tokens at other cities."""

    def headers(self, peer_url: str, method: str, url: str) -> Mapping[str, str]:
        """Give the headers that authenticate one request. Raises Unauthenticated, PeerUnreachable."""

    def again(self, peer_url: str, answer: Mapping[str, str]) -> bool:
        """Learn from a 401 whether asking once more can help."""


# Gives the receipt of a transfer with our signature alone.
HalfSigned = Callable[[Transfer, Sequence[Moved], int], str]
# Takes room for so many bytes at the pace of a peer; gives the seconds until they may go.
Pace = Callable[[str, int], float]
# Says what went out whole in a transfer, of these parts.
Delivered = Callable[[str, Mapping[str, Part]], Sequence[Moved]]
