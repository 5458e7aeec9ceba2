"""CityJSON in triangles: a bounded mesh that a page can draw, and what is in it.

Each object is drawn at its finest level of detail. A surface is laid flat along its normal and cut into triangles with
its holes. The mesh is nine-byte work for a graphics card: for each corner three whole numbers of the extent and one for
what the surface is. More than sixty thousand triangles are not drawn; the facts then say that it is a part.
"""

import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import mapbox_earcut
import numpy as np

from node.catalog.previews.values import Preview, Twin, cut, listed, mapped, refused

MAGIC = b"CNM1"
TRIANGLES = 60_000
_GRID = 65_535
_CORNERS = 2_000  # of one surface
_KINDS = {"GroundSurface": 1, "RoofSurface": 2, "WallSurface": 3, "OuterFloorSurface": 2, "WaterSurface": 4}
_OF_OBJECTS = {"WaterBody": 4, "PlantCover": 5, "SolitaryVegetationObject": 5, "TINRelief": 1, "Road": 6, "LandUse": 1}
_DEPTHS = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}
Ring = Sequence[int]


def preview(documents: Iterable[dict[str, Any]], *, deadline: float) -> tuple[Preview, bytes]:
    """Look inside a CityJSON document, or the parts of a sequence of which the first holds the transform.

    Raises:
        Malformed: Nothing in it can be drawn.
    """
    drawing, transform = _Drawing(deadline), None
    kinds: dict[str, int] = {}
    for n, document in enumerate(documents):
        if n and drawing.is_late():
            break
        transform = transform if n else document.get("transform")
        corners = _corners(document, transform)
        for each in mapped(document.get("CityObjects")).values():
            if isinstance(each, dict):
                kind = cut(str(each.get("type", "")), 40)
                kinds[kind] = kinds.get(kind, 0) + 1
                drawing.add(each, corners)
    body, facts = drawing.finished()
    top = sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))[:8]
    facts |= {"objects": sum(kinds.values()), "kinds": [[kind, count] for kind, count in top]}
    return Preview("model", "CityJSON", None, Twin("bin", facts)), body


def _corners(document: dict[str, Any], transform: object) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Give the corners of a document in its own units."""
    try:
        corners = np.asarray(document.get("vertices") or [], dtype=np.float64).reshape(-1, 3)
        if isinstance(transform, dict):
            scale, shift = np.asarray(transform["scale"], np.float64), np.asarray(transform["translate"], np.float64)
            corners = corners * scale + shift
    except (KeyError, TypeError, ValueError) as error:
        raise refused("model", "Its corners cannot be read.", fix="Check it with cjval.") from error
    return corners


class _Drawing:
    """Gathers triangles until there are enough, or the time is up."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._found: list[np.ndarray[Any, np.dtype[np.float64]]] = []
        self._kinds: list[int] = []
        self._triangles = 0
        self._whole = True

    def add(self, one: dict[str, Any], corners: "np.ndarray[Any, np.dtype[np.float64]]") -> None:
        """Draw one object at its finest level of detail."""
        told = [each for each in listed(one.get("geometry")) if isinstance(each, dict) and _depth(each) is not None]
        if not told:
            return
        finest = max(told, key=lambda geometry: str(geometry.get("lod", "")))
        usual = _OF_OBJECTS.get(str(one.get("type")), 0)
        for rings, kind in _surfaces(finest):
            if self._triangles >= TRIANGLES or self.is_late():
                self._whole = False
                return
            self._surface(rings, corners, kind or usual)

    def is_late(self) -> bool:
        """Tell whether the time is up; what is drawn is then a part."""
        late = time.monotonic() > self._deadline
        self._whole = self._whole and not late
        return late

    def _surface(self, rings: Sequence[Ring], corners: "np.ndarray[Any, np.dtype[np.float64]]", kind: int) -> None:
        good = [ring for ring in rings if _is_ring(ring, len(corners))]
        if not good or len(good) != len(rings) or sum(map(len, good)) > _CORNERS:
            return
        points = corners[np.concatenate([np.asarray(ring) for ring in good])]
        cuts = _triangles(points, np.cumsum([len(ring) for ring in good]).astype(np.uint32))
        if len(cuts):
            self._found.append(points[cuts])
            self._kinds += [kind] * len(cuts)
            self._triangles += len(cuts) // 3

    def finished(self) -> tuple[bytes, dict[str, Any]]:
        """Give the mesh and its facts."""
        if not self._found:
            raise refused(
                "model", "Nothing in it can be drawn: it has no surfaces.", fix="Publish a level of detail above 0."
            )
        points = np.concatenate(self._found)
        low, high = points.min(axis=0), points.max(axis=0)
        size = high - low
        extent = float(size.max()) or 1.0
        if not np.isfinite(extent):
            raise refused("model", "Its corners are not numbers.", fix="Check it with cjval.")
        told = np.zeros((len(points), 4), dtype="<u2")
        told[:, :3] = np.round((points - low) / extent * _GRID).astype("<u2")
        told[:, 3] = self._kinds
        facts = {"triangles": len(points) // 3, "size": [round(float(side), 1) for side in size], "whole": self._whole}
        header = MAGIC + struct.pack("<I3H2x", len(points), *(int(side / extent * _GRID) for side in size))
        return header + told.tobytes(), facts


def _is_ring(ring: object, most: int) -> bool:
    return isinstance(ring, list) and len(ring) >= 3 and all(type(n) is int and 0 <= n < most for n in ring)


def _surfaces(geometry: dict[str, Any]) -> Iterator[tuple[Sequence[Ring], int]]:
    """Walk the surfaces of a geometry with what each is."""
    told = mapped(geometry.get("semantics"))
    named = [_KINDS.get(str(mapped(each).get("type")), 0) for each in listed(told.get("surfaces"))]
    yield from _walk(geometry.get("boundaries"), told.get("values"), _depth(geometry) or 0, named)


def _depth(geometry: dict[str, Any]) -> int | None:
    return _DEPTHS.get(str(geometry.get("type")))


def _walk(boundaries: object, values: object, depth: int, named: Sequence[int]) -> Iterator[tuple[Sequence[Ring], int]]:
    for n, each in enumerate(listed(boundaries)):
        value = values[n] if isinstance(values, list) and n < len(values) else None
        if depth:
            yield from _walk(each, value, depth - 1, named)
        elif isinstance(each, list):
            yield each, named[value] if isinstance(value, int) and 0 <= value < len(named) else 0


def _triangles(
    points: "np.ndarray[Any, np.dtype[np.float64]]", ends: "np.ndarray[Any, np.dtype[np.uint32]]"
) -> "np.ndarray[Any, np.dtype[np.uint32]]":
    """Cut a surface into triangles, as places among its points: laid flat along the axis that it faces most."""
    outer = points[: ends[0]]
    following = np.roll(outer, -1, axis=0)
    normal = np.cross(outer - outer[0], following - outer[0]).sum(axis=0)  # Newell's, whatever the ring's shape
    axis = int(np.abs(normal).argmax())
    flat = np.delete(points, axis, axis=1)
    cuts: np.ndarray[Any, np.dtype[np.uint32]] = mapbox_earcut.triangulate_float64(np.ascontiguousarray(flat), ends)
    return cuts
