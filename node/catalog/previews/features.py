"""GeoJSON read feature by feature: a collection of fifty megabytes would be ten times that as values.

What stands before the list of features is read first, what stands behind it when the reader has come so far. A document
that is laid out in another way is none for this module. Pure work on text; the limits are those of the child process.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from node.catalog.previews.values import mapped, refused

_HEAD = 1 << 16
_LIST = re.compile(r'"features"\s*:\s*\[')
_GAP = re.compile(r"[ \t\r\n]*")
GEOMETRIES = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}
)
_FIX = "Check it with a validator."


class Features:
    """The features of a document, once through; `members` is what else stands in it, as far as it was read."""

    def __init__(self, text: str, start: int, members: dict[str, Any], *, whole: bool) -> None:
        """Begin at the first feature; see `opened`."""
        self.members = members
        self.whole = whole
        self._text = text
        self._at = start
        self._decode = json.JSONDecoder().raw_decode

    def __iter__(self) -> Iterator[object]:
        """Read on. Raises Malformed where it is no JSON; of a beginning that is where it ends."""
        try:
            yield from self._read()
        except ValueError as error:
            if self.whole:
                raise refused("json", f"It is no JSON near its character {self._at}.", fix=_FIX) from error

    def _read(self) -> Iterator[object]:
        more = not self._passed("]")
        while more:
            feature, self._at = self._decode(self._text, self._skip())
            yield feature
            more = self._passed(",")
            if not more and not self._passed("]"):
                raise ValueError(self._at)
        if self._passed(","):
            self.members |= mapped(json.loads("{" + self._text[self._at :]))
        elif self._text[self._at :] != "}":
            raise ValueError(self._at)

    def _skip(self) -> int:
        found = _GAP.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _passed(self, sign: str) -> bool:
        """Pass over a sign and the gaps around it, if it stands there."""
        there = self._text.startswith(sign, self._skip())
        self._at += len(sign) if there else 0
        self._skip()
        return there


def listed_in(document: dict[str, Any]) -> list[Any] | None:
    """Give the features of a document that was read: its list, itself, or itself as a place; None for none.

    A GeoJSON text may be one feature or one geometry alone (RFC 7946, section 2).
    """
    if isinstance(document.get("features"), list):
        return list(document["features"])
    if document.get("type") == "Feature" and isinstance(document.get("geometry"), dict):
        return [document]
    is_place = isinstance(document.get("coordinates"), list) or document.get("type") == "GeometryCollection"
    return [{"type": "Feature", "geometry": document}] if is_place and document.get("type") in GEOMETRIES else None


def opened(path: Path, *, whole: bool = True) -> Features | None:
    """Open a document with features, or the beginning of one; None where it is no such, or not laid out like that."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        if not _LIST.search(file.read(_HEAD)):
            return None
    try:
        text = path.read_text(encoding="utf-8-sig", errors="strict" if whole else "ignore").rstrip()
        found = _LIST.search(text)
        before = text[: found.start()].rstrip().removesuffix(",") if found else ""
        members = json.loads(before + "}")
    except ValueError:
        return None
    if found is None or not isinstance(members, dict) or members.get("type") == "CityJSON":
        return None
    return Features(text, found.end(), members, whole=whole)
