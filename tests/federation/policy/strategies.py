"""Everything that the profile allows, for hypothesis: rules of every kind with every action, constraint and duty.

Written from the tables of `terms` and not by hand, so a new term is tried by every law at once.
"""

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from node.federation.policy import places, purposes, terms, values
from node.federation.policy.model import Atomic, Constraint, Duty, Logical, Policy, Rule
from node.federation.policy.reading import rebased

TIMES = st.one_of(
    st.integers(0, 4_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
    st.dates(date(1001, 1, 2), date(9998, 1, 1)).map(lambda day: f"{day}T00:00:00Z"),
    st.sampled_from(
        ["2027-02-02T00:00Z", "2027-02-02T00:00:00.5Z", "2027-02-02T00:00:00+02:00", "2028-02-29T23:59:59Z"]
    ),
)
DURATIONS = st.one_of(
    st.tuples(st.sampled_from(["P{}D", "PT{}H", "PT{}M", "PT{}S", "P{}W", "P{}M", "P{}Y"]), st.integers(0, 9999)).map(
        lambda pair: pair[0].format(pair[1])
    ),
    st.sampled_from(["P1Y6M", "P1DT12H", "PT1H30M5S", "P01D", "P1Y2M3DT4H5M6S"]),
)
IRIS = st.one_of(
    st.sampled_from(["https://london.example", "urn:x:y", "_:EU", "https://a.example/x,y;z(1).html", "urn:a'or'b"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"], exclude_characters='<>"{}|\\^`'))
    .map("urn:x:{}".format)
    .filter(values.is_iri),
    st.from_regex(r"https://[a-z]{1,8}\.example/[a-zA-Z0-9/_.,;:()'!*~-]{0,20}", fullmatch=True),
)
VALUES = {
    "time": TIMES,
    "duration": DURATIONS,
    "number": st.integers(0, 10**11).map(str),
    "bytes": st.one_of(st.integers(0, 10**15), st.integers(0, 999).map(lambda many: many * 10**9)).map(str),
    "purpose": st.one_of(st.sampled_from(sorted(purposes.LABELS)), IRIS),
    "place": st.one_of(st.sampled_from(sorted(places.LABELS)), IRIS),
    "iri": IRIS,
    "channel": st.sampled_from(sorted(terms.CHANNEL_IRIS)),
}
PAIRS = [(operand, operator) for operand in terms.OPERANDS.values() for operator in operand.operators]
DEADLINES = [(operand, operator) for operand, operator in PAIRS if operand.deadline and operator in ("lt", "lteq")]


def _atomic(pair: tuple[terms.Operand, str]) -> st.SearchStrategy[Constraint]:
    operand, operator = pair
    most = 4 if terms.OPERATORS[operator].many else 1
    right = st.lists(VALUES[operand.values], min_size=1, max_size=most, unique=True)
    return right.map(lambda values: Atomic("", operand.name, operator, tuple(values)))


ATOMICS: st.SearchStrategy[Constraint] = st.sampled_from(PAIRS).flatmap(_atomic)


def _joined(parts: st.SearchStrategy[Constraint], most: int) -> st.SearchStrategy[Constraint]:
    several = st.lists(parts, min_size=1, max_size=most).map(tuple)
    return st.builds(Logical, st.just(""), st.sampled_from(sorted(terms.LOGIC)), several)


CONSTRAINTS = st.one_of(ATOMICS, ATOMICS, _joined(st.one_of(ATOMICS, _joined(ATOMICS, 2)), 3))
LISTS = st.lists(CONSTRAINTS, max_size=3).map(tuple)
DEADLINE_LISTS = st.lists(st.sampled_from(DEADLINES).flatmap(_atomic), max_size=3).map(tuple)


def actions(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from([action.name for action in terms.ACTIONS.values() if kind in action.kinds])


DUTIES = st.builds(Duty, st.just(""), actions(terms.DUTY), DEADLINE_LISTS)


@st.composite
def policies(draw, policy_id: str = "https://helsinki.example/agreements/1") -> Policy:
    """Draw a policy; neighbours that differ in their action alone come often, for sentences join them."""
    rules: list[Rule] = []
    for kind in (terms.PERMISSION, terms.PROHIBITION):
        for _ in range(draw(st.integers(0, 2))):
            constraints = draw(LISTS)
            duties = draw(st.lists(DUTIES, max_size=2).map(tuple)) if kind == terms.PERMISSION else ()
            names = draw(st.lists(actions(kind), min_size=1, max_size=3))
            rules += [Rule("", kind, name, constraints, duties) for name in names]
    owed = draw(st.lists(st.tuples(actions(terms.OBLIGATION), DEADLINE_LISTS), max_size=2))
    rules += [Rule("", terms.OBLIGATION, name, constraints) for name, constraints in owed]
    return rebased(Policy(policy_id, tuple(rules or [Rule("", terms.PERMISSION, "use")])), policy_id)
