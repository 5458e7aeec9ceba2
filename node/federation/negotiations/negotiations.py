"""Negotiations with other cities, in both roles: what the web hears, what the office begins, what the worker sends.

Whatever comes is stored before it is acknowledged and decided on later, by whoever decides for us: `deliver` asks it
and sends what follows, so that a crash between any two steps is mended by the next round. Nobody is waited for while
the database is locked. The rules of the game are in `negotiation` (pure), its changes in `moves`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

from node.db import Database, Tx
from node.errors import Conflict, Malformed, Refused
from node.federation.agreements.signing import Signing
from node.federation.dialogues import rounds
from node.federation.dialogues.outgoing import Outbox
from node.federation.dialogues.rounds import DialogueRounds
from node.federation.negotiation import Decider, Json, Kind, Negotiation, Role, Step
from node.federation.negotiations import wire
from node.federation.negotiations.delivery import Delivery, Sender
from node.federation.negotiations.moves import Concluded, Moves, nothing_follows
from node.federation.negotiations.store import NegotiationStore
from node.federation.negotiations.texts import Texts, nothing_suffices
from node.federation.negotiations.wire import Heard
from node.keys import PublicKey

__all__ = ["House", "Negotiations", "Parties", "Sender"]


class Parties(rounds.Parties, Protocol):
    """The other sides, by participant id."""

    def keys(self, peer: str) -> Sequence[PublicKey]:
        """Give every key of it that was pinned, replaced ones too."""


def _nothing_known(peer: str, offer: Json) -> Json:  # noqa: ARG001 (the shape of what knows)
    return {}


def _anything(peer: str, role: Role, offer: Json) -> None:
    """Admit any beginning."""


Within = Callable[[Tx, Negotiation], None]


def _nothing_more(tx: Tx, negotiation: Negotiation) -> None:
    """Write nothing beside a message of ours."""


@dataclass(frozen=True, slots=True)
class House:
    """What negotiations know of this city.

    `about_of` gives what stands beside one of our published offers that a peer sees, for those who ask for it by its
    rules alone.
    `admits` raises where a negotiation may not begin: as NotFound where not even the dataset may be known. `suffices`
    says whether an agreement may do without the other side's signature.
    """

    base_url: str
    callback: str
    clock_ms: Callable[[], int]
    chance: Callable[[], float]
    about_of: Callable[[str, Json], Json] = field(default=_nothing_known)
    admits: Callable[[str, Role, Json], None] = field(default=_anything)
    suffices: Callable[[Negotiation], bool] = field(default=nothing_suffices)
    new_id: Callable[[], str] = field(default=lambda: str(uuid4()))


class Negotiations(DialogueRounds[Negotiation, Step, Heard]):
    """Safe to share by threads and by processes on one database."""

    _store: NegotiationStore
    _moves: Moves
    _parties: Parties

    def __init__(
        self,
        db: Database,
        house: House,
        *,
        parties: Parties,
        sender: Sender,
        decider: Decider,
        signing: Signing | None = None,
        concluded: Concluded = nothing_follows,
    ) -> None:
        """Take what is needed.

        Args:
            db: Where they are kept.
            house: This city.
            parties: The other cities.
            sender: The way to them.
            decider: Decides for us.
            signing: Signs agreements; None only in rigs.
            concluded: Called in the transaction that stores FINALIZED, once for each agreement.
        """
        self._db, self._house, self._parties, self._decider = db, house, parties, decider
        self._clock_ms = house.clock_ms
        self._store, self.outbox = NegotiationStore(db), Outbox(db, chance=house.chance)
        self._texts = Texts(house.base_url, signing, parties.keys, house.suffices)
        self._moves = Moves(self._store, self.outbox, house.callback, house.new_id, self._texts, concluded)
        self._delivery = Delivery(self._moves, sender, parties)

    # ---------------------------------------------------------------- what others say

    def _read(self, said: Json, kinds: tuple[Kind, ...] = ()) -> Heard:
        return wire.read(said, kinds)

    @staticmethod
    def _beginning(message: Heard) -> tuple[object, ...]:
        return message.kind, message.offer, message.about, message.callback.rstrip("/")

    def _begun(self, caller: str, message: Heard, now_ms: int) -> Negotiation:
        role: Role = "provider" if message.kind == "request" else "consumer"
        theirs = message.consumer_pid if role == "provider" else message.provider_pid
        if message.kind not in ("request", "offer") or not message.callback:
            raise Malformed("A first message is a request or an offer with a callbackAddress.")
        address = self._parties.address(caller, message.callback)
        with self._db.write() as tx:
            held = self._store.begun(tx, caller, role, theirs)
            if held is not None:
                return self._begun_again(held, message)
            self._house.admits(caller, role, message.offer)
            self._check_room(tx, caller)
            about = self._house.about_of(caller, message.offer) if role == "provider" else {}
            new = self._new(role, caller, {}, about, now_ms)
            new = replace(new, other_pid=theirs, other_url=address)
            self._store.insert(tx, new)
            return self._moves.first(tx, new, message, now_ms)

    # ---------------------------------------------------------------- what we begin and decide

    # `within` writes what belongs to a message of ours, in the same transaction: both stand, or neither if it raises.

    def request(
        self, peer: str, offer: Json, about: Json, *, by: str = "", within: Within = _nothing_more
    ) -> Negotiation:
        """Begin as consumer: ask a city for a dataset under these terms. Raises Refused."""
        return self._begin("consumer", peer, Step("request", offer=offer, about=about, by=by), within)

    def offer(
        self, peer: str, offer: Json, about: Json, *, by: str = "", within: Within = _nothing_more
    ) -> Negotiation:
        """Begin as provider: offer a city a dataset under these terms. Raises Refused."""
        return self._begin("provider", peer, Step("offer", offer=offer, about=about, by=by), within)

    def _begin(self, role: Role, peer: str, step: Step, within: Within) -> Negotiation:
        self._check_known(peer)
        now_ms = self._clock_ms()
        terms, beside = self._moves.terms(self._new(role, peer, {}, {}, now_ms), step)
        if not terms["target"]:
            raise Malformed(
                "The offer has no target.",
                fix="Name the dataset that it is about.",
            ).on_page("no.agreement.covers")
        new = replace(self._new(role, peer, terms, beside, now_ms), opened_by=step.by)
        with self._db.write() as tx:
            self._store.insert(tx, new)
            begun = self._moves.put(tx, new, step=Step(step.kind), at_ms=now_ms)
            within(tx, begun)
            return begun

    def counter(
        self, pid: str, offer: Json, about: Json, *, by: str = "", within: Within = _nothing_more
    ) -> Negotiation:
        """Answer an offer with a request, or a request with an offer, under other terms. Raises Refused."""
        kind: Kind = "request" if self.get(pid).role == "consumer" else "offer"
        return self.step(pid, Step(kind, offer=offer, about=about, by=by), within=within)

    def step(self, pid: str, step: Step, *, within: Within = _nothing_more) -> Negotiation:
        """Do a step that a person has decided.

        Raises:
            NotFound: There is no such negotiation.
            Conflict: It does not fit how the negotiation stands.
            Refused: It cannot be written.
        """
        with self._db.write() as tx:
            found = self._moves.put(tx, self._store.held(tx, pid), step, self._clock_ms())
            within(tx, found)
            return found

    def terminate(self, pid: str, code: str, reasons: Sequence[str], *, by: str = "") -> Negotiation:
        """End a negotiation, at any time before its end; the reasons should say what to do. Repeating it is no harm.

        Raises:
            NotFound: There is no such negotiation.
            Conflict: It has ended.
        """
        step = Step("terminate", code=code, reasons=tuple(reasons), by=by)
        with self._db.write() as tx:
            return self._moves.end(tx, self._store.held(tx, pid), step, self._clock_ms())

    def settle(self, pid: str) -> Negotiation:
        """Ask whoever decides for the next step, and put it out. Call it whenever the answer may have changed.

        Raises:
            NotFound: There is no such negotiation.
            Refused: The step cannot be done; nothing has changed.
        """
        return self._settled(pid, self._clock_ms())

    def _next(self, seen: Negotiation, now_ms: int) -> Step | None:  # noqa: ARG002 (the time changes nothing here)
        if seen.is_final or seen.sending:
            return None
        return self._texts.objection(seen) or self._decider.next(seen)

    def _done(self, seen: Negotiation, step: Step, now_ms: int) -> Negotiation | None:
        """Put out a step that was decided on what was seen; None if that has changed meanwhile."""
        try:
            with self._db.write() as tx:
                held = self._store.held(tx, seen.pid)
                return self._moves.put(tx, held, step, now_ms) if held.version == seen.version else None
        except Conflict:
            raise
        except Refused as error:
            if step.kind not in ("agree", "verify"):
                raise
            # An agreement that cannot be signed any more will not be: its end says why.
            return self._done(seen, Step("terminate", code=error.code, reasons=(str(error),)), now_ms)

    # ---------------------------------------------------------------- reading

    def ended(self, *, peer: str = "", limit: int) -> Sequence[Negotiation]:
        """Give the newest of those that ended without an agreement: of all, or of those with one city."""
        return self._store.ended(peer=peer, limit=limit)

    def of_agreement(self, iri: str) -> Negotiation | None:
        """Give the one in which an agreement was written, if it was in one."""
        return self._store.of_agreement(iri)

    def parts_of(self, document: str) -> Sequence[Negotiation]:
        """Give those about a part of a document, except what ended without an agreement."""
        return self._store.parts_of(document)

    def versions(self, pid: str) -> int:
        """Count the different terms that were said in a negotiation."""
        return self._store.versions(pid)

    def _new(self, role: Role, peer: str, offer: Json, about: Json, at_ms: int) -> Negotiation:
        return Negotiation(
            pid=self._house.new_id(),
            role=role,
            peer=peer,
            other_pid="",
            other_url="",
            state="",
            offer=dict(offer),
            about=dict(about),
            offered_by="us" if offer else "",
            terms=wire.terms_of(offer, about) if offer else "",
            agreement="",
            message="",
            signed="",
            reason={},
            opened_by="",
            created_at=at_ms,
            changed_at=at_ms,
            ask_at=0,
            version=0,
        )
