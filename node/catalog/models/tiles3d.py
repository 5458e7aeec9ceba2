"""Reads 3D Tiles 1.0 and 1.1: the tree of tiles and what it says of itself; contents are named, never opened.

A tree is walked without recursion, external tilesets are followed within their folder or origin, each once, and a
circle is named. What would surprise: levels of detail of a city model do not exist here (the tree's depth is a matter
of drawing), and whether the model is semantic is told by its metadata: properties or classes make it so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson

from node.catalog.models import volumes
from node.catalog.models.implicit import Implicit, Subtrees
from node.catalog.models.sources import Source
from node.catalog.models.tally import Budget, Tally
from node.errors import Forbidden, Malformed, NotFound, Refused, TooLarge
from node.vocab.notes import shorten

VERSIONS = ("1.0", "1.1")
MAX_FILE_BYTES = 64 << 20
_MAX_TILES = 2_000_000
_MAX_CHAIN = 32  # tilesets within tilesets
_NAMES_AT_MOST = 100
_CONTENTS = frozenset(("b3dm", "i3dm", "pnts", "cmpt", "glb", "gltf", "vctr", "geom", "json", "3tz"))
_DATES = ("date", "epoch", "captureDate", "acquisitionDate")


@dataclass(frozen=True, slots=True)
class _File:
    """A tileset to read: where it is, and the tilesets that lead to it."""

    address: str
    chain: tuple[str, ...]


@dataclass(slots=True)
class _Tile:
    """A tile to look at."""

    said: Any
    pointer: str
    error: float  # of its parent


class Tiles:
    """A tileset with all it refers to, being read into a tally."""

    def __init__(self, source: Source, tally: Tally, budget: Budget, *, max_files: int = 1_000) -> None:
        """Read nothing yet."""
        self.source = source
        self.tally = tally
        self.budget = budget
        self.size = 0  # bytes of all files read
        self._max_files = max_files
        self._met: set[str] = set()
        self._waiting: list[_File] = []
        tally.type = "mesh"

    def read(self, path: Path, address: str) -> None:
        """Read the tileset at `path`, known as `address`, and what it refers to.

        Raises:
            Malformed: The first file is no tileset.
            TooLarge: It is larger than 64 MiB.
        """
        self._met.add(address)
        self._tileset(path, _File(address, ()))
        while self._waiting:
            self._next(self._waiting.pop())

    def _next(self, file: _File) -> None:
        self.budget.check()
        if self.tally.files >= self._max_files:
            message = f"There are more than {self._max_files} files in this tileset; the rest was not read."
            self.tally.stopped("too-many-files", file.address, message)
            self._waiting.clear()
            return
        try:
            self._tileset(self.source.open(file.address), file)
        except Forbidden as error:
            message = f"{error.message} It was not followed; inspect it by itself."
            self.tally.problem("elsewhere", file.chain[-1], message, "warning")
            self.tally.whole = False
        except NotFound as error:
            self.tally.stopped("missing-tileset", file.chain[-1], str(error))
        except OSError:  # its own message names a folder of this machine
            message = f"{shorten(file.address)} could not be read."
            self.tally.stopped("missing-tileset", file.chain[-1], message)
        except Refused as error:
            self.tally.stopped(error.code, file.address, error.message)

    def _tileset(self, path: Path, file: _File) -> None:
        said = _parsed(path)
        self.size += path.stat().st_size
        self.tally.files += 1
        first = not file.chain
        if not isinstance(said, dict) or not isinstance(said.get("root"), dict):
            raise Malformed("It is no tileset: there is no root.", fix="Name a tileset.json.")
        self._about(said, file.address, first=first)
        self._tree(said["root"], file, first=first)

    # What a tileset says of itself

    def _about(self, said: Mapping[str, Any], address: str, *, first: bool) -> None:
        asset = said.get("asset")
        asset = asset if isinstance(asset, dict) else {}
        version = str(asset.get("version", ""))
        if first:
            self.tally.version = version
            self.tally.generator = _text(asset.get("generator"))
        if version not in VERSIONS:
            message = f"Its version is {shorten(version, 20)!r}; the standard knows {' and '.join(VERSIONS)}."
            self.tally.problem("unknown-version", f"{address}#/asset/version", message)
        if not _is_error(said.get("geometricError")):
            message = "A tileset has a geometricError, a number of 0 or more."
            self.tally.problem("bad-geometric-error", f"{address}#/geometricError", message)
        used = said.get("extensionsUsed")
        if isinstance(used, list):
            self.tally.extensions.update(shorten(str(name)) for name in used[:_NAMES_AT_MOST])
        self._named(said, address)

    def _named(self, said: Mapping[str, Any], address: str) -> None:
        """Remember the names of attributes: `properties` of 1.0, the classes of a schema of 1.1."""
        properties = said.get("properties")
        if isinstance(properties, dict) and properties:
            self._semantic(properties)
        extended = said.get("extensions")
        extended = extended.get("3DTILES_metadata") if isinstance(extended, dict) else None
        for one in (said, extended):
            if not isinstance(one, dict):
                continue
            self._classes(one.get("schema"))
            if isinstance(uri := one.get("schemaUri"), str):
                self._schema(uri, address)
            metadata = one.get("metadata")
            values = metadata.get("properties") if isinstance(metadata, dict) else None
            for name in _DATES:
                if isinstance(values, dict) and isinstance(values.get(name), str):
                    self.tally.date(values[name], f"{address}#/metadata/properties/{name}")

    def _semantic(self, names: Mapping[str, Any]) -> None:
        self.tally.type = "semantic"
        self.tally.name(map(str, names))

    def _classes(self, schema: object) -> None:
        classes = schema.get("classes") if isinstance(schema, dict) else None
        for each in classes.values() if isinstance(classes, dict) else ():
            properties = each.get("properties") if isinstance(each, dict) else None
            self._semantic(properties if isinstance(properties, dict) else {})

    def _schema(self, uri: str, address: str) -> None:
        where = f"{address}#/schemaUri"
        try:
            path = self.source.open(self.source.join(address, uri))
            self._classes(_parsed(path))
        except (Refused, OSError) as error:
            reason = f" {error}" if isinstance(error, Refused) else ""
            self.tally.problem("missing-schema", where, f"The schema could not be read.{reason}", "warning")
        else:
            self.tally.files += 1
            self.size += path.stat().st_size

    # Tiles

    def _tree(self, root: Mapping[str, Any], file: _File, *, first: bool) -> None:
        if first:
            self._place(root, file.address)
        stack = [_Tile(root, f"{file.address}#/root", float("inf"))]
        while stack:
            tile = stack.pop()
            self.tally.tiles += 1
            if not self.tally.tiles % 1_000:
                self.budget.check()
            if self.tally.tiles > _MAX_TILES:
                raise TooLarge(f"There are more than {_MAX_TILES} tiles; the rest was not read.")
            if isinstance(tile.said, dict):
                stack.extend(self._tile(tile, file))
            else:
                self.tally.problem("wrong-type", tile.pointer, "A tile is an object.")

    def _tile(self, tile: _Tile, file: _File) -> Iterator[_Tile]:
        """Look at one tile; gives its children."""
        said, where = tile.said, tile.pointer
        if fault := volumes.fault_of(said.get("boundingVolume")):
            self.tally.problem("bad-volume", f"{where}/boundingVolume", fault)
        error = self._error_of(tile)
        if "transform" in said and volumes.finite(said["transform"], 16) is None:
            self.tally.problem("bad-transform", f"{where}/transform", "A transform is a list of 16 finite numbers.")
        if said.get("refine", "ADD") not in ("ADD", "REPLACE"):
            self.tally.problem("bad-refine", f"{where}/refine", "It is ADD or REPLACE.")
        if implicit := Implicit.of(said):
            self._implicit(implicit, said, where, file)
        else:
            self._contents(said, where, file)
        children = said.get("children", [])
        if not isinstance(children, list):
            self.tally.problem("wrong-type", f"{where}/children", "It is not a list.")
            return
        for number in range(len(children) - 1, -1, -1):
            yield _Tile(children[number], f"{where}/children/{number}", error)

    def _error_of(self, tile: _Tile) -> float:
        error = tile.said.get("geometricError")
        where = f"{tile.pointer}/geometricError"
        if not _is_error(error):
            self.tally.problem("bad-geometric-error", where, "A tile has a geometricError, a number of 0 or more.")
            return tile.error
        if error > tile.error:
            message = f"It is {error:g}, more than its parent's {tile.error:g}: the finer tile would never be shown."
            self.tally.problem("growing-error", where, message, "warning")
        return float(error)

    def _place(self, root: Mapping[str, Any], address: str) -> None:
        volume = root.get("boundingVolume")
        if volumes.fault_of(volume) or not isinstance(volume, Mapping):
            return
        matrix = volumes.finite(root.get("transform", list(volumes.IDENTITY)), 16)
        placed = volumes.place(volume, matrix) if matrix else volumes.Place()
        if placed.extent is None:
            message = "The root has no transform to the Earth, so the model has no place. Write one to EPSG:4978."
            self.tally.problem("no-place", f"{address}#/root/transform", message, "warning")
            return
        self.tally.refer(placed.reference, f"{address}#/root")
        self.tally.box = placed.box
        self.tally.stretch(placed.extent[:3], placed.extent[3:])

    # Contents

    def _contents(self, said: Mapping[str, Any], where: str, file: _File) -> None:
        several = said.get("contents")
        if isinstance(several, list):
            for number, content in enumerate(several):
                self._content(content, f"{where}/contents/{number}", file)
        elif several is not None:
            self.tally.problem("wrong-type", f"{where}/contents", "It is not a list.")
        if "content" in said:
            self._content(said["content"], f"{where}/content", file)

    def _content(self, content: object, where: str, file: _File) -> None:
        uri = content.get("uri", content.get("url")) if isinstance(content, dict) else None
        if not isinstance(uri, str) or not uri:
            self.tally.problem("missing-uri", f"{where}/uri", 'A content has a "uri".')
            return
        kind = _kind(uri)
        if kind == "json":
            self._external(uri, where, file)
            return
        self.tally.count(kind)
        if kind != "embedded" and self.source.lacks(self.source.join(file.address, uri)):
            message = f"{shorten(uri)} is not there. Add it, or take the tile out."
            self.tally.problem("missing-content", f"{where}/uri", message)

    def _external(self, uri: str, where: str, file: _File) -> None:
        address = self.source.join(file.address, uri)
        chain = (*file.chain, file.address)
        self.tally.count("tileset")
        if address in chain:
            message = (
                f"The tileset leads back to itself: {shorten(' -> '.join((*chain[chain.index(address) :], address)))}."
            )
            self.tally.problem("circle", where, message)
        elif len(chain) > _MAX_CHAIN:
            self.tally.stopped("too-deep", where, f"More than {_MAX_CHAIN} tilesets within one another.")
        elif address not in self._met:
            self._met.add(address)
            self._waiting.append(_File(address, chain))

    def _implicit(self, implicit: Implicit, said: Mapping[str, Any], where: str, file: _File) -> None:
        subtrees = Subtrees(self.source, self.tally, self.budget, max_files=self._max_files)
        subtrees.read(implicit, file.address, where)
        self.size += subtrees.size
        several = said.get("contents")
        contents = [said.get("content"), *(several if isinstance(several, list) else [])]
        uris = [each["uri"] for each in contents if isinstance(each, dict) and isinstance(each.get("uri"), str)]
        for uri, many in zip(uris, subtrees.contents, strict=False):
            self.tally.count(_kind(uri), many)


def _parsed(path: Path) -> Any:  # noqa: ANN401  (JSON)
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise TooLarge(f"It has {size} bytes, more than {MAX_FILE_BYTES}.", fix="Split it into external tilesets.")
    try:
        return orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        if error.msg.startswith(("Not enough memory", "depth limit")):
            raise TooLarge(
                f"It is too large or nested too deep: {error.msg}.", fix="Split it into tilesets."
            ) from error
        message = f"No JSON. Line {error.lineno}, column {error.colno}: {error.msg}."
        raise Malformed(message, fix="Download it again.") from error


def _kind(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:  # no address at all, which is told where it is followed
        parts = SplitResult("", "", uri, "", "")
    if parts.scheme == "data":
        return "embedded"
    suffix = PurePosixPath(parts.path).suffix[1:].lower()
    return suffix if suffix in _CONTENTS else "other"


def _is_error(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
