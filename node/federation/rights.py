"""Who may read which collection: the one place where a caller's name meets a collection's visibility.

Public collections are everyone's. A restricted one is for the city's own staff, for programs whose token names it, and
for the peers it is shared with; a mirrored restricted one never goes to a third city. Agreements will decide in place
of `Sharing.shared_with`, at the one line that asks it. Tells values, raises nothing: a "no" is an answer.
"""

from collections.abc import Collection as Many
from dataclasses import dataclass
from typing import Literal, Protocol

from node.errors import NotFound

Action = Literal["index", "read"]


class Who(Protocol):
    """Who asks: `kind` is public, peer, program or staff."""

    @property
    def kind(self) -> str:
        """Give public, peer, program or staff."""

    @property
    def name(self) -> str:
        """Give the peer's or the token's name; empty for the public."""

    @property
    def scopes(self) -> frozenset[str]:
        """Give the scopes of the token."""


class Named(Protocol):
    """A collection, as far as rights need it."""

    @property
    def name(self) -> str:
        """Give the local name; a mirror's is `{peer}/{name}`."""

    @property
    def visibility(self) -> str:
        """Give public or restricted."""


class Standing(Protocol):
    """A peer, as far as rights need it."""

    @property
    def state(self) -> str:
        """Give proposed, approved, active, paused or blocked."""

    @property
    def exchanges(self) -> bool:
        """Tell whether anything is exchanged with it now: approved or active, and not held apart."""


class Sharing(Protocol):
    """What the city told of its peers."""

    def get(self, name: str) -> Standing:
        """Give a peer. Raises NotFound."""

    def shared_with(self, collection: str) -> Many[str]:
        """Name the peers a collection is shared with; nobody for one that does not exist."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes, or no with a stable code."""

    code: str = ""

    def __bool__(self) -> bool:
        """Tell whether it is a yes."""
        return not self.code


YES = Verdict()
_NO = Verdict("not-shared")


@dataclass(frozen=True, slots=True)
class NoCollection:
    """What is asked about where there is no collection of a name, so that a "no" takes as long as any other."""

    name: str
    visibility: str = "restricted"


class Rights:
    """Decides; reads the peers at each question, so a pause takes effect at once."""

    def __init__(self, peers: Sharing) -> None:
        """Decide by what the city told of its peers."""
        self._peers = peers

    def welcome(self, caller: Who) -> Verdict:
        """Tell whether this caller's token is taken at all; without one everybody is."""
        if caller.kind != "peer":
            return YES
        try:
            peer = self._peers.get(caller.name)
        except NotFound:
            return Verdict("peer-unknown")
        return YES if peer.exchanges else Verdict(f"peer-{peer.state}")

    def may(self, caller: Who, action: Action, collection: Named) -> Verdict:
        """Tell whether a caller may see that a collection is there (`index`) or read it."""
        refused = self.welcome(caller)
        if not refused:
            return refused
        if collection.visibility == "public" or caller.kind == "staff":
            return YES
        if caller.kind == "program":
            scopes = {f"{action}:{collection.name}", f"read:{collection.name}"}
            return YES if scopes & caller.scopes else _NO
        if caller.kind == "peer" and "/" not in collection.name:
            # Here agreements take over: which of this city's restricted collections may that peer mirror?
            return YES if caller.name in self._peers.shared_with(collection.name) else _NO
        return _NO
