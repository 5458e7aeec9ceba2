"""Who may do what with which collection: the one place where a caller meets the decision point.

Public collections are everyone's. A restricted one of ours is for the city's own staff, for programs whose token names
it, and for whom an agreement in force permits it (`decisions`); a mirrored one for our staff while an agreement lets us
hold it, for the city it is of, and for others only where a clause names them as recipient. A pair's journal of
agreements is both cities' for ever. Tells values, raises nothing: a "no" is an answer. Each one about something
restricted is written to the log.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from node.errors import NotAgreed, NotFound
from node.federation.agreements.bindings import CONSUMER, PROVIDER
from node.federation.answers import Ask, Decision, Extent, Records, refusal
from node.federation.policy.terms import CHANNELS
from node.federation.rights.decisions import Decisions
from node.records import EVIDENCE

_logger = logging.getLogger("citynode.decisions")
Action = Literal["index", "read", "use"]
Way = Literal["feed", "page", "search", "sparql", "transfer"]
# Through which door what is asked for is handed out, unless the door itself says so.
_WAY: dict[Action, Way] = {"index": "feed", "read": "page", "use": "transfer"}


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

    @property
    def url(self) -> str:
        """Give a peer's base URL, or the IRI by which an agreement names a program."""

    @property
    def details(self) -> Sequence[Mapping[str, Any]]:
        """Give what the token says of agreements."""


class Named(Protocol):
    """A collection, as far as rights need it."""

    @property
    def name(self) -> str:
        """Give the local name; a mirror's is `{peer}/{name}`."""

    @property
    def iri(self) -> str:
        """Give its IRI at the origin."""

    @property
    def visibility(self) -> str:
        """Give public or restricted."""


class Standing(Protocol):
    """A peer, as far as rights need it."""

    @property
    def name(self) -> str:
        """Give its name here."""

    @property
    def url(self) -> str:
        """Give its base URL."""

    @property
    def state(self) -> str:
        """Give proposed, approved, active, paused or blocked."""

    @property
    def exchanges(self) -> bool:
        """Tell whether anything is exchanged with it now: approved or active, and not held apart."""


class Directory(Protocol):
    """The book of peers."""

    def get(self, name: str) -> Standing:
        """Give a peer. Raises NotFound."""

    def list(self) -> Sequence[Standing]:
        """Give all peers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes, or no with a stable code.

    `only` are the records that it is a yes for, if not for all, `counted` those of them of which each use counts;
    `decision` is what an agreement said, if one did; `refused` is what a caller is told, if it is of a party of that
    agreement: nobody else hears that there is one.
    """

    code: str = ""
    only: Records | None = None
    decision: Decision | None = None
    refused: NotAgreed | None = None
    counted: frozenset[str] = frozenset()

    @property
    def counts(self) -> bool:
        """Tell whether handing out all of what it is a yes for uses something up."""
        return bool(self.decision and self.decision.counts)

    def __bool__(self) -> bool:
        """Tell whether it is a yes."""
        return not self.code


YES = Verdict()
_NO = Verdict("not-agreed")


@dataclass(frozen=True, slots=True)
class NoCollection:
    """What is asked about where there is no collection of a name, so that a "no" takes as long as any other."""

    name: str
    iri: str = ""
    visibility: str = "restricted"


class Rights:
    """Decides; reads peers and agreements at each question, so a pause or a revocation takes effect at once."""

    def __init__(self, peers: Directory, decisions: Decisions, *, clock_ms: Callable[[], int]) -> None:
        """Decide by the book of peers and by agreements."""
        self._peers = peers
        self._decisions = decisions
        self._clock_ms = clock_ms

    def welcome(self, caller: Who) -> Verdict:
        """Tell whether this caller's token is taken at all; without one everybody is.

        A token that is bound to an agreement is worth nothing while that is not in force.
        """
        if caller.kind == "program" and caller.details:
            found = self._decisions.alive(str(caller.details[0]["agreement"]), self._clock_ms())
            return YES if found.allowed else Verdict(f"agreement-{found.code}")
        if caller.kind != "peer":
            return YES
        try:
            peer = self._peers.get(caller.name)
        except NotFound:
            return Verdict("peer-unknown")
        return YES if peer.exchanges else Verdict(f"peer-{peer.state}")

    def may(
        self, caller: Who, action: Action, collection: Named, record: str = "", *, way: Way | None = None
    ) -> Verdict:
        """Tell whether a caller may do something with a collection, or with one record of it.

        Of a collection as a whole the answer may be "these records alone"; a door that cannot give out single records
        takes that for a no. `way` is the door through which it is handed out, where that is not the action's usual one.
        """
        refused = self.welcome(caller)
        if not refused:
            return refused
        if collection.visibility == "public":
            return YES
        verdict = self._restricted(caller, action, collection, record, way)
        _log(caller, action, collection, record, verdict)
        return verdict

    def execute(self, caller: Who, action: Action, collection: Named, *records: str) -> Verdict:
        """Tell it, and use it up if an agreement permits it only so many times: what is asked for is handed out now.

        Of a collection, or of some records alone: then it is all of these or none.
        """
        verdict = self.may(caller, action, collection, records[0] if records else "")
        if not verdict or verdict.decision is None or caller.kind == "staff":
            return verdict  # no agreement was asked, or it is our own use
        asks = [self._ask(caller, action, collection, record) for record in records or ("",)]
        found, party = self._decisions.execute_all(asks, self._clock_ms()), not asks[0].named or asks[0].bound
        return _verdict(Extent(found), asks[0], party=party)

    def readers(self, name: str) -> frozenset[str]:
        """Name the peers that may mirror a restricted collection of ours, or records of it; nobody if there is none."""
        if name == EVIDENCE:
            return frozenset()
        iri = f"{self._decisions.base_url}/collections/{name}"
        paired = {peer.name for peer in self._peers.list() if self._decisions.is_pair(name, peer.url)}
        return self._decisions.readers(iri, self._clock_ms()) | paired

    def _restricted(self, caller: Who, action: Action, collection: Named, record: str, way: Way | None) -> Verdict:
        own = "/" not in collection.name
        if caller.kind == "staff":
            return YES if own else self._held(collection, record)
        if own and collection.name == EVIDENCE:
            return _NO  # whatever was agreed or granted: it names what moved to others
        if caller.kind == "program" and not caller.details:
            scopes = {f"{action}:{collection.name}", f"read:{collection.name}"}
            return YES if own and scopes & caller.scopes else _NO
        if caller.kind == "peer" and own and self._decisions.is_pair(collection.name, caller.url):
            return YES
        if caller.kind == "peer" and action == "index" and _is_of(caller, collection):
            return YES  # what it published itself it may read back, whatever is agreed
        if caller.kind == "public":
            return _NO
        ask, now_ms = self._ask(caller, action, collection, record, way), self._clock_ms()
        party = not ask.named or ask.bound
        if record:
            found = self._decisions.decide(ask, now_ms)
            known = bool(found) or self._decisions.may_know(found, record, collection.name, now_ms)
            return _verdict(Extent(found), ask, party=party and known)
        return _verdict(self._decisions.extent(ask, now_ms, name=collection.name), ask, party=party)

    def _held(self, collection: Named, record: str) -> Verdict:
        """Let our staff see a mirror as far as we may hold it."""
        peer = collection.name.partition("/")[0]
        try:
            blocked = self._peers.get(peer).state == "blocked"
        except NotFound:
            blocked = True
        if blocked:
            return _NO
        now_ms = self._clock_ms()
        if record:
            return _verdict(Extent(self._decisions.held(peer, collection.iri, record, now_ms)), None, party=True)
        return _verdict(self._decisions.mirrored(peer, collection.iri, now_ms, name=collection.name), None, party=True)

    def _ask(self, caller: Who, action: Action, collection: Named, record: str, way: Way | None = None) -> Ask:
        """Put the question to agreements: of our own things the party's, of a mirror whether we may hand it on."""
        own, peer = "/" not in collection.name, collection.name.partition("/")[0]
        bound = caller.kind == "program"
        # Who is neither of the two cities gets a mirror's records only where a clause names them.
        return Ask(
            action if own or bound else "distribute",
            collection.iri or f"{self._decisions.base_url}/collections/{collection.name}",
            record=record,
            role=PROVIDER if own else CONSUMER,
            peer="" if own and bound else caller.name if own else peer,
            recipient=caller.url,
            channel=CHANNELS[way or _WAY[action]].iri,
            details=caller.details,
            bound=bound,
            named=not own,
        )


def _is_of(caller: Who, collection: Named) -> bool:
    """Tell whether a collection is our mirror of one of the caller's own."""
    below = f"{caller.url}/collections/"
    return collection.name.startswith(f"{caller.name}/") and collection.iri.startswith(below)


def _verdict(extent: Extent, ask: Ask | None, *, party: bool) -> Verdict:
    found = extent.decision
    if extent:
        return Verdict(only=extent.only, decision=found, counted=extent.counted)
    return Verdict("not-agreed", decision=found, refused=_told(found, ask) if party and found.agreement else None)


def _told(found: Decision, ask: Ask | None) -> NotAgreed:
    """Say a "no"; a program is party to what its token names, and hears of no other agreement that forbids it."""
    named = [str(detail["agreement"]) for detail in ask.details] if ask and ask.bound else []
    if named and found.agreement not in named:
        return refusal(replace(found, agreement=named[0], clause="", operand=""))
    if ask is None:  # our own staff, who can look
        return refusal(found, f"See: citynode agreements show {found.agreement.rpartition('/')[2][:8]}")
    return refusal(found)


def _log(caller: Who, action: Action, collection: Named, record: str, verdict: Verdict) -> None:
    """Write down who was let do what, and why: the log can explain every decision later."""
    # A decision that is a no is false, too.
    found = Decision(allowed=bool(verdict)) if verdict.decision is None else verdict.decision
    _logger.info(
        "%s %s: %s %s%s%s",
        caller.kind,
        caller.name or "-",
        action,
        _printable(collection.name),
        f" {_printable(record)}" if record else "",
        " permitted" if verdict else f" refused ({found.code or verdict.code})",
        extra={
            "allowed": bool(verdict),
            "agreement": found.agreement,
            "clause": found.clause,
            "operand": found.operand,
            "purpose": found.purpose,
        },
    )


def _printable(text: str) -> str:
    """Cut what a stranger asked for to one line of the log."""
    return "".join(c if c.isprintable() else "?" for c in text[:200])
