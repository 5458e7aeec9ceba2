"""Where parts go: a file beside its final name until all of it is here and proven, then the file itself.

`NAME.part` stays after any interruption and is gone on with; its bytes are read once more before, so that the digest is
of what really lies there. Names of parts come from strangers: none leads out of the folder it goes to. Of a place that
is no folder of this machine (`s3://…`) the parts come to a folder of the node first, and go on from there whole.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from node.errors import Conflict, Refused, Stopped, Unavailable
from node.federation.moving import checked_part

PART = ".part"
_READ = 1 << 20
_REMOTE = ("s3://",)


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
    """Where the parts of one pull go, given its target, the folder of the node for it, and how many there are."""

    target: str
    own: Path
    names: Sequence[str]

    def final(self, name: str) -> Path:
        """Give the file that a part becomes.

        Raises:
            Conflict: There are several parts, and the target is one file.
        """
        inside = Path(*PurePosixPath(checked_part(name)).parts)
        if is_remote(self.target):
            return self.own / inside
        if self.target.endswith("/"):
            return Path(self.target) / inside
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


class Growing:
    """A part's file while it grows. Use it with `with`; what was written stays whatever happens."""

    def __init__(self, final: Path, *, keep: int, stop: Callable[[], bool]) -> None:
        """Open the file beside `final`, with at most its first `keep` bytes; reads them, and stops when asked to."""
        self.final = final
        self.path = final.with_name(final.name + PART)
        if final.is_dir():
            raise Conflict(f"{final} is a folder.", fix="Name a file, or write a slash behind the folder.")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")
        except OSError as error:
            raise Refused(f"{self.path} cannot be written: {error.strerror}.", fix="Name another place.") from error
        try:
            self._hash = hashlib.sha256()
            self.got = self._reread(keep, stop)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Growing":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def digest(self) -> str:
        """Give the digest of what is here, as it is written in receipts."""
        return f"sha256:{self._hash.hexdigest()}"

    def write(self, piece: bytes) -> None:
        """Add bytes at the end. Raises Unavailable where there is no room."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise Unavailable(
                f"{self.path} cannot be written: {error.strerror}.", fix="Make room, then resume."
            ) from error
        self._hash.update(piece)
        self.got += len(piece)

    def begin_again(self) -> None:
        """Forget what is here."""
        self._file.seek(0)
        self._file.truncate(0)
        self._hash, self.got = hashlib.sha256(), 0

    def save(self) -> None:
        """Make what was written safe on the disk."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise Unavailable(
                f"{self.path} cannot be written: {error.strerror}.", fix="Make room, then resume."
            ) from error

    def finish(self) -> None:
        """Let it become the file it is to be, whole; what stood there is replaced."""
        self.save()
        try:
            self.path.replace(self.final)
        except OSError as error:
            raise Refused(f"{self.final} cannot be written: {error.strerror}.", fix="Name another place.") from error

    def _reread(self, keep: int, stop: Callable[[], bool]) -> int:
        left = keep
        while left > 0 and (piece := self._file.read(min(_READ, left))):
            if stop():
                raise Stopped("The pull was stopped.")
            self._hash.update(piece)
            left -= len(piece)
        self._file.truncate(keep - left)
        self._file.seek(keep - left)
        return keep - left


def appear(final: Path) -> None:
    """Give a part that is whole its name, unless it has it already; what stood there is replaced. Raises Refused."""
    beside = final.with_name(final.name + PART)
    try:
        if beside.is_file():
            beside.replace(final)
    except OSError as error:
        raise Refused(f"{final} cannot be written: {error.strerror}.", fix="Name another place.") from error


def is_there(final: Path, size: int, digest: str, stop: Callable[[], bool]) -> bool:
    """Tell whether these very bytes lie there, under their name or beside it. Raises Stopped."""
    for path in (final.with_name(final.name + PART), final):
        try:
            if path.is_file() and path.stat().st_size == size and _digest(path, stop) == digest:
                return True
        except OSError:  # what cannot be read is not there
            continue
    return False


def _digest(path: Path, stop: Callable[[], bool]) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ):
            if stop():
                raise Stopped("The pull was stopped.")
            found.update(piece)
    return f"sha256:{found.hexdigest()}"


def remove(final: Path) -> None:
    """Remove what there is of a part that will not be finished."""
    final.with_name(final.name + PART).unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove the node's own folder of a pull that is over."""
    shutil.rmtree(folder, ignore_errors=True)
