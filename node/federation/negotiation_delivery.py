"""What becomes of a message of ours: taken, refused, unanswered, or lost on the way with its answer.

Before anything is said a second time the other side is asked how it stands, so that a lost answer costs no second
effect. What cannot succeed ends the negotiation with a reason that says what to do, kept here and told to the other
side. What may succeed later is tried again for a week. Every outcome is one transaction.
"""

import json
from dataclasses import dataclass
from typing import Protocol

from node.errors import Malformed, NodeError, NotFound, PeerUnreachable, Refused, Unauthenticated, Unavailable
from node.federation import negotiation_wire as wire
from node.federation.dsp.messages import ContractNegotiation
from node.federation.negotiation import FINAL, Json, Kind, Negotiation, No, Step, ended, is_after, said
from node.federation.negotiation_moves import DSP, Moves
from node.federation.outgoing import Outgoing

REFUSED = "refused"
UNREACHABLE = "unreachable"
ENDED_THERE = "ended-there"
_DOING = {
    "request": "our request",
    "offer": "our offer",
    "accept": "that we accept",
    "agree": "the agreement",
    "verify": "our verification",
    "finalize": "that it is final",
    "terminate": "that we end it",
}


class Sender(Protocol):
    """The way to other cities. A city is named by its participant id, which is its base URL."""

    def endpoints(self, peer_url: str) -> str:
        """Give the address below which it takes messages."""

    def send(self, peer_url: str, url: str, message: Json) -> ContractNegotiation | None:
        """Say a message; give how it says that the negotiation stands, if it says so."""

    def state(self, peer_url: str, url: str) -> ContractNegotiation:
        """Ask how a negotiation stands."""


class Acquaintance(Protocol):
    """Who may be spoken to."""

    def knows(self, peer: str) -> bool:
        """Tell whether we negotiate with it now."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Tries messages of negotiations, one at a time; `outgoing` says which and when."""

    moves: Moves
    sender: Sender
    parties: Acquaintance

    def send(self, one: Outgoing, now_ms: int) -> bool:
        """Try one message that was claimed; True if it was taken.

        Raises:
            Unavailable, Unauthenticated: Try again later.
        """
        try:
            return self._tried(one, now_ms)
        except (Unavailable, Unauthenticated) as error:
            # What may have been final over there for long is not given up here.
            if not one.is_old(now_ms) or one.step == "finalize":
                raise
            self._given_up(one, UNREACHABLE, _never_answered(one, error), now_ms)
        except Refused as error:
            return self._refused(one, error, now_ms)
        return False

    def _tried(self, one: Outgoing, now_ms: int) -> bool:
        negotiation = self.moves.store.get(one.subject)
        if not self.parties.knows(negotiation.peer):
            raise PeerUnreachable(f"Nothing is exchanged with {negotiation.peer} now.", fix="Resume or approve it.")
        if negotiation.state == "FINALIZED":
            return self._closed(one, "It was final before.", now_ms)
        if not negotiation.other_url:
            negotiation = self._found(negotiation, now_ms)
        if one.tries > 1:
            known = self._known(one, negotiation, now_ms, refused=False)
            if known is not None:
                return known
            if "terminate" in negotiation.sending and one.step != "terminate":
                self._withdrawn(one, now_ms)
                return False
        # At the first try of a first message its address was not known yet when it was written.
        url = one.url or wire.address(negotiation.other_url, _kind(one), "")
        answer = self.sender.send(negotiation.peer, url, json.loads(one.body))
        return self._taken(one, answer, now_ms)

    def _found(self, negotiation: Negotiation, now_ms: int) -> Negotiation:
        base = self.sender.endpoints(negotiation.peer)
        with self.moves.store.db.write() as tx:
            held = self.moves.store.held(tx, negotiation.pid)
            return self.moves.store.change(tx, held, at_ms=now_ms, other_url=base)

    # ---------------------------------------------------------------- outcomes

    def _taken(self, one: Outgoing, answer: ContractNegotiation | None, now_ms: int) -> bool:
        with self.moves.store.db.write() as tx:
            held = self.moves.store.held(tx, one.subject)
            other = held.other_pid or _other_pid(held, answer)
            self.moves.acknowledged(tx, held, one, now_ms, other_pid=other)
        return True

    def _known(self, one: Outgoing, negotiation: Negotiation, now_ms: int, *, refused: bool) -> bool | None:
        """Ask how the other side stands: True if our message had arrived, False if it has ended, None if neither.

        Offers and requests take turns, so the state after one may be that of an earlier turn: it proves nothing unless
        our message was refused. Saying it again does no harm, since it bears the same id.
        """
        if not negotiation.other_pid or negotiation.is_final:
            return None
        try:
            theirs = self.sender.state(
                negotiation.peer, wire.state_address(negotiation.other_url, negotiation.other_pid)
            )
        except Unauthenticated:
            raise
        except Refused:
            return None  # a connector that does not tell; it is said again
        wanted = said(negotiation.role, negotiation.state, _kind(one))
        if one.step == "terminate":
            wanted = ended(negotiation.role, negotiation.state)
        proves = theirs.state == wanted and (refused or one.step not in ("request", "offer"))
        if not isinstance(wanted, No) and (proves or _has_passed(theirs.state, wanted)):
            return self._taken(one, None, now_ms)
        if (theirs.state, negotiation.role, negotiation.state) == ("FINALIZED", "provider", "VERIFIED"):
            return self._final_there(one, now_ms)
        if theirs.state != "TERMINATED":
            return None
        why = f"{negotiation.peer} has ended this negotiation, and its reasons have not reached us. Ask that city."
        self._ended(one, Step("terminate", code=ENDED_THERE, reasons=(why,), by="them"), now_ms)
        return False

    def _refused(self, one: Outgoing, error: Refused, now_ms: int) -> bool:
        """Find out whether a refused message had arrived before; if it had not, it never will."""
        try:
            negotiation = self.moves.store.get(one.subject)
        except NotFound:
            return self._closed(one, "There is no such negotiation.", now_ms)
        known = self._known(one, negotiation, now_ms, refused=True) if negotiation.other_url else None
        if known is not None:
            return known
        why = f"{negotiation.peer} did not take {_DOING[one.step]}: {error} Mend what it names and begin anew."
        self._given_up(one, REFUSED, why, now_ms)
        return False

    def _withdrawn(self, one: Outgoing, now_ms: int) -> None:
        """Say no more what never arrived, since a person wants to end it; nobody is told of what never began."""
        with self.moves.store.db.write() as tx:
            held = self.moves.store.held(tx, one.subject)
            last = next(each for each in self.moves.outbox.waiting(tx, DSP, one.subject) if each.step == "terminate")
            if not held.other_pid:
                self.moves.ended_here(tx, held, _step_of(last), now_ms)
            else:
                self.moves.outbox.close(tx, one.id, at_ms=now_ms, error="Ended before it was taken.")

    def _given_up(self, one: Outgoing, code: str, why: str, now_ms: int) -> None:
        """End what cannot go on, and tell the other side if it can be told."""
        wish = _step_of(one) if one.step == "terminate" else Step("terminate", code=code, reasons=(why,))
        self._ended(one, wish, now_ms, tell=one.step != "terminate")

    def _ended(self, one: Outgoing, step: Step, now_ms: int, *, tell: bool = False) -> None:
        with self.moves.store.db.write() as tx:
            held, waiting = self.moves.store.held(tx, one.subject), self.moves.outbox.waiting(tx, DSP, one.subject)
            wish = next((each for each in waiting if each.step == "terminate" and each.id != one.id), None)
            if wish is not None and step.by != "them":
                step, tell = _step_of(wish), True  # a person's reasons before ours
            if held.is_final:
                self.moves.outbox.close(tx, one.id, at_ms=now_ms, error=" ".join(step.reasons))
            elif any(each.id == one.id for each in waiting):
                now = self.moves.ended_here(tx, held, step, now_ms)
                if tell:
                    self.moves.tell_of_end(tx, now, step, now_ms)

    def _final_there(self, one: Outgoing, now_ms: int) -> bool:
        with self.moves.store.db.write() as tx:
            held = self.moves.store.held(tx, one.subject)
            if held.state == "VERIFIED":
                self.moves.final_there(tx, held, now_ms)
        return False

    def _closed(self, one: Outgoing, why: str, now_ms: int) -> bool:
        with self.moves.store.db.write() as tx:
            self.moves.outbox.close(tx, one.id, at_ms=now_ms, error=why)
        return False


def _has_passed(theirs: str, wanted: str) -> bool:
    return theirs not in FINAL and theirs != wanted and is_after(theirs, wanted)  # type: ignore[arg-type]


def _other_pid(held: Negotiation, answer: ContractNegotiation | None) -> str:
    """Give the other side's pid from its answer to a first message.

    Raises:
        Malformed: It gave none, or answered about something else.
    """
    ours, theirs = ("", "") if answer is None else (answer.consumer_pid, answer.provider_pid)
    if held.role == "provider":
        ours, theirs = theirs, ours
    if ours != held.pid or not theirs:
        raise Malformed("The answer to our first message does not name this negotiation.")
    return theirs


def _step_of(one: Outgoing) -> Step:
    said = json.loads(one.body)
    return Step("terminate", code=said.get("code", ""), reasons=tuple(said.get("reason", ())))


def _never_answered(one: Outgoing, error: NodeError) -> str:
    return (
        f"{one.peer} has not taken {_DOING[one.step]} for a week ({error}). See why it cannot be reached"
        " (citynode peers test), then begin anew."
    )


def _kind(one: Outgoing) -> Kind:
    found: Kind = one.step  # type: ignore[assignment]
    return found
