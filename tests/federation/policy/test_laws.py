"""Laws of deciding: plain, compiled and naive evaluators agree; more knowledge never takes a yes back wrongly.

Values come from narrow pools, so that claims and clauses meet: random IRIs would only ever be unknown to each other.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.federation.policy import (
    Atomic,
    Constraint,
    Duty,
    Logical,
    Policy,
    Request,
    Rule,
    World,
    compile_policy,
    evaluate,
    read_rules,
    rebased,
    terms,
    values,
    write_rules,
)
from tests.federation.policy import naive

IRI = "https://helsinki.example/agreements/1"
AGREED = values.time_ms("2027-01-31T12:00:00Z") or 0
DPV, EU = terms.DPV, "http://publications.europa.eu/resource/authority"
PURPOSES = [
    DPV + name
    for name in (
        "Purpose",
        "ResearchAndDevelopment",
        "AcademicResearch",
        "CommercialResearch",
        "CommercialPurpose",
        "Marketing",
        "TargetedAdvertising",
        "NoSuchPurpose",
    )
]
PLACES = [
    f"{EU}/country/FIN",
    f"{EU}/country/SWE",
    f"{EU}/country/NOR",
    f"{EU}/country/GBR",
    f"{EU}/country/XXX",
    f"{EU}/place/FIN_HEL",
    f"{EU}/place/FIN_ESP",
    "http://data.europa.eu/nuts/code/FI",
    "http://data.europa.eu/nuts/code/FI1B",
    "http://data.europa.eu/nuts/code/FI1B1",
    "http://data.europa.eu/nuts/code/FI1C",
    "https://w3id.org/dpv/loc#EU",
    "https://w3id.org/dpv/loc#EEA",
    "https://w3id.org/dpv/loc#FI",
    "https://w3id.org/dpv/loc#FI-18",
    "https://w3id.org/dpv/loc#FI-19",
    "https://sws.geonames.org/658225/",
    "_:EU",
]
CITIES = ["https://helsinki.example", "https://london.example"]
CHANNELS = sorted(terms.CHANNEL_IRIS)[:3]
TIMES = ["2027-02-01T12:00:00Z", "2027-02-28T12:00:00Z", "2027-02-28T14:00:00.001+02:00", "2027-03-01T00:00Z"]
LENGTHS = ["PT0S", "P1D", "PT24H", "P1M", "P4W", "P1Y", "P1M1DT1H", "P2M"]
VALUES = {
    "purpose": PURPOSES,
    "time": TIMES,
    "place": PLACES,
    "iri": CITIES,
    "number": ["0", "1", "2", "3"],
    "bytes": ["0", "1", "2", "1000"],
    "duration": LENGTHS,
    "channel": CHANNELS,
}
ACTIONS = ["use", "read"]
MOMENTS = [value + step for text in TIMES for value in [values.time_ms(text) or 0] for step in (-1, 0, 1)]


def atomics(*, deadline: bool = False) -> st.SearchStrategy[Constraint]:
    pairs = [
        (operand, operator)
        for operand in terms.OPERANDS.values()
        for operator in operand.operators
        if not deadline or (operand.deadline and operator in ("lt", "lteq"))
    ]

    def made(pair: tuple[terms.Operand, str]) -> st.SearchStrategy[Constraint]:
        operand, operator = pair
        most = 3 if terms.OPERATORS[operator].many else 1
        right = st.lists(st.sampled_from(VALUES[operand.values]), min_size=1, max_size=most, unique=True)
        return right.map(lambda listed: Atomic("", operand.name, operator, tuple(listed)))

    return st.sampled_from(pairs).flatmap(made)


def joined(parts: st.SearchStrategy[Constraint]) -> st.SearchStrategy[Constraint]:
    return st.builds(
        Logical, st.just(""), st.sampled_from(sorted(terms.LOGIC)), st.lists(parts, min_size=1, max_size=3).map(tuple)
    )


CONSTRAINTS = st.one_of(atomics(), atomics(), joined(st.one_of(atomics(), joined(atomics()))))
LISTS = st.lists(CONSTRAINTS, max_size=3).map(tuple)
DUTIES = st.builds(
    Duty, st.just(""), st.sampled_from(["delete", "inform"]), st.lists(atomics(deadline=True), max_size=2).map(tuple)
)
PERMISSIONS = st.builds(
    Rule,
    st.just(""),
    st.just(terms.PERMISSION),
    st.sampled_from(ACTIONS),
    LISTS,
    st.lists(DUTIES, max_size=2).map(tuple),
)
PROHIBITIONS = st.builds(
    Rule, st.just(""), st.just(terms.PROHIBITION), st.sampled_from([*ACTIONS, "reidentify", "sell"]), LISTS
)
POLICIES = st.tuples(st.lists(PERMISSIONS, min_size=1, max_size=3), st.lists(PROHIBITIONS, max_size=2)).map(
    lambda rules: rebased(Policy(IRI, (*rules[0], *rules[1])), IRI)
)


def claims(pool: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *pool])


REQUESTS = st.builds(
    Request,
    st.sampled_from([*ACTIONS, *ACTIONS, "reidentify", "sell"]),
    claims(PURPOSES),
    claims(CITIES),
    claims(PLACES),
    claims(CHANNELS),
)
IDS = [f"{IRI}#{kind}{number}" for kind in "pn" for number in (1, 2, 3)]
OWED = [f"{IRI}#p{rule}-d{duty}" for rule in (1, 2, 3) for duty in (1, 2)]
WORLDS = st.builds(
    World,
    st.one_of(st.none(), st.sampled_from(MOMENTS)),
    st.one_of(st.none(), st.just(AGREED)),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(IDS), st.integers(0, 3))),
    st.dictionaries(st.sampled_from(OWED), st.sampled_from(MOMENTS), max_size=2),
    st.frozensets(st.sampled_from(OWED), max_size=1),
    volumes=st.one_of(st.none(), st.dictionaries(st.sampled_from(IDS), st.integers(0, 3))),
)


@settings(max_examples=15)
@given(POLICIES, REQUESTS, WORLDS)
def test_three_evaluators_say_the_same(policy: Policy, request: Request, world: World) -> None:
    agree(policy, request, world)


@pytest.mark.slow
@settings(max_examples=600)
@given(POLICIES, REQUESTS, WORLDS)
def test_three_evaluators_say_the_same_for_long(policy: Policy, request: Request, world: World) -> None:
    agree(policy, request, world)


def agree(policy: Policy, request: Request, world: World) -> None:
    plain = evaluate(policy, request, world)
    assert compile_policy(policy, kind="Agreement").decide(request, world) == plain
    allowed, code, clause = naive.decide(
        write_rules(policy),
        {
            "action": request.action,
            "purpose": request.purpose,
            "recipient": request.recipient,
            "spatial": request.spatial,
            "deliveryChannel": request.channel,
        },
        {
            "now": naive.at(world.now_ms),
            "agreed": naive.at(world.agreed_at_ms),
            "counts": world.counts,
            "volumes": world.volumes,
            "performed": {duty: naive.at(done) for duty, done in world.performed.items()},
            "violated": world.violated,
        },
    )
    assert plain.allowed is allowed
    if code != "failed":
        assert (plain.code, plain.clause) == (code, clause)
    else:
        assert plain.code in ("not-satisfied", "unknown", "duty-violated", "ended", "not-yet")


PROPERTY = "http://www.w3.org/ns/dcat#theme"
REFINEMENTS = st.lists(
    st.one_of(
        st.builds(
            Atomic,
            st.just("r"),
            st.just(PROPERTY),
            st.sampled_from(["eq", "neq", "isAnyOf", "isNoneOf", "lt"]),
            st.sampled_from([("a",), ("b",), ("a", "b")]),
        ),
        atomics(),
    ),
    max_size=2,
).map(tuple)


@pytest.mark.slow
@settings(max_examples=100)
@given(
    POLICIES,
    REQUESTS,
    WORLDS,
    REFINEMENTS,
    st.sampled_from(["", "urn:x", "urn:all"]),
    st.sampled_from(["", "urn:x", "urn:y"]),
    st.sampled_from([{}, {PROPERTY: ("a",)}, {PROPERTY: ("a", "b")}]),
    st.sampled_from(["eq", "neq", "isA", "gt", "isPartOf", "isNoneOf", "isAllOf"]),
)
def test_plain_and_compiled_agree_on_what_our_documents_cannot_say(
    policy, request, world, refinements, target, asked, properties, operator
) -> None:
    """Refinements, targets of a rule's own, operators that the reader would refuse."""
    odd = tuple(
        replace(rule, refinements=refinements, target=target, constraints=tuple(_with(rule.constraints, operator)))
        for rule in policy.rules
    )
    policy = replace(policy, rules=odd)
    request = replace(request, target=asked, properties=properties)
    world = replace(world, members={"urn:y": frozenset({"urn:all"})})
    decided = compile_policy(policy, kind="Agreement").decide(request, world)
    assert decided == evaluate(policy, request, world)


def _with(constraints, operator):
    return [replace(one, operator=operator) if isinstance(one, Atomic) else one for one in constraints]


@pytest.mark.slow
@settings(max_examples=100)
@given(POLICIES, REQUESTS, WORLDS)
def test_a_prohibition_more_never_makes_a_yes(policy: Policy, request: Request, world: World) -> None:
    without = replace(policy, rules=policy.permissions)
    assert evaluate(without, request, world).allowed or not evaluate(policy, request, world).allowed


@pytest.mark.slow
@settings(max_examples=100)
@given(POLICIES, REQUESTS, WORLDS)
def test_saying_less_never_makes_a_yes_of_a_no(policy: Policy, request: Request, world: World) -> None:
    """A claim that is left out is unknown, and unknown is never better than what it could be; xone is no exception."""
    silent = replace(request, purpose="", recipient="", spatial="", channel="")
    if evaluate(policy, silent, world).allowed:
        assert evaluate(policy, request, world).allowed


@pytest.mark.slow
@settings(max_examples=100)
@given(POLICIES)
def test_what_is_written_reads_back_the_same(policy: Policy) -> None:
    assert read_rules(write_rules(policy), policy_id=policy.id) == policy
