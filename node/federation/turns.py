"""What a negotiation and a transfer are alike: two sides that take turns, and how far they have come.

Whose turn it is is what their tables say, in `negotiation` and `transfer`; here is what stands whatever they say: who
the sides are, what is known of such a dialogue, and how a table says no. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from node.errors import Conflict

Role = Literal["consumer", "provider"]
ROLES: tuple[Role, ...] = ("consumer", "provider")
S = TypeVar("S")


def other(role: Role) -> Role:
    """Give the other side's role."""
    return "provider" if role == "consumer" else "consumer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """One of either as it stands here. Times in ms. `peer` is a participant id: a base URL between cities.

    `other_pid` and `other_url`, below which the other side takes messages, are empty while they are unknown, `state`
    before it has begun. `sending` names the messages of ours that wait for their acknowledgement: the state is then
    still the one before; `trouble` is why the last attempt failed, if it did. `ask_at` is when the decider is to be
    asked; `version` counts the changes.
    """

    final: ClassVar[frozenset[Any]]

    pid: str
    role: Role
    peer: str
    other_pid: str
    other_url: str
    state: str
    reason: Mapping[str, Any]
    opened_by: str
    created_at: int
    changed_at: int
    ask_at: int
    version: int
    sending: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def consumer_pid(self) -> str:
        """The consumer's id of it; empty while it is unknown."""
        return self.pid if self.role == "consumer" else self.other_pid

    @property
    def provider_pid(self) -> str:
        """The provider's id of it; empty while it is unknown."""
        return self.pid if self.role == "provider" else self.other_pid

    @property
    def is_final(self) -> bool:
        """Tell whether it has ended."""
        return self.state in self.final

    @property
    def code(self) -> str:
        """The code of its suspension or termination."""
        return str(self.reason.get("code", ""))

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of its suspension or termination, each a sentence that says what to do."""
        return tuple(str(each) for each in self.reason.get("reasons", ()))


@dataclass(frozen=True, slots=True)
class No:
    """Why a message does not fit, and what would."""

    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Rules:
    """A table, by role, state and message: where what we hear leads, and what we say; `ended` by role and state."""

    heard: Callable[[Any, Any, Any], str | No]
    said: Callable[[Any, Any, Any], str | No]
    ended: Callable[[Any, Any], str | No]


def no(sender: Role, does: str, state: str, leads_on: str) -> No:
    """Say that a side may not do this now, and what leads on instead."""
    shown = f"in the state {state}" if state else "before it has begun"
    return No(f"No {sender} {does} {shown}.", leads_on)


def or_refuse(found: S | No) -> S:
    """Give the state that a table leads to. Raises Conflict where it says no."""
    if isinstance(found, No):
        raise Conflict(found.why, fix=found.fix).on_page("no.turn")
    return found
