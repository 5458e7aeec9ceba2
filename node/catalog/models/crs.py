"""Reference systems: from what a file writes to an EPSG address, and from an extent to a box in WGS 84.

pyproj with its own data and never the network: where a grid would be needed the result is off by metres, which a
footprint bears. What would surprise: the axis order that files write is not always the one their reference system
demands, so both are tried and the one that lies where the system is meant to be used wins.
"""

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from node.catalog.models.facts import Box, Extent
from node.vocab.notes import shorten

if TYPE_CHECKING:
    from pyproj import Transformer

GEOCENTRIC = 4978
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_CODE = re.compile(r"epsg(?:\.io)?(?:\.xml#|/[\d.]+/|/|::|:[\d.]+:|:)(\d{4,6})(?!\d)", re.IGNORECASE)
_IS_CRS84 = re.compile(r"\bCRS:?84h?\b", re.IGNORECASE)
# Names of the working group of the German surveying authorities, which no EPSG code follows.
_ADV = {
    "ETRS89_UTM31": 25831,
    "ETRS89_UTM32": 25832,
    "ETRS89_UTM33": 25833,
    "DE_DHDN_3GK2": 31466,
    "DE_DHDN_3GK3": 31467,
    "DE_DHDN_3GK4": 31468,
    "DE_DHDN_3GK5": 31469,
}
_SLACK_DEGREES = 1.0
_DENSE = 21  # points along an edge whose greatest and least make the box


@dataclass(frozen=True, slots=True)
class Placed:
    """Where on Earth an extent lies. `problem` and `message` say why there is no box, where that is a fault."""

    uri: str = ""
    name: str = ""
    box: Box | None = None
    geocentric: bool = False
    problem: str = ""
    message: str = ""


def codes_of(said: str) -> tuple[int, ...]:
    """Give the EPSG codes in a reference system as files write them: horizontal (or both in one), then vertical."""
    found = tuple(int(code) for code in _CODE.findall(said[:2_000]))
    adv = next((code for name, code in _ADV.items() if name in said), 0)
    return found or ((adv,) if adv else ())


def place(said: str, extent: Extent | None, *, north_first: bool = False) -> Placed:
    """Find the reference system and the box of an extent in it; the fault says what was not understood.

    Args:
        said: As the file writes it; empty for none.
        extent: In that system.
        north_first: Prefer the authority's axis order where both orders make sense.
    """
    if not said:
        message = "The model does not say its reference system, so it has no place on Earth. Write it, as EPSG."
        return Placed(problem="no-crs", message=message)
    codes = codes_of(said)
    if not codes and _IS_CRS84.search(said):
        return _placed(_CRS84, "OGC:CRS84", said, extent, north_first=False)
    if not codes:
        return Placed(problem="unknown-crs", message=f"The reference system {shorten(said)!r} has no EPSG code.")
    return _placed(f"{EPSG}{codes[0]}", f"EPSG:{codes[0]}", said, extent, north_first=north_first)


def lon_lat_height(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Turn a geocentric point (EPSG:4978) into degrees and metres; the values are inf where it has no answer."""
    found = _from_geocentric().transform(x, y, z)
    return float(found[0]), float(found[1]), float(found[2])


def _placed(uri: str, code: str, said: str, extent: Extent | None, *, north_first: bool) -> Placed:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    _offline()
    try:
        system = CRS.from_user_input(code)
    except CRSError:
        return Placed(problem="unknown-crs", message=f"{code} of {shorten(said)!r} is no reference system.")
    if system.is_geocentric:
        return Placed(uri, system.name, _geocentric_box(extent), geocentric=True)
    if system.is_vertical and not system.is_compound:
        message = f"{code} ({system.name}) tells heights only. Write the horizontal reference system first."
        return Placed(uri, system.name, problem="unknown-crs", message=message)
    if extent is None:
        return Placed(uri, system.name)
    box = _box(code, extent, north_first=north_first)
    if box is None:
        message = (
            f"The coordinates do not lie where {code} ({system.name}) is used: a wrong code, or a wrong transform."
        )
        return Placed(uri, system.name, problem="outside-crs", message=message)
    return Placed(uri, system.name, box)


def _box(code: str, extent: Extent, *, north_first: bool) -> Box | None:
    """Try both axis orders; the first whose box lies where the reference system is used wins."""
    from pyproj import CRS

    system = CRS.from_user_input(code)
    flat = system.sub_crs_list[0] if system.is_compound else system.to_2d()
    west, south, _, east, north, _ = extent
    orders = [(west, south, east, north), (south, west, north, east)]
    if north_first and flat.axis_info and flat.axis_info[0].direction == "north":
        orders.reverse()
    area = flat.area_of_use
    allowed = (area.west, area.south, area.east, area.north) if area else (-180.0, -90.0, 180.0, 90.0)
    for order in orders:
        found = _transformed(flat.to_wkt(), order)
        if found is not None and _inside(found, allowed):
            return found
    return None


def _transformed(wkt: str, bounds: Box) -> Box | None:
    from pyproj.exceptions import ProjError

    try:
        found = _to_degrees(wkt).transform_bounds(*bounds, densify_pts=_DENSE)
    except ProjError:
        return None
    if not all(map(math.isfinite, found)):
        return None
    west, south, east, north = (round(float(each), 7) for each in found)
    return west, south, east, north


def _inside(found: Box, allowed: Box) -> bool:
    west, south, east, north = allowed
    across = west > east  # the antimeridian: then longitudes say nothing
    upright = south - _SLACK_DEGREES <= found[1] <= found[3] <= north + _SLACK_DEGREES
    return upright and (across or (west - _SLACK_DEGREES <= found[0] and found[2] <= east + _SLACK_DEGREES))


def _geocentric_box(extent: Extent | None) -> Box | None:
    if extent is None:
        return None
    corners = [(x, y, z) for x in extent[::3] for y in extent[1::3] for z in extent[2::3]]
    return box_of_points(corners)


def box_of_points(points: list[tuple[float, float, float]]) -> Box | None:
    """Give the box of geocentric points; None where they are nowhere near the Earth's surface."""
    found = [lon_lat_height(*point) for point in points]
    if not all(math.isfinite(each) for point in found for each in point):
        return None
    lons, lats = [point[0] for point in found], [point[1] for point in found]
    return round(min(lons), 7), round(min(lats), 7), round(max(lons), 7), round(max(lats), 7)


@cache
def _offline() -> None:
    from pyproj.network import set_network_enabled  # type: ignore[attr-defined]  # documented, though not in its __all__

    set_network_enabled(active=False)


@lru_cache(maxsize=32)  # making one costs a hundred times what using it does
def _to_degrees(wkt: str) -> "Transformer":
    from pyproj import Transformer

    return Transformer.from_crs(wkt, "OGC:CRS84", always_xy=True)


@cache
def _from_geocentric() -> "Transformer":
    from pyproj import Transformer

    _offline()
    return Transformer.from_crs(GEOCENTRIC, 4979, always_xy=True)
