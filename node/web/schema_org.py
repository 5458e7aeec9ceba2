"""A record as schema.org says it, for search engines: the data block in a page's head.

Only what the payload says; nothing is filled in. `<` is escaped because the block stands inside HTML, where a text
holding `</script>` would end it.
"""

import json

from markupsafe import Markup

from node.vocab.terms import DCAT, DCT, FOAF, SKOS
from node.web import text
from node.web.graph import Described

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
        "keywords": [keyword.text for keyword in said.texts(iri, DCAT.keyword)],
        "license": said.value(iri, DCT.license) or _first_licence(said),
        "datePublished": said.value(iri, DCT.issued),
        "dateModified": said.value(iri, DCT.modified),
        "inLanguage": [name.text for name in said.names(iri, DCT.language)],
        "spatialCoverage": [name.text for name in said.names(iri, DCT.spatial)],
        "temporalCoverage": _period(said),
        "publisher": [{"@type": "Organization", "name": name.text} for name in said.names(iri, DCT.publisher)],
        "distribution": [_file(said, file) for file in said.values(iri, DCAT.distribution)],
        "includedInDataCatalog": {"@type": "DataCatalog", "@id": catalogue, "url": catalogue, "name": city},
    }
    if kind not in ("dataset", "dataset-series"):
        for only_data in ("distribution", "includedInDataCatalog", "temporalCoverage", "spatialCoverage"):
            found.pop(only_data)
    told = json.dumps({key: value for key, value in found.items() if value}, ensure_ascii=False)
    # In JSON these three are equal to their escapes, and none can end the element or begin a comment.
    return Markup(told.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704


def _first_licence(said: Described) -> str:
    files = said.values(said.iri, DCAT.distribution)
    return next((licence for file in files if (licence := said.value(file, DCT.license))), "")


def _period(said: Described) -> str:
    period = said.value(said.iri, DCT.temporal)
    start, end = said.value(period, DCAT.startDate), said.value(period, DCAT.endDate)
    return f"{start or '..'}/{end or '..'}" if start or end else ""


def _file(said: Described, file: str) -> Json:
    told: Json = {
        "@type": "DataDownload",
        "name": said.text(file, DCT.title).text,
        "contentUrl": next(iter(said.links(file, DCAT.downloadURL, DCAT.accessURL)), ""),
        "encodingFormat": said.value(file, DCAT.mediaType).rpartition("media-types/")[2]
        or "".join(name.text for name in said.names(file, DCT.format)[:1]),
        "license": said.value(file, DCT.license),
    }
    return {key: value for key, value in told.items() if value}
