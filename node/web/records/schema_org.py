"""A record as schema.org says it, for search engines: the data block in a page's head.

Only what the payload says; nothing is filled in. `<` is escaped because the block stands inside HTML, where a text
holding `</script>` would end it.
"""

import json
from functools import partial

from markupsafe import Markup

from node.vocab import lists, ntriples
from node.vocab.terms import DCAT, DCT, FOAF, LOCN, SCHEMA, SKOS
from node.web.wording import places, text
from node.web.wording.graph import Described, href

_TYPES = {
    "dataset": "Dataset",
    "dataset-series": "Dataset",
    "data-service": "WebAPI",
    "ai-system": "SoftwareApplication",
}
Json = dict[str, object]


def block(said: Described, *, kind: str, page: str, catalogue: str, city: str) -> Markup:
    """Write the JSON-LD, safe to stand inside a script element as data."""
    iri = said.iri
    found: Json = {
        "@context": "https://schema.org/",
        "@type": _TYPES.get(kind, "CreativeWork"),
        "@id": iri,
        "url": page,
        "name": said.text(iri, DCT.title, SKOS.prefLabel, FOAF.name).text,
        "description": text.plain(said.text(iri, DCT.description).text, 5_000),
        "identifier": said.values(iri, DCT.identifier) or [iri],
        "sameAs": [link for link in said.links(iri, DCAT.landingPage) if link != page],
        "keywords": [keyword.text for keyword in said.texts(iri, DCAT.keyword)],
        "license": _licence(said, iri) or _first_licence(said),
        "isAccessibleForFree": _is_free(said),
        "datePublished": said.value(iri, DCT.issued),
        "dateModified": said.value(iri, DCT.modified),
        "inLanguage": _languages(said),
        "spatialCoverage": [place for place in map(partial(_place, said), said.terms(iri, DCT.spatial)) if place],
        "temporalCoverage": _period(said),
        "creator": _agents(said, DCT.creator) or _agents(said, DCT.publisher),
        "publisher": _agents(said, DCT.publisher),
        "distribution": [_file(said, file) for file in said.values(iri, DCAT.distribution)],
        "includedInDataCatalog": {"@type": "DataCatalog", "@id": catalogue, "url": catalogue, "name": city},
    }
    if kind not in ("dataset", "dataset-series"):
        for only_data in ("distribution", "includedInDataCatalog", "temporalCoverage", "spatialCoverage"):
            found.pop(only_data)
    filled = {key: value for key, value in found.items() if value not in ("", [], None)}
    told = json.dumps(filled, ensure_ascii=False)
    # In JSON these three are equal to their escapes, and none can end the element or begin a comment.
    return Markup(told.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704


def _licence(said: Described, subject: str) -> str:
    """Give the licence as an address; one in words only if our table knows which it is."""
    value = said.value(subject, DCT.license)
    return href(value) or lists.licence_of(value)


def _is_free(said: Described) -> bool | None:
    """Say that it costs nothing if it is public under a licence we know; else say nothing."""
    public = said.value(said.iri, DCT.accessRights) in ("", lists.ACCESS_RIGHTS.base + "PUBLIC")
    licence = _licence(said, said.iri) or _first_licence(said)
    return True if public and lists.facts(licence).known else None


def _languages(said: Described) -> list[str]:
    """Give the languages as BCP 47 tags; what has none in our table is left out."""
    known = (lists.LANGUAGES.by_iri(value) for value in said.values(said.iri, DCT.language))
    return sorted({concept.facts["tag"] for concept in known if concept and concept.facts["tag"]})


def _agents(said: Described, predicate: str) -> list[Json]:
    found: list[Json] = []
    for term in said.terms(said.iri, predicate):
        name, iri = said.name(term).text, ntriples.value_of(term)
        if name:
            told = {"@type": "Organization", "name": name, "url": next(iter(said.links(iri, FOAF.homepage)), "")}
            found.append({key: value for key, value in told.items() if value})
    return found


def _place(said: Described, term: str) -> Json:
    """Describe a place by name and, where the source gives a box, by that: south, west, north, east."""
    iri = ntriples.value_of(term)
    box = places.box(said.value(iri, DCAT.bbox, LOCN.geometry))
    told: Json = {"@type": "Place", "name": said.name(term).text}
    if box:
        told["geo"] = {"@type": "GeoShape", "box": " ".join(f"{edge:g}" for edge in box)}
    filled = {key: value for key, value in told.items() if value}
    return filled if len(filled) > 1 else {}


def _first_licence(said: Described) -> str:
    files = said.values(said.iri, DCAT.distribution)
    return next((licence for file in files if (licence := _licence(said, file))), "")


def _period(said: Described) -> str:
    period = said.value(said.iri, DCT.temporal)
    start = said.value(period, DCAT.startDate, SCHEMA.startDate)
    end = said.value(period, DCAT.endDate, SCHEMA.endDate)
    end = "" if text.is_open_end(end) else end
    return f"{start or '..'}/{end or '..'}" if start or end else ""


def _file(said: Described, file: str) -> Json:
    octets = said.value(file, DCAT.byteSize).split(".")[0]
    told: Json = {
        "@type": "DataDownload",
        "name": said.text(file, DCT.title).text,
        "contentUrl": next(iter(said.links(file, DCAT.downloadURL, DCAT.accessURL)), ""),
        "encodingFormat": _media_type(said, file),
        "contentSize": f"{octets} B" if octets.isascii() and octets.isdigit() else "",
        "license": _licence(said, file),
    }
    return {key: value for key, value in told.items() if value}


def _media_type(said: Described, file: str) -> str:
    """Give the media type, the source's or the one its form has; else the form's name."""
    media = said.value(file, DCAT.mediaType)
    if media:
        return media.removeprefix(lists.IANA)
    form = said.value(file, DCT.format)
    concept = lists.FILE_TYPES.by_iri(form)
    known = lists.media_type_of(concept.code if concept else form).removeprefix(lists.IANA)
    return known or "".join(name.text for name in said.names(file, DCT.format)[:1])
