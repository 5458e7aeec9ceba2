"""What the router of the Dataspace Protocol needs from the rest of the node.

The part of `ports` that belongs to `dsp`. Everything blocks, so it is called beside the event loop; errors are those
of the tree, and the router says them in the protocol's words.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from node.federation.dsp.catalogue import Page
from node.federation.dsp.documents import CatalogRequest
from node.federation.negotiation import Kind, Role
from node.federation.rights import Who

Json = Mapping[str, Any]


class Catalogue(Protocol):
    """Shows a peer what is offered to it."""

    def page(self, peer_url: str, request: CatalogRequest, token: str = "") -> Page:
        """Give a page. Raises Malformed."""

    def dataset(self, peer_url: str, iri: str) -> Json:
        """Give one dataset. Raises NotFound."""


class Standing(Protocol):
    """A negotiation, as far as its other side is told."""

    @property
    def consumer_pid(self) -> str:
        """Give the consumer's id of it."""

    @property
    def provider_pid(self) -> str:
        """Give the provider's id of it."""

    @property
    def state(self) -> str:
        """Give its state in the protocol's words."""


class Negotiations(Protocol):
    """Takes messages of peers."""

    def hear(self, caller: str, role: Role | None, pid: str, said: Json, *kinds: Kind) -> Standing:
        """Take a message that may be of these kinds. Raises NotFound, Refused."""

    def state(self, caller: str, role: Role | None, pid: str) -> Standing:
        """Tell how a negotiation stands. Raises NotFound, Unavailable."""


class SelfIssued(Protocol):
    """Recognises peers by tokens that they issued themselves."""

    def caller(self, credentials: str) -> Who:
        """Say who shows this header Authorization. Raises Unauthenticated."""


class Dsp(Protocol):
    """The protocol's side of the federation."""

    @property
    def versions(self) -> Json:
        """Give the version document."""

    @property
    def catalogue(self) -> Catalogue:
        """Give the catalogue."""

    @property
    def negotiations(self) -> Negotiations:
        """Give the negotiations."""

    @property
    def self_issued(self) -> SelfIssued:
        """Give the second way to show who one is."""
