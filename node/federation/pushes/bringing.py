"""One attempt to bring one part: where the other side stands, the bytes from there, and what it said to them.

At a city's door an attempt goes on where the last one ended, if the part is still the same and its digest is known;
else, and at any other address, it begins at the first byte. The bytes come out of the same hands as those that are
pulled, so agreements, quotas, pace and consent hold alike, and a cut stream cuts the connection. Nothing is stored
here but by those hands.
"""

import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from node.errors import Conflict, Malformed, NodeError, NotFound, PeerUnreachable, Refused, Stopped, Unauthenticated
from node.federation.data.delivery import Delivery
from node.federation.data.serving import Held, Serving
from node.federation.moving import PUSH, Part
from node.federation.peer_noes import refusal_of, words_of
from node.federation.pushes.address import Target
from node.federation.pushes.fields import digest_of, head_of, offset_of
from node.federation.pushes.ports import Pace, Tokens
from node.federation.transfer import Transfer
from node.outbound import Outbound, Reply

SILENCE_S = 30.0
ANSWER_S = 300.0  # the other side reads a large part again before it says that it has it
_ASK_S = 15.0
_MAX_ANSWER = 64 * 1024
# What an answer of a stranger's server means: these pass, whatever else is below 500 will not.
_PASSES = (408, 409, 422, 423, 425)


class Body(Protocol):
    """What is sent, and how much of it was."""

    def read(self, most: int, /) -> bytes:
        """Give the next bytes."""

    def tell(self) -> int:
        """Give how many were read."""


@dataclass(frozen=True, slots=True)
class There:
    """How far a part has come there: of which version, whether it is whole, and with which digest."""

    offset: int
    is_whole: bool = False
    etag: str = ""
    digest: str = ""

    def has(self, part: Part) -> bool:
        """Tell whether all of a part as it stands now is there."""
        return self.is_whole and self.etag == part.etag and not part.filtered

    def goes_on(self, part: Part) -> int:
        """Give the byte to go on at. What goes in pieces is proven by the digest of the whole, or goes in one."""
        same = self.etag == part.etag and bool(part.digest) and not part.filtered and part.size is not None
        return self.offset if same and self.offset <= (part.size or 0) else 0


@dataclass(frozen=True, slots=True)
class Brought:
    """That a part is there whole: how many bytes of it, and the digest that is known of them."""

    part: Part
    sent: int
    digest: str


class Carrier:
    """Brings parts. Safe to share by threads."""

    def __init__(
        self, serving: Serving, pace: Pace, outbound: Outbound, tokens: Tokens, *, silence_s: float = SILENCE_S
    ) -> None:
        """Take who hands out and how fast, the way out, and our tokens at other cities."""
        self._serving, self._pace = serving, pace
        self._outbound, self._tokens, self._silence_s = outbound, tokens, silence_s

    def there(self, transfer: Transfer, target: Target, part: str) -> There:
        """Ask a city's door how far a part has come.

        Raises:
            NotFound, Conflict: Nothing is expected there, or not now.
            Unauthenticated, Unavailable: Try again later.
        """
        url = target.url(part)
        reply = self._asked(transfer.peer, url)
        if reply.status == 401 and self._tokens.again(transfer.peer, reply.headers):
            reply = self._asked(transfer.peer, url)
        _check(transfer.peer, reply)
        return there_of(reply.headers)

    def _asked(self, peer_url: str, url: str) -> Reply:
        headers = self._tokens.headers(peer_url, "HEAD", url)
        return self._outbound.ask(url, method="HEAD", headers=headers, max_bytes=_MAX_ANSWER, deadline_s=_ASK_S)

    def bring(self, transfer: Transfer, target: Target, name: str, stop: threading.Event) -> Brought:
        """Bring a part, or what is missing of it; there afterwards.

        Raises:
            Stopped: `stop` was set, or nothing may flow any more.
            Refused: The other side, or the agreement, will not have it so; saying it again does not help.
            Unavailable, Unauthenticated, Conflict: Try again later.
        """
        held = self._serving.look(transfer.pid, transfer.peer, format=PUSH)
        part = next((each for each in held.parts if each.name == name), None)
        if part is None:
            raise NotFound(f"The dataset has no part {name[:60]} any more.")
        there = self.there(transfer, target, name) if target.is_city else There(0)
        if there.has(part):
            return Brought(part, there.offset, there.digest)
        parcel = _Parcel(transfer, target, part, there.goes_on(part))
        if parcel.offset and parcel.left == 0:
            return self._sent(parcel, io.BytesIO(), stop)  # all of it came, and was not found whole before a crash
        return self._streamed(parcel, held, stop)

    def _streamed(self, parcel: "_Parcel", held: Held, stop: threading.Event) -> Brought:
        stream = self._serving.open(held, parcel.part, parcel.offset)
        try:
            halt = _Halt(stop)
            stream.when_cut(halt.set)
            return self._sent(parcel, _Body(stream, lambda many: self._pace(parcel.transfer.peer, many), halt), halt)
        finally:
            stream.end("done" if stream.finished else "cut" if stream.why else "gone")

    def _sent(self, parcel: "_Parcel", body: Body, halt: threading.Event) -> Brought:
        transfer, target, part = parcel.transfer, parcel.target, parcel.part
        reply = self._outbound.send(
            target.url(part.name),
            body,
            method="PATCH" if target.is_city else "PUT",
            length=parcel.left,
            headers=self._head(parcel),
            silence_s=self._silence_s,
            answer_s=ANSWER_S,
            stop=halt,
        )
        if not target.is_city:
            _check_elsewhere(target.endpoint.partition("?")[0], reply)
            return Brought(part, body.tell(), part.digest)
        if reply.status == 401:
            self._tokens.again(transfer.peer, reply.headers)
        _check(transfer.peer, reply)
        there = there_of(reply.headers)
        if not there.is_whole:
            raise PeerUnreachable("The other side does not say that the part is there whole.")
        return Brought(part, there.offset, there.digest)

    def _head(self, parcel: "_Parcel") -> Mapping[str, str]:
        target, part = parcel.target, parcel.part
        if target.is_city:
            shown = self._tokens.headers(parcel.transfer.peer, "PATCH", target.url(part.name))
            return {**head_of(part, parcel.offset), **shown}
        shown = {"Authorization": f"Bearer {target.bearer}"} if target.bearer else {}
        return {"Content-Type": part.media_type, **shown}


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What one attempt brings: a part from a byte on."""

    transfer: Transfer
    target: Target
    part: Part
    offset: int

    @property
    def left(self) -> int | None:
        """Give how many bytes that is; None where nobody knows before the last."""
        return None if self.part.size is None else self.part.size - self.offset


class _Halt(threading.Event):
    """Set when the worker stops or the stream is cut, whichever comes first."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def is_set(self) -> bool:
        return super().is_set() or self._stop.is_set()


class _Body:
    """A stream as a body: in the pieces that are asked for, at the pace of its peer."""

    def __init__(self, stream: Delivery, pace: Callable[[int], float], halt: threading.Event) -> None:
        self._sent = 0
        self._stream, self._pace, self._halt = stream, pace, halt
        self._left = memoryview(b"")

    def read(self, most: int) -> bytes:
        if not self._left:
            self._left = memoryview(self._stream.next())
            self._wait(len(self._left))
        piece, self._left = bytes(self._left[:most]), self._left[most:]
        self._sent += len(piece)
        return piece

    def tell(self) -> int:
        return self._sent

    def _wait(self, many: int) -> None:
        left_s = self._pace(many) if many else 0.0
        while left_s > 0 and not self._halt.is_set():
            step_s = min(left_s, 0.1)
            self._halt.wait(step_s)
            left_s -= step_s
        if self._halt.is_set():
            raise Stopped("The stream was cut.")


def there_of(headers: Mapping[str, str]) -> There:
    """Read from an answer how far a part has come. Raises Malformed."""
    offset, is_whole, etag = offset_of(headers)
    return There(offset, is_whole, etag, digest_of(headers.get("repr-digest", "")))


def _check(where: str, reply: Reply) -> None:
    """Raise what an answer means that is no success."""
    if reply.is_success:
        return
    error = refusal_of(where, reply, words_of(reply))
    # A city's server that leads elsewhere may come back; how often it is asked is bounded, as of every "no".
    if 300 <= reply.status < 400 or (reply.status in _PASSES and type(error) is Refused):
        raise Conflict(error.message, fix=error.fix)
    raise error


def _check_elsewhere(where: str, reply: Reply) -> None:
    """Raise what the answer of an address means that is no success; to bring the same there again would not mend it."""
    if 300 <= reply.status < 400:
        raise Refused(
            f"{where} answered {reply.status}: it leads to another address, where nothing is brought.",
            fix="Name the final address.",
        )
    if 200 <= reply.status < 300 and reply.is_early:
        raise Refused(f"{where} answered {reply.status} before it had taken all bytes.", fix="Mend that server.")
    _check(where, reply)


def passes(error: NodeError) -> bool:
    """Tell whether trying again may help: what is unavailable, not now, or a token that ran out."""
    return not isinstance(error, Refused) or isinstance(error, Conflict | Unauthenticated | Malformed)
