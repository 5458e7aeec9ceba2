"""Rules from JSON and back: the one door through which the clauses of cities and strangers enter.

Strict where a clause could change its meaning by being misread: an action, operand, operator, value or member that is
not of the profile refuses the whole policy and names the clause. Lenient in spelling only: bare, prefixed and whole
names, one value where a list may stand, JSON-LD's wrapped values. What is bounded is looked at no further than its
bound, so ten megabytes and a thousand levels cost as little as the first clause too many.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import rfc8785

from node.errors import Malformed, TooLarge
from node.federation.policy import terms, values
from node.federation.policy.members import plain_value, policy_members
from node.federation.policy.model import Atomic, Constraint, Duty, Logical, Policy, Rule

_LETTER = {terms.PERMISSION: "p", terms.PROHIBITION: "n", terms.OBLIGATION: "o"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# What a rule may call itself: another kind than that of the list it stands in would be two things in one.
_TYPES = {terms.PERMISSION: "Permission", terms.PROHIBITION: "Prohibition", terms.OBLIGATION: "Duty"}
_FIX = "Write it with the terms of the profile " + terms.PROFILE + "."


def read_rules(rules: Mapping[str, Any], *, policy_id: str) -> Policy:
    """Read the rules of an offer or agreement; members beside them that do not bear on rules are left alone.

    Ids that are missing are given by position under `policy_id` (`#p1-c2`).

    Raises:
        Malformed: A clause that is not of the profile; the message begins with its place.
        TooLarge: More rules, constraints, levels or text than the bounds of `terms`.
    """
    reader = _Reader(policy_id)
    read = reader.rules(rules)
    if all(rule.kind == terms.OBLIGATION for rule in read):
        raise Malformed("The policy has no permission and no prohibition.", fix="Give at least one of them.")
    return Policy(policy_id, read)


def write_rules(policy: Policy) -> dict[str, Any]:
    """Write the rules as our documents have them: spelt for the protocol's context, ids by position."""
    policy = rebased(policy, policy.id)
    written: dict[str, Any] = {}
    for rule in policy.rules:
        said: dict[str, Any] = {"@id": rule.id, "action": terms.ACTIONS[rule.action].spelling}
        if rule.constraints:
            said["constraint"] = [_constraint(one) for one in rule.constraints]
        if rule.duties:
            said["duty"] = [_duty(one) for one in rule.duties]
        written.setdefault(rule.kind, []).append(said)
    return written


def rebased(policy: Policy, new_id: str) -> Policy:
    """Give the same policy under another IRI: every id by position, permissions first, then prohibitions."""
    rules: list[Rule] = []
    for kind in terms.RULE_KINDS:
        for number, rule in enumerate((rule for rule in policy.rules if rule.kind == kind), 1):
            rules.append(_rebased_rule(rule, f"{new_id}#{_LETTER[kind]}{number}"))
    return Policy(new_id, tuple(rules), policy.profile)


def terms_digest(target: str, about: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    """Give the digest of what a person approves: target, what stands beside the rules, rules without their ids.

    Spelling and ids do not count, nor members of `about` that are empty.
    """
    said = write_rules(read_rules(rules, policy_id="urn:terms"))
    beside = {key: value for key, value in about.items() if value not in ("", None, False, [], ())}
    try:
        text = rfc8785.dumps({"target": target, "about": beside, "rules": _without_ids(said)})
    except rfc8785.CanonicalizationError as error:
        raise Malformed("What stands beside the rules is not JSON that can be signed.", fix=_FIX) from error
    return "sha256:" + hashlib.sha256(text).hexdigest()


def _without_ids(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _without_ids(one) for key, one in value.items() if key != "@id"}
    return [_without_ids(one) for one in value] if isinstance(value, list) else value


def _constraint(constraint: Constraint) -> dict[str, Any]:
    if isinstance(constraint, Logical):
        return {"@id": constraint.id, constraint.kind: [_constraint(one) for one in constraint.parts]}
    operator = terms.OPERATORS[constraint.operator]
    return {
        "@id": constraint.id,
        "leftOperand": terms.OPERANDS[constraint.left].spelling,
        "operator": operator.spelling,
        "rightOperand": list(constraint.right) if operator.many else constraint.right[0],
    }


def _duty(duty: Duty) -> dict[str, Any]:
    said: dict[str, Any] = {"@id": duty.id, "action": terms.ACTIONS[duty.action].spelling}
    if duty.constraints:
        said["constraint"] = [_constraint(one) for one in duty.constraints]
    return said


def _rebased_rule(rule: Rule, new_id: str) -> Rule:
    duties = tuple(
        Duty(f"{new_id}-d{number}", duty.action, _rebased_all(duty.constraints, f"{new_id}-d{number}-c"))
        for number, duty in enumerate(rule.duties, 1)
    )
    constraints = _rebased_all(rule.constraints, f"{new_id}-c")
    refinements = _rebased_all(rule.refinements, f"{new_id}-r")
    return Rule(new_id, rule.kind, rule.action, constraints, duties, refinements, rule.target, rule.assignee)


def _rebased_all(constraints: Sequence[Constraint], stem: str) -> tuple[Constraint, ...]:
    return tuple(_rebased(one, f"{stem}{number}") for number, one in enumerate(constraints, 1))


def _rebased(constraint: Constraint, new_id: str) -> Constraint:
    if isinstance(constraint, Logical):
        return Logical(new_id, constraint.kind, _rebased_all(constraint.parts, f"{new_id}-"))
    return Atomic(new_id, constraint.left, constraint.operator, constraint.right)


@dataclass(slots=True)
class _Reader:
    """One policy being read: the ids that were given, the text that was spent. A place is the fragment by position."""

    policy_id: str
    ids: set[str] = field(default_factory=set)
    spent: int = 0

    def rules(self, document: Mapping[str, Any]) -> tuple[Rule, ...]:
        if not isinstance(document, Mapping):
            raise Malformed("The policy: there must be a JSON object.", fix=_FIX)
        lists = policy_members(document)
        read: list[Rule] = []
        for kind in terms.RULE_KINDS:
            given = _listed(lists.get(kind), kind, most=terms.MAX_RULES - len(read), what="rules")
            read += (self._rule(one, kind, f"{_LETTER[kind]}{number}") for number, one in enumerate(given, 1))
        return tuple(read)

    def _rule(self, given: object, kind: str, place: str) -> Rule:
        members = self._closed(given, place, ("action", "constraint", "duty"))
        _check_type(members, kind, place)
        action = self._action(members, kind, place)
        if kind != terms.PERMISSION and not _empty(members.get("duty")):
            raise Malformed(f"{place}: only a permission has duties.", fix=_FIX)
        constraints = self._constraints(members, place, deadline=kind == terms.OBLIGATION)
        listed = _listed(members.get("duty"), place, most=terms.MAX_DUTIES, what="duties")
        duties = tuple(self._duty(one, f"{place}-d{number}") for number, one in enumerate(listed, 1))
        return Rule(self._id(members, place), kind, action.name, constraints, duties)

    def _duty(self, given: object, place: str) -> Duty:
        members = self._closed(given, place, ("action", "constraint"))
        action = self._action(members, terms.DUTY, place)
        return Duty(self._id(members, place), action.name, self._constraints(members, place, deadline=True))

    def _constraints(self, members: Mapping[str, Any], place: str, *, deadline: bool) -> tuple[Constraint, ...]:
        given = _listed(members.get("constraint"), place, most=terms.MAX_CONSTRAINTS, what="constraints")
        left = _Left(terms.MAX_CONSTRAINTS, deadline)
        return tuple(self._constraint(one, f"{place}-c{number}", 1, left) for number, one in enumerate(given, 1))

    def _constraint(self, given: object, place: str, level: int, left: "_Left") -> Constraint:
        if level > terms.MAX_DEPTH:
            raise TooLarge(
                f"{place}: constraints nest deeper than {terms.MAX_DEPTH} levels.", fix="Write them flatter."
            )
        left.take(place)
        members = self._members(given, place)
        joined = sorted(members.keys() & terms.LOGIC.keys())
        if not joined:
            return self._atomic(given, place, left)
        if len(joined) > 1 or not left.logical_allowed:
            raise Malformed(
                f"{place}: {' and '.join(joined)} cannot stand there.", fix="Use one, and none in a deadline."
            )
        members = self._closed(given, place, (joined[0],))
        parts = _listed(members[joined[0]], place, most=terms.MAX_CONSTRAINTS, what="constraints")
        if not parts:
            raise Malformed(f"{place}: {joined[0]} joins nothing.", fix="Give it at least one constraint.")
        read = tuple(self._constraint(one, f"{place}-{n}", level + 1, left) for n, one in enumerate(parts, 1))
        return Logical(self._id(members, place), joined[0], read)

    def _atomic(self, given: object, place: str, left: "_Left") -> Atomic:
        members = self._closed(given, place, ("leftOperand", "operator", "rightOperand"))
        name = self._text(members.get("leftOperand"), place, "leftOperand")
        operand = terms.operand_named(name)
        if operand is None or (left.deadline and not operand.deadline):
            known = (one.name for one in terms.OPERANDS.values() if one.deadline or not left.deadline)
            raise Malformed(f"{place}: the left operand {_shown(name)} is not known there.", fix=_one_of(known))
        said = self._text(members.get("operator"), place, "operator")
        operator = terms.operator_named(said)
        if operator is None or operator.name not in left.operators(operand):
            fix = _one_of(left.operators(operand))
            raise Malformed(f"{place}: {operand.name} cannot be compared by {_shown(said)}.", fix=fix)
        right = self._right(members.get("rightOperand"), operand, operator, place)
        return Atomic(self._id(members, place), operand.name, operator.name, right)

    def _right(self, given: object, operand: terms.Operand, operator: terms.Operator, place: str) -> tuple[str, ...]:
        listed = _listed(given, place, most=terms.MAX_RIGHT, what="right operands")
        if not listed or (len(listed) > 1 and not operator.many):
            many = "at least one" if operator.many else "exactly one"
            raise Malformed(f"{place}: {operator.name} takes {many} right operand.", fix=_FIX)
        right = tuple(self._text(one, place, "rightOperand") for one in listed)
        if len(set(right)) < len(right):
            raise Malformed(f"{place}: a right operand stands there twice.", fix="Name each value once.")
        for one in right:
            wrong = values.wrong(operand.values, one)
            if wrong:
                raise Malformed(f"{place}: {_shown(one)} is no value of {operand.name}.", fix=wrong)
        return right

    def _action(self, members: Mapping[str, Any], kind: str, place: str) -> terms.Action:
        name = self._text(members.get("action"), place, "action")
        action = terms.action_named(name)
        if action is None or kind not in action.kinds:
            known = (one.name for one in terms.ACTIONS.values() if kind in one.kinds)
            raise Malformed(f"{place}: the action {_shown(name)} is not known in a {kind}.", fix=_one_of(known))
        return action

    def _id(self, members: Mapping[str, Any], place: str) -> str:
        given = members.get("@id")
        made = f"{self.policy_id}#{place}" if given is None else self._text(given, place, "@id")
        if not made or len(made) > terms.MAX_ID + len("#") + len(place):
            raise Malformed(f"{place}: its id is empty or longer than {terms.MAX_ID} characters.", fix="Leave it out.")
        if made in self.ids:
            raise Malformed(f"{place}: its id {_shown(made)} is another's.", fix="Give every clause its own, or none.")
        self.ids.add(made)
        return made

    def _members(self, given: object, place: str) -> dict[str, Any]:
        """Give the members by their bare names, and refuse one that is said twice in two spellings."""
        if not isinstance(given, Mapping):
            raise Malformed(f"{place}: there must be a JSON object.", fix=_FIX)
        if len(given) > terms.MAX_RULES:
            raise TooLarge(f"{place}: it has more than {terms.MAX_RULES} members.", fix=_FIX)
        members: dict[str, Any] = {}
        for key, value in given.items():
            name = terms.named(str(key))
            if name in members:
                raise Malformed(f"{place}: {_shown(name)} is said twice.", fix="Say it once, in one spelling.")
            members[name] = value
        return members

    def _closed(self, given: object, place: str, known: Sequence[str]) -> dict[str, Any]:
        """Give the members of a clause. An unknown one is refused unless it is empty: it could narrow the rule."""
        members = self._members(given, place)
        for name, value in members.items():
            if name not in known and name not in ("@id", "@type") and (name.startswith("@") or not _empty(value)):
                raise Malformed(f"{place}: the member {_shown(name)} is not known there.", fix=_one_of(known))
        return members

    def _text(self, given: object, place: str, what: str) -> str:
        """Give a text, also one that JSON-LD wrapped; an object that says more, such as a refinement, is none."""
        if isinstance(given, Mapping):
            given = plain_value(given)
        if not isinstance(given, str) or not given or _CONTROL.search(given[: terms.MAX_TEXT + 1]):
            raise Malformed(f"{place}: {what} must be a text, without control characters.", fix='Write "10", not 10.')
        if len(given) > terms.MAX_TEXT:
            raise TooLarge(f"{place}: {what} is longer than {terms.MAX_TEXT} characters.", fix="Write it shorter.")
        self.spent += len(given)
        if self.spent > terms.MAX_BYTES:
            raise TooLarge(f"{place}: the policy is longer than {terms.MAX_BYTES // 1024} KiB.", fix="Split it.")
        return given


@dataclass(slots=True)
class _Left:
    """How many constraints a rule may still have, and whether they are a deadline."""

    constraints: int
    deadline: bool

    @property
    def logical_allowed(self) -> bool:
        """A deadline is a plain list: all of them, so that it is one moment."""
        return not self.deadline

    def take(self, place: str) -> None:
        self.constraints -= 1
        if self.constraints < 0:
            most = terms.MAX_CONSTRAINTS
            raise TooLarge(f"{place}: the rule has more than {most} constraints.", fix="Split the rule.")

    def operators(self, operand: terms.Operand) -> tuple[str, ...]:
        """A deadline is until when, never from when."""
        return tuple(one for one in operand.operators if not self.deadline or one in ("lt", "lteq"))


def _check_type(members: Mapping[str, Any], kind: str, place: str) -> None:
    """See that a rule does not call itself another kind of rule."""
    listed = _listed(members.get("@type"), place, most=terms.MAX_RULES, what="types")
    others = {*_TYPES.values()} - {_TYPES[kind]}
    if any(isinstance(one, str) and terms.named(one) in others for one in listed):
        raise Malformed(f"{place}: its type is not that of a {kind}.", fix="Leave the type out.")


def _listed(given: object, place: str, *, most: int, what: str) -> Sequence[Any]:
    if given is None:
        return ()
    listed = given if isinstance(given, list | tuple) else (given,)
    if len(listed) > most:
        raise TooLarge(f"{place}: there are more than {most} {what}.", fix="Split the policy.")
    return listed


def _empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _shown(text: str) -> str:
    return f'"{text if len(text) <= 80 else text[:77] + "..."}"'


def _one_of(names: Iterator[str] | Sequence[str]) -> str:
    return f"Known there: {', '.join(names)}."
