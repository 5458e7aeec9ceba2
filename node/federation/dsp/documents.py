"""What a catalogue and a version document say, as values: read leniently from connectors, written as the schemas want.

A dataset carries our DCAT-AP terms as prefixed keys (`dct:title`, `dcat:keyword`): the protocol's context knows the
prefixes and its schemas allow the keys, so the same graph is there in two serialisations. What a peer writes of that
kind is kept as it came, within a bound, and believed by nobody.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from node.errors import Malformed
from node.federation.dsp.fields import (
    DSP_CONTEXT,
    MAX_ADDRESS,
    MAX_CODE,
    Json,
    checked_type,
    identifier,
    objects,
    optional,
    reasons,
    text,
)
from node.federation.dsp.policies import Offer

__all__ = [
    "PATH",
    "VERSION",
    "Auth",
    "Catalog",
    "CatalogError",
    "CatalogRequest",
    "DataService",
    "Dataset",
    "Distribution",
    "ProtocolVersion",
    "own_versions",
    "read_versions",
    "versions_document",
]

VERSION = "2025-1"
BINDING = "HTTPS"
PATH = f"/dsp/{VERSION}"
# Of our OAuth: how a city shows its key, and what its token is bound to. Of DCP: the self-issued token alone.
OAUTH_PROFILES = ("client_credentials", "private_key_jwt", "dpop")
DCP_PROFILES = ("self-issued/did:web",)
MAX_DATASETS = 5_000
MAX_OFFERS = 100
MAX_DISTRIBUTIONS = 100
MAX_SERVICES = 100
MAX_VERSIONS = 50
MAX_PROFILES = 20
MAX_FILTERS = 10
MAX_TERMS = 40
MAX_TERM_BYTES = 16 * 1024
_PREFIXES = ("dct:", "dcat:", "dcterms:")


def _root(name: str) -> dict[str, Any]:
    return {"@context": [DSP_CONTEXT], "@type": name}


@dataclass(frozen=True, slots=True)
class CatalogRequest:
    """A question for a catalogue; what the filters mean is between connectors."""

    filters: tuple[Json, ...] = ()

    def document(self) -> dict[str, Any]:
        """Write it."""
        return _root("CatalogRequestMessage") | ({"filter": list(self.filters)} if self.filters else {})

    @classmethod
    def read(cls, said: Json) -> "CatalogRequest":
        """Read it. Raises Malformed."""
        checked_type(said, "CatalogRequestMessage")
        return cls(objects(said, "filter", lambda each: each, most=MAX_FILTERS))


@dataclass(frozen=True, slots=True)
class CatalogError:
    """Why a catalogue was not given."""

    code: str = ""
    reasons: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Write it."""
        said = {"code": self.code, "reason": list(self.reasons)}
        return _root("CatalogError") | {name: value for name, value in said.items() if value}

    @classmethod
    def read(cls, said: Json) -> "CatalogError":
        """Read it. Raises Malformed."""
        checked_type(said, "CatalogError")
        return cls(optional(said, "code", most=MAX_CODE), reasons(said))


@dataclass(frozen=True, slots=True)
class DataService:
    """Where data are to be had; `url` is empty where only its name is known."""

    iri: str
    url: str = ""

    def document(self) -> dict[str, Any]:
        """Write it."""
        return {"@id": self.iri, "@type": "DataService", "endpointURL": self.url}

    @classmethod
    def read(cls, said: Json) -> "DataService":
        """Read it. Raises Malformed."""
        return cls(text(said, "@id"), optional(said, "endpointURL", most=MAX_ADDRESS))


@dataclass(frozen=True, slots=True)
class Distribution:
    """A way to get a dataset: a format, which is an absolute IRI or a word of the connector's, and a service."""

    format: str
    service: DataService

    def document(self) -> dict[str, Any]:
        """Write it."""
        return {"@type": "Distribution", "format": self.format, "accessService": self.service.document()}

    @classmethod
    def read(cls, said: Json) -> "Distribution":
        """Read it. Raises Malformed."""
        service = said.get("accessService")
        read = DataService.read(service) if isinstance(service, Mapping) else DataService(text(said, "accessService"))
        return cls(identifier(said, "format"), read)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is offered, on which terms, and how it is got. `terms` are our DCAT-AP members, by prefixed key."""

    iri: str
    offers: tuple[Offer, ...]
    distributions: tuple[Distribution, ...]
    terms: Json = field(default_factory=dict)

    def document(self, *, root: bool = False) -> dict[str, Any]:
        """Write it, alone or as part of a catalogue."""
        context = {"@context": [DSP_CONTEXT]} if root else {}
        return {
            **context,
            "@id": self.iri,
            "@type": "Dataset",
            **self.terms,
            "hasPolicy": [offer.document() for offer in self.offers],
            "distribution": [each.document() for each in self.distributions],
        }

    @classmethod
    def read(cls, said: Json) -> "Dataset":
        """Read it; connectors without a data plane give no distribution. Raises Malformed."""
        return cls(
            text(said, "@id"),
            objects(said, "hasPolicy", Offer.of_catalogue, most=MAX_OFFERS),
            objects(said, "distribution", Distribution.read, most=MAX_DISTRIBUTIONS),
            _terms(said),
        )

    @classmethod
    def read_root(cls, said: Json) -> "Dataset":
        """Read a dataset that was asked for alone. Raises Malformed."""
        checked_type(said, "Dataset")
        return cls.read(said)


@dataclass(frozen=True, slots=True)
class Catalog:
    """A page of what a participant offers to whoever asked. Catalogues of others below it are left to them."""

    iri: str
    participant: str
    datasets: tuple[Dataset, ...] = ()
    services: tuple[DataService, ...] = ()
    terms: Json = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Write it; an empty list is left out, as the schema wants."""
        listed = {
            "service": [each.document() for each in self.services],
            "dataset": [each.document() for each in self.datasets],
        }
        head = {"@id": self.iri, "participantId": self.participant, **self.terms}
        return _root("Catalog") | head | {name: value for name, value in listed.items() if value}

    @classmethod
    def read(cls, said: Json) -> "Catalog":
        """Read it. Raises Malformed."""
        checked_type(said, "Catalog")
        return cls(
            text(said, "@id"),
            identifier(said, "participantId"),
            objects(said, "dataset", Dataset.read, most=MAX_DATASETS),
            objects(said, "service", DataService.read, most=MAX_SERVICES),
            _terms(said),
        )


@dataclass(frozen=True, slots=True)
class Auth:
    """How a connector wants to be authenticated to."""

    protocol: str
    version: str
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProtocolVersion:
    """One version that a connector speaks, at a path below where its version document hangs."""

    version: str
    path: str
    auth: Auth | None = None
    identifier_type: str = ""
    service_id: str = ""

    def document(self) -> dict[str, Any]:
        """Write it."""
        said: dict[str, Any] = {"version": self.version, "path": self.path, "binding": BINDING}
        if self.auth:
            told = {"protocol": self.auth.protocol, "version": self.auth.version, "profile": list(self.auth.profiles)}
            said["auth"] = told
        more = {"identifierType": self.identifier_type, "serviceId": self.service_id}
        return said | {name: value for name, value in more.items() if value}

    @classmethod
    def read(cls, said: Json) -> "ProtocolVersion":
        """Read it. Raises Malformed."""
        path = optional(said, "path", most=MAX_ADDRESS) if said.get("path") else ""
        return cls(
            text(said, "version"),
            path,
            _auth(said.get("auth")),
            optional(said, "identifierType"),
            optional(said, "serviceId"),
        )


def versions_document(versions: tuple[ProtocolVersion, ...]) -> dict[str, Any]:
    """Write a version document."""
    return {"protocolVersions": [each.document() for each in versions]}


def own_versions(base_url: str) -> dict[str, Any]:
    """Write our own version document: one version at one place, which takes two ways of showing who one is."""
    ways = (Auth("OAuth", "2", OAUTH_PROFILES), Auth("DCP", "1.0", DCP_PROFILES))
    return versions_document(tuple(ProtocolVersion(VERSION, PATH, way, "URL", base_url) for way in ways))


def read_versions(said: Json) -> tuple[ProtocolVersion, ...]:
    """Read a version document. Raises Malformed."""
    found = objects(said, "protocolVersions", ProtocolVersion.read, most=MAX_VERSIONS)
    if not found:
        raise Malformed("The version document names no version.")
    return found


def _auth(said: object) -> Auth | None:
    if not isinstance(said, Mapping):
        return None
    profiles = said.get("profile")
    listed = profiles if isinstance(profiles, list) else [profiles] if isinstance(profiles, str) else []
    return Auth(
        text(said, "protocol"),
        optional(said, "version"),
        tuple(text({"profile": each}, "profile") for each in listed[:MAX_PROFILES]),
    )


def _terms(said: Json) -> dict[str, Any]:
    """Keep what a peer says in our prefixes, if it is not too much; else nothing of it."""
    found = {name: value for name, value in said.items() if name.startswith(_PREFIXES) and len(name) <= MAX_CODE}
    if len(found) > MAX_TERMS or len(json.dumps(found)) > MAX_TERM_BYTES:
        return {}
    return found
