"""Reads CityGML 1.0 to 3.0: a stream of XML elements, of which only counts and the bounds of coordinates are kept.

Document types and entities are refused where they begin, nesting is bounded, and no element is ever built. What would
surprise: geometries under `relativeGMLGeometry` have coordinates of their own and are left out of the extent; nested
objects that CityJSON counts as objects (parts, installations, rooms) are counted here too, boundary surfaces are not.
"""

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, cast
from xml.parsers import expat  # declarations are refused where they begin

from node.catalog.models.facts import Extent
from node.catalog.models.tally import Budget, Tally
from node.errors import Malformed, TooLarge
from node.vocab.notes import shorten

_CHUNK = 1 << 18
_MAX_DEPTH = 256
_MAX_TEXT = 64 << 10
_COORDINATES_AT_ONCE = 1 << 20
_NAMES_AT_MOST = 100
_CITYGML = re.compile(r"http://www\.opengis\.net/citygml/(?:[a-z]+/)*(\d\.\d)\Z")
_KNOWN_SPACES = ("http://www.opengis.net/", "urn:oasis:names:tc:ciq:", "http://www.w3.org/")
_ROOTS = ("CityModel", "FeatureCollection")
_MEMBERS = ("cityObjectMember", "featureMember", "member")
_NESTED = frozenset(
    f"{building}{part}"
    for building in ("Building", "Bridge", "Tunnel")
    for part in ("Part", "Installation", "ConstructiveElement", "ConstructionElement", "Furniture", "Room", "Unit")
) | {"Room", "IntBuildingInstallation", "IntBridgeInstallation", "IntTunnelInstallation", "HollowSpace", "Storey"}
_GENERIC = re.compile(r"(?:string|int|double|date|uri|measure)Attribute\Z")
_NAMED = (
    "class function usage measuredHeight roofType yearOfConstruction yearOfDemolition storeysAboveGround "
    "storeysBelowGround storeyHeightsAboveGround creationDate terminationDate relativeToTerrain relativeToWater "
    "height trunkDiameter crownDiameter species averageHeight surfaceMaterial dateOfConstruction dateOfDemolition "
    "isStructuralElement conditionOfConstruction"
)
_ATTRIBUTES = frozenset(_NAMED.split())
_COORDINATES = ("posList", "pos")
_TEXTS = ("lowerCorner", "upperCorner", "creationDate", "name", "lod")
# What the parser reads byte by byte; for other names it would ask any codec of Python's.
_ENCODING = re.compile(
    r"utf-8|utf-16(?:be|le)?|us-ascii|iso-8859-(?:[1-9]|1[013-6])|windows-125[0-8]", re.IGNORECASE | re.ASCII
)
_CUT_OFF = {
    expat.errors.codes[text]
    for text in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}


@dataclass(frozen=True, slots=True)
class _Name:
    """What an element's name means, worked out once for each name."""

    local: str
    space: str
    version: str  # of the CityGML namespace it is in
    lod: str
    reads: bool  # its text is wanted
    relative: bool
    foreign: bool


class CityGml:
    """One document being read into a tally."""

    def __init__(self, tally: Tally, where: str = "") -> None:
        """Read nothing yet. `where` stands before every line number."""
        self.tally = tally
        self._where = where
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.buffer_size = _CHUNK
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.EntityDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        self._names: dict[str, _Name] = {}
        self._depth = self._collecting = self._relative = 0
        self._root = self._member = ""
        self._text: list[str] = []
        self._size = 0
        self._coordinates = False
        self._dimension = self._own_dimension = 3
        self._corners: dict[str, list[float]] = {}
        self._corners_at = ""

    def read(self, file: BinaryIO, budget: Budget) -> None:
        """Read to the end, or to where it breaks, which the tally then says.

        Raises:
            Malformed: It is no CityGML at all, or has a document type.
            TooLarge: Nested too deep.
        """
        try:
            while chunk := file.read(_CHUNK):
                self._parser.Parse(chunk)
                budget.check()
            self._parser.Parse(b"", True)  # noqa: FBT003  (the last piece; it takes no keywords)
        except expat.ExpatError as error:
            self._broken(error)
        finally:
            self._claim()

    def _broken(self, error: expat.ExpatError) -> None:
        line = f"{self._where}line {error.lineno}, column {error.offset + 1}"
        reason = expat.ErrorString(error.code)
        if not self._root:
            raise Malformed(f"No XML: {line}: {reason}.", fix="Name a CityGML file.") from error
        if error.code in _CUT_OFF:
            self.tally.stopped("cut-off", line, "The document ends before it is closed. Download it again.")
        else:
            self.tally.stopped("not-xml", line, f"It stops being XML here: {reason}. What stands before was read.")

    def _line(self) -> str:
        return f"{self._where}line {self._parser.CurrentLineNumber}"

    def _refuse_doctype(self, *_: object) -> None:
        message = f"{self._line()}: a document type or an entity declaration."
        raise Malformed(message, fix="Publish CityGML without one.")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and not _ENCODING.fullmatch(encoding):
            message = f"{self._line()}: the encoding {shorten(encoding, 40)!r}, which is not read here."
            raise Malformed(message, fix="Write it in UTF-8, and say so in its first line.")

    # Elements

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise TooLarge(f"{self._line()}: nested deeper than {_MAX_DEPTH} elements.", fix="Write it flatter.")
        known = self._names.get(name) or self._learn(name)
        if self._depth <= 3:
            self._outer(known, attributes)
        if known.lod:
            self.tally.lods.add(known.lod)
        if known.foreign and len(self.tally.extensions) < _NAMES_AT_MOST:
            self.tally.extensions.add(shorten(known.space))
        if known.relative:
            self._relative += 1
        if attributes:
            self._noted(known, attributes)
        if known.reads and not self._collecting and not (self._relative and known.local in _COORDINATES):
            self._collect(known, attributes)
        self._inner(known)

    def _learn(self, name: str) -> _Name:
        space, _, local = name.rpartition(" ")
        version = _CITYGML.match(space)
        lod = local[3] if local.startswith("lod") and local[3:4].isdigit() else ""
        known = _Name(
            local=local,
            space=space,
            version=version[1] if version else "",
            lod=lod,
            reads=local in _COORDINATES or local in _TEXTS,
            relative=local in ("relativeGMLGeometry", "relativeGeometry"),
            foreign=bool(space) and not space.startswith(_KNOWN_SPACES),
        )
        if len(self._names) < 10_000:
            self._names[name] = known
        return known

    def _outer(self, known: _Name, attributes: Mapping[str, str]) -> None:
        """Look at the root, its members, and the objects in them."""
        if self._depth == 1:
            self._root = known.local
            if known.local not in _ROOTS or not (known.version or known.local == "FeatureCollection"):
                name = shorten(f"{known.local} of {known.space or 'no namespace'}")
                raise Malformed(f"No CityGML: the root element is {name}.", fix="Name a CityGML file.")
        elif self._depth == 2:
            self._member = known.local if known.local in _MEMBERS else ""
            if self._member and any(name.endswith(" href") for name in attributes):
                message = "The object lies in another document, which is not read. Inspect that one too."
                self.tally.problem("elsewhere", self._line(), message, "warning")
        elif self._member and (known.version or known.foreign):
            self.tally.count(known.local)
        if known.version and not self.tally.version:
            self.tally.version = known.version

    def _inner(self, known: _Name) -> None:
        """Count what may stand anywhere."""
        local = known.local
        if self._depth > 3 and local in _NESTED and (known.version or known.foreign):
            self.tally.count(local)
        elif local in _ATTRIBUTES and (known.version or known.space.endswith("gml")):
            self.tally.name((local,))
        elif local in ("ParameterizedTexture", "GeoreferencedTexture"):
            self.tally.textures += 1
        elif local == "X3DMaterial":
            self.tally.materials += 1

    def _noted(self, known: _Name, attributes: Mapping[str, str]) -> None:
        if said := attributes.get("srsName"):
            self.tally.refer(said, self._line(), north_first=said.startswith(("urn:", "http")))
        if (name := attributes.get("name")) and _GENERIC.match(known.local):
            self.tally.name((name,))
        if known.local == "Envelope" and self._depth == 3:
            self._dimension = _dimension(attributes, self._dimension)

    # Texts

    def _collect(self, known: _Name, attributes: Mapping[str, str]) -> None:
        self._collecting = self._depth
        self._text, self._size = [], 0
        self._coordinates = known.local in _COORDINATES
        self._own_dimension = _dimension(attributes, self._dimension)
        self._parser.CharacterDataHandler = self._characters

    def _characters(self, text: str) -> None:
        self._text.append(text)
        self._size += len(text)
        if self._coordinates and self._size > _COORDINATES_AT_ONCE:
            # The last number may go on in the next piece of text.
            *head, tail = "".join(self._text).rsplit(maxsplit=1)
            left = self._stretched(head[0] if head else "")
            end = " " if text[-1:].isspace() else ""
            self._text = [*(f"{each!r} " for each in left), tail[:_MAX_TEXT], end]
            self._size = sum(map(len, self._text))
        elif not self._coordinates and self._size > _MAX_TEXT:
            self._text = self._text[:1]

    def _end(self, name: str) -> None:
        if self._collecting == self._depth:
            self._collecting = 0
            self._parser.CharacterDataHandler = None
            self._told(self._names.get(name) or self._learn(name), "".join(self._text))
        elif known := self._names.get(name):
            self._relative -= known.relative
        self._depth -= 1

    def _told(self, known: _Name, text: str) -> None:
        local = known.local
        if local in _COORDINATES:
            if self._stretched(text):
                message = f"The number of coordinates is not a multiple of {self._own_dimension}."
                self.tally.problem("bad-coordinates", self._line(), message)
        elif local.endswith("Corner") and self._depth == 4:
            self._corners[local], self._corners_at = self._numbers(text), self._line()
        elif local == "creationDate":
            self.tally.date(text.strip(), self._line())
        elif local == "name" and self._depth == 2:
            self.tally.title = self.tally.title or " ".join(text.split())
        elif local == "name" and "/generics/" in known.space:
            self.tally.name((text.strip(),))
        elif local == "lod" and text.strip().isdigit():
            self.tally.lods.add(text.strip()[:2])

    # Coordinates

    def _numbers(self, text: str) -> list[float]:
        try:
            return list(map(float, text.split()))
        except ValueError:
            self.tally.problem("bad-coordinates", self._line(), f"No numbers: {shorten(' '.join(text.split()), 60)}.")
            return []

    def _stretched(self, text: str) -> list[float]:
        """Widen the extent by coordinates; gives those that are left over."""
        numbers, size = self._numbers(text), self._own_dimension
        whole = len(numbers) // size * size
        if whole:
            axes = [array("d", numbers[axis:whole:size]) for axis in range(size)]
            least, most = [min(axis) for axis in axes], [max(axis) for axis in axes]
            if not all(map(math.isfinite, map(sum, axes))):
                self.tally.problem("bad-coordinates", self._line(), "A coordinate is infinite or no number.")
            elif size == 3:
                self.tally.stretch(least, most)
            else:
                self.tally.stretch([*least, math.inf], [*most, -math.inf])
        return numbers[whole:]

    def _claim(self) -> None:
        """Remember the envelope of the whole, if it has both corners."""
        low, high = self._corners.get("lowerCorner", []), self._corners.get("upperCorner", [])
        if not low and not high:
            return
        low, high = [*low, 0.0][:3], [*high, 0.0][:3]
        good = len(low) == len(high) == 3 and all(map(math.isfinite, low + high))
        if not good or any(a > b for a, b in zip(low, high, strict=True)):
            message = "The corners of the envelope are no least and greatest coordinates."
            self.tally.problem("bad-extent", self._corners_at, message)
        else:
            self.tally.claimed, self.tally.claimed_at = cast("Extent", (*low, *high)), self._corners_at


def _dimension(attributes: Mapping[str, str], default: int) -> int:
    said = attributes.get("srsDimension", "")
    return int(said) if said in ("2", "3") else default
