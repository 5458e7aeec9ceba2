"""Every change of a transfer, each within a transaction that its caller opens and under the transfer's own lock.

Three things change one: a message of the other side is taken, a message of ours is put out, a message of ours turns out
to have been taken. What belongs to a change is in its transaction: the use that is counted when it first starts, and
the receipt when it completes. An error leaves everything as it was: the transaction rolls back.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from node.db import Tx
from node.federation.dialogues.dialogues import digest_of
from node.federation.dialogues.moves import DialogueMoves, reason_of
from node.federation.dialogues.outgoing import Outgoing
from node.federation.signing.integrity import jcs
from node.federation.transfer import FINAL, RULES, Json, Kind, PausedBy, State, Step, Transfer, counted, heard
from node.federation.transfers import wire
from node.federation.transfers.store import Said, TransferStore
from node.federation.transfers.wire import Heard
from node.federation.turns import No, Rules, or_refuse


@dataclass(frozen=True, slots=True)
class Hooks:
    """What others do about transfers. Without them everything is free and nothing is signed, as in rigs.

    `spend` counts the use in the transaction that first starts a transfer of ours and gives the clause, or raises;
    `resumes` raises where one may not start again; `address` says where a pull is handed out, with a fresh token;
    `concluded` is called in the transaction of a completion by the other side with the receipt that it sent ("" if
    none), `answered` in that of one of ours with what the other side answered to our receipt; each gives what is kept
    as the receipt. `stopped` is called in the transaction that suspends or ends what had started.
    """

    spend: Callable[[Tx, Transfer, int], str] = field(default=lambda *_: "")
    resumes: Callable[[Transfer, int], None] = field(default=lambda *_: None)
    address: Callable[[Transfer], Json] = field(default=lambda _: {})
    concluded: Callable[[Tx, Transfer, str], str] = field(default=lambda _, __, receipt: receipt)
    answered: Callable[[Tx, Transfer, str], str] = field(default=lambda _, mine, receipt: receipt or mine.receipt)
    stopped: Callable[[Tx, Transfer], None] = field(default=lambda *_: None)


@dataclass(frozen=True, slots=True)
class Moves(DialogueMoves[Transfer, Step, Heard]):
    """Changes transfers, and calls the hooks."""

    rules: ClassVar[Rules] = RULES

    store: TransferStore
    hooks: Hooks

    # ---------------------------------------------------------------- what the other side says

    def first(self, tx: Tx, now: Transfer, message: Heard, at_ms: int) -> Transfer:
        """Take a message whose pids are right, or the first one, which has not ours. Raises as `take` does."""
        then: State = or_refuse(heard(now.role, now.state, message.kind, now.paused_by))
        if message.kind in ("start", "suspend"):
            self._check_room(tx, now)
        if message.kind == "start" and now.role == "provider":
            self.hooks.resumes(now, at_ms)
        changes = _brought(now, message, at_ms)
        self._overtaken(tx, now, message.kind, at_ms)
        said_in = Said(at_ms, "in", message.kind, message.name, message.digest, "", message.body)
        return self._changed(tx, now, then, changes, said_in, receipt=message.receipt)

    def _overtaken(self, tx: Tx, now: Transfer, kind: Kind, at_ms: int) -> None:
        """Let what we were about to say wait no more; our wish to end it stays, and a completion that was said."""
        final = kind in ("complete", "terminate")
        for one in self.waiting(tx, now.pid):
            stays = one.step == "terminate" or (one.step == "complete" and one.tries)
            if final or not stays:
                self.outbox.close(tx, one.id, at_ms=at_ms, error="The other side was quicker.")

    # ---------------------------------------------------------------- what we say

    def begin(self, tx: Tx, transfer: Transfer, at_ms: int) -> Transfer:
        """Put out the request of a transfer that was just written."""
        return self._out(tx, transfer, "request", wire.requesting(transfer, self.callback), at_ms)

    def _written(self, tx: Tx, now: Transfer, step: Step, at_ms: int) -> tuple[Transfer, dict[str, Any]]:
        ready = self._prepared(tx, now, step, at_ms)
        return ready, wire.telling(ready, step)

    def _prepared(self, tx: Tx, now: Transfer, step: Step, at_ms: int) -> Transfer:
        match step.kind:
            case "start" if now.role == "provider" and not now.used_at:
                clause = self.hooks.spend(tx, now, at_ms)
                return self.store.change(tx, now, at_ms=at_ms, clause=clause, used_at=at_ms)
            case "start" if now.role == "provider":
                self.hooks.resumes(now, at_ms)
            case "suspend":
                return self.store.change(tx, now, at_ms=at_ms, paused_by=step.paused_by)
            case "complete":
                return self.store.change(tx, now, at_ms=at_ms, receipt=step.receipt)
            case _:
                pass
        return now

    # ---------------------------------------------------------------- what we said was taken

    def acknowledged(
        self, tx: Tx, transfer: Transfer, one: Outgoing, at_ms: int, *, other_pid: str = "", receipt: str = ""
    ) -> Transfer:
        """Count a message of ours; nothing happens if it was counted or overtaken already."""
        kind: Any = one.step
        then = counted(transfer.role, transfer.state, kind)
        if not self.outbox.close(tx, one.id, at_ms=at_ms) or isinstance(then, No):
            return transfer
        message = json.loads(one.body)
        changes: dict[str, object] = {"other_pid": other_pid} if other_pid and not transfer.other_pid else {}
        changes |= _effects(kind, at_ms, transfer, _reason_in(message, by="us"))
        body = wire.kept(message)
        told = Said(at_ms, "out", kind, str(message.get("@id", "")), digest_of(body), "", body)
        found = self._changed(tx, transfer, then, changes, told, receipt=receipt)
        if found.other_pid != transfer.other_pid:
            self._addressed(tx, found)
        return found

    # ---------------------------------------------------------------- the end

    def completed_there(self, tx: Tx, transfer: Transfer, at_ms: int, receipt: str) -> Transfer:
        """Complete what the other side turns out to have completed, although its word did not reach us."""
        self.said_no_more(tx, transfer.pid, at_ms, "It was completed before.")
        body = jcs(wire.telling(transfer, Step("complete", receipt=receipt))).decode()
        told = Said(at_ms, "in", "complete", "", digest_of(body), "", body)
        return self._changed(tx, transfer, "COMPLETED", {"paused_by": ""}, told, receipt=receipt)

    def _changed(
        self, tx: Tx, now: Transfer, then: State, changes: Mapping[str, object], message: Said, *, receipt: str = ""
    ) -> Transfer:
        self.store.say(tx, now.pid, message)
        ask_at = 0 if then in FINAL else max(message.at, 1)
        found = self.store.change(tx, now, at_ms=message.at, state=then, ask_at=ask_at, **changes)
        if then in ("SUSPENDED", "TERMINATED") and found.started_at:
            self.hooks.stopped(tx, found)
        if then != "COMPLETED":
            return found
        concluded = self.hooks.concluded if message.direction == "in" else self.hooks.answered
        whole = concluded(tx, found, receipt)
        if whole == found.receipt:
            return found
        return self.store.change(tx, found, at_ms=message.at, receipt=whole)


def _brought(now: Transfer, message: Heard, at_ms: int) -> dict[str, object]:
    """Say what a message of the other side changes beside the state."""
    reason = reason_of(message.code, message.reasons, by="them")
    changes = _effects(message.kind, at_ms, now, reason)
    if message.kind == "start" and now.role == "consumer" and message.address:
        changes["address"] = dict(message.address)
    if message.kind == "suspend":
        # What our agreement suspends stays so, whatever else the other side wants.
        changes["paused_by"] = now.paused_by if now.paused_by == "agreement" and "suspend" in now.sending else "them"
    return changes


def _effects(kind: Kind, at_ms: int, now: Transfer, reason: Json) -> dict[str, object]:
    match kind:
        case "start":
            return {"started_at": now.started_at or at_ms, "paused_by": "", "reason": {}}
        case "suspend" | "terminate":
            return {"reason": dict(reason)}
        case "complete":
            return {"paused_by": "", "reason": {}}
        case _:
            return {}


def new(role: Any, peer: str, at_ms: int, **members: Any) -> Transfer:  # noqa: ANN401 (members of the dataclass)
    """Give a transfer that has not begun."""
    paused: PausedBy = ""
    empty = Transfer(
        pid="",
        role=role,
        peer=peer,
        other_pid="",
        other_url="",
        state="",
        format="HttpData-PULL",
        agreement="",
        dataset="",
        part="",
        purpose="",
        jkt="",
        address={},
        clause="",
        used_at=0,
        receipt="",
        reason={},
        paused_by=paused,
        opened_by="",
        created_at=at_ms,
        started_at=0,
        changed_at=at_ms,
        ask_at=0,
        version=0,
    )
    return replace(empty, **members)


def _reason_in(message: Json, *, by: str) -> dict[str, Any]:
    return reason_of(str(message.get("code", "")), tuple(message.get("reason", ())), by=by)
