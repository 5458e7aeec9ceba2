"""Who has seen a checkpoint: the cities whose cosignatures under it hold by the keys that are pinned here.

A name under a checkpoint proves nothing; the key that a person approved does. So cities of the book are named by what
they are called, with the time at which each signed, and every other name is left to whoever has its key. One wrong
cosignature of a known key says that the note was tampered with: then nobody is named. Reads alone.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from node.errors import Refuted
from node.federation.peers.store import Peer
from node.federation.witness.witness import witness_name
from node.journal import note
from node.keys import PublicKey, Purpose, verified

_logger = logging.getLogger("citynode.witness")
# Of others nothing is told to everybody.
_TOLD = frozenset({"approved", "active", "paused"})


class Book(Protocol):
    """The book of peers."""

    def list(self) -> Sequence[Peer]:
        """Give every peer."""

    def keys(self, name: str, purpose: Purpose) -> Sequence[PublicKey]:
        """Give the pinned keys of a peer for one purpose, former ones too."""


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A city that has seen a checkpoint of so many entries, and when it said so; `name` is that of its key."""

    name: str
    city: str
    size: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Cosigners:
    """Reads cosignatures. `city` and `url` are our own: of what we mirror we may be a witness ourselves.

    `cosigned` gives the size of the newest checkpoint of a collection of ours that somebody cosigned, 0 for none.
    """

    peers: Book
    city: str
    url: str
    own_keys: Callable[[], Sequence[PublicKey]]
    cosigned: Callable[[str], int]

    def of(self, text: str) -> tuple[Cosigner, ...]:
        """Give the cities whose cosignatures under a note hold, by name; none if one of a known key does not."""
        signed = note.parse(text)
        checkpoint = note.checkpoint_of(signed.text)
        names = {line.name for line in signed.signatures} - {checkpoint.origin}
        if not names:
            return ()
        own = checkpoint.origin.rpartition("/collections/")[0]
        cities, keys = self._known(names - {own})
        try:
            held = note.cosignatures(signed, keys, verified)
        except Refuted as error:
            _logger.warning("A checkpoint of %s is shown without its witnesses: %s", checkpoint.origin, error)
            return ()
        newest = {each.name: each for each in sorted(held, key=lambda one: one.at_s)}
        found = (Cosigner(name, cities[name], checkpoint.size, each.at_s * 1000) for name, each in newest.items())
        return tuple(sorted(found, key=lambda one: one.city))

    def _known(self, names: set[str]) -> tuple[dict[str, str], dict[str, list[bytes]]]:
        """Give what the cities among these names are called, and their witness keys."""
        cities, keys = {}, {}
        for peer in self.peers.list():
            name = witness_name(peer.url)
            if name in names and peer.state in _TOLD and not peer.quarantine:
                cities[name] = peer.title or peer.name
                keys[name] = [key.raw for key in self.peers.keys(peer.name, "witness")]
        if (name := witness_name(self.url)) in names:
            cities[name], keys[name] = self.city, [key.raw for key in self.own_keys()]
        return cities, keys
