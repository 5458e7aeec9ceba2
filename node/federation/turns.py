"""The answer of a pure table of the protocol to a message that does not fit, and the shape of such a table.

What a negotiation and a transfer share before anything is kept: whose turn it is, and why it is not. Pure; the tables
themselves stand in `negotiation` and `transfer`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from node.errors import Conflict

S = TypeVar("S")


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


def or_refuse(found: S | No) -> S:
    """Give the state that a table leads to. Raises Conflict where it says no."""
    if isinstance(found, No):
        raise Conflict(found.why, fix=found.fix).on_page("no.turn")
    return found
