"""Files and folders of this machine as origins: named on the command line alone, never by the web.

No symbolic link is followed below what was registered, so nobody who may write into a folder can hand out what lies
beside it; nothing but plain files is opened, and never the node's own data folder. A file that is written while it is
read is noticed before its last bytes are given, by what the system says of it. Reads blockingly, a piece at a time.
"""

import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from node.errors import Malformed, NotFound, OriginChanged, SourceUnreachable
from node.federation.data.places import (
    MAX_LEFT_OUT,
    Held,
    Registered,
    etag_of,
    media_type_of,
    no_part,
    takeable,
    time_of,
    too_many,
)
from node.federation.moving import MAX_PARTS, Part

MAX_DEPTH = 16
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER = _FLAGS | os.O_DIRECTORY


class FilePlace:
    """Opens files and walks folders. Holds nothing; safe to share by threads."""

    def __init__(self, *, forbidden: Path) -> None:
        """Keep out of this folder, the node's own, whatever is registered."""
        self._forbidden = forbidden.resolve()

    def location(self, text: str) -> tuple[str, str]:
        """Give kind and resolved path of what somebody names.

        Raises:
            NotFound: There is nothing.
            Malformed: It is neither a plain file nor a folder, or it is the node's own.
        """
        try:
            path = Path(text).expanduser().resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise NotFound(
                f"There is no file or folder {text[:200]}.",
                fix="Give its path on this machine.",
            ).on_page("no.origin.file", field="location") from error
        if path.is_relative_to(self._forbidden) or self._forbidden.is_relative_to(path):
            raise Malformed(
                f"{path} holds this node's own keys and database.", fix="Put the data somewhere else."
            ).on_page("no.origin.own", field="location")
        if not (path.is_dir() or path.is_file()):
            raise Malformed(
                f"{path} is neither a plain file nor a folder.", fix="Name a file, or a folder of files."
            ).on_page("no.origin.file", field="location")
        return ("folder" if path.is_dir() else "file"), str(path)

    def parts(self, origin: Registered) -> Sequence[Part]:
        """Give the plain files that lie there; names that no part can have are left out.

        Raises:
            SourceUnreachable: It is not there, or may not be read.
            TooLarge: More files than a dataset has parts.
            Conflict: Two names differ by capitals alone, or one is that of a folder in which another lies.
        """
        if not origin.is_folder:
            with _opened(origin, "") as held:
                return [held.part]
        found: list[Part] = []
        for each in _all(origin, []):
            found.append(each)
            if len(found) > MAX_PARTS:
                raise too_many(origin.location)
        return takeable(found, origin.location)

    def left_out(self, origin: Registered) -> Sequence[str]:
        """Name the files and folders there that can be no part by their names; what is hidden stays so."""
        left: list[str] = []
        for _ in _all(origin, left) if origin.is_folder else ():
            if len(left) >= MAX_LEFT_OUT:
                break
        return left[:MAX_LEFT_OUT]

    def open(self, origin: Registered, part: str, *, start: int, stop: threading.Event | None = None) -> "OpenFile":  # noqa: ARG002
        """Open a part from a byte on. Raises NotFound, SourceUnreachable."""
        held = _opened(origin, _below(origin, part))
        held.seek(start)
        return held

    def path_of(self, origin: Registered, part: str) -> Path:
        """Give the path of a part, for a server in front that sends it itself; links are refused as by `open`."""
        below = _below(origin, part)
        _opened(origin, below).close()
        return Path(origin.location) / below


class OpenFile(Held):
    """An open file; it gives bytes as long as it is the one that was opened."""

    def __init__(self, origin: Registered, below: str, handle: int) -> None:
        super().__init__()
        self._handle = handle
        self._facts = os.fstat(handle)
        self._at = 0
        self._where = f"{origin.location}/{below}" if below else origin.location
        self.part = _part(origin, origin.name_of(below) if below else origin.name, self._facts)

    def seek(self, start: int) -> None:
        """Go on from this byte."""
        self._at = start

    def _read(self, most: int) -> bytes:
        left = self._facts.st_size - self._at
        if left <= 0:
            return b""
        try:
            piece = os.pread(self._handle, min(most, left), self._at)
            # Looked at after each piece and before it is given: nobody gets the last bytes of a mixture.
            now = os.fstat(self._handle)
        except OSError as error:
            raise SourceUnreachable(
                f"{self._where} cannot be read: {error.strerror}.", fix="Look at the disk."
            ).on_page("no.origin.unread", field="location") from error
        if _mark(now) != _mark(self._facts) or not piece:
            raise OriginChanged(
                f"{self._where} was changed while it was read.",
                fix="Ask again.",
            ).on_page("no.origin.moved", name=self._where)
        self._at += len(piece)
        return piece

    def _free(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def _below(origin: Registered, part: str) -> str:
    """Say which file in a folder a part is, nothing for a file that is an origin itself. Raises NotFound."""
    if not origin.is_folder:
        return ""
    below = origin.below(part)
    if not _is_part(origin, below):
        raise no_part(part)
    return below


def _opened(origin: Registered, below: str) -> OpenFile:
    with _told(origin):
        try:
            handle = _handle(origin.location, below)
        except (FileNotFoundError, NotADirectoryError) as error:
            if below:
                raise no_part(origin.name_of(below)) from error
            raise
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise no_part(origin.name_of(below)) if below else _no_file(origin)
        return OpenFile(origin, below, handle)


def _no_file(origin: Registered) -> SourceUnreachable:
    """Say of an origin that a pipe or a folder took its place: like a file that is gone, its city can put it back."""
    return SourceUnreachable(
        f"{origin.location} is no plain file any more.", fix="Put the file there again, or remove the origin."
    ).on_page("no.origin.unread", field="location")


def _handle(location: str, below: str) -> int:
    """Open step by step from the folder that was registered, so that no link on the way leads out of it."""
    # Not blocking: a pipe that somebody put there must not hold a thread.
    if not below:
        return os.open(location, _FLAGS | os.O_NONBLOCK)
    *steps, last = below.split("/")
    at = os.open(location, _FOLDER)
    try:
        for step in steps:
            after = os.open(step, _FOLDER, dir_fd=at)
            os.close(at)
            at = after
        return os.open(last, _FLAGS | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)


def _all(origin: Registered, left: list[str]) -> Iterator[Part]:
    """Walk a folder; `left` takes what can be no part."""
    with _told(origin):
        top = os.open(origin.location, _FOLDER)
        try:
            yield from _walked(origin, top, "", left)
        finally:
            os.close(top)


def _walked(origin: Registered, folder: int, before: str, left: list[str]) -> Iterator[Part]:
    with os.scandir(folder) as found:
        names = sorted((each.name, each.is_dir(follow_symlinks=False)) for each in found)
    for name, is_folder in names:
        below = f"{before}{name}"
        if name.startswith("."):
            continue
        if not _is_part(origin, below) or (is_folder and below.count("/") >= MAX_DEPTH):
            left.append(below + "/" * is_folder)
        elif is_folder:
            yield from _deeper(origin, folder, name, below, left)
        else:
            with suppress(FileNotFoundError):
                facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISREG(facts.st_mode):
                    yield _part(origin, origin.name_of(below), facts)


def _deeper(origin: Registered, folder: int, name: str, below: str, left: list[str]) -> Iterator[Part]:
    inner = os.open(name, _FOLDER, dir_fd=folder)
    try:
        yield from _walked(origin, inner, below + "/", left)
    finally:
        os.close(inner)


def _is_part(origin: Registered, below: str) -> bool:
    return not any(step.startswith(".") for step in below.split("/")) and origin.takes(below)


def _part(origin: Registered, name: str, facts: os.stat_result) -> Part:
    return Part(
        dataset=origin.dataset,
        name=name,
        media_type=origin.media_type or media_type_of(name if origin.is_folder else origin.location),
        size=facts.st_size,
        digest="",
        etag=etag_of(_mark(facts)),
        modified_ms=time_of(facts.st_mtime_ns // 1_000_000),
    )


def _mark(facts: os.stat_result) -> tuple[int, ...]:
    # The time of the last change to the file's own entry too: anybody may set the other one back.
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


@contextmanager
def _told(origin: Registered) -> Iterator[None]:
    """Say in our words what the system says of a file."""
    try:
        yield
    except OSError as error:
        raise SourceUnreachable(
            f"{origin.location} cannot be read: {error.strerror}.", fix="Look whether it is there, and who may read it."
        ).on_page("no.origin.unread", field="location") from error
