"""What changes a negotiation and a transfer alike: what is put out, what is overtaken, the end; all in a transaction.

The caller opens the transaction and holds the dialogue. A message of ours counts only once the other side has taken it,
and one of theirs that could only follow on ours proves that ours arrived. What each message means, and what is written
with it, is for those who build on this.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from node.db import Tx
from node.errors import Conflict, Malformed
from node.federation.dialogues.dialogues import Dialogues, Heard, Said, digest_of
from node.federation.dialogues.outgoing import Outbox, Outgoing
from node.federation.signing.integrity import jcs
from node.federation.turns import Dialogue, No, Rules, or_refuse

MAX_MESSAGES = 500
MAX_REASONS = 20


class Doing(Protocol):
    """A step of ours; the reasons go with an end."""

    @property
    def kind(self) -> str:
        """Give the message that says it."""

    @property
    def code(self) -> str:
        """Give the code of an end."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Give the reasons of an end."""

    @property
    def by(self) -> str:
        """Say who wants it."""


D = TypeVar("D", bound=Dialogue)
S = TypeVar("S", bound=Doing)
H = TypeVar("H", bound=Heard)


@dataclass(frozen=True, slots=True)
class DialogueMoves(ABC, Generic[D, S, H]):
    """Changes dialogues of one kind. `callback` is where our endpoints are."""

    rules: ClassVar[Rules]

    store: Dialogues[D]
    outbox: Outbox
    callback: str
    new_id: Callable[[], str]

    @abstractmethod
    def first(self, tx: Tx, now: D, message: H, at_ms: int) -> D:
        """Take a message whose pids are right, or the first one, which has not ours. Raises as `take` does."""

    @abstractmethod
    def _written(self, tx: Tx, now: D, step: S, at_ms: int) -> tuple[D, dict[str, Any]]:
        """Write the message of a step, and what belongs to it beside the outbox. Raises Refused."""

    @abstractmethod
    def acknowledged(self, tx: Tx, now: D, one: Outgoing, at_ms: int, *, other_pid: str = "") -> D:
        """Count a message of ours; nothing happens if it was counted or overtaken already."""

    @abstractmethod
    def _changed(self, tx: Tx, now: D, then: Any, changes: Mapping[str, object], message: Said) -> D:  # noqa: ANN401
        """Keep a message that counts, and what it changes."""

    # ---------------------------------------------------------------- what waits

    def waiting(self, tx: Tx, pid: str) -> list[Outgoing]:
        """Give what we are about to say, the next one first."""
        return self.outbox.waiting(tx, self.store.shape.kind, pid)

    def wish(self, tx: Tx, pid: str, *, beside: int = 0) -> Outgoing | None:
        """Give our wish to end it that waits, other than the message of this number."""
        found = self.waiting(tx, pid)
        return next((each for each in found if each.step == "terminate" and each.id != beside), None)

    def said_no_more(self, tx: Tx, pid: str, at_ms: int, why: str) -> None:
        """Close all that waits."""
        for one in self.waiting(tx, pid):
            self.outbox.close(tx, one.id, at_ms=at_ms, error=why)

    # ---------------------------------------------------------------- what the other side says

    def take(self, tx: Tx, dialogue: D, message: H, at_ms: int) -> D:
        """Take a message of the other side.

        Raises:
            Conflict: It does not fit the state.
            Refused: What it brings cannot be taken.
        """
        self._check_ending(tx, dialogue, message.kind)
        now = self._caught_up(tx, dialogue, message, at_ms)
        if not now.state:
            raise Conflict(f"We have not begun this {self.store.shape.table}.", fix="Wait for our first message.")
        self._check_pids(now, message)
        return self.first(tx, now, message, at_ms)

    def _check_ending(self, tx: Tx, now: D, kind: str) -> None:
        """Refuse to go on with what we are ending: else one side could think it ended well, the other terminated."""
        wish = self.wish(tx, now.pid)
        # Before our first message was answered this one is welcome: it tells whom to tell of the end.
        if wish is not None and kind != "terminate" and now.state and not now.is_final:
            why = " ".join(json.loads(wish.body).get("reason", ()))
            shape = self.store.shape
            raise Conflict(f"This city is ending this {shape.table}. {why}".strip(), fix=shape.another)

    def _caught_up(self, tx: Tx, now: D, message: Heard, at_ms: int) -> D:
        """Count a message of ours whose answer was lost or is on its way, if this one could only follow on it."""
        if now.state and not isinstance(self.rules.heard(now.role, now.state, message.kind), No):
            return now
        ours = self.waiting(tx, now.pid)
        if not ours or not ours[0].tries:
            return now
        then = self.rules.said(now.role, now.state, ours[0].step)
        if isinstance(then, No) or isinstance(self.rules.heard(now.role, then, message.kind), No):
            return now
        theirs = message.provider_pid if now.role == "consumer" else message.consumer_pid
        return self.acknowledged(tx, now, ours[0], at_ms, other_pid=theirs)

    def _check_pids(self, now: D, message: Heard) -> None:
        ours, theirs = message.consumer_pid, message.provider_pid
        if now.role == "provider":
            ours, theirs = theirs, ours
        if ours != now.pid or (now.other_pid and theirs != now.other_pid):
            raise Malformed(
                f"The pids of the message are not those of this {self.store.shape.table}.",
                fix="Take those you were given.",
            )

    def _check_room(self, tx: Tx, now: D) -> None:
        """Refuse what may take turns for ever; every other message leads towards the end, and is always heard."""
        if self.store.count(tx, now.pid) >= MAX_MESSAGES:
            shape = self.store.shape
            raise Conflict(f"This {shape.table} has {MAX_MESSAGES} messages.", fix=f"End it. {shape.another}")

    # ---------------------------------------------------------------- what we say

    def put(self, tx: Tx, now: D, step: S, at_ms: int) -> D:
        """Put out a step of ours; it counts once the other side has taken it.

        Raises:
            Conflict: It does not fit the state, or another message of ours is on its way.
            Refused: It cannot be written, or may not be said.
        """
        if now.sending:
            raise Conflict(
                f"Our last message ({now.sending[0]}) has not been taken yet.", fix="Wait until it was."
            ).on_page("no.agreement.sending")
        or_refuse(self.rules.said(now.role, now.state, step.kind))
        written, document = self._written(tx, now, step, at_ms)
        return self._out(tx, written, step.kind, document, at_ms)

    def _out(self, tx: Tx, now: D, kind: str, document: Mapping[str, Any], at_ms: int) -> D:
        shape = self.store.shape
        body = jcs({**document, "@id": f"urn:uuid:{self.new_id()}"}).decode()
        url = shape.address(now.other_url, kind, now.other_pid) if now.other_url else ""
        self.outbox.put(tx, kind=shape.kind, subject=now.pid, peer=now.peer, step=kind, url=url, body=body, at_ms=at_ms)
        return self.store.change(tx, now, at_ms=at_ms, ask_at=0)

    def _addressed(self, tx: Tx, now: D) -> None:
        """Write the other side's pid into what was written before it was known: the wish to end it."""
        for one in self.waiting(tx, now.pid):
            pids = {"providerPid": now.provider_pid, "consumerPid": now.consumer_pid}
            url = self.store.shape.address(now.other_url, one.step, now.other_pid)
            self.outbox.rewrite(tx, one.id, url=url, body=jcs({**json.loads(one.body), **pids}).decode())

    # ---------------------------------------------------------------- the end

    def end(self, tx: Tx, now: D, step: S, at_ms: int) -> D:
        """End one whatever is on its way: told to the other side once that has been answered.

        A message of ours that was never tried is not sent any more; if it was the first, there is nobody to tell.

        Raises:
            Conflict: It has ended already.
        """
        or_refuse(self.rules.ended(now.role, now.state))
        waiting = self.waiting(tx, now.pid)
        if any(one.step == "terminate" for one in waiting):
            return now
        for one in waiting:
            if not one.tries:
                self.outbox.close(tx, one.id, at_ms=at_ms, error="Ended before it was sent.")
        if not now.state and not any(one.tries for one in waiting):
            return self.ended_here(tx, now, step, at_ms)
        return self._ending(tx, now, step, at_ms)

    def ended_here(self, tx: Tx, now: D, step: S, at_ms: int) -> D:
        """End one on our side alone, where the other side cannot be told or has ended it without a word."""
        then = or_refuse(self.rules.ended(now.role, now.state))
        self.said_no_more(tx, now.pid, at_ms, " ".join(step.reasons))
        _, document = self._written(tx, now, step, at_ms)
        body = jcs(document).decode()
        kept = Said(at_ms, "out", "terminate", "", digest_of(body), "", body)
        return self._changed(tx, now, then, {"reason": reason_of(step.code, step.reasons, by=step.by or "us")}, kept)

    def tell_of_end(self, tx: Tx, now: D, step: S, at_ms: int) -> None:
        """Let the other side know of an end that stands already; it may take it or not."""
        if now.other_pid and now.other_url:
            self._ending(tx, now, step, at_ms)

    def _ending(self, tx: Tx, now: D, step: S, at_ms: int) -> D:
        written, document = self._written(tx, now, step, at_ms)
        return self._out(tx, written, "terminate", document, at_ms)


def reason_of(code: str, reasons: tuple[str, ...], *, by: str) -> dict[str, Any]:
    """Give what is kept of a suspension or a termination."""
    return {"code": code, "reasons": list(reasons[:MAX_REASONS]), "by": by}
