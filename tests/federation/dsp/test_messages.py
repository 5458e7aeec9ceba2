"""Messages of the protocol: what is written reads back as the same, what is bent is refused and its fault named."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from node.errors import Malformed, NodeError, TooLarge
from node.federation.dsp import messages
from node.federation.dsp.messages import DSP_CONTEXT, object_of, pids_of, read
from node.federation.dsp.policies import NS_ABOUT, NS_TEXT, Agreement, Offer

RULES: dict[str, Any] = {"permission": [{"action": "use"}], "prohibition": [{"action": "odrl:derive"}]}
OFFER = Offer("https://london.test/offers/o", "https://london.test/collections/plans", RULES, {"title": "Plans"})
AGREEMENT = {
    "@id": "https://london.test/agreements/a",
    "@type": "Agreement",
    "target": "https://london.test/collections/plans",
    "assigner": "https://london.test",
    "assignee": "https://helsinki.test",
    "timestamp": "2027-01-01T00:00:00Z",
    **RULES,
    NS_ABOUT: '{"title":"Plans"}',
    NS_TEXT: "{}",
}
EVERY: list[messages.Message] = [
    messages.ContractRequest("c", OFFER, callback="https://helsinki.test/dsp"),
    messages.ContractRequest("c", OFFER, provider_pid="p"),
    messages.ContractOffer("p", OFFER, callback="https://london.test/dsp"),
    messages.ContractOffer("p", OFFER, consumer_pid="c"),
    messages.ContractAgreement("p", "c", Agreement.read(AGREEMENT)),
    messages.AgreementVerification("p", "c"),
    messages.AgreementVerification("p", "c", '{"proof":1}'),
    messages.NegotiationEvent("p", "c", "ACCEPTED"),
    messages.NegotiationTermination("p", "c", "no-title", ("Give it a title.",)),
    messages.NegotiationTermination("p", "c"),
    messages.ContractNegotiation("p", "c", "REQUESTED"),
    messages.NegotiationError("p", "c", "malformed", ("No.",)),
]
Bend = Callable[[dict[str, Any]], object]


def request(**changes: Any) -> dict[str, Any]:
    honest = messages.ContractRequest("c", OFFER, callback="https://helsinki.test/dsp").document()
    return {name: value for name, value in {**honest, **changes}.items() if value is not None}


@pytest.mark.parametrize("message", EVERY, ids=lambda message: type(message).__name__)
def test_what_is_written_reads_back_as_the_same(message: messages.Message):
    assert read(object_of(json.dumps(message.document()).encode())) == message


@pytest.mark.parametrize("message", EVERY, ids=lambda message: type(message).__name__)
def test_every_member_that_is_there_is_needed_or_plainly_optional(message: messages.Message):
    optional = {"code", "reason", "callbackAddress"} | {name for name in message.document() if ":" in name}
    lenient = {"providerPid", "consumerPid"} if isinstance(message, messages.NegotiationError) else set()
    for name in message.document().keys() - optional - lenient:
        with pytest.raises(Malformed):
            read({key: value for key, value in message.document().items() if key != name})


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"@context": DSP_CONTEXT}, "@context"),
        ({"@context": ["https://example.org/context"]}, "@context"),
        ({"@context": [DSP_CONTEXT, {"use": "https://evil.example/"}]}, "@context"),
        ({"@context": [DSP_CONTEXT] * 21}, "@context"),
        ({"@type": ["ContractRequestMessage"]}, "@type"),
        ({"@type": "Contract"}, "@type"),
        ({"consumerPid": ""}, "consumerPid"),
        ({"consumerPid": 7}, "consumerPid"),
        ({"consumerPid": "x" * 501}, "consumerPid"),
        ({"consumerPid": "a\nb"}, "control"),
        ({"consumerPid": "a\x85b"}, "control"),
        ({"consumerPid": "a\u202eb"}, "control"),
        ({"consumerPid": {"@id": "a\x9bb"}}, "control"),
        ({"consumerPid": ".."}, "step of a path"),
        ({"consumerPid": "../../x"}, "step of a path"),
        ({"consumerPid": "a/b"}, "step of a path"),
        ({"consumerPid": "a\\b"}, "step of a path"),
        ({"consumerPid": "a b"}, "step of a path"),
        ({"callbackAddress": None, "providerPid": "a/.."}, "step of a path"),
        ({"callbackAddress": "https://helsinki.test/dsp?x="}, "query"),
        ({"callbackAddress": "https://helsinki.test/dsp#x"}, "query"),
        ({"offer": {**OFFER.document(), "@id": "https://london.test/\u202eo"}}, "control"),
        ({"providerPid": "p"}, "Exactly one"),
        ({"callbackAddress": None}, "Exactly one"),
        ({"offer": None}, "offer"),
        ({"offer": []}, "offer"),
        ({"offer": {**OFFER.document(), "@type": "Set"}}, "Offer"),
        ({"offer": {"@id": "o", "@type": "Offer"}}, "no permission"),
        ({"offer": {**OFFER.document(), "permission": "all"}}, "permission"),
        ({"offer": {**OFFER.document(), "permission": [{"action": "use", "target": "t"}]}}, "target"),
        ({"offer": {**OFFER.document(), "permission": [{"action": "use"}] * 101}}, "100 rules"),
        ({"offer": {**OFFER.document(), NS_ABOUT: '{"title":"a","title":"b"}'}}, "twice"),
        ({"offer": {**OFFER.document(), NS_ABOUT: '{"secret":"terms"}'}}, "beside the rules"),
        ({"offer": {**OFFER.document(), NS_ABOUT: "[]"}}, "no JSON object"),
    ],
)
def test_a_bent_message_is_refused_with_its_fault_named(changes: dict[str, Any], names: str):
    with pytest.raises(Malformed, match=names):
        read(request(**changes))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nothing",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"a":' * 30 + b"1" + b"}" * 30,
        b'{"a": "' + b"x" * (256 * 1024) + b'"}',
        b"[" * 200_000,
    ],
)
def test_a_body_is_one_plain_object_of_a_bounded_size_and_depth(body: bytes):
    with pytest.raises((Malformed, TooLarge)):
        object_of(body)


def test_what_connectors_write_otherwise_is_taken():
    said = request(
        consumerPid={"@id": "c"},
        offer={**OFFER.document(), "permission": RULES["permission"][0], "prohibition": [], "extra": 1},
        extra={"more": 1},
    )
    found = read(said)
    assert isinstance(found, messages.ContractRequest)
    assert (found.consumer_pid, found.offer.rules) == ("c", {"permission": RULES["permission"]})
    event = messages.NegotiationEvent("p", "c", "FINALIZED").document()
    assert read({**event, "eventType": "dspace:FINALIZED"}) == messages.NegotiationEvent("p", "c", "FINALIZED")


def test_reasons_are_shown_as_plain_texts_whatever_they_are():
    said = messages.NegotiationTermination("p", "c").document()
    told = ["one", {"@value": "zwei", "@language": "de"}, {"deep": [1]}, "a\x1b[31mred", *["more"] * 30]
    found = read({**said, "reason": told})
    assert isinstance(found, messages.NegotiationTermination)
    assert found.reasons[:4] == ("one", "zwei", '{"deep": [1]}', "a [31mred")
    assert len(found.reasons) == 20


@pytest.mark.parametrize(
    ("said", "pids"),
    [
        ({}, ("", "")),
        ({"consumerPid": "c", "providerPid": "p"}, ("c", "p")),
        ({"consumerPid": 1, "providerPid": "p\x00"}, ("", "")),
    ],
)
def test_pids_are_told_as_far_as_they_can_be_read(said: dict[str, Any], pids: tuple[str, str]):
    assert pids_of(said) == pids


def test_errors_are_of_our_tree_whatever_stands_in_a_message():
    values = [None, 1, True, "x", [], {}, [[]], {"@id": 1}, {"@value": 1}]
    for message in EVERY:
        for name in message.document():
            for value in values:
                try:
                    read({**message.document(), name: value})
                except NodeError:
                    continue
