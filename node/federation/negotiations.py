"""Negotiations with other cities, in both roles: what the web hears, what the office begins, what the worker sends.

Whatever comes is stored before it is acknowledged and decided on later, by whoever decides for us: `deliver` asks it
and sends what follows, so that a crash between any two steps is mended by the next round. Nobody is waited for while
the database is locked. The rules of the game are in `negotiation` (pure), its changes in `negotiation_moves`.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

from node.db import Database, Tx
from node.errors import Conflict, Malformed, NotFound, Refused, TooLarge, Unavailable
from node.federation import negotiation_wire as wire
from node.federation.agreement_signing import Signing
from node.federation.negotiation import Decider, Json, Kind, Negotiation, Role, Step
from node.federation.negotiation_delivery import Delivery, Sender
from node.federation.negotiation_moves import DSP, Concluded, Moves, nothing_follows
from node.federation.negotiation_store import NegotiationStore, Said
from node.federation.negotiation_texts import Texts, nothing_suffices
from node.federation.negotiation_wire import Heard
from node.federation.outgoing import Outbox
from node.keys import PublicKey

__all__ = ["House", "Negotiations", "Parties", "Sender"]

MAX_OPEN = 1_000  # negotiations with one city that have not ended
_TURNS = 20
_RACES = 5
_LATER_MS = 10_000
_logger = logging.getLogger("citynode.negotiations")


class Parties(Protocol):
    """The other sides, by participant id."""

    def knows(self, peer: str) -> bool:
        """Tell whether we negotiate with it now."""

    def address(self, peer: str, callback: str) -> str:
        """Give the address below which it wants our messages, if that is its own. Raises Refused."""

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


class Negotiations:
    """Safe to share by threads and by processes on one database."""

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
        self._store, self.outbox = NegotiationStore(db), Outbox(db, chance=house.chance)
        self._texts = Texts(house.base_url, signing, parties.keys, house.suffices)
        self._moves = Moves(self._store, self.outbox, self._texts, house.callback, concluded, house.new_id)
        self._delivery = Delivery(self._moves, sender, parties)

    # ---------------------------------------------------------------- what others say

    def hear(self, caller: str, role: Role | None, pid: str, said: Json, *kinds: Kind) -> Negotiation:
        """Take a message, and give the negotiation as it stands then. The same message again changes nothing.

        Args:
            caller: Who says it, by participant id.
            role: Ours, as the path says; None where a path serves both.
            pid: Ours; empty for a message that begins a negotiation.
            said: The message, as JSON.
            kinds: What the path takes.

        Raises:
            NotFound: There is no such negotiation, or not with the caller.
            Refused: It cannot be read, does not fit the state, or its content does not hold; nothing has changed.
        """
        if not self._parties.knows(caller):
            raise _not_here()
        message = wire.read(said, kinds)
        now_ms = self._house.clock_ms()
        if not pid:
            return self._begun(caller, "provider" if message.kind == "request" else "consumer", message, now_ms)
        with self._db.write() as tx:
            held = self._store.held(tx, pid)
            if held.peer != caller or role not in (None, held.role):
                raise _not_here()
            known = self._store.heard(tx, pid, digest=message.digest, name=message.name)
            if known is not None and message.name:
                return _repeated(held, known, message)
            try:
                return self._moves.take(tx, held, message, now_ms)
            except Conflict:
                if known is None:
                    raise
                return held  # a repeat without an id of its own, which fits no more because it was taken

    def _begun(self, caller: str, role: Role, message: Heard, now_ms: int) -> Negotiation:
        theirs = message.consumer_pid if role == "provider" else message.provider_pid
        if message.kind not in ("request", "offer") or not message.callback:
            raise Malformed("A first message is a request or an offer with a callbackAddress.")
        address = self._parties.address(caller, message.callback)
        with self._db.write() as tx:
            held = self._store.begun(tx, caller, role, theirs)
            if held is not None:
                return self._begun_again(held, message)
            self._house.admits(caller, role, message.offer)
            if self._store.open_with(tx, caller) >= MAX_OPEN:
                raise TooLarge(f"{MAX_OPEN} negotiations with {caller} are open.", fix="End some of them first.")
            about = self._house.about_of(caller, message.offer) if role == "provider" else {}
            new = self._new(role, caller, {}, about, now_ms)
            new = replace(new, other_pid=theirs, other_url=address)
            self._store.insert(tx, new)
            return self._moves.first(tx, new, message, now_ms)

    def _begun_again(self, held: Negotiation, message: Heard) -> Negotiation:
        """Take a first message that came again for what it is: the same beginning, whatever its own id is by now."""
        first = self._store.messages(held.pid)[0]
        before = wire.read_kept(first.body)
        if _beginning(before) != _beginning(message):
            raise Conflict(
                "Another negotiation was begun under this pid.", fix="Give each negotiation a pid of its own."
            )
        return held

    def state(self, caller: str, role: Role | None, pid: str) -> Negotiation:
        """Tell a city how a negotiation with it stands.

        Raises:
            NotFound: There is no such negotiation with it.
            Unavailable: It has our first message, and we have not its answer.
        """
        found = self._store.get(pid)
        if not self._parties.knows(caller) or found.peer != caller or role not in (None, found.role):
            raise _not_here()
        if not found.state:
            raise Unavailable("This negotiation is just being begun.", fix="Ask again.")
        if not found.other_pid:
            raise _not_here()  # ended before it was known that the other side had heard of it
        return found

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
        if not self._parties.knows(peer):
            raise NotFound(f"Nothing is exchanged with {peer}.", fix="First: citynode peers approve NAME")
        now_ms = self._house.clock_ms()
        terms, beside = self._moves.terms(self._new(role, peer, {}, {}, now_ms), step)
        if not terms["target"]:
            raise Malformed("The offer has no target.", fix="Name the dataset that it is about.")
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
            found = self._moves.put(tx, self._store.held(tx, pid), step, self._house.clock_ms())
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
            return self._moves.end(tx, self._store.held(tx, pid), step, self._house.clock_ms())

    def settle(self, pid: str) -> Negotiation:
        """Ask whoever decides for the next step, and put it out. Call it whenever the answer may have changed.

        Raises:
            NotFound: There is no such negotiation.
            Refused: The step cannot be done; nothing has changed.
        """
        return self._settled(pid, self._house.clock_ms())

    def _settled(self, pid: str, now_ms: int) -> Negotiation:
        for _ in range(_RACES):
            seen = self.get(pid)
            step = self._next(seen)
            found = self._done(seen, step, now_ms) if step else self._asked(seen)
            if found is not None:
                return found
        return self.get(pid)

    def _next(self, seen: Negotiation) -> Step | None:
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

    def _asked(self, seen: Negotiation, later_ms: int = 0) -> Negotiation | None:
        with self._db.write() as tx:
            return seen if self._store.asked(tx, seen, ask_at=later_ms) else None

    # ---------------------------------------------------------------- what the worker does

    def deliver(self, now_ms: int, subject: str = "") -> int:
        """Ask for what is to be decided and send what is due; give how many messages were taken.

        Args:
            now_ms: The time.
            subject: Only this negotiation.
        """
        taken = 0
        for _ in range(_TURNS):
            asked = [self._swept(pid, now_ms) for pid in self._store.to_ask(now_ms, subject)]
            sent = self.outbox.deliver(DSP, now_ms, lambda one: self._delivery.send(one, now_ms), subject=subject)
            taken += sent
            if not sent and not any(asked):
                break
        return taken

    def due(self, now_ms: int) -> bool:
        """Tell whether anything is to be decided or, of whatever kind, to be sent; two reads by an index."""
        return self._store.has_to_ask(now_ms) or self.outbox.due(now_ms)

    def _swept(self, pid: str, now_ms: int) -> bool:
        """Settle one; True if there is something to send. What cannot be done now is asked again later."""
        try:
            return bool(self._settled(pid, now_ms).sending)
        except Unavailable as error:
            _logger.info("What follows in negotiation %s is asked again later: %s", pid, error)
            self._asked(self.get(pid), now_ms + _LATER_MS)
        except Refused as error:
            _logger.warning("What was decided in negotiation %s cannot be done: %s", pid, error)
            self._asked(self.get(pid))
        return False

    # ---------------------------------------------------------------- reading

    def get(self, pid: str) -> Negotiation:
        """Give one negotiation by our id. Raises NotFound."""
        return self._store.get(pid)

    def list(self, *, peer: str = "", offset: int = 0, limit: int = 100) -> Sequence[Negotiation]:
        """Give negotiations, the newest first: all, or those with one city."""
        return self._store.list(peer=peer, offset=offset, limit=limit)

    def open(self) -> Sequence[Negotiation]:
        """Give all that have not ended, the newest first."""
        return self._store.open()

    def ended(self, *, peer: str = "", limit: int) -> Sequence[Negotiation]:
        """Give the newest of those that ended without an agreement: of all, or of those with one city."""
        return self._store.ended(peer=peer, limit=limit)

    def named(self, beginning: str) -> Sequence[Negotiation]:
        """Give those whose id of ours begins so."""
        return self._store.named(beginning)

    def of_agreement(self, iri: str) -> Negotiation | None:
        """Give the one in which an agreement was written, if it was in one."""
        return self._store.of_agreement(iri)

    def parts_of(self, document: str) -> Sequence[Negotiation]:
        """Give those about a part of a document, except what ended without an agreement."""
        return self._store.parts_of(document)

    def versions(self, pid: str) -> int:
        """Count the different terms that were said in a negotiation."""
        return self._store.versions(pid)

    def messages(self, pid: str) -> Sequence[Said]:
        """Give what was said in a negotiation, in order."""
        return self._store.messages(pid)

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


def _not_here() -> NotFound:
    """Give the one answer to everyone who is not the other side, whether there is such a negotiation or not."""
    return NotFound("There is no such negotiation.")


def _repeated(held: Negotiation, known: Said, message: Heard) -> Negotiation:
    if known.digest != message.digest:
        raise Conflict("Another message had this @id.", fix="Give each message an @id of its own.")
    return held


def _beginning(message: Heard) -> tuple[object, ...]:
    return message.kind, message.offer, message.about, message.callback.rstrip("/")
