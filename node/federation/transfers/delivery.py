"""What becomes of a message about a transfer: taken, refused, unanswered, or lost on the way with its answer.

Every message bears an id, so saying it again does no harm; a refused one may have arrived before, so the other side is
asked how it stands. What cannot succeed ends the transfer with a reason that says what to do, kept here and told there;
that the other side does not let us begin again, or complete what it has just suspended, ends nothing. What may succeed
later is tried again for a week. Every outcome is one transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

from node.errors import Malformed, NotFound, Refused, Unauthenticated
from node.federation.dialogues.delivery import REFUSED, DialogueDelivery
from node.federation.dialogues.outgoing import Outgoing
from node.federation.dsp.transfers import TransferProcess
from node.federation.transfer import Json, Kind, Step, Transfer, counted
from node.federation.transfers import wire
from node.federation.transfers.moves import Moves

_DOING: Mapping[str, str] = {
    "request": "our request",
    "start": "that it starts",
    "suspend": "that it is suspended",
    "complete": "that it is complete",
    "terminate": "that we end it",
}


class Sender(Protocol):
    """The way to other cities. A city is named by its participant id, which is its base URL."""

    def endpoints(self, peer_url: str) -> str:
        """Give the address below which it takes messages."""

    def tell(self, peer_url: str, url: str, message: Json) -> TransferProcess | None:
        """Say a message; give how it says that the transfer stands, if it says so."""

    def standing(self, peer_url: str, url: str) -> TransferProcess:
        """Ask how a transfer stands."""


@dataclass(frozen=True, slots=True)
class Delivery(DialogueDelivery[Transfer, Step]):
    """Tries messages about transfers, one at a time; `outgoing` says which and when."""

    step: ClassVar[Callable[..., Any]] = Step
    doing: ClassVar[Mapping[str, str]] = _DOING
    anew: ClassVar[str] = "request anew"

    moves: Moves
    sender: Sender

    def _tried(self, one: Outgoing, now_ms: int) -> bool:
        transfer = self._spoken_to(one.subject)
        if transfer.state == "COMPLETED":
            return self._closed(one, "It was completed before.", now_ms)
        transfer = self._found(transfer, now_ms)
        if one.tries > 1 and "terminate" in transfer.sending and one.step != "terminate" and not transfer.state:
            return self._withdrawn(one, now_ms)
        answer = self.sender.tell(transfer.peer, self._address(one, transfer), self._whole(one, transfer))
        return self._taken(one, answer, now_ms)

    def _whole(self, one: Outgoing, transfer: Transfer) -> Json:
        """Give the message as it goes: a start of ours with an address whose token is fresh."""
        hands_out = one.step == "start" and transfer.role == "provider" and transfer.format == "HttpData-PULL"
        return wire.with_address(one.body, self.moves.hooks.address(transfer) if hands_out else {})

    # ---------------------------------------------------------------- outcomes

    def _taken(self, one: Outgoing, answer: TransferProcess | None, now_ms: int) -> bool:
        with self.moves.store.db.write() as tx:
            held = self.moves.store.held(tx, one.subject)
            theirs = held.other_pid or _other_pid(held, answer)
            receipt = answer.receipt if answer is not None else ""
            self.moves.acknowledged(tx, held, one, now_ms, other_pid=theirs, receipt=receipt)
        return True

    def _refused(self, one: Outgoing, error: Refused, now_ms: int) -> bool:
        """Find out whether a refused message had arrived before; if it had not, it never will."""
        try:
            transfer = self.moves.store.get(one.subject)
        except NotFound:
            return self._closed(one, "There is no such transfer.", now_ms)
        theirs, kind = self._standing(transfer), cast("Kind", one.step)
        if theirs is not None and theirs.state == counted(transfer.role, transfer.state, kind):
            return self._taken(one, theirs, now_ms)
        if theirs is not None and theirs.state == "COMPLETED" and not transfer.is_final:
            return self._completed_there(one, theirs.receipt, now_ms)
        if theirs is not None and theirs.state == "TERMINATED":
            return self._ended_there(one, now_ms)
        if _passes(one, transfer, theirs):
            return self._closed(one, str(error), now_ms)
        what = _DOING[one.step]
        why = f"{what[:1].upper()}{what[1:]} was refused: {error}"
        self._given_up(one, REFUSED, why, now_ms)
        return False

    def _standing(self, transfer: Transfer) -> TransferProcess | None:
        """Ask how the other side stands; None where it cannot be asked, or does not tell."""
        if not transfer.other_pid or not transfer.other_url or transfer.is_final:
            return None
        try:
            where = self.moves.store.shape.state_address(transfer.other_url, transfer.other_pid)
            return self.sender.standing(transfer.peer, where)
        except Unauthenticated:
            raise
        except Refused:
            return None

    def _completed_there(self, one: Outgoing, receipt: str, now_ms: int) -> bool:
        with self.moves.store.db.write() as tx:
            held = self.moves.store.held(tx, one.subject)
            if held.is_final:
                self.moves.outbox.close(tx, one.id, at_ms=now_ms, error="It was completed before.")
            else:
                self.moves.completed_there(tx, held, now_ms, receipt)
        return False


def _passes(one: Outgoing, transfer: Transfer, theirs: TransferProcess | None) -> bool:
    """Tell whether a refusal passes: they do not let us begin again, or have suspended what we complete."""
    again = one.step == "start" and transfer.state == "SUSPENDED"
    crossed = one.step == "complete" and theirs is not None and theirs.state == "SUSPENDED"
    return again or crossed


def _other_pid(held: Transfer, answer: TransferProcess | None) -> str:
    """Give the other side's pid from its answer to our request.

    Raises:
        Malformed: It gave none, or answered about something else.
    """
    if answer is None or answer.consumer_pid != held.pid or not answer.provider_pid:
        raise Malformed("The answer to our request does not name this transfer.")
    return answer.provider_pid
