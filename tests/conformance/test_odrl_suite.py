"""The ODRL Test Suite against our model and evaluator: which rules are active, and what each premise came to.

The suite's policies are core ODRL and not of our profile: rules have targets and parties of their own, actions reach
down ODRL's hierarchy, operators are compared that our reader refuses. The model holds all of that, so the cases are
put to the same evaluator that decides for agreements. Reports are compared by rule and premise, for their own names
are random.
"""

from pathlib import Path

import pytest

from node.federation.policy.terms import OWN
from tests.federation.policy.turtle import EX, Case, Graph, case_of, found_by

# Its report names premises that its state of the world does not have, and leaves parts out of the rule's report.
KNOWN_DEFECTS = ("testcase-065",)


@pytest.fixture(scope="module")
def suite(sample_data: Path) -> Path:
    folder = sample_data / "standards" / "odrl-test-suite"
    if not folder.is_dir():
        pytest.skip(f"the ODRL test suite is absent: {folder} is no folder")
    return folder


@pytest.fixture(scope="module")
def cases(suite: Path) -> dict[str, Case]:
    """Join each case with the policy, request and state of the world that it names."""
    parts = {}
    for path in (
        path for folder in ("policies", "requests", "sotw") for path in sorted((suite / folder).glob("*.ttl"))
    ):
        text = path.read_text()
        graph = Graph([text])
        for kind in ("http://www.w3.org/ns/odrl/2/Set", "http://www.w3.org/ns/odrl/2/Request", EX + "Sotw"):
            parts |= dict.fromkeys(graph.subjects(kind), text)
    return {path.stem: _joined(path.read_text(), parts) for path in sorted((suite / "test_cases").glob("*.ttl"))}


def _joined(text: str, parts: dict[object, str]) -> Case:
    alone = Graph([text])
    [node] = alone.subjects(EX + "TestCase")
    named = [alone.one(node, EX + name) for name in ("policy", "request", "sotw")]
    return case_of(Graph([text, *(parts[name] for name in named)]), node)


def is_defective(name: str) -> bool:
    return name.startswith(KNOWN_DEFECTS)


def test_every_rule_is_active_that_the_suite_says(cases: dict[str, Case]) -> None:
    wrong = {}
    for name, case in cases.items():
        found = {rule: one["active"] for rule, one in found_by(case).items()}
        expected = {rule: one["active"] for rule, one in case.expected.items()}
        if found != expected and not is_defective(name):
            wrong[name] = (expected, found)
    assert wrong == {}
    assert len(cases) >= 30


def test_every_premise_comes_to_what_the_suite_says(cases: dict[str, Case]) -> None:
    wrong = {}
    for name, case in cases.items():
        found = found_by(case)
        for rule, expected in case.expected.items():
            if found[rule]["premises"] != expected["premises"] and not is_defective(name):
                wrong[name] = (expected["premises"], found[rule]["premises"])
    assert wrong == {}


def test_the_suite_has_no_unknown_verdicts(cases: dict[str, Case]) -> None:
    states = {one for case in cases.values() for rule in found_by(case).values() for one in rule["premises"].values()}
    assert OWN + "Unknown" not in states


def test_the_known_defect_is_still_one(cases: dict[str, Case]) -> None:
    [case] = [case for name, case in cases.items() if is_defective(name)]
    found = found_by(case)
    assert any(found[rule]["premises"] != expected["premises"] for rule, expected in case.expected.items())
