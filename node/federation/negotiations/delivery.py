"""What becomes of a message of ours: taken, refused, unanswered, or lost on the way with its answer.

Before anything is said a second time the other side is asked how it stands, so that a lost answer costs no second
effect. What cannot succeed ends the negotiation with a reason that says what to do, kept here and told to the other
side. What may succeed later is tried again for a week. Every outcome is one transaction.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from node.errors import Malformed, NotFound, Refused, Unauthenticated
from node.federation.dialogues.delivery import REFUSED, DialogueDelivery
from node.federation.dialogues.outgoing import Outgoing
from node.federation.dsp.messages import ContractNegotiation
from node.federation.negotiation import FINAL, RULES, Json, Negotiation, Step, is_after
from node.federation.negotiations.moves import Moves
from node.federation.turns import No

_DOING: Mapping[str, str] = {
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


@dataclass(frozen=True, slots=True)
class Delivery(DialogueDelivery[Negotiation, Step]):
    """Tries messages of negotiations, one at a time; `outgoing` says which and when."""

    step: ClassVar[Callable[..., Any]] = Step
    doing: ClassVar[Mapping[str, str]] = _DOING
    anew: ClassVar[str] = "begin anew"

    moves: Moves
    sender: Sender

    def _tried(self, one: Outgoing, now_ms: int) -> bool:
        negotiation = self._spoken_to(one.subject)
        if negotiation.state == "FINALIZED":
            return self._closed(one, "It was final before.", now_ms)
        negotiation = self._found(negotiation, now_ms)
        if one.tries > 1:
            known = self._known(one, negotiation, now_ms, refused=False)
            if known is not None:
                return known
            if "terminate" in negotiation.sending and one.step != "terminate":
                return self._withdrawn(one, now_ms)
        answer = self.sender.send(negotiation.peer, self._address(one, negotiation), json.loads(one.body))
        return self._taken(one, answer, now_ms)

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
            where = self.moves.store.shape.state_address(negotiation.other_url, negotiation.other_pid)
            theirs = self.sender.state(negotiation.peer, where)
        except Unauthenticated:
            raise
        except Refused:
            return None  # a connector that does not tell; it is said again
        wanted = RULES.said(negotiation.role, negotiation.state, one.step)
        if one.step == "terminate":
            wanted = RULES.ended(negotiation.role, negotiation.state)
        proves = theirs.state == wanted and (refused or one.step not in ("request", "offer"))
        if not isinstance(wanted, No) and (proves or _has_passed(theirs.state, wanted)):
            return self._taken(one, None, now_ms)
        if (theirs.state, negotiation.role, negotiation.state) == ("FINALIZED", "provider", "VERIFIED"):
            return self._final_there(one, now_ms)
        if theirs.state != "TERMINATED":
            return None
        return self._ended_there(one, now_ms)

    def _refused(self, one: Outgoing, error: Refused, now_ms: int) -> bool:
        """Find out whether a refused message had arrived before; if it had not, it never will."""
        try:
            negotiation = self.moves.store.get(one.subject)
        except NotFound:
            return self._closed(one, "There is no such negotiation.", now_ms)
        known = self._known(one, negotiation, now_ms, refused=True) if negotiation.other_url else None
        if known is not None:
            return known
        why = f"{one.peer} did not take {_DOING[one.step]}: {error} Mend what it names and begin anew."
        self._given_up(one, REFUSED, why, now_ms)
        return False

    def _final_there(self, one: Outgoing, now_ms: int) -> bool:
        with self.moves.store.db.write() as tx:
            held = self.moves.store.held(tx, one.subject)
            if held.state == "VERIFIED":
                self.moves.final_there(tx, held, now_ms)
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
