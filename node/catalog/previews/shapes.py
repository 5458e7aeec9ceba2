"""GeoJSON: where its features lie, an outline of them that a page can draw, and their properties as rows.

The outline has at most two thousand features and forty thousand points: lines are thinned to what shows on a screen.
Coordinates in another system than longitude and latitude are turned where the document names it. Pure work on values
that were read already.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import pyproj

from node.catalog.previews.objects import table_of
from node.catalog.previews.values import Preview, Twin, cut, listed, mapped, refused

_FEATURES = 2_000
_POINTS = 40_000
_PARTS = 1_500  # of the whole extent, one is the finest step that is drawn
_DEGREES = (180.0, 90.0)
_NAMES = ("name", "nimi", "namn", "title", "nimi_fi", "name_en", "Name", "NAME", "id")
_FAR = 1e9  # in no system of the earth is anything farther from its origin
_FIX = "Give each a place in longitude and latitude, or properties."
_RING = 4  # points, of which the last is the first
Point = tuple[float, float]
Box = tuple[float, float, float, float]
_DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}


def preview(
    document: Mapping[str, Any], features: Iterable[object], *, deadline: float, whole: bool = True
) -> tuple[Preview, bytes]:
    """Look inside GeoJSON: what was seen until the time was up, and the outline of that. Raises Malformed.

    Not `whole` where only the beginning lies here. `document` may come to hold its members only while its features are
    read.
    """
    survey = _Survey()
    table = table_of(survey.passing(features), deadline=deadline).table(whole=whole)
    if not survey.count:
        raise refused("features", "It has no features.", fix="Nothing is wrong with it if the dataset is empty.")
    rows = table if table.columns else None
    drawn = _outline(survey, document)
    if drawn is None:
        if rows is None:
            raise refused("features", "Its features have neither properties nor places on the earth.", fix=_FIX)
        return Preview("table", "GeoJSON", rows), b""
    shapes, facts = drawn
    facts |= {"features": survey.count, "shown": len(shapes), "whole": table.rows is not None}
    outline = {"type": "FeatureCollection", "features": shapes}
    return Preview("map", "GeoJSON", rows, Twin("geojson", facts)), orjson.dumps(outline)


class _Survey:
    """What is kept of features as they pass: how many, between which edges, of which kinds, and some to draw."""

    def __init__(self) -> None:
        self.count = 0
        self.box: Box | None = None
        self.kinds: set[str] = set()
        self._kept: list[dict[str, Any]] = []
        self._step = 1

    def passing(self, features: Iterable[object]) -> Iterator[dict[str, Any]]:
        """Take features in, and give the properties of each."""
        for each in features:
            if not isinstance(each, dict):
                continue
            for geometry in _places(each.get("geometry")):
                self.kinds.add(_kind(geometry).removeprefix("Multi"))
                self.box = _around(self.box, _box(_points(geometry.get("coordinates"))))
            self._keep(each)
            yield mapped(each.get("properties"))

    def _keep(self, each: dict[str, Any]) -> None:
        """Keep some, spread over all that come: neighbours often stand beside each other."""
        if self.count % self._step == 0:
            self._kept.append(each)
        self.count += 1
        if len(self._kept) > 2 * _FEATURES:
            self._kept = self._kept[::2]
            self._step *= 2

    def some(self) -> list[dict[str, Any]]:
        """Give those to be drawn."""
        return self._kept[:: max(1, math.ceil(len(self._kept) / _FEATURES))]


def _turn(document: Mapping[str, Any]) -> pyproj.Transformer | None:
    """Give what turns coordinates into longitude and latitude; None where they are those already.

    Raises:
        LookupError: They are of a system that is not known, or of none that says where on a map something lies.
    """
    named = str(mapped(mapped(document.get("crs")).get("properties")).get("name", ""))
    code = named.rpartition(":")[2] if "EPSG" in named else ""
    if not (code.isascii() and code.isdigit()) or code == "4326" or len(code) > 6:
        return None
    try:
        system = pyproj.CRS.from_epsg(int(code))
        if system.is_compound:
            system = system.sub_crs_list[0]  # without the heights
        if not (system.is_geographic or system.is_projected):
            raise LookupError(code)
        return pyproj.Transformer.from_crs(system, 4326, always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise LookupError(code) from error


def _outline(survey: _Survey, document: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """Draw what can be drawn; None where nothing lies on the earth in degrees."""
    try:
        turn = _turn(document)
    except LookupError:
        return None
    own = survey.box
    box = _turned(own, turn) if own else None
    if own is None or box is None or not _is_on_earth(box):
        return None
    pen = _Pen(max(own[2] - own[0], own[3] - own[1]) / _PARTS, turn)
    shapes = [shape for each in survey.some() if (shape := pen.draw(each))]
    facts = {"box": [round(edge, 5) for edge in box], "kinds": sorted(survey.kinds)}
    return (shapes, facts) if shapes else None


def _around(one: Box | None, other: Box | None) -> Box | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _places(geometry: object, depth: int = 2) -> Iterator[dict[str, Any]]:
    """Give the geometries that can be drawn: this one, or those in a collection of them and in one within."""
    one = mapped(geometry)
    if _kind(one):
        yield one
    elif one.get("type") == "GeometryCollection" and depth:
        for each in listed(one.get("geometries")):
            yield from _places(each, depth - 1)


def _kind(geometry: dict[str, Any]) -> str:
    """Give the type of a geometry that can be drawn, else nothing."""
    kind = geometry.get("type")
    return kind if isinstance(kind, str) and kind in _DEPTHS else ""


def _box(points: Iterable[Sequence[float]]) -> Box | None:
    """Find the edges of all points, in the document's own system."""
    west = south = math.inf
    east = north = -math.inf
    for x, y, *_ in points:
        west, east, south, north = min(west, x), max(east, x), min(south, y), max(north, y)
    return (west, south, east, north) if west <= east else None


def _turned(box: Box, turn: pyproj.Transformer | None) -> Box:
    return turn.transform_bounds(*box) if turn else box


def _is_on_earth(box: Box) -> bool:
    (across, up), finite = _DEGREES, all(map(math.isfinite, box))
    return finite and -across <= box[0] <= box[2] <= across and -up <= box[1] <= box[3] <= up


def _points(coordinates: object) -> Iterator[Sequence[float]]:
    """Walk all points of a geometry; what is no point is passed over."""
    if not isinstance(coordinates, list) or not coordinates:
        return
    if isinstance(coordinates[0], int | float):
        if _is_point(coordinates):
            yield coordinates
        return
    for each in coordinates:
        yield from _points(each)


def _is_point(value: Sequence[Any]) -> bool:
    return len(value) >= 2 and all(type(n) in (int, float) and abs(n) < _FAR for n in value[:2])


class _Pen:
    """Draws features until the ink is used up."""

    def __init__(self, step: float, turn: pyproj.Transformer | None) -> None:
        self._step = step
        self._turn = turn
        self._left = _POINTS

    def draw(self, feature: dict[str, Any]) -> dict[str, Any] | None:
        """Draw one feature thinner; None where it has no shape, or no ink is left."""
        drawn = [shape for each in _places(feature.get("geometry")) if (shape := self._shape(each))]
        if not drawn:
            return None
        told = mapped(feature.get("properties"))
        name = next((told[key] for key in _NAMES if told.get(key)), "")
        shape = drawn[0] if len(drawn) == 1 else {"type": "GeometryCollection", "geometries": drawn}
        return {"type": "Feature", "properties": {"name": cut(str(name), 80)} if name else {}, "geometry": shape}

    def _shape(self, geometry: dict[str, Any]) -> dict[str, Any] | None:
        kind = _kind(geometry)
        coordinates = self._thin(geometry.get("coordinates"), _DEPTHS[kind], kind) if self._left > 0 else []
        return {"type": kind, "coordinates": coordinates} if coordinates else None

    def _thin(self, value: object, depth: int, kind: str) -> list[Any]:
        if not isinstance(value, list):
            return []
        if depth == 0:
            return self._point(value)
        if depth == 1:
            return self._line(value, ring="Polygon" in kind)
        parts = [self._thin(each, depth - 1, kind) for each in value]
        # A polygon whose outer ring cannot be drawn has no holes either.
        rings = depth == 2 and "Polygon" in kind
        return [part for part in parts if part] if parts and (parts[0] or not rings) else []

    def _point(self, value: Sequence[Any]) -> list[float]:
        placed = self._placed([(value[0], value[1])]) if _is_point(value) else []
        return placed[0] if placed else []

    def _line(self, value: Sequence[Any], *, ring: bool) -> list[list[float]]:
        points = [(each[0], each[1]) for each in value if isinstance(each, list) and _is_point(each)]
        kept = points[:1]
        for point in points[1:-1]:
            if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) > self._step:
                kept.append(point)
        kept += points[-1:] if len(points) > 1 else []
        if ring and len(kept) < _RING:
            kept = [*points[:: max(1, len(points) // _RING)][: _RING - 1], points[0]] if len(points) >= _RING else []
        return self._placed(kept)

    def _placed(self, points: Sequence[Point]) -> list[list[float]]:
        """Give points in degrees, if there is ink for all of them."""
        if not points or len(points) > self._left:
            return []
        self._left -= len(points)
        xs, ys = zip(*points, strict=True)
        if self._turn:
            xs, ys = self._turn.transform(xs, ys)
        placed = [[round(x, 5), round(y, 5)] for x, y in zip(xs, ys, strict=True)]
        return placed if all(math.isfinite(x) and math.isfinite(y) for x, y in placed) else []
