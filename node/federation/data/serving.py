"""What the door hands out: whether this peer may have this part of this transfer now, and its bytes if so.

Asked for each request and again five times a second while bytes flow (`live`). Every byte is read once, counted, and
hashed where all of a part goes out at once; the books are closed before the last chunk is given away, and a part that
turns out to be another than was announced ends before its end, so that nobody takes it for whole. Blocking; the web
reads a chunk ahead in a thread, and who pushes reads as it sends.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from node.errors import Conflict, NotFound, Withdrawn
from node.federation.answers import Decision, refusal
from node.federation.data.delivery import SLICE_BYTES, Delivery
from node.federation.data.limits import Lanes
from node.federation.data.live import Live, Running
from node.federation.data.opening import Opening
from node.federation.data.quotas import Measure
from node.federation.data.streams import Beginning, Streams
from node.federation.moving import Format, Going, Origins, Part, Personal, Source

_OVER = ("COMPLETED", "TERMINATED")
NO_ORIGIN, MARKED = "origin-removed", "residents-marked"


class Sieve(Protocol):
    """Leaves out what may not be handed out, row by row."""

    def shown(self, part: Part) -> Part:
        """Give a part as it is announced."""

    def through(self, source: Source) -> Source:
        """Give what is left of a part that is open at its first byte. Raises Unavailable, NotAgreed."""


class Sieves(Protocol):
    """Knows what of a dataset must be left out."""

    def of(self, transfer: Going) -> Sieve | None:
        """Give the sieve of a transfer, None where all may go. Raises NotAgreed, Unavailable."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What the door asks.

    Args:
        transfer: Gives a transfer by its pid here. Raises NotFound.
        decide: Decides whether the use that a transfer is may go on now.
        welcome: Tells of a city, by its base URL, whether anything is exchanged with it now.
        path: Tells where a part of a dataset lies in our own files, None where it lies elsewhere.
        sieves: What is left out.
    """

    transfer: Callable[[str], Going]
    decide: Callable[[Going, int], Decision]
    welcome: Callable[[str], bool]
    path: Callable[[str, str], Path | None]
    sieves: Sieves


@dataclass(frozen=True, slots=True)
class Held:
    """What one peer may have now: a transfer with the parts it is about, as they are announced, under which clause.

    `marked` is how the dataset was about residents when it was asked what has to be left out.
    """

    transfer: Going
    parts: Sequence[Part]
    decision: Decision
    sieve: Sieve | None = None
    marked: Personal | None = None

    def part(self, name: str) -> Part:
        """Give a part. Raises NotFound."""
        found = next((part for part in self.parts if part.name == name), None)
        if found is None:
            raise NotFound("This transfer has no such part.", fix="Its parts are in its manifest: /data/{pid}/")
        return found

    @property
    def manifest(self) -> dict[str, object]:
        """Say in JSON values what can be had."""
        going = self.transfer
        about = {"transfer": going.pid, "agreement": going.agreement, "dataset": going.dataset}
        return {**about, "purpose": going.purpose, "parts": [_told(part) for part in self.parts]}


class Serving:
    """Hands out parts. Safe to share by threads."""

    def __init__(
        self,
        ways: Ways,
        origins: Origins,
        streams: Streams,
        lanes: Lanes,
        *,
        clock_ms: Callable[[], int],
        accel: str = "",
    ) -> None:
        """Put it together; nothing runs before the first stream.

        Args:
            ways: What is asked.
            origins: Where the data lie.
            streams: The books.
            lanes: How fast each peer may read.
            clock_ms: Gives the time.
            accel: Below which path the server in front sends our files by itself; empty if it does not.
        """
        self._accel = accel
        self._ways, self._origins, self._streams, self.lanes = ways, origins, streams, lanes
        self._clock_ms = clock_ms
        self.live = Live(self.stopped, self._noted, moved=self._moved)

    def look(self, pid: str, peer: str, *, format: Format = "HttpData-PULL") -> Held:
        """Give what a peer may have of a transfer now.

        Raises:
            NotFound: There is no such transfer with it.
            Conflict: It is not started.
            Withdrawn: It is over.
            NotAgreed: The agreement does not permit it now.
            Unavailable: Where its data lie, or who agreed to what, cannot be asked now.
        """
        going = self._ways.transfer(pid)
        if (going.role, going.peer, going.format) != ("provider", peer, format):
            raise NotFound("There is no such transfer with you here.")
        _check_state(going)
        decision = self._ways.decide(going, self._clock_ms())
        if not decision.allowed:
            raise refusal(decision)
        marked = self._origins.personal(going.dataset)  # before: what is marked meanwhile is seen to be another mark
        sieve = self._ways.sieves.of(going)
        found = [part for part in self._origins.parts(going.dataset) if going.part in ("", part.name)]
        return Held(going, [sieve.shown(part) if sieve else part for part in found], decision, sieve, marked)

    def open(self, held: Held, part: Part, begins: int = 0, ends: int | None = None) -> Delivery:
        """Begin to hand out a part, or the bytes of it from `begins` to before `ends`.

        It counts, and is watched, before its origin is asked: that may take as long as an origin likes.

        Raises:
            TooManyRequests: The peer reads as much at once as it may.
            NotAgreed: The agreement lets no more bytes through.
            Stopped: It was cut while its origin was asked.
            NotFound, Unavailable: The part is not there as it was announced.
        """
        until = part.size if ends is None else ends
        asked = Beginning(held.transfer.pid, held.transfer.peer, part, begins, until, _measures(held.decision))
        source = Opening(part, lambda stack: self._lying(held, part, begins, stack))
        row, reserved = self._streams.begin(asked, SLICE_BYTES, self._clock_ms())
        made = Delivery(asked, source, self._streams, row=row, reserved=reserved, clock_ms=self._clock_ms)
        made.ends_with(lambda: self.live.remove(made))
        try:
            made.lies, made.marked = self._origins.lies(part.dataset, part.name), held.marked
            self.live.add(made)
            source.open()
        except BaseException:
            made.drop()
            raise
        return made

    def _lying(self, held: Held, part: Part, begins: int, stack: ExitStack) -> Source:
        """Open a part where it lies."""
        lying = self._origins.open(held.transfer.dataset, part.name, start=begins, etag=part.etag)
        source: Source = stack.enter_context(lying)
        return held.sieve.through(source) if held.sieve else source

    def hand_over(self, held: Held, part: Part) -> str:
        """Give the path at which the server in front sends a part by itself, and note that it does; else nothing.

        It may where the city says so, nothing is left out or counted in bytes, and the part lies in our own files.
        """
        if not self._accel or held.sieve or held.decision.measures:
            return ""
        path = self._ways.path(part.dataset, part.name)
        if path is None:
            return ""
        self._streams.hand_over(Beginning(held.transfer.pid, held.transfer.peer, part, 0, None), self._clock_ms())
        return self._accel.rstrip("/") + quote(str(path))

    def stopped(self, pid: str) -> str:
        """Say why nothing of a transfer may flow now; empty if it may."""
        try:
            going = self._ways.transfer(pid)
        except NotFound:
            return "gone"
        if not going.streams:
            return going.state.lower() if going.state != "STARTED" else "ending"
        if not self._ways.welcome(going.peer):
            return "blocked"
        decision = self._ways.decide(going, self._clock_ms())
        return "" if decision.allowed else decision.code

    def _moved(self, stream: Running) -> str:
        """Say why a stream may not read on as it does; else nothing.

        Its origin was removed or is another one, or its dataset is about residents otherwise than it was taken for.
        """
        if not isinstance(stream, Delivery):
            return ""
        part = stream.asked.part
        if self._origins.personal(part.dataset) != stream.marked:
            return MARKED
        return "" if self._origins.lies(part.dataset, part.name) == stream.lies else NO_ORIGIN

    def _noted(self, streams: Sequence[Running]) -> None:
        living = [each for each in streams if isinstance(each, Delivery)]
        self._streams.seen([(each.row, each.sent) for each in living], self._clock_ms())


def _check_state(going: Going) -> None:
    if going.state in _OVER:
        raise Withdrawn("This transfer is over.", fix="Request another one.")
    if not going.streams:
        raise Conflict(
            f"This transfer is not started now ({going.state.lower() or 'requested'}).", fix="Wait until it starts."
        )


def _measures(decision: Decision) -> Sequence[Measure]:
    return [Measure(decision.agreement, rule, decision.target, limit) for rule, limit in decision.measures]


def _told(part: Part) -> dict[str, object]:
    return {
        "part": part.name,
        "type": part.media_type,
        "size": part.size,
        "digest": part.digest or None,
        "etag": part.etag,
        "modified": part.modified_ms,
        "filtered": part.filtered,
    }
