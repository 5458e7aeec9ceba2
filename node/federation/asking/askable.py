"""Which peers may be asked live, about which of their collections, for whom, and what our token must say for that.

What an agreement lets us read but not mirror is not held here, so a question goes to the city whose it is. Two things
are decided before one leaves: that we may read there by the clause for live search, and that the caller here may hear
the answer: our own staff for the purposes that the agreement names, a program that a clause names for the purpose of
its token. Everybody else is answered from what is held here, and does not hear that there is more. A peer asks for
itself, so questions never go on from city to city.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from node.errors import NotFound
from node.federation.agreements.bindings import CONSUMER, Bound
from node.federation.answers import Ask, Decision, Details
from node.federation.peers.store import Follow, Peer, PeerStore
from node.federation.policy.terms import CHANNELS
from node.federation.rights.decisions import Decisions
from node.federation.rights.rights import Who
from node.federation.tokens.metadata import DETAILS_TYPE
from node.federation.tokens.request import MAX_DETAILS


@dataclass(frozen=True, slots=True)
class Askable:
    """A peer that may be asked: the names of its collections, single records, and what our token must say."""

    peer: str
    url: str
    city: str
    collections: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()
    details: Details = field(default=(), repr=False)

    def covers(self, collection: str, record: str) -> bool:
        """Tell whether a record of a collection (its name at the peer) is among what we may ask about."""
        return collection in self.collections or record in self.records


class Askables:
    """Works it out at each question, so that a pause or a revocation takes effect at once."""

    def __init__(self, decisions: Decisions, peers: PeerStore, *, clock_ms: Callable[[], int]) -> None:
        """Decide by agreements and the book of peers."""
        self._decisions, self._peers, self._clock_ms = decisions, peers, clock_ms

    def of(self, caller: Who) -> list[Askable]:
        """List the peers that may be asked for a caller, in order of name."""
        if caller.kind != "staff" and not (caller.kind == "program" and caller.details):
            return []
        now_ms, found = self._clock_ms(), dict[str, list[Bound]]()
        for bound in self._decisions.granting(now_ms):
            found.setdefault(bound.agreement.peer, []).append(bound)
        made = (self._at(name, bounds, caller, now_ms) for name, bounds in sorted(found.items()))
        return [each for each in made if each is not None]

    def _at(self, name: str, bounds: list[Bound], caller: Who, now_ms: int) -> Askable | None:
        peer = self._known(name)
        if peer is None or not peer.exchanges:
            return None
        followed = {follow.iri for follow in self._follows(name)}
        collections, records, details = set[str](), set[str](), dict[str, Mapping[str, Any]]()
        for bound in bounds:
            for cover, decision in self._open(bound, followed, caller, now_ms):
                single = cover in bound.records
                (records if single else collections).add(cover if single else cover.rpartition("/")[2])
                details.setdefault(f"{decision.agreement} {decision.purpose}", _detail(bound, decision))
        if not details:
            return None
        listed = tuple(details.values())[:MAX_DETAILS]
        return Askable(name, peer.url, peer.title or name, frozenset(collections), frozenset(records), listed)

    def _open(self, bound: Bound, followed: set[str], caller: Who, now_ms: int) -> Iterator[tuple[str, Decision]]:
        """Go through what an agreement opens to be asked about, each with the decision that says so."""
        for cover in bound.covers:
            single = cover in bound.records
            ours = Ask(
                "read",
                "" if single else cover,
                record=cover if single else "",
                role=CONSUMER,
                peer=bound.agreement.peer,
                recipient=self._decisions.base_url,
                channel=CHANNELS["search"].iri,
                any_purpose=True,
            )
            if (single or cover in followed) and self._held(ours, now_ms):
                continue
            decision = self._decided(ours, caller, now_ms)
            if decision and decision.agreement == bound.iri and not decision.counts:
                yield cover, decision

    def _held(self, ours: Ask, now_ms: int) -> bool:
        """Tell whether we may mirror it: then what is found of it is found here."""
        return bool(self._decisions.decide(replace(ours, action="index", channel=CHANNELS["feed"].iri), now_ms))

    def _decided(self, ours: Ask, caller: Who, now_ms: int) -> Decision:
        """Decide that we may ask, and that the caller may hear the answer; give what our token is to say."""
        if caller.kind == "staff":
            return self._decisions.decide(ours, now_ms)
        theirs = replace(
            ours, peer="", recipient=caller.url, details=caller.details, bound=True, named=True, any_purpose=False
        )
        heard = self._decisions.decide(theirs, now_ms)
        if not heard:
            return heard
        # We ask for the purpose that the program's token names, and not for any that the agreement knows.
        said = [{"agreement": heard.agreement, **({"purpose": heard.purpose} if heard.purpose else {})}]
        asked = self._decisions.decide(replace(ours, details=said, any_purpose=False), now_ms)
        return replace(asked, counts=(*asked.counts, *heard.counts))

    def _known(self, name: str) -> Peer | None:
        try:
            return self._peers.get(name)
        except NotFound:
            return None

    def _follows(self, name: str) -> list[Follow]:
        return list(self._peers.follows(name))


def _detail(bound: Bound, decision: Decision) -> Mapping[str, Any]:
    said = {"type": DETAILS_TYPE, "agreement": bound.iri, "digest": bound.agreement.digest}
    return {**said, **({"purpose": decision.purpose} if decision.purpose else {})}
