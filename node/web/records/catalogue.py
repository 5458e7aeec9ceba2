"""What the node says of itself and its collections as triples: DCAT catalogues, Hydra paging, VoID, the service.

Never a word with a record as its subject: a page is the records' payloads and these triples, and whoever harvests it
must find the payloads unchanged. No blank nodes, for the same reason. Nor do we speak in another city's name: of a
mirrored collection we say whose it is and what we hold, and that our page is a copy. Texts, counts and times come in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from node.vocab import lists
from node.vocab.ntriples import Triple, iri, literal
from node.vocab.terms import CN, DCAT, DCT, FOAF, HYDRA, RDF, VCARD, VOID, XSD
from node.web.addresses import is_mirror, origin_of
from node.web.ports.ports import CollectionInfo, Held, Site
from node.web.wire import negotiate
from node.web.wording.words import LANGUAGES, title_language, title_said, words

_MEMBERSHIP = {"dataset": DCAT.dataset, "dataset-series": DCAT.dataset, "data-service": DCAT.service}
_W3_FORMATS = "http://www.w3.org/ns/formats/"
_FEATURES = ("Turtle", "JSON-LD", "RDF_XML", "N-Triples")


@dataclass(frozen=True, slots=True)
class Window:
    """One page of a collection: which, of how many records, how many on each, and what narrows it."""

    number: int
    total: int
    size: int = 100
    since: str = ""

    @property
    def offset(self) -> int:
        """Give the place of the page's first record, from 0."""
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        """Give the number of the last page; an empty collection has one."""
        return max(1, -(-self.total // self.size))

    def address(self, collection: str, number: int) -> str:
        """Give the IRI of a page; what narrows the collection stays in it."""
        query = {"page": str(number)} | ({"modified_since": self.since} if self.since else {})
        return f"{collection}?{urlencode(query)}"

    def links(self) -> dict[str, int]:
        """Give the pages one can turn to, by Hydra's names."""
        found = {"first": 1, "previous": self.number - 1, "next": self.number + 1, "last": self.last}
        return {name: number for name, number in found.items() if 1 <= number <= self.last}


def local_iri(site: Site, name: str) -> str:
    """Give the address of a collection here."""
    return f"{site.base_url}/collections/{name}"


def _add(said: list[Triple], subject: str, *pairs: tuple[str, str]) -> None:
    said += [(f"<{subject}>", f"<{predicate}>", term) for predicate, term in pairs if term]


def _when(ms: int) -> str:
    at = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return literal(at, datatype=XSD.dateTime)


def _count(value: int) -> str:
    return literal(str(value), datatype=XSD.integer)


def _in_each(site: Site, predicate: str, key: str) -> list[tuple[str, str]]:
    spoken = [code for code in site.languages if code in LANGUAGES] or ["en"]
    return [(predicate, literal(words(code, key, city=site.city), language=code)) for code in spoken]


def _publisher(site: Site, said: list[Triple]) -> str:
    city = f"{site.base_url}/#city"
    home = (FOAF.homepage, iri(site.base_url + "/"))
    _add(said, city, (RDF.type, iri(FOAF.Agent)), (FOAF.name, literal(site.city)), home)
    return iri(city)


def _contact(site: Site, said: list[Triple]) -> str:
    """Say who answers for the catalogue, if the city told us; only ever a role."""
    if not site.contact_mailbox:
        return ""
    contact = f"{site.base_url}/#contact"
    _add(
        said, contact, (RDF.type, iri(VCARD.Organization)), (VCARD.fn, literal(site.contact_name or site.city)),
        (VCARD.hasEmail, iri("mailto:" + site.contact_mailbox)),
    )  # fmt: skip
    return iri(contact)


def _languages(site: Site) -> list[tuple[str, str]]:
    return [(DCT.language, iri(found)) for found in map(lists.language_iri, site.languages) if found]


def whole(site: Site, infos: Sequence[CollectionInfo]) -> list[Triple]:
    """Describe the catalogue of all public collections, and the service that gives them out."""
    said: list[Triple] = []
    here, base = f"{site.base_url}/catalog", site.base_url
    publisher = _publisher(site, said)
    _add(
        said, here, (RDF.type, iri(DCAT.Catalog)), *_in_each(site, DCT.title, "catalog.title"),
        *_in_each(site, DCT.description, "catalog.lead"), (DCT.publisher, publisher), (FOAF.homepage, iri(base + "/")),
        *_languages(site), *[(DCAT.catalog, iri(info.iri)) for info in infos], (DCAT.service, iri(here + "#service")),
        (DCT.modified, _when(max((info.updated_at_ms for info in infos), default=0)) if infos else ""),
        (DCAT.themeTaxonomy, iri("http://publications.europa.eu/resource/authority/data-theme")),
    )  # fmt: skip
    _add(
        said, here + "#service", (RDF.type, iri(DCAT.DataService)), *_in_each(site, DCT.title, "catalog.title"),
        (DCAT.endpointURL, iri(base + "/")), (DCAT.endpointDescription, iri(base + "/openapi.json")),
        (DCT.publisher, publisher), (FOAF.page, iri(base + "/docs")), (DCAT.contactPoint, _contact(site, said)),
    )  # fmt: skip
    for info in infos:
        said += collection(site, info)
    return said


def collection(site: Site, info: CollectionInfo) -> list[Triple]:
    """Describe a collection as the catalogue it is."""
    said: list[Triple] = []
    _add(
        said, info.iri, (RDF.type, iri(DCAT.Catalog)), (RDF.type, iri(HYDRA.Collection)),
        (DCT.modified, _when(info.updated_at_ms) if info.updated_at_ms else ""),
    )  # fmt: skip
    if is_mirror(info.name):
        title = literal(info.title, language=title_language(info.title, ""))
        _add(said, info.iri, (DCT.title, title), (DCT.publisher, _origin(site, info, said)))
        return said
    _add(
        said, info.iri, *_titles(site, info), *_in_each(site, DCT.description, "home.what"),
        (DCT.publisher, _publisher(site, said)), (FOAF.homepage, iri(local_iri(site, info.name))), *_languages(site),
    )  # fmt: skip
    return said


def _titles(site: Site, info: CollectionInfo) -> list[tuple[str, str]]:
    """Give the title in each language we know it in; one that a person chose is in the city's own."""
    first = site.languages[0]
    known = [code for code in site.languages if code in LANGUAGES] if title_language(info.title, "") else []
    return [(DCT.title, literal(title_said(info.title, code), language=code)) for code in known or [first]]


def _origin(site: Site, info: CollectionInfo, said: list[Triple]) -> str:
    """Name the city whose collection a mirrored one is, by what that city says of itself."""
    base = origin_of(info)
    mirror = site.federation.view.mirror(info.name) if site.federation else None
    city, name = f"{base}/#city", literal(mirror.city) if mirror else ""
    _add(said, city, (RDF.type, iri(FOAF.Agent)), (FOAF.name, name), (FOAF.homepage, iri(base + "/")))
    return iri(city)


def page(site: Site, info: CollectionInfo, helds: Sequence[Held], window: Window) -> list[Triple]:
    """Say which records a page of a collection has, and where the other pages are."""
    said = collection(site, info)
    here = local_iri(site, info.name)
    view = window.address(here, window.number)
    members = [(held.iri, _MEMBERSHIP.get(held.kind, DCAT.resource)) for held in helds]
    _add(
        said, info.iri, (HYDRA.totalItems, _count(window.total)), (HYDRA.view, iri(view)),
        *[(predicate, iri(record)) for record, predicate in members],
        *[(HYDRA.member, iri(record)) for record, _ in members],
    )  # fmt: skip
    _add(
        said, view, (RDF.type, iri(HYDRA.PartialCollectionView)),
        (DCT.source, iri(info.iri) if is_mirror(info.name) else ""),
        (DCT.publisher, _publisher(site, said) if is_mirror(info.name) else ""),
        *[(f"{HYDRA.NS}{name}", iri(window.address(here, number))) for name, number in window.links().items()],
    )  # fmt: skip
    return said


def void(site: Site, infos: Sequence[CollectionInfo], counts: Sequence[int], example: str) -> list[Triple]:
    """Describe the whole as VoID does: where the dump is, which forms there are, how much of it."""
    said: list[Triple] = []
    here, base = f"{site.base_url}/.well-known/void", site.base_url
    publisher = _publisher(site, said)
    _add(
        said, here, (RDF.type, iri(VOID.DatasetDescription)), *_in_each(site, DCT.title, "catalog.title"),
        (FOAF.primaryTopic, iri(here + "#all")),
    )  # fmt: skip
    _add(
        said, here + "#all", (RDF.type, iri(VOID.Dataset)), *_in_each(site, DCT.title, "catalog.title"),
        *_in_each(site, DCT.description, "catalog.lead"), (DCT.publisher, publisher), (FOAF.homepage, iri(base + "/")),
        (VOID.dataDump, iri(base + "/catalog.nq.gz")), (VOID.uriSpace, literal(base + "/")),
        (VOID.rootResource, iri(base + "/catalog")), (VOID.exampleResource, iri(example) if example else ""),
        (VOID.uriLookupEndpoint, iri(base + "/records?iri=")), (VOID.entities, _count(sum(counts))),
        *[(VOID.feature, iri(_W3_FORMATS + name)) for name in _FEATURES],
        *[(VOID.vocabulary, iri(ns)) for ns in (DCAT.NS, DCT.NS, CN.NS)],
        *[(VOID.subset, iri(info.iri)) for info in infos],
    )  # fmt: skip
    for info, count in zip(infos, counts, strict=True):
        root = (VOID.rootResource, iri(info.iri))
        _add(said, info.iri, (RDF.type, iri(VOID.Dataset)), (VOID.entities, _count(count)), root)
    return said


def forms_at(address: str) -> dict[str, str]:
    """Give the address of each form by media type, for Link headers and 406."""
    return {kind: f"{address}.{suffix}" for suffix, kind in negotiate.FORMS.items()}
