"""An agreement made ready to decide in microseconds: what `evaluate` says, worked out once where it can be.

Rules are sorted by action, purposes become one look-up, moments become numbers, and every answer that does not depend
on the request is made beforehand. Only an agreement can be compiled: an offer, whatever it says, grants nothing. That
compiled and plain verdicts are the same is a property test against `evaluate`, and of both against a third evaluator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from node.errors import NotAgreed
from node.federation.policy import purposes, terms, values
from node.federation.policy.evaluate import (
    NEAREST,
    NO_CLAUSE,
    Decision,
    DutyState,
    Request,
    World,
    among,
    counted,
    covers,
    duty_state,
    each_of,
    failed,
    judge,
    why,
)
from node.federation.policy.model import Atomic, Constraint, Duty, Policy, Rule, leaves

AGREEMENT = "Agreement"
Check = Callable[[Request, World], bool | None]
Violated = Callable[[World], bool]


def compile_policy(policy: Policy, *, kind: str) -> "Compiled":
    """Compile the policy of an agreement.

    Args:
        policy: Its rules, under our profile.
        kind: The `@type` of the document that the policy was read from.

    Raises:
        NotAgreed: It is not an agreement. Offers, requests and sets are not decided by.
    """
    if kind != AGREEMENT:
        raise NotAgreed(f"A policy of kind {kind or 'none'} grants nothing.", fix="Only an agreement is decided by.")
    if policy.profile != terms.PROFILE:
        raise NotAgreed("A policy under another profile grants nothing.", fix=f"Agree under {terms.PROFILE}.")
    return Compiled(policy)


@dataclass(frozen=True, slots=True)
class _Test:
    """One constraint: its check, and the answers if it fails or is unknown; none for joined ones, which are judged."""

    check: Check
    constraint: Constraint | None
    no: Decision | None = None
    unknown: Decision | None = None


@dataclass(frozen=True, slots=True)
class _Ban:
    """A prohibition: it stands unless a check says False. `leaves` find what is unknown, in order of the text."""

    checks: tuple[Check, ...]
    leaves: tuple[tuple[Check, str], ...]
    rule: str
    stands: Decision


@dataclass(frozen=True, slots=True)
class _Grant:
    """A permission: it grants if every step says True and no duty is violated.

    A step is a check with the answer if it is the first that says False, where that is known beforehand.
    """

    steps: tuple[tuple[Check, Decision | None], ...]
    duties: tuple[Violated, ...]
    yes: Decision
    about: tuple[_Test, ...]
    tests: tuple[_Test, ...]
    rule: Rule


_Rows = tuple[tuple[_Ban, ...], tuple[_Grant, ...]]


class Compiled:
    """The decisions of one agreement. Immutable; safe to share by threads.

    `counts` names the rules, by id, whose use is limited in number: what `World.counts` must tell of.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy_id = policy.id
        counting = (rule for rule in policy.rules if any(one.left == "count" for one in leaves(rule.constraints)))
        self.counts = frozenset(rule.id for rule in counting)
        bans = {rule.id: _ban(rule) for rule in policy.prohibitions}
        actions = {*terms.ACTIONS, *(rule.action for rule in policy.rules)}
        self._rows: Mapping[str, _Rows] = {action: _rows(policy, action, bans) for action in actions}
        self._others = _rows(policy, "", bans)

    def decide(self, request: Request, world: World) -> Decision:
        """Decide as `evaluate` does. Writes nothing and counts nothing: see `Decision.counts`."""
        bans, grants = self._rows.get(request.action, self._others)
        for ban in bans:
            standing = _standing(ban, request, world)
            if standing is not None:
                return standing
        nearest = NO_CLAUSE
        for grant in grants:
            answer = _answer(grant, request, world)
            if answer is None:
                continue
            if answer.allowed:
                return answer
            if nearest is NO_CLAUSE or _RANK[answer.code] < _RANK[nearest.code]:
                nearest = answer
        return nearest


def _standing(ban: _Ban, request: Request, world: World) -> Decision | None:
    """Give the no of a prohibition, unless one of its checks says False."""
    known = True
    for check in ban.checks:
        found = check(request, world)
        if found is False:
            return None
        if found is None:
            known = False
    return ban.stands if known else _unknown(ban, request, world)


def _unknown(ban: _Ban, request: Request, world: World) -> Decision:
    operand = next((name for check, name in ban.leaves if check(request, world) is None), ban.stands.operand)
    return Decision(allowed=False, code="prohibited", clause=ban.rule, operand=operand)


def _answer(grant: _Grant, request: Request, world: World) -> Decision | None:
    """Give the answer of one permission: yes, no and why, or None if it is not about the request."""
    for check, no in grant.steps:
        found = check(request, world)
        if found is not True:
            return no if found is False and no is not None else _failure(grant, request, world)
    if grant.duties and any(violated(world) for violated in grant.duties):
        return _failure(grant, request, world)
    return grant.yes


def _failure(grant: _Grant, request: Request, world: World) -> Decision | None:
    """Say why a permission does not grant; None if it is not about the request."""
    unknown: _Test | None = None
    for test in grant.about:
        verdict = test.check(request, world)
        if verdict is False:
            return None
        unknown = unknown or (test if verdict is None else None)
    if unknown is None:
        for test in grant.tests:
            verdict = test.check(request, world)
            if verdict is False:
                return test.no or _joined(test, grant.rule, request, world)
            if verdict is None and unknown is None:
                unknown = test
    if unknown is not None:
        return unknown.unknown or _joined(unknown, grant.rule, request, world)
    late = (duty for duty in grant.rule.duties if duty_state(duty, world) == DutyState.VIOLATED)
    return Decision(allowed=False, code="duty-violated", clause=grant.rule.id, operand=next(late).action)


def _joined(test: _Test, rule: Rule, request: Request, world: World) -> Decision:
    if test.constraint is None:
        return NO_CLAUSE
    code, operand = why(judge(test.constraint, request, world, rule.id))
    return Decision(allowed=False, code=code, clause=rule.id, operand=operand)


_RANK = {code: rank for rank, code in enumerate(NEAREST)}


# ---------------------------------------------------------------- compiling


def _rows(policy: Policy, action: str, bans: Mapping[str, _Ban]) -> _Rows:
    """Gather the rules that speak of an action."""
    return (
        tuple(bans[rule.id] for rule in policy.prohibitions if covers(policy, rule, action)),
        tuple(
            _grant(rule, counted(policy, rule, action)) for rule in policy.permissions if covers(policy, rule, action)
        ),
    )


def _ban(rule: Rule) -> _Ban:
    written = (*rule.refinements, *rule.constraints)
    found = tuple((_check(leaf, rule.id), leaf.left) for leaf in leaves(written))
    checks = (*(test.check for test in _premises(rule)), *(_check(one, rule.id) for one in written))
    stands = Decision(allowed=False, code="prohibited", clause=rule.id, operand=found[0][1] if found else "")
    return _Ban(checks, found, rule.id, stands)


def _grant(rule: Rule, counts: tuple[str, ...]) -> _Grant:
    about = (*_premises(rule), *(_test(one, rule) for one in rule.refinements))
    tests = tuple(_test(one, rule) for one in rule.constraints)
    return _Grant(
        (*((test.check, None) for test in about), *((test.check, test.no) for test in tests)),
        tuple(_violated(duty) for duty in rule.duties),
        Decision(allowed=True, clause=rule.id, counts=counts),
        about,
        tests,
        rule,
    )


def _premises(rule: Rule) -> tuple[_Test, ...]:
    """Compile target and party, where the rule names its own."""
    found = []
    for name, written in (("target", rule.target), ("party", rule.assignee)):
        if written:
            unknown = Decision(allowed=False, code="unknown", clause=rule.id, operand=name)
            found.append(_Test(_premise(name, written), None, None, unknown))
    return tuple(found)


def _premise(name: str, written: str) -> Check:
    def check(request: Request, world: World) -> bool | None:
        asked = request.target if name == "target" else request.party
        return (asked == written or written in world.members.get(asked, ())) if asked else None

    return check


def _test(constraint: Constraint, rule: Rule) -> _Test:
    check = _check(constraint, rule.id)
    if not isinstance(constraint, Atomic):
        return _Test(check, constraint)
    no = Decision(allowed=False, code=failed(constraint), clause=rule.id, operand=constraint.left)
    unknown = Decision(allowed=False, code="unknown", clause=rule.id, operand=constraint.left)
    return _Test(check, constraint, no, unknown)


def _violated(duty: Duty) -> Violated:
    """Compile a duty; while it is not done, its deadline is compared with now."""
    checks = [_check(one, duty.id) for one in duty.constraints]

    def violated(world: World) -> bool:
        if duty.id in world.violated:
            return True
        if duty.id in world.performed:
            return duty_state(duty, world) == DutyState.VIOLATED
        return any(check(_NOBODY, world) is not True for check in checks)

    return violated


_NOBODY = Request("")


def _check(constraint: Constraint, rule_id: str) -> Check:
    """Compile a constraint; what has no quick form is judged as `evaluate` does."""
    if not isinstance(constraint, Atomic):
        return _JOINED[constraint.kind](tuple(_check(part, rule_id) for part in constraint.parts))
    quick = _QUICK.get(constraint.left)
    made = quick(constraint, rule_id) if quick is not None else None
    return made or (lambda request, world: judge(constraint, request, world, rule_id).verdict)


def _purpose(constraint: Atomic, _rule_id: str) -> Check:
    """Work out every known claim beforehand; one that is not known is unknown."""
    operator, right = constraint.operator, constraint.right
    verdicts = {claim: among(operator, right, each_of("purpose", operator, claim)) for claim in purposes.PURPOSES}
    find = verdicts.get
    return lambda request, _: find(request.purpose)


def _spatial(constraint: Atomic, _rule_id: str) -> Check:
    operator, right = constraint.operator, constraint.right

    @lru_cache(maxsize=64)
    def verdict(claim: str) -> bool | None:
        return among(operator, right, each_of("spatial", operator, claim)) if claim else None

    return lambda request, _: verdict(request.spatial)


def _recipient(constraint: Atomic, _rule_id: str) -> Check | None:
    named = _named(constraint)
    return None if named is None else lambda request, _: request.recipient in named if request.recipient else None


def _channel(constraint: Atomic, _rule_id: str) -> Check | None:
    named = _named(constraint)
    return None if named is None else lambda request, _: request.channel in named if request.channel else None


def _named(constraint: Atomic) -> frozenset[str] | None:
    if constraint.operator == "isAnyOf":
        return frozenset(constraint.right)
    return frozenset(constraint.right[:1]) if constraint.operator == "eq" else None


def _moment(constraint: Atomic, _rule_id: str) -> Check | None:
    limit, operator = values.time_ms(constraint.right[0]), constraint.operator
    if limit is None or operator not in ("lt", "lteq", "gt", "gteq"):
        return None
    # Whole milliseconds: "at most" is "before the next one".
    edge = limit + (operator in ("lteq", "gt"))
    if operator in ("lt", "lteq"):
        return lambda _, world: world.now_ms < edge if world.now_ms is not None else None
    return lambda _, world: world.now_ms >= edge if world.now_ms is not None else None


def _elapsed(constraint: Atomic, _rule_id: str) -> Check | None:
    length, operator = values.duration(constraint.right[0]), constraint.operator
    if length is None or length.months or operator not in ("lt", "lteq"):
        return None
    ms = length.ms + (operator == "lteq")

    def check(_: Request, world: World) -> bool | None:
        if world.now_ms is None or world.agreed_at_ms is None:
            return None
        return world.now_ms < world.agreed_at_ms + ms

    return check


def _count(constraint: Atomic, rule_id: str) -> Check | None:
    limit, operator = values.number(constraint.right[0]), constraint.operator
    if limit is None or operator not in ("lt", "lteq"):
        return None
    most = limit - (operator == "lt")
    return lambda _, world: world.counts.get(rule_id, 0) < most if world.counts is not None else None


def _volume(constraint: Atomic, rule_id: str) -> Check | None:
    limit = values.bytes_in(constraint.right[0])
    if limit is None or constraint.operator != "lteq":
        return None
    return lambda _, world: world.volumes.get(rule_id, 0) < limit if world.volumes is not None else None


_QUICK: Mapping[str, Callable[[Atomic, str], Check | None]] = {
    "purpose": _purpose,
    "spatial": _spatial,
    "recipient": _recipient,
    "deliveryChannel": _channel,
    "dateTime": _moment,
    "elapsedTime": _elapsed,
    "count": _count,
    "volume": _volume,
}


def _and(parts: tuple[Check, ...]) -> Check:
    def check(request: Request, world: World) -> bool | None:
        verdict: bool | None = True
        for part in parts:
            found = part(request, world)
            if found is False:
                return False
            verdict = verdict if found else None
        return verdict

    return check


def _or(parts: tuple[Check, ...]) -> Check:
    def check(request: Request, world: World) -> bool | None:
        verdict: bool | None = False
        for part in parts:
            found = part(request, world)
            if found is True:
                return True
            verdict = None if found is None else verdict
        return verdict

    return check


def _xone(parts: tuple[Check, ...]) -> Check:
    def check(request: Request, world: World) -> bool | None:
        found = [part(request, world) for part in parts]
        held = found.count(True)
        if held > 1:
            return False
        return None if None in found else held == 1

    return check


_JOINED: Mapping[str, Callable[[tuple[Check, ...]], Check]] = {"and": _and, "or": _or, "xone": _xone}
