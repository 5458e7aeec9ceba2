"""What becomes of a message of ours, in a negotiation and in a transfer alike: taken, refused, unanswered, given up.

What may succeed later is tried again for a week; what cannot ends the dialogue with a reason that says what to do,
kept here and told to the other side. Every outcome is one transaction. What is asked before a message is said again,
and what its refusal means, is for those who build on this.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from node.errors import NodeError, PeerUnreachable, Refused, Unauthenticated, Unavailable
from node.federation.dialogues.moves import DialogueMoves, Doing
from node.federation.dialogues.outgoing import Outgoing
from node.federation.turns import Dialogue

REFUSED = "refused"
UNREACHABLE = "unreachable"
ENDED_THERE = "ended-there"
# What may be final over there for long is not given up here.
_NEVER_GIVEN_UP = "finalize"


class Ways(Protocol):
    """The way to other cities. A city is named by its participant id, which is its base URL."""

    def endpoints(self, peer_url: str) -> str:
        """Give the address below which it takes messages."""


class Acquaintance(Protocol):
    """Who may be spoken to."""

    def knows(self, peer: str) -> bool:
        """Tell whether anything is exchanged with it now."""


D = TypeVar("D", bound=Dialogue)
S = TypeVar("S", bound=Doing)


@dataclass(frozen=True, slots=True)
class DialogueDelivery(ABC, Generic[D, S]):
    """Tries messages of one kind of dialogues, one at a time; `outgoing` says which and when.

    `step` makes a step of ours, `doing` says by step what it tells, and `anew` what to do about one that failed.
    """

    step: ClassVar[Callable[..., Any]]
    doing: ClassVar[Mapping[str, str]]
    anew: ClassVar[str]

    moves: DialogueMoves[D, S, Any]
    sender: Ways
    parties: Acquaintance

    @abstractmethod
    def _tried(self, one: Outgoing, now_ms: int) -> bool:
        """Try one message; True if it was taken."""

    @abstractmethod
    def _refused(self, one: Outgoing, error: Refused, now_ms: int) -> bool:
        """Find out whether a refused message had arrived before; if it had not, it never will."""

    def send(self, one: Outgoing, now_ms: int) -> bool:
        """Try one message that was claimed; True if it was taken.

        Raises:
            Unavailable, Unauthenticated: Try again later.
        """
        try:
            return self._tried(one, now_ms)
        except (Unavailable, Unauthenticated) as error:
            if not one.is_old(now_ms) or one.step == _NEVER_GIVEN_UP:
                raise
            self._given_up(one, UNREACHABLE, self._never_answered(one, error), now_ms)
        except Refused as error:
            return self._refused(one, error, now_ms)
        return False

    def _spoken_to(self, pid: str) -> D:
        """Give a dialogue whose other side may be spoken to. Raises PeerUnreachable, NotFound."""
        found = self.moves.store.get(pid)
        if not self.parties.knows(found.peer):
            raise PeerUnreachable(
                f"Nothing is exchanged with {found.peer} now.",
                fix="Resume or approve it.",
            ).on_page("no.peer.exchange", name=found.peer)
        return found

    def _found(self, dialogue: D, now_ms: int) -> D:
        """Find where the other side takes messages, if that is not known yet."""
        if dialogue.other_url:
            return dialogue
        base = self.sender.endpoints(dialogue.peer)
        with self.moves.store.db.write() as tx:
            held = self.moves.store.held(tx, dialogue.pid)
            return self.moves.store.change(tx, held, at_ms=now_ms, other_url=base)

    def _address(self, one: Outgoing, dialogue: D) -> str:
        """Give where a message goes: at the first try of a first one that was not known yet when it was written."""
        return one.url or self.moves.store.shape.address(dialogue.other_url, one.step, "")

    # ---------------------------------------------------------------- outcomes

    def _withdrawn(self, one: Outgoing, now_ms: int) -> bool:
        """Say no more what never arrived, since it is to end; nobody is told of what never began."""
        with self.moves.store.db.write() as tx:
            held, wish = self.moves.store.held(tx, one.subject), self.moves.wish(tx, one.subject)
            if held.other_pid:
                self.moves.outbox.close(tx, one.id, at_ms=now_ms, error="Ended before it was taken.")
            elif wish is not None:
                self.moves.ended_here(tx, held, self._step_of(wish), now_ms)
        return False

    def _ended_there(self, one: Outgoing, now_ms: int) -> bool:
        word = self.moves.store.shape.table
        why = f"{one.peer} has ended this {word}, and its reasons have not reached us. Ask that city."
        self._ended(one, self.step("terminate", code=ENDED_THERE, reasons=(why,), by="them"), now_ms)
        return False

    def _given_up(self, one: Outgoing, code: str, why: str, now_ms: int) -> None:
        """End what cannot go on, and tell the other side if it can be told."""
        ours = one.step == "terminate"
        wish = self._step_of(one) if ours else self.step("terminate", code=code, reasons=(why,))
        self._ended(one, wish, now_ms, tell=not ours)

    def _ended(self, one: Outgoing, step: S, now_ms: int, *, tell: bool = False) -> None:
        with self.moves.store.db.write() as tx:
            held, waiting = self.moves.store.held(tx, one.subject), self.moves.waiting(tx, one.subject)
            wish = self.moves.wish(tx, one.subject, beside=one.id)
            if wish is not None and step.by != "them":
                step, tell = self._step_of(wish), True  # a person's reasons before ours
            if held.is_final:
                self.moves.outbox.close(tx, one.id, at_ms=now_ms, error=" ".join(step.reasons))
            elif any(each.id == one.id for each in waiting):
                now = self.moves.ended_here(tx, held, step, now_ms)
                if tell:
                    self.moves.tell_of_end(tx, now, step, now_ms)

    def _closed(self, one: Outgoing, why: str, now_ms: int) -> bool:
        with self.moves.store.db.write() as tx:
            self.moves.outbox.close(tx, one.id, at_ms=now_ms, error=why)
        return False

    def _step_of(self, one: Outgoing) -> S:
        said = json.loads(one.body)
        step: S = self.step("terminate", code=said.get("code", ""), reasons=tuple(said.get("reason", ())))
        return step

    def _never_answered(self, one: Outgoing, error: NodeError) -> str:
        return (
            f"{one.peer} has not taken {self.doing[one.step]} for a week ({error}). See why it cannot be reached"
            f" (citynode peers test), then {self.anew}."
        )
