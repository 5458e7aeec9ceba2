"""A record as OGC API Records 1.0 says it: a GeoJSON feature, for GIS programs, in one reader's language.

Only what the payload says; what it does not say is left out, or null where the schema wants a member (`time`,
`geometry`). A geometry is always one rectangle as a polygon from its south-west corner, since MetaSearch of QGIS reads
the first and the third point of it. Place, time and date of change are those of the index (`told`), so that what a
filter or an order went by is what is shown. A map service's link has the type `OGC:WMS` and the like, by which QGIS
knows that it can add the layer. Pure: no shelf, no request.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from node.catalog.search.schema import OPEN_END, OPEN_START
from node.catalog.search.told import Told
from node.vocab import lists, ntriples
from node.vocab.terms import DCAT, DCT, FOAF, SCHEMA, SKOS, VCARD
from node.web.addresses import At
from node.web.ports.ports import CollectionInfo, Held
from node.web.wire.atom import moment
from node.web.wire.negotiate import FORMS
from node.web.wording import text
from node.web.wording.graph import Described, href

Json = dict[str, object]
GEOJSON = "application/geo+json"
CORE = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/record-core"
MOST_DESCRIPTION = 20_000
MOST_FILES = 200

_TITLES = (DCT.title, SKOS.prefLabel, FOAF.name, SCHEMA.name)
_ABOUT = (DCT.description, SCHEMA.description, SKOS.definition)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
# EU file type -> what QGIS calls a link to such a service; others it knows by how their addresses end.
_SERVICES = {"WMS_SRVC": "OGC:WMS", "WFS_SRVC": "OGC:WFS", "WCS_SRVC": "OGC:WCS"}
_ARCGIS = re.compile(r"/(MapServer|FeatureServer)(?:/\d+)?/?\Z")
# The licences of our table that have an SPDX id; any other is `other` with a link (record-core/license).
_CREATIVE_COMMONS = re.compile(r"CC_(BY)(NC)?(SA|ND)?_(\d)_(\d)")
_SPDX = {
    "APACHE_2_0": "Apache-2.0",
    "CC0": "CC0-1.0",
    "DLDE_BY_2_0": "DL-DE-BY-2.0",
    "DLDE_ZERO_2_0": "DL-DE-ZERO-2.0",
    "ETALAB_2_0": "etalab-2.0",
    "MIT": "MIT",
    "NLOD_1_0": "NLOD-1.0",
    "NLOD_2_0": "NLOD-2.0",
    "ODC_BL": "ODbL-1.0",
    "ODC_BY": "ODC-By-1.0",
    "ODC_PDDL": "PDDL-1.0",
    "OGL_1_0": "OGL-UK-1.0",
    "OGL_2_0": "OGL-UK-2.0",
    "OGL_3_0": "OGL-UK-3.0",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the API: the addresses of its catalogue and of itself, and its id there."""

    catalogue: str
    id: str

    @property
    def here(self) -> str:
        """Give the record's own address."""
        return f"{self.catalogue}/items/{self.id}"


def feature(
    said: Described, told: Told, held: Held, info: CollectionInfo, place: Place, *, base: str, city: str
) -> Json:
    """Write the record. `told` is what the index knows of it, `city` the name of the city whose record it is."""
    look = _Looker(said)
    properties: Json = {
        "updated": moment(told.changed_ms),
        "type": held.kind,
        "title": look.title or held.iri,
        "description": look.description,
        "keywords": [word.text for word in said.texts(said.iri, DCAT.keyword)],
        "themes": look.themes(),
        "language": {"code": look.language} if look.language else {},
        "languages": [{"code": tag} for tag in look.languages()],
        "resourceLanguages": [{"code": tag} for tag in look.resource_languages()],
        "externalIds": [{"value": held.iri}],
        "formats": look.formats(),
        "contacts": look.contacts(),
        "license": look.licence(),
        "rights": look.rights(),
        "city": city,
        "collection": info.name,
    }
    return {
        "id": place.id,
        "type": "Feature",
        "conformsTo": [CORE],
        "time": time_of(told),
        "geometry": geometry_of(told),
        "properties": {key: value for key, value in properties.items() if value not in ("", [], {})},
        "links": [*_about(held, info, place, base), *look.links()],
    }


def link(target: str, rel: str, kind: str = "", title: str = "", **more: object) -> Json:
    """Write a link object (RFC 8288 as JSON)."""
    told: Json = {"href": target, "rel": rel, "type": kind, "title": title} | more
    return {key: value for key, value in told.items() if value not in ("", None)}


def _about(held: Held, info: CollectionInfo, place: Place, base: str) -> Iterator[Json]:
    """Link the record to itself, its other forms and its catalogue; of that exactly one (record-core/links)."""
    at = At(base, held)
    yield link(place.here, "self", GEOJSON, "This record as GeoJSON")
    yield link(f"{place.here}?f=html", "alternate", "text/html", "This record as a page")
    for suffix in ("ttl", "jsonld", "rdf"):
        yield link(at.form(suffix), "alternate", FORMS[suffix], "Everything its city says of it")
    yield link(at.canonical(info), "canonical", "text/html", "At its origin")
    yield link(place.catalogue, "collection", "application/json", info.title)


class _Looker:
    """Answers questions about one record; made anew for each."""

    def __init__(self, said: Described) -> None:
        self.said, self.iri, self.reader = said, said.iri, said.reader
        chosen = said.text(said.iri, *_TITLES)
        self.title, self.language = chosen.text, chosen.tag

    @property
    def description(self) -> str:
        return text.plain(self.said.text(self.iri, *_ABOUT).text, MOST_DESCRIPTION)

    def languages(self) -> list[str]:
        return sorted({tag for term in self.said.terms(self.iri, *_TITLES) if (tag := ntriples.language_of(term))})

    def resource_languages(self) -> list[str]:
        known = (lists.LANGUAGES.by_iri(value) for value in self.said.values(self.iri, DCT.language))
        return sorted({concept.facts["tag"] for concept in known if concept and concept.facts["tag"]})

    def themes(self) -> list[Json]:
        schemes: dict[str, list[Json]] = {}
        for term in self.said.terms(self.iri, DCAT.theme):
            value = ntriples.value_of(term)
            concept: Json = {"id": value, "title": self.said.name(term).text}
            if href(value):
                concept["url"] = value
            schemes.setdefault(_scheme(value), []).append(concept)
        return [{"scheme": scheme, "concepts": schemes[scheme]} for scheme in sorted(schemes)]

    # ------------------------------------------------------------ files and licences

    def files(self) -> list[str]:
        return self.said.values(self.iri, DCAT.distribution)[:MOST_FILES]

    def form(self, file: str) -> tuple[str, str, str]:
        """Give a file's EU code, the name people know and the media type; each may be empty."""
        term = next(iter(self.said.terms(file, DCT.format)), "")
        media = self.said.value(file, DCAT.mediaType).removeprefix(lists.IANA)
        said = ntriples.value_of(term) if term else ""
        known = (lists.FILE_TYPES.by_iri(iri) for iri in (said, lists.format_of(said), lists.format_of(media)))
        concept = next((found for found in known if found), None)
        name = concept.label(self.reader) if concept else (self.said.name(term).text if term else "")
        media = media or lists.media_type_of(concept.code if concept else "").removeprefix(lists.IANA)
        return (concept.code if concept else "", name, media if "//" not in media else "")

    def formats(self) -> list[Json]:
        found = sorted({(name, media) for _, name, media in map(self.form, self.files()) if name or media})
        return [_filled({"name": name, "mediaType": media}) for name, media in found]

    def licences(self) -> list[str]:
        """Give the licences' IRIs, the record's own or those of its files; one in words only if it is known."""
        subjects = [self.iri, *self.files()]
        terms = [term for subject in subjects for term in self.said.terms(subject, DCT.license)]
        values = (ntriples.value_of(term) for term in terms)
        return list(dict.fromkeys(found for value in values if (found := href(value) or lists.licence_of(value))))

    def licence(self) -> str:
        """Give an SPDX expression; several licences of several files are all said (record-core/license)."""
        known = [spdx_of(iri) for iri in self.licences()]
        return " AND ".join(known) if known and all(known) else ("other" if known else "")

    def rights(self) -> str:
        term = next(iter(self.said.terms(self.iri, DCT.accessRights, DCT.rights)), "")
        return self.said.name(term).text if term else ""

    def links(self) -> Iterator[Json]:
        for file in self.files():
            yield from self._file(file)
        for address in self.said.links(self.iri, DCAT.endpointURL):
            yield link(address, "service", "", self.title)
        for address in self.said.links(self.iri, DCAT.landingPage, FOAF.page):
            yield link(address, "describedby", "text/html", "At the source")
        for licence in self.licences():
            yield link(licence, "license", "", lists.label(licence, self.reader))

    def _file(self, file: str) -> Iterator[Json]:
        code, name, media = self.form(file)
        octets = self.said.value(file, DCAT.byteSize).split(".")[0]
        length = int(octets) if octets.isascii() and octets.isdigit() and len(octets) < 16 else None
        title = self.said.text(file, DCT.title).text or name
        for address in self.said.links(file, DCAT.downloadURL, DCAT.accessURL)[:1]:
            rel = "enclosure" if self.said.links(file, DCAT.downloadURL) else "related"
            yield link(address, rel, _service(code, address) or media, title, length=length)

    # ------------------------------------------------------------ who

    def contacts(self) -> list[Json]:
        found = [self._agent(term, "publisher") for term in self.said.terms(self.iri, DCT.publisher, DCT.creator)]
        found += [self._contact(term) for term in self.said.terms(self.iri, DCAT.contactPoint)]
        return [told for told in found if told.get("name")]

    def _agent(self, term: str, role: str) -> Json:
        iri = ntriples.value_of(term)
        homes = [link(home, "about", "text/html") for home in self.said.links(iri, FOAF.homepage)]
        return _filled({"name": self.said.name(term).text, "links": homes, "roles": [role]})

    def _contact(self, term: str) -> Json:
        """Describe whom to ask; only what the payload still says after personal contacts were taken out."""
        iri = ntriples.value_of(term)
        mails = [mail.removeprefix("mailto:") for mail in self.said.values(iri, VCARD.hasEmail)]
        mails = [mail for mail in mails if "@" in mail and "/" not in mail]
        name = self.said.text(iri, VCARD.fn, VCARD["organization-name"]).text or next(iter(mails), "")
        pages = [link(page, "about", "text/html") for page in self.said.links(iri, VCARD.hasURL)]
        emails = [{"value": mail} for mail in mails]
        return _filled({"name": name, "emails": emails, "links": pages, "roles": ["pointOfContact"]})


def time_of(told: Told) -> Json | None:
    """Give the period that the data is about, in whole days."""
    if told.period is None:
        return None
    start, end = (_day(day) for day in told.period)
    return {"date": start} if start == end else {"interval": [start, end]}


def geometry_of(told: Told) -> Json | None:
    """Give the rectangle around all its places; one over the antimeridian goes on beyond 180 degrees."""
    if told.box is None:
        return None
    west, south, east, north = told.box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def spdx_of(licence: str) -> str:
    """Give the SPDX id of a licence by its IRI, or nothing for one that has none."""
    concept = lists.LICENCES.by_iri(licence)
    return _spdx(concept.code) if concept else ""


def _filled(told: Json) -> Json:
    return {key: value for key, value in told.items() if value not in ("", [], None)}


def _service(code: str, address: str) -> str:
    """Give QGIS's name for the kind of service at an address, or nothing for what is none.

    >>> _service("WMS_SRVC", "https://example.org/wms"), _service("", "https://example.org/a/FeatureServer/0")
    ('OGC:WMS', 'ESRI:ArcGIS:FeatureServer')
    """
    match = _ARCGIS.search(address.partition("?")[0])
    return _SERVICES.get(code) or (f"ESRI:ArcGIS:{match[1]}" if match else "")


def _spdx(code: str) -> str:
    """Give the SPDX id of a licence of our table, or nothing.

    >>> _spdx("CC_BYNCSA_4_0"), _spdx("OGL_3_0"), _spdx("CC_BY_ANY")
    ('CC-BY-NC-SA-4.0', 'OGL-UK-3.0', '')
    """
    match = _CREATIVE_COMMONS.fullmatch(code)
    if match is None:
        return _SPDX.get(code, "")
    *terms, major, minor = match.groups()
    return "-".join(["CC", *(term for term in terms if term), f"{major}.{minor}"])


def _scheme(concept: str) -> str:
    """Tell the vocabulary of a concept by its IRI, as far as it can be told.

    >>> _scheme("http://publications.europa.eu/resource/authority/data-theme/TRAN")
    'http://publications.europa.eu/resource/authority/data-theme'
    """
    whole, _, fragment = concept.rpartition("#")
    before = whole if whole and fragment else concept.rpartition("/")[0]
    return before if "//" in before[:-1] else concept


def _day(day: int) -> str:
    """Write a day of the index, `..` for an end that nobody named."""
    return ".." if day in (OPEN_START, OPEN_END) else date.fromordinal(day + _EPOCH_DAY).isoformat()
