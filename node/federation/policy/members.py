"""The members of a policy as they came: rules under any spelling of their names are found, and none can hide.

A stranger's prohibition that is not seen is a permission. ODRL's members count under their bare, prefixed and whole
names alike, once; a keyword of JSON-LD that brings more into a policy, and any structure beside the rules in which a
rule could stand, is refused. What other connectors add beside them as plain values is left alone. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from node.errors import Malformed, TooLarge
from node.federation.policy import terms

# Terms of ODRL that would change what the rules mean; beside the rules they are refused, other members are not ours.
_MEANING = frozenset(
    {"inheritFrom", "inheritRelation", "inheritAllowed", "duty", "action", "constraint", "refinement", "remedy"}
    | {"consequence", "failure"}
)
_KNOWN = frozenset({*terms.RULE_KINDS, *_MEANING, "target", "assigner", "assignee", "profile", "conflict"})
_RULES = frozenset({*terms.RULE_KINDS, *_MEANING, "leftOperand", "@context"})
_PLAIN = frozenset({"@id", "@type", "@value", "@language"})
_NAMING = frozenset({"@id", "@type"})
_FIX = "Write permission, prohibition and obligation as members of the policy itself, each once."


def policy_members(said: Mapping[str, Any]) -> dict[str, Any]:
    """Give the members of an offer or agreement, those of ODRL by their bare names.

    Raises:
        Malformed: A member of ODRL is said twice, changes what the rules mean in a way that the profile does not know,
            or rules could stand where nobody looks for them.
        TooLarge: It has more members than anybody reads.
    """
    if len(said) > terms.MAX_RULES:
        raise TooLarge(f"The policy has more than {terms.MAX_RULES} members.", fix=_FIX)
    members: dict[str, Any] = {}
    for key, value in said.items():
        bare = terms.named(str(key))
        name = bare if bare in _KNOWN else str(key)
        if name in members:
            raise Malformed(f'The policy: "{name}" is said twice.', fix="Say it once, in one spelling.")
        _check_member(name, value)
        members[name] = value
    return members


def no_rules_in(value: object) -> None:
    """See that what stands in a message beside its policy says no rules, at any depth. Raises Malformed."""
    for each in _objects(value):
        hidden = next((key for key in each if terms.named(str(key)) in _RULES), None)
        if hidden is not None:
            raise Malformed(f"The message has {_shown(hidden)} outside of its policy.", fix=_FIX)


def plain_value(value: Mapping[str, Any]) -> object:
    """Give what JSON-LD wrapped, a name or a literal; nothing for an object that says more than that."""
    if "@id" in value:
        return value["@id"] if value.keys() <= _NAMING else None
    return value.get("@value") if value.keys() <= _PLAIN else None


def _check_member(name: str, value: object) -> None:
    if name.startswith("@") and name not in _NAMING and not (name == "@context" and _is_known(value)):
        raise Malformed(f"The policy has {_shown(name)}, under which more could stand.", fix=_FIX)
    if name in _MEANING and value not in (None, "", [], {}):
        raise Malformed(f"The policy has {name}, which the profile does not know.", fix=_profile_fix())
    if name == "conflict" and not _prohibits(value):
        raise Malformed("The policy's conflict is not prohibit: a prohibition prevails here.", fix=_profile_fix())
    if name not in terms.RULE_KINDS and not all(each.keys() <= _PLAIN for each in _objects(value)):
        raise Malformed(f"The policy has a structure in {_shown(name)}, beside its rules.", fix=_FIX)


def _is_known(contexts: object) -> bool:
    """Tell whether contexts are among the two in which every name of a rule is what we read."""
    return isinstance(contexts, list) and all(each in (terms.DSP_CONTEXT, terms.PROFILE_CONTEXT) for each in contexts)


def _prohibits(value: object) -> bool:
    said = plain_value(value) if isinstance(value, Mapping) else value
    return said is None or (isinstance(said, str) and terms.named(said) == "prohibit")


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Give every object in a value, without recursion: how deep it is was bounded by who read it, if at all."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield one
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one


def _profile_fix() -> str:
    return f"Write it with the terms of the profile {terms.PROFILE}."


def _shown(name: object) -> str:
    return ascii(str(name)[:80])
