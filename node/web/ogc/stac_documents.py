"""City models as STAC 1.1 says them: a catalogue, a collection for each of ours that holds models, an item for each.

Pure: descriptions and addresses come in, JSON values go out. Facts of the projection and of 3D models stand in the
extensions `projection` 2.0 and `city3d` 0.2, each named only where it says something. What the file does not tell is
left out; where its date is unknown the time is that of the record, because STAC wants one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from node.web.ogc.record import GEOJSON, Json, link
from node.web.wire.atom import moment

VERSION = "1.1.0"
JSON = "application/json"
CONFORMANCE = ("https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/collections")
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
CITY3D = "https://cityjson.github.io/stac-city3d/v0.2.0/schema.json"
WORLD = (-180.0, -90.0, 180.0, 90.0)
MOST_SUMMED = 500
"""How many items a collection's extent is measured from; one with more is said to lie somewhere in the world."""
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"

_EPSG = re.compile(r"/def/crs/EPSG/[^/]+/(\d{1,6})\Z")
_POLYGON = re.compile(r"POLYGON\s*\(\(([-\d.,\sEe+]{7,400})\)\)\Z", re.IGNORECASE)
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?\Z", re.ASCII)
_LOD = re.compile(r"\d+(?:\.\d+)?\Z", re.ASCII)
_MEDIA = {
    "cityjson": "application/city+json",
    "cityjsonseq": "application/city+json-seq",
    "citygml": "application/gml+xml",
    "3d-tiles": JSON,
}
# The types that `city3d` knows; others there begin with +.
_TYPES = (
    " Building BuildingPart BuildingInstallation BuildingConstructiveElement BuildingFurniture BuildingStorey"
    " BuildingRoom BuildingUnit Bridge BridgePart BridgeInstallation BridgeConstructiveElement BridgeRoom"
    " BridgeFurniture CityFurniture CityObjectGroup GenericCityObject LandUse OtherConstruction PlantCover"
    " SolitaryVegetationObject Railway Road TINRelief TransportSquare Tunnel TunnelPart TunnelInstallation"
    " TunnelConstructiveElement TunnelHollowSpace TunnelFurniture WaterBody WaterSurface WaterGroundSurface"
    " Waterway "
)
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Model:
    """A city model to be told: its description, and what is known of its record. `texts` are in the reader's language.

    Attributes:
        id: Its id within its collection.
        said: What its record says (see `node.vocab.kinds.reading`).
        texts: `title`, `description` and `publisher`.
        at_ms: When its record last changed here.
        page: The address of its record.
        licence: An SPDX id, `other`, or empty.
        links: To the licence and the like.
    """

    id: str
    said: Mapping[str, Any]
    texts: Mapping[str, str]
    at_ms: int
    page: str
    licence: str = ""
    links: Sequence[Json] = field(default=())


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection of models: its name in the API, and what it is called."""

    name: str
    title: str
    about: str


class Addresses:
    """Where the documents stand."""

    def __init__(self, base: str) -> None:
        self.base, self.root = base, f"{base}/stac"

    def collection(self, name: str) -> str:
        """Give the address of a collection."""
        return f"{self.root}/collections/{name}"

    def item(self, name: str, given: str) -> str:
        """Give the address of an item."""
        return f"{self.collection(name)}/items/{given}"


# ---------------------------------------------------------------- documents


def catalog(at: Addresses, city: str, title: str, about: str, shelves: Sequence[Shelf]) -> Json:
    """Write the catalogue, which is also the landing page of a STAC API."""
    return {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": city,
        "title": title,
        "description": about,
        "conformsTo": list(CONFORMANCE),
        "links": [
            link(at.root, "self", JSON, title),
            link(at.root, "root", JSON, title),
            link(f"{at.root}/collections", "data", JSON, title),
            link(f"{at.root}/conformance", "conformance", JSON),
            link(f"{at.base}/openapi.json", "service-desc", OPENAPI, "OpenAPI"),
            link(f"{at.base}/docs", "service-doc", "text/html", "API"),
            *(link(at.collection(each.name), "child", JSON, each.title) for each in shelves),
        ],
    }


def collection(at: Addresses, shelf: Shelf, models: Sequence[Model], total: int) -> Json:
    """Write a collection; `models` are those that its extent is measured from, all or none of the `total`."""
    here, extensions = at.collection(shelf.name), [CITY3D] if _city3d_of(models) else []
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [*([PROJECTION] if _codes(models) else []), *extensions],
        "id": shelf.name,
        "title": shelf.title,
        "description": shelf.about,
        "license": _licence_of(models, total),
        "extent": {
            "spatial": {"bbox": [list(_around([_box(each) for each in models], whole=len(models) == total))]},
            "temporal": {"interval": [_interval(models, whole=len(models) == total)]},
        },
        "summaries": _filled({"proj:code": _codes(models), **_city3d_of(models)}),
        "links": [
            link(here, "self", JSON, shelf.title),
            link(at.root, "root", JSON),
            link(at.root, "parent", JSON),
            link(f"{here}/items", "items", GEOJSON, shelf.title),
        ],
    }


def item(at: Addresses, shelf: Shelf, model: Model) -> Json:
    """Write one model."""
    box, projection, city3d = _box(model), _projection(model.said), _city3d(model.said)
    properties: Json = {
        **_times(model),
        "title": model.texts.get("title", ""),
        "description": model.texts.get("description", ""),
        "created": _moment_of(str(model.said.get("issued", ""))),
        "updated": moment(model.at_ms),
        "license": model.licence,
        "providers": [{"name": name, "roles": ["producer"]}] if (name := model.texts.get("publisher")) else [],
        **projection,
        **city3d,
    }
    told: Json = {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [*([PROJECTION] if projection else []), *([CITY3D] if city3d else [])],
        "id": model.id,
        "geometry": _polygon(box) if box else None,
        "bbox": list(box) if box else None,
        "properties": _filled(properties) | {"datetime": properties["datetime"]},
        "links": _item_links(at, shelf, model),
        "assets": {"model": _asset(model)} if model.said.get("file") else {},
        "collection": shelf.name,
    }
    return told if box else {key: value for key, value in told.items() if key != "bbox"}


def _item_links(at: Addresses, shelf: Shelf, model: Model) -> list[Json]:
    about = str(model.said.get("about", ""))
    return [
        link(at.item(shelf.name, model.id), "self", GEOJSON),
        link(at.root, "root", JSON),
        link(at.collection(shelf.name), "parent", JSON, shelf.title),
        link(at.collection(shelf.name), "collection", JSON, shelf.title),
        link(model.page, "alternate", "text/html", "Everything that is said of it"),
        *([link(about, "via", "", "The dataset that it belongs to")] if about else []),
        *model.links,
    ]


def _asset(model: Model) -> Json:
    href = str(model.said["file"])
    packed = {"zip": "application/zip", "gz": "application/gzip"}.get(href.rpartition(".")[2].lower())
    media = packed or _MEDIA.get(str(model.said.get("format", "")), "")
    return _filled({"href": href, "type": media, "title": model.texts.get("title", ""), "roles": ["data"]})


# ---------------------------------------------------------------- facts


def _projection(said: Mapping[str, Any]) -> Json:
    found = _EPSG.search(str(said.get("crs", "")))
    corners = [*_corner(said.get("lower_corner")), *_corner(said.get("upper_corner"))]
    told: Json = {"proj:code": f"EPSG:{found[1]}"} if found else {}
    return told | ({"proj:bbox": corners} if len(corners) == 6 else {})


def _corner(said: object) -> list[float]:
    try:
        numbers = [float(each) for each in str(said or "").split()]
    except ValueError:
        return []
    return numbers if len(numbers) == 3 and all(abs(each) < 1e12 for each in numbers) else []


def _city3d(said: Mapping[str, Any]) -> Json:
    """Say what `city3d` has words for; tiles are no city objects."""
    counts = said.get("counts", ())
    types = sorted({str(each.get("type", "")) for each in counts})
    told = {
        "city3d:version": version if _VERSION.match(version := str(said.get("format_version", ""))) else "",
        "city3d:city_objects": _whole(said.get("objects")) if said.get("format") != "3d-tiles" else None,
        "city3d:lods": sorted({lod for lod in map(str, said.get("lods", ())) if _LOD.match(lod)}),
        "city3d:co_types": [each for each in types if _is_type(each)],
    }
    if said.get("format") in ("cityjson", "cityjsonseq", "citygml"):
        told |= {f"city3d:{name}": bool(_whole(said.get(name))) for name in ("textures", "materials")}
    return _filled(told)


def _is_type(name: str) -> bool:
    return f" {name} " in _TYPES if name.isalpha() else name.startswith("+") and len(name) > 1


def _whole(said: object) -> int | None:
    text = str(said or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _times(model: Model) -> Json:
    """Say when the city looked like this: an instant, else the year or month, else when it was described."""
    said = str(model.said.get("epoch", ""))
    if len(said) == 10:
        return {"datetime": _moment_of(said)}
    if said:
        start, end = _span(said)
        return {"datetime": None, "start_datetime": start, "end_datetime": end}
    return {"datetime": _moment_of(str(model.said.get("issued", ""))) or moment(model.at_ms)}


def _span(said: str) -> tuple[str, str]:
    """Give the first and the last second of a year or month.

    >>> _span("2024-02")
    ('2024-02-01T00:00:00Z', '2024-02-29T23:59:59Z')
    """
    first = date.fromisoformat((said + "-01-01")[:10])
    months = first.year * 12 + first.month - 1 + (12 if len(said) == 4 else 1)
    last = date(months // 12, months % 12 + 1, 1) - timedelta(days=1) if months // 12 <= 9999 else date.max
    return f"{first.isoformat()}T00:00:00Z", f"{last.isoformat()}T23:59:59Z"


def _moment_of(day: str) -> str:
    return f"{day}T00:00:00Z" if len(day) == 10 else ""


def _box(model: Model) -> Box | None:
    """Read the rectangle of a description; None where it is none of this world."""
    area = model.said.get("area")
    found = _POLYGON.match(str(area.get("bbox", "")).strip()) if isinstance(area, Mapping) else None
    try:
        corners = [tuple(map(float, each.split())) for each in found[1].split(",")] if found else []
    except ValueError:
        return None
    if not corners or any(len(each) != 2 for each in corners):
        return None
    xs, ys = [each[0] for each in corners], [each[1] for each in corners]
    fits = min(xs) >= -180 and max(xs) <= 180 and min(ys) >= -90 and max(ys) <= 90
    return (min(xs), min(ys), max(xs), max(ys)) if fits else None


def _polygon(box: Box) -> Json:
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


# ---------------------------------------------------------------- of many


def _around(boxes: Sequence[Box | None], *, whole: bool) -> Box:
    """Give what lies around all; the world if not all are known."""
    known = [box for box in boxes if box]
    if not known or not whole:
        return WORLD
    return (
        min(each[0] for each in known),
        min(each[1] for each in known),
        max(each[2] for each in known),
        max(each[3] for each in known),
    )


def _interval(models: Sequence[Model], *, whole: bool) -> list[str | None]:
    told = [_times(each) for each in models]
    starts = [str(each.get("start_datetime") or each["datetime"]) for each in told]
    ends = [str(each.get("end_datetime") or each["datetime"]) for each in told]
    # STAC wants one end at least: an empty or an endless collection begins with the epoch.
    return [min(starts), max(ends)] if told and whole else ["1970-01-01T00:00:00Z", None]


def _codes(models: Sequence[Model]) -> list[str]:
    return sorted({str(code) for each in models if (code := _projection(each.said).get("proj:code"))})


def _city3d_of(models: Sequence[Model]) -> Json:
    """Sum up what the items say."""
    told = [_city3d(each.said) for each in models]
    versions = sorted({str(each["city3d:version"]) for each in told if "city3d:version" in each})
    lods = sorted({lod for each in told for lod in each.get("city3d:lods", ())})  # type: ignore[attr-defined]
    return _filled({"city3d:version": versions, "city3d:lods": lods})


def _licence_of(models: Sequence[Model], total: int) -> str:
    found = {each.licence for each in models}
    return found.pop() or "other" if len(found) == 1 and len(models) == total else "other"


def _filled(told: Mapping[str, object]) -> Json:
    return {key: value for key, value in told.items() if value is not None and value not in ("", [], {})}
