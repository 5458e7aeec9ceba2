"""Reads CityJSON 1.0 to 2.0: one document of city objects that share a list of vertices, walked through once.

Nothing of the document is kept but what is counted, so memory does not follow its size; members may stand in any order.
What would surprise: vertices are whole numbers that `transform` makes coordinates of, and an index that points past
their end is only known to be wrong when all of them have been counted.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from node.catalog.models.cityjson_objects import Objects, Part
from node.catalog.models.facts import Extent
from node.catalog.models.tally import Tally
from node.catalog.models.walk import Items, NotNumbers, Numbers, Walk
from node.vocab.notes import shorten

VERSIONS = ("1.0", "1.1", "2.0")
_EXACT = 2**53  # past it a whole number is no longer exact in most programs
_FAR = 1e9  # no reference system has coordinates past it
_FINE = 1e-12
_NAMES_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Transform:
    """How whole numbers become coordinates: times `scale`, plus `translate`."""

    scale: tuple[float, float, float]
    translate: tuple[float, float, float]

    def apply(self, point: list[float]) -> list[float]:
        """Give the coordinates of a vertex."""
        return [value * by + to for value, by, to in zip(point, self.scale, self.translate, strict=True)]


Member = Callable[[int, Part], int]  # where a value starts, and to what it belongs; gives where it ends


class Reader:
    """One document, or one sequence, being read into a tally."""

    def __init__(self, walk: Walk, tally: Tally) -> None:
        """Read nothing yet."""
        self.walk = walk
        self.tally = tally
        self.objects = Objects(walk, tally)
        self.transform: Transform | None = None
        self.kind = ""  # the "type" of the document or feature that was read last
        self._named = False
        self._images = 0
        self._common: dict[str, Member] = {
            "type": self._type,
            "CityObjects": self.objects.objects,
            "vertices": self._vertices,
            "appearance": self._appearance,
            "geometry-templates": self._templates,
        }
        self._of_document: dict[str, Member] = {
            "version": self._version,
            "transform": self._transform,
            "metadata": self._metadata,
            "extensions": self._extensions,
        }

    def document(self, at: int, where: str = "") -> int:
        """Read the CityJSON object that opens here; gives where it ends. `where` stands before every pointer."""
        end = self._read(at, Part(where), self._common | self._of_document)
        version = self.tally.version
        if not version:
            self.tally.problem("missing-version", f"{where}/version", f"Write its version: {', '.join(VERSIONS)}.")
        elif not version.startswith(VERSIONS):
            message = f"Version {shorten(version, 20)!r} is not one of {', '.join(VERSIONS)}. Convert it."
            self.tally.problem("unknown-version", f"{where}/version", message)
        return end

    def feature(self, at: int, where: str) -> int:
        """Read the CityJSONFeature that opens here; gives where it ends."""
        self.kind, self._named = "", False
        end = self._read(at, Part(where), self._common | {"id": self._id})
        if self.kind != "CityJSONFeature":
            message = f"A line of a sequence is a CityJSONFeature, not {shorten(self.kind, 40)!r}."
            self.tally.problem("not-a-feature", f"{where}/type", message)
        elif not self._named:
            self.tally.problem("missing-id", f"{where}/id", 'Every feature has an "id".')
        return end

    def close(self) -> None:
        """Tell what is only known when everything was read: textures and extensions that are not there."""
        if self.objects.textured and not self._images:
            message = "The geometry names textures, and there are none in /appearance/textures."
            self.tally.problem("missing-textures", self.objects.textured, message)
        if self.objects.extended and not self.tally.extensions:
            message = "A type of an extension, and the file names no extension. Name it in /extensions with its url."
            self.tally.problem("missing-extension", self.objects.extended, message)

    def _read(self, at: int, part: Part, readers: Mapping[str, Member]) -> int:
        walk = self.objects.members(at, part.where)
        try:
            for key, start in walk:
                reader = readers.get(key)
                walk.end = reader(start, part) if reader else self.walk.skip(start)
            part.check(self.tally)
        finally:  # what was read of a broken file has an extent, too
            self._place(part)
        return walk.closed

    # Members of the document

    def _type(self, at: int, part: Part) -> int:
        self.kind, end = self.objects.text(at, f"{part.where}/type")
        return end

    def _id(self, at: int, part: Part) -> int:
        name, end = self.objects.text(at, f"{part.where}/id")
        self._named = bool(name)
        return end

    def _version(self, at: int, part: Part) -> int:
        value, end = self.objects.value(at, f"{part.where}/version")
        self.tally.version = self.tally.version or str(value or "")
        return end

    def _transform(self, at: int, part: Part) -> int:
        where = f"{part.where}/transform"
        value, end = self.objects.value(at, where)
        parts = []
        for name in ("scale", "translate"):
            numbers = value.get(name) if isinstance(value, dict) else None
            found = _three(numbers)
            if found is None:
                message = f'"{name}" is a list of three numbers, not {shorten(str(numbers), 60)}.'
                self.tally.problem("bad-transform", f"{where}/{name}", message)
                return end
            parts.append(found)
        scale, translate = parts
        for place, by in enumerate(scale):
            if not _FINE <= by <= _FAR:
                message = f"A scale of {by:g} makes no coordinates; it is a small number above 0, such as 0.001."
                self.tally.problem("bad-transform", f"{where}/scale/{place}", message)
                return end
        self.transform = Transform(scale, translate)
        return end

    def _metadata(self, at: int, part: Part) -> int:
        where = f"{part.where}/metadata"
        value, end = self.objects.value(at, where)
        if not isinstance(value, dict):
            self.tally.problem("wrong-type", where, "It is not an object.")
            return end
        tally = self.tally
        tally.title = tally.title or _text(value, "title", "datasetTitle")
        tally.identifier = tally.identifier or _text(value, "identifier", "citymodelIdentifier")
        tally.date(_text(value, "referenceDate", "datasetReferenceDate"), f"{where}/referenceDate")
        if reference := value.get("referenceSystem"):
            tally.refer(str(reference), f"{where}/referenceSystem")
        if (extent := value.get("geographicalExtent")) is not None:
            self._claim(extent, f"{where}/geographicalExtent")
        return end

    def _claim(self, value: object, where: str) -> None:
        numbers = [each for each in value if _is_number(each)] if isinstance(value, list) else []
        if len(numbers) != 6 or any(low > high for low, high in zip(numbers[:3], numbers[3:], strict=True)):
            message = "It is a list of six numbers: least x, y, z, then greatest x, y, z."
            self.tally.problem("bad-extent", where, message)
        else:
            self.tally.claimed, self.tally.claimed_at = cast("Extent", tuple(map(float, numbers))), where

    def _extensions(self, at: int, part: Part) -> int:
        value, end = self.objects.value(at, f"{part.where}/extensions")
        if isinstance(value, dict):
            self.tally.extensions.update(shorten(name) for name in list(value)[:_NAMES_AT_MOST])
        return end

    def _appearance(self, at: int, part: Part) -> int:
        if self.walk.first(at) != b"{":
            return self.objects.wrong(at, f"{part.where}/appearance", "an object")
        walk = self.objects.members(at, f"{part.where}/appearance")
        for key, start in walk:
            if key in ("textures", "materials") and self.walk.first(start) == b"[":
                many, walk.end = self._many(start)
                if key == "textures":
                    self.tally.textures, self._images = self.tally.textures + many, self._images + many
                else:
                    self.tally.materials += many
            else:
                walk.end = self.walk.skip(start)
        return walk.closed

    def _many(self, at: int) -> tuple[int, int]:
        items, many = Items(self.walk, at), 0
        for number, _ in items:
            many = number + 1
        return many, items.closed

    def _templates(self, at: int, part: Part) -> int:
        if self.walk.first(at) != b"{":
            return self.objects.wrong(at, f"{part.where}/geometry-templates", "an object")
        inner = Part(f"{part.where}/geometry-templates")
        walk = self.objects.members(at, inner.where)
        for key, start in walk:
            if key == "templates":
                walk.end = self.objects.geometries(start, inner, f"{inner.where}/templates")
            elif key == "vertices-templates":
                walk.end = self._vertices(start, inner)
            else:
                walk.end = self.walk.skip(start)
        inner.check(self.tally)
        return walk.closed

    # Vertices

    def _vertices(self, at: int, part: Part) -> int:
        where = f"{part.where}/vertices"
        if self.walk.first(at) != b"[":
            part.readable = False
            return self.objects.wrong(at, where, "a list of points")
        numbers, total = Numbers(self.walk, at), 0
        try:
            for flat in numbers:
                self._stretch(flat, total, part, where)
                total += len(flat)
        except NotNumbers:
            part.readable = False
            return self.objects.wrong(at, where, "a list of points, each a list of three numbers")
        part.vertices = max(numbers.opened - 1, 0)
        if total != 3 * part.vertices:
            message = f"There are {total} numbers in {part.vertices} vertices; each has three: x, y and z."
            self.tally.problem("bad-vertices", where, message)
            part.least, part.most = [math.inf] * 3, [-math.inf] * 3
        return numbers.end

    def _stretch(self, flat: list[Any], before: int, part: Part, where: str) -> None:
        kinds = set(map(type, flat))
        if type(None) in kinds:
            number = (before + flat.index(None)) // 3
            self.tally.problem("bad-vertices", f"{where}/{number}", "A vertex is three numbers; there is a null.")
            flat = [0 if each is None else each for each in flat]
        part.fractions = part.fractions or (float in kinds and any(map(_is_fraction, flat)))
        for axis in range(3):
            values = flat[(axis - before) % 3 :: 3]
            if not values:
                continue
            low, high = min(values), max(values)
            if low < -_EXACT or high > _EXACT:
                value = high if high > _EXACT else low
                first = (before + (axis - before) % 3) // 3
                place = f"{where}/{first + values.index(value)}/{axis}"
                message = f"{value:g} is no coordinate: larger than any number programs keep exactly (2 to the 53)."
                self.tally.problem("huge-number", place, message)
                continue
            part.least[axis], part.most[axis] = min(part.least[axis], low), max(part.most[axis], high)

    def _place(self, part: Part) -> None:
        """Turn the bounds of the vertices into coordinates and widen the extent by them."""
        if part.vertices <= 0 or not math.isfinite(sum(part.least) + sum(part.most)):
            return
        transform = self.transform
        where = f"{part.where}/transform"
        if transform is None and not (self.tally.version.startswith("1.0") or part.fractions):
            message = "There is no usable transform, so the vertices are no coordinates. Write scale and translate."
            self.tally.problem("missing-transform", where, message)
            return
        if transform is not None and part.fractions:
            message = "With a transform, vertices are whole numbers; these have fractions."
            self.tally.problem("fractional-vertices", f"{part.where}/vertices", message, "warning")
        least = transform.apply(part.least) if transform else part.least
        most = transform.apply(part.most) if transform else part.most
        if any(abs(value) > _FAR for value in (*least, *most)):
            message = f"The vertices become coordinates past {_FAR:g}, where no reference system reaches."
            self.tally.problem("bad-transform", where, message)
            return
        self.tally.stretch(least, most)


def _is_fraction(value: float) -> bool:
    """Tell a number with a point from a whole one; what is past 64 bits is whole, and read as if it had one."""
    return type(value) is float and abs(value) <= _EXACT


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _three(value: object) -> tuple[float, float, float] | None:
    if not isinstance(value, list) or len(value) != 3 or not all(map(_is_number, value)):
        return None
    x, y, z = map(float, value)
    return x, y, z


def _text(value: Mapping[str, object], *names: str) -> str:
    found = next((value[name] for name in names if value.get(name)), "")
    return found if isinstance(found, str) else ""
