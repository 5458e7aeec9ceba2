"""A record as CKAN would give it: a package with its organisation, groups, tags, resources and extras.

Core fields as CKAN's schema has them, texts also in the `*_translated` maps of its multilingual portals, and what CKAN
has no field for in extras under ckanext-dcat's names, so that its harvesters read a record back as they would the
source's own. Codes are those of search (`told_of`), so that every facet value finds the packages that show it. Only
what the payload says; contacts were reduced to functional ones before the record was published. Pure.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from node.catalog.packages import id_of, name_of
from node.catalog.search.told import Told, told_of
from node.catalog.shelf import Held
from node.records import slug_of
from node.vocab import lists, ntriples
from node.vocab.mappings import Mapped
from node.vocab.terms import ADMS, DCAT, DCATAP, DCT, FOAF, LOCN, RDFS, SCHEMA, SKOS, SPDX, VCARD
from node.web.addresses import At, is_mirror
from node.web.parts import Parts
from node.web.wording import places, text
from node.web.wording.graph import MINTED, Described, href

Json = dict[str, object]
Cities = Callable[[str], tuple[str, str]]
"""A collection's local name -> what search calls its city, and the city's own name."""
_ZONE_OF_URLS = uuid.NAMESPACE_URL
# Addresses of data, for programs: more than a page would link to, and none that a browser would run or open here.
_DATA = re.compile(r"(?:https?|ftps?|sftp|mqtts?|wss?|amqps?|s3|git)://", re.IGNORECASE)
_TYPES = {"dataset": "dataset", "dataset-series": "dataset_series"}


def stamp(at_ms: int) -> str:
    """Write a time as CKAN stores it: UTC without saying so, to the microsecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


@lru_cache(maxsize=1024)
def licence_id(code: str) -> str:
    """Give the id that CKAN has for a licence of our table: `cc-by-4.0`; the code where that would not lead back."""
    if code == "none":
        return "notspecified"
    concept = lists.LICENCES.by_code(code)
    spelt = (concept.facts["short"] if concept else "").lower().replace(" ", "-")
    known = lists.LICENCES.by_iri(lists.licence_of(spelt)) if spelt else None
    return spelt if known is not None and known.code == code else code


def cities_of(parts: Parts) -> Cities:
    """Give what names the city of a collection: ours, or the peer whose mirror it is."""
    own = slug_of(parts.site.city), parts.site.city

    def city(collection: str) -> tuple[str, str]:
        if not is_mirror(collection):
            return own
        peer = collection.partition("/")[0]
        mirror = parts.mirror(collection)
        return peer, mirror.city if mirror else peer

    return city


def group_of(code: str, language: str) -> Json:
    """Write a theme as a group; the name is the EU's code in lower case."""
    concept = lists.DATA_THEMES.by_code(code)
    title = concept.label(language) if concept else code
    labels = dict(concept.labels) if concept else {}
    told: Json = {"id": code.lower(), "name": code.lower(), "title": title, "display_name": title}
    return told | {"description": "", "image_display_url": "", "title_translated": labels}


def organisation_of(slug: str, title: str) -> Json:
    """Write a publisher as an organisation; its name is its id too, and the publisher's value in search."""
    told: Json = {"id": slug, "name": slug, "title": title, "type": "organization", "description": ""}
    return told | {"image_url": "", "is_organization": True, "approval_status": "approved", "state": "active"}


@dataclass(frozen=True, slots=True)
class Packager:
    """Writes packages of one node."""

    base_url: str
    languages: Sequence[str]
    mapped: Mapped
    cities: Cities

    def package(self, held: Held, payload: bytes) -> Json:
        """Write a package."""
        city, _ = self.cities(held.collection)
        told = told_of(held, payload, city=city, mapped=self.mapped)
        said = Described(ntriples.triples_of(payload), held.iri, self.languages[0], self.languages)
        return _Package(self, held, said, told).written()


class _Package:
    """One package on its way."""

    def __init__(self, packager: Packager, held: Held, said: Described, told: Told) -> None:
        self._of = packager
        self._held = held
        self._said = said
        self._told = told
        self._language = packager.languages[0]
        self._id = id_of(held)

    def written(self) -> Json:
        held, said = self._held, self._said
        resources = [self._resource(file, at) for at, file in enumerate(said.values(held.iri, DCAT.distribution))]
        tags = self._tags()
        return {
            "id": self._id,
            "name": name_of(held),
            **self._texts(),
            "type": _TYPES[held.kind],
            "state": "active",
            "private": False,
            **self._people(),
            "url": next(iter(said.links(held.iri, DCAT.landingPage)), None),
            "ckan_url": At(self._of.base_url, held).page,
            "version": said.value(held.iri, DCAT.version) or None,
            **self._licence(),
            "metadata_created": self._created(),
            "metadata_modified": stamp(held.at_ms),
            **self._owner(),
            "groups": [group_of(code, self._language) for code in dict.fromkeys(self._told.themes)],
            "num_tags": len(tags),
            "tags": tags,
            "keywords": _by_language(said.terms(held.iri, DCAT.keyword)),
            "num_resources": len(resources),
            "resources": resources,
            "extras": self._extras(),
            "relationships_as_subject": [],
            "relationships_as_object": [],
        }

    def _texts(self) -> Json:
        iri, said = self._held.iri, self._said
        titles, notes = said.terms(iri, DCT.title, SKOS.prefLabel), said.terms(iri, DCT.description)
        return {
            "title": text.choose(titles, self._language, self._of.languages).text or self._held.slug,
            "title_translated": _translated(titles),
            "notes": text.choose(notes, self._language, self._of.languages).text,
            "notes_translated": _translated(notes),
        }

    def _people(self) -> Json:
        said = self._said
        contact = next(iter(said.values(self._held.iri, DCAT.contactPoint)), "")
        creator = next(iter(said.terms(self._held.iri, DCT.creator)), "")
        return {
            "maintainer": said.value(contact, VCARD.fn, VCARD["organization-name"]) or None,
            "maintainer_email": _mail(said.value(contact, VCARD.hasEmail)),
            "author": (said.name(creator).text or None) if creator else None,
            "author_email": _mail(said.value(ntriples.value_of(creator), FOAF.mbox)) if creator else None,
        }

    def _licence(self) -> Json:
        """Write the dataset's licence, else its files'; an address of its own outranks the EU's."""
        said, code = self._said, self._told.licences[0]
        nodes = [self._held.iri, *said.values(self._held.iri, DCAT.distribution)]
        terms = next((terms for node in nodes if (terms := said.terms(node, DCT.license))), [])
        known = lists.LICENCES.by_code(code)
        facts = lists.facts(known.iri if known else "")
        own = href(ntriples.value_of(terms[0])) if terms else ""
        return {
            "license_id": licence_id(code),
            "license_title": facts.title.get("en") or (said.name(terms[0]).text if terms else None),
            "license_url": own or (known.iri if known else None),
            "isopen": facts.commercial == "yes" and facts.changes == "yes",
        }

    def _created(self) -> str:
        """Give when its data was issued, as far as it says; else its newest entry's time."""
        said = self._said.value(self._held.iri, DCT.issued)
        try:
            at = datetime.fromisoformat(said)
            return stamp(int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000))
        except (ValueError, OverflowError):
            return stamp(self._held.at_ms)

    def _owner(self) -> Json:
        slug, title = next(iter(self._told.publishers.items()), ("", ""))
        if not slug:
            return {"owner_org": None, "organization": None}
        publishers = self._said.terms(self._held.iri, DCT.publisher, DCT.creator)
        names = self._said.terms(ntriples.value_of(publishers[0]), FOAF.name, SKOS.prefLabel, RDFS.label)
        return {
            "owner_org": slug,
            "organization": organisation_of(slug, title) | {"title_translated": _translated(names)},
        }

    def _tags(self) -> list[Json]:
        terms = self._said.terms(self._held.iri, DCAT.keyword)
        words = {
            ntriples.value_of(term).strip(): None for term in terms if not text.is_machine(ntriples.language_of(term))
        }
        return [
            {"id": word, "name": word, "display_name": word, "state": "active", "vocabulary_id": None}
            for word in words
            if word
        ]

    def _extras(self) -> list[Json]:
        iri, said = self._held.iri, self._said
        city, name = self._of.cities(self._held.collection)
        publisher = next(iter(said.values(iri, DCT.publisher)), "")
        period = next(iter(said.values(iri, DCT.temporal)), "")
        end = said.value(period, DCAT.endDate, SCHEMA.endDate)
        found: dict[str, object] = {
            "uri": iri,
            "city": name,
            "city_id": city,
            "identifier": _many(said.values(iri, DCT.identifier)),
            "issued": said.value(iri, DCT.issued),
            "modified": said.value(iri, DCT.modified),
            "language": _json(self._told.languages if said.terms(iri, DCT.language) else ()),
            "frequency": said.value(iri, DCT.accrualPeriodicity),
            "access_rights": said.value(iri, DCT.accessRights),
            "publisher_uri": "" if MINTED in publisher else href(publisher),
            "publisher_url": next(iter(said.links(publisher, FOAF.homepage)), ""),
            "contact_uri": next(iter(said.links(said.value(iri, DCAT.contactPoint), VCARD.hasURL)), ""),
            "temporal_start": said.value(period, DCAT.startDate, SCHEMA.startDate),
            "temporal_end": "" if text.is_open_end(end) else end,
            **self._where(),
            "theme": _json(name.text for name in map(said.name, self._own_themes()) if name),
            "conforms_to": _json(said.links(iri, DCT.conformsTo)),
            "documentation": _json(said.links(iri, FOAF.page)),
            "hvd_category": _json(said.values(iri, DCATAP.hvdCategory)),
            "applicable_legislation": _json(said.values(iri, DCATAP.applicableLegislation)),
            "provenance": self._statement(DCT.provenance),
            "version_notes": said.text(iri, ADMS.versionNotes).text,
        }
        return [{"key": key, "value": value} for key, value in found.items() if value]

    def _own_themes(self) -> Iterable[str]:
        """Give the themes that are the source's own, and not the EU's."""
        return (
            term
            for term in self._said.terms(self._held.iri, DCAT.theme)
            if not ntriples.value_of(term).startswith(lists.DATA_THEMES.base)
        )

    def _statement(self, predicate: str) -> str:
        term = next(iter(self._said.terms(self._held.iri, predicate)), "")
        return self._said.own_name(ntriples.value_of(term)).text if ntriples.is_iri(term) else ntriples.value_of(term)

    def _where(self) -> dict[str, object]:
        said = self._said
        terms = said.terms(self._held.iri, DCT.spatial)
        boxes = (places.box(said.value(ntriples.value_of(term), DCAT.bbox, LOCN.geometry)) for term in terms)
        box = next((box for box in boxes if box), None)
        named = {said.name(term).text: None for term in terms}
        iris = [href(ntriples.value_of(term)) for term in terms if MINTED not in term]
        return {
            "spatial": json.dumps(_polygon(*box)) if box else "",
            "spatial_text": _many([name for name in named if name]),
            "spatial_uri": _many([iri for iri in iris if iri]),
        }

    def _resource(self, file: str, position: int) -> Json:
        said = self._said
        titles, notes = said.terms(file, DCT.title), said.terms(file, DCT.description)
        download, access = (_address(said, file, each) for each in (DCAT.downloadURL, DCAT.accessURL))
        checksum = said.value(file, SPDX.checksum)
        octets = said.value(file, DCAT.byteSize).split(".")[0]
        found: Json = {
            "id": _resource_id(said.values(file, DCT.identifier), file),
            "package_id": self._id,
            "position": position,
            "state": "active",
            "name": text.choose(titles, self._language, self._of.languages).text,
            "name_translated": _translated(titles),
            "description": text.choose(notes, self._language, self._of.languages).text,
            "description_translated": _translated(notes),
            "url": download or access,
            "access_url": access,
            "download_url": download,
            "format": self._format(file),
            "mimetype": _media_type(said.value(file, DCAT.mediaType)),
            "size": int(octets) if octets.isascii() and octets.isdigit() and len(octets) < 19 else None,
            "hash": said.value(checksum, SPDX.checksumValue),
            "created": said.value(file, DCT.issued) or None,
            "last_modified": said.value(file, DCT.modified) or None,
            "license_url": next(iter(said.links(file, DCT.license)), None),
            "resource_type": None,
            "url_type": None,
            "datastore_active": False,
        }
        return found

    def _format(self, file: str) -> str:
        """Give the code that `res_format` knows it by; a form that no table has, by its own name."""
        values = self._said.values(file, DCT.format) or self._said.values(file, DCAT.mediaType)
        city = self._of.cities(self._held.collection)[0]
        known = (self._of.mapped("format", value, city) for value in values)
        return next((code for code in known if code), "") or next(
            (name.text for name in self._said.names(file, DCT.format)), ""
        )


def _address(said: Described, file: str, predicate: str) -> str:
    return next((value for value in said.values(file, predicate) if _DATA.match(value)), "")


def _resource_id(identifiers: Iterable[str], file: str) -> str:
    """Give a resource's id: the UUID it had at its portal, else one of its address."""
    for identifier in identifiers:
        try:
            return str(uuid.UUID(identifier))
        except ValueError:
            continue
    return str(uuid.uuid5(_ZONE_OF_URLS, file))


def _translated(terms: Iterable[str]) -> dict[str, str]:
    """Give texts by language tag, the first of each; what machines translated is left out."""
    found: dict[str, str] = {}
    for term in terms:
        tag = ntriples.language_of(term)
        if tag and not text.is_machine(tag):
            found.setdefault(tag, ntriples.value_of(term).strip())
    return found


def _by_language(terms: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for term in terms:
        tag = ntriples.language_of(term)
        if tag and not text.is_machine(tag):
            found.setdefault(tag, []).append(ntriples.value_of(term).strip())
    return found


def _mail(value: str) -> str | None:
    return value.removeprefix("mailto:") or None


def _media_type(value: str) -> str | None:
    return value.removeprefix(lists.IANA).removeprefix("http://www.iana.org/assignments/media-types/") or None


def _json(values: Iterable[str]) -> str:
    """Write a list as ckanext-dcat keeps one in an extra; nothing for none."""
    found = list(dict.fromkeys(values))
    return json.dumps(found, ensure_ascii=False) if found else ""


def _many(values: Sequence[str]) -> str:
    """Write one value as it is, several as a list."""
    return values[0] if len(values) == 1 else _json(values)


def _polygon(south: float, west: float, north: float, east: float) -> Json:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
