"""What the web needs of deletion: the desk for staff, and what hears other cities' words that they deleted.

The part of `ports` that belongs to `deletions_api`. Everything blocks, so it is called beside the event loop; errors
are those of the tree.
"""

from collections.abc import Sequence
from typing import Protocol

from node.federation.deletions.post import Word
from node.federation.moved import DeletionTold


class Deletions(Protocol):
    """The desk of deletion, and the ear for other cities."""

    def list(self, *, ended: bool = False) -> Sequence[DeletionTold]:
        """List what must be deleted, here and there, the soonest due first."""

    def deleted(self, name: str, *, by: str, other_files: bool = False) -> DeletionTold:
        """Say that it is done. Raises NotFound, Malformed, Conflict."""

    def hear(self, peer: str, word: Word) -> bool:
        """Keep a peer's word. Raises NotAgreed, Refuted, Unavailable."""
