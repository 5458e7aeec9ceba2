"""What the staff's API needs of data origins: their desk, as a shape.

The part of `ports` that belongs to `web.data_origins_api`. Every method blocks, some as long as a place takes that data
lie at, so they are called beside the event loop; errors are those of the tree.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from node.federation.data.credentials import Told
from node.federation.data.origin_office import Changes
from node.federation.moved import OriginTold, OriginWish


class OriginOffice(Protocol):
    """The desk of origins."""

    def list(self, dataset: str = "") -> Sequence[OriginTold]:
        """List the origins, of one dataset or of all. Raises NotFound."""

    def test(self, dataset: str, name: str = "", *, whole: bool = False) -> OriginTold:
        """Read an origin now, as far as somebody can wait for it. Raises NotFound."""

    def add(self, wish: OriginWish, *, by: str, files: bool = False) -> OriginTold:
        """Register an origin. Raises NotFound, Malformed, Refuted, Unavailable, Conflict."""

    def change(self, dataset: str, name: str, changes: Changes) -> OriginTold:
        """Say something else of an origin. Raises what `add` raises."""

    def remove(self, dataset: str, name: str = "") -> None:
        """Forget an origin. Raises NotFound."""

    def credentials(self) -> Sequence[Told]:
        """List the credentials; what they are is never told."""

    def set_credential(
        self, name: str, kind: str, where: str, secret: str, more: Mapping[str, str] | None = None
    ) -> Told:
        """Write a credential. Raises Malformed."""

    def remove_credential(self, name: str) -> None:
        """Forget a credential. Raises NotFound, Conflict."""


class OriginParts(Protocol):
    """What belongs to origins."""

    @property
    def office(self) -> OriginOffice:
        """Give the desk."""
