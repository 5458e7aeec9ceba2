"""What the desk says of agreements, to whom, and what it takes from nobody."""

import pytest

from node.assembly.clock import clock_ms
from node.errors import Forbidden, Malformed, NodeError, NotAgreed, NotFound, Unauthenticated
from node.federation.agreement_desk.drafting import Wish, Words
from node.federation.agreement_desk.readings import Question
from node.federation.agreements.agreements import pair_collection
from tests.federation.agreement_desk.rig import RULES, agreed, office, plans, proposed, settle
from tests.federation.cities import HELSINKI, LONDON, City

pytestmark = pytest.mark.slow

DPV = "https://w3id.org/dpv#"


def test_who_approved_is_shown_of_the_negotiation_and_of_the_agreement(two: tuple[City, City]) -> None:
    helsinki, london = two
    ours, theirs = proposed(helsinki, london)
    office(helsinki).approve(ours, person="maija")
    assert [each["person"] for each in office(helsinki).show(ours)["approvals"]] == ["maija"]
    office(london).approve(theirs, person="john")
    settle(helsinki, london)
    for city, name, person in ((helsinki, ours, "maija"), (london, theirs, "john")):
        shown = office(city).show(name)
        assert (shown["kind"], [each["person"] for each in shown["approvals"]]) == ("agreement", [person])


def test_what_names_no_recipient_is_for_the_receiving_city_alone(two: tuple[City, City]) -> None:
    helsinki, london = two
    acme = "https://acme.example"
    rules = {"permission": [{"action": f"odrl:{each}"} for each in ("index", "read", "distribute")]}
    iri = agreed(helsinki, london, plans(rules=rules))
    readings = office(helsinki).readings
    for action, allowed in (("index", False), ("read", False), ("distribute", True)):
        assert readings.simulate(Question("london", action, "plans"))["allowed"]
        asked = readings.simulate(Question("london", action, "plans", recipient=acme))
        assert (asked["allowed"], asked["operand"]) == (allowed, "" if allowed else "recipient")
    with pytest.raises(NotAgreed, match="names no recipients"):
        office(london).readings.grantable(iri, "AcademicResearch", acme)
    with pytest.raises(NotAgreed, match=r"Only the receiving city \(London\) issues tokens"):
        office(helsinki).readings.grantable(iri, "AcademicResearch", acme)


def test_what_may_be_mirrored_and_is_not_followed_is_said_with_its_command(two: tuple[City, City]) -> None:
    helsinki, london = two
    iri = agreed(helsinki, london)
    assert office(london).show(iri)["next"] == "citynode peers follow helsinki plans"
    assert office(helsinki).show(iri)["next"] == ""
    london.federation.peers.follow("helsinki", ["plans"], at_ms=clock_ms())
    assert office(london).show(iri)["next"] == ""


def test_only_a_public_agreement_is_shown_to_everyone_and_ends_there_too(two: tuple[City, City]) -> None:
    helsinki, london = two
    secret = agreed(helsinki, london)
    public = agreed(helsinki, london, plans(about={"title": "Open"}, public=True))
    for _ in range(2):  # more entries in the journal of the pair than in the public one
        office(helsinki).act("suspend", secret, reason="x")
        office(helsinki).act("resume", secret)
    assert helsinki.get(secret.removeprefix(HELSINKI)).status == 404
    assert helsinki.get(public.removeprefix(HELSINKI)).status == 200
    for kind in ("text/turtle", "application/ld+json", "application/rdf+xml", "application/n-triples", "text/html"):
        assert helsinki.get(public.removeprefix(HELSINKI), accept=kind).status == 200, kind
    assert [each["id"] for each in office(london).list()["agreements"] if each["public"]] == [public]
    office(london).act("revoke", public, reason="Over.")
    assert london.size("agreements") == 2


def test_bad_wishes_write_nothing(two: tuple[City, City]) -> None:
    helsinki, _ = two
    bad = [
        (Wish("oslo", Words(rules=RULES)), NotFound),
        (plans(rules={}), Malformed),
        (plans(rules={"permission": [{"action": "odrl:fly"}]}), Malformed),
        (plans(rules=None, template="nothing"), NotFound),
        (plans(rules=None, template="restricted-data"), Malformed),
        (plans(until="soon"), Malformed),
        (plans(about={"title": "x", "secret": "y"}), Malformed),
        (Wish("london", Words(rules=RULES), covers=["nothing"]), NotFound),
        (Wish("london", Words(rules=RULES), covers=[pair_collection(LONDON)]), NotFound),
        (Wish("london", Words(rules=RULES), role="king"), Malformed),
    ]
    for wish, error in bad:
        with pytest.raises(error):
            office(helsinki).draft(wish)
    assert office(helsinki).list()["drafts"] == []


def test_simulate_names_the_clause_and_its_sentence(two: tuple[City, City]) -> None:
    helsinki, london = two
    purpose = {"leftOperand": "odrl:purpose", "operator": "isA", "rightOperand": f"{DPV}PublicBenefit"}
    rules = {"permission": [{"action": "odrl:read", "constraint": [purpose]}], "prohibition": [{"action": "odrl:sell"}]}
    agreed(helsinki, london, plans(rules=rules))
    readings = office(helsinki).readings
    yes = readings.simulate(Question("london", "read", "plans", purpose=f"{DPV}PublicBenefit"))
    assert (yes["allowed"], yes["clause"].endswith("#p1")) == (True, True)
    assert yes["sentence"].startswith("2.")
    no = readings.simulate(Question("london", "read", "plans", purpose="Marketing", report=True))
    assert (no["allowed"], no["operand"]) == (False, "purpose")
    assert len(no["report"]) == 1
    assert readings.simulate(Question("london", "sell", "plans"))["code"] == "prohibited"
    assert readings.simulate(Question("london", "read", "open-data"))["code"] == "no-agreement"
    for bad in (Question("london", "fly", "plans"), Question("oslo", "read", "plans")):
        with pytest.raises(NodeError):
            readings.simulate(bad)


def test_an_export_proves_it_without_a_node(two: tuple[City, City]) -> None:
    from node.federation.agreements.verifier import verify_bundle

    helsinki, london = two
    iri = agreed(helsinki, london)
    helsinki.pull(london)
    body = office(helsinki).readings.export(iri)
    assert verify_bundle(body, now_ms=clock_ms()).exit_code in (0, 3)
    assert verify_bundle(body.replace(b"odrl:sell", b"odrl:read"), now_ms=clock_ms()).exit_code == 1


def test_persons_are_staff_tokens_that_hold(two: tuple[City, City]) -> None:
    helsinki, _ = two
    tokens, persons = helsinki.federation.named_tokens, helsinki.federation.agreeing.persons
    _, secret = tokens.issue("maija", now_ms=clock_ms(), staff=True)
    _, program = tokens.issue("robot", now_ms=clock_ms(), scopes=["read:plans"])
    assert persons.named(secret, clock_ms()) == "maija"
    with pytest.raises(Forbidden):
        persons.named(program, clock_ms())
    tokens.revoke("maija", now_ms=clock_ms())
    for wrong in (secret, "cn_nonsense", ""):
        with pytest.raises(Unauthenticated):
            persons.named(wrong, clock_ms())


def test_what_is_asked_about_is_there_and_a_purpose_is_no_slip(two: tuple[City, City]) -> None:
    helsinki, london = two
    agreed(helsinki, london)
    readings = office(helsinki).readings
    for purpose in ("https://example.com/zz", "PublicPolicyMaking", ""):
        for collection in ("plans", f"{HELSINKI}/collections/plans"):
            assert readings.simulate(Question("london", "index", collection, purpose=purpose))["allowed"]
    for collection in ("zz", f"{LONDON}/collections/plans", f"{HELSINKI}/collections/"):
        with pytest.raises(NotFound):
            readings.simulate(Question("london", "index", collection))
    with pytest.raises(Malformed, match="near it are PublicPolicyMaking"):
        readings.simulate(Question("london", "index", "plans", purpose="PublicPolicyMakin"))
    for bad in (
        {"purpose": "zz"},
        {"purpose": f"{DPV}zz"},
        {"collection": ""},
        {"lang": "zz"},
        {"collection": "a\u202eb"},
        {"action": "fly"},
        {"channel": "zz"},
    ):
        with pytest.raises(Malformed):
            readings.simulate(Question(**({"peer": "london", "action": "index", "collection": "plans"} | bad)))
    for say in (lambda: readings.templates("zz"), lambda: readings.template("restricted-data", "zz")):
        with pytest.raises(Malformed, match="not written in"):
            say()
    with pytest.raises(NotFound):
        office(helsinki).list(peer="nobody")
    assert office(helsinki).list(peer="london")["agreements"]


@pytest.mark.parametrize("name", ["abcd\0", f"{HELSINKI}/agreements/\0", "abcd\u202e", "abcd\ud800", "a" * 5_000])
def test_what_cannot_be_seen_is_no_name(two: tuple[City, City], name: str) -> None:
    with pytest.raises(Malformed, match="Nothing has such a name"):
        office(two[0]).show(name)
    with pytest.raises(NotFound):
        office(two[0]).list(peer=name)
