"""The text of an agreement: one spelling, closed, and the same as the DSP object that it travels in."""

import json
from copy import deepcopy
from typing import Any

import pytest

from node.errors import Malformed, NodeError, Refuted, TooLarge
from node.federation.agreements.text import (
    ABOUT,
    CONTEXT,
    TEXT,
    about_of,
    compose,
    dsp_agreement,
    of_message,
    read_about,
    read_text,
    same_as_message,
)
from node.federation.signing.integrity import jcs
from tests.federation.signing_rig import ABOUT as BESIDE
from tests.federation.signing_rig import HELSINKI, IRI, LONDON, NOW, RULES, TARGET, text_of

Said = dict[str, Any]


def changed(**members: Any) -> str:
    """The text with other members; None leaves one out."""
    document = text_of().document | members
    return jcs({name: value for name, value in document.items() if value is not None}).decode()


def rule(**members: Any) -> str:
    """The text with a changed permission."""
    document = deepcopy(text_of().document)
    document["permission"][0] |= members
    return jcs(document).decode()


def test_what_is_composed_is_read_back():
    text = text_of(note="Two lines\nof a note", partOf=f"{HELSINKI}/declarations/1", public=True)
    assert read_text(text.text) == text
    assert read_text(text.text.encode()).digest == text.digest
    assert text.document["@context"] == list(CONTEXT)
    assert text.document["timestamp"] == text.timestamp == "2027-01-15T08:00:00Z"
    assert jcs(json.loads(text.text)).decode() == text.text
    assert text.signed == text.text


def test_clauses_are_named_by_the_agreement_whatever_the_offer_called_them():
    rules = deepcopy(RULES)
    rules["permission"][0]["@id"] = f"{HELSINKI}/offers/plans#mine"
    text = text_of(rules=rules)
    assert text.text == text_of().text
    assert text.rules["permission"][0]["@id"] == f"{IRI}#p1"


def test_empty_members_beside_the_rules_leave_no_trace():
    empty = {"note": "", "contacts": [], "covers": (), "public": False, "partOf": None}
    about = {name: value for name, value in BESIDE.items() if name not in empty}
    assert compose(IRI, TARGET, HELSINKI, LONDON, NOW, about | empty, RULES).about == about
    assert compose(IRI, TARGET, HELSINKI, LONDON, NOW + 999, about, RULES).timestamp == "2027-01-15T08:00:00Z"


TEXTS: dict[str, tuple[str, type[NodeError], str]] = {
    "another member": (changed(inheritFrom="https://evil.example/1"), Malformed, "no member 'inheritFrom'"),
    "a member of other JSON-LD": (changed(**{"@graph": []}), Malformed, "no member '@graph'"),
    "a term swap in an inline context": (
        changed(**{"@context": [*CONTEXT, {"assigner": "http://www.w3.org/ns/odrl/2/assignee"}]}),
        Malformed,
        "@context is not exactly",
    ),
    "another context": (changed(**{"@context": [CONTEXT[0], "https://evil.example/c"]}), Malformed, "@context"),
    "contexts in another order": (changed(**{"@context": list(reversed(CONTEXT))}), Malformed, "@context"),
    "one context": (changed(**{"@context": CONTEXT[0]}), Malformed, "@context"),
    "no context": (changed(**{"@context": None}), Malformed, "@context"),
    "an offer shown as agreement": (changed(**{"@type": "Offer"}), Malformed, "@type is not exactly"),
    "an offer of several types": (changed(**{"@type": ["Agreement", "Offer"]}), Malformed, "@type"),
    "another profile": (changed(profile="https://w3id.org/citynode/odrl/0"), Malformed, "profile is not exactly"),
    "permissions before prohibitions": (changed(conflict="perm"), Malformed, "conflict is not exactly"),
    "nothing about conflicts": (changed(conflict=None), Malformed, "conflict"),
    "no target": (changed(target=None), Malformed, "identifier"),
    "a target that is an object": (changed(target={"@id": TARGET}), Malformed, "identifier"),
    "a target that cannot be seen": (changed(target="https://a.example/\u202e"), Malformed, "identifier"),
    "a target of 501 characters": (changed(target="u" * 501), Malformed, "identifier"),
    "one city twice": (changed(assignee=HELSINKI), Malformed, "names one twice"),
    "a time with fractions": (changed(timestamp="2027-01-15T08:00:00.000Z"), Malformed, "time of the agreement"),
    "a time elsewhere": (changed(timestamp="2027-01-15T08:00:00+00:00"), Malformed, "time of the agreement"),
    "no such day": (changed(timestamp="2027-02-30T08:00:00Z"), Malformed, "time of the agreement"),
    "a time of long ago": (changed(timestamp="1969-12-31T23:59:59Z"), Malformed, "before 1970"),
    "a time in other digits": (changed(timestamp="2027-01-15T08:00:0٣Z"), Malformed, "time of the agreement"),
    "no rules": (changed(permission=None, prohibition=None), Malformed, "no permission and no prohibition"),
    "an action of another vocabulary": (rule(action="https://evil.example/doAnything"), Malformed, "p1: the action"),
    "an action in another spelling": (rule(action="odrl:use"), Malformed, "permission is not written as"),
    "a rule under another name": (rule(**{"@id": f"{IRI}#p9"}), Malformed, "permission is not written as"),
    "a rule without a name": (rule(**{"@id": None}), Malformed, "permission is not written as"),
    "an empty member in a rule": (rule(refinement=[]), Malformed, "permission is not written as"),
    "another target in a rule": (rule(target="https://evil.example/x"), Malformed, "not known there"),
    "an empty list of rules": (changed(obligation=[]), Malformed, "obligation is not written as"),
    "an empty title": (changed(title=""), Malformed, "title is not written as"),
    "a public that is 1": (changed(public=1), Malformed, "true or false"),
    "a title of control characters": (changed(title="a\nb"), Malformed, "title"),
    "a title written backwards": (changed(title="a\u202eb"), Malformed, "title"),
    "a review on no day": (changed(review="2027-13-01"), Malformed, "day of review"),
    "contacts that are one text": (changed(contacts="data@helsinki.example"), Malformed, "contacts"),
    "no proof in the list of proofs": (changed(proof=[]), Malformed, "one or two"),
    "three proofs": (changed(proof=[{}, {}, {}]), Malformed, "one or two"),
    "a proof that is no list": (changed(proof={}), Malformed, "one or two"),
    "a list of proofs in a list": (changed(proof=[[{}, {}]]), Malformed, "JSON object"),
    "other white space": (text_of().text.replace(":", ": ", 1), Malformed, "canonical"),
    "members in another order": (json.dumps(dict(reversed(text_of().document.items()))), Malformed, "canonical"),
    "characters escaped": (json.dumps(text_of().document, sort_keys=True, separators=(",", ":")), Malformed, "canon"),
    "a member twice": ('{"@type":"Agreement",' + text_of().text[1:], Malformed, "stands twice"),
    "a number that is none": (text_of().text.replace('"2027-06-30"', "NaN"), Malformed, "NaN"),
    "ten megabytes": (changed(note="x" * 10_000_000), TooLarge, "bytes"),
    "a depth bomb": (text_of().text[:-1] + ',"x":' + "[" * 50_000 + "]" * 50_000 + "}", TooLarge, "levels"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_any_other_text_is_refused(case: str):
    text, error, words = TEXTS[case]
    with pytest.raises(error, match=words):
        read_text(text)


@pytest.mark.parametrize(
    "about",
    [
        {"titel": "x"},
        {"title": 7},
        {"title": "x" * 301},
        {"covers": ["x"] * 201},
        {"covers": [7]},
        {"contacts": ["x"] * 21},
        {"public": "yes"},
        {"review": "soon"},
        {"note": "x\0y"},
        {"note": "x" * 10_001},
        {"title": 0},
        [],
        "x",
    ],
)
def test_what_stands_beside_the_rules_is_bounded_and_closed(about: Any):
    with pytest.raises(Malformed):
        read_about(about)


def test_an_agreement_that_nobody_would_read_is_not_made():
    many = [
        {"leftOperand": "odrl:recipient", "operator": "isAnyOf", "rightOperand": [f"urn:{n}:" + "x" * 450]}
        for n in range(8)
    ]
    rules = {"permission": [{"action": "use", "constraint": many}] * 60}
    with pytest.raises(TooLarge):
        text_of(rules=rules)


# ---------------------------------------------------------------- beside DSP


def test_a_dsp_object_says_what_the_text_says():
    text = text_of().with_proofs({"id": "a"})
    told = dsp_agreement(text)
    assert told[TEXT] == text.signed
    assert about_of(told[ABOUT]) == text.about
    assert TEXT not in dsp_agreement(text_of())
    same_as_message(text, json.loads(json.dumps(told)))


def test_an_agreement_of_a_connector_that_signs_none_is_read_from_its_object():
    told = {name: value for name, value in dsp_agreement(text_of()).items() if name not in (ABOUT, TEXT)}
    told |= {"@id": "urn:uuid:1", "assigner": "someone", "timestamp": "2027-01-15T10:00:00.123+02:00"}
    for each in told["permission"]:
        del each["@id"]
    text = of_message(told)
    assert (text.iri, text.assigner, text.about, text.timestamp) == (
        "urn:uuid:1",
        "someone",
        {},
        "2027-01-15T08:00:00Z",
    )
    assert text.rules["permission"][0]["@id"] == "urn:uuid:1#p1"


MESSAGES: dict[str, tuple[Said, type[NodeError], str]] = {
    "another id": ({"@id": f"{HELSINKI}/agreements/2"}, Refuted, "differ in @id"),
    "another target": ({"target": f"{HELSINKI}/collections/all"}, Refuted, "differ in target"),
    "parties changed about": ({"assigner": LONDON, "assignee": HELSINKI}, Refuted, "differ in assigner"),
    "another party": ({"assignee": "https://evil.example"}, Refuted, "differ in assignee"),
    "another time": ({"timestamp": "2027-01-15T08:00:01Z"}, Refuted, "differ in timestamp"),
    "no time": ({"timestamp": None}, Refuted, "differ in timestamp"),
    "an offer": ({"@type": "Offer"}, Malformed, "type Agreement"),
    "a permission more": (
        {"permission": [*RULES["permission"], {"action": "odrl:index"}]},
        Refuted,
        "one more permission",
    ),
    "a weaker permission": ({"permission": [{"action": "use"}]}, Refuted, "differ in permission 1"),
    "no prohibition": ({"prohibition": None}, Refuted, "differ in prohibition 1"),
    "an obligation more": ({"obligation": [{"action": "odrl:inform"}]}, Refuted, "one more obligation"),
    "an unknown clause": ({"permission": [{"action": "urn:x"}]}, Malformed, "action"),
    "another title": ({ABOUT: '{"title":"Other"}'}, Refuted, "beside the rules"),
    "a title that is no string": ({ABOUT: ["Other"]}, Malformed, "one string"),
    "a title in an object": ({ABOUT: {"title": "Other"}}, Malformed, "beside its rules"),
    "a title that stands twice": ({ABOUT: '{"title":"a","title":"b"}'}, Malformed, "stands twice"),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_dsp_object_that_differs_is_refused(case: str):
    members, error, words = MESSAGES[case]
    told = {name: value for name, value in (dsp_agreement(text_of()) | members).items() if value is not None}
    with pytest.raises(error, match=words):
        same_as_message(text_of(), told)


@pytest.mark.parametrize("moment", ["2027-01-15T08:00:00", "yesterday", "1970-01-01T00:00:00Z", None, 7, "2" * 41])
def test_the_time_of_a_foreign_agreement_has_a_zone(moment: object):
    with pytest.raises(Malformed):
        of_message(dsp_agreement(text_of()) | {"timestamp": moment})
