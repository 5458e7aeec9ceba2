"""Our own cases, in the manner of the ODRL Test Suite, for what it lacks; each is decided plainly and compiled.

Seven operands with all their operators, satisfied, unsatisfied and unknown; joined constraints, conflicts, duties, the
edges of time, refinements and collections. What is expected stands in `cases/*.ttl`, written by hand.
"""

from pathlib import Path

import pytest

from node.federation.policy import compile_policy, evaluate, terms
from tests.federation.policy.turtle import Case, cases_in, found_by

CASES = cases_in(Path(__file__).with_name("cases"))
LEAST = 150


def file_of(case: Case) -> str:
    return case.name.partition("#")[0].rpartition("/")[2]


def test_there_are_enough_cases_for_every_operand_and_operator_with_every_verdict() -> None:
    assert len(CASES) >= LEAST
    assert len({(file_of(case), case.title) for case in CASES}) == len(CASES)
    seen = set()
    for case in CASES:
        for rule in case.policy.rules:
            states = case.expected.get(rule.id, {}).get("premises", {})
            seen |= {
                (one.left, one.operator, states[one.id].rpartition("#")[2])
                for one in rule.constraints
                if hasattr(one, "left") and one.id in states
            }
    wanted = {
        (operand.name, operator, state)
        for operand in terms.OPERANDS.values()
        for operator in operand.operators
        for state in ("Satisfied", "Unsatisfied", "Unknown")
    }
    assert wanted <= seen


@pytest.mark.parametrize("file", sorted({file_of(case) for case in CASES}))
def test_every_case_of_a_file_comes_out_as_it_says(file: str) -> None:
    wrong = {case.name: fault for case in CASES if file_of(case) == file and (fault := faults(case))}
    assert wrong == {}


def faults(case: Case) -> list[object]:
    """Give what comes out otherwise: decided plainly, compiled, and in the report clause by clause."""
    decision, found = evaluate(case.policy, case.request, case.world), found_by(case)
    decided = compile_policy(case.policy, kind="Agreement").decide(case.request, case.world)
    wrong: list[object] = [] if decided == decision else [("compiled", decided, decision)]
    if (str(decision.allowed).lower(), decision.code) != (case.allowed, case.code):
        wrong.append((case.title, case.code, decision))
    for rule, expected in case.expected.items():
        said = {"active": found[rule]["active"]}
        for part in ("premises", "duties"):
            said[part] = {name: found[rule][part].get(name) for name in expected[part]}
        wrong += [] if said == expected else [(case.title, rule, expected, said)]
    return wrong
