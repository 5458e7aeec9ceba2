"""A walk to a peer, step by step, that names the step which fails and why: DNS, TLS, identity, keys, token, feed.

Each step is timed and stands on the one before it, so the walk ends at the first that fails; the rest is shown as not
reached. It changes nothing: not the book of peers, not even when keys have changed (the next exchange does that). While
one of the two cities has not approved the other, keys are not pinned or the token is refused: that is said as missing,
is no failure, and the public feed is tested all the same.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

from node.errors import Forbidden, NodeError, TooManyRequests, Unauthenticated
from node.federation.client import Heads
from node.federation.peers.peers import Peer, Review, is_same
from node.federation.tokens.clients import UNKNOWN

Result = Literal["ok", "missing", "failed", "not reached"]
Look = Callable[[], tuple[Result, str]]
STEPS = ("dns", "tls", "identity", "keys", "token", "feed")


class Door(Protocol):
    """What is asked of the way out."""

    def look_up(self, url: str, *, deadline_s: float) -> list[str]:
        """Give the checked addresses of a host."""

    def shake_hands(self, url: str, *, deadline_s: float) -> str:
        """Connect, check the certificate, and say with which version of TLS; empty for plain http."""


class Client(Protocol):
    """What is asked of the client."""

    def authenticate(self, url: str) -> None:
        """Get a token of the peer."""

    def heads(self, url: str, etag: str = "") -> Heads | None:
        """Give the newest checkpoints of the peer."""


class Book(Protocol):
    """What is asked of the book of peers."""

    def get(self, name: str) -> Peer:
        """Give a peer."""

    def glance(self, name: str, now_ms: int) -> Review:
        """Fetch and check its statement."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the walk: what was found, or why it went no further."""

    name: str
    result: Result
    detail: str
    ms: float


@dataclass(frozen=True, slots=True)
class Walk:
    """All steps, in order."""

    peer: str
    url: str
    state: str
    steps: tuple[Step, ...]
    error: NodeError | None = None

    @property
    def ok(self) -> bool:
        """Tell whether no step failed."""
        return self.error is None

    @property
    def failed_at(self) -> str:
        """Name the step that failed, or nothing."""
        return next((step.name for step in self.steps if step.result == "failed"), "")


class PeerTest:
    """Walks to peers."""

    def __init__(self, peers: Book, door: Door, client: Client, *, deadline_s: float = 15.0) -> None:
        """Walk through this door; each step may take `deadline_s`."""
        self._peers = peers
        self._door = door
        self._client = client
        self._deadline_s = deadline_s

    def walk(self, name: str, now_ms: int) -> Walk:
        """Walk to a peer. Raises NotFound if there is none of that name; every other trouble is in the steps."""
        peer = self._peers.get(name)
        steps: list[Step] = []
        error: NodeError | None = None
        for step, look in zip(STEPS, self._looks(peer, now_ms), strict=True):
            if error is not None:
                steps.append(Step(step, "not reached", "", 0.0))
                continue
            begun = time.perf_counter()
            try:
                result, detail = look()
            except NodeError as caught:
                result, detail, error = "failed", str(caught), caught
            steps.append(Step(step, result, detail, round((time.perf_counter() - begun) * 1000, 3)))
        return Walk(peer.name, peer.url, peer.state, tuple(steps), error)

    def _looks(self, peer: Peer, now_ms: int) -> Iterator[Look]:
        found: list[Review] = []

        def identity() -> tuple[Result, str]:
            found.append(self._peers.glance(peer.name, now_ms))
            one = found[0].identity
            return "ok", f"{one.name}, fingerprint {one.fingerprint}"

        yield lambda: ("ok", ", ".join(self._door.look_up(peer.url, deadline_s=self._deadline_s)))
        yield lambda: _tls(peer, self._door.shake_hands(peer.url, deadline_s=self._deadline_s))
        yield identity
        yield lambda: _keys(peer, found[0])
        yield lambda: self._token(peer)
        yield lambda: self._feed(peer)

    def _token(self, peer: Peer) -> tuple[Result, str]:
        try:
            self._client.authenticate(peer.url)
        except TooManyRequests:
            raise
        except (Unauthenticated, Forbidden) as error:
            if peer.state != "proposed" and not _is_unknown_there(peer, error):
                raise
            return "missing", f"They have not approved you yet: {error.message} Public records do not need it."
        return "ok", "they gave us a token"

    def _feed(self, peer: Peer) -> tuple[Result, str]:
        heads = self._client.heads(peer.url)
        # What it mirrors of others is theirs to show, and is not what can be followed there.
        count = sum(head.collection.startswith(f"{peer.url}/") for head in heads.heads) if heads else 0
        if not count:
            return "missing", "they show no public collection"
        return "ok", f"{count} public collection{'s' if count != 1 else ''}"


def _is_unknown_there(peer: Peer, error: NodeError) -> bool:
    """Tell whether a peer that never asked us anything does not know us; one that did has approved us before."""
    return isinstance(error, Unauthenticated) and UNKNOWN in error.message and not peer.last_in_at


def _tls(peer: Peer, version: str) -> tuple[Result, str]:
    if version:
        return "ok", f"{version}, the certificate is for {urlsplit(peer.url).hostname}"
    return "ok", "plain http, which is allowed for this address"


def _keys(peer: Peer, review: Review) -> tuple[Result, str]:
    if review.is_untold:
        return "missing", f"none is pinned before you have compared this fingerprint: {review.identity.fingerprint}"
    if not review.vouched:
        raise review.refusal()
    if peer.approved_at == 0:
        same = is_same(review.identity.fingerprint, peer.fingerprint)
        how = "the fingerprint is the one you were told" if same else "signed by the one you were told"
        return "missing", f"none is pinned before you approve it; {how}"
    new = f", {len(review.new_keys)} new ones signed by them" if review.new_keys else ""
    return "ok", f"as pinned{new}"
