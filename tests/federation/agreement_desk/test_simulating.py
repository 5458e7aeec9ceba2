"""Laws of what is said beforehand: a question about a record hears what the transfer of it would hear."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.errors import NotFound
from node.federation.agreement_desk.readings import Question
from node.federation.policy.terms import DPV
from tests.federation.agreed import RESEARCH, agree, atom, permits
from tests.federation.data.door_rig import Pair, pair

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds
FOR_RESEARCH = permits("use", constraint=[atom("purpose", "isA", RESEARCH)])
BASES = {"legalBasis": DPV + "PublicInterest", "transferBasis": "adequacy"}


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Pair]:
    with pair(tmp_path, migrated) as made:
        yield made


def asked(two: Pair, **more: Any) -> dict[str, Any]:
    readings = two.helsinki.node.federation.agreeing.office.readings
    question = {"record": two.dataset, "channel": "transfer", "purpose": RESEARCH, **more}
    found: dict[str, Any] = readings.simulate(Question("london", "use", question.pop("collection", ""), **question))
    return found


def test_a_record_about_residents_hears_the_no_of_the_transfer(two: Pair) -> None:
    two.lay(is_personal=True)
    helsinki, london = two.helsinki.node, two.london.node
    first = agree(helsinki, london, records=[two.dataset], rules=FOR_RESEARCH)
    no = asked(two)
    assert (no["allowed"], no["code"], no["operand"]) == (False, "legal-basis-needed", "legal-basis-needed")
    assert (no["agreement"], no["why"]) == (first, "The agreement names no legal basis for data about persons.")
    two.agreement = first
    two.request(purpose=RESEARCH)
    (refused,) = two.london.federation.moving.transfers.list()
    assert no["code"] in str(refused.reasons)
    better = agree(helsinki, london, records=[two.dataset], rules=FOR_RESEARCH, **BASES)
    yes = asked(two)
    assert (yes["allowed"], yes["agreement"]) == (True, better)
    assert {each["agreement"]: each["code"] for each in yes["considered"]} == {first: "legal-basis-needed", better: ""}
    assert asked(two, channel="page")["agreement"], "what is no transfer is not asked of what stands before transfers"


def test_under_consent_a_record_that_nobody_marked_is_refused_as_well(two: Pair) -> None:
    two.lay()
    consent = {"legalBasis": DPV + "Consent", "transferBasis": "adequacy"}
    agree(two.helsinki.node, two.london.node, records=[two.dataset], rules=FOR_RESEARCH, **consent)
    assert asked(two)["code"] == "residents-unsaid"


def test_a_record_is_asked_about_in_the_collections_that_it_stands_in(two: Pair) -> None:
    iri = agree(two.helsinki.node, two.london.node, "open-data", rules=FOR_RESEARCH)
    for named in (two.dataset, two.dataset.rpartition("/")[2]):
        found = asked(two, record=named, channel="")
        assert (found["allowed"], found["agreement"], found["record"]) == (True, iri, two.dataset)
        assert "unlooked" not in found
    readings = two.helsinki.node.federation.agreeing.office.readings
    for wrong in ({"record": "nothing"}, {"record": f"{two.dataset}0"}, {"record": two.dataset, "collection": "plans"}):
        with pytest.raises(NotFound):
            readings.simulate(Question("london", "use", **wrong))


def test_of_a_collection_it_is_said_what_was_not_looked_at(two: Pair) -> None:
    agree(two.helsinki.node, two.london.node, "open-data", rules=FOR_RESEARCH)
    found = asked(two, collection="open-data", record="")
    assert found["allowed"]
    assert "name a record" in found["unlooked"]
    assert "unlooked" not in asked(two, collection="open-data", record="", purpose=f"{DPV}Marketing")
