"""What the city of a collection says of itself: our own statement, or a peer's as it was last verified here.

Shown beside every collection, so that a mirror can be checked by the origin's keys while the origin is silent. It is
signed by that city, so whoever knows its fingerprint need not trust this node for it; one that has expired still says
which keys signed what is held.
"""

from node.errors import NotFound
from node.federation.identity.own import OwnIdentity
from node.federation.peers.peers import Peers


class Origins:
    """Finds the statement of a collection's city."""

    def __init__(self, identity: OwnIdentity, peers: Peers) -> None:
        self._identity = identity
        self._peers = peers

    def statement_of(self, local: str, now_ms: int) -> str | None:
        """Give the statement of the city whose collection has this local name; None if there is none."""
        peer, mark, _ = local.rpartition("/")
        if not mark:
            return self._identity.statement(now_ms)
        try:
            return self._peers.get(peer).statement or None
        except NotFound:
            return None
