"""The other sides of negotiations as the book of peers has them: whom we speak with, where, and by which keys.

A peer says in its first message where it wants to be answered. That has to lie below the base URL that a person
approved, or a message of ours, with a token in it, could be led anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.federation.dsp.client import below
from node.federation.peers.store import PeerStore
from node.keys import PublicKey


@dataclass(frozen=True, slots=True)
class PeerParties:
    """Peers, by their base URL."""

    peers: PeerStore

    def knows(self, peer: str) -> bool:
        """Tell whether anything is exchanged with this city now."""
        found = self.peers.by_url(peer)
        return found is not None and found.exchanges

    def address(self, peer: str, callback: str) -> str:
        """Give the address below which it wants our messages, without a slash at its end.

        Raises:
            ForbiddenAddress: It lies elsewhere than below the peer's base URL.
        """
        return below(peer, callback)

    def keys(self, peer: str) -> Sequence[PublicKey]:
        """Give every key of it that was pinned; none of a city that is not known."""
        found = self.peers.by_url(peer)
        return self.peers.all_keys(found.name) if found else []
