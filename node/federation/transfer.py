"""The transfer process of the Dataspace Protocol as one table, and the values that pass over it. Pure.

A consumer requests data under an agreement, the provider starts, either of the two suspends, starts again, completes
or terminates. Which message leads from which state to which, and who may send it, stands in `TABLE` and nowhere else;
the tests walk all of it for both roles. Beyond the table one thing is ours: who suspended a transfer begins it again,
so the other side's word alone does not undo it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from node.federation import turns
from node.federation.moving import Format
from node.federation.turns import ROLES, Dialogue, No, Rules, no, other

Role = turns.Role
State = Literal["", "REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED"]
Kind = Literal["request", "start", "suspend", "complete", "terminate"]
Act = Literal["start", "suspend", "resume", "complete", "terminate"]
PausedBy = Literal["", "us", "them", "agreement"]
Json = Mapping[str, Any]

STATES: tuple[State, ...] = ("", "REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED")
KINDS: tuple[Kind, ...] = ("request", "start", "suspend", "complete", "terminate")
FINAL: frozenset[State] = frozenset({"COMPLETED", "TERMINATED"})

TABLE: Mapping[tuple[State, Kind], tuple[tuple[Role, ...], State]] = {
    ("", "request"): (("consumer",), "REQUESTED"),
    ("REQUESTED", "start"): (("provider",), "STARTED"),
    ("REQUESTED", "terminate"): (ROLES, "TERMINATED"),
    ("STARTED", "suspend"): (ROLES, "SUSPENDED"),
    ("STARTED", "complete"): (ROLES, "COMPLETED"),
    ("STARTED", "terminate"): (ROLES, "TERMINATED"),
    ("SUSPENDED", "start"): (ROLES, "STARTED"),
    ("SUSPENDED", "terminate"): (ROLES, "TERMINATED"),
}
_DOES: Mapping[Kind, str] = {
    "request": "requests data",
    "start": "starts a transfer",
    "suspend": "suspends a transfer",
    "complete": "completes a transfer",
    "terminate": "terminates a transfer",
}
_LEADS_ON: Mapping[State, str] = {
    "": "Begin with a request of the consumer.",
    "REQUESTED": "The provider starts it, or one of the two terminates it.",
    "STARTED": "Suspend, complete or terminate it.",
    "SUSPENDED": "Start it again, or terminate it.",
    "COMPLETED": "It has ended well. Request another one.",
    "TERMINATED": "It has ended. Request another one.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Dialogue):
    """A transfer as it stands here. A time of 0 is never.

    `part` is empty for all parts of the dataset. `address` is the protocol's data address: of a pull where the
    provider hands out, of a push where the consumer takes. `used_at` is when it was counted as a use of `clause`;
    `receipt` as far as it is signed.
    """

    final: ClassVar[frozenset[State]] = FINAL

    state: State
    format: Format
    agreement: str
    dataset: str
    part: str
    purpose: str
    jkt: str
    address: Json = field(repr=False)  # may hold a token
    clause: str
    used_at: int
    receipt: str = field(repr=False)
    paused_by: PausedBy
    started_at: int
    sending: tuple[Kind, ...] = ()

    @property
    def streams(self) -> bool:
        """Tell whether bytes may flow: it is started, or we have just said so, and we say nothing against it.

        Our own word counts at once, whatever becomes of its message: for starting, since the other side may act on it
        before we read its answer, and for all that ends or suspends, since it must hold within a second.
        """
        if self.is_final or {"suspend", "terminate", "complete"} & set(self.sending):
            return False
        return self.state == "STARTED" or "start" in self.sending


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next. `resume` is to start again; `receipt` goes with a completion, half-signed."""

    act: Act
    code: str = ""
    reasons: tuple[str, ...] = ()
    receipt: str = ""
    by: str = ""
    paused_by: PausedBy = "us"

    @property
    def kind(self) -> Kind:
        """Give the message that says it."""
        return "start" if self.act == "resume" else self.act


class Decider(Protocol):
    """Says what we do next: in production what the agreements permit."""

    def next(self, transfer: Transfer, now_ms: int) -> Step | None:
        """Give the next step of ours, or None to wait; called again whenever something changed, so it is repeatable.

        May read anything and write nothing. A step that does not fit the state is refused and changes nothing.
        """


def heard(role: Role, state: State, kind: Kind, paused_by: PausedBy = "") -> State | No:
    """Give the state to which a message of the other side leads us, or say why it does not fit."""
    if (state, kind) == ("SUSPENDED", "start") and paused_by in ("us", "agreement"):
        return No("This city has suspended this transfer.", "Wait until it starts it again, or terminate it.")
    return _stepped(other(role), state, kind)


def said(role: Role, state: State, kind: Kind) -> State | No:
    """Give the state to which a message of ours leads once it was acknowledged, or say why we may not send it."""
    return _stepped(role, state, kind)


def ended(role: Role, state: State) -> State | No:
    """Give the state to which a person's termination leads, or say why there is nothing left to end."""
    return "TERMINATED" if state not in FINAL else _no(state, "terminate", role)


RULES = Rules(heard, said, ended)


def counted(role: Role, state: State, kind: Kind) -> State | No:
    """Give the state to which a message of ours leads that was taken, wherever we have come to meanwhile.

    What ends a transfer over there has ended it: a suspension that crossed our completion does not undo it.
    """
    if kind == "complete" and state == "SUSPENDED":
        return "COMPLETED"
    if kind == "terminate":
        return ended(role, state)
    return _stepped(role, state, kind)


def _stepped(sender: Role, state: State, kind: Kind) -> State | No:
    who, then = TABLE.get((state, kind), ((), state))
    return then if sender in who else _no(state, kind, sender)


def _no(state: State, kind: Kind, sender: Role) -> No:
    return no(sender, _DOES[kind], state, _LEADS_ON[state])
