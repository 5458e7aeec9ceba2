"""One question to a peer and its whole answer, in memory or into a file, over a connection that is kept.

No redirects at all: a peer speaks at the address it was approved under. Any status is an answer; what it means is for
the caller to say. At most two questions run at one origin at a time, and waiting for a turn counts as time spent.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx

from node.errors import PeerUnreachable, Stopped
from node.outbound.addresses import Address, origin_of, parsed, shown
from node.outbound.bodies import CHUNK_BYTES, bounded, decoded, too_large
from node.outbound.jobs import Job, as_peer, awaited, translated
from node.outbound.lanes import Lane, Lanes

CODINGS = ("zstd", "gzip")
MAX_HEADERS = 100
_CONNECT_S = 5.0
_SILENCE_S = 30.0
_SMALL = 64 * 1024  # a refusal that stands where a document for a file was asked for


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: header names in lower case, the body decoded. `saved` counts what went into a file instead.

    `is_early`: it came before all of what was sent had been taken, so that it thanks for nothing.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    saved: int = 0
    is_early: bool = False

    @property
    def is_success(self) -> bool:
        """Tell whether what was asked for was done, with all that was sent."""
        return 200 <= self.status < 300 and not self.is_early

    @property
    def media_type(self) -> str:
        """Give the Content-Type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def etag(self) -> str:
        """Give the ETag, or nothing."""
        return self.headers.get("etag", "")


@dataclass(slots=True)
class Question:
    """What is asked, and the bounds of the answer."""

    url: httpx.URL
    method: str
    headers: dict[str, str]
    body: bytes
    max_bytes: int
    job: Job[Reply]
    to: Path | None = None
    only: str = ""  # the media type that may go into the file; empty means any
    origin: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the origin once."""
        self.origin = origin_of(str(self.url))


class Asker:
    """Asks, over kept connections."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    def ask(self, question: Question, stop: threading.Event | None) -> Reply:
        """Ask and wait; see `Outbound.ask`."""
        job = question.job
        gone: Callable[[], bool] = stop.is_set if stop is not None else bool
        if not self._lanes.enter(question.origin, lambda: job.deadline - time.monotonic(), gone):
            raise Stopped("The request was stopped.") if gone() else job.late()
        try:
            threading.Thread(target=self._work, args=(question,), name="outbound", daemon=True).start()
        except RuntimeError:  # no thread to be had: give the place back
            self._lanes.leave(question.origin)
            raise
        return awaited(job, stop)

    def _work(self, question: Question) -> None:
        """Do the blocking part. The place is held until it ends, so that stuck lookups cannot pile up."""
        job = question.job
        try:
            job.outcome = self._answer(question)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, ValueError) as error:
            job.error = translated(error, str(question.url), PeerUnreachable)
        except BaseException as error:  # noqa: BLE001  (not swallowed: raised again in the caller's thread)
            job.error = as_peer(error)
        finally:
            self._lanes.leave(question.origin)
            job.done.set()

    def _answer(self, question: Question) -> Reply:
        addresses = self._lanes.addresses(question.url)
        question.job.check()
        lane = self._lanes.free(question.origin, addresses)
        if lane is not None:
            # The other side may close a kept connection while we write to it; only what changes nothing is said twice.
            try:
                return self._over(question, lane)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                question.job.check()
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError):
                if question.method not in ("GET", "HEAD"):
                    raise
                question.job.check()
        for address in addresses[:-1]:
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._over(question, self._new(question, address))
            question.job.check()
        return self._over(question, self._new(question, addresses[-1]))

    def _new(self, question: Question, address: Address) -> Lane:
        return self._lanes.new(question.origin, address, question.url.scheme)

    def _over(self, question: Question, lane: Lane) -> Reply:
        """Ask over one lane; it is kept if the answer was read to its end, and closed otherwise."""
        job = question.job
        whole = False
        try:
            response = lane.send(_request(question, lane.address), job.hold)
            with contextlib.closing(response):
                reply = _read(question, response)
            whole = True
            return reply
        finally:
            job.hold(None)
            if whole and response.headers.get("connection", "").lower() != "close":
                self._lanes.put_back(lane)
            else:
                lane.close()


def _request(question: Question, address: Address) -> httpx.Request:
    url, left_s = question.url, question.job.left_s
    timeout = httpx.Timeout(min(_SILENCE_S, left_s), connect=min(_CONNECT_S, left_s))
    return httpx.Request(
        question.method,
        # The pinned address goes into the URL; name and certificate check stay with the host.
        url.copy_with(host=str(address)),
        headers=question.headers | {"Host": url.netloc.decode()},
        content=question.body,
        extensions={"sni_hostname": url.raw_host.decode(), "timeout": timeout.as_dict()},
    )


def _read(question: Question, response: httpx.Response) -> Reply:
    if len(response.headers.raw) > MAX_HEADERS:
        raise PeerUnreachable(f"{shown(question.url)} sent more than {MAX_HEADERS} headers.", fix="Tell its operator.")
    headers = {name.lower(): value for name, value in response.headers.items()}
    into_file = _is_wanted(question, Reply(response.status_code, headers, b""))
    most = question.max_bytes if into_file or question.to is None else min(question.max_bytes, _SMALL)
    announced = "" if question.method == "HEAD" else headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > most:
        raise too_large(most)
    pieces = _pieces(question, response, most)
    if into_file and question.to is not None:
        return Reply(response.status_code, headers, b"", _save(question.job, question.to, pieces))
    return Reply(response.status_code, headers, b"".join(pieces))


def _is_wanted(question: Question, reply: Reply) -> bool:
    """Tell whether a body goes into the file: it is the document that was asked for."""
    fits = reply.media_type == question.only if question.only else True
    return question.to is not None and reply.status == httpx.codes.OK and fits


def _pieces(question: Question, response: httpx.Response, most: int) -> Iterator[bytes]:
    raw = bounded(response.iter_raw(CHUNK_BYTES), most)
    size = 0
    for piece in decoded(response.headers.get("content-encoding", ""), raw, codings=CODINGS):
        question.job.check()
        size += len(piece)
        if size > most:
            raise too_large(most)
        yield piece


def _save(job: Job[Reply], to: Path, pieces: Iterator[bytes]) -> int:
    """Write beside `to`, then put it in place; gives the size."""
    part = to.with_name(f"{to.name}.{threading.get_ident()}.part")
    try:
        with part.open("wb") as file:
            size = _copy(pieces, file)
        job.check()
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return size


def _copy(pieces: Iterator[bytes], file: BinaryIO) -> int:
    return sum(file.write(piece) for piece in pieces)


def question_of(
    url: str,
    *,
    method: str,
    body: bytes,
    headers: Mapping[str, str],
    max_bytes: int,
    job: Job[Reply],
    to: Path | None = None,
    only: str = "",
) -> Question:
    """Check the spelling of a question. Raises ForbiddenAddress; ValueError for a method that is not ours."""
    if method not in ("GET", "HEAD", "POST", "DELETE"):
        raise ValueError(f"a peer is asked with GET, HEAD, POST or DELETE, not {method}")
    return Question(parsed(url), method, dict(headers), body, max_bytes, job, to, only)
