"""What the router of the Dataspace Protocol needs from the rest of the node.

The part of `ports` that belongs to `dsp`. Everything blocks, so it is called beside the event loop; errors are those
of the tree, and the router says them in the protocol's words.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from node.federation.dsp.catalogue import Page
from node.federation.dsp.documents import CatalogRequest
from node.federation.negotiation import Kind, Role
from node.federation.rights.rights import Who
from node.federation.signing.signatures import Message
from node.federation.transfer import Kind as TransferKind
from node.federation.transfer import Role as TransferRole
from node.web.ports.consent import Consenting
from node.web.ports.data import DataDoor
from node.web.ports.data_origins import OriginParts
from node.web.ports.deletions import Deletions
from node.web.ports.evidence import Evidencing
from node.web.ports.pulls import Pulling

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


class Signing(Protocol):
    """Checks the signatures of what peers say, and signs what they are answered."""

    def check_request(self, peer_url: str, message: Message, body: bytes | None) -> None:
        """Check a request of a peer. Raises Unauthenticated."""

    def sign_response(self, request: Message, status: int, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Give the headers that sign an answer."""


class Transferred(Standing, Protocol):
    """A transfer, as far as its other side is told."""

    @property
    def receipt(self) -> str:
        """Give the receipt, as far as it is signed."""


class Transfers(Protocol):
    """Takes messages of peers about data that move."""

    def hear(self, caller: str, role: TransferRole | None, pid: str, said: Json, *kinds: TransferKind) -> Transferred:
        """Take a message that may be of these kinds. Raises NotFound, Refused."""

    def state(self, caller: str, role: TransferRole | None, pid: str) -> Transferred:
        """Tell how a transfer stands. Raises NotFound, Unavailable."""


class Moving(Protocol):
    """What moves data, as far as other cities speak with it."""

    @property
    def transfers(self) -> Transfers:
        """Give the transfers."""

    @property
    def door(self) -> DataDoor:
        """Give the door of data."""

    @property
    def origin_parts(self) -> OriginParts:
        """Give where our own data lie."""

    @property
    def consenting(self) -> Consenting:
        """Give what knows who agreed."""

    @property
    def deletions(self) -> Deletions:
        """Give what knows what must be deleted."""

    @property
    def pulling(self) -> Pulling:
        """Give what this city gets from others."""

    @property
    def evidencing(self) -> Evidencing:
        """Give what this city can show of what moved."""


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
    def messages(self) -> Signing:
        """Give what checks and makes signatures of messages."""

    @property
    def self_issued(self) -> SelfIssued:
        """Give the second way to show who one is."""
