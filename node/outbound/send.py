"""Bytes on their way out: one body of any length to one address, by PUT or PATCH, read while it is sent.

Nothing of a body is held but the piece that is on its way, so the other side's pace is ours. No redirect is followed: a
body goes where it was agreed to go. Time is bounded by silence and not by length: a piece that is not taken, or an
answer that does not come, ends it. An answer that comes before the last byte was taken is an answer that says so
(`Reply.is_early`); what it means is for the caller to say, and so is where to go on.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from node.errors import PeerUnreachable
from node.outbound.addresses import Address, Guard, parsed, shown
from node.outbound.ask import MAX_HEADERS, Reply
from node.outbound.bodies import bounded
from node.outbound.jobs import Job, as_peer, awaited, translated
from node.outbound.tls import Certificates

METHODS = ("PUT", "PATCH")
PIECE_BYTES = 256 * 1024
MAX_ANSWER_BYTES = 64 * 1024
_CONNECT_S = 10.0
_CLOSES_S = 0.5  # how long who has thanked may take to close, as it was asked to
_MOST_AFTER = 16


class Body(Protocol):
    """What is sent: read from a thread of its own, piece after piece."""

    def read(self, most: int, /) -> bytes:
        """Give the next bytes, at most so many; empty at the end. What it raises is raised by the sending."""


@dataclass(slots=True)
class Parcel:
    """One body on its way. `length` None means that it ends where its source does.

    `silence_s` is how long a piece may not be taken, `answer_s` how long the answer may take after the last one.
    """

    url: httpx.URL
    method: str
    headers: dict[str, str]
    body: Body
    length: int | None
    silence_s: float
    answer_s: float
    job: Job[Reply]
    fault: BaseException | None = None  # what the body itself raised
    is_out: bool = False  # the last piece has left this process


class Sender:
    """Sends, over a new connection each time."""

    def __init__(self, guard: Guard, certificates: Certificates) -> None:
        self._guard = guard
        self._certificates = certificates

    def send(self, parcel: Parcel, stop: threading.Event | None) -> Reply:
        """Send and wait for the answer; see `Outbound.send`."""
        self._guard.check(parcel.url)
        threading.Thread(target=self._work, args=(parcel,), name="outbound", daemon=True).start()
        return awaited(parcel.job, stop)

    def _work(self, parcel: Parcel) -> None:
        """Do the blocking part; nothing escapes into the thread."""
        job = parcel.job
        try:
            job.outcome = self._answer(parcel)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, ValueError) as error:
            job.error = parcel.fault or translated(error, str(parcel.url), PeerUnreachable)
        except BaseException as error:  # noqa: BLE001  (not swallowed: raised again in the caller's thread)
            job.error = as_peer(error)
        finally:
            job.done.set()

    def _answer(self, parcel: Parcel) -> Reply:
        addresses = self._guard.addresses(parcel.url)
        for address in addresses[:-1]:
            parcel.job.check()
            # Nothing of the body is read before there is a connection, so another address can still have all of it.
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._at(parcel, address)
        parcel.job.check()
        return self._at(parcel, addresses[-1])

    def _at(self, parcel: Parcel, address: Address) -> Reply:
        url = parcel.url
        limits = {"connect": min(_CONNECT_S, parcel.silence_s), "read": parcel.answer_s, "write": parcel.silence_s}
        request = httpx.Request(
            parcel.method,
            # The pinned address goes into the URL; name and certificate check stay with the host.
            url.copy_with(host=str(address), fragment=None),
            headers=_headers(parcel) | {"Host": url.netloc.decode()},
            content=_pieces(parcel),
            extensions={
                "sni_hostname": url.raw_host.decode(),
                "timeout": limits,
                "trace": _holding(parcel.job),
            },
        )
        try:
            with (
                httpx.HTTPTransport(verify=self._certificates.of(url.scheme), trust_env=False) as transport,
                contextlib.closing(transport.handle_request(request)) as response,
            ):
                return _read(parcel, response)
        finally:
            parcel.job.hold(None)


def _headers(parcel: Parcel) -> dict[str, str]:
    framing = {"Transfer-Encoding": "chunked"} if parcel.length is None else {"Content-Length": str(parcel.length)}
    ours = {"Connection": "close", "Accept": "application/json", "Accept-Encoding": "identity", **framing}
    # Two framings of one message would let what stands between us and them read it otherwise than they do.
    taken = {name.lower() for name in ours} | {"host", "content-length", "transfer-encoding"}
    return {name: value for name, value in parcel.headers.items() if name.lower() not in taken} | ours


def _pieces(parcel: Parcel) -> Iterator[bytes]:
    """Give the body; a source that has another length than was announced breaks the message, which the other sees."""
    sent = 0
    while parcel.length is None or sent < parcel.length:
        most = PIECE_BYTES if parcel.length is None else min(PIECE_BYTES, parcel.length - sent)
        piece = _next(parcel, most)
        if not piece:
            break
        sent += len(piece)
        parcel.job.check()
        yield piece
        # The other side has taken it: time starts anew.
        parcel.job.deadline = time.monotonic() + parcel.silence_s
    if parcel.length is not None and sent < parcel.length:
        parcel.fault = PeerUnreachable(f"What was to be sent ended after {sent} of {parcel.length} bytes.")
        raise parcel.fault
    parcel.is_out = True
    parcel.job.deadline = time.monotonic() + parcel.answer_s


def _next(parcel: Parcel, most: int) -> bytes:
    try:
        return parcel.body.read(most)
    except BaseException as error:
        parcel.fault = error
        raise


def _holding(job: Job[Reply]) -> Callable[[str, Mapping[str, Any]], None]:
    """Name the socket before anything is said on it, so that it can be cut at any moment."""

    def trace(event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            job.hold(info["return_value"].get_extra_info("socket"))

    return trace


def _read(parcel: Parcel, response: httpx.Response) -> Reply:
    if len(response.headers.raw) > MAX_HEADERS:
        raise PeerUnreachable(f"{shown(parcel.url)} sent more than {MAX_HEADERS} headers.", fix="Tell its operator.")
    headers = {name.lower(): value for name, value in response.headers.items()}
    # Not by `iter_raw`, which closes at the end: how the other side closes tells whether it took everything.
    stream = response.stream
    body = b"".join(bounded(iter(stream), MAX_ANSWER_BYTES)) if isinstance(stream, httpx.SyncByteStream) else b""
    early = not parcel.is_out or (response.is_success and _was_reset(parcel.job))
    return Reply(response.status_code, headers, body, is_early=early)


def _was_reset(job: Job[Reply]) -> bool:
    """Tell whether the other side closed with bytes of ours unread: then it resets the connection (RFC 9112, 9.6).

    The last of a body may lie in the buffers of both systems when it is answered, so that we have sent all of it.
    """
    held = job.held
    if held is None:
        return False
    try:
        held.settimeout(_CLOSES_S)
        for _ in range(_MOST_AFTER):
            if not held.recv(1024):
                break
    except ConnectionResetError:
        return True
    except OSError:  # it does not close, or says nothing that can be read any more
        return False
    return False


def parcel_of(
    url: str,
    *,
    method: str,
    headers: Mapping[str, str],
    body: Body,
    length: int | None,
    silence_s: float,
    answer_s: float,
) -> Parcel:
    """Check the spelling of what is to be sent. Raises ForbiddenAddress; ValueError for a method that is not ours."""
    if method not in METHODS:
        raise ValueError(f"a body is sent with PUT or PATCH, not {method}")
    job: Job[Reply] = Job(time.monotonic() + silence_s, silence_s, PeerUnreachable)
    return Parcel(parsed(url), method, dict(headers), body, length, silence_s, answer_s, job)
