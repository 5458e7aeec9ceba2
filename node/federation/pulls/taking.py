"""Offers that this city takes without a person: automatic ones, of templates that its settings name.

Who offers writes the rules and also says of which template they are; so the rules are compared with that template,
clause by clause, and only values may differ: an offer that demands, forbids or counts anything that the template has no
place for is a matter for persons. Pure.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from node.errors import Malformed, NotFound
from node.federation.agreement_desk.drafting import CONSUMER
from node.federation.negotiation import Negotiation
from node.federation.policy import read_rules
from node.federation.policy.model import leaves
from node.federation.policy.purposes import is_a
from node.federation.policy.templates import Template, template_named
from node.federation.policy.terms import action_named, operand_named
from node.federation.policy.terms import named as bare

__all__ = ["AUTOMATIC", "is_of", "permits_use", "taker"]

# Who begins a negotiation that takes an automatic offer: no name that a person or a program can have.
AUTOMATIC = "(automatic offer)"
KINDS = ("permission", "prohibition", "obligation")
_CLAUSES = re.compile(r"<([a-z ]+)>")

Json = Mapping[str, Any]
# One thing that rules say, without its value: the kind of rule, its action, and an operand with its operator.
Form = tuple[str, str, str, str]


def taker(auto_templates: Sequence[str]) -> Callable[[Negotiation], bool]:
    """Make what tells of a negotiation of ours whether it takes an automatic offer, as it stands, without a person."""

    def takes(talk: Negotiation) -> bool:
        ours = talk.role == CONSUMER and talk.opened_by == AUTOMATIC and talk.offered_by == "us"
        return ours and is_of(auto_templates, talk.about, {kind: talk.offer.get(kind, []) for kind in KINDS})

    return takes


def is_of(names: Sequence[str], about: Json, rules: Json) -> bool:
    """Tell whether an offer is of one of these templates: it says so, and says nothing else than that one can say."""
    told = str(about.get("template", ""))
    if not {told, told.partition("/")[0]} & set(names):
        return False
    try:
        return _said(rules) <= set(_sayable(template_named(told)))
    except (Malformed, NotFound):  # rules that nobody here can read, or a version that is not known yet
        return False


def permits_use(rules: Json, purpose: str) -> bool:
    """Tell whether an offer permits use for a purpose, empty for none; what else it asks is not looked at."""
    for rule in read_rules(rules, policy_id="urn:offer").permissions:
        named = [each.right for each in leaves(rule.constraints) if each.left == "purpose"]
        if rule.action == "use" and all(purpose and any(is_a(purpose, one) for one in right) for right in named):
            return True
    return False


def _said(rules: Json) -> set[Form]:
    """Give the forms of rules as they are read."""
    found: set[Form] = set()
    for rule in read_rules(rules, policy_id="urn:offer").rules:
        found.add((rule.kind, rule.action, "", ""))
        found |= {(rule.kind, rule.action, each.left, each.operator) for each in leaves(rule.constraints)}
        found |= {(rule.kind, rule.action, "refined", each.left) for each in leaves(rule.refinements)}
        for duty in rule.duties:
            found.add((rule.action, duty.action, "", ""))
            found |= {(rule.action, duty.action, each.left, each.operator) for each in leaves(duty.constraints)}
    return found


def _sayable(template: Template) -> Iterator[Form]:
    """Give the forms that a template can have, with whatever values."""
    for kind in KINDS:
        for rule in _listed(template.rules.get(kind, []), template):
            action = _action(rule["action"])
            yield from _forms(kind, rule, template)
            for duty in _listed(rule.get("duty", []), template):
                yield from _forms(action, duty, template)


def _forms(kind: str, rule: Json, template: Template) -> Iterator[Form]:
    action = _action(rule["action"])
    yield kind, action, "", ""
    for each in _listed(rule.get("constraint", []), template):
        operand = operand_named(each["leftOperand"])
        yield kind, action, operand.name if operand else "", each["operator"]


def _action(text: str) -> str:
    found = action_named(text)
    return found.name if found else bare(text)


def _listed(said: object, template: Template) -> list[Json]:
    """Give a list of a template, or the clauses that its names stand for."""
    if isinstance(said, str):
        return [each for name in _CLAUSES.findall(said) for each in template.clauses[name]]
    return list(said) if isinstance(said, list | tuple) else []
