"""What pulls need of others: who knows records, who speaks with cities, who moves transfers, who writes receipts.

Protocols alone, so that each can be tested with the real thing and none is imported. Everything here may block, and
raises the errors of the tree.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from node.federation.agreement_desk.drafting import Wish
from node.federation.dsp.documents import Catalog, Dataset
from node.federation.moving import Format, Moved
from node.federation.transfer import Step, Transfer

Json = Mapping[str, Any]
# Bytes so far, bytes in all (0 while nobody knows), and what is being done.
Tell = Callable[[int, int, str], None]


def tell_nobody(got: int, total: int, doing: str) -> None:
    """Tell nobody."""


class Place(Protocol):
    """A record of another city as it stands here."""

    @property
    def iri(self) -> str:
        """Give its IRI."""

    @property
    def title(self) -> str:
        """Give its title, if that is known."""

    @property
    def peer(self) -> str:
        """Give the peer's name here."""

    @property
    def collection(self) -> str:
        """Give the IRI of its collection at the origin."""


class Records(Protocol):
    """Who knows the records of other cities that are mirrored here."""

    def by_iri(self, iri: str) -> Sequence[Place]:
        """Give where a record with this IRI stands, in any collection of another city."""

    def by_words(self, words: str) -> Sequence[Place]:
        """Give the records whose name in addresses or title this is, or else those whose title has these words."""


class Party(Protocol):
    """A peer, as far as pulls need it."""

    @property
    def name(self) -> str:
        """Give its name here."""

    @property
    def url(self) -> str:
        """Give its base URL."""

    @property
    def exchanges(self) -> bool:
        """Tell whether anything is exchanged with it now."""


class Book(Protocol):
    """The book of peers."""

    def get(self, name: str) -> Party:
        """Give a peer. Raises NotFound."""

    def list(self) -> Sequence[Party]:
        """Give them all."""


class Catalogues(Protocol):
    """Who reads the catalogues of other cities."""

    def catalogue(self, peer_url: str) -> Iterable[Catalog]:
        """Give a peer's catalogue page by page."""

    def dataset(self, peer_url: str, iri: str) -> Dataset:
        """Give one dataset of it. Raises NotFound."""


class Agreements(Protocol):
    """The desk of agreements."""

    def draft(self, wish: Wish) -> Json:
        """Write drafts."""

    def propose(self, name: str, *, by: str = "") -> Json:
        """Send drafts to the other city."""

    def show(self, name: str) -> Json:
        """Tell how one thing stands. Raises NotFound."""


class Transfers(Protocol):
    """Who keeps transfers and speaks of them with the other city."""

    def request(  # noqa: PLR0913  (what a request says)
        self,
        peer: str,
        agreement: str,
        dataset: str = "",
        part: str = "",
        purpose: str = "",
        format: Format = "HttpData-PULL",
        *,
        jkt: str = "",
        address: Json | None = None,
        by: str = "",
    ) -> Transfer:
        """Ask a city for data; the message is stored and sent as soon as it can be."""

    def get(self, pid: str) -> Transfer:
        """Give one. Raises NotFound."""

    def of_agreement(self, iri: str) -> Sequence[Transfer]:
        """Give those under an agreement, the newest first."""

    def step(self, pid: str, step: Step) -> Transfer:
        """Do a step of ours. Raises Conflict where it does not fit."""

    def deliver(self, now_ms: int, subject: str = "") -> int:
        """Send what is due now."""


class Receipts(Protocol):
    """Who writes what each end says it moved."""

    def half(self, transfer: Transfer, moved: Sequence[Moved], *, now_ms: int) -> str:
        """Write the receipt of a transfer that we complete, signed by us. Raises Malformed, Conflict."""


class Reading(Protocol):
    """Bytes that are read piece after piece."""

    def read(self, most: int, /) -> bytes:
        """Give the next bytes; empty at the end."""


class Sinks(Protocol):
    """Where parts can be put besides this machine's files."""

    def put(
        self,
        location: str,
        source: Reading,
        *,
        size: int | None = None,
        media_type: str = "",
        stop: threading.Event | None = None,
    ) -> int:
        """Put all of it at `s3://bucket/key`, whole or not at all. Raises Unavailable, Refused."""
