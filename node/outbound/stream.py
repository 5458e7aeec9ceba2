"""Long bodies read as they come: one answer over one connection, from any byte on, in bounded memory.

For data under an agreement and for the places where a city's data lies. Opening happens in a daemon thread, like every
way out; the caller then reads in its own thread, while that daemon watches the caller's stop event and shuts the socket
down when it is set. What would surprise: an answer that does not say where it ends is refused, since a short body could
not be told from a whole one, and nothing is ever decoded: what is read is what was sent.
"""

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from node.errors import ForbiddenAddress, NodeError, SourceUnreachable, Stopped
from node.outbound.addresses import Address, Guard, origin_of, parsed, shown
from node.outbound.ask import MAX_HEADERS
from node.outbound.bodies import CHUNK_BYTES, too_large
from node.outbound.jobs import Job, awaited, translated
from node.outbound.lanes import Lane
from node.outbound.tls import Certificates

_CONNECT_S = 10.0
_LOOK_S = 0.1
_MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_REFUSAL_BYTES = 64 * 1024
_DIGITS = 19
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\Z", re.ASCII)
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Which bytes are wanted: from `start` to before `end`, of the version `etag`; all of them if nothing is said."""

    start: int = 0
    end: int | None = None
    etag: str = ""

    def headers(self) -> dict[str, str]:
        """Say it in HTTP. With an ETag another version comes from its beginning on (RFC 9110, 13.1.5)."""
        if not self.start and self.end is None:
            return {}
        # Only a strong validator may be compared: a weak one would make a range of one version out of two.
        strong = self.etag if not self.etag.startswith("W/") else ""
        until = "" if self.end is None else str(self.end - 1)
        return {"Range": f"bytes={self.start}-{until}"} | ({"If-Range": strong} if strong else {})


@dataclass(slots=True)
class Opening:
    """One stream that is asked for, and the bounds of its answer."""

    url: str
    headers: dict[str, str]
    span: Span
    max_bytes: int
    stall_s: float
    job: "Job[Stream]"
    stop: threading.Event | None
    follow: bool


@dataclass(slots=True)
class _Course:
    """The way an answer takes: the connection it comes over, and who may cut it."""

    lane: Lane
    response: httpx.Response
    job: "Job[Stream]"
    stop: threading.Event | None
    max_bytes: int
    closed: threading.Event = field(default_factory=threading.Event)


class Stream:
    """An answer under way. Use it with `with`; one thread reads it, any thread may `cut` it."""

    def __init__(self, url: httpx.URL, course: _Course, span: Span) -> None:
        response = course.response
        self.url = str(url)
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._course = course
        self._where = shown(url)
        self._raw: Iterator[bytes] = response.iter_raw()  # as it comes: a chunk size would wait until it is full
        self._rest = b""
        self._read = 0
        self.start, self.total = self._place(span)

    @property
    def media_type(self) -> str:
        """Give the Content-Type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def etag(self) -> str:
        """Give the ETag, or nothing."""
        return self.headers.get("etag", "")

    @property
    def length(self) -> int | None:
        """Give how many bytes this answer has, if it says so; fewer are an error of `read`."""
        told = self.headers.get("content-length", "")
        return int(told) if told.isascii() and told.isdigit() and len(told) < _DIGITS else None

    @property
    def is_good(self) -> bool:
        """Tell whether the body is what was asked for: the whole document, or a part of it from `start` on."""
        return self.status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT)

    def read(self, most: int = CHUNK_BYTES) -> bytes:
        """Give the next bytes, at least one; nothing only at the true end of the answer. Blocks.

        Raises:
            SourceUnreachable: Nothing came for too long, or the answer broke off before its end. Safe to ask again
                from where it stopped.
            TooLarge: More than `max_bytes` came.
            Stopped: The stop event was set, or somebody has cut the stream.
        """
        if not self._rest:
            self._rest = self._next()
        piece, self._rest = self._rest[:most], self._rest[most:]
        return piece

    def refusal(self) -> bytes:
        """Give the beginning of the body of a refusal, 64 KiB at most; empty if it cannot be read."""
        told = bytearray()
        with contextlib.suppress(NodeError):
            while len(told) < _REFUSAL_BYTES and (piece := self.read()):
                told += piece
        return bytes(told[:_REFUSAL_BYTES])

    def cut(self) -> None:
        """Wake whoever reads; the stream is of no more use."""
        self._course.job.abandon()

    def close(self) -> None:
        """Let go of the connection, wherever the answer stands."""
        self._course.closed.set()
        self._course.job.hold(None)
        with contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError, RuntimeError):
            self._course.response.close()
        self._course.lane.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _next(self) -> bytes:
        course = self._course
        if course.job.abandoned.is_set():
            raise Stopped("The transfer was stopped.")
        try:
            piece = next(self._raw, b"")
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            if course.job.abandoned.is_set():
                raise Stopped("The transfer was stopped.") from error
            raise translated(error, self.url) from error
        if not piece and course.job.abandoned.is_set():  # it was cut, so this is not the end
            raise Stopped("The transfer was stopped.")
        self._read += len(piece)
        if self._read > course.max_bytes:
            raise too_large(course.max_bytes)
        return piece

    def _place(self, span: Span) -> tuple[int, int | None]:
        """Read where the body stands in the whole document; refuse an answer that is about other bytes."""
        if self.status == httpx.codes.PARTIAL_CONTENT:
            found = _RANGE.match(self.headers.get("content-range", ""))
            if found is None or int(found[1]) != span.start or int(found[2]) < span.start:
                raise self._wrong("answered with other bytes than were asked for")
            if self.length is not None and self.length != int(found[2]) - span.start + 1:
                raise self._wrong("says two lengths of one answer")
            return span.start, None if found[3] == "*" else int(found[3])
        if self.status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            unsatisfied = _UNSATISFIED.match(self.headers.get("content-range", ""))
            return 0, int(unsatisfied[1]) if unsatisfied else None
        return 0, self.length

    def check(self) -> None:
        """Refuse an answer whose end could not be seen, or that would have to be decoded. Raises SourceUnreachable."""
        if len(self._course.response.headers.raw) > MAX_HEADERS:
            raise self._wrong(f"sent more than {MAX_HEADERS} headers")
        if not self.is_good:
            return
        if self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise self._wrong("answered in a coding that was not asked for")
        if self.length is None and "chunked" not in self.headers.get("transfer-encoding", "").lower():
            raise self._wrong("does not say where its answer ends")
        if (self.length or 0) > self._course.max_bytes:
            raise too_large(self._course.max_bytes)

    def _wrong(self, what: str) -> SourceUnreachable:
        return SourceUnreachable(f"{self._where} {what}.", fix="Tell its operator.")


class Streamer:
    """Opens streams, each over a connection of its own."""

    def __init__(self, guard: Guard, certificates: Certificates) -> None:
        self._guard = guard
        self._certificates = certificates

    def open(self, opening: Opening) -> Stream:
        """Ask and wait for the headers; see `Outbound.stream`."""
        threading.Thread(target=self._work, args=(opening,), name="outbound", daemon=True).start()
        try:
            return awaited(opening.job, opening.stop)
        except BaseException:
            if opening.job.outcome is not None:  # the headers came just when nobody waited any more
                opening.job.outcome.close()
            raise

    def _work(self, opening: Opening) -> None:
        job = opening.job
        try:
            job.outcome = self._follow(opening)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, ValueError) as error:
            job.error = translated(error, opening.url)
        except BaseException as error:  # noqa: BLE001  (not swallowed: raised again in the caller's thread)
            job.error = error
        finally:
            job.done.set()
        if job.outcome is not None:
            self._watch(job.outcome, opening)

    def _watch(self, stream: Stream, opening: Opening) -> None:
        """Cut the stream when its reader shall stop; nobody but this thread sees that while a read blocks."""
        closed, stop = stream._course.closed, opening.stop  # noqa: SLF001  (the other half of one thing)
        if opening.job.abandoned.is_set():  # the caller left just before the headers came
            stream.close()
        while stop is not None and not closed.wait(_LOOK_S):
            if stop.is_set():
                stream.cut()
                return

    def _follow(self, opening: Opening) -> Stream:
        url = opening.url
        for _ in range(_MAX_REDIRECTS + 1):
            here = parsed(url)
            self._guard.check(here)
            stream = self._ask(opening, here)
            if stream.status not in _REDIRECTS or not opening.follow:
                return _checked(stream)
            stream.close()
            url = str(here.join(stream.headers.get("location", "")))
            if origin_of(url) != origin_of(opening.url):
                message = f"{shown(here)} redirects to another origin, which is not followed here."
                raise ForbiddenAddress(message, fix="Give the final address.")
        raise SourceUnreachable(f"It redirects more than {_MAX_REDIRECTS} times.", fix="Give the final address.")

    def _ask(self, opening: Opening, url: httpx.URL) -> Stream:
        addresses = self._guard.addresses(url)
        for address in addresses[:-1]:
            opening.job.check()
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._ask_at(opening, url, address)
        opening.job.check()
        return self._ask_at(opening, url, addresses[-1])

    def _ask_at(self, opening: Opening, url: httpx.URL, address: Address) -> Stream:
        job = opening.job
        lane = Lane(origin_of(str(url)), address, self._certificates, url.scheme)
        timeout = httpx.Timeout(opening.stall_s, connect=min(_CONNECT_S, job.left_s))
        request = httpx.Request(
            "GET",
            # The pinned address goes into the URL; name and certificate check stay with the host.
            url.copy_with(host=str(address)),
            headers=opening.headers | opening.span.headers() | {"Host": url.netloc.decode()},
            extensions={"sni_hostname": url.raw_host.decode(), "timeout": timeout.as_dict()},
        )
        response: httpx.Response | None = None
        try:
            response = lane.send(request, job.hold)
            return Stream(url, _Course(lane, response, job, opening.stop, opening.max_bytes), opening.span)
        except BaseException:
            job.hold(None)
            if response is not None:
                response.close()
            lane.close()
            raise


def _checked(stream: Stream) -> Stream:
    try:
        stream.check()
    except BaseException:
        stream.close()
        raise
    return stream


def opening_of(
    url: str,
    headers: Mapping[str, str],
    *,
    span: Span,
    max_bytes: int,
    open_s: float,
    stall_s: float,
    stop: threading.Event | None,
    follow: bool,
) -> Opening:
    """Put a request together; its job ends the opening after `open_s`."""
    job: Job[Stream] = Job(time.monotonic() + open_s, open_s)
    return Opening(url, dict(headers), span, max_bytes, stall_s, job, stop, follow)
