"""Laws of offers that are taken without a person: of a named template, saying no more than it can, as we asked."""

from dataclasses import fields
from typing import Any

import pytest

from node.federation.negotiation import Negotiation
from node.federation.policy.templates import fill
from node.federation.pulls.taking import AUTOMATIC, is_of, taker

VALUES: dict[str, dict[str, str]] = {
    "open-metadata/1": {},
    "practices/1": {},
    "restricted-data/1": {
        "ends": "2090-01-01",
        "purposes": "AcademicResearch",
        "transfer_basis": "no-personal-data",
        "delete_after": "P30D",
        "times": "5",
        "starts": "2026-01-01",
        "recipients": "https://startup.example",
    },
}
MORE: list[dict[str, Any]] = [
    {"permission": [{"action": "use"}]},
    {"prohibition": [{"action": "odrl:translate"}]},
    {"obligation": [{"action": "odrl:inform"}]},
    {
        "permission": [
            {
                "action": "odrl:read",
                "constraint": [{"leftOperand": "odrl:count", "operator": "lteq", "rightOperand": "3"}],
            }
        ]
    },
    {"permission": [{"action": "odrl:read", "duty": [{"action": "odrl:delete"}]}]},
]


@pytest.mark.parametrize("template", VALUES)
def test_an_offer_of_a_named_template_is_taken_whatever_its_values(template: str) -> None:
    about, rules = fill(template, VALUES[template])
    name = template.partition("/")[0]
    assert is_of([name], about, rules)
    assert is_of([template], about, rules)
    assert not is_of(["digital-declaration"], about, rules)
    assert not is_of([], about, rules)


@pytest.mark.parametrize("more", MORE)
def test_an_offer_that_says_more_than_its_template_can_is_a_matter_for_persons(more: dict[str, Any]) -> None:
    about, rules = fill("open-metadata/1", {})
    said = {kind: [*rules.get(kind, []), *more.get(kind, [])] for kind in {*rules, *more}}
    assert not is_of(["open-metadata"], about, said)


def test_what_cannot_be_read_or_is_no_template_of_ours_is_not_taken() -> None:
    about, rules = fill("open-metadata/1", {})
    assert not is_of(["open-metadata"], {**about, "template": "open-metadata/99"}, rules)
    assert not is_of(["open-metadata"], about, {"permission": [{"action": "odrl:unheard"}]})
    assert not is_of(["open-metadata"], {}, rules)


def talk(**changes: Any) -> Negotiation:
    about, rules = fill("open-metadata/1", {})
    said: dict[str, Any] = {
        "pid": "p",
        "role": "consumer",
        "peer": "https://p.example",
        "other_pid": "o",
        "other_url": "u",
        "state": "AGREED",
        "offer": {"@id": "x", "target": "t", **rules},
        "about": about,
        "terms": "d",
        "offered_by": "us",
        "opened_by": AUTOMATIC,
    }
    blank = dict.fromkeys((each.name for each in fields(Negotiation)), "")
    return Negotiation(**{**blank, **said, **changes})


def test_only_what_a_pull_began_and_nobody_changed_is_agreed_to_without_a_person() -> None:
    takes = taker(["open-metadata"])
    assert takes(talk())
    assert not takes(talk(opened_by="somebody"))
    assert not takes(talk(offered_by="them"))
    assert not takes(talk(role="provider"))
    assert not taker([])(talk())
