"""Innovators' access from the command line: a token under an agreement, shown once, and revoked like any other."""

from pathlib import Path

import pytest

from node.cli.common import opened
from tests.cli.conftest import Say
from tests.federation.agreed import MARKETING, RESEARCH, agree_alone, atom, peer, permits

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

LONDON, STUDIO, LAB = "https://london.example", "https://studio.example", "https://lab.example"


def agreed(folder: Path, *recipients: str) -> str:
    """Put an agreement of London's in force at the node, for research by these; give its IRI."""
    limits = [atom("purpose", "isA", RESEARCH), atom("recipient", "isAnyOf", list(recipients))]
    rules = {"permission": [*permits("index")["permission"], *permits("read", constraint=limits)["permission"]]}
    with opened(folder) as node:
        peer(node, "london", LONDON)
        return agree_alone(node, LONDON, "secrets", rules=rules, mirror=True)


def test_a_token_is_given_to_whom_the_agreement_names_for_its_purpose(helsinki: Say, tmp_path: Path) -> None:
    iri = agreed(tmp_path / "node", STUDIO)
    said = helsinki("agreements", "grant", iri, "--to", "studio", "--purpose", "AcademicResearch", "--days", 30)
    assert said.code == 0, said.err
    assert said.out.startswith("cn_")
    assert f"studio may read under {iri}" in said.err
    assert "citynode tokens revoke studio" in said.err
    (token,) = helsinki("tokens", "list", "--json").json
    assert (token["agreement"], token["purpose"], token["recipient"]) == (iri, RESEARCH, STUDIO)
    assert f"what {iri} permits" in helsinki("tokens", "list").out
    assert said.out.strip() not in helsinki("tokens", "list").out
    assert helsinki("tokens", "revoke", "studio").code == 0
    assert helsinki("tokens", "list", "--json").json[0]["state"] == "revoked"


def test_a_token_says_that_its_agreement_is_over(helsinki: Say, tmp_path: Path) -> None:
    iri = agreed(tmp_path / "node", STUDIO)
    assert helsinki("agreements", "grant", iri, "--to", "studio", "--purpose", RESEARCH).code == 0
    assert helsinki("tokens", "list", "--json").json[0]["agreement_state"] == "in-force"
    assert helsinki("agreements", "revoke", iri, "--yes", "--reason", "It is over").code == 0
    assert helsinki("tokens", "list", "--json").json[0]["agreement_state"] == "revoked"
    assert "agreement revoked" in helsinki("tokens", "list").out


def test_what_the_agreement_does_not_permit_is_refused_with_its_clause(helsinki: Say, tmp_path: Path) -> None:
    iri = agreed(tmp_path / "node", STUDIO, LAB)
    several = helsinki("agreements", "grant", iri, "--to", "x", "--purpose", RESEARCH)
    assert (several.code, "--recipient" in several.err) == (1, True)
    for more in (("--purpose", MARKETING, "--recipient", LAB), ("--purpose", RESEARCH, "--recipient", LONDON)):
        refused = helsinki("agreements", "grant", iri, "--to", "x", *more)
        assert refused.code == 1, more
        assert refused.out == ""
    assert helsinki("agreements", "grant", f"{iri}0", "--to", "x", "--purpose", RESEARCH).code == 1
    made = helsinki("agreements", "grant", iri, "--to", "lab", "--purpose", RESEARCH, "--recipient", LAB, "--json")
    assert (made.json["recipient"], made.json["actions"]) == (LAB, ["read"])


def test_a_token_is_only_for_a_purpose_that_the_agreement_names(helsinki: Say, tmp_path: Path) -> None:
    iri = agreed(tmp_path / "node", STUDIO)
    for purpose, why in (("Marketing", "This agreement is for AcademicResearch only."), ("AcademicResarch", "near it")):
        refused = helsinki("agreements", "grant", iri, "--to", "x", "--purpose", purpose)
        assert (refused.code, why in refused.err) == (1, True), refused.err
    asked = ("agreements", "simulate", "--peer", "london", "--action", "use", "--collection", iri)
    assert "AcademicResearch" in helsinki(*asked, "--purpose", "AcademicResarch").err
    assert helsinki("tokens", "list", "--json").json == []


def test_only_the_receiving_city_issues_tokens(helsinki: Say, tmp_path: Path) -> None:
    limits = [atom("purpose", "isA", RESEARCH), atom("recipient", "isAnyOf", [STUDIO])]
    with opened(tmp_path / "node") as node:
        peer(node, "london", LONDON)
        iri = agree_alone(node, LONDON, "plans", rules=permits("index", "read", constraint=limits))
    refused = helsinki("agreements", "grant", iri, "--to", "x", "--purpose", "AcademicResearch")
    assert refused.code == 1
    assert "Only the receiving city (london) issues tokens under this agreement." in refused.err
