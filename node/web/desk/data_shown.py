"""How data that move are said on the desk: stages, what may be done next, what happened, as keys of the words. Pure.

The protocol's names stay out of sight: a person reads "moving", "paused by the agreement", "both ends signed". What the
other end or a machine wrote in its own words is shown as it is, in English.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.federation.moved import (
    OVER,
    ConsentTold,
    DeletionTold,
    OriginTold,
    PullTold,
    StatementTold,
    TransferTold,
    WithdrawalTold,
)
from node.web.wording.words import known

Look = tuple[str, str, str]  # key of the words, style of the sheet, icon
_TRANSFER: dict[str, Look] = {
    "": ("desk.data.state.sending", "", "wait"),
    "REQUESTED": ("desk.data.state.requested", "", "wait"),
    "STARTED": ("desk.data.state.started", "ok", "run"),
    "SUSPENDED": ("desk.data.state.suspended", "warn", "wait"),
    "COMPLETED": ("desk.data.state.completed", "ok", "yes"),
    "TERMINATED": ("desk.data.state.terminated", "quiet", "no"),
}
_PULL: dict[str, Look] = {
    "waiting": ("desk.data.pull.waiting", "warn", "wait"),
    "running": ("desk.data.pull.running", "", "run"),
    "stopped": ("desk.data.pull.stopped", "warn", "wait"),
    "done": ("desk.data.pull.done", "ok", "yes"),
    "failed": ("desk.data.pull.failed", "bad", "no"),
    "cancelled": ("desk.data.pull.cancelled", "quiet", "no"),
}
_AFTER = {"stopped": ("resume", "cancel"), "failed": ("resume",)}
_LIVE = frozenset({"waiting", "running"})
_STATEMENTS = frozenset(
    {"receipt", "difference", "one-sided", "cut", "withdrawal", "acknowledgement", "erasure", "deletion"}
)
_WRONG = frozenset({"difference", "one-sided"})
_HOW = frozenset({"done", "handed", "cut", "gone", "stalled", "broken"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a transfer's story: when, the key of what happened, how it looks, and what fills the sentence."""

    at_ms: int
    key: str
    style: str
    part: str = ""
    sent: int = 0
    detail: str = ""


def transfer_look(told: TransferTold) -> Look:
    """Say how a transfer stands; one that the agreement or the other side paused says so."""
    if told.state == "SUSPENDED" and told.paused_by in ("us", "them", "agreement"):
        return (f"desk.data.state.paused.{told.paused_by}", "warn", "wait")
    return _TRANSFER.get(told.state, _TRANSFER[""])


def pull_look(told: PullTold) -> Look:
    """Say how a pull stands."""
    return _PULL.get(told.state, _PULL["waiting"])


def is_live(told: PullTold) -> bool:
    """Tell whether a pull may still change by itself."""
    return told.state in _LIVE


def acts(told: TransferTold) -> Sequence[str]:
    """Name what a person may do with a transfer as it stands; what the other side paused, that side begins again."""
    if told.state in OVER:
        return ()
    can = {"STARTED": ("suspend",), "SUSPENDED": ("resume",) if told.paused_by in ("us", "") else ()}
    return (*can.get(told.state, ()), "terminate")


def pull_acts(told: PullTold) -> Sequence[str]:
    """Name what a person may do with a pull."""
    return ("cancel",) if is_live(told) else _AFTER.get(told.state, ())


def statement_key(told: StatementTold) -> str:
    """Give the key of what a statement is."""
    return f"desk.data.kind.{told.kind if told.kind in _STATEMENTS else 'other'}"


def statement_look(told: StatementTold) -> tuple[str, str]:
    """Give style and icon of a statement."""
    return ("warn", "warn") if told.kind in _WRONG else ("quiet", "no") if told.kind == "cut" else ("ok", "yes")


def origin_look(told: OriginTold) -> Look:
    """Say whether a part could be read when it was last tried."""
    return ("desk.data.origin.trouble", "warn", "warn") if told.trouble else ("desk.data.origin.good", "ok", "yes")


def consent_look(told: ConsentTold) -> Look:
    """Say whether a consent source answers."""
    if told.trouble:
        return ("desk.data.consent.trouble", "bad", "warn")
    return ("desk.data.consent.good", "ok", "yes") if told.checked_ms else ("desk.data.consent.new", "", "wait")


def withdrawal_look(told: WithdrawalTold) -> Look:
    """Say what became of a withdrawal, and whether a person of ours is waited for."""
    if told.erased_ms:
        return ("desk.data.gone.erased", "ok", "yes")
    stage = "acknowledged" if told.acknowledged_ms else "told"
    return (f"desk.data.gone.{told.direction}.{stage}", "warn" if told.direction == "in" else "", "wait")


def deletion_look(told: DeletionTold) -> Look:
    """Say whether what must be deleted is said to be gone, and who is waited for."""
    if told.said_ms:
        return ("desk.data.deletion.gone", "ok", "yes")
    return (f"desk.data.deletion.open.{told.direction}", "warn" if told.direction == "in" else "", "wait")


def course(told: TransferTold, statements: Sequence[StatementTold] = ()) -> Sequence[Step]:
    """Give what happened to a transfer, the newest first: what was said, what streamed, what became evidence."""
    found = [Step(each.at_ms, _said(each.direction, each.name), "done") for each in told.history]
    if not found:
        found = [Step(told.requested_ms, "desk.data.step.requested", "done")]
    for one in told.streams:
        found.append(Step(one.begun_ms, "desk.data.step.stream", "done" if one.ended_ms else "now", one.part, one.sent))
        if one.ended_ms:
            how = one.how if one.how in _HOW else "broken"
            style = "done" if how in ("done", "handed") else "held"
            found.append(Step(one.ended_ms, f"desk.data.step.stream.{how}", style, one.part, one.sent))
    found += [Step(each.at_ms, statement_key(each), "held" if each.kind in _WRONG else "done") for each in statements]
    return sorted(found, key=lambda step: step.at_ms)[::-1]


def _said(direction: str, name: str) -> str:
    key = f"desk.data.said.{direction}.{name}"
    return key if known(key) else f"desk.data.said.{'out' if direction == 'out' else 'in'}.other"
