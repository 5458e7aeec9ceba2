"""No rule of a stranger is lost: however a policy spells its rules, they are read as JSON-LD says them, or refused.

A prohibition that is not seen is a permission. Each case is put into requests, offers, agreements and catalogues, and
what is read is held against the expansion of the same message by an implementation of JSON-LD that is not ours.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pyld import jsonld

from node.errors import NodeError, Refuted
from node.federation.agreements.text import AgreementText, compose, of_message, same_as_message
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.dsp.policies import Offer
from node.federation.negotiations.wire import read
from node.federation.policy import terms
from node.vocab.protocol_contexts import PROTOCOL_CONTEXTS

LONDON, HELSINKI = "https://london.test", "https://helsinki.test"
PLANS = f"{LONDON}/collections/plans"
ODRL = terms.ODRL
NEVER = [{"action": "odrl:sell"}]
MAY: dict[str, Any] = {"permission": [{"action": "use"}]}
HEADS: dict[str, dict[str, Any]] = {
    "request": {"@type": "ContractRequestMessage", "consumerPid": "urn:c", "callbackAddress": f"{HELSINKI}/x"},
    "offer": {"@type": "ContractOfferMessage", "providerPid": "urn:p", "callbackAddress": f"{LONDON}/x"},
    "agreement": {"@type": "ContractAgreementMessage", "providerPid": "urn:p", "consumerPid": "urn:c"},
}
AGREED = {"assigner": LONDON, "assignee": HELSINKI, "timestamp": "2027-01-01T00:00:00Z"}

# Members of the policy. All of these are read, and as what they are.
READ: dict[str, dict[str, Any]] = {
    "bare": MAY | {"prohibition": NEVER},
    "prefixed": MAY | {"odrl:prohibition": NEVER},
    "whole": MAY | {ODRL + "prohibition": NEVER},
    "all prefixed": {"odrl:permission": MAY["permission"], "odrl:prohibition": NEVER},
    "an obligation, whole": MAY | {ODRL + "obligation": [{"action": "odrl:reviewPolicy"}]},
    "one rule without a list": MAY | {"odrl:prohibition": NEVER[0]},
    "members of the rule too": MAY | {"odrl:prohibition": [{"odrl:action": {"@id": "odrl:sell"}}]},
    "another case of letters, which is no term": MAY | {"odrl:Prohibition": "x"},
    "another namespace": MAY | {"other:prohibition": "x"},
    "plain values of others": MAY | {"edc:x": "1", "extra": 1, "inForceDate": ["a", "b"]},
    "the target prefixed": MAY | {"target": None, "odrl:target": PLANS},
    "the conflict as we settle it": MAY | {"odrl:conflict": {"@id": "odrl:prohibit"}},
    "types as they are": {"permission": [{"@type": "Permission", "action": "use"}]},
    "nothing of it": MAY | {"odrl:prohibition": []},
}
REFUSED: dict[str, dict[str, Any]] = {
    "two spellings": MAY | {"prohibition": [], "odrl:prohibition": NEVER},
    "two spellings, the other empty": MAY | {"prohibition": NEVER, ODRL + "prohibition": []},
    "permissions in two spellings": MAY | {"odrl:permission": [{"action": "odrl:read"}]},
    "a graph": MAY | {"@graph": [{"prohibition": NEVER}]},
    "a graph alone": {"@graph": [MAY | {"prohibition": NEVER}]},
    "included nodes": MAY | {"@included": [{"@id": f"{LONDON}/offers/o", "odrl:prohibition": NEVER}]},
    "nested members": MAY | {"@nest": {"prohibition": NEVER}},
    "a list of JSON-LD": MAY | {"prohibition": {"@list": NEVER}},
    "a set of JSON-LD": MAY | {"prohibition": {"@set": NEVER}},
    "a rule elsewhere": MAY | {"prohibition": ["urn:rule"]},
    "a rule elsewhere, by reference": MAY | {"prohibition": [{"@id": "urn:rule"}]},
    "a context of its own": MAY | {"@context": {"never": "odrl:prohibition"}, "never": NEVER},
    "a context of nothing": {"@context": None, **MAY},
    "a context in a rule": {"permission": [{"@context": None, "action": "use"}]},
    "reversed": MAY | {"@reverse": {"odrl:prohibition": NEVER}},
    "a policy within": MAY | {"policy": {"prohibition": NEVER}},
    "a policy within, prefixed": MAY | {"odrl:policy": [{"odrl:prohibition": NEVER}]},
    "under a name of another context": MAY | {"never": [{"doing": "sell"}]},
    "within the target": MAY | {"target": {"@id": PLANS, "odrl:prohibition": NEVER}},
    "a target that is refined": MAY | {"target": {"@id": PLANS, "refinement": [{"leftOperand": "x"}]}},
    "two targets": MAY | {"odrl:target": "urn:other"},
    "within a list": MAY | {"edc:x": [[{"y": {"prohibition": NEVER}}]]},
    "inherited": MAY | {"odrl:inheritFrom": "urn:policy"},
    "a duty of the policy": MAY | {ODRL + "duty": [{"action": "odrl:delete"}]},
    "permissions prevail": MAY | {"odrl:conflict": {"@id": "odrl:perm"}},
    "an action that is refined": {"permission": [{"action": {"@id": "use", "refinement": [{"leftOperand": "x"}]}}]},
    "an action of two names": {"permission": [{"action": {"@id": "use", "@value": "odrl:read"}}]},
    "a permission that calls itself a prohibition": {"permission": [{"@type": "odrl:Prohibition", "action": "use"}]},
    "a prohibition in a permission": {"permission": [{"action": "use", "odrl:prohibition": NEVER}]},
}
# Members of the message, beside an honest policy.
BESIDE: dict[str, dict[str, Any]] = {
    "a second policy": {"dspace:offer": {"@id": "urn:o", "prohibition": NEVER}},
    "a second agreement": {"dspace:agreement": {"@id": "urn:o", ODRL + "prohibition": NEVER}},
    "a graph": {"@graph": [{"odrl:prohibition": NEVER}]},
    "included": {"@included": {"@id": f"{LONDON}/offers/o", "odrl:prohibition": NEVER}},
    "on a node of its own": {"dspace:dataset": {"@id": f"{LONDON}/offers/o", "odrl:prohibition": NEVER}},
    "a context further down": {"edc:x": {"@context": {"n": "odrl:prohibition"}, "n": NEVER}},
}


def message(kind: str, policy: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give a message of a kind with this policy; members that are None are left out."""
    name, more = ("agreement", AGREED) if kind == "agreement" else ("offer", {})
    whole = {"@id": f"{LONDON}/{name}s/o", "@type": name.capitalize(), "target": PLANS, **more, **policy}
    if policy.get("target", 1) is None:
        del whole["target"]
    return {"@context": [DSP_CONTEXT], **HEADS[kind], name: whole, **(beside or {})}


def heard_rules(kind: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read a message as a node does that heard it, and give the rules by which it would go on."""
    heard = read(said)
    if kind != "agreement":
        return heard.offer
    assert heard.agreement is not None
    return of_message(heard.agreement.document).rules


def counted(rules: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """Count the rules of our own spelling by kind and action."""
    said = [(kind, terms.action_named(one["action"])) for kind in terms.RULE_KINDS for one in rules.get(kind, [])]
    return Counter((kind, action.iri) for kind, action in said if action)


def expanded(said: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """Count the rules that JSON-LD finds, at any depth."""
    nodes = jsonld.flatten(dict(said), options={"documentLoader": kept})
    actions = {node["@id"]: node.get(ODRL + "action", [{}])[0].get("@id", "") for node in nodes}
    found: Counter[tuple[str, str]] = Counter()
    for node in nodes:
        for kind in terms.RULE_KINDS:
            found.update((kind, actions.get(each.get("@id"), "")) for each in node.get(ODRL + kind, []))
    return found


def kept(url: str, _options: object) -> dict[str, Any]:
    return {"document": {"@context": PROTOCOL_CONTEXTS[url]}, "documentUrl": url, "contextUrl": None}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("case", READ)
def test_rules_are_read_as_json_ld_says_them_in_every_spelling(kind: str, case: str):
    said = message(kind, READ[case])
    assert counted(heard_rules(kind, said)) == expanded(said) != Counter()


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("case", REFUSED)
def test_what_could_hide_a_rule_is_refused(kind: str, case: str):
    with pytest.raises(NodeError) as refused:
        heard_rules(kind, message(kind, REFUSED[case]))
    assert refused.value.fix


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("case", BESIDE)
def test_no_rule_stands_in_a_message_beside_its_policy(kind: str, case: str):
    with pytest.raises(NodeError, match="outside of its policy"):
        read(message(kind, MAY, BESIDE[case]))


@pytest.mark.parametrize("case", READ)
def test_a_catalogue_shows_every_rule_of_an_offer(case: str):
    policy = {name: value for name, value in READ[case].items() if "target" not in name}
    offer = Offer.of_catalogue({"@id": "urn:o", "@type": "Offer", **policy})
    assert {kind: len(rules) for kind, rules in offer.rules.items()} == Counter(
        kind for kind, _ in expanded(message("offer", policy)).elements()
    )


SIGNED: AgreementText = compose(f"{LONDON}/agreements/o", PLANS, LONDON, HELSINKI, 1_798_761_600_000, {}, MAY)


@pytest.mark.parametrize(
    "case", [case for case in {**READ, **REFUSED} if case not in ("types as they are", "permissions in two spellings")]
)
def test_a_signed_text_is_the_same_as_its_message_only_if_no_rule_is_added(case: str):
    policy = {**READ, **REFUSED}[case]
    whole = message("agreement", policy)["agreement"]
    adds = case in REFUSED or expanded(message("agreement", policy)) != expanded(message("agreement", MAY))
    assert _refused(lambda: same_as_message(SIGNED, whole)) == adds


def _refused(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (NodeError, Refuted):
        return True
    return False
