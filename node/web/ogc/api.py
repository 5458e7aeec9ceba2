"""What this node says of its OGC API: landing page, conformance, catalogues, and the OpenAPI 3.0 document.

A document of its own beside `/openapi.json`, since OGC API asks for OpenAPI 3.0 and clients look for that media type.
Each catalogue is one collection of records under a name without a slash (`london.open-data` for `london/open-data`),
and `_all` is everything at once; collections have no such name. Pure: texts and collections come in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.records import KINDS
from node.web.addresses import is_mirror
from node.web.ogc.ask import COMMON, PARAMETERS, SORTABLES
from node.web.ogc.record import GEOJSON, Json, link
from node.web.ports.ports import CollectionInfo
from node.web.wire.atom import DESCRIPTION_TYPE, moment

ALL = "_all"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_OGC = "http://www.opengis.net/spec"
_RECORDS = f"{_OGC}/ogcapi-records-1/1.0/conf"
_CATALOG = "http://www.opengis.net/def/rel/ogc/1.0/ogc-catalog"
CONFORMANCE = (
    *(f"{_OGC}/ogcapi-common-1/1.0/conf/{name}" for name in ("core", "landing-page", "json", "html", "oas30")),
    f"{_OGC}/ogcapi-common-2/1.0/conf/collections",
    *(f"{_OGC}/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "geojson", "html", "oas30")),
    *(f"{_RECORDS}/{name}" for name in ("record-core", "record-collection", "record-core-query-parameters")),
    *(f"{_RECORDS}/{name}" for name in ("records-api", "searchable-catalog", "searchable-catalog/sorting")),
    *(f"{_RECORDS}/{name}" for name in ("sorting", "json", "html", "oas30")),
)
_TITLES: dict[str, tuple[str, str, Json]] = {
    "updated": ("Updated", "When the record last changed here.", {"type": "string", "format": "date-time"}),
    "title": ("Title", "The title of the record.", {"type": "string"}),
    "relevance": ("Relevance", "How well the record answers q.", {"type": "number"}),
    "quality": ("Quality", "Points of the metadata quality assessment, 0 to 405.", {"type": "integer"}),
}


def name_of(collection: str) -> str:
    """Give the id of a collection's catalogue in the API; `collection_of` is its inverse.

    >>> name_of("london/open-data"), collection_of("london.open-data")
    ('london.open-data', 'london/open-data')
    """
    return collection.replace("/", ".")


def collection_of(name: str) -> str:
    """Give the local name of the collection whose catalogue has an id; no name has a dot."""
    return name.replace(".", "/")


@dataclass(frozen=True, slots=True)
class Texts:
    """What the documents say in words, in the reader's language."""

    title: str
    lead: str
    language: str
    called: Callable[[CollectionInfo], str]
    about: Callable[[CollectionInfo], str]


def both(address: str, *, machine: str = "application/json", as_page: bool = False) -> list[Json]:
    """Link a document to itself and to its other form."""
    shapes = [link(address, "", machine), link(f"{address}{'&' if '?' in address else '?'}f=html", "", "text/html")]
    if as_page:
        shapes.reverse()
    return [{**shapes[0], "rel": "self"}, {**shapes[1], "rel": "alternate"}]


def landing(base: str, texts: Texts) -> Json:
    """Say what there is and where."""
    root = f"{base}/ogc"
    return {
        "title": texts.title,
        "description": texts.lead,
        "links": [
            *both(root),
            link(f"{root}/api", "service-desc", OPENAPI, "OpenAPI 3.0"),
            link(f"{base}/docs", "service-doc", "text/html", "API"),
            link(f"{root}/conformance", "conformance", "application/json", "Conformance classes"),
            link(f"{root}/collections", "data", "application/json", "Catalogues"),
            link(f"{root}/collections/{ALL}", _CATALOG, "application/json", texts.title),
            link(f"{base}/opensearch.xml", "search", DESCRIPTION_TYPE, texts.title),
        ],
    }


def catalogues(base: str, infos: Sequence[CollectionInfo], texts: Texts) -> Json:
    """List the catalogues, the one of everything first."""
    listed = [everything(base, infos, texts), *(catalogue(base, info, texts) for info in infos)]
    return {"links": both(f"{base}/ogc/collections"), "collections": listed}


def everything(base: str, infos: Sequence[CollectionInfo], texts: Texts) -> Json:
    """Describe the catalogue of all records."""
    newest = max((info.updated_at_ms for info in infos), default=0)
    return _catalogue(base, ALL, texts.title, texts.lead, texts.language, newest)


def catalogue(base: str, info: CollectionInfo, texts: Texts) -> Json:
    """Describe the catalogue of one collection."""
    name, title = name_of(info.name), texts.called(info)
    told = _catalogue(base, name, title, texts.about(info), texts.language, info.updated_at_ms)
    more = [link(f"{base}/collections/{info.name}.ttl", "alternate", "text/turtle", "As linked data")]
    if is_mirror(info.name):
        more.append(link(info.iri, "canonical", "", "At its origin"))
    return told | {"links": [*told["links"], *more]}  # type: ignore[misc]


def _catalogue(base: str, name: str, title: str, about: str, language: str, updated_ms: int) -> Json:
    here = f"{base}/ogc/collections/{name}"
    told: Json = {
        "id": name,
        "type": "Collection",
        "itemType": "record",
        "title": title,
        "description": about,
        "language": {"code": language},
        "crs": [CRS84],
        "conformsTo": [f"{_RECORDS}/record-collection", f"{_RECORDS}/searchable-catalog"],
        "defaultSortOrder": [{"field": "updated", "direction": "desc"}],
        "links": [
            *both(here),
            link(f"{here}/items", "items", GEOJSON, title),
            link(f"{here}/items?f=html", "items", "text/html", title),
            link(f"{here}/queryables", "http://www.opengis.net/def/rel/ogc/1.0/queryables", SCHEMA, "Queryables"),
            link(f"{here}/sortables", "http://www.opengis.net/def/rel/ogc/1.0/sortables", SCHEMA, "Sortables"),
            link(f"{base}/ogc", "root", "application/json"),
        ],
    }
    return told | ({"updated": moment(updated_ms)} if updated_ms else {})


def schema(here: str, what: str, title: str) -> Json:
    """Say as a JSON schema what records of a catalogue can be sorted by, or asked for."""
    named = {name: {"title": said[0], "description": said[1], **said[2]} for name, said in _TITLES.items()}
    if what == "queryables":
        asked = ("q", "bbox", "datetime", "type", "ids", "externalIds")
        named = {name: {"description": PARAMETERS[name][0], **PARAMETERS[name][1]} for name in asked}
    return {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "$id": f"{here}/{what}",
        "type": "object",
        "title": title,
        "properties": {name: named[name] for name in (named if what == "queryables" else SORTABLES)},
    }


# ---------------------------------------------------------------- OpenAPI 3.0


def openapi(base: str, title: str, version: str, names: Sequence[str]) -> Json:
    """Write the OpenAPI 3.0 document of the OGC API alone; `names` are the ids of the catalogues."""
    at = "/collections/{catalogId}"
    paths: dict[str, Json] = {
        "/": _operation("landing", "What there is", "application/json"),
        "/conformance": _operation("conformance", "The conformance classes", "application/json"),
        "/api": _operation("api", "This document", OPENAPI),
        "/collections": _operation("catalogs", "The catalogues", "application/json"),
        at: _operation("catalog", "One catalogue", "application/json", "catalogId"),
        f"{at}/items": _operation("records", "Search its records", GEOJSON, "catalogId", *PARAMETERS),
        f"{at}/items/{{recordId}}": _operation("record", "One record", GEOJSON, "catalogId", "recordId"),
        f"{at}/queryables": _operation("queryables", "What can be asked for", SCHEMA, "catalogId"),
        f"{at}/sortables": _operation("sortables", "What can be sorted by", SCHEMA, "catalogId"),
    }
    parameters = {name: _parameter(name, about, shape) for name, (about, shape) in PARAMETERS.items()}
    parameters["catalogId"] = _path_parameter("catalogId", "A catalogue.", {"type": "string", "enum": list(names)})
    parameters["recordId"] = _path_parameter("recordId", "A record's id.", {"type": "string"})
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": version, "description": f"Kinds of records: {', '.join(sorted(KINDS))}."},
        "servers": [{"url": f"{base}/ogc"}],
        "paths": paths,
        "components": {"parameters": parameters},
    }


def _operation(name: str, summary: str, media_type: str, *parameters: str) -> Json:
    asked = [*parameters, *(each for each in COMMON if each not in parameters)]
    refused: Json = {"content": {"application/problem+json": {"schema": {"type": "object"}}}}
    shapes = {media_type: {"schema": {"type": "object"}}, "text/html": {"schema": {"type": "string"}}}
    replies: Json = {
        "200": {"description": summary, "content": shapes},
        "400": refused | {"description": "A parameter cannot be read."},
        "404": refused | {"description": "There is no such thing here."},
        "503": refused | {"description": "There is no index yet."},
    }
    refs = [{"$ref": f"#/components/parameters/{each}"} for each in asked]
    return {"get": {"operationId": name, "summary": summary, "parameters": refs, "responses": replies}}


def _parameter(name: str, about: str, shape: Json) -> Json:
    told: Json = {"name": name, "in": "query", "required": False, "description": about, "schema": shape}
    # Lists are written with commas (RFC 6570 form style without explosion).
    return told | ({"style": "form", "explode": False} if shape["type"] == "array" else {})


def _path_parameter(name: str, about: str, shape: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": shape}
