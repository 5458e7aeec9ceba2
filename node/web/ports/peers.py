"""What the staff needs of the node about peers and about our own keys: the desks behind pages and API, in JSON values.

The part of `ports` that belongs to `peers_api`, `keys_api` and the desk on both. Every method blocks, some for as
long as a peer takes, so they are called beside the event loop; errors are those of the tree.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Json = Mapping[str, Any]


class Office(Protocol):
    """What the city's staff does with peers."""

    def invite(self) -> Json:
        """Give what this city sends to another by a trusted way."""

    def list(self) -> Sequence[Json]:
        """Give every peer with its health."""

    def show(self, name: str) -> Json:
        """Give all that is known of a peer."""

    def test(self, name: str) -> Json:
        """Walk to a peer, step by step."""

    def review(self, name: str) -> Json:
        """Say what approving a peer would pin."""

    def add(self, invite: str, *, name: str, fingerprint: str = "", note: str = "", untold: bool = False) -> Json:
        """Propose a peer; `untold`: by its address alone."""

    def approve(self, name: str, *, by: str, review: str, fingerprint: str = "", told_by: str = "") -> Json:
        """Pin what was reviewed."""

    def annotate(self, name: str, note: str, *, mark: str = "") -> Json:
        """Write the staff's note about a peer."""

    def differs(self, name: str, *, by: str, told_by: str = "") -> Json:
        """Note that another fingerprint was read out, and keep the peer out."""

    def pause(self, name: str) -> Json:
        """Stop all exchange for a while."""

    def resume(self, name: str) -> Json:
        """End a pause."""

    def block(self, name: str) -> Json:
        """Stop all exchange until somebody approves the peer again."""

    def follow(
        self, name: str, collections: Sequence[str], *, all_of_them: bool, themes: Sequence[str] = (), mark: str = ""
    ) -> Json:
        """Mirror collections of a peer."""

    def unfollow(self, name: str, collection: str) -> Json:
        """Stop mirroring a collection."""

    def export(self) -> str:
        """Write the peers as CSV."""

    def plan(self, table: bytes) -> Json:
        """Say what a CSV would change."""

    def take(self, table: bytes, *, plan: str) -> Json:
        """Do what was planned, all or none."""


class RefusalOffice(Protocol):
    """What is refused on both sides."""

    def of(self, peer: str) -> Json:
        """Give what we refuse of a peer, and what it refuses of us."""


class KeyOffice(Protocol):
    """What the city's staff does with the node's own keys."""

    def list(self) -> Json:
        """Give every key there ever was, by purpose."""

    def rotate(self, purpose: str, *, overlap_days: int = 7) -> Json:
        """Replace a key."""

    def retire(self, kid: str) -> Json:
        """End the overlap of a key that was replaced."""
