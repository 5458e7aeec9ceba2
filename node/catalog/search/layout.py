"""Where the indexes stand on disk, and the one small file that says which of them count and how far they have read.

    search/position.json        version, position, for each index the folder that counts, what each collection was
    search/lock                 held by whoever writes
    search/damaged              somebody met an index that cannot be read: it is to be made anew
    search/public/7/            the public index, in its seventh making
    search/9f86d081884c7d65/2/  one restricted collection's, named by a hash so that no name stands in a listing

`position.json` is replaced in one step after everything it names is on disk, so readers go from one state to the next
and a crash leaves the last one. Files only; nothing here opens an index.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from node.catalog.search.schema import VERSION
from node.errors import Unavailable

PUBLIC = "public"
_POSITION = "position.json"
_LOCK = "lock"
_DAMAGED = "damaged"
_TRIES = 5
_PAUSE_S = 0.005


def index_of(collection: str) -> str:
    """Name the index of a restricted collection."""
    return sha256(collection.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Position:
    """How far was read (`n`), which making of each index counts, and in which index each collection is."""

    n: int = 0
    makings: Mapping[str, int] = field(default_factory=dict)
    collections: Mapping[str, str] = field(default_factory=dict)


class Layout:
    """The folder of the indexes."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when something is written."""
        self.folder = folder
        self.position_file = folder / _POSITION

    def position(self) -> Position | None:
        """Read what counts now; None if there is nothing, or nothing this version can read."""
        try:
            said = json.loads(self.position_file.read_bytes())
            if said["version"] != VERSION:
                return None
            return Position(int(said["n"]), dict(said["makings"]), dict(said["collections"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, position: Position) -> None:
        """Let a position count from now on; every index it names must be on disk."""
        said = {
            "version": VERSION,
            "n": position.n,
            "makings": position.makings,
            "collections": position.collections,
        }
        draft = self.folder / f"{_POSITION}.part"
        draft.write_bytes(json.dumps(said).encode())
        draft.replace(self.position_file)

    def path(self, index: str, making: int) -> Path:
        """Name the folder of one making of an index."""
        return self.folder / index / str(making)

    def next_making(self, index: str) -> int:
        """Give a number that no making of an index has, whole or not."""
        return 1 + max((int(each.name) for each in _folders(self.folder / index) if each.name.isdigit()), default=0)

    def sweep(self, position: Position) -> None:
        """Remove what does not count: former makings, what a crash left half made, indexes of former collections."""
        for folder in _folders(self.folder):
            for making in _folders(folder):
                if position.makings.get(folder.name) != (int(making.name) if making.name.isdigit() else -1):
                    shutil.rmtree(making, ignore_errors=True)
            if folder.name not in position.makings:
                shutil.rmtree(folder, ignore_errors=True)

    def mark_damaged(self) -> None:
        """Have everything made anew by whoever writes next; what can be read is read until then."""
        with suppress(OSError):  # a reader that may not write: the keeper meets the damage itself
            (self.folder / _DAMAGED).touch()

    def damaged(self) -> bool:
        """Tell whether somebody met an index that cannot be read."""
        return (self.folder / _DAMAGED).exists()

    def mend(self) -> None:
        """Take back what `mark_damaged` said."""
        (self.folder / _DAMAGED).unlink(missing_ok=True)

    def size(self) -> int:
        """Give the bytes of all files."""
        total = 0
        for path in self.folder.rglob("*"):
            try:
                total += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:  # merged away meanwhile
                continue
        return total

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[None]:
        """Keep other writers out, of this process and others.

        Raises:
            Unavailable: Somebody else writes, and `wait` is false; or the folder cannot be written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Unavailable(
                f"The folder {self.folder} cannot be written: {error.strerror}.", fix="Give the node its folder back."
            ) from error
        try:
            _lock(handle, tries=0 if wait else _TRIES)
            yield
        finally:
            os.close(handle)

    def busy(self) -> bool:
        """Tell whether somebody writes just now, of this process or another."""
        try:
            handle = os.open(self.folder / _LOCK, os.O_RDONLY)
        except OSError:
            return False  # nobody ever wrote
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def _lock(handle: int, *, tries: int) -> None:
    """Take the lock, by waiting where `tries` is 0; who only looks (`Layout.busy`) holds it for a moment."""
    for left in reversed(range(max(1, tries))):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if tries else 0))
        except BlockingIOError as error:
            if not left:
                raise Unavailable("Somebody else writes the search index.", fix="Wait until that is done.") from error
            time.sleep(_PAUSE_S)
        else:
            return


def _folders(folder: Path) -> list[Path]:
    try:
        return [each for each in folder.iterdir() if each.is_dir()]
    except FileNotFoundError:
        return []
