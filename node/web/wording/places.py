# ruff: noqa: RUF001, RUF002 - a span is written with an en dash.
"""Where a shape lies: the box around WKT text in longitude and latitude, and how a person would say it.

Portals write places as geometries without a name. No geometry library: numbers are read and compared, nothing more.
Pure text work, used by pages only.
"""

import re

# Longer texts are coastlines: their first points do.
_MOST = 20_000
_PAIR = re.compile(r"(-?\d{1,3}(?:\.\d+)?)\s+(-?\d{1,3}(?:\.\d+)?)(?=\s*[,)])")


def box(geometry: str) -> tuple[float, float, float, float] | None:
    """Find the box (south, west, north, east) around a WKT shape in longitude and latitude; None for anything else."""
    pairs = [(float(east), float(north)) for east, north in _PAIR.findall(geometry[:_MOST])]
    if not pairs or not all(abs(east) <= 180 and abs(north) <= 90 for east, north in pairs):
        return None
    easts, norths = [east for east, _ in pairs], [north for _, north in pairs]
    return min(norths), min(easts), max(norths), max(easts)


def edges(geometry: str) -> str:
    """Say in degrees where a WKT shape lies; nothing for any other text.

    >>> edges("POLYGON((24.5 60,25 60,25 61,24.5 60))")
    '60–61° N, 24.5–25° E'
    """
    found = box(geometry)
    return edges_of((found[1], found[0], found[3], found[2])) if found else ""


def edges_of(extent: tuple[float, float, float, float]) -> str:
    """Say in degrees where a box (west, south, east, north) lies.

    >>> edges_of((24.5, 60, 25, 61))
    '60–61° N, 24.5–25° E'
    """
    west, south, east, north = extent
    return f"{_span(south, north, 'NS')}, {_span(west, east, 'EW')}"


def _span(low: float, high: float, signs: str) -> str:
    low, high = round(low, 2), round(high, 2)
    if low < 0 < high:
        return f"{-low:g}° {signs[1]} – {high:g}° {signs[0]}"
    sign = signs[1] if high <= 0 and low < 0 else signs[0]
    low, high = sorted((abs(low), abs(high)))
    return f"{low:g}–{high:g}° {sign}" if low != high else f"{low:g}° {sign}"
