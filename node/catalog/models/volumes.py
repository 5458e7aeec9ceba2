"""Bounding volumes of 3D Tiles: whether one is well formed, and where on Earth the root's lies.

A region is in radians and metres; a box and a sphere are in the tile's own coordinates, which the root's transform
turns into geocentric ones (EPSG:4978). What would surprise: a tileset without a transform may well lie in the middle of
the Earth; such a model has no place, and says so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from node.catalog.models import crs
from node.catalog.models.facts import Box, Extent

_SIZES = {"box": 12, "region": 6, "sphere": 4}
_EXTENSIONS = ("3DTILES_bounding_volume_S2", "3DTILES_bounding_volume_cylinder")
_LEAST_RADIUS = 6_000_000.0  # metres from the middle of the Earth: what is nearer was never placed
IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """A volume on Earth; nothing but empty where it has no place."""

    reference: str = ""
    extent: Extent | None = None
    box: Box | None = None


def fault_of(volume: object) -> str:
    """Say what is wrong with a bounding volume; empty if nothing."""
    if not isinstance(volume, Mapping):
        return "A tile has a boundingVolume: a box, a region or a sphere."
    kind = next((name for name in _SIZES if name in volume), "")
    if not kind:
        extensions = volume.get("extensions")
        known = isinstance(extensions, Mapping) and any(name in extensions for name in _EXTENSIONS)
        return "" if known else "A boundingVolume has a box, a region or a sphere."
    numbers = finite(volume[kind], _SIZES[kind])
    if numbers is None:
        return f"A {kind} is a list of {_SIZES[kind]} numbers."
    return _fault_of_numbers(kind, numbers)


def _fault_of_numbers(kind: str, numbers: Sequence[float]) -> str:
    if kind == "sphere" and numbers[3] < 0:
        return "The radius of a sphere is not negative."
    if kind == "region" and (numbers[1] > numbers[3] or numbers[4] > numbers[5]):
        return "A region is west, south, east, north, least height, greatest height."
    if kind == "region" and max(map(abs, numbers[:4])) > math.pi + 1e-6:
        return "A region is in radians, not in degrees."
    return ""


def finite(value: object, size: int) -> tuple[float, ...] | None:
    """Give a list of that many finite numbers; None for anything else."""
    if not isinstance(value, list) or len(value) != size:
        return None
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in value):
        return None
    numbers = tuple(map(float, value))
    return numbers if all(map(math.isfinite, numbers)) else None


def place(volume: Mapping[str, Any], matrix: Sequence[float]) -> Place:
    """Place a well-formed root volume; `matrix` is the root's transform, by columns."""
    if "region" in volume:
        west, south, east, north, low, high = map(float, volume["region"])
        box = cast("Box", tuple(round(math.degrees(each), 7) for each in (west, south, east, north)))
        return Place(f"{crs.EPSG}4979", (*box[:2], round(low, 3), *box[2:], round(high, 3)), box)
    points = [_moved(point, matrix) for point in _corners(volume)]
    if not points or min(map(math.hypot, *zip(*points, strict=True))) < _LEAST_RADIUS:
        return Place()
    least, most = map(min, zip(*points, strict=True)), map(max, zip(*points, strict=True))
    extent = cast("Extent", tuple(round(each, 3) for each in (*least, *most)))
    return Place(f"{crs.EPSG}{crs.GEOCENTRIC}", extent, crs.box_of_points(points))


def _corners(volume: Mapping[str, Any]) -> list[Point]:
    """Give the corners of a box, or of the box around a sphere."""
    if "box" in volume:
        numbers = list(map(float, volume["box"]))
        axes = [numbers[3:6], numbers[6:9], numbers[9:12]]
    elif "sphere" in volume:
        numbers = list(map(float, volume["sphere"]))
        axes = [[numbers[3], 0.0, 0.0], [0.0, numbers[3], 0.0], [0.0, 0.0, numbers[3]]]
    else:
        return []
    signs = [(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
    corners = []
    for sign in signs:
        x, y, z = (numbers[i] + sum(by * axis[i] for by, axis in zip(sign, axes, strict=True)) for i in range(3))
        corners.append((x, y, z))
    return corners


def _moved(point: Point, matrix: Sequence[float]) -> Point:
    x, y, z = point
    moved = [matrix[i] * x + matrix[i + 4] * y + matrix[i + 8] * z + matrix[i + 12] for i in range(3)]
    return moved[0], moved[1], moved[2]
