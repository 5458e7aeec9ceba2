"""Opens a model: unpacks it, finds out by its bytes what it is, and has it read. Runs in the child process only.

An archive's files are read into one tally, since cities publish a model in many sheets; an archive or a folder with a
`tileset.json` is one tileset. Everything unpacked is bounded as it is written. The name of a file decides nothing but
which files of an archive are looked at.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from node.catalog.models.citygml import CityGml
from node.catalog.models.cityjson import Reader
from node.catalog.models.cityjsonseq import read_features
from node.catalog.models.facts import Format, ModelFacts
from node.catalog.models.sources import Asked, Folder, Source
from node.catalog.models.tally import Budget, OutOfTime, Tally
from node.catalog.models.tiles3d import Tiles
from node.catalog.models.walk import Members, Walk
from node.errors import Malformed, Refused, TooLarge
from node.vocab.decode import head_of, mapped, plain_copy, refuse_html
from node.vocab.json_scan import NotJson, skip_space
from node.vocab.notes import shorten

_CHUNK = 1 << 20
_MODELS = (".json", ".jsonl", ".gml", ".xml", ".citygml")
_TILES = (".json", ".subtree", ".bin")
_MAX_MEMBERS = 100_000
_GZIP, _GZIP_MAGIC = 31, b"\x1f\x8b"
_FEW_TIMES = 200  # what packs better than this is an attack
_SMALL = 64 << 20
_JSON_MODELS: dict[str, Format] = {"CityJSON": "CityJSON", "CityJSONFeature": "CityJSONSeq"}
_TILESET_KEYS = ("asset", "root", "geometricError", "schemaUri")
_CITYJSON_KEYS = ("CityObjects", "vertices", "transform", "appearance", "geometry-templates", "version")
_OTHERS = {
    b"glTF": "a binary glTF, one mesh",
    b"b3dm": "the content of one tile",
    b"i3dm": "the content of one tile",
    b"pnts": "the points of one tile",
    b"cmpt": "the content of one tile",
    b"subt": "a subtree of a tileset",
    b"LASF": "a point cloud (LAS)",
    b"ISO-": "a STEP or IFC file",
    b"%PDF": "a PDF",
    b"7z\xbc\xaf": "a 7-Zip archive",
}
_FIX = "Name a CityJSON, CityJSONSeq or CityGML file, or a tileset.json; plain, or packed with gzip or zip."


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far opening may go."""

    seconds: float = 60.0
    plain_bytes: int = 4 << 30  # of everything unpacked together
    files: int = 1_000


def open_model(
    path: Path,
    scratch: Path,
    bounds: Bounds,
    *,
    name: str = "",
    base: str = "",
    ask: Callable[[str], Path] | None = None,
) -> ModelFacts:
    """Give the facts of the model at `path`: a file, an archive, or the folder of a tileset.

    Args:
        path: What was fetched, or lies here.
        scratch: An empty folder for what is unpacked.
        bounds: Time, size and number of files.
        name: As people know the file, for messages.
        base: Where the file was fetched from; then further files of a tileset come from `ask`.
        ask: Gives a file by its address, or raises NotFound.

    Raises:
        Malformed: Not a model in any of the formats.
        TooLarge: Past a bound before anything was found.
    """
    return _Opening(scratch, bounds, base, ask).open(path, name or path.name)


class _Opening:
    """One call of `open_model`."""

    def __init__(self, scratch: Path, bounds: Bounds, base: str, ask: Callable[[str], Path] | None) -> None:
        self._scratch = scratch
        self._bounds = bounds
        self._budget = Budget(bounds.seconds)
        self._base = base
        self._ask = ask
        self._left = bounds.plain_bytes
        self._tally: Tally | None = None
        self._size = 0
        self._cut = ""

    def open(self, path: Path, name: str) -> ModelFacts:
        if path.is_dir():
            if not (path / "tileset.json").is_file():
                raise Malformed(f"There is no tileset.json in the folder {shorten(name)}.", fix=_FIX)
            self._tiles(path / "tileset.json", "tileset.json", Folder(path))
            return self._facts(self._size)
        plain = self._unpacked(path)
        if is_archive := zipfile.is_zipfile(plain):
            self._archive(plain)
        else:
            self._one(plain, name, "")
        return self._facts(path.stat().st_size if is_archive or plain is not path else self._size)

    def _facts(self, size: int) -> ModelFacts:
        if self._tally is None:
            raise Malformed("There is no city model in it.", fix=_FIX)
        if self._cut:
            self._tally.stopped("cut-off", self._cut, "The packed file ends too early. Download it again.")
        return self._tally.facts(size)

    # Unpacking

    def _unpacked(self, path: Path) -> Path:
        with path.open("rb") as file:
            if file.read(2) != _GZIP_MAGIC:
                return path
        to = self._scratch / "plain"
        with path.open("rb") as packed, to.open("wb") as out:
            reader = _Gzip(packed)
            self._copy(reader.read, out, path.stat().st_size)
        self._cut = "" if reader.whole else "gzip"
        return to

    def _copy(self, read: Callable[[int], bytes], out: BinaryIO, size: int) -> None:
        """Unpack, up to what is left of the bound; more than 200 times the packed size is refused."""
        most, written = min(self._left, max(_SMALL, _FEW_TIMES * size)), 0
        while chunk := read(_CHUNK):
            written += len(chunk)
            if written > most:
                raise TooLarge(f"Unpacked it has more than {most} bytes.", fix="Publish it in parts.")
            out.write(chunk)
            self._budget.check()
        self._left -= written

    def _archive(self, path: Path) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                names = [each for each in archive.infolist() if not each.is_dir()]
                if len(names) > _MAX_MEMBERS:
                    raise TooLarge(f"The archive has more than {_MAX_MEMBERS} files.", fix="Publish it in parts.")
                tileset = _shortest(each.filename for each in names if _last(each.filename) == "tileset.json")
                if tileset:
                    self._archived_tiles(archive, tileset)
                else:
                    self._sheets(archive, [each for each in names if each.filename.lower().endswith(_MODELS)])
        except zipfile.BadZipFile as error:
            raise Malformed(f"The archive is broken: {shorten(str(error))}.", fix="Download it again.") from error

    def _sheets(self, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
        """Read the models of an archive one after the other into one tally."""
        faults: list[Malformed] = []
        for number, member in enumerate(sorted(members, key=lambda each: each.filename)):
            if number >= self._bounds.files:
                self._tell("too-many-files", member.filename, f"Only the first {number} files of it were read.")
                return
            plain = self._member(archive, member, self._scratch / "member")
            if plain is None:
                continue
            try:
                self._one(plain, member.filename, f"{shorten(member.filename)}#")
            except Malformed as error:
                faults.append(error)
            plain.unlink()
        if self._tally is None and faults:
            raise faults[0]

    def _archived_tiles(self, archive: zipfile.ZipFile, tileset: str) -> None:
        folder, root = str(PurePosixPath(tileset).parent), self._scratch / "tiles"
        below = "" if folder == "." else f"{folder}/"
        names = {name.removeprefix(below) for name in archive.namelist() if name.startswith(below)}
        wanted = sorted(name for name in names if name.lower().endswith(_TILES) and _is_tame(name))
        for name in wanted[: self._bounds.files]:
            to = root / name
            with suppress(OSError):  # two names that cannot stand beside each other
                to.parent.mkdir(parents=True, exist_ok=True)
                self._member(archive, archive.getinfo(below + name), to)
        first = root / "tileset.json"
        if not first.is_file():
            raise Malformed("The tileset.json of the archive could not be unpacked.", fix="Pack it again.")
        self._tiles(first, "tileset.json", Folder(root, names))

    def _member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path) -> Path | None:
        """Unpack one file; None, and told, if that cannot be done."""
        try:
            with archive.open(member) as packed, to.open("wb") as out:
                self._copy(packed.read, out, member.compress_size)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            # RuntimeError: it is encrypted, or packed in a way that Python does not know.
            self._tell("bad-member", member.filename, f"It cannot be unpacked: {shorten(str(error))}.")
            return None
        return to

    # Reading

    def _one(self, path: Path, name: str, where: str) -> None:
        """Read one plain file; `where` stands before every place in it."""
        self._size += path.stat().st_size
        head = head_of(path).lstrip("\ufeff \t\r\n")
        if head.startswith("<"):
            refuse_html(head, "a city model")
            self._xml(path, where)
        elif head.startswith("{"):
            with mapped(plain_copy(path, self._scratch / "utf8")) as view:
                self._json(Walk(view, self._budget), path, name, where)
        else:
            with path.open("rb") as file:
                magic = file.read(4)
            what = _OTHERS.get(magic, "none of the formats that are read here")
            raise Malformed(f"{shorten(name)} is {what}." if head else f"{shorten(name)} is empty.", fix=_FIX)

    def _join(self, form: Format, name: str) -> Tally | None:
        """Give the tally to read into; None, and told, if it is of another format."""
        if self._tally is None:
            self._tally = Tally(form)
        if self._tally.format != form:
            message = f"The archive holds {self._tally.format}, and this is {form}; it was left out."
            self._tell("mixed-formats", name, message)
            return None
        return self._tally

    def _xml(self, path: Path, where: str) -> None:
        new = self._tally is None
        tally = self._join("CityGML", where)
        if tally is None:
            return
        reader = CityGml(tally, where)
        try:
            with path.open("rb") as file:
                reader.read(file, self._budget)
        except Malformed:
            self._tally = None if new else tally
            raise
        except OutOfTime:
            self._late(tally, where)
        except Refused as error:
            tally.stopped(error.code, where, error.message)
        tally.files += 1

    def _json(self, walk: Walk, path: Path, name: str, where: str) -> None:
        start = skip_space(walk.view, 0)
        try:
            form = _form(walk, start, name)
        except NotJson as error:
            raise Malformed(f"{shorten(name)} is no JSON: {walk.place(error.at)}.", fix=_FIX) from error
        if form == "3D Tiles":
            source: Source = Asked(self._base, self._ask) if self._ask and self._base else Folder(path.parent)
            self._tiles(path, self._base if self._ask else path.name, source)
            return
        tally = self._join(form, name)
        if tally is not None:
            self._cityjson(walk, start, tally, where)

    def _cityjson(self, walk: Walk, start: int, tally: Tally, where: str) -> None:
        reader = Reader(walk, tally)
        try:
            _read_cityjson(reader, start, where)
        except NotJson as error:
            place = where + walk.place(min(error.at, len(walk.view)))
            if error.at >= len(walk.view):
                message = "It ends before it is closed: cut off, or a bracket or a quote is missing."
                tally.stopped("cut-off", place, message)
            else:
                tally.stopped("not-json", place, "It stops being JSON here. What stands before was read.")
        except OutOfTime:
            self._late(tally, where)
        except Refused as error:
            tally.stopped(error.code, where, error.message)
        reader.close()
        if walk.notes.findings():
            message = "Characters or numbers that JSON may not have. Write UTF-8, and no NaN or Infinity."
            tally.problem("bad-characters", where, message, "warning")
        tally.files += 1

    def _tiles(self, path: Path, address: str, source: Source) -> None:
        if self._tally is not None:
            self._tell("mixed-formats", address, "A tileset among models of another format; it was left out.")
            return
        self._tally = Tally("3D Tiles")
        tiles = Tiles(source, self._tally, self._budget, max_files=self._bounds.files)
        try:
            tiles.read(path, address)
        except OutOfTime:
            self._late(self._tally, address)
        except TooLarge as error:
            if not self._tally.tiles:
                raise
            self._tally.stopped(error.code, address, error.message)
        self._size = tiles.size

    def _late(self, tally: Tally, where: str) -> None:
        message = f"Reading took longer than {self._bounds.seconds:g} s and was ended; the counts are lower bounds."
        tally.stopped("out-of-time", where, message)

    def _tell(self, code: str, where: str, message: str) -> None:
        if self._tally is not None:
            self._tally.stopped(code, where, message)


class _Gzip:
    """Unpacks gzip, of one part or several, as far as it goes; then `whole` says whether it went to the end."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._reader = zlib.decompressobj(_GZIP)
        self._rest = b""
        self.whole = False

    def read(self, size: int) -> bytes:
        """Give at most `size` bytes; none at the end, or where it is broken."""
        while True:
            if self._reader.eof:
                self._rest = self._reader.unused_data or self._packed.read(_CHUNK)
                self._reader = zlib.decompressobj(_GZIP)
                if not self._rest.startswith(_GZIP_MAGIC):  # at the end, or padding behind it
                    self.whole = True
                    return b""
            self._rest = self._rest or self._reader.unconsumed_tail or self._packed.read(_CHUNK)
            if not self._rest or self.whole:
                return b""
            try:
                piece = self._reader.decompress(self._rest, size)
            except zlib.error:
                return b""
            self._rest = self._reader.unconsumed_tail
            if piece:
                return piece


def _read_cityjson(reader: Reader, start: int, where: str) -> None:
    """Read a document, or a sequence: then more objects follow the first, each on its line."""
    walk, tally = reader.walk, reader.tally
    if tally.format == "CityJSONSeq":
        message = "The first line is no CityJSON object with the transform; a sequence begins with one."
        tally.problem("missing-first-line", f"{where}line 1#", message)
        read_features(reader, start, 1)
        return
    behind = reader.document(start, where)
    rest = skip_space(walk.view, behind)
    if rest >= len(walk.view):
        return
    if walk.first(rest) != b"{" or b"\n" not in walk.view[behind:rest]:
        raise NotJson(rest)
    tally.format = "CityJSONSeq"
    read_features(reader, behind, int(walk.place(behind).split(",")[0].removeprefix("line ")))


def _form(walk: Walk, start: int, name: str) -> Format:
    """Tell by its first members what a JSON document is."""
    members = Members(walk, start)
    for key, at in members:
        if key == "type":
            kind, _ = walk.value(at)
            if kind in _JSON_MODELS:
                return _JSON_MODELS[kind]
            message = f"{shorten(name)} is JSON of the type {shorten(str(kind), 40)!r}, no city model."
            raise Malformed(message, fix=_FIX)
        if key in _TILESET_KEYS:
            return "3D Tiles"
        if key in _CITYJSON_KEYS:
            return "CityJSON"
    raise Malformed(f"{shorten(name)} is JSON, but no city model: it has no type, and no tiles.", fix=_FIX)


def _shortest(names: Iterator[str]) -> str:
    return min(names, key=lambda name: (name.count("/"), name), default="")


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _is_tame(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and "\\" not in name and "\0" not in name
