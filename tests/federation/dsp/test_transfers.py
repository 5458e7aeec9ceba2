"""Messages of transfers: what is written reads back as the same, what is bent is refused and its fault named."""

import json
from typing import Any

import pytest

from node.errors import Malformed, TooLarge
from node.federation.dsp import transfers
from node.federation.dsp.fields import DSP_CONTEXT, object_of
from node.federation.dsp.transfers import property_of, read
from node.federation.moving import MAX_ANSWER, NS_DATASET, NS_JKT, NS_PART, NS_PURPOSE, NS_RECEIPT

NAMED = {"@type": "EndpointProperty", "name": "authorization", "value": "token"}
ADDRESS: dict[str, Any] = {
    "@type": "DataAddress",
    "endpointType": transfers.HTTP_ENDPOINT,
    "endpoint": "https://london.test/data/p",
    "endpointProperties": [NAMED],
}
CALLBACK = "https://helsinki.test/dsp"
EVERY: list[transfers.Message] = [
    transfers.TransferRequest("c", "urn:a", "HttpData-PULL", CALLBACK),
    transfers.TransferRequest("c", "urn:a", "HttpData-PUSH", CALLBACK, ADDRESS, "urn:d", "a.csv", "urn:why", "thumb"),
    transfers.TransferStart("p", "c"),
    transfers.TransferStart("p", "c", ADDRESS),
    transfers.TransferSuspension("p", "c", "break", ("Wait.",)),
    transfers.TransferSuspension("p", "c"),
    transfers.TransferTermination("p", "c", "revoked", ("Agree anew.",)),
    transfers.TransferCompletion("p", "c"),
    transfers.TransferCompletion("p", "c", '{"type":\n"TransferReceipt"}'),
    transfers.TransferProcess("p", "c", "STARTED"),
    transfers.TransferProcess("p", "c", "COMPLETED", "{}"),
    transfers.TransferError("p", "c", "malformed", ("No.",)),
]


def request(**changes: Any) -> dict[str, Any]:
    honest = transfers.TransferRequest("c", "urn:a", "HttpData-PUSH", CALLBACK, ADDRESS).document()
    return {name: value for name, value in {**honest, **changes}.items() if value is not None}


@pytest.mark.parametrize("message", EVERY, ids=lambda message: type(message).__name__)
def test_what_is_written_reads_back_as_the_same(message: transfers.Message):
    assert read(object_of(json.dumps(message.document()).encode())) == message


@pytest.mark.parametrize("message", EVERY, ids=lambda message: type(message).__name__)
def test_every_member_that_is_there_is_needed_or_plainly_optional(message: transfers.Message):
    optional = {"code", "reason", "dataAddress"} | {name for name in message.document() if ":" in name}
    lenient = {"providerPid", "consumerPid"} if isinstance(message, transfers.TransferError) else set()
    for name in message.document().keys() - optional - lenient:
        with pytest.raises(Malformed):
            read({key: value for key, value in message.document().items() if key != name})


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"@context": DSP_CONTEXT}, "@context"),
        ({"@type": "TransferMessage"}, "@type"),
        ({"@type": ["TransferRequestMessage"]}, "@type"),
        ({"consumerPid": "../x"}, "step of a path"),
        ({"consumerPid": 7}, "consumerPid"),
        ({"agreementId": None}, "agreementId"),
        ({"agreementId": "a\nb"}, "control"),
        ({"format": None}, "format"),
        ({"callbackAddress": None}, "callbackAddress"),
        ({"callbackAddress": f"{CALLBACK}?x=1"}, "query"),
        ({"callbackAddress": f"{CALLBACK}#x"}, "query"),
        ({"dataAddress": "https://a.test"}, "DataAddress"),
        ({"dataAddress": [ADDRESS]}, "DataAddress"),
        ({"dataAddress": {**ADDRESS, "@type": "Address"}}, "DataAddress"),
        ({"dataAddress": {**ADDRESS, "endpointType": 7}}, "endpointType"),
        ({"dataAddress": {**ADDRESS, "endpoint": "x" * 2_001}}, "endpoint"),
        ({"dataAddress": {**ADDRESS, "endpointProperties": [NAMED] * 51}}, "endpointProperties"),
        ({"dataAddress": {**ADDRESS, "endpointProperties": ["x"]}}, "endpointProperties"),
        ({"dataAddress": {**ADDRESS, "endpointProperties": [{"name": "authorization"}]}}, "value"),
        ({"dataAddress": {**ADDRESS, "endpointProperties": [{**NAMED, "value": "x" * 8_193}]}}, "value"),
        ({NS_DATASET: 7}, "dataset"),
        ({NS_PART: ["a"]}, "part"),
        ({NS_PURPOSE: "x" * 501}, "purpose"),
        ({NS_JKT: "a\u202eb"}, "control"),
    ],
)
def test_a_bent_request_is_refused_with_its_fault_named(changes: dict[str, Any], names: str):
    with pytest.raises(Malformed, match=names):
        read(request(**changes))


def test_an_address_is_bounded_as_a_whole():
    many = [{**NAMED, "value": "x" * 8_000}] * 5
    with pytest.raises(TooLarge):
        read(request(dataAddress={**ADDRESS, "endpointProperties": many}))


@pytest.mark.parametrize("receipt", [7, "x" * (MAX_ANSWER + 1), {"type": "TransferReceipt"}])
@pytest.mark.parametrize("name", ["TransferCompletionMessage", "TransferProcess"])
def test_a_receipt_is_a_text_within_its_bound(name: str, receipt: object):
    said = {"@context": [DSP_CONTEXT], "@type": name, "providerPid": "p", "consumerPid": "c", "state": "COMPLETED"}
    with pytest.raises(Malformed, match="receipt"):
        read({**said, NS_RECEIPT: receipt})


def test_a_state_is_one_of_the_protocol_in_any_of_its_spellings():
    said = {"@context": [DSP_CONTEXT], "@type": "TransferProcess", "providerPid": "p", "consumerPid": "c"}
    for state in ("STARTED", "dspace:STARTED", "https://w3id.org/dspace/2025/1/STARTED"):
        assert read({**said, "state": state}) == transfers.TransferProcess("p", "c", "STARTED")
    with pytest.raises(Malformed):
        read({**said, "state": "RUNNING"})


def test_edc_writes_the_endpoint_among_the_properties_and_it_is_found():
    edc = "https://w3id.org/edc/v0.0.1/ns/"
    bare = {"@type": "DataAddress", "endpointType": "HttpData"}
    for name in ("endpoint", "baseUrl"):
        where = {"@type": "EndpointProperty", "name": edc + name, "value": "https://sink.test/x"}
        found = read(request(dataAddress={**bare, "endpointProperties": [where]}))
        assert isinstance(found, transfers.TransferRequest)
        assert found.address["endpoint"] == "https://sink.test/x"
        assert property_of(found.address, name) == "https://sink.test/x"
    assert property_of(ADDRESS, "authorization") == "token"
    assert property_of({}, "authorization") == ""


def test_a_token_is_in_no_representation_of_a_message_that_is_logged():
    assert "token" not in repr(transfers.TransferStart("p", "c", ADDRESS))
