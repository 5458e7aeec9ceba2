"""What a file is, by its bytes, and then a look inside it; archives of one file are opened on the way.

What the portal says of it only decides between forms whose bytes look alike (a list of objects or a model). Everything
unpacked is bounded by size before it is written.
"""

import errno
import gzip
import itertools
import lzma
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from node.catalog.previews import delimited, features, objects
from node.catalog.previews.values import Preview, refused
from node.errors import Refused, TooLarge

_ZIP, _GZIP, _PARQUET, _OLE = b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"\xd0\xcf\x11\xe0"
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")
_WITHIN = (".csv", ".tsv", ".txt", ".json", ".geojson", ".city.json", ".jsonl", ".parquet", ".xlsx", ".xls", ".ods")
_CHUNK = 1 << 20
_JSON_BYTES = 96 << 20  # a document is read whole, into about ten times its size
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_FIX = "Publish it in a form that programs read row by row, or in parts."


def look(path: Path, scratch: Path, *, plain_bytes: int, seconds: float, whole: bool = True) -> tuple[Preview, bytes]:
    """Look inside a file: what was seen, and the bytes of its twin, if any.

    Args:
        path: The file.
        scratch: Where to unpack.
        plain_bytes: How much may be unpacked.
        seconds: How long to read; what was seen until then is what is said.
        whole: False where only its beginning lies here.

    Raises:
        Malformed: Nothing of which there is anything to show.
        TooLarge: More than may be unpacked or read whole.
    """
    deadline = time.monotonic() + seconds
    return _look(path, scratch, plain_bytes, deadline, whole=whole, deep=2)


def _look(
    path: Path, scratch: Path, plain_bytes: int, deadline: float, *, whole: bool, deep: int
) -> tuple[Preview, bytes]:
    with path.open("rb") as file:
        start = file.read(512)
    if not start.strip():
        raise refused("empty", "It is empty.", fix="Publish the data at this address.")
    if not whole and not _is_text(start):
        raise refused("large", "It is too large to be fetched for a look inside.", fix=_FIX, kind=TooLarge)
    if start.startswith(_GZIP) and deep:
        plain = _gunzip(path, scratch / f"plain-{deep}", plain_bytes)
        return _look(plain, scratch, plain_bytes, deadline, whole=whole, deep=deep - 1)
    if start.startswith(_ZIP) and deep:
        return _zipped(path, scratch, plain_bytes, deadline, deep)
    return _plain(path, start, deadline, whole=whole)


def _plain(path: Path, start: bytes, deadline: float, *, whole: bool) -> tuple[Preview, bytes]:
    if start.startswith(_PARQUET):
        from node.catalog.previews import columnar  # here, since it takes a third of a second to load

        return columnar.preview(path, deadline=deadline), b""
    if start.startswith(_OLE):
        from node.catalog.previews import sheets

        return sheets.preview(path, "XLS", deadline=deadline), b""
    if start.startswith(_IMAGES) or (start.startswith(b"RIFF") and start[8:12] == b"WEBP"):
        from node.catalog.previews import pictures

        return pictures.preview(path)
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if bare.startswith((b"{", b"[")):
        return _json(path, deadline, whole=whole)
    if bare.startswith(b"<"):
        raise refused("xml", "It is a page or XML, of which no rows are shown here.", fix="Name a CSV beside it.")
    return delimited.preview(path, deadline=deadline, whole=whole), b""


def _is_text(start: bytes) -> bool:
    known = (_ZIP, _GZIP, _PARQUET, _OLE, *_IMAGES)
    return not start.startswith(known) and b"\0" not in start


def _json(path: Path, deadline: float, *, whole: bool) -> tuple[Preview, bytes]:
    if path.stat().st_size > _JSON_BYTES:
        raise refused(
            "large", f"As one JSON document it is more than {_JSON_BYTES >> 20} MiB.", fix=_FIX, kind=TooLarge
        )
    if found := features.opened(path, whole=whole):
        from node.catalog.previews import shapes

        return shapes.preview(found.members, found, deadline=deadline, whole=whole)
    if not whole:
        return objects.preview_lines(path, deadline=deadline, whole=False), b""
    try:
        document = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return _json_lines(path, deadline)
    if isinstance(document, dict) and document.get("type") == "CityJSON":
        from node.catalog.previews import mesh

        return mesh.preview([document], deadline=deadline)
    if isinstance(document, dict) and (listed := features.listed_in(document)) is not None:
        from node.catalog.previews import shapes

        return shapes.preview(document, listed, deadline=deadline)
    return objects.preview(document, deadline=deadline), b""


def _json_lines(path: Path, deadline: float) -> tuple[Preview, bytes]:
    """Look inside one object a line; such a line may be a city object."""
    with path.open("rb") as file:
        first = _object(file.readline(_CHUNK * 4))
        if first.get("type") != "CityJSON":
            return objects.preview_lines(path, deadline=deadline), b""
        from node.catalog.previews import mesh

        return mesh.preview(itertools.chain([first], map(_object, file)), deadline=deadline)


def _object(line: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise refused(
            "json", f"It is neither JSON nor JSON lines: {error}."[:300], fix="Check it with a validator."
        ) from error
    return told if isinstance(told, dict) else {}


def _gunzip(path: Path, to: Path, most: int) -> Path:
    with _unpacking(), gzip.open(path, "rb") as packed:
        return _copy(packed, to, most)


@contextmanager
def _unpacking() -> Iterator[None]:
    """Say of whatever an archive is damaged by that it is, and of a full scratch folder that it is too large."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise refused("packed", f"Unpacked it is too large: {error.strerror}.", fix=_FIX, kind=TooLarge) from error
        raise _damaged() from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, EOFError, ValueError) as error:
        raise _damaged() from error


def _damaged() -> Refused:
    return refused("archive", "The archive cannot be opened.", fix="Pack it anew, without a password.")


def _zipped(path: Path, scratch: Path, most: int, deadline: float, deep: int) -> tuple[Preview, bytes]:
    """Look inside a workbook, or the first file of an archive of which something can be shown."""
    with _unpacking(), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > most:
            raise _too_much(most)
        workbook = _workbook({member.filename for member in members})
        within = [each for each in members if each.filename.lower().endswith(_WITHIN)]
        plain = path
        if not workbook:
            if not within:
                raise refused(
                    "none", "Nothing in the archive can be shown here.", fix="Name a file beside the archive."
                )
            with archive.open(within[0]) as packed:
                plain = _copy(packed, scratch / f"plain-{deep}", most)
    if workbook:
        from node.catalog.previews import sheets

        return sheets.preview(path, workbook, deadline=deadline), b""
    return _look(plain, scratch, most, deadline, whole=True, deep=deep - 1)


def _too_much(most: int) -> Refused:
    return refused("packed", f"Unpacked it is more than {most >> 20} MiB.", fix=_FIX, kind=TooLarge)


def _workbook(names: set[str]) -> str:
    if "xl/workbook.xml" in names:
        return "XLSX"
    if "xl/workbook.bin" in names:
        return "XLSB"
    return "ODS" if {"content.xml", "mimetype"} <= names else ""


def _copy(packed: BinaryIO | gzip.GzipFile | Any, to: Path, most: int) -> Path:  # noqa: ANN401  (whatever reads)
    """Write what is unpacked, no more than may be: what an archive says of sizes is not believed."""
    left = most
    with to.open("wb") as plain:
        while chunk := packed.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _too_much(most)
            plain.write(chunk)
    return to
