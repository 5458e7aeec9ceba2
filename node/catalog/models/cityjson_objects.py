"""The city objects of CityJSON and their geometries: types, attributes, levels of detail, indices of vertices.

The half of the CityJSON reader that one document, each feature of a sequence and the templates of geometries share. A
nest of boundaries is never built: its indices are looked at in pieces for the least and the greatest.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from node.catalog.models.tally import Tally
from node.catalog.models.walk import Items, Members, NotNumbers, Numbers, Walk
from node.errors import Malformed, TooLarge
from node.vocab.notes import shorten

_KNOWN_AT_MOST = 2_000_000
_WANTED_AT_MOST = 200_000
_NAMES_AT_MOST = 100
_RELATED_AT_MOST, _NAME_AT_MOST = 50_000, 200  # relations that a circle is looked for among
# How deep the brackets of a geometry's boundaries open.
DEPTHS = {
    "MultiPoint": 1,
    "MultiLineString": 2,
    "MultiSurface": 3,
    "CompositeSurface": 3,
    "Solid": 4,
    "MultiSolid": 5,
    "CompositeSolid": 5,
    "GeometryInstance": 1,
}
_DEEPEST = max(DEPTHS.values())
_NAMED = (
    "Bridge BridgePart BridgeInstallation BridgeConstructiveElement BridgeConstructionElement BridgeRoom "
    "BridgeFurniture Building BuildingPart BuildingInstallation BuildingConstructiveElement BuildingFurniture "
    "BuildingStorey BuildingRoom BuildingUnit CityFurniture CityObjectGroup GenericCityObject LandUse "
    "OtherConstruction PlantCover SolitaryVegetationObject TINRelief TransportSquare Railway Road Waterway Tunnel "
    "TunnelPart TunnelInstallation TunnelConstructiveElement TunnelHollowSpace TunnelFurniture WaterBody"
)
TYPES = frozenset(_NAMED.split())


@dataclass(slots=True)
class Part:
    """Objects and the vertices they share: a document, one feature of a sequence, or the templates of geometries."""

    where: str  # stands before every pointer
    vertices: int = -1  # -1 for no such member
    readable: bool = True
    fractions: bool = False
    least: list[float] = field(default_factory=lambda: [math.inf] * 3)
    most: list[float] = field(default_factory=lambda: [-math.inf] * 3)
    highest: int = -1
    highest_at: str = ""
    wanted: dict[int, str] = field(default_factory=dict)  # relatives not met yet: hash of the name, who names it
    _met: set[int] = field(default_factory=set)
    _above: dict[str, list[str]] = field(default_factory=dict)  # the parents of objects, as either side says
    _related: int = 0

    def meet(self, name: str) -> bool:
        """Note that there is an object of this name; False if there was one before."""
        known = hash(name)
        if known in self._met:
            return False
        self.wanted.pop(known, None)
        if len(self._met) < _KNOWN_AT_MOST:
            self._met.add(known)
        return True

    def want(self, name: str, where: str) -> None:
        """Note that `where` names an object."""
        known = hash(name)
        if known not in self._met and len(self._met) < _KNOWN_AT_MOST and len(self.wanted) < _WANTED_AT_MOST:
            self.wanted.setdefault(known, where)

    def relate(self, child: str, parent: str) -> None:
        """Note that one object is said to be the parent of another; past a number no more are kept."""
        if self._related < _RELATED_AT_MOST and len(child) <= _NAME_AT_MOST and len(parent) <= _NAME_AT_MOST:
            self._related += 1
            self._above.setdefault(child, []).append(parent)

    def circle(self) -> list[str]:
        """Give the names of a circle of parents, the first again at the end; empty if there is none."""
        done = set[str]()
        for first in self._above:
            if first in done:
                continue
            # The parents still to be looked at, of each object on the way up.
            way, rest = {first: None}, [list(self._above[first])]
            while rest:
                if not rest[-1]:
                    rest.pop()
                    done.add(way.popitem()[0])
                    continue
                name = rest[-1].pop()
                if name in way:
                    names = list(way)
                    return [*names[names.index(name) :], name]
                if name in self._above and name not in done:
                    way[name] = None
                    rest.append(list(self._above[name]))
        return []

    def check(self, tally: Tally) -> None:
        """Tell what is only known at the end: circles of parents, vertices and relatives that are not there."""
        if circle := self.circle():
            message = f"An object is its own parent: {shorten(' -> '.join(circle), 200)}. Take one of them out."
            tally.problem("circle", f"{self.where}/CityObjects/{escaped(circle[0])}", message)
        if not self.readable:
            return
        if self.vertices < 0:
            message = "There are no vertices; the member is required, an empty list if there is no geometry."
            tally.problem("missing-vertices", f"{self.where}/vertices", message)
        elif self.highest >= self.vertices:
            message = f"Vertex {self.highest} is asked for, and there are {self.vertices}."
            tally.problem("index-out-of-range", self.highest_at, message)
        for where in self.wanted.values():
            message = "A parent or child that is no object of this file. Keep relatives together when you cut a file."
            tally.problem("missing-relative", where, message)


class Objects:
    """Reads city objects and geometries into a tally."""

    def __init__(self, walk: Walk, tally: Tally) -> None:
        """Read nothing yet."""
        self.walk = walk
        self.tally = tally
        self.textured = ""  # the first geometry that names textures
        self.extended = ""  # the first object of an extension's type

    def objects(self, at: int, part: Part) -> int:
        """Read the member `CityObjects`; gives where it ends."""
        where = f"{part.where}/CityObjects"
        if self.walk.first(at) != b"{":
            return self.wrong(at, where, "an object: identifier to city object")
        walk = Members(self.walk, at)
        for name, start in walk:
            pointer = f"{where}/{escaped(name)}"
            if not part.meet(name):
                message = "This identifier stands twice; the second hides the first."
                self.tally.problem("duplicate-key", pointer, message)
            walk.end = self._object(start, part, pointer, name)
            self.walk.passed(walk.end)
        return walk.closed

    def geometries(self, at: int, part: Part, where: str) -> int:
        """Read a list of geometries; gives where it ends."""
        if self.walk.first(at) != b"[":
            return self.wrong(at, where, "a list")
        items = Items(self.walk, at)
        for number, start in items:
            items.end = self._geometry(start, part, f"{where}/{number}")
        return items.closed

    # A city object

    def _object(self, at: int, part: Part, where: str, name: str) -> int:
        if self.walk.first(at) != b"{":
            return self.wrong(at, where, "an object")
        walk, kind = self.members(at, where), ""
        for key, start in walk:
            if key == "type":
                kind, walk.end = self.text(start, f"{where}/type")
            elif key == "attributes":
                walk.end = self._attributes(start, where)
            elif key == "geometry":
                walk.end = self.geometries(start, part, f"{where}/geometry")
            elif key in ("parents", "children"):
                walk.end = self._relatives(start, part, f"{where}/{key}", name)
            else:
                walk.end = self.walk.skip(start)
        self._counted(kind, where)
        return walk.closed

    def _counted(self, kind: str, where: str) -> None:
        self.tally.count(kind or "unknown")
        if not kind:
            self.tally.problem("missing-type", f"{where}/type", "Every city object has a type, such as Building.")
        elif kind not in TYPES and not kind.startswith("+"):
            message = f"{shorten(kind, 60)!r} is no type of CityJSON; one of an extension begins with a plus."
            self.tally.problem("unknown-type", f"{where}/type", message)
        elif kind.startswith("+"):
            self.extended = self.extended or f"{where}/type"

    def _attributes(self, at: int, where: str) -> int:
        value, end = self.value(at, f"{where}/attributes")
        if isinstance(value, dict):
            self.tally.name(value)
        elif value is not None:
            self.tally.problem("wrong-type", f"{where}/attributes", "It is not an object.")
        return end

    def _relatives(self, at: int, part: Part, where: str, own: str) -> int:
        value, end = self.value(at, where)
        for each in value if isinstance(value, list) else ():
            name = str(each)
            part.want(name, where)
            if where.endswith("/parents"):
                part.relate(own, name)
            else:
                part.relate(name, own)
        return end

    # A geometry

    def _geometry(self, at: int, part: Part, where: str) -> int:
        if self.walk.first(at) != b"{":
            return self.wrong(at, where, "an object")
        walk, kind, lod, depth = self.members(at, where), "", None, None
        for key, start in walk:
            if key == "boundaries":
                depth, walk.end = self._boundaries(start, part, f"{where}/boundaries")
            elif key == "type":
                kind, walk.end = self.text(start, f"{where}/type")
            elif key == "lod":
                lod, walk.end = self.value(start, f"{where}/lod")
            else:
                self.textured = self.textured or (f"{where}/texture" if key == "texture" else "")
                walk.end = self.walk.skip(start)
        self._shaped(kind, depth, where)
        self._detailed(kind, lod, where)
        return walk.closed

    def _shaped(self, kind: str, depth: int | None, where: str) -> None:
        wanted = DEPTHS.get(kind)
        if wanted is None:
            message = f"{shorten(kind, 60)!r} is no geometry type: one of {', '.join(DEPTHS)}."
            self.tally.problem("unknown-geometry", f"{where}/type", message)
        elif depth is None:
            self.tally.problem("missing-boundaries", where, 'Every geometry has "boundaries".')
        elif depth not in (wanted, 0):
            message = f"The boundaries of a {kind} open {wanted} brackets deep, these {depth}."
            self.tally.problem("bad-boundaries", f"{where}/boundaries", message)

    def _detailed(self, kind: str, lod: object, where: str) -> None:
        if isinstance(lod, str | int | float) and not isinstance(lod, bool):
            if str(lod) not in self.tally.lods and len(self.tally.lods) < _NAMES_AT_MOST:
                self.tally.lods.add(shorten(str(lod), 20))
        elif kind != "GeometryInstance":
            message = 'Every geometry has its level of detail, a text such as "2.2".'
            self.tally.problem("missing-lod", f"{where}/lod", message)

    def _boundaries(self, at: int, part: Part, where: str) -> tuple[int, int]:
        """Read boundaries; gives how many brackets they open with (0: nothing in them to tell), and where they end."""
        if self.walk.first(at) != b"[":
            return 0, self.wrong(at, where, "a list")
        numbers, holds = Numbers(self.walk, at), False
        try:
            for flat in numbers:
                holds = holds or bool(flat)
                self._indices(flat, part, where)
        except NotNumbers:
            return 0, self.wrong(at, where, "a nest of lists of whole numbers")
        depth = self.walk.depth_at(at)
        return depth if holds or depth > _DEEPEST else 0, numbers.end

    def _indices(self, flat: list[Any], part: Part, where: str) -> None:
        if set(map(type, flat)) - {int}:
            flat = [each for each in flat if type(each) is int]
            message = (
                "It holds what is no index of a vertex: a fraction, a null, an empty list, or a number past 64 bits."
            )
            self.tally.problem("bad-index", where, message)
        if not flat:
            return
        low, high = min(flat), max(flat)
        if low < 0:
            self.tally.problem("index-out-of-range", where, f"Vertex {low} is asked for; the first is 0.")
        if high > part.highest:
            part.highest, part.highest_at = high, where

    # What they share

    def members(self, at: int, where: str) -> Members:
        """Give the members of the object at `at`; one that stands twice is told."""

        def twice(key: str) -> None:
            message = "This member stands twice; the second hides the first. Write it once."
            self.tally.problem("duplicate-key", f"{where}/{escaped(key)}", message)

        return Members(self.walk, at, twice=twice)

    def value(self, at: int, where: str) -> tuple[Any, int]:
        """Read a small value; what cannot be read is told, and None."""
        try:
            return self.walk.value(at)
        except (TooLarge, Malformed) as error:
            self.tally.problem(error.code, where, error.message)
            return None, self.walk.skip(at)

    def text(self, at: int, where: str) -> tuple[str, int]:
        """Read a text; what is none is told, and empty."""
        value, end = self.value(at, where)
        if not isinstance(value, str):
            self.tally.problem("wrong-type", where, "It is not a text.")
        return (value if isinstance(value, str) else ""), end

    def wrong(self, at: int, where: str, wanted: str) -> int:
        """Tell that a value is of the wrong type; gives where it ends."""
        end = self.walk.skip(at)  # first: a document that is cut off here is only that
        self.tally.problem("wrong-type", where, f"It is not {wanted}.")
        return end


def escaped(name: str) -> str:
    """Give a name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
