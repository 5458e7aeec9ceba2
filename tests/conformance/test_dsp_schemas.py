"""The published schemas, examples and contexts of the Dataspace Protocol 2025-1 against our messages.

Every example that is ours to read is read; every message we write validates; and what we write means in linked data
what the published context says, in whatever order messages are read (PyLD with the published context loses whole
agreements, depending on the order; see `node.vocab.protocol_contexts`). rdflib with the published files is the judge.
Not ours yet are transfers (7 of 7), whose schemas are only held to their known defect.
"""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator
from pyld import jsonld
from rdflib import Graph
from rdflib.compare import isomorphic
from rdflib.plugins.shared.jsonld import context as rdflib_context
from referencing import Registry, Resource

from node.errors import Malformed
from node.federation.dsp import messages
from node.federation.dsp.documents import (
    Catalog,
    CatalogError,
    CatalogRequest,
    Dataset,
    own_versions,
    read_versions,
    versions_document,
)
from node.vocab.protocol_contexts import DSP_CONTEXT, PROTOCOL_CONTEXTS
from tests.federation.dsp.test_documents import CATALOG, DATASET
from tests.federation.dsp.test_messages import EVERY

ODRL_PART = "https://w3id.org/dspace/2025/1/odrl-profile.jsonld"
ROOT = "https://w3id.org/dspace/2025/1/"
# No message of the HTTPS binding, which asks for a dataset by its address.
WITHOUT_MESSAGE = {"dataset-request-message", "catalogservice-did-service"}
NAMES = {
    "Catalog": "catalog/catalog",
    "CatalogError": "catalog/catalog-error",
    "CatalogRequestMessage": "catalog/catalog-request-message",
    "Dataset": "catalog/dataset",
    "ContractRequestMessage": "negotiation/contract-request-message",
    "ContractOfferMessage": "negotiation/contract-offer-message",
    "ContractAgreementMessage": "negotiation/contract-agreement-message",
    "ContractAgreementVerificationMessage": "negotiation/contract-agreement-verification-message",
    "ContractNegotiationEventMessage": "negotiation/contract-negotiation-event-message",
    "ContractNegotiationTerminationMessage": "negotiation/contract-negotiation-termination-message",
    "ContractNegotiation": "negotiation/contract-negotiation",
    "ContractNegotiationError": "negotiation/contract-negotiation-error",
}
READERS: dict[str, Callable[[Any], Any]] = {
    "Catalog": Catalog.read,
    "CatalogError": CatalogError.read,
    "CatalogRequestMessage": CatalogRequest.read,
    "Dataset": Dataset.read_root,
}
EDC_FILTER = {"@type": "QuerySpec", "offset": 0, "limit": 50, "filterExpression": []}
OURS: list[dict[str, Any]] = [
    *(message.document() for message in EVERY),
    CATALOG.document(),
    Catalog("https://london.test/catalog", "https://london.test").document(),
    DATASET.document(root=True),
    CatalogRequest().document(),
    CatalogRequest((EDC_FILTER,)).document(),
    CatalogError("malformed", ("No.",)).document(),
    CatalogError().document(),
]


@pytest.fixture(scope="module")
def folder(sample_data: Path) -> Path:
    return sample_data / "standards" / "dataspace-protocol"


@pytest.fixture(scope="module")
def registry(folder: Path) -> Registry[Any]:
    found = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*/*-schema.json"))]
    return Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in found)


@pytest.fixture(scope="module")
def examples(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*/example/*.json"))}


def read(document: dict[str, Any]) -> Any:
    if "protocolVersions" in document:
        return read_versions(document)
    return READERS.get(document.get("@type", ""), messages.read)(document)


def written(value: Any) -> dict[str, Any]:
    if isinstance(value, tuple):
        return versions_document(value)
    return value.document(root=True) if isinstance(value, Dataset) else value.document()


def errors_of(registry: Registry[Any], name: str, document: dict[str, Any]) -> list[str]:
    schema = registry.get_or_retrieve(f"{ROOT}{name}-schema.json").value.contents
    return [error.message for error in Draft201909Validator(schema, registry=registry).iter_errors(document)]


def check(registry: Registry[Any], name: str, document: dict[str, Any]) -> None:
    assert errors_of(registry, name, document) == [], document


def is_read(document: dict[str, Any]) -> bool:
    try:
        read(document)
    except Malformed:
        return False
    return True


# ---------------------------------------------------------------- schemas and examples


def test_every_example_is_read_and_written_back_as_the_schemas_want(
    registry: Registry[Any], examples: dict[str, dict[str, Any]]
):
    held = {stem: each for stem, each in examples.items() if not stem.startswith("transfer")}
    assert held.keys() >= WITHOUT_MESSAGE
    assert len(held) >= 13
    for stem in held.keys() - WITHOUT_MESSAGE:
        found = read(held[stem])
        again = written(found)
        name = NAMES.get(again.get("@type", ""), "common/protocol-version")
        check(registry, name, again)
        assert read(again) == found, stem


@pytest.mark.parametrize("document", OURS, ids=lambda document: document["@type"])
def test_every_message_of_ours_validates(registry: Registry[Any], document: dict[str, Any]):
    check(registry, NAMES[document["@type"]], document)


def test_our_version_document_validates(registry: Registry[Any]):
    check(registry, "common/protocol-version", own_versions("https://london.test"))


def test_what_the_schemas_refuse_our_reader_refuses(registry: Registry[Any]):
    """Take each needed member away from each message of ours: whatever the schema then says, we say too."""
    for message in EVERY:
        document = message.document()
        for name in document.keys() - {"@context"}:
            bent = {key: value for key, value in document.items() if key != name}
            schema_takes = not errors_of(registry, NAMES[document["@type"]], bent)
            we_take = is_read(bent)
            lenient = isinstance(message, messages.NegotiationError)
            assert we_take == schema_takes or lenient, (document["@type"], name)


# ---------------------------------------------------------------- what they mean


def published(folder: Path) -> dict[str, Any]:
    files = {DSP_CONTEXT: "dspace.jsonld", ODRL_PART: "odrl.jsonld"}
    return {url: json.loads((folder / "context" / name).read_bytes()) for url, name in files.items()}


def test_our_flattened_context_says_what_the_published_one_says(folder: Path):
    files = published(folder)
    wanted, odrl = files[DSP_CONTEXT]["@context"], files[ODRL_PART]["@context"]
    part = {name: value for name, value in odrl.items() if name != "odrl"}
    for value in wanted.values():
        scoped = value.get("@context", {}) if isinstance(value, dict) else {}
        if scoped.pop("@import", None):
            value["@context"] = {**part, **scoped}
    assert PROTOCOL_CONTEXTS[DSP_CONTEXT] == wanted


def by_rdflib(folder: Path, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Graph:
    """Read with the published files, as they are."""
    files = published(folder)
    monkeypatch.setattr(rdflib_context, "source_to_json", lambda url, *_, **__: (deepcopy(files[str(url)]), None))
    body = json.dumps(document)
    return Graph().parse(data=body, format="json-ld", base="https://base.test/")


def by_pyld(document: dict[str, Any]) -> Graph:
    """Read with our flattened context."""

    def load(url: str, options: Any) -> dict[str, Any]:
        kept = {"@context": deepcopy(PROTOCOL_CONTEXTS[url])}
        return {"contextUrl": None, "documentUrl": url, "document": kept, "contentType": "application/ld+json"}

    options = {"base": "https://base.test/", "documentLoader": load, "format": "application/n-quads"}
    return Graph().parse(data=jsonld.to_rdf(document, options), format="nt")


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_nothing_is_lost_in_whatever_order_messages_are_read(
    folder: Path, examples: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    plain = [each for stem, each in examples.items() if "@type" in each and "did-service" not in stem]
    documents = plain + [each for each in OURS if "filter" not in each]
    wanted = [by_rdflib(folder, each, monkeypatch) for each in documents]
    assert all(wanted)
    order = list(range(len(documents)))
    for seed in range(3):
        random.Random(seed).shuffle(order)
        for number in order:
            assert isomorphic(by_pyld(documents[number]), wanted[number]), documents[number]["@type"]
