"""One look at an address of a stranger: does it answer, and what does it say of itself? The body is never wanted.

For links in records, which anybody may have written. Every address of the host is checked like any other way out; no
redirect is followed here, nothing is decoded, a body is cut off after the bytes that were asked for, and the connection
is closed at once. What goes wrong is an answer too (`trouble`), because that is what the caller wants to know.
"""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from node.errors import ForbiddenAddress, SourceUnreachable
from node.outbound.addresses import Address, Guard, parsed
from node.outbound.ask import MAX_HEADERS
from node.outbound.bodies import CHUNK_BYTES
from node.outbound.jobs import Job, awaited
from node.outbound.tls import Certificates

Trouble = Literal["", "no-address", "unreachable", "tls", "late", "broken"]
METHODS = ("HEAD", "GET")
_CONNECT_S = 10.0
_MAX_LOCATION = 2_000


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it: `status` 0 and a `trouble` where there was no answer.

    `no-address` stands for a name that is not known and for one this node may not go to alike: who wrote the link
    shall not learn from us which names mean something in here. `location` is absolute, and empty where an answer leads
    nowhere else.
    """

    status: int
    headers: Mapping[str, str]
    location: str
    body: bytes
    trouble: Trouble


_NOTHING: Mapping[str, str] = {}


def trouble(word: Trouble) -> Looked:
    """Say that there was no answer."""
    return Looked(0, _NOTHING, "", b"", word)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is looked at, and how much of a body is read."""

    url: httpx.URL
    method: str
    headers: dict[str, str]
    max_bytes: int
    job: Job[Looked]


class Looker:
    """Looks, over a new connection each time."""

    def __init__(self, guard: Guard, certificates: Certificates) -> None:
        self._guard = guard
        self._certificates = certificates

    def look(
        self, url: str, *, method: str, headers: dict[str, str], max_bytes: int, job: Job[Looked], stop: threading.Event
    ) -> Looked:
        """Look and wait; see `Outbound.look`."""
        if method not in METHODS:
            raise ValueError(f"a link is looked at with HEAD or GET, not {method}")
        try:
            here = parsed(url)
            self._guard.check(here)
        except ForbiddenAddress:
            return trouble("no-address")
        sight = Sight(here, method, headers, max_bytes, job)
        threading.Thread(target=self._work, args=(sight,), name="outbound", daemon=True).start()
        try:
            return awaited(job, stop)
        except SourceUnreachable:  # nothing else is raised by the waiting itself than that time is up
            return trouble("late")

    def _work(self, sight: Sight) -> None:
        """Do the blocking part; nothing escapes into the thread."""
        job = sight.job
        try:
            job.outcome = self._seen(sight)
        except BaseException as error:  # noqa: BLE001  (not swallowed: raised again in the caller's thread)
            job.error = error
        finally:
            job.done.set()

    def _seen(self, sight: Sight) -> Looked:
        try:
            addresses = self._guard.addresses(sight.url)
        except (ForbiddenAddress, SourceUnreachable, UnicodeError, ValueError):
            return trouble("no-address")
        last = trouble("unreachable")
        for address in addresses:
            if sight.job.abandoned.is_set() or sight.job.is_late:
                return trouble("late")
            last = self._at(sight, address)
            if last.trouble != "unreachable":
                break
        return last

    def _at(self, sight: Sight, address: Address) -> Looked:
        try:
            return self._asked(sight, address)
        except httpx.ConnectError as error:
            return trouble("tls" if _is_tls(error) else "unreachable")
        except httpx.ConnectTimeout:
            return trouble("unreachable")
        except httpx.TimeoutException:
            return trouble("late")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError, ValueError):
            return trouble("late" if sight.job.abandoned.is_set() else "broken")

    def _asked(self, sight: Sight, address: Address) -> Looked:
        url, left_s = sight.url, sight.job.left_s
        request = httpx.Request(
            sight.method,
            # The pinned address goes into the URL; name and certificate check stay with the host.
            url.copy_with(host=str(address), fragment=None),
            headers=sight.headers | {"Host": url.netloc.decode()},
            extensions={
                "sni_hostname": url.raw_host.decode(),
                "timeout": httpx.Timeout(left_s, connect=min(_CONNECT_S, left_s)).as_dict(),
                "trace": _holding(sight.job),
            },
        )
        try:
            with (
                httpx.Client(verify=self._certificates.of(url.scheme), trust_env=False) as client,
                contextlib.closing(client.send(request, stream=True, follow_redirects=False)) as response,
            ):
                return _looked(sight, response)
        finally:
            sight.job.hold(None)


def _holding(job: Job[Looked]) -> Callable[[str, Mapping[str, Any]], None]:
    """Name the socket before anything is said on it: who sends headers byte by byte must not keep a thread for ever."""

    def trace(event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            job.hold(info["return_value"].get_extra_info("socket"))

    return trace


def _looked(sight: Sight, response: httpx.Response) -> Looked:
    if len(response.headers.raw) > MAX_HEADERS:
        return trouble("broken")
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = b"".join(_beginning(sight, response)) if sight.max_bytes and sight.method == "GET" else b""
    return Looked(response.status_code, headers, _location(sight.url, response), body, "")


def _beginning(sight: Sight, response: httpx.Response) -> Iterator[bytes]:
    left = sight.max_bytes
    for piece in response.iter_raw(CHUNK_BYTES):
        sight.job.check()
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _location(url: httpx.URL, response: httpx.Response) -> str:
    target = response.headers.get("location", "")
    if not response.is_redirect or not target or len(target) > _MAX_LOCATION:
        return ""
    try:
        return str(url.join(target))
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return ""


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
