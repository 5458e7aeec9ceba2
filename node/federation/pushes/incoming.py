"""Where a provider brings what we asked it to push: parts come into files that appear whole or not at all.

Owns the folder `incoming` of the data folder, one folder per transfer. What comes goes on where it ended, by the bytes
that are safe on the disk; another version of the part (its etag) begins again. One writer at a time per part, by a
lock on the file, so an old connection that still drips cannot write between a new one's bytes. Only the provider of a
started push of ours is heard, and it is cut off within a second of any word against it, whoever said it.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from node.errors import AlreadyRunning, Conflict, Malformed, NotFound, Refuted, TooLarge, Unavailable
from node.federation.moving import MAX_PARTS, PUSH, Moved, check_apart, checked_part
from node.federation.pushes.store import LIVES_MS, Arrived, IncomingStore
from node.federation.transfer import Transfer

SAFE_EVERY = 32 << 20
LOOK_S = 0.25  # how often a running upload is asked whether it may go on
MAX_NAME = 200
KEPT_MS = 7 * 86_400_000  # how long bytes of a push that is over wait for somebody to take them
SPARE_BYTES = 256 << 20  # left free on the disk whatever comes, since the node's own books may lie on it
SHARE = 4  # no peer has more than a quarter of the free room reserved by what it announces
ROOM_EVERY = 4 << 20  # how often a running upload looks whether there is room still: others come at the same time
_PIECE = 1 << 20
_ROOM_S = 60
_TOLD_S = LIVES_MS / 5_000


@dataclass(frozen=True, slots=True)
class Upload:
    """What the head of a request says of the bytes that follow.

    `offset` is where they begin, `length` the size of the whole part, -1 where nobody knows it; `is_last` that they end
    it. `digest` is `sha256:` and hex, or empty.
    """

    offset: int
    length: int
    is_last: bool
    etag: str
    media_type: str
    digest: str
    filtered: bool


class Incoming:
    """Takes parts in. Blocking; safe to share by threads, and processes may share the folder."""

    def __init__(
        self,
        store: IncomingStore,
        folder: Path,
        *,
        transfer: Callable[[str], Transfer],
        max_bytes: int,
        stall_s: float,
        clock_ms: Callable[[], int],
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """Take the books and the folder.

        Args:
            store: The books.
            folder: Where files come to lie; made when it is needed.
            transfer: Gives a transfer by our id, NotFound where there is none.
            max_bytes: Of one part.
            stall_s: How long who brings something may send nothing.
            clock_ms: Gives the time.
            free: Gives how many bytes are free on the disk of a folder.
        """
        self._store, self._folder, self._transfer = store, folder, transfer
        self._max_bytes, self._clock_ms, self._free = max_bytes, clock_ms, free
        self.stall_s = stall_s

    # ---------------------------------------------------------------- at the door

    def standing(self, peer_url: str, pid: str, part: str) -> Arrived:
        """Tell the provider how far a part has come. Raises NotFound, Conflict."""
        self._admitted(peer_url, pid, part)
        return self._store.get(pid, part) or _nothing(pid, part)

    def begin(self, peer_url: str, pid: str, part: str, upload: Upload) -> "Arrival":
        """Let the provider bring bytes of a part; whoever gets an arrival closes it.

        Raises:
            NotFound: No push of ours from this peer, or not of this part.
            Conflict: It is not started, or the bytes do not follow what is here; ask how far it has come.
            TooLarge: More than is taken.
            Unavailable: There is no room for it now.
            AlreadyRunning: Somebody else is bringing the same part.
        """
        self._admitted(peer_url, pid, part)
        self._check_bounds(pid, part, upload)
        before = self._store.get(pid, part) or _nothing(pid, part)
        _check_offset(before, upload)
        path, to = self._path(pid, part, "coming"), self._path(pid, part, "whole")
        file = _locked(path, to)
        try:
            # Whoever had the lock until now may have written on.
            before = self._store.get(pid, part) or _nothing(pid, part)
            _check_offset(before, upload)
            now = self._begun(before, upload, file)
        except BaseException:
            file.close()
            raise
        places = _Places(file, path, to)
        bounds = _Bounds(
            self._max_bytes, lambda: self._admitted(peer_url, pid, part), lambda *came: self._check_room(now, *came)
        )
        return Arrival(self._store, places, now, upload, bounds, self._clock_ms)

    def _begun(self, before: Arrived, upload: Upload, file: BinaryIO) -> Arrived:
        here = os.fstat(file.fileno()).st_size
        if here < upload.offset:
            # A crash took what the books have: to go on behind a hole would make a file with zeros in it.
            self._store.put(replace(before, got=0, whole=False), at_ms=self._clock_ms())
            raise Conflict("What had come was lost here.", fix="Begin again at 0.")
        now = Arrived(
            before.transfer,
            before.part,
            size=upload.length,
            got=upload.offset,
            media_type=upload.media_type,
            etag=upload.etag,
            digest="",
            filtered=upload.filtered,
            whole=False,
        )

        def room(running: Mapping[str, int]) -> None:
            self._check_name(before.transfer, before.part)  # two that begin at once have only seen neither before
            own, others = self._reserved(before.transfer, running)
            # What lies here of it is written over.
            self._check_free(max(upload.length - here, 0) + own + others)

        self._store.begin(now, at_ms=self._clock_ms(), room=room)
        file.truncate(upload.offset)
        file.seek(upload.offset)
        return now

    def _admitted(self, peer_url: str, pid: str, part: str) -> None:
        found = self._transfer(pid)
        asked = found.peer == peer_url and found.role == "consumer" and found.format == PUSH
        if not asked or (found.part and found.part != part):
            raise NotFound("Nothing of that name is expected from you here.")
        checked_part(part)
        if not found.streams:
            raise Conflict(
                f"This transfer is not started: it is {found.state or 'not heard of yet'}.",
                fix="Start it, then ask how far the part has come.",
            )

    def _check_bounds(self, pid: str, part: str, upload: Upload) -> None:
        if upload.length > self._max_bytes:
            raise too_large(self._max_bytes)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._check_name(pid, part)
        if self._store.get(pid, part) is None and self._store.count(pid) >= MAX_PARTS:
            raise TooLarge(f"A transfer has at most {MAX_PARTS:,} parts.")

    def _check_name(self, pid: str, part: str) -> None:
        try:
            check_apart([*(each.part for each in self._store.of(pid) if each.part != part), part])
        except Malformed as error:
            raise Conflict(error.message, fix="Name the parts otherwise.") from error

    def _check_room(self, one: Arrived, many: int, came: int) -> None:
        """Raise unless there is room for so many more bytes of an upload that runs, of which so many came by now.

        What was announced has its room already, as far as its peer's share goes; what nobody knows the size of takes
        none of what others announced.
        """
        running = self._store.reserved(one, at_ms=self._clock_ms())
        own, others = self._reserved(one.transfer, running, came)
        if one.size < 0:
            many += own + others
        elif one.size - one.got + own > self._share(came):
            many += others
        self._check_free(many)

    def _reserved(self, pid: str, running: Mapping[str, int], came: int = 0) -> tuple[int, int]:
        """Give how much room other uploads have that run: of the same peer all, of each other peer at most its share.

        Else a peer that announces much and sends little would keep the others out.
        """
        by_peer = Counter[str]()
        for each, many in running.items():
            by_peer[self._peer_of(each)] += many
        own, share = by_peer.pop(self._peer_of(pid), 0), self._share(came)
        return own, sum(min(many, share) for many in by_peer.values())

    def _share(self, came: int) -> int:
        # What an upload has brought itself was free when the others were promised theirs.
        return max(self._free(self._folder) - SPARE_BYTES + came, 0) // SHARE

    def _peer_of(self, pid: str) -> str:
        try:
            return self._transfer(pid).peer
        except NotFound:
            return ""

    def _check_free(self, many: int) -> None:
        if self._free(self._folder) - SPARE_BYTES < many:
            raise no_room()

    # ---------------------------------------------------------------- what is here

    def moved(self, pid: str) -> Sequence[Moved]:
        """Give what our books say of the parts that are here whole, by name."""
        return [one.moved for one in self._store.of(pid) if one.whole]

    def arrived(self, pid: str) -> Sequence[Arrived]:
        """Give how far every part has come, by name."""
        return self._store.of(pid)

    def file(self, pid: str, part: str) -> Path:
        """Give where a whole part lies. Raises NotFound."""
        one = self._store.get(pid, checked_part(part))
        path = self._path(pid, part, "whole")
        if one is None or not one.whole or not path.is_file():
            raise NotFound(f"{part[:60]} is not here whole.", fix="Wait until it has been brought.")
        return path

    def forget(self, pid: str) -> None:
        """Remove the files and the books of a transfer."""
        shutil.rmtree(self._folder / _named(pid), ignore_errors=True)
        self._store.forget(pid)

    def sweep(self, is_wanted: Callable[[str], bool]) -> int:
        """Remove what nobody has taken of pushes that ended some time ago; give of how many there was something.

        Most ends remove at once what is no use any more. What stays is of a process that was killed at that moment, or
        was signed for by both cities and never found its place.

        Args:
            is_wanted: Tells by our id whether somebody will still take what was brought.
        """
        before_ms, known, swept = self._clock_ms() - KEPT_MS, set(), 0
        for pid, changed_ms in self._store.all():
            known.add(_named(pid))
            if changed_ms < before_ms and not is_wanted(pid) and self._is_over(pid):
                self.forget(pid)
                swept += 1
        # A folder without books: killed between the two, or nothing of it ever had room.
        for folder in self._folder.glob("*/"):
            if folder.name not in known and _newest_ms(folder) < before_ms:
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
        return swept

    def _is_over(self, pid: str) -> bool:
        try:
            return self._transfer(pid).is_final
        except NotFound:
            return True

    def _path(self, pid: str, part: str, room: str) -> Path:
        return self._folder / _named(pid) / room / checked_part(part)


@dataclass(frozen=True, slots=True)
class _Places:
    """The file that is written, where it lies meanwhile, and where it goes when it is whole."""

    file: BinaryIO
    path: Path
    to: Path


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What holds while bytes come: the most bytes, and what raises once they may come no more, or have no room."""

    max_bytes: int
    admitted: Callable[[], None]
    room: Callable[[int, int], None]


class Arrival:
    """One upload that runs. Not for two threads at once, but any thread after the other."""

    def __init__(
        self,
        store: IncomingStore,
        places: _Places,
        begun: Arrived,
        upload: Upload,
        bounds: _Bounds,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store, self._file, self._places, self._now = store, places.file, places, begun
        self._upload, self._bounds, self._clock_ms = upload, bounds, clock_ms
        self._began = self._at = self._roomy = begun.got
        # Only what came in one go is hashed on its way; the rest is read again at its end.
        self._hash = hashlib.sha256() if not begun.got else None
        self._looked = self._told = time.monotonic()

    def write(self, piece: bytes) -> None:
        """Take the next bytes in. Raises TooLarge, Unavailable where there is no room, and what `check` raises."""
        at = self._at + len(piece)
        if at > self._bounds.max_bytes or 0 <= self._now.size < at:
            raise too_large(self._bounds.max_bytes if self._now.size < 0 else self._now.size)
        if at > self._roomy:
            self._bounds.room(len(piece), self._at - self._began)
            self._roomy = at + ROOM_EVERY
        with _on_disk():
            self._file.write(piece)
        self._at = at
        if self._hash is not None:
            self._hash.update(piece)
        if self._at - self._now.got >= SAFE_EVERY:
            self._keep()
        if time.monotonic() - self._looked >= LOOK_S:
            self.check()

    def check(self) -> None:
        """Ask whether it may go on, and let the books know that it does. Raises NotFound, Conflict."""
        self._looked = time.monotonic()
        self._bounds.admitted()
        if self._now.size > self._now.got and self._looked - self._told >= _TOLD_S:
            self._told = self._looked
            self._store.lives(self._now, at_ms=self._clock_ms())

    def end(self) -> Arrived:
        """Close what came whole: the file appears if it ends the part.

        Raises:
            Refuted: It is not what was announced: nothing of it is kept.
            Conflict: It may come no more.
        """
        self.check()
        self._keep()
        if not self._upload.is_last:
            return self._now
        digest = self._digest()
        if 0 <= self._now.size != self._at or (self._upload.digest and self._upload.digest != digest):
            self._drop()
            raise Refuted("What came is not what was announced, in length or in digest.", fix="Bring it again.")
        self._places.path.replace(self._places.to)
        self._now = replace(self._now, size=self._at, digest=digest, whole=True)
        self._store.put(self._now, at_ms=self._clock_ms())
        return self._now

    def close(self) -> None:
        """Keep what has come, and let others write; repeatable."""
        if self._file.closed:
            return
        try:
            if not self._now.whole and self._at != self._now.got:
                self._keep()
        finally:
            self._file.close()

    def _keep(self) -> None:
        """Make what has come safe, then count it."""
        with _on_disk():
            self._file.flush()
            os.fsync(self._file.fileno())
        self._now = replace(self._now, got=self._at)
        self._store.put(self._now, at_ms=self._clock_ms())

    def _drop(self) -> None:
        self._file.truncate(0)
        self._at = 0
        self._now = replace(self._now, got=0, etag="", digest="")
        self._store.put(self._now, at_ms=self._clock_ms())

    def _digest(self) -> str:
        if self._hash is not None:
            return f"sha256:{self._hash.hexdigest()}"
        whole = hashlib.sha256()
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            whole.update(piece)
        return f"sha256:{whole.hexdigest()}"


def too_large(most: int) -> TooLarge:
    """Say that a part is longer than is taken."""
    return TooLarge(f"Of this part at most {most:,} bytes are taken.", fix="Announce its length, and send no more.")


def no_room() -> Unavailable:
    """Say that the disk takes no more now: what others announced may be put away by then, so that ends nothing."""
    return Unavailable(
        "There is no room for that here now.", retry_after_s=_ROOM_S, fix="Wait, and ask the city to make room."
    )


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise no_room() from error


def _check_offset(before: Arrived, upload: Upload) -> None:
    if before.whole and before.etag == upload.etag and not upload.filtered:
        raise Conflict("This part is here whole.", fix="Ask how far it has come before you bring it.")
    # From its beginning a part may come at any time; what had come of it then counts no more.
    if upload.offset and (upload.offset != before.got or before.etag != upload.etag):
        raise Conflict(
            f"{before.got} bytes of this version are here, and yours begin at {upload.offset}.",
            fix="Go on where Upload-Offset says, or begin another version at 0.",
        )


def _locked(path: Path, to: Path) -> BinaryIO:
    """Open a file for one writer, of all processes. Raises AlreadyRunning, Conflict."""
    if to.is_dir():
        raise _both()
    file = _opened(path, to)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise AlreadyRunning("This part is being brought by somebody else.", fix="Try again in a moment.") from error
    if not _is_same(file, path):  # whoever had the lock has put it in its place meanwhile
        file.close()
        raise AlreadyRunning("This part has just been brought.", fix="Ask how far it has come.")
    return file


def _opened(path: Path, to: Path) -> BinaryIO:
    try:
        for each in (path, to):
            each.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _both() from error
    return os.fdopen(number, "r+b")


def _both() -> Conflict:
    return Conflict("A part cannot be both a file and a folder.", fix="Name the parts otherwise.")


def _is_same(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _nothing(pid: str, part: str) -> Arrived:
    return Arrived(pid, part, -1, 0, "", "", "", filtered=False, whole=False)


def _newest_ms(folder: Path) -> float:
    """Give when something in a folder changed last, by the disk's own clock."""
    try:
        return max(each.lstat().st_mtime for each in (folder, *folder.rglob("*"))) * 1_000
    except OSError:  # somebody removes it just now
        return float("inf")


def _named(pid: str) -> str:
    """Name a transfer's folder: our ids are `urn:uuid:…`, and nothing else is ever one."""
    name = pid.rpartition(":")[2]
    if not 0 < len(name) <= MAX_NAME or not name.replace("-", "").isalnum() or not name.isascii():
        raise Malformed("This names no transfer of ours.")
    return name
