"""What the staff's API of peers needs from the rest of the node: the desk, in JSON values.

The part of `ports` that belongs to `peers_api`. Every method blocks, some for as long as a peer takes, so they
are called beside the event loop; errors are those of the tree.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

Json = Mapping[str, object]


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

    def add(self, invite: str, *, name: str, fingerprint: str = "", note: str = "") -> Json:
        """Propose a peer."""

    def approve(self, name: str, *, by: str, review: str, fingerprint: str = "") -> Json:
        """Pin what was reviewed."""

    def pause(self, name: str) -> Json:
        """Stop all exchange for a while."""

    def resume(self, name: str) -> Json:
        """End a pause."""

    def block(self, name: str) -> Json:
        """Stop all exchange until somebody approves the peer again."""

    def follow(self, name: str, collections: Sequence[str], *, all_of_them: bool, themes: Sequence[str] = ()) -> Json:
        """Mirror collections of a peer."""

    def unfollow(self, name: str, collection: str) -> Json:
        """Stop mirroring a collection."""

    def export(self) -> str:
        """Write the peers as CSV."""

    def plan(self, table: bytes) -> Json:
        """Say what a CSV would change."""

    def take(self, table: bytes, *, plan: str) -> Json:
        """Do what was planned, all or none."""
