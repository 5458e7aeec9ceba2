"""What the door of data needs from the rest of the node.

The part of `ports` that belongs to `data`. Everything blocks, some of it for as long as an origin takes, so it is
called beside the event loop; errors are those of the tree.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from node.federation.data.delivery import Delivery
from node.federation.data.limits import Lanes
from node.federation.data.serving import Held
from node.federation.moving import Format, Part
from node.federation.signing.signatures import Message


class Tokens(Protocol):
    """Tells who knocks."""

    def peer(self, credentials: Sequence[str], proofs: Sequence[str], *, method: str, path: str, pid: str) -> str:
        """Give the base URL of the city whose token is for this transfer. Raises Unauthenticated, Forbidden."""


class Serving(Protocol):
    """Hands out parts."""

    @property
    def lanes(self) -> Lanes:
        """Say how fast each peer may read."""

    def look(self, pid: str, peer: str, *, format: Format = "HttpData-PULL") -> Held:
        """Give what a peer may have of a transfer now. Raises NotFound, NotAgreed, Conflict, Withdrawn, Unavailable."""

    def open(self, held: Held, part: Part, begins: int = 0, ends: int | None = None) -> Delivery:
        """Begin to hand out a part. Raises NotFound, NotAgreed, Unavailable."""

    def hand_over(self, held: Held, part: Part) -> str:
        """Give the path at which the server in front sends a part by itself, and note it; empty if it may not."""


class Signing(Protocol):
    """Checks the signatures of what peers say, and signs what they are answered."""

    def check_request(self, peer_url: str, message: Message, body: bytes | None) -> None:
        """Check a request of a peer. Raises Unauthenticated."""

    def sign_response(self, request: Message, status: int, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Give the headers that sign an answer."""


class DataDoor(Protocol):
    """The door of data."""

    @property
    def tokens(self) -> Tokens:
        """Tell who knocks."""

    @property
    def serving(self) -> Serving:
        """Give what hands out."""

    @property
    def stall_s(self) -> float:
        """Say how long a reader may take nothing."""

    @property
    def at_once(self) -> int:
        """Say how many streams one city may have at once."""

    @property
    def messages(self) -> Signing:
        """Check the signatures of what is asked, and sign what is answered."""
