"""What a reader has found so far: counts, bounds and problems, filled piece by piece and turned into facts at the end.

Shared by all formats, so that a file that breaks off half way, or an archive of many files, still gives the facts that
were read. Bounded: names and problems are kept up to a number, whatever the file holds. No file is opened here; the
reference system is looked up (`crs`) when the facts are made.
"""

import math
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from node.catalog.models import crs
from node.catalog.models.facts import PROBLEMS_AT_MOST, Box, Extent, Format, ModelFacts, ModelProblem, ModelType
from node.vocab.notes import shorten

_NAMES_AT_MOST = 1_000
_TYPES_AT_MOST = 500
_TEXT = 300
# Where a model that names no reference system should.
_REFERENCE_AT: dict[Format, str] = {
    "CityJSON": "/metadata/referenceSystem",
    "CityJSONSeq": "line 1#/metadata/referenceSystem",
    "CityGML": "gml:boundedBy/gml:Envelope/@srsName",
    "3D Tiles": "#/root",
}
_DATE = re.compile(r"(\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?)(?:Z|[+-]\d\d:\d\d|T.*)?\Z")


class OutOfTime(Exception):  # noqa: N818  (never leaves the readers: the facts so far are the answer)
    """The time for one model is up."""


class Budget:
    """How long reading may go on; asked after every piece of work."""

    def __init__(self, seconds: float) -> None:
        """Count from now."""
        self._until = time.monotonic() + seconds

    def check(self) -> None:
        """Raise OutOfTime if the time is up."""
        if time.monotonic() > self._until:
            raise OutOfTime


@dataclass(slots=True)
class Tally:
    """The facts of one model, being gathered."""

    format: Format
    version: str = ""
    type: ModelType = "semantic"
    lods: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    textures: int = 0
    materials: int = 0
    epoch: str = ""
    attributes: set[str] = field(default_factory=set)
    extensions: set[str] = field(default_factory=set)
    title: str = ""
    identifier: str = ""
    generator: str = ""
    tiles: int = 0
    files: int = 0
    whole: bool = True
    reference: str = ""  # as the file writes it
    reference_at: str = ""  # where it stands
    north_first: bool = False  # the file promises the axis order of the reference system's authority
    box: Box | None = None  # known without a reference system (regions of 3D Tiles)
    claimed: Extent | None = None  # what the file says of its extent, against what was found
    claimed_at: str = ""
    _least: list[float] = field(default_factory=lambda: [math.inf] * 3)
    _most: list[float] = field(default_factory=lambda: [-math.inf] * 3)
    _problems: dict[str, tuple[ModelProblem, int]] = field(default_factory=dict)

    def problem(self, code: str, where: str, message: str, level: Literal["error", "warning"] = "error") -> None:
        """Count a problem; of each code the first case is kept."""
        known = self._problems.get(code)
        if known is not None:
            self._problems[code] = (known[0], known[1] + 1)
        elif len(self._problems) < PROBLEMS_AT_MOST:
            told = ModelProblem(shorten(where, _TEXT), code, shorten(message, _TEXT), level)
            self._problems[code] = (told, 1)

    def stopped(self, code: str, where: str, message: str) -> None:
        """Note that reading ended early, and why."""
        self.whole = False
        self.problem(code, where, message)

    def stretch(self, least: Sequence[float], most: Sequence[float]) -> None:
        """Widen the extent to hold these two corners."""
        self._least = list(map(min, self._least, least))
        self._most = list(map(max, self._most, most))

    def count(self, kind: str, many: int = 1) -> None:
        """Count objects of a type; past a number of types all further ones are "other"."""
        if kind not in self.counts:
            kind = shorten(kind) if len(self.counts) < _TYPES_AT_MOST else "other"
        self.counts[kind] += many

    def name(self, names: Iterable[str]) -> None:
        """Remember names of attributes."""
        new = set(names) - self.attributes
        if new and len(self.attributes) < _NAMES_AT_MOST:
            self.attributes.update(map(shorten, new))

    def refer(self, said: str, where: str, *, north_first: bool = False) -> None:
        """Remember the reference system; a second, different one in the same model is a problem."""
        if self.reference and said != self.reference:
            message = f"Another reference system than before: {shorten(said)} after {shorten(self.reference)}."
            self.problem("mixed-crs", where, message + " Write one model in one reference system.")
        elif said:
            self.reference, self.reference_at, self.north_first = said, where, north_first

    def date(self, said: str, where: str) -> None:
        """Remember the date of the model; of several the latest."""
        found = _DATE.match(said)
        if found:
            self.epoch = max(self.epoch, found[1])
        elif said:
            message = f"{shorten(said, 40)!r} is no date. Write it as 2026-11-22, 2026-11 or 2026."
            self.problem("bad-date", where, message, "warning")

    def facts(self, size: int) -> ModelFacts:
        """Give what was found; `size` is the number of bytes read."""
        extent = self._extent()
        placed = self._placed(extent)
        return ModelFacts(
            format=self.format,
            version=shorten(self.version),
            type=self.type,
            lods=tuple(sorted(self.lods, key=_by_number)),
            crs=placed.uri,
            crs_name=placed.name,
            extent=extent,
            bbox=self.box or placed.box,
            heights=(extent[2], extent[5]) if extent and not placed.geocentric else None,
            objects=self.counts.total(),
            counts=dict(self.counts.most_common()),
            textures=self.textures,
            materials=self.materials,
            epoch=self.epoch,
            attributes=tuple(sorted(self.attributes)[:_NAMES_AT_MOST]),
            extensions=tuple(sorted(self.extensions)),
            title=shorten(self.title, _TEXT),
            identifier=shorten(self.identifier, _TEXT),
            generator=shorten(self.generator, _TEXT),
            tiles=self.tiles,
            files=max(1, self.files),
            bytes=size,
            whole=self.whole,
            problems=self._told(),
        )

    def _told(self) -> tuple[ModelProblem, ...]:
        """Give the problems, errors first, each with how often it was met."""
        told = [
            ModelProblem(first.where, first.code, first.message, first.level, times)
            for first, times in self._problems.values()
        ]
        return tuple(sorted(told, key=lambda each: each.level))

    def _extent(self) -> Extent | None:
        found = None
        if all(map(math.isfinite, (*self._least, *self._most))):
            found = cast("Extent", tuple(round(each, 6) for each in (*self._least, *self._most)))
        claimed = self.claimed
        if found and claimed and any(_differ(found, claimed, axis) for axis in range(3)):
            message = f"It says {_said(claimed)}, and its coordinates reach {_said(found)}. Compute it anew."
            self.problem("extent-differs", self.claimed_at, message, "warning")
        return found or claimed

    def _placed(self, extent: Extent | None) -> crs.Placed:
        placed = crs.place(self.reference, extent, north_first=self.north_first)
        # A tileset has no reference system to write; that it has no place was told where its transform is missing.
        if placed.problem and (self.reference or self.format != "3D Tiles"):
            at = self.reference_at or _REFERENCE_AT[self.format]
            self.problem(placed.problem, at, placed.message, "warning")
        return placed


def _differ(found: Extent, claimed: Extent, axis: int) -> bool:
    """Tell whether two extents differ by more than a twentieth of their length and one unit."""
    slack = 1.0 + 0.05 * (found[axis + 3] - found[axis])
    return abs(found[axis] - claimed[axis]) > slack or abs(found[axis + 3] - claimed[axis + 3]) > slack


def _said(extent: Extent) -> str:
    return " ".join(f"{each:.10g}" for each in extent)


def _by_number(lod: str) -> tuple[float, str]:
    try:
        return float(lod), lod
    except ValueError:
        return math.inf, lod
