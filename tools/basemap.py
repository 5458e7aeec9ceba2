"""Draws the land under the maps: Natural Earth, by way of world-atlas, cut to what a map of cities needs.

`npm pack world-atlas@2.0.2`, unpack it, then `python tools/basemap.py FOLDER` with the folder of `land-110m.json`.
Writes `node/web/static/vendor/natural-earth/basemap.geojson`: the land of the whole world coarsely, Europe finer,
and the borders between countries as lines. Needs shapely; touches nothing else.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shapely import MultiLineString, Polygon, box, line_merge, set_precision, unary_union
from shapely.affinity import translate
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

OUT = Path(__file__).resolve().parent.parent / "node/web/static/vendor/natural-earth/basemap.geojson"
EUROPE = box(-25, 34, 45, 72)
_WORLD_STEP, _EUROPE_STEP = 0.08, 0.025  # degrees, by which lines are simplified


def _arcs(atlas: dict[str, Any]) -> list[list[tuple[float, float]]]:
    """Give the lines of a TopoJSON document in degrees; they stand in it as differences of whole numbers."""
    (scale_x, scale_y), (left, bottom) = atlas["transform"]["scale"], atlas["transform"]["translate"]
    found = []
    for arc in atlas["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * scale_x + left, y * scale_y + bottom))
        found.append(line)
    return found


def _ring(numbers: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    ring: list[tuple[float, float]] = []
    for number in numbers:
        line = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring += line[1:] if ring else line
    return ring


def _polygons(geometry: dict[str, Any]) -> list[list[list[int]]]:
    return [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]


def land(atlas: dict[str, Any]) -> BaseGeometry:
    """Give all land as one area."""
    arcs = _arcs(atlas)
    areas = []
    for geometry in atlas["objects"]["land"]["geometries"]:
        for outer, *holes in _polygons(geometry):
            rings = [_unrolled(_ring(hole, arcs)) for hole in holes]
            areas.append(_rolled(Polygon(_unrolled(_ring(outer, arcs)), rings).buffer(0)))
    return unary_union(areas)


def _unrolled(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Follow a ring across the date line, where its longitudes jump; one that runs around the pole is closed there."""
    whole = ring[:1]
    for x, y in ring[1:]:
        turns = round((x - whole[-1][0]) / 360)
        whole.append((x - 360 * turns, y))
    if abs(whole[-1][0] - whole[0][0]) > 180:
        whole += [(whole[-1][0], -90), (whole[0][0], -90)]
    return whole


def _rolled(area: BaseGeometry) -> BaseGeometry:
    """Cut an area at the date line, and put each part where it belongs on the map."""
    parts = [(turns, area.intersection(box(360 * turns - 180, -90, 360 * turns + 180, 90))) for turns in (-1, 0, 1)]
    return unary_union([translate(part, -360 * turns) for turns, part in parts])


def borders(atlas: dict[str, Any]) -> BaseGeometry:
    """Give the lines that two countries share."""
    arcs, seen = _arcs(atlas), dict[int, int]()
    for geometry in atlas["objects"]["countries"]["geometries"]:
        rings = [ring for polygon in _polygons(geometry) for ring in polygon]
        for number in {number if number >= 0 else ~number for ring in rings for number in ring}:
            seen[number] = seen.get(number, 0) + 1
    return line_merge(MultiLineString([arcs[number] for number, times in seen.items() if times > 1]))


def _tidy(shape: BaseGeometry, step: float) -> BaseGeometry:
    return set_precision(shape.simplify(step), 0.01)


def _features(folder: Path) -> Iterator[tuple[str, BaseGeometry]]:
    def read(name: str) -> dict[str, Any]:
        return json.loads((folder / f"{name}.json").read_bytes())

    world, europe = land(read("land-110m")), land(read("land-50m")).intersection(EUROPE)
    yield "land", _tidy(unary_union([world.difference(EUROPE), europe]), _EUROPE_STEP)
    coarse, fine = borders(read("countries-110m")), borders(read("countries-50m"))
    yield "border", _tidy(coarse.difference(EUROPE), _WORLD_STEP)
    yield "border", _tidy(fine.intersection(EUROPE), _EUROPE_STEP)


Nested = float | Sequence["Nested"]


def _short(value: Nested) -> Nested:
    """Write numbers with two decimals, about a kilometre, and whole ones without."""
    if not isinstance(value, float | int):
        return [_short(each) for each in value]
    short = round(value, 2)
    return int(short) if short == int(short) else short


def main(folder: Path) -> None:
    """Write the file."""
    features = [
        {
            "type": "Feature",
            "properties": {"is": name},
            "geometry": {"type": shape.geom_type, "coordinates": _short(mapping(shape)["coordinates"])},
        }
        for name, shape in _features(folder)
    ]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
