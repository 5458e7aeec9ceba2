"""What the web needs of the feed: readers of journals for other nodes and portals, and who may use them.

The part of `ports` that belongs to the federation's routers; protocols for the same reason. None of the readers knows
a caller: whoever serves what they give asks `Rights` first (`door`). Methods block, so they are called beside the event
loop.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from node.federation.answers import Records
from node.federation.rights.rights import Action, Named, Verdict, Way, Who
from node.vocab.ntriples import Triple
from node.vocab.trig import Member


class Head(Protocol):
    """The newest signed state of a collection."""

    @property
    def name(self) -> str:
        """Give the collection's local name."""

    def document(self) -> Mapping[str, str | int]:
        """Give it as it stands in `/checkpoints`."""


class FeedPage(Protocol):
    """A page of entries, made."""

    @property
    def body(self) -> bytes:
        """Give its bytes."""

    @property
    def tag(self) -> str:
        """Name its bytes; an ETag without quotes and coding."""

    @property
    def given(self) -> frozenset[str]:
        """Name the records that it says something about."""


class Feed(Protocol):
    """Reads journals for those who follow them; knows no caller. Names are local ones; all raise NotFound."""

    def heads(self) -> Sequence[Head]:
        """Give the newest signed states of public collections; the same object while nothing changed."""

    def held(self, peer: str) -> Sequence[Head]:
        """Give the newest signed states of the mirrors of a peer's collections, restricted ones too."""

    def note(self, name: str, size: int | None = None) -> str:
        """Give a signed note."""

    def tag(self, name: str, *, after: int, size: int | None, limit: int, only: Records | None = None) -> str:
        """Name the bytes of a page without making it."""

    def paged(self, name: str, *, after: int, size: int | None, limit: int, only: Records | None = None) -> FeedPage:
        """Give a page; of all but the records `only` names no more than stubs."""

    def stubs_paged(
        self, name: str, seqs: Sequence[int], size: int | None = None, *, only: Records | None = None
    ) -> FeedPage:
        """Give single entries."""

    def snapshot(self, name: str, size: int | None = None, *, only: Records | None = None) -> Iterator[bytes]:
        """Give all pages, one after the other."""

    def tile(self, name: str, level: int, index: int, width: int) -> bytes:
        """Give the first hashes of a tile."""


class StreamNode(Protocol):
    """One document of an event stream."""

    @property
    def head(self) -> tuple[Triple, ...]:
        """Give what it says of the stream and of itself."""

    @property
    def events(self) -> Sequence[object]:
        """List the members it announces."""

    @property
    def final(self) -> bool:
        """Tell whether nothing will be added to it."""

    def tag(self, form: str) -> str:
        """Name its bytes in a form; an ETag without quotes and coding."""


class Stream(Protocol):
    """Reads journals as event streams; knows no caller. Names are local ones; all raise NotFound."""

    def root(self, name: str) -> StreamNode:
        """Give the view."""

    def part(self, name: str, number: int) -> StreamNode:
        """Give a part, from 1."""

    def page(self, name: str, number: int) -> StreamNode:
        """Give a page, from 1."""

    def member(self, name: str, seq: int) -> StreamNode:
        """Give one member."""

    def members(self, node: StreamNode, /) -> Iterator[Member]:
        """Give a document's members, ready to be written; fewer if one was erased since."""


class Access(Protocol):
    """Tells callers apart."""

    def caller(self, credentials: Sequence[str], proofs: Sequence[str], *, method: str, path: str) -> Who:
        """Say who shows these headers Authorization and DPoP. Raises Unauthenticated."""

    def challenge(self, error: str = "", message: str = "") -> str:
        """Say which ways of showing who one is are taken, for WWW-Authenticate, and what was wrong with this one."""


class Rights(Protocol):
    """Decides who may read what."""

    def welcome(self, caller: Who) -> Verdict:
        """Tell whether a caller's token is taken at all."""

    def may(
        self, caller: Who, action: Action, collection: Named, record: str = "", *, way: Way | None = None
    ) -> Verdict:
        """Tell whether a caller may do something with a collection, or with one record of it, through a door."""

    def execute(self, caller: Who, action: Action, collection: Named, *records: str) -> Verdict:
        """Tell it and count it, where an agreement permits so many uses and no more; of records, all or none."""


class Notices(Protocol):
    """Notes who has something new."""

    def hear(self, peer: str, body: bytes, now_ms: int) -> bool:
        """Read a peer's list of heads; tell whether it is news. Raises Malformed, TooLarge."""

    def prod(self, peer: str, iri: str, now_ms: int) -> bool:
        """Remember that a peer has news in a collection of its own that is followed; tell whether it is."""


class ErasuresHeard(Protocol):
    """Keeps which mirrors have blanked what was erased."""

    def hear(self, name: str, peer: str, seqs: Sequence[int], *, at_ms: int) -> None:
        """Keep a peer's confirmation."""


class RefusalsHeard(Protocol):
    """Keeps what peers refused."""

    def hear(self, name: str, peer: str, refusals: Sequence[tuple[int, str]], *, at_ms: int) -> None:
        """Keep a peer's refusals: seq and code."""
