"""One part of a transfer, brought here whole: gone on with after every cut, begun again when it has become another.

A cut is nothing to worry about: the next try asks for the rest of the same version, and waits longer each time nothing
came. What came is proven before anybody sees it: its length, and the digest that the other city announced. A part of
which rows are left out has neither; each try begins it anew, so that the withdrawals of that moment count.
"""

import re
import threading
import time
from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from node.errors import Malformed, NodeError, Refuted, Stopped, TooManyRequests, Unavailable
from node.federation.moving import Moved
from node.federation.peers.backoff import Backoff, asked_ms
from node.federation.pulls.door import DataDoor, Item, Way
from node.federation.pulls.files import Growing
from node.federation.pulls.store import Progress
from node.outbound import Span, Stream

_BACKOFF = Backoff(first_ms=250, longest_ms=15_000, opens_after=100)
MAX_TRIES = 12  # in a row without a single byte
MAX_BEGINNINGS = 3  # of one part that proved wrong
_SAVE_S = 2.0
_READ = 256 * 1024
_REPR = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")


class Watcher(Protocol):
    """Who looks on while a part is brought."""

    def came(self, got: int) -> None:
        """Hear how many bytes of it are here; called often."""

    def kept(self, progress: Progress) -> None:
        """Hear how many are safe on the disk. Raises Stopped to end it."""

    def said(self, sentence: str) -> None:
        """Hear what a person should know."""


class Changed(Exception):  # noqa: N818  (no fault: whoever brings the parts asks for the manifest anew)
    """A part has become another one while it was brought here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has changed at its origin: it is begun again.")


class Patience:
    """How long it is waited while nothing comes: until a moment, and as long again after each byte that came."""

    def __init__(self, wait_s: float = 0) -> None:
        """Be patient for so many seconds from now on."""
        self.wait_s, self._until = wait_s, time.monotonic() + wait_s

    @property
    def left_s(self) -> float:
        """Give how many seconds are left; 0 when it is at its end."""
        return max(0.0, self._until - time.monotonic())

    def came(self) -> None:
        """Begin again: something came."""
        self._until = max(self._until, time.monotonic() + self.wait_s)


ENDLESS = Patience(float("inf"))


@dataclass(frozen=True, slots=True)
class Downloader:
    """Downloads parts; `chance` gives a number from 0 up to 1 for waits."""

    door: DataDoor
    chance: Callable[[], float]

    def bring(
        self,
        way: Way,
        item: Item,
        file: Growing,
        watcher: Watcher,
        stop: threading.Event,
        patience: Patience = ENDLESS,
    ) -> Moved:
        """Bring a part into its file, whole and as it was announced; `patience` ends waits, whatever is asked for.

        Raises:
            Changed: It is another one than the manifest said; what came was forgotten.
            Lost: Somebody else has removed or changed the file.
            Refuted: It is not what was announced, also when it was begun again.
            Unavailable: Nothing came for too long. What came stays.
            Refused: The other city does not hand it out any more.
            Stopped: `stop` was set.
        """
        failures = beginnings = 0
        media_type, said = item.media_type, ""
        while True:
            before = file.got
            try:
                media_type = self._try(way, item, file, watcher, stop) or media_type
                return Moved(item.name, media_type, file.got, file.digest, item.filtered)
            except (Stopped, Changed):
                raise
            except Refuted as error:
                beginnings += 1
                file.begin_again()
                if beginnings >= MAX_BEGINNINGS:
                    raise
                watcher.said(f"{error.message} It is begun again.")
            except Unavailable as error:
                is_busy = isinstance(error, TooManyRequests)  # it is our turn later, and nothing has failed
                if file.got > before:
                    patience.came()
                    failures, said = 0, ""
                elif patience.left_s == 0:
                    raise
                failures += not is_busy
                if failures >= MAX_TRIES:
                    raise
                if not is_busy and said != error.message:
                    said = error.message
                    watcher.said(f"{said} It is tried again.")
                self._wait(max(failures, 1), error, stop, patience)

    def _wait(self, failures: int, error: NodeError, stop: threading.Event, patience: Patience) -> None:
        wait_s = _BACKOFF.wait_ms(failures, self.chance(), asked_ms=asked_ms(error)) / 1000
        if stop.wait(min(wait_s, patience.left_s)):
            raise Stopped("The pull was stopped.")

    def _try(self, way: Way, item: Item, file: Growing, watcher: Watcher, stop: threading.Event) -> str:
        """Ask once for what is missing and take what comes; give the media type that the answer says."""
        if item.filtered and file.got:
            file.begin_again()
        if file.got and file.got == item.size:
            _prove(item, file, item.digest)
            return ""
        file.check_room()
        with self.door.open(way, item, Span(file.got, None, item.etag), stop=stop) as stream:
            self._place(item, file, watcher, stream)
            self._take(item, file, watcher, stream)
            _prove(item, file, item.digest or _digest_of(stream), total=stream.total)
            return stream.media_type if stream.start == 0 and not item.media_type else ""

    @staticmethod
    def _place(item: Item, file: Growing, watcher: Watcher, stream: Stream) -> None:
        """See that what comes goes on with what is here; else begin again."""
        if stream.status == 416:
            file.begin_again()
            raise Refuted(f"{item.name} is shorter than what came of it.")
        if item.etag and stream.etag and stream.etag != item.etag:
            file.begin_again()
            raise Changed(item.name)
        if stream.start != file.got:
            file.begin_again()
            watcher.said(f"{item.name} comes from its beginning.")

    @staticmethod
    def _take(item: Item, file: Growing, watcher: Watcher, stream: Stream) -> None:
        due = time.monotonic() + _SAVE_S
        try:
            while piece := stream.read(_READ):
                file.write(piece)
                if 0 <= item.size < file.got:
                    raise Refuted(f"{item.name} is longer than the {item.size} bytes that were announced.")
                watcher.came(file.got)
                if time.monotonic() >= due:
                    file.save()
                    watcher.kept(_progress(item, file))
                    due = time.monotonic() + _SAVE_S
        finally:
            file.save()
            watcher.kept(_progress(item, file))


def _progress(item: Item, file: Growing) -> Progress:
    return Progress(got=file.got, etag=item.etag, size=item.size, media_type=item.media_type, filtered=item.filtered)


def _prove(item: Item, file: Growing, digest: str, *, total: int | None = None) -> None:
    """Compare what is here with what was announced. Raises Refuted."""
    sizes = {size for size in (item.size, total if total is not None else -1) if size >= 0}
    if not item.filtered and sizes and sizes != {file.got}:
        raise Refuted(f"{item.name} has {file.got} bytes and not the {min(sizes - {file.got})} that were announced.")
    if not item.filtered and digest and digest != file.digest:
        raise Refuted(f"{item.name} is not what was announced: its digest is {file.digest}, not {digest}.")


def _digest_of(stream: Stream) -> str:
    """Read Repr-Digest (RFC 9530), of the whole part also in an answer of a piece of it; empty if there is none."""
    found = _REPR.search(stream.headers.get("repr-digest", ""))
    if not found:
        return ""
    try:
        return f"sha256:{b64decode(found[1], validate=True).hex()}"
    except (Error, ValueError) as error:
        raise Malformed("The Repr-Digest of the answer cannot be read.") from error
