"""The negotiation of the Dataspace Protocol as one table, and the values that pass over it. Pure.

A consumer asks for a dataset, a provider offers, one of them accepts, the provider writes the agreement, the consumer
verifies it and the provider ends it well. Which message leads from which state to which, and who may send it, stands
in `TABLE` and nowhere else; the tests walk all of it for both roles. What the protocol's drawing and its prose say
about terminations differ: we send them as drawn (whoever's turn it is), and take them as written (at any time before
the end).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from node.federation import turns
from node.federation.turns import ROLES, Dialogue, No, Rules, no, other

Role = turns.Role
State = Literal["", "REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED"]
Kind = Literal["request", "offer", "accept", "agree", "verify", "finalize", "terminate"]
Json = Mapping[str, Any]

STATES: tuple[State, ...] = (
    "",
    "REQUESTED",
    "OFFERED",
    "ACCEPTED",
    "AGREED",
    "VERIFIED",
    "FINALIZED",
    "TERMINATED",
)
KINDS: tuple[Kind, ...] = ("request", "offer", "accept", "agree", "verify", "finalize", "terminate")
FINAL: frozenset[State] = frozenset({"FINALIZED", "TERMINATED"})

TABLE: Mapping[tuple[State, Kind], tuple[Role, State]] = {
    ("", "request"): ("consumer", "REQUESTED"),
    ("", "offer"): ("provider", "OFFERED"),
    ("REQUESTED", "offer"): ("provider", "OFFERED"),
    ("REQUESTED", "agree"): ("provider", "AGREED"),
    ("OFFERED", "request"): ("consumer", "REQUESTED"),
    ("OFFERED", "accept"): ("consumer", "ACCEPTED"),
    ("ACCEPTED", "agree"): ("provider", "AGREED"),
    ("AGREED", "verify"): ("consumer", "VERIFIED"),
    ("VERIFIED", "finalize"): ("provider", "FINALIZED"),
}
# Who may end it, as drawn. Those who wait for the other side are not in it.
ENDS: Mapping[State, tuple[Role, ...]] = {
    "REQUESTED": ROLES,
    "OFFERED": ROLES,
    "ACCEPTED": ("provider",),
    "AGREED": ("consumer",),
    "VERIFIED": ("provider",),
}
_DOES: Mapping[Kind, str] = {
    "request": "asks",
    "offer": "offers",
    "accept": "accepts",
    "agree": "writes the agreement",
    "verify": "verifies the agreement",
    "finalize": "finalizes",
    "terminate": "terminates",
}
_LEADS_ON: Mapping[State, str] = {
    "": "Begin with a request of the consumer or an offer of the provider.",
    "REQUESTED": "The provider answers with an offer or an agreement.",
    "OFFERED": "The consumer accepts, or asks for something else.",
    "ACCEPTED": "The provider writes the agreement.",
    "AGREED": "The consumer verifies the agreement.",
    "VERIFIED": "The provider finalizes.",
    "FINALIZED": "It has ended: the agreement stands. Begin a new negotiation to change it.",
    "TERMINATED": "It has ended without agreement. Begin a new one.",
}


def heard(role: Role, state: State, kind: Kind) -> State | No:
    """Give the state to which a message of the other side leads us, or say why it does not fit."""
    if kind == "terminate":
        return "TERMINATED" if state and state not in FINAL else _no(state, kind, other(role))
    return _stepped(other(role), state, kind)


def said(role: Role, state: State, kind: Kind) -> State | No:
    """Give the state to which a message of ours leads once it was acknowledged, or say why we may not send it."""
    if kind == "terminate":
        return "TERMINATED" if role in ENDS.get(state, ()) else _no(state, kind, role)
    return _stepped(role, state, kind)


def ended(role: Role, state: State) -> State | No:
    """Give the state to which a person's termination leads, or say why there is nothing left to end."""
    return "TERMINATED" if state not in FINAL else _no(state, "terminate", role)


RULES = Rules(heard, said, ended)


def _stepped(sender: Role, state: State, kind: Kind) -> State | No:
    who, then = TABLE.get((state, kind), ("", state))
    return then if who == sender else _no(state, kind, sender)


def _no(state: State, kind: Kind, sender: Role) -> No:
    return no(sender, _DOES[kind], state, _LEADS_ON[state])


def is_after(state: State, earlier: State) -> bool:
    """Tell whether one state can only be reached by having been in the other, or is the same."""
    order = ("REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED")
    if state == earlier:
        return True
    late = order[3:]  # before that, request and offer may take turns
    return state in late and earlier in order and order.index(state) > order.index(earlier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiation(Dialogue):
    """A negotiation as it stands here.

    `offer` is {"@id", "target"} with the rules, `about` what stands beside them; `terms` is their digest, which is
    what a person approves. While a message of ours waits for its acknowledgement, nothing else can be decided.
    """

    final: ClassVar[frozenset[State]] = FINAL

    state: State
    offer: Json
    about: Json
    offered_by: Literal["", "us", "them"]
    terms: str
    agreement: str
    message: str
    signed: str
    sending: tuple[Kind, ...] = ()

    @property
    def target(self) -> str:
        """The dataset it is about."""
        return str(self.offer.get("target", ""))

    @property
    def offer_id(self) -> str:
        """The IRI of the offer that stands."""
        return str(self.offer.get("@id", ""))


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next. An offer or a request with other terms brings `offer` and `about`; without, those that stand."""

    kind: Kind
    offer: Json | None = None
    about: Json | None = None
    code: str = ""
    reasons: tuple[str, ...] = ()
    by: str = ""


class Decider(Protocol):
    """Says what we do next: in production what the offers say and persons have approved."""

    def next(self, negotiation: Negotiation) -> Step | None:
        """Give the next step of ours, or None to wait; called again whenever something changed, so it is repeatable.

        May read anything and write nothing. A step that does not fit the state is refused and changes nothing.
        """
