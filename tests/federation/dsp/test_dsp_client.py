"""The client of the protocol against a connector that says what it likes, over real connections."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from node.errors import (
    ForbiddenAddress,
    Malformed,
    NodeError,
    NotFound,
    PeerUnreachable,
    Refused,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
)
from node.federation.dsp.client import MAX_ANSWER_BYTES, DspClient, below, next_page
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.dsp.messages import ContractNegotiation, NegotiationError
from node.outbound import Outbound
from tests.federation.fake_peer import KeptServer, Said
from tests.federation.peer_rig import FakeTokens

STANDING = ContractNegotiation("p", "c", "REQUESTED")
EVENT = {"@type": "Anything"}


def told(value: Any, status: int = 200, **headers: str) -> Said:
    return Said(json.dumps(value).encode(), status, {"Content-Type": "application/json", **headers})


def versions(*paths: str, **more: Any) -> dict[str, Any]:
    listed = [{"version": "2025-1", "path": path, "binding": "HTTPS", **more} for path in paths]
    return {"protocolVersions": [{"version": "2024-1", "path": "/old", "binding": "HTTPS"}, *listed]}


def catalog(*datasets: str) -> dict[str, Any]:
    listed = [{"@id": name, "@type": "Dataset", "hasPolicy": []} for name in datasets]
    return {
        "@context": [DSP_CONTEXT],
        "@id": "c",
        "@type": "Catalog",
        "participantId": "p",
        **({"dataset": listed} if listed else {}),
    }


@pytest.fixture
def peer() -> Iterator[KeptServer]:
    with KeptServer() as server:
        server.says["/.well-known/dspace-version"] = told(versions("/dsp"))
        yield server


@pytest.fixture
def tokens() -> FakeTokens:
    return FakeTokens()


@pytest.fixture
def client(tokens: FakeTokens) -> Iterator[DspClient]:
    outbound = Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="citynode/t")
    yield DspClient(outbound, tokens, others={"dcp": FakeTokens(forgotten=9)})
    outbound.close()


def test_the_version_document_is_asked_for_once_and_without_a_token(client: DspClient, peer: KeptServer):
    assert client.version(peer.url).base == f"{peer.url}/dsp"
    assert client.endpoints(peer.url) == f"{peer.url}/dsp"
    assert [("authorization" in each.headers) for each in peer.requests] == [False]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"protocolVersions": [{"version": "2024-1", "path": "/", "binding": "HTTPS"}]},
        versions("https://elsewhere.example/dsp"),
        versions("/../secrets"),
        versions("/%2e%2e/secrets"),
        [],
    ],
)
def test_a_place_that_is_not_the_peers_is_refused(client: DspClient, peer: KeptServer, document: Any):
    peer.says["/.well-known/dspace-version"] = told(document)
    with pytest.raises(Refused):
        client.version(peer.url)


def test_a_catalogue_is_read_page_by_page(client: DspClient, peer: KeptServer):
    pages = iter(
        [
            told(catalog("a"), Link=f'<{peer.url}/dsp/catalog/request?continuationToken=2>; rel="next"'),
            told(catalog("b"), Link='<request?continuationToken=3>; rel=next, <request?x>; rel="prev"'),
            told(catalog(), Link=f'<{peer.url}/dsp/catalog/request>; rel="prev"'),
        ]
    )
    peer.says["/dsp/catalog/request"] = lambda request, heard: _say(request, next(pages))
    found = [each.iri for page in client.catalogue(peer.url) for each in page.datasets]
    asked = [each.path for each in peer.requests if each.method == "POST"]
    assert found == ["a", "b"]
    assert asked == [
        "/dsp/catalog/request",
        "/dsp/catalog/request?continuationToken=2",
        "/dsp/catalog/request?continuationToken=3",
    ]


def test_a_catalogue_that_leads_round_in_circles_ends(client: DspClient, peer: KeptServer):
    peer.says["/dsp/catalog/request"] = told(catalog("a"), Link="</dsp/catalog/request>; rel=next")
    assert len(list(client.catalogue(peer.url))) == 1


def test_a_link_to_another_place_is_not_followed(client: DspClient, peer: KeptServer):
    peer.says["/dsp/catalog/request"] = told(catalog("a"), Link="<https://elsewhere.example/>; rel=next")
    with pytest.raises(ForbiddenAddress):
        list(client.catalogue(peer.url))


def test_a_dataset_is_asked_for_by_its_encoded_iri(client: DspClient, peer: KeptServer):
    dataset = {"@context": [DSP_CONTEXT], "@id": "https://x/y?z", "@type": "Dataset", "hasPolicy": []}
    peer.says["/dsp/catalog/datasets/https%3A%2F%2Fx%2Fy%3Fz"] = told(dataset)
    assert client.dataset(peer.url, "https://x/y?z").iri == "https://x/y?z"


@pytest.mark.parametrize("status", [200, 201])
def test_a_message_is_taken_with_either_status_and_any_plain_answer(client: DspClient, peer: KeptServer, status: int):
    peer.says["/dsp/a"] = told(STANDING.document(), status)
    assert client.send(peer.url, f"{peer.url}/dsp/a/", EVENT) == STANDING
    for said in (Said(b"", status), told({}, status), Said(b"ok", status, {"Content-Type": "text/plain"})):
        peer.says["/dsp/a"] = said
        assert client.send(peer.url, f"{peer.url}/dsp/a", EVENT) is None


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (told(NegotiationError("p", "c", "conflict", ("Wait.",)).document(), 400), Refused, "conflict.*Wait"),
        (told({"type": "https://x/problems/forbidden", "detail": "No."}, 403), Refused, "forbidden.*No"),
        (Said(b"<html>", 404), NotFound, "404"),
        (Said(b"\xff\xfe", 401), Unauthenticated, "401"),
        (Said(b"", 429, {"Retry-After": "9"}), TooManyRequests, "429"),
        (Said(b"", 302, {"Location": "https://elsewhere.example/"}), PeerUnreachable, "302"),
        (Said(b"", 500), PeerUnreachable, "500"),
        (told({"x": "y" * MAX_ANSWER_BYTES}), TooLarge, "bytes"),
        (Said(b'{"@type": "x", "@type": "y"}', 200, {"Content-Type": "application/json"}), Malformed, "twice"),
        (told({"@type": "ContractNegotiation"}), Malformed, "@context"),
    ],
)
def test_what_else_is_answered_becomes_an_error_of_ours(
    client: DspClient, peer: KeptServer, said: Said, kind: type[NodeError], words: str
):
    peer.says["/dsp/a"] = said
    with pytest.raises(kind, match=words):
        client.send(peer.url, f"{peer.url}/dsp/a", EVENT)


def test_a_token_that_ran_out_is_renewed_once(client: DspClient, peer: KeptServer, tokens: FakeTokens):
    peer.says["/dsp/a"] = Said(b"", 401, {"WWW-Authenticate": 'DPoP error="invalid_token"'})
    with pytest.raises(Unauthenticated):
        client.state(peer.url, f"{peer.url}/dsp/a")
    assert [each.headers["authorization"] for each in peer.requests[1:]] == ["DPoP token-0", "DPoP token-1"]


@pytest.mark.parametrize(
    ("protocols", "shown"), [(["DCP"], "9"), (["OAuth"], "0"), (["DCP", "OAuth"], "0"), (["x"], "0")]
)
def test_a_connector_is_shown_what_it_takes(client: DspClient, peer: KeptServer, protocols: list[str], shown: str):
    listed = [versions("/dsp", auth={"protocol": name, "version": "1"})["protocolVersions"][1] for name in protocols]
    peer.says["/.well-known/dspace-version"] = told({"protocolVersions": listed})
    peer.says["/dsp/catalog/request"] = told(catalog())
    list(client.catalogue(peer.url))
    assert peer.requests[-1].headers["authorization"] == f"DPoP token-{shown}"


def test_a_peer_without_a_version_document_is_answered_all_the_same(client: DspClient, peer: KeptServer):
    del peer.says["/.well-known/dspace-version"]
    peer.says["/dsp/a"] = Said(b"")
    for _ in range(2):
        assert client.send(peer.url, f"{peer.url}/dsp/a", EVENT) is None
    assert [each.path for each in peer.requests] == ["/.well-known/dspace-version", "/dsp/a", "/dsp/a"]


def test_nothing_is_sent_to_an_address_of_another(client: DspClient, tokens: FakeTokens, peer: KeptServer):
    with pytest.raises(ForbiddenAddress):
        client.send(peer.url, "http://127.0.0.1:9/dsp", EVENT)
    assert (tokens.given, peer.requests) == ([], [])


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example",
        "https://a.example/city/",
        "https://a.example/city/dsp?x=1",
        "https://a.example/city/dsp/negotiations/urn%3Auuid%3A1",
    ],
)
def test_what_lies_below_a_base_url_does(address: str):
    base = "https://a.example/city" if "city" in address else "https://a.example"
    assert below(base, address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example/citytwo/x",
        "https://a.example.evil/city",
        "https://a.example/city@evil.example/",
        "https://a.example/city/../x",
        "https://a.example/city/%2e%2E/x",
        "https://a.example/city/%252e%252e/x",
        "https://a.example/city/..%2fx",
        "https://a.example/city/..\\x",
        "https://a.example/city/./x",
        "https://a.example/city/x#y",
        "https://a.example/city/x y",
        "https://a.example/city/ä",
        "https://a.example/city/" + "x" * 2_000,
        "http://a.example/city",
        "",
    ],
)
def test_what_does_not_or_might_not_is_refused(address: str):
    with pytest.raises(ForbiddenAddress):
        below("https://a.example/city", address)


@pytest.mark.parametrize(
    ("links", "wanted"),
    [
        ("", ""),
        ("<https://a.example/n>; rel=next", "https://a.example/n"),
        (
            '<https://a.example/p>; rel="prev", <https://a.example/n>; title="a, b"; rel="next last"',
            "https://a.example/n",
        ),
        ('</n?t=1,2>; REL="NEXT"', "https://a.example/n?t=1,2"),
        ("<https://a.example/n>; rev=next", ""),
        ("nonsense; rel=next", ""),
    ],
)
def test_the_next_page_is_the_one_with_that_relation(links: str, wanted: str):
    assert next_page("https://a.example", "https://a.example/catalog/request", links) == wanted


def _say(request: Any, said: Said) -> None:
    from tests.federation.fake_peer import say

    say(request, said)
