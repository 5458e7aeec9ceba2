"""The door for clauses: what is accepted in which spelling, what is refused and how it is named, and how quickly."""

import time

import pytest

from node.errors import Malformed, NotAgreed, Refused, TooLarge
from node.federation.policy import (
    Logical,
    compile_policy,
    read_rules,
    rebased,
    terms,
    terms_digest,
    write_rules,
)

IRI = "https://helsinki.example/agreements/1"
RESEARCH = terms.DPV + "AcademicResearch"


def compared(left="odrl:purpose", operator="isA", right=RESEARCH) -> dict:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def permitting(**members) -> dict:
    return {"permission": [{"action": "use", **members}]}


def nested(levels: int) -> dict:
    made: dict = compared()
    for _ in range(levels - 1):
        made = {"and": [made]}
    return made


@pytest.mark.parametrize("spelling", ["index", "odrl:index", terms.ODRL + "index"])
def test_a_term_is_known_bare_prefixed_and_whole(spelling: str) -> None:
    said = {
        "odrl:permission": {
            "odrl:action": {"@id": spelling},
            terms.ODRL + "constraint": [
                {
                    "leftOperand": {"@id": spelling.replace("index", "purpose")},
                    "operator": spelling.replace("index", "isAnyOf"),
                    "rightOperand": {"@value": RESEARCH},
                }
            ],
        }
    }
    plain = {"permission": [{"action": "index", "constraint": [compared("purpose", "isAnyOf", [RESEARCH])]}]}
    assert read_rules(said, policy_id=IRI) == read_rules(plain, policy_id=IRI)


@pytest.mark.parametrize("spelling", ["reidentify", terms.OWN + "reidentify"])
def test_our_own_action_is_known_bare_and_whole(spelling: str) -> None:
    assert read_rules({"prohibition": [{"action": spelling}]}, policy_id=IRI).rules[0].action == "reidentify"


@pytest.mark.parametrize("spelling", ["odrl:reidentify", terms.ODRL + "reidentify", terms.OWN + "sell"])
def test_the_namespace_of_a_term_counts(spelling: str) -> None:
    with pytest.raises(Malformed):
        read_rules({"prohibition": [{"action": spelling}]}, policy_id=IRI)


def test_clauses_without_ids_are_named_by_their_place() -> None:
    said = permitting(
        constraint=[compared(), {"or": [compared(), compared("odrl:count", "lteq", "3")]}],
        duty=[{"action": "odrl:delete", "constraint": [compared("odrl:elapsedTime", "lteq", "P30D")]}],
    ) | {"prohibition": [{"action": "odrl:sell"}], "obligation": [{"action": "odrl:reviewPolicy"}]}
    policy = read_rules(said, policy_id=IRI)
    first, joined = policy.rules[0], policy.rules[0].constraints[1]
    assert isinstance(joined, Logical)
    assert [rule.id for rule in policy.rules] == [f"{IRI}#p1", f"{IRI}#n1", f"{IRI}#o1"]
    assert [one.id for one in (*first.constraints, *joined.parts)] == [
        f"{IRI}#p1-c1",
        f"{IRI}#p1-c2",
        f"{IRI}#p1-c2-1",
        f"{IRI}#p1-c2-2",
    ]
    assert (first.duties[0].id, first.duties[0].constraints[0].id) == (f"{IRI}#p1-d1", f"{IRI}#p1-d1-c1")


def test_ids_of_others_are_kept_when_read_and_renewed_when_written() -> None:
    policy = read_rules({"permission": [{"@id": "urn:theirs", "action": "use"}]}, policy_id="urn:offer")
    assert policy.rules[0].id == "urn:theirs"
    assert write_rules(rebased(policy, IRI)) == {"permission": [{"@id": f"{IRI}#p1", "action": "use"}]}
    assert write_rules(policy)["permission"][0]["@id"] == "urn:offer#p1"


def test_one_value_is_written_as_a_text_and_several_as_a_list_of_texts() -> None:
    said = write_rules(read_rules(permitting(constraint=[compared(), compared(operator="isNoneOf")]), policy_id=IRI))
    assert [one["rightOperand"] for one in said["permission"][0]["constraint"]] == [RESEARCH, [RESEARCH]]


def test_what_others_leave_empty_says_nothing() -> None:
    said = {
        "permission": [{"@type": "Permission", "action": "use", "constraints": [], "duty": [], "remedy": None}],
        "prohibition": [],
        "obligation": None,
        "@type": "Offer",
        "assigner": "https://helsinki.example",
        "dct:title": "theirs",
    }
    assert read_rules(said, policy_id=IRI) == read_rules(permitting(), policy_id=IRI)


TOO_DEEP = terms.MAX_DEPTH + 1
REFUSED = {
    "no rule at all": ({}, "no permission"),
    "duties alone": ({"obligation": [{"action": "odrl:delete"}]}, "no permission"),
    "an unknown action": ({"permission": [{"action": "odrl:print"}]}, "p1:"),
    "an action of another kind of rule": ({"permission": [{"action": "odrl:sell"}]}, "p1:"),
    "a duty as permission": ({"permission": [{"action": "odrl:delete"}]}, "p1:"),
    "a permission as duty": (permitting(duty=[{"action": "use"}]), "p1-d1:"),
    "no action": ({"permission": [{}]}, "p1:"),
    "an unknown operand": (permitting(constraint=[compared("odrl:payAmount", "eq", "1")]), "p1-c1:"),
    "an operator that the operand does not have": (permitting(constraint=[compared(operator="isPartOf")]), "p1-c1:"),
    "an unknown operator": (permitting(constraint=[compared(operator="hasPart")]), "p1-c1:"),
    "no operator": (permitting(constraint=[{"leftOperand": "purpose", "rightOperand": RESEARCH}]), "p1-c1:"),
    "no right operand": (permitting(constraint=[compared(right=[])]), "p1-c1:"),
    "a number": (permitting(constraint=[compared("count", "lteq", 10)]), "p1-c1:"),
    "a wrapped number": (permitting(constraint=[compared("count", "lteq", {"@value": 10})]), "p1-c1:"),
    "two values for one": (permitting(constraint=[compared(right=[RESEARCH, "urn:x:y"])]), "p1-c1:"),
    "a value twice": (permitting(constraint=[compared(operator="isAnyOf", right=[RESEARCH, RESEARCH])]), "p1-c1:"),
    "a moment without a zone": (permitting(constraint=[compared("dateTime", "lt", "2027-02-02T00:00:00")]), "p1-c1:"),
    "a day that is none": (permitting(constraint=[compared("dateTime", "lt", "2027-02-30T00:00:00Z")]), "p1-c1:"),
    "a count in words": (permitting(constraint=[compared("count", "lt", "ten")]), "p1-c1:"),
    "a count in other digits": (permitting(constraint=[compared("count", "lt", "١٠")]), "p1-c1:"),
    "a length that is none": (permitting(constraint=[compared("elapsedTime", "lt", "24h")]), "p1-c1:"),
    "a purpose that is no IRI": (permitting(constraint=[compared(right="research")]), "p1-c1:"),
    "a channel of nobody": (permitting(constraint=[compared("deliveryChannel", "eq", "urn:x:fax")]), "p1-c1:"),
    "a control character": (permitting(constraint=[compared(right="urn:x:\ny")]), "p1-c1:"),
    "a lone surrogate": (permitting(constraint=[compared(right="urn:x:\ud800")]), "p1-c1:"),
    "a deadline by purpose": (permitting(duty=[{"action": "odrl:delete", "constraint": [compared()]}]), "p1-d1-c1:"),
    "a deadline from when": (
        permitting(duty=[{"action": "odrl:delete", "constraint": [compared("dateTime", "gt", "2027-02-02T00:00Z")]}]),
        "p1-d1-c1:",
    ),
    "a joined deadline": (permitting(duty=[{"action": "odrl:delete", "constraint": [nested(2)]}]), "p1-d1-c1:"),
    "an obligation by purpose": (
        permitting() | {"obligation": [{"action": "odrl:inform", "constraint": [compared()]}]},
        "o1-c1:",
    ),
    "and with nothing": (permitting(constraint=[{"and": []}]), "p1-c1:"),
    "and beside or": (permitting(constraint=[{"and": [compared()], "or": [compared()]}]), "p1-c1:"),
    "a sequence": (permitting(constraint=[{"andSequence": [compared()]}]), "p1-c1:"),
    "joined and compared at once": (permitting(constraint=[{"and": [compared()], **compared()}]), "p1-c1:"),
    "a prohibition with a duty": ({"prohibition": [{"action": "use", "duty": [{"action": "odrl:inform"}]}]}, "n1:"),
    "a target of a rule's own": (permitting(target="urn:x:y"), "p1:"),
    "a refinement": (permitting(refinement=[compared()]), "p1:"),
    "a member that is not known": (permitting(constraints=[compared()]), "p1:"),
    "a member in two spellings": (permitting(**{"odrl:action": "odrl:index"}), "p1:"),
    "prohibitions in two spellings": ({"prohibition": [], "odrl:prohibition": [{"action": "use"}]}, "The policy"),
    "inheritance": (permitting() | {"odrl:inheritFrom": "urn:x:y"}, "inheritFrom"),
    "an id twice": ({"permission": [{"@id": "urn:x:y", "action": "use"}] * 2}, "p2:"),
    "an id of no text": ({"permission": [{"@id": 7, "action": "use"}]}, "p1:"),
    "an id that is too long": ({"permission": [{"@id": "u" * 600, "action": "use"}]}, "p1:"),
    "a rule that is none": ({"permission": ["use"]}, "p1:"),
    "a constraint that is none": (permitting(constraint=["purpose"]), "p1-c1:"),
}
LARGE = {
    "rules": ({"permission": [{"action": "use"}] * 60, "prohibition": [{"action": "use"}] * 41}, "prohibition:"),
    "constraints": (permitting(constraint=[compared()] * 21), "p1:"),
    "constraints in joined ones": (permitting(constraint=[{"or": [compared()] * 11}] * 2), "p1-c2-"),
    "levels": (permitting(constraint=[nested(TOO_DEEP)]), "p1-c1-1-1-1:"),
    "duties": (permitting(duty=[{"action": "odrl:inform"}] * 21), "p1:"),
    "right operands": (permitting(constraint=[compared(operator="isAnyOf", right=["urn:x:y"] * 101)]), "p1-c1:"),
    "text": (permitting(constraint=[compared(right="urn:x:" + "y" * 2_000)]), "p1-c1:"),
    "members": ({"permission": [{"action": "use", **{str(n): [] for n in range(200)}}]}, "p1:"),
}
BOMBS = {
    "a thousand levels": permitting(constraint=[nested(900)]),
    "a million rules": {"permission": [{"action": "use"}] * 1_000_000},
    "a million constraints": permitting(constraint=[compared()] * 1_000_000),
    "a million right operands": permitting(constraint=[compared(operator="isAnyOf", right=["urn:x:y"] * 1_000_000)]),
    "ten megabytes of one text": permitting(constraint=[compared(right="urn:x:" + "y" * 10_000_000)]),
    "ten megabytes of many texts": {
        "permission": [
            {
                "action": "use",
                "constraint": [compared("recipient", "isAnyOf", [f"urn:x:{n}:" + "y" * 1_900 for n in range(100)])]
                * 10,
            }
        ]
        * 5
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_of_the_profile_is_refused_by_its_place(name: str) -> None:
    document, place = REFUSED[name]
    with pytest.raises(Malformed) as refused:
        read_rules(document, policy_id=IRI)
    assert place in refused.value.message
    assert refused.value.fix


@pytest.mark.parametrize("name", LARGE)
def test_a_bound_is_kept_and_named(name: str) -> None:
    document, place = LARGE[name]
    with pytest.raises(TooLarge) as refused:
        read_rules(document, policy_id=IRI)
    assert place in refused.value.message


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str) -> None:
    started = time.thread_time()
    with pytest.raises(TooLarge) as refused:
        read_rules(BOMBS[name], policy_id=IRI)
    assert time.thread_time() - started < 0.2
    assert len(str(refused.value)) < 500


def test_policies_up_to_the_bounds_are_read() -> None:
    joined = {"and": [{"or": [compared() for _ in range(5)]} for _ in range(2)]}
    full = [joined, *[compared()] * 7]
    said = {"permission": [{"action": "use", "constraint": full}] * 20, "prohibition": [{"action": "use"}] * 80}
    assert len(read_rules(said, policy_id=IRI).rules) == terms.MAX_RULES
    with pytest.raises(TooLarge, match="256 KiB"):
        read_rules(BOMBS["ten megabytes of many texts"], policy_id=IRI)


def test_a_digest_of_terms_counts_what_is_said_and_not_how() -> None:
    about = {"title": "Maps", "public": False, "note": ""}
    digest = terms_digest("urn:x:maps", about, permitting(constraint=[compared()]))
    other = {
        "odrl:permission": {"@id": "urn:theirs", "action": "odrl:use", "constraint": compared("purpose", "odrl:isA")}
    }
    assert digest == terms_digest("urn:x:maps", {"title": "Maps"}, other)
    assert digest.startswith("sha256:")
    assert len(digest) == len("sha256:") + 64
    assert digest != terms_digest("urn:x:maps", {"title": "Plans"}, other)
    assert digest != terms_digest("urn:x:plans", about, other)
    assert digest != terms_digest("urn:x:maps", about, permitting())


def test_a_digest_is_made_of_json_alone() -> None:
    with pytest.raises(Malformed):
        terms_digest("urn:x:maps", {"title": float("nan")}, permitting())


@pytest.mark.parametrize("kind", ["Offer", "Set", "Request", "", "agreement"])
def test_only_an_agreement_is_decided_by(kind: str) -> None:
    policy = read_rules(permitting(), policy_id=IRI)
    with pytest.raises(NotAgreed):
        compile_policy(policy, kind=kind)


def test_every_refusal_is_one_that_the_sender_can_mend() -> None:
    for document, _ in (*REFUSED.values(), *LARGE.values()):
        with pytest.raises(Refused) as refused:
            read_rules(document, policy_id=IRI)
        assert refused.value.fix.endswith(".")
