"""Where parts go: into unfinished files that no part can be named like; once proven and signed for, to their names.

The unfinished files of a pull lie in a folder of its own beside what they become, `.citynode-` and the transfer's id:
no part and no other pull has that name, and each file has one writer at a time, by a lock. They stay after any
interruption and are gone on with. Names of parts come from strangers: none leads out of the folder it goes to. Of a
place that is no folder of this machine (`s3://…`) the parts come to a folder of the node, and go on from there whole.
"""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from node.errors import AlreadyRunning, Conflict, NodeError, Refused, Stopped, Unavailable
from node.federation.moving import UNFINISHED, checked_part

ROOM_EVERY = 4 << 20  # how often a growing file looks whether there is room still: others come at the same time
_READ = 1 << 20
_REMOTE = ("s3://",)
# No room, or a disk that does not answer well now: no reason to give up what has come.
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE})
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


def is_remote(target: str) -> bool:
    """Tell whether a place is none of this machine's."""
    return target.startswith(_REMOTE)


def checked_target(target: str) -> str:
    """Give a place back, a path made absolute; a slash at its end says that it is a folder. Raises Refused."""
    if is_remote(target):
        rest = target.removeprefix("s3://")
        if not rest.partition("/")[0] or not rest.partition("/")[2].strip("/") or not rest.isprintable():
            raise Refused(f"{target[:200]!r} names no bucket and key.", fix="Write s3://BUCKET/KEY.")
        return target
    path = Path(target or ".").absolute()
    return f"{path}/" if not target or target.endswith("/") or path.is_dir() else str(path)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of one pull go, given its target, the node's folder for it, its transfer, and their names."""

    target: str
    own: Path
    transfer: str
    names: Sequence[str]

    @property
    def folder(self) -> Path:
        """Give the folder of what is not finished."""
        if is_remote(self.target):
            return self.own
        beside = Path(self.target) if self.target.endswith("/") else Path(self.target).parent
        return beside / f"{UNFINISHED}{self.transfer.rpartition(':')[2]}"

    def unfinished(self, name: str) -> Path:
        """Give the file of a part that has no name yet. Flat: a part's name never holds a `%`."""
        return self.folder / checked_part(name).replace("/", "%")

    def final(self, name: str) -> Path:
        """Give the file that a part becomes; of what goes elsewhere the one that it is sent from.

        Raises:
            Conflict: There are several parts, and the target is one file.
        """
        if is_remote(self.target):
            return self.unfinished(name)
        if self.target.endswith("/"):
            return Path(self.target, *PurePosixPath(checked_part(name)).parts)
        if len(self.names) > 1:
            raise Conflict(
                f"There are {len(self.names)} parts, and {self.target} is one file.",
                fix="Name a folder with --to FOLDER/, or one of them with --part NAME.",
            )
        return Path(self.target)

    def remote(self, name: str) -> str:
        """Give the address that a part has in the end; empty for a file of this machine."""
        if not is_remote(self.target):
            return ""
        return f"{self.target}{checked_part(name)}" if self.target.endswith("/") else self._single(name)

    def _single(self, name: str) -> str:
        return self.target if len(self.names) == 1 else f"{self.target}/{checked_part(name)}"


class Lost(Exception):  # noqa: N818  (no fault: whoever brings the parts brings it again)
    """A file is not what was written to it: somebody removed, replaced or changed it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} was removed or changed by somebody else: it is brought again.")


class Growing:
    """A part's file while it grows. Use it with `with`; what was written stays whatever happens.

    It has `got` bytes, always: what a write left behind that failed half way is no part of it.
    """

    def __init__(
        self, path: Path, *, keep: int, stop: Callable[[], bool], room: Callable[[int], None] = lambda _: None
    ) -> None:
        """Open the file with at most its first `keep` bytes; reads them, and stops when asked to.

        `room` raises Unavailable where the disk takes so many bytes no more.

        Raises:
            AlreadyRunning: Somebody else writes to it.
            Refused: It cannot be written.
            Unavailable: Not now.
        """
        self.path, self._stop, self._room = path, stop, room
        self._roomy = 0
        self._handle = _locked(path)
        try:
            self._hash = hashlib.sha256()
            self.got = self._reread(keep)
        except BaseException:
            os.close(self._handle)
            raise

    def __enter__(self) -> "Growing":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    @property
    def digest(self) -> str:
        """Give the digest of what was written, as receipts write it; `prove` tells whether that lies on the disk."""
        return f"sha256:{self._hash.hexdigest()}"

    def check_room(self) -> None:
        """See that more can be written. Raises Unavailable."""
        self._room(1)

    def write(self, piece: bytes) -> None:
        """Add bytes at the end, all or none. Raises Unavailable where there is no room."""
        if self.got + len(piece) > self._roomy:
            self._room(len(piece))
            self._roomy = self.got + ROOM_EVERY
        written = 0
        with self._on_disk():
            while written < len(piece):  # always from `got` on, so that half a piece is written over by the next try
                written += os.pwrite(self._handle, memoryview(piece)[written:], self.got + written)
        self._hash.update(piece)
        self.got += len(piece)

    def begin_again(self) -> None:
        """Forget what is here. Raises Unavailable."""
        self._hash, self.got, self._roomy = hashlib.sha256(), 0, 0
        with self._on_disk():
            os.ftruncate(self._handle, 0)

    def save(self) -> None:
        """Make what was written safe on the disk.

        Raises:
            Lost: The file is not ours any more.
            Unavailable: The disk does not take it.
        """
        with self._on_disk():
            os.fsync(self._handle)
        if os.fstat(self._handle).st_size != self.got or not _is_same(self._handle, self.path):
            raise Lost(self.path)

    def prove(self) -> str:
        """Read the file itself, by its name, and compare it with what was written; give its mark.

        Raises:
            Lost: It is another one.
            Stopped: It was asked to stop.
        """
        self.save()
        sync_folder(self.path.parent)
        sync_folder(self.path.parent.parent)
        mark = mark_of(self.path)
        if not is_there(self.path, self.got, self.digest, self._stop) or mark_of(self.path) != mark:
            raise Lost(self.path)
        return mark

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            with suppress(OSError):  # the next write goes to the same place all the same
                os.ftruncate(self._handle, self.got)
            raise Unavailable(
                f"{self.path} cannot be written: {error.strerror}.", fix="Make room, then resume: what came stays."
            ) from error

    def _reread(self, keep: int) -> int:
        got = 0
        while got < keep and (piece := os.pread(self._handle, min(_READ, keep - got), got)):
            if self._stop():
                raise Stopped("The pull was stopped.")
            self._hash.update(piece)
            got += len(piece)
        os.ftruncate(self._handle, got)
        return got


def _locked(path: Path) -> int:
    """Open a file for one writer, of all processes. Raises AlreadyRunning, Refused, Unavailable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise _busy(path) from error
    except OSError as error:
        os.close(handle)
        raise Refused(f"{path} cannot be locked: {error.strerror}.", fix="Name another place.") from error
    if not _is_same(handle, path):  # whoever had the lock has put it in its place meanwhile
        os.close(handle)
        raise _busy(path)
    return handle


def unwritable(path: Path, error: OSError) -> NodeError:
    """Say that a file cannot be written, and whether it can be later without naming another place."""
    said = f"{path} cannot be written: {error.strerror}."
    if error.errno in _PASSING:
        return Unavailable(said, fix="Make room, then resume: what came stays.")
    return Refused(said, fix="Name another place with --to.")


def _busy(path: Path) -> AlreadyRunning:
    return AlreadyRunning(f"Another process writes to {path}.", fix="Wait until it has ended.")


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False


def mark_of(path: Path) -> str:
    """Give what is another one as soon as a file may be another one; empty if there is none. Links are not followed."""
    try:
        facts = path.lstat()
    except OSError:
        return ""
    # The time of the last change to the file's own entry too: anybody may set the other one back.
    return f"{facts.st_dev}.{facts.st_ino}.{facts.st_size}.{facts.st_mtime_ns}.{facts.st_ctime_ns}"


def is_there(path: Path, size: int, digest: str, stop: Callable[[], bool]) -> bool:
    """Tell whether these very bytes lie there, having read them; never through a link. Raises Stopped."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | _FLAGS), "rb") as file:  # noqa: PTH123  (a handle)
            return os.fstat(file.fileno()).st_size == size and _digest(file, stop) == digest
    except OSError:  # what cannot be read is not there
        return False


def _digest(file: BinaryIO, stop: Callable[[], bool]) -> str:
    found = hashlib.sha256()
    while piece := file.read(_READ):
        if stop():
            raise Stopped("The pull was stopped.")
        found.update(piece)
    return f"sha256:{found.hexdigest()}"


def sync_folder(folder: Path) -> None:
    """Make the names in a folder safe on the disk, where the disk can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_folder(folder: Path) -> None:
    """Remove a folder of unfinished files of a pull that is over."""
    shutil.rmtree(folder, ignore_errors=True)
