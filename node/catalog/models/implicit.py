"""Implicit tiling of 3D Tiles: how many tiles and contents the subtrees of a quadtree or an octree say there are.

Subtrees are small files of bits, JSON or binary, fetched like external tilesets and bounded like them. Counts come from
`availableCount` where it is written, else from the bits themselves. Contents are only counted.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from node.catalog.models.sources import Source
from node.catalog.models.tally import Budget, Tally
from node.errors import Malformed, Refused, TooLarge

_MAX_BYTES = 16 << 20
_MAX_LEVELS = 10  # of one subtree: a million nodes of a quadtree
_MAX_NODES = 1 << 24
_HEAD = struct.Struct("<4sIQQ")
Place = tuple[int, int, int, int]  # level, x, y, z


@dataclass(frozen=True, slots=True)
class Implicit:
    """How a tile is divided."""

    branches: int  # 4 or 8
    levels: int  # of one subtree
    depth: int  # of the whole
    template: str

    @classmethod
    def of(cls, tile: Mapping[str, Any]) -> Self | None:
        """Read the member of 1.1, or the extension of 1.0; None if the tile has neither."""
        extensions = tile.get("extensions")
        extended = extensions.get("3DTILES_implicit_tiling") if isinstance(extensions, Mapping) else None
        said = tile.get("implicitTiling", extended)
        if said is None:
            return None
        said = said if isinstance(said, Mapping) else {}
        subtrees = said.get("subtrees")
        template = subtrees.get("uri") if isinstance(subtrees, Mapping) else None
        branches = {"QUADTREE": 4, "OCTREE": 8}.get(str(said.get("subdivisionScheme")), 0)
        levels = said.get("subtreeLevels")
        depth = said.get("availableLevels", _one_more(said.get("maximumLevel")))
        numbers = [each if type(each) is int else 0 for each in (levels, depth)]
        return cls(branches, numbers[0], numbers[1], template if isinstance(template, str) else "")

    @property
    def fault(self) -> str:
        """Say what is wrong with it; empty if nothing."""
        if not self.branches:
            return "subdivisionScheme is QUADTREE or OCTREE."
        if not self.template:
            return "subtrees has a uri, a template with {level}, {x} and {y}."
        if not 1 <= self.levels <= _MAX_LEVELS or self.branches**self.levels > _MAX_NODES:
            return f"subtreeLevels is a whole number from 1 to {_MAX_LEVELS}."
        if not 1 <= self.depth <= 64:
            return "availableLevels is a whole number from 1 to 64."
        return ""

    def uri(self, place: Place) -> str:
        """Fill the template."""
        named = zip(("{level}", "{x}", "{y}", "{z}"), map(str, place), strict=True)
        uri = self.template
        for name, value in named:
            uri = uri.replace(name, value)
        return uri

    def nodes(self, level: int) -> int:
        """Give the number of nodes of a subtree that begins at a level, cut at the tree's depth."""
        levels = min(self.levels, self.depth - level)
        return int(self.branches**levels - 1) // (self.branches - 1)


class Subtrees:
    """The subtrees of one implicit tile, being counted. Raises nothing but OutOfTime: what is wrong is told."""

    def __init__(self, source: Source, tally: Tally, budget: Budget, *, max_files: int) -> None:
        """Read nothing yet."""
        self._source = source
        self._tally = tally
        self._budget = budget
        self._max_files = max_files
        self.size = 0
        self.contents: list[int] = []  # how many there are of each content of the tile

    def read(self, implicit: Implicit, address: str, where: str) -> None:
        """Read all subtrees, breadth first; `address` is the tileset's, `where` the tile's pointer."""
        if implicit.fault:
            self._tally.problem("bad-implicit", f"{where}/implicitTiling", implicit.fault)
            return
        self._tally.tiles -= 1  # the root of the first subtree is the tile itself
        waiting: list[Place] = [(0, 0, 0, 0)]
        for place in waiting:
            self._budget.check()
            if self._tally.files >= self._max_files:
                message = f"There are more than {self._max_files} files; the other subtrees were not counted."
                self._tally.stopped("too-many-files", where, message)
                return
            one = self._source.join(address, implicit.uri(place))
            try:
                waiting += self._subtree(implicit, place, one)
            except (Refused, OSError) as error:
                message = str(error) if isinstance(error, Refused) else "It could not be read."
                self._tally.stopped("missing-subtree", one, message)

    def _subtree(self, implicit: Implicit, place: Place, address: str) -> list[Place]:
        path = self._source.open(address)
        said = Subtree(path, lambda uri: self._source.open(self._source.join(address, uri)))
        self._tally.files += 1
        self.size += path.stat().st_size
        nodes = implicit.nodes(place[0])
        self._tally.tiles += said.count(said.said.get("tileAvailability"), nodes)
        contents = said.said.get("contentAvailability", [])
        for number, each in enumerate(contents if isinstance(contents, list) else [contents]):
            self.contents += [0] * (number + 1 - len(self.contents))
            self.contents[number] += said.count(each, nodes)
        level = place[0] + implicit.levels
        if level >= implicit.depth:
            return []
        width = implicit.branches**implicit.levels
        return [
            _child(implicit, place, index)
            for index in said.set_bits(said.said.get("childSubtreeAvailability"), width, self._max_files + 1)
        ]


class Subtree:
    """One file of availability."""

    def __init__(self, path: Path, open_buffer: Any) -> None:  # noqa: ANN401
        """Read it.

        Raises:
            Malformed: It is no subtree.
            TooLarge: More than 16 MiB.
        """
        self._open = open_buffer
        body = _bounded(path)
        self._binary = b""
        if body[:4] == b"subt" and len(body) >= _HEAD.size:
            _, _, length, size = _HEAD.unpack_from(body)
            self._binary = body[_HEAD.size + length : _HEAD.size + length + size]
            body = body[_HEAD.size : _HEAD.size + length]
        try:
            said = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Malformed(f"No subtree: {error.msg}.") from error
        if not isinstance(said, dict):
            raise Malformed("No subtree: it is no object.")
        self.said: dict[str, Any] = said

    def count(self, availability: object, nodes: int) -> int:
        """Count what is available among so many nodes."""
        if not isinstance(availability, dict):
            raise Malformed("No subtree: an availability is an object.")
        if "constant" in availability:
            return nodes if availability["constant"] == 1 else 0
        counted = availability.get("availableCount")
        if type(counted) is int and 0 <= counted <= nodes:
            return counted
        return self._bits(availability, nodes).bit_count()

    def set_bits(self, availability: object, nodes: int, at_most: int) -> Iterator[int]:
        """Yield the places of what is available, from the first."""
        if not isinstance(availability, dict):
            raise Malformed("No subtree: an availability is an object.")
        if "constant" in availability:
            yield from range(min(nodes, at_most) if availability["constant"] == 1 else 0)
            return
        bits, found = self._bits(availability, nodes), 0
        while bits and found < at_most:
            low = bits & -bits
            yield low.bit_length() - 1
            bits ^= low
            found += 1

    def _bits(self, availability: Mapping[str, Any], nodes: int) -> int:
        """Give a bit stream as one number, the first node its lowest bit."""
        view = _entry(self.said.get("bufferViews"), availability.get("bitstream", availability.get("bufferView")))
        buffer = _entry(self.said.get("buffers"), view.get("buffer"))
        uri = buffer.get("uri")
        body = _bounded(self._open(uri)) if isinstance(uri, str) else self._binary
        start, length = (view.get(name, 0) for name in ("byteOffset", "byteLength"))
        needed = (nodes + 7) // 8
        if type(start) is not int or type(length) is not int or start < 0 or length < needed:
            raise Malformed("No subtree: a buffer view is shorter than its bits.")
        piece = body[start : start + needed]
        if len(piece) < needed:
            raise Malformed("No subtree: its buffer is cut off.")
        return int.from_bytes(piece, "little") & ((1 << nodes) - 1)


def _child(implicit: Implicit, place: Place, index: int) -> Place:
    """Give the place of a child subtree: Morton order within the level below."""
    level, x, y, z = place
    axes = 2 if implicit.branches == 4 else 3
    steps = [0, 0, 0]
    for bit in range(implicit.levels):
        for axis in range(axes):
            steps[axis] |= (index >> (bit * axes + axis) & 1) << bit
    wide = implicit.levels
    return level + wide, (x << wide) + steps[0], (y << wide) + steps[1], (z << wide) + steps[2]


def _entry(entries: object, number: object) -> Mapping[str, Any]:
    if isinstance(entries, list) and type(number) is int and 0 <= number < len(entries):
        entry = entries[number]
        if isinstance(entry, dict):
            return entry
    raise Malformed("No subtree: it refers to a buffer that is not there.")


def _bounded(path: Path) -> bytes:
    if path.stat().st_size > _MAX_BYTES:
        raise TooLarge(f"A subtree has more than {_MAX_BYTES} bytes.")
    return path.read_bytes()


def _one_more(level: object) -> object:
    return level + 1 if type(level) is int else None
