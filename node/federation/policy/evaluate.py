"""What a policy says about a request, clause by clause: three-valued, fail closed, prohibitions win.

*Satisfied*, *unsatisfied* or *unknown*: what a caller did not say, or nobody here can tell, is unknown. A permission
needs all of its constraints satisfied; a prohibition stands unless one of its constraints is unsatisfied. A permission
with a violated duty is inactive; a duty not yet done leaves it active until the deadline. This is the slow, plain form,
for reports, explanations and simulations; `compiled` answers the doors with the same verdicts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from node.federation.policy import places, purposes, terms, values
from node.federation.policy.model import Atomic, Constraint, Duty, Policy, Rule, leaves


class Truth(StrEnum):
    """The three verdicts on a constraint."""

    SATISFIED = "satisfied"
    UNSATISFIED = "unsatisfied"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, verdict: bool | None) -> "Truth":  # noqa: FBT001 - the verdict is what is named
        """Name a verdict that is True, False or None."""
        if verdict is None:
            return cls.UNKNOWN
        return cls.SATISFIED if verdict else cls.UNSATISFIED


class DutyState(StrEnum):
    """Where a duty stands."""

    NOT_SET = "not-set"
    FULFILLED = "fulfilled"
    VIOLATED = "violated"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. Empty means that it was not said, which is unknown and never a wildcard.

    Args:
        action: The bare name of an action of the profile.
        purpose: The IRI of a purpose, as bound into the caller's token.
        recipient: The IRI of whom it is for.
        spatial: The IRI of the place where it is used.
        channel: The IRI of the way in which it is handed out (`terms.CHANNELS`).
        target: The asset, for rules that name their own.
        party: Who asks, for rules that name their own.
        properties: What the catalogue says of the asset, for refinements, by property.
    """

    action: str
    purpose: str = ""
    recipient: str = ""
    spatial: str = ""
    channel: str = ""
    target: str = ""
    party: str = ""
    properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """What is the case. None means that it is not known.

    Args:
        now_ms: The moment of the decision.
        agreed_at_ms: When the agreement was made: the start of every elapsed time.
        counts: How often each rule, by id, was used before; a rule without an entry never was.
        volumes: How many bytes were delivered under each rule, by id; none under a rule without an entry.
        performed: When each duty, by id, was done.
        violated: Duties that somebody found violated, whatever their deadlines say.
        members: The collections that a target or party is part of.
    """

    now_ms: int | None
    agreed_at_ms: int | None = None
    counts: Mapping[str, int] | None = field(default_factory=dict)
    performed: Mapping[str, int] = field(default_factory=dict)
    violated: frozenset[str] = frozenset()
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    volumes: Mapping[str, int] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and which clause says so.

    `code` is empty for a yes, else no-clause, prohibited, not-satisfied, unknown, duty-violated, ended or not-yet.
    `clause` is the rule's IRI; `operand` what failed, the duty's action for a duty. `counts` names the rules whose use
    must be counted if this yes is acted upon.
    """

    allowed: bool
    code: str = ""
    clause: str = ""
    operand: str = ""
    counts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A constraint with its verdict; `found` is what was compared with its right operand, as a text."""

    constraint: Constraint
    verdict: bool | None
    found: str = ""
    parts: tuple["Judged", ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule has to do with a request.

    `premises` are the verdicts on action, target and party, those that the rule names; with the refinements they make
    `applies`. `active`: a permission grants, a prohibition stands, an obligation (its own only duty here) is not yet
    fulfilled.
    """

    rule: Rule
    premises: Mapping[str, bool | None]
    refinements: tuple[Judged, ...]
    constraints: tuple[Judged, ...]
    duties: tuple[tuple[Duty, DutyState], ...]
    applies: bool | None
    active: bool


NO_CLAUSE = Decision(allowed=False, code="no-clause")
# Of several permissions that fail, the one that came nearest explains the no.
NEAREST = ("duty-violated", "unknown", "not-yet", "ended", "not-satisfied")
_TIMED = ("dateTime", "elapsedTime")
_OVER = {"lt": "ended", "lteq": "ended", "gt": "not-yet", "gteq": "not-yet"}


def evaluate(policy: Policy, request: Request, world: World) -> Decision:
    """Decide. The first active prohibition wins, then the first active permission; else the nearest failure is why."""
    findings = assess(policy, request, world)
    for finding in findings:
        if finding.rule.kind == terms.PROHIBITION and finding.active:
            return Decision(allowed=False, code="prohibited", clause=finding.rule.id, operand=_reason(finding))
    permissions = [one for one in findings if one.rule.kind == terms.PERMISSION and one.applies is not False]
    for finding in permissions:
        if finding.active:
            return Decision(allowed=True, clause=finding.rule.id, counts=counted(policy, finding.rule, request.action))
    failures = [_failure(finding) for finding in permissions]
    return min(failures, key=lambda one: NEAREST.index(one.code), default=NO_CLAUSE)


def assess(policy: Policy, request: Request, world: World) -> list[Finding]:
    """Judge every rule, in order, also those that are not about the request."""
    return [_finding(policy, rule, request, world) for rule in policy.rules]


def counted(policy: Policy, grant: Rule, action: str) -> tuple[str, ...]:
    """Name the rules that a use counts against: the one that grants it and prohibitions of it, where they count."""
    about = (rule for rule in policy.prohibitions if covers(policy, rule, action))
    return tuple(rule.id for rule in (grant, *about) if any(one.left == "count" for one in leaves(rule.constraints)))


def covers(policy: Policy, rule: Rule, action: str) -> bool:
    """Tell whether a rule speaks of an action. Without our profile permissions reach down as well, as in core ODRL."""
    if not rule.action:
        return True
    kind = rule.kind if policy.profile == terms.PROFILE else terms.PROHIBITION
    return terms.covers(kind, rule.action, action)


def duty_state(duty: Duty, world: World) -> DutyState:
    """Tell where a duty stands. Done in time: fulfilled; late or found violated: violated, and stays so."""
    if duty.id in world.violated:
        return DutyState.VIOLATED
    done = world.performed.get(duty.id)
    moment = world if done is None else replace(world, now_ms=done)
    verdict = _all(judge(one, Request(""), moment, duty.id).verdict for one in duty.constraints)
    if verdict is not True:
        return DutyState.VIOLATED
    return DutyState.NOT_SET if done is None else DutyState.FULFILLED


def judge(constraint: Constraint, request: Request, world: World, rule_id: str) -> Judged:
    """Give the verdict on one constraint and on its parts; `rule_id` says whose count it is."""
    if isinstance(constraint, Atomic):
        return _atomic(constraint, request, world, rule_id)
    parts = tuple(judge(part, request, world, rule_id) for part in constraint.parts)
    return Judged(constraint, _JOIN[constraint.kind](one.verdict for one in parts), "", parts)


# ---------------------------------------------------------------- rules


def _finding(policy: Policy, rule: Rule, request: Request, world: World) -> Finding:
    premises: dict[str, bool | None] = {"action": covers(policy, rule, request.action)} if rule.action else {}
    if rule.target:
        premises["target"] = _is(rule.target, request.target, world)
    if rule.assignee:
        premises["party"] = _is(rule.assignee, request.party, world)
    refinements = tuple(judge(one, request, world, rule.id) for one in rule.refinements)
    constraints = tuple(judge(one, request, world, rule.id) for one in rule.constraints)
    owed = (Duty(rule.id, rule.action, rule.constraints),) if rule.kind == terms.OBLIGATION else rule.duties
    duties = tuple((duty, duty_state(duty, world)) for duty in owed)
    applies = _all([*premises.values(), *(one.verdict for one in refinements)])
    holds = _all(one.verdict for one in constraints)
    if rule.kind == terms.PERMISSION:
        active = applies is True and holds is True and all(state != DutyState.VIOLATED for _, state in duties)
    elif rule.kind == terms.PROHIBITION:
        active = applies is not False and holds is not False
    else:
        active = any(state != DutyState.FULFILLED for _, state in duties)
    return Finding(rule, premises, refinements, constraints, duties, applies, active)


def _is(written: str, asked: str, world: World) -> bool | None:
    """Tell whether target or party is the one that is written, or part of that collection."""
    return (written == asked or written in world.members.get(asked, ())) if asked else None


def _failure(finding: Finding) -> Decision:
    """Say why a permission that may speak of the request does not grant it."""
    code, operand = "duty-violated", ""
    open_premise = next((name for name, verdict in finding.premises.items() if verdict is None), "")
    failing = next(_failing(finding), None)
    if open_premise:
        code, operand = "unknown", open_premise
    elif failing is not None:
        code, operand = why(failing)
    else:
        operand = next(duty.action for duty, state in finding.duties if state == DutyState.VIOLATED)
    return Decision(allowed=False, code=code, clause=finding.rule.id, operand=operand)


def _failing(finding: Finding) -> Iterator[Judged]:
    """Walk what keeps a permission from granting, the plainest reason first."""
    yield from (one for one in finding.refinements if one.verdict is None)
    yield from (one for one in finding.constraints if one.verdict is False)
    yield from (one for one in finding.constraints if one.verdict is None)


def why(judged: Judged) -> tuple[str, str]:
    """Give code and operand of a judged constraint that is not satisfied."""
    constraint = judged.constraint
    if isinstance(constraint, Atomic):
        return ("unknown" if judged.verdict is None else failed(constraint)), constraint.left
    same = [part for part in judged.parts if part.verdict is judged.verdict]
    if not same:  # xone, and more than one of them holds
        return "not-satisfied", next(leaves((constraint,))).left
    reasons = [why(part) for part in same]
    if constraint.kind == "and" or len({code for code, _ in reasons}) == 1:
        return reasons[0]
    return "not-satisfied", reasons[0][1]


def failed(constraint: Atomic) -> str:
    """Give the code of a comparison that does not hold."""
    return _OVER.get(constraint.operator, "not-satisfied") if constraint.left in _TIMED else "not-satisfied"


def _reason(finding: Finding) -> str:
    """Name the operand by which a prohibition stands: what leaves it open, else the first that was compared."""
    compared = [*_compared((*finding.refinements, *finding.constraints))]
    sure = finding.applies is True and all(one.verdict is True for one in finding.constraints)
    unknown = [one for one in compared if one.verdict is None and not sure]
    found = next(iter((*unknown, *compared)), None)
    return found.constraint.left if found is not None and isinstance(found.constraint, Atomic) else ""


def _compared(judged: Iterable[Judged]) -> Iterator[Judged]:
    for one in judged:
        if one.parts:
            yield from _compared(one.parts)
        else:
            yield one


# ---------------------------------------------------------------- comparisons

Each = Callable[[str], bool | None]


def _atomic(constraint: Atomic, request: Request, world: World, rule_id: str) -> Judged:
    left, operator, right = constraint.left, constraint.operator, constraint.right
    if left in _ORDERED:
        found, verdict = _ORDERED[left](operator, right, world, rule_id)
    elif left in terms.OPERANDS:
        found = getattr(request, _CLAIMS[left])
        verdict = among(operator, right, each_of(left, operator, found)) if found else None
    else:
        held = request.properties.get(left)
        found = ", ".join(held or ())
        verdict = None if held is None else among(operator, right, held.__contains__)
    return Judged(constraint, verdict, found)


def each_of(left: str, operator: str, claim: str) -> Each:
    """Give the comparison of a claim with one right operand."""
    exact = operator in ("eq", "neq")
    if left == "purpose":
        return (lambda one: _same_purpose(claim, one)) if exact else (lambda one: purposes.is_a(claim, one))
    if left == "spatial":
        return (lambda one: places.same(claim, one)) if exact else (lambda one: places.part_of(claim, one))
    return (lambda _: None) if operator in ("isA", "isPartOf") else claim.__eq__


def _same_purpose(claim: str, other: str) -> bool | None:
    return claim == other if purposes.is_known(claim) and purposes.is_known(other) else None


def among(operator: str, right: tuple[str, ...], each: Each) -> bool | None:
    """Compare with one or with any of the right operands."""
    if operator in ("eq", "isA", "isPartOf"):
        return each(right[0])
    if operator == "neq":
        return _not(each(right[0]))
    if operator == "isAnyOf":
        return _any(each(one) for one in right)
    return _not(_any(each(one) for one in right)) if operator == "isNoneOf" else None


def _moment(operator: str, right: tuple[str, ...], world: World, _rule_id: str) -> tuple[str, bool | None]:
    limit = values.time_ms(right[0])
    return ("" if world.now_ms is None else values.time_text(world.now_ms)), _compare(operator, world.now_ms, limit)


def _elapsed(operator: str, right: tuple[str, ...], world: World, _rule_id: str) -> tuple[str, bool | None]:
    length = values.duration(right[0])
    if length is None or world.agreed_at_ms is None or world.now_ms is None:
        return "", None
    since_s = (world.now_ms - world.agreed_at_ms) // 1000
    return f"PT{max(since_s, 0)}S", _compare(operator, world.now_ms, length.after(world.agreed_at_ms))


def _count(operator: str, right: tuple[str, ...], world: World, rule_id: str) -> tuple[str, bool | None]:
    """Compare the count as it will be: the use that is asked for is counted in."""
    if world.counts is None:
        return "", None
    use = world.counts.get(rule_id, 0) + 1
    return str(use), _compare(operator, use, values.number(right[0]))


def _volume(operator: str, right: tuple[str, ...], world: World, rule_id: str) -> tuple[str, bool | None]:
    """Compare the bytes as they will be at least: whoever asks is given one more."""
    if world.volumes is None:
        return "", None
    more = world.volumes.get(rule_id, 0) + 1
    return str(more), _compare(operator, more, values.bytes_in(right[0]))


def _compare(operator: str, left: int | None, right: int | None) -> bool | None:
    if left is None or right is None or operator not in _COMPARE:
        return None
    return _COMPARE[operator](left, right)


_CLAIMS = {"purpose": "purpose", "spatial": "spatial", "recipient": "recipient", "deliveryChannel": "channel"}
_ORDERED: Mapping[str, Callable[[str, tuple[str, ...], World, str], tuple[str, bool | None]]] = {
    "dateTime": _moment,
    "elapsedTime": _elapsed,
    "count": _count,
    "volume": _volume,
}
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "eq": int.__eq__,
    "neq": int.__ne__,
    "lt": int.__lt__,
    "lteq": int.__le__,
    "gt": int.__gt__,
    "gteq": int.__ge__,
}


# ---------------------------------------------------------------- three-valued logic


def _not(verdict: bool | None) -> bool | None:  # noqa: FBT001 - a verdict
    return None if verdict is None else not verdict


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    seen = set(verdicts)
    return False if False in seen else (None if None in seen else True)


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    seen = set(verdicts)
    return True if True in seen else (None if None in seen else False)


def _one(verdicts: Iterable[bool | None]) -> bool | None:
    seen = list(verdicts)
    if seen.count(True) > 1:
        return False
    return None if None in seen else True in seen


_JOIN: Mapping[str, Callable[[Iterable[bool | None]], bool | None]] = {"and": _all, "or": _any, "xone": _one}
