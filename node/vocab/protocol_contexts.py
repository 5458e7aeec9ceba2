"""The JSON-LD contexts of the Dataspace Protocol 2025-1 and of EDC's additions, so that none is ever fetched.

Written out of one table and *flattened*: the published context imports its ODRL part into several scoped contexts, and
PyLD takes the first import for all later ones, which silently drops whole agreements, depending on the order in which
messages are read. With the terms in place instead of the import, every order gives the same graph (a test permutes
them). What a term of the protocol means is exactly as published; another test compares. Of EDC's context stands here
what its filter of catalogues needs.
"""

from collections.abc import Mapping
from typing import Any

DSP_CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
EDC_CONTEXT = "https://w3id.org/edc/dspace/v0.0.1"

_ID = "@id"
_STATES = "ACCEPTED FINALIZED REQUESTED STARTED COMPLETED SUSPENDED TERMINATED OFFERED AGREED VERIFIED"
_ODRL_WORDS = (
    "Policy Rule prohibit Agreement Assertion Offer Set Asset Action Permission Prohibition use Duty Constraint"
    " Operator RightOperand rightOperand LeftOperand eq gt gteq lt lteq neq isA hasPart isPartOf isAllOf isAnyOf"
    " isNoneOf or xone and andSequence"
)
_ODRL_LINKS = "profile hasPolicy target assignee assigner"
_ODRL_LISTS = "permission prohibition obligation duty constraint"
_ODRL_TERMS = "action operator leftOperand"


def _links(prefix: str, names: str, kind: str = _ID) -> dict[str, Any]:
    return {name: {"@type": kind, "@id": f"{prefix}:{name}"} for name in names.split()}


def _sets(prefix: str, names: str) -> dict[str, Any]:
    return {name: {"@id": f"{prefix}:{name}", "@container": "@set"} for name in names.split()}


def _plain(prefix: str, names: str) -> dict[str, Any]:
    return {name: f"{prefix}:{name}" for name in names.split()}


def _odrl() -> dict[str, Any]:
    lists = {name: {**term, "@container": "@set"} for name, term in _links("odrl", _ODRL_LISTS).items()}
    words = _plain("odrl", _ODRL_WORDS) | _links("odrl", _ODRL_LINKS)
    return words | lists | _links("odrl", _ODRL_TERMS, "@vocab")


_PIDS = _links("dspace", "providerPid consumerPid")
_WHY = _plain("dspace", "code") | _sets("dspace", "reason")
_FORMAT = {"format": {"@type": "@vocab", "@id": "dct:format"}}
# Type -> the terms that hold below it.
_MESSAGES: Mapping[str, Mapping[str, Any]] = {
    "DatasetRequestMessage": _plain("dspace", "dataset"),
    "CatalogRequestMessage": _sets("dspace", "filter"),
    "CatalogError": _WHY,
    "ContractAgreementVerificationMessage": _PIDS,
    "ContractNegotiationEventMessage": _PIDS | _links("dspace", "eventType", "@vocab"),
    "ContractNegotiationTerminationMessage": _PIDS | _WHY,
    "ContractNegotiation": _PIDS | _links("dspace", "state", "@vocab"),
    "ContractNegotiationError": _PIDS | _WHY,
    "TransferRequestMessage": _plain("dspace", "callbackAddress dataAddress")
    | _links("dspace", "consumerPid agreementId")
    | _FORMAT,
    "TransferStartMessage": _PIDS | _plain("dspace", "dataAddress"),
    "TransferCompletionMessage": _PIDS,
    "TransferTerminationMessage": _PIDS | _WHY,
    "TransferSuspensionMessage": _PIDS | _WHY,
    "TransferError": _plain("dspace", "consumerPid providerPid") | _WHY,
    "DataAddress": _links("dspace", "endpointType", "@vocab")
    | _sets("dspace", "endpointProperties")
    | _plain("dspace", "endpoint"),
    "EndpointProperty": _plain("dspace", "name value"),
    "TransferProcess": _PIDS | _links("dspace", "state", "@vocab"),
    "VersionsError": _WHY,
}
# Types whose terms hold in everything below them too: they carry policies.
_POLICIES: Mapping[str, Mapping[str, Any]] = {
    "ContractRequestMessage": _PIDS | _plain("dspace", "callbackAddress") | _links("dspace", "offer"),
    "ContractOfferMessage": _PIDS | _plain("dspace", "callbackAddress") | _links("dspace", "offer"),
    "ContractAgreementMessage": _PIDS | _links("dspace", "agreement") | _plain("dspace", "timestamp"),
}
_CATALOGUE: Mapping[str, Mapping[str, Any]] = {
    "Catalog": _sets("dcat", "service catalog dataset distribution") | _links("dspace", "participantId"),
    "DataService": _plain("dcat", "endpointDescription endpointURL"),
    "Distribution": _FORMAT | {"accessService": {"@id": "dcat:accessService"}},
}
_DATASET = _sets("dcat", "distribution") | _sets("odrl", "hasPolicy")


def _scoped(iri: str, terms: Mapping[str, Any], *, policies: bool = False) -> dict[str, Any]:
    more = {"@propagate": True, **_odrl()} if policies else {}
    return {"@id": iri, "@context": {"@version": 1.1, "@protected": True, **more, **terms}}


def _dsp() -> dict[str, Any]:
    made: dict[str, Any] = {
        "@version": 1.1,
        "@protected": True,
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "dct": "http://purl.org/dc/terms/",
        "dcat": "http://www.w3.org/ns/dcat#",
        "odrl": "http://www.w3.org/ns/odrl/2/",
        "dspace": "https://w3id.org/dspace/2025/1/",
    }
    made |= {name: _scoped(f"dspace:{name}", terms) for name, terms in _MESSAGES.items()}
    made |= {name: _scoped(f"dspace:{name}", terms, policies=True) for name, terms in _POLICIES.items()}
    made |= {name: _scoped(f"dcat:{name}", terms) for name, terms in _CATALOGUE.items()}
    made["Dataset"] = _scoped("dcat:Dataset", _DATASET, policies=True)
    service = {"serviceEndpoint": {"@id": "https://www.w3.org/ns/did#serviceEndpoint", "@type": _ID}}
    made["CatalogService"] = {
        "@id": "dspace:CatalogService",
        "@context": {"id": _ID, "type": "@type", **service},
    }
    return made | _plain("dspace", _STATES)


def _edc() -> dict[str, Any]:
    query = _plain("edc", "sortOrder sortField offset limit") | _sets("edc", "filterExpression")
    return {
        "@version": 1.1,
        "edc": "https://w3id.org/edc/v0.0.1/ns/",
        "QuerySpec": {"@id": "edc:QuerySpec", "@context": query},
        "Criterion": {"@id": "edc:Criterion", "@context": _plain("edc", "operandLeft operator operandRight")},
        **_plain("edc", "inForceDate id isCatalog"),
    }


PROTOCOL_CONTEXTS: Mapping[str, Mapping[str, Any]] = {DSP_CONTEXT: _dsp(), EDC_CONTEXT: _edc()}
"""What stands at an address, without the `@context` around it. Whoever hands it to a reader hands out a deep copy."""
