"""What the staff's API of evidence needs from the rest of the node.

The part of `ports` that belongs to `evidence_api`. Everything blocks, since a check recomputes signatures and proofs,
so it is called beside the event loop; errors are those of the tree.
"""

from collections.abc import Sequence
from typing import Protocol

from node.federation.moved import Checked, StatementTold, StatementWish


class EvidenceDesk(Protocol):
    """The desk of evidence."""

    def statements(self, wish: StatementWish = ..., *, limit: int = 100) -> Sequence[StatementTold]:
        """List what is stated, the newest first. Raises Conflict."""

    def statement(self, record: str) -> StatementTold:
        """Tell of one, by its IRI or the last part of that. Raises NotFound."""

    def check(self, record: str) -> Checked:
        """Check one now. Raises NotFound."""

    def export(self, wish: StatementWish = ..., *, names: Sequence[str] = (), part: int = 0) -> bytes:
        """Write a bundle that anybody can verify without a node. Raises NotFound, Conflict, TooLarge."""

    def erase(self, name: str) -> int:
        """Destroy one for good; give how many entries held it. Raises NotFound."""


class Evidencing(Protocol):
    """Evidence, as far as the web speaks of it."""

    @property
    def desk(self) -> EvidenceDesk:
        """Give the desk."""
