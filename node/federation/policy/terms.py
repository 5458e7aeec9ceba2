"""The one table of our ODRL profile: what may be permitted, forbidden, owed, and under which constraints.

Everything that reads, writes, says, checks or decides a clause asks here; `agreements/profile/` states the same for
machines of others, and a test holds them together. A *spelling* is how a term stands in our documents: bare where the
Dataspace Protocol's context has the term (so its schemas accept it), otherwise prefixed or whole, because that context
has no default vocabulary and a bare `purpose` would become an IRI relative to nothing.

How actions include each other: ODRL says that each of ours is included in `use` (and `sell` in `transfer`). We follow
that for prohibitions only: forbidding `use` forbids everything included in it. A permission grants exactly the action
that it names; permitting `use` permits neither `index` nor `distribute`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

ODRL = "http://www.w3.org/ns/odrl/2/"
OWN = "https://w3id.org/citynode/odrl#"
NS = "https://w3id.org/citynode/ns#"
PROFILE = "https://w3id.org/citynode/odrl/1"
PROFILE_CONTEXT = "https://w3id.org/citynode/odrl/1/context.jsonld"
DSP_CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
DPV = "https://w3id.org/dpv#"

PERMISSION, PROHIBITION, OBLIGATION, DUTY = "permission", "prohibition", "obligation", "duty"
RULE_KINDS = (PERMISSION, PROHIBITION, OBLIGATION)

# Bounds of what a stranger may hand us (`reading`).
MAX_RULES = 100
MAX_CONSTRAINTS = 20
MAX_DUTIES = 20
MAX_DEPTH = 3
MAX_RIGHT = 100
MAX_TEXT = 2_000
MAX_ID = 500
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Action:
    """What is done, or owed. `kinds` are the rules it may stand in; `included_in` is the wider action, by name."""

    name: str
    iri: str
    spelling: str
    kinds: frozenset[str]
    included_in: str = ""


@dataclass(frozen=True, slots=True)
class Operand:
    """A left operand.

    `values` is the kind of its right operands: time, duration, number, bytes, purpose, place, iri, channel.

    `deadline` tells that a duty may carry it: until when the duty is to be done.
    """

    name: str
    iri: str
    spelling: str
    values: str
    operators: tuple[str, ...]
    deadline: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """How left and right are compared; `many` tells that the right operand is a list."""

    name: str
    iri: str
    spelling: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Logic:
    """How constraints are joined."""

    name: str
    iri: str
    spelling: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A way in which this node hands something out, for `deliveryChannel`."""

    name: str
    iri: str


_GRANTED = frozenset({PERMISSION, PROHIBITION})
_FORBIDDEN = frozenset({PROHIBITION})
_OWED = frozenset({DUTY, OBLIGATION})


def _odrl(name: str, kinds: frozenset[str], included_in: str = "use") -> Action:
    return Action(name, ODRL + name, f"odrl:{name}", kinds, included_in)


ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        # `use` alone is a term of the protocol's context.
        Action("use", ODRL + "use", "use", _GRANTED),
        *(_odrl(name, _GRANTED) for name in ("read", "index", "distribute", "derive", "aggregate", "translate")),
        _odrl("sell", _FORBIDDEN, "transfer"),
        Action("reidentify", OWN + "reidentify", OWN + "reidentify", _FORBIDDEN, "use"),
        *(
            _odrl(name, _OWED)
            for name in ("attribute", "inform", "delete", "anonymize", "obtainConsent", "reviewPolicy")
        ),
    )
}

_ORDERED = ("lt", "lteq", "gt", "gteq")
OPERANDS: Mapping[str, Operand] = {
    operand.name: operand
    for operand in (
        Operand("purpose", ODRL + "purpose", "odrl:purpose", "purpose", ("eq", "isA", "isAnyOf", "isNoneOf")),
        Operand("dateTime", ODRL + "dateTime", "odrl:dateTime", "time", _ORDERED, deadline=True),
        Operand("spatial", ODRL + "spatial", "odrl:spatial", "place", ("eq", "isPartOf", "isAnyOf")),
        Operand("recipient", ODRL + "recipient", "odrl:recipient", "iri", ("eq", "isAnyOf")),
        Operand("count", ODRL + "count", "odrl:count", "number", ("lt", "lteq")),
        # ODRL's `absoluteSize` is of an asset; this is of all that was delivered.
        Operand("volume", OWN + "volume", OWN + "volume", "bytes", ("lteq",)),
        Operand("elapsedTime", ODRL + "elapsedTime", "odrl:elapsedTime", "duration", ("lt", "lteq"), deadline=True),
        Operand("deliveryChannel", ODRL + "deliveryChannel", "odrl:deliveryChannel", "channel", ("eq", "isAnyOf")),
    )
}

OPERATORS: Mapping[str, Operator] = {
    name: Operator(name, ODRL + name, name, many=name in ("isAnyOf", "isNoneOf"))
    for name in ("eq", *_ORDERED, "isA", "isPartOf", "isAnyOf", "isNoneOf")
}

LOGIC: Mapping[str, Logic] = {name: Logic(name, ODRL + name, name) for name in ("and", "or", "xone")}

CHANNELS: Mapping[str, Channel] = {
    name: Channel(name, f"{OWN}channel-{name}") for name in ("feed", "page", "search", "sparql", "transfer")
}
CHANNEL_IRIS = frozenset(channel.iri for channel in CHANNELS.values())

_PREFIX = "odrl:"
_Term = TypeVar("_Term", Action, Operand, Operator, Logic)


def named(text: str) -> str:
    """Give the bare name of a term of ODRL, however it is spelt; everything else comes back as it is."""
    return text.removeprefix(_PREFIX) if text.startswith(_PREFIX) else text.removeprefix(ODRL)


def action_named(text: str) -> Action | None:
    """Find an action by its bare, prefixed or whole name."""
    return _found(ACTIONS, text)


def operand_named(text: str) -> Operand | None:
    """Find a left operand by its bare, prefixed or whole name."""
    return _found(OPERANDS, text)


def operator_named(text: str) -> Operator | None:
    """Find an operator by its bare, prefixed or whole name."""
    return _found(OPERATORS, text)


def _found(table: Mapping[str, _Term], text: str) -> _Term | None:
    """Find an entry. The namespace counts: `odrl:reidentify` is not our `reidentify`."""
    entry = table.get(named(text).removeprefix(OWN))
    if entry is None or text in (entry.name, entry.iri):
        return entry
    return entry if text == _PREFIX + entry.name and entry.iri.startswith(ODRL) else None


# ODRL's other hierarchy, beside `use`: what gives away for good. All of its other actions are included in `use`.
_TRANSFER = frozenset({"transfer", "sell", "give"})


def covers(kind: str, written: str, asked: str) -> bool:
    """Tell whether a rule about the action `written` speaks of the action `asked`, by their bare names.

    Prohibitions reach down ODRL's hierarchy, permissions do not (see above). An action that nobody here knows counts
    as included in `use`, so that forbidding `use` forbids it.
    """
    if written == asked:
        return True
    if kind != PROHIBITION:
        return False
    return asked not in _TRANSFER if written == "use" else written == "transfer" and asked in _TRANSFER
