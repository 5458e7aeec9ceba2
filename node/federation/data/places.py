"""What every kind of place where data lie has in common: what a place is asked, names and marks of what it has.

A place knows one kind of origin (files, https, S3) and nothing of digests, promises or residents: that is `origins`.
What would surprise: whoever reads may be let go of by another thread, which must neither wait for a read that hangs nor
close a file under it; `Held` settles who frees what.
"""

import hashlib
import mimetypes
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from node.errors import Conflict, Malformed, NotFound, Stopped, TooLarge
from node.federation.moving import MAX_PARTS, Part, checked_part

PIECE_BYTES = 256 * 1024
ANY_TYPE = "application/octet-stream"
MAX_LEFT_OUT = 100
_FREE_S = 0.2
_ONCE = '"once-'
_LAST_MS = 253_402_300_799_000  # the last second of the year 9999
# Beside what the library knows, whose table differs from machine to machine.
_TYPES = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "tsv": "text/tab-separated-values",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
_LIBRARY = mimetypes.MimeTypes()


@dataclass(frozen=True, slots=True)
class Registered:
    """One origin as it was registered: where a part of a dataset lies, or a folder of parts.

    `name` is the part's, of a folder what its parts' names begin with (or nothing). `checksum` is what the record
    promises of it, as algorithm and hex; `trouble` why it could not be read last time.
    """

    dataset: str
    name: str
    kind: str
    location: str
    media_type: str = ""
    credential: str = ""
    checksum: str = ""
    at_ms: int = 0
    by: str = ""
    trouble: str = ""
    trouble_at_ms: int = 0

    @property
    def is_folder(self) -> bool:
        """Tell whether it has several parts."""
        return self.kind == "folder" or (self.kind == "s3" and self.location.endswith("/"))

    @property
    def is_local(self) -> bool:
        """Tell whether it lies on this machine."""
        return self.kind in ("file", "folder")

    def name_of(self, below: str) -> str:
        """Name the part that is called so in the folder."""
        return f"{self.name}/{below}" if self.name else below

    def takes(self, below: str) -> bool:
        """Tell whether what is called so in the folder can be a part."""
        try:
            checked_part(self.name_of(below))
        except Malformed:
            return False
        return True

    def below(self, part: str) -> str:
        """Say what a part is called in the folder; nothing if it is none of this one."""
        if not self.name:
            return part
        return part[len(self.name) + 1 :] if part.startswith(self.name + "/") else ""


class Bytes(Protocol):
    """Open bytes of a part; see `node.federation.moving.Source`."""

    @property
    def part(self) -> Part:
        """Give the part as it stood when it was opened."""

    def read(self, most: int) -> bytes:
        """Give the next bytes; empty at the true end alone."""

    def close(self) -> None:
        """Let go of it, from any thread."""


class Place(Protocol):
    """One kind of place. Digests are not its business: its parts have none."""

    def parts(self, origin: Registered) -> Sequence[Part]:
        """Give what lies there, in any order. Raises Unavailable, NotFound."""

    def left_out(self, origin: Registered) -> Sequence[str]:
        """Name what lies there and can be no part by its name, at most `MAX_LEFT_OUT`. Raises what `parts` raises."""

    def open(self, origin: Registered, part: str, *, start: int, stop: threading.Event | None = None) -> Bytes:
        """Open a part from a byte on; the caller closes it. `stop` ends what blocks. Raises Unavailable, NotFound."""


class Held(ABC):
    """Bytes that one thread reads and any thread may let go of; the subclass reads, wakes and frees."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._gone = False

    def read(self, most: int) -> bytes:
        """Give the next bytes, at most so many; empty at the true end alone. Blocks.

        Raises:
            Unavailable: It went away, changed meanwhile, or is shorter or longer than it said.
            Stopped: Somebody let go of it.
        """
        with self._reading:
            if self._gone:
                raise Stopped("The data was let go of.")
            try:
                return self._read(most)
            finally:
                # Whoever let go meanwhile could not free it under this read.
                if self._gone:
                    self._free()

    def close(self) -> None:
        """Let go of it; repeatable, and from any thread, which ends a read that blocks."""
        self._gone = True
        self._wake()
        if self._reading.acquire(timeout=_FREE_S):
            try:
                self._free()
            finally:
                self._reading.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def _read(self, most: int) -> bytes:
        """Read; called by one thread at a time."""

    def _wake(self) -> None:  # noqa: B027  (a read of a file cannot be woken)
        """End a read that blocks, if anything can."""

    @abstractmethod
    def _free(self) -> None:
        """Free what is held; called once or more, never while a read runs."""


def etag_of(*facts: object) -> str:
    """Make a strong mark of whatever differs as soon as a byte may differ."""
    return f'"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'


def once(name: str) -> str:
    """Make a mark for bytes of which nobody can tell whether they are the same the next time."""
    return f'{_ONCE}{name}"'


def is_once(etag: str) -> bool:
    """Tell whether a mark is of bytes that may be others the next time."""
    return etag.startswith(_ONCE)


def media_type_of(name: str) -> str:
    """Guess by a name what a file is.

    >>> media_type_of("a/b.CSV"), media_type_of("x")
    ('text/csv', 'application/octet-stream')
    """
    ending = name.rpartition("/")[2].rpartition(".")[2].lower()
    return _TYPES.get(ending) or _LIBRARY.guess_type(f"x.{ending}")[0] or ANY_TYPE


def takeable(parts: Sequence[Part], where: str) -> Sequence[Part]:
    """Give parts back that another city can take, all of them: each a file of its own there, and all in one receipt.

    Raises:
        TooLarge: There are more than a receipt names.
        Conflict: Two names differ by capitals alone, or one is that of a folder in which another lies.
    """
    if len(parts) > MAX_PARTS:
        raise too_many(where)
    seen: dict[str, str] = {}
    for part in parts:
        other = seen.setdefault(part.name.casefold(), part.name)
        if other != part.name:
            raise Conflict(
                f"{other} and {part.name} differ by capitals alone.", fix="Name one of them otherwise."
            ).on_page("no.origin.capitals", field="part", first=other, second=part.name)
    for name in seen:
        steps = name.split("/")
        above = next((up for end in range(1, len(steps)) if (up := "/".join(steps[:end])) in seen), "")
        if above:
            raise Conflict(
                f"{seen[above]} is a file, and {seen[name]} would lie in a folder of that name.",
                fix="Name one of them otherwise.",
            ).on_page("no.origin.folder", field="part", first=seen[above], second=seen[name])
    return parts


def no_part(name: str) -> NotFound:
    """Say that there is no part of this name."""
    return NotFound(
        f"There is no part {name[:200]}.",
        fix="Ask for the list of parts.",
    ).on_page("no.origin.part", name=name[:200])


def time_of(ms: int) -> int:
    """Give a time back if an HTTP header can say it: files and servers may claim any; else 0."""
    return ms if 0 <= ms <= _LAST_MS else 0


def too_many(where: str) -> TooLarge:
    """Say that a dataset has more parts than move at once."""
    return TooLarge(
        f"{where} has more than {MAX_PARTS:,} parts, the most that one dataset has: its receipt names each of them.",
        fix="Pack them into fewer files, or register folders of them under several datasets.",
    ).on_page("no.origin.parts", field="location", most=MAX_PARTS)
