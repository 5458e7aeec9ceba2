"""Asking a peer what it shows of this city: to everybody, to us alone, as a witness. Nothing of it is believed here.

A list for everybody leaves out what is restricted: journals of agreements, and collections that an agreement lets a
peer mirror. Of these it tells us as we are known there; if it does not, that is no answer where it must hold some.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.errors import NodeError, Unavailable
from node.federation.agreements.agreements import pair_collection
from node.federation.client import Head, PeerClient
from node.federation.peers.peers import Peer
from node.journal import Collection, note

# The names of the peers that may mirror a restricted collection of ours.
ReadersOf = Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a peer shows of an own collection; `token`: to us alone, so its entries are asked for as we are known."""

    head: Head
    token: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer said of us; `error` says why that may not be all."""

    shown: tuple[Shown, ...]
    error: str = ""


class Asking:
    """Asks peers. Safe to share by threads."""

    def __init__(self, client: PeerClient, readers: ReadersOf) -> None:
        """Ask through this door."""
        self._client = client
        self._readers = readers

    def ask(self, peer: Peer, own: Sequence[Collection], stop: threading.Event | None) -> Answer:
        """Ask what a peer shows of us: its mirrors, those it shows us alone, and what it cosigned of these of ours."""
        try:
            told = self._client.heads(peer.url, stop=stop)
        except NodeError as problem:
            return Answer((), problem.message)
        heads, error = told.heads if told else (), ""
        mirrored = {head.collection for head in heads}
        shown = [Shown(head) for head in heads]
        try:
            held = self._client.held(peer.url, stop=stop)
        except NodeError as problem:
            # A city that does not know us, or has no such door, is no reason to wait unless it must hold something.
            is_grave = isinstance(problem, Unavailable) or self._must_hold(peer, own)
            held, error = (), problem.message if is_grave else ""
        shown += [Shown(head, token=True) for head in held if head.collection not in mirrored]
        public = [each for each in own if each.visibility == "public" and each.iri not in mirrored]
        shown += [Shown(self._cosigned(peer, each, stop)) for each in public]
        return Answer(tuple(shown), error)

    def _must_hold(self, peer: Peer, own: Sequence[Collection]) -> bool:
        """Tell whether a peer mirrors something of ours that it does not show to everybody."""
        restricted = [each.name for each in own if each.visibility != "public"]
        return any(name == pair_collection(peer.url) or peer.name in self._readers(name) for name in restricted)

    def _cosigned(self, peer: Peer, own: Collection, stop: threading.Event | None) -> Head:
        """Give what a peer cosigned of an own collection in the form of a head; size 0 where it did not."""
        origin_hash = hashlib.sha256(note.origin_of(own.iri).encode()).hexdigest()
        try:
            text = self._client.witnessed(peer.url, origin_hash, stop=stop)
        except NodeError:
            text = ""
        return Head(own.iri, "", 0, text)
