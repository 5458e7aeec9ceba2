"""What connectors do that are no cities, as EDC 0.15 and the conformance kit were seen to do it (`make interop-edc`).

EDC takes every member of a policy for a part of it. It compares the agreement that it gets with the offer that it asked
for, member by member but for the parties' and the dataset's, and refuses one that has more or less.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from node.federation.agreements.text import compose, dsp_agreement, of_message
from node.federation.dsp import messages
from node.federation.dsp.client import DspClient
from node.federation.dsp.documents import Catalog, Dataset
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.dsp.policies import NS_TEXT, Agreement, Offer
from node.federation.negotiations.wire import read
from node.outbound import Outbound
from tests.federation.fake_peer import KeptServer, Said
from tests.federation.peer_rig import FakeTokens

LONDON, HELSINKI = "https://london.test", "https://helsinki.test"
PLANS = f"{LONDON}/collections/plans"
UNTIL = {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": "2099-01-01T00:00:00Z"}
RULES: dict[str, Any] = {"permission": [{"action": "use", "constraint": [UNTIL]}]}
ABOUT = {"title": "Plans & maps", "covers": [PLANS], "note": "First line.\nÅland too."}
CONTEXTS = [DSP_CONTEXT, "https://w3id.org/edc/dspace/v0.0.1"]
# What EDC leaves out of its comparison, and what it has made something else of before.
_NOT_COMPARED = {"@type", "@id", "assigner", "assignee", "target", "timestamp"}


def compared(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Give what EDC compares: no names of clauses."""
    return {name: _nameless(value) for name, value in policy.items() if name not in _NOT_COMPARED}


def _nameless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nameless(each) for name, each in value.items() if name != "@id"}
    return [_nameless(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("about", [ABOUT, {}], ids=["with words beside it", "bare"])
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
def test_an_agreement_in_a_message_says_what_the_catalogue_said_and_no_more(about: dict[str, Any], *, signed: bool):
    seen = Offer(f"{LONDON}/offers/plans", "", RULES, about).document()
    text = compose(f"{LONDON}/agreements/a", PLANS, LONDON, HELSINKI, 1_800_000_000_000, about, RULES)
    if signed:
        text = text.with_proofs({"type": "DataIntegrityProof"})
    message = messages.ContractAgreement("p", "c", Agreement.read(dsp_agreement(text))).document()
    assert compared(message["agreement"]) == compared(seen)
    assert message.get(NS_TEXT, "") == (text.signed if signed else "")
    assert Agreement.read(dsp_agreement(text)) == messages.ContractAgreement.read(message).agreement


def test_a_request_as_edc_writes_it_is_read_with_nothing_beside_its_rules():
    offer = {"@id": f"{LONDON}/offers/plans", "@type": "Offer", **RULES, "assigner": LONDON, "target": PLANS}
    said = {"@id": "m", "@type": "ContractRequestMessage", "consumerPid": "c", "callbackAddress": f"{HELSINKI}/x"}
    heard = read({"@context": CONTEXTS, **said, "offer": offer})
    assert (heard.kind, heard.offer["target"], heard.about) == ("request", PLANS, None)


def test_an_agreement_as_edc_writes_it_is_read_without_signature():
    agreement = {
        "@id": "6e4c93a9-416e-411e-90fd-126e109e62a5",
        "@type": "Agreement",
        "permission": [{"action": "use"}],
        "assignee": HELSINKI,
        "assigner": LONDON,
        "target": "noise-map",
        "timestamp": "2026-11-22T03:03:05Z",
    }
    pids = {"providerPid": "p", "consumerPid": "c"}
    said = {"@context": CONTEXTS, "@id": "m", "@type": "ContractAgreementMessage", **pids, "agreement": agreement}
    found = messages.ContractAgreement.read(said).agreement
    assert (found.text, of_message(found.document).target) == ("", "noise-map")


def test_a_time_of_the_kit_has_more_digits_than_we_keep():
    agreement = {"@id": "a", "@type": "Agreement", "assigner": LONDON, "assignee": HELSINKI, "target": "t"}
    found = of_message({**agreement, **RULES, "timestamp": "2026-11-22T03:01:46.123456789Z"})
    assert found.timestamp == "2026-11-22T03:01:46Z"


def test_a_catalogue_of_edc_without_data_plane_has_datasets_that_cannot_be_got():
    dataset = {"@id": "noise-map", "@type": "Dataset", "distribution": [], "edc:name": "Noise map", "id": "noise-map"}
    offer = {"@id": "ZGVm:bm9pc2UtbWFw:ZGE3", "@type": "Offer", "permission": [{"action": "use"}]}
    service = {"@id": "s", "@type": "DataService", "endpointDescription": "dspace:connector", "endpointURL": LONDON}
    page = {"@id": "c", "@type": "Catalog", "dataset": [{**dataset, "hasPolicy": [offer]}], "service": [service]}
    found = Catalog.read({**page, "participantId": LONDON, "@context": CONTEXTS}).datasets
    assert found == (Dataset("noise-map", (Offer(offer["@id"], "", {"permission": [{"action": "use"}]}, {}, ()),), ()),)


@pytest.fixture
def peer() -> Iterator[KeptServer]:
    with KeptServer() as server:
        yield server


@pytest.fixture
def client() -> Iterator[DspClient]:
    outbound = Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="citynode/t")
    yield DspClient(outbound, FakeTokens())
    outbound.close()


@pytest.mark.parametrize("kind", [{}, {"Content-Type": "application/json;charset=utf-8"}], ids=["unsaid", "said"])
def test_an_answer_is_read_even_if_it_does_not_say_that_it_is_json(
    client: DspClient, peer: KeptServer, kind: dict[str, str]
):
    standing = messages.ContractNegotiation("p", "c", "REQUESTED")
    peer.says["/x"] = Said(json.dumps(standing.document()).encode(), 200, kind)
    assert client.send(peer.url, f"{peer.url}/x", {}) == standing


@pytest.mark.parametrize("body", [b"", b"fine"])
@pytest.mark.parametrize("kind", [{}, {"Content-Type": "text/plain"}], ids=["unsaid", "text"])
def test_an_answer_that_says_nothing_is_taken_for_a_yes(
    client: DspClient, peer: KeptServer, kind: dict[str, str], body: bytes
):
    peer.says["/x"] = Said(body, 200, kind)
    assert client.send(peer.url, f"{peer.url}/x", {}) is None


def test_an_empty_answer_that_calls_itself_json_is_taken_for_a_yes(client: DspClient, peer: KeptServer):
    peer.says["/x"] = Said(b"", 200, {"Content-Type": "application/json"})
    assert client.send(peer.url, f"{peer.url}/x", {}) is None
