"""The only way out: fetches documents over HTTP for this node, from addresses it may fetch, within limits.

Nobody else opens a connection outwards or imports the HTTP client. Every host is resolved here, every answer of the
resolver checked, and the connection made to the checked address itself, so that a second answer cannot lead elsewhere;
the certificate is still checked for the name. No proxies or credentials from the environment, no cookies, redirects
followed by hand. What would surprise: blocking work happens in a daemon thread, which is abandoned when the caller's
time is up or its stop event set, because name lookups cannot be interrupted.
"""

import contextlib
import hashlib
import http
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx

from node.errors import ForbiddenAddress, SourceUnreachable, Stopped, TooLarge

_MAX_REDIRECTS = 5
_MAX_ADDRESSES = 4
_CONNECT_S = 10.0
_SILENCE_S = 60.0
_STEP_S = 0.05
_CHUNK_BYTES = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
Progress = Callable[[int, int | None], None]

# Not public, whatever the library of the day says of them (RFC 6890 and its registries).
_NOT_PUBLIC_4 = [
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# A last label that is a number or begins like one is an IPv4 address to some readers and a name to others.
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?\Z")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_.])?\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `size` and `sha256` (hex) are of the decoded body; `media_type` is lower case, no parameters."""

    status: int
    url: str
    media_type: str
    etag: str
    last_modified: str
    size: int
    sha256: str
    not_modified: bool
    headers: Mapping[str, str]


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses, in its order of preference. Blocks; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the open internet; what only wraps another one is judged by that one."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _NOT_PUBLIC_4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_6 and not any(address in net for net in _NOT_PUBLIC_6)


def _is_loopback(address: Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def origin_of(url: str) -> str:
    """Give `scheme://host:port` in lower case, the port always written; empty if the URL has no host."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return ""
    return f"{parts.scheme}://{parts.raw_host.decode().lower()}:{_port_of(parts)}" if parts.raw_host else ""


def _port_of(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


@dataclass(slots=True)
class _Job:
    """One download: what is wanted, and what the waiting and the working thread tell each other."""

    to: Path
    headers: dict[str, str]
    max_bytes: int
    deadline: float
    deadline_s: float
    progress: Progress | None
    abandoned: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    error: BaseException | None = None
    stream: socket.socket | None = None

    @property
    def left_s(self) -> float:
        return max(self.deadline - time.monotonic(), 0.001)

    def late(self) -> SourceUnreachable:
        return SourceUnreachable(f"The answer was not complete within {self.deadline_s:g} s.", fix="Try again later.")


class Outbound:
    """The door. Safe to use from several threads; holds no connection between calls."""

    def __init__(
        self,
        *,
        loopback_allowed: bool,
        private_origins: frozenset[str],
        user_agent: str,
        child_ports: frozenset[int] = frozenset(),
        resolver: Resolver = system_resolver,
    ) -> None:
        """Fix what may be fetched.

        Args:
            loopback_allowed: Our own base URL is loopback, so other nodes of this machine may be fetched.
            private_origins: Origins (`http://10.0.0.5:8080`) that may be fetched although their address is private.
            user_agent: Sent with every request.
            child_ports: Ports of our own child processes, never fetched at a private or loopback address.
            resolver: Host and port to addresses; may block, raises OSError.
        """
        self._loopback_allowed = loopback_allowed
        self._private_origins = frozenset(origin_of(each) for each in private_origins)
        self._user_agent = user_agent
        self._child_ports = child_ports
        self._resolver = resolver
        self._tls_lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    def download(  # noqa: PLR0913  (conditions and limits of one request)
        self,
        url: str,
        to: Path,
        *,
        accept: str = "",
        etag: str = "",
        last_modified: str = "",
        max_bytes: int,
        deadline_s: float,
        stop: threading.Event,
        progress: Progress | None = None,
    ) -> Answer:
        """Get a document into the file `to`, which appears whole or not at all.

        Only an answer of 200 is given back, or 304 to a conditional request (then `to` is not touched). A web page
        with status 200 is an answer like any other: look at `media_type`.

        Args:
            url: http or https, without user name.
            to: Replaced when the whole body is there.
            accept: Media types wanted; empty for any.
            etag: As the source gave it last time, for If-None-Match.
            last_modified: Likewise, for If-Modified-Since.
            max_bytes: Of the body, as sent and as decoded.
            deadline_s: For everything together, name lookup and redirects included.
            stop: Checked at least every 0.1 s, whatever blocks.
            progress: Called in another thread with bytes so far and the announced total or None.

        Raises:
            ForbiddenAddress: This node never fetches this URL, or what it redirects to.
            SourceUnreachable: No good answer in time; the message says what to wait for. Safe to retry.
            TooLarge: More than `max_bytes`.
            Stopped: `stop` was set.
        """
        self._check(_parsed(url))
        headers = {"Accept": accept or "*/*", "Accept-Encoding": "gzip", "User-Agent": self._user_agent}
        headers |= {"If-None-Match": etag} if etag else {}
        headers |= {"If-Modified-Since": last_modified} if last_modified else {}
        job = _Job(to, headers, max_bytes, time.monotonic() + deadline_s, deadline_s, progress)
        threading.Thread(target=self._work, args=(job, url), name="outbound", daemon=True).start()
        return _await(job, stop)

    def _work(self, job: _Job, url: str) -> None:
        """Do the blocking part and leave its outcome in the job; nothing escapes into the thread."""
        try:
            job.answer = self._follow(job, url)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, ValueError) as error:
            job.error = _translated(error, url)
        except BaseException as error:  # noqa: BLE001  (not swallowed: raised again in the caller's thread)
            job.error = error
        finally:
            job.done.set()

    def _follow(self, job: _Job, url: str) -> Answer:
        for _ in range(_MAX_REDIRECTS + 1):
            here = _parsed(url)
            self._check(here)
            outcome = self._get(job, here)
            if isinstance(outcome, Answer):
                return outcome
            url = str(here.join(outcome))
        raise SourceUnreachable(f"It redirects more than {_MAX_REDIRECTS} times.", fix="Give the final address.")

    def _get(self, job: _Job, url: httpx.URL) -> Answer | str:
        """Try the host's addresses in turn; give the answer, or where it redirects to."""
        addresses = self._addresses(url)
        for address in addresses[:-1]:
            if job.abandoned.is_set():
                break
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._get_from(job, url, address)
        return self._get_from(job, url, addresses[-1])

    def _get_from(self, job: _Job, url: httpx.URL, address: Address) -> Answer | str:
        timeout = httpx.Timeout(min(_SILENCE_S, job.left_s), connect=min(_CONNECT_S, job.left_s))
        host = url.raw_host.decode()
        headers = job.headers | {"Host": url.netloc.decode()}
        # The pinned address goes into the URL; name and certificate check stay with the host.
        request = httpx.Request(
            "GET",
            url.copy_with(host=str(address)),
            headers=headers,
            extensions={"sni_hostname": host, "timeout": timeout.as_dict()},
        )
        # Certificates are loaded when they are first needed: it takes longer than a 304 of a plain address.
        verify = self._tls_context() if url.scheme == "https" else False
        client = httpx.Client(verify=verify, trust_env=False, follow_redirects=False)
        with client, contextlib.closing(client.send(request, stream=True)) as response:
            job.stream = response.extensions["network_stream"].get_extra_info("socket")
            return _read(job, url, response)

    def _tls_context(self) -> ssl.SSLContext:
        """Load the certificates once; it takes longer than many a request."""
        with self._tls_lock:
            if self._tls is None:
                self._tls = httpx.create_ssl_context(trust_env=False)
            return self._tls

    def _check(self, url: httpx.URL) -> None:
        """Refuse what can be refused by spelling, before any name is asked for."""
        if url.scheme not in ("http", "https"):
            raise ForbiddenAddress(f"{_shown(url)} is neither http nor https.", fix="Give an http or https address.")
        if url.userinfo:
            raise ForbiddenAddress("The address holds a user name or password.", fix="Give it without them.")
        host = url.raw_host.decode()
        literal = _literal(host)
        if literal is not None:
            self._check_address(url, literal)
        elif not _HOST.match(host) or _NUMBER.match(host):
            raise ForbiddenAddress(f"{_shown(url)} has no proper host name.", fix="Write the host's name.")

    def _addresses(self, url: httpx.URL) -> list[Address]:
        """Resolve and check: one forbidden answer among good ones refuses the host."""
        host = url.raw_host.decode()
        literal = _literal(host)
        if literal is not None:
            return [literal]
        try:
            found = [ipaddress.ip_address(each) for each in self._resolver(host, _port_of(url))]
        except OSError as error:
            raise SourceUnreachable(f"The host {host} is not known.", fix="Check the address, or try later.") from error
        if not found:
            raise SourceUnreachable(f"The host {host} has no address.", fix="Check the address, or try later.")
        for address in found:
            self._check_address(url, address)
        return found[:_MAX_ADDRESSES]

    def _check_address(self, url: httpx.URL, address: Address) -> None:
        port = _port_of(url)
        if is_public(address):
            return
        allowed = origin_of(str(url)) in self._private_origins or (self._loopback_allowed and _is_loopback(address))
        if not allowed or port in self._child_ports or address.is_multicast or address.is_unspecified:
            raise ForbiddenAddress(
                f"{_shown(url)} is at {address}, which this node does not fetch.",
                fix="A private origin must be named in CITYNODE_PRIVATE_ORIGINS.",
            )


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ForbiddenAddress(f"This is no address: {url[:200]!r}.", fix="Give an http or https address.") from error


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _shown(url: httpx.URL) -> str:
    """Give an address for a message, without secrets: no user, no query."""
    return f"{url.scheme}://{url.raw_host.decode() or '?'}{':' + str(url.port) if url.port else ''}{url.path}"[:200]


def _await(job: _Job, stop: threading.Event) -> Answer:
    """Wait for the worker; abandon it when stopped or late."""
    while not job.done.wait(min(_STEP_S, job.left_s)):
        if stop.is_set() or time.monotonic() >= job.deadline:
            _abandon(job)
            raise Stopped("The download was stopped.") if stop.is_set() else job.late()
    if job.error is not None:
        raise job.error
    assert job.answer is not None  # noqa: S101  (for the type checker: done means one of the two)
    return job.answer


def _abandon(job: _Job) -> None:
    job.abandoned.set()
    if job.stream is not None:
        # Wakes the worker out of a read, so that it can go.
        with contextlib.suppress(OSError):
            job.stream.shutdown(socket.SHUT_RDWR)


def _read(job: _Job, url: httpx.URL, response: httpx.Response) -> Answer | str:
    conditional = "If-None-Match" in job.headers or "If-Modified-Since" in job.headers
    if response.status_code in _REDIRECTS and "location" in response.headers:
        return response.headers["location"]
    if response.status_code == http.HTTPStatus.NOT_MODIFIED and conditional:
        return _answer(url, response, 0, "")
    if response.status_code != http.HTTPStatus.OK:
        raise _no_answer(url, response)
    announced = response.headers.get("content-length", "")
    total = int(announced) if announced.isascii() and announced.isdigit() else None
    if total is not None and total > job.max_bytes:
        raise _too_large(job)
    size, digest = _save(job, response, total)
    return _answer(url, response, size, digest)


def _answer(url: httpx.URL, response: httpx.Response, size: int, digest: str) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(
        status=response.status_code,
        url=str(url),
        media_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
        size=size,
        sha256=digest,
        not_modified=response.status_code == http.HTTPStatus.NOT_MODIFIED,
        headers=headers,
    )


def _no_answer(url: httpx.URL, response: httpx.Response) -> SourceUnreachable:
    try:
        phrase = http.HTTPStatus(response.status_code).phrase
    except ValueError:
        phrase = ""
    message = f"{_shown(url)} answered {response.status_code} {phrase}".strip()
    wait = response.headers.get("retry-after", "")[:40]
    if wait:
        unit = " s" if wait.isdigit() else ""
        return SourceUnreachable(f"{message}.", fix=f"It asks to be left alone until or for {wait}{unit}.")
    return SourceUnreachable(f"{message}.", fix="Check the address in a browser, or try later.")


def _save(job: _Job, response: httpx.Response, total: int | None) -> tuple[int, str]:
    """Write the decoded body beside `to`, then put it in place; gives its size and SHA-256."""
    part = job.to.with_name(f"{job.to.name}.{threading.get_ident()}.part")
    digest = hashlib.sha256()
    size = 0
    try:
        with part.open("wb") as file:
            for chunk in _decoded(job, response):
                size += _write(job, file, chunk, size)
                digest.update(chunk)
                if job.progress is not None:
                    job.progress(size, total)
        # Between the last look and the rename the caller may have left; it then owns `to` again.
        if job.abandoned.is_set():
            raise job.late()
        part.replace(job.to)
    finally:
        part.unlink(missing_ok=True)
    return size, digest.hexdigest()


def _write(job: _Job, file: BinaryIO, chunk: bytes, size: int) -> int:
    if job.abandoned.is_set() or time.monotonic() >= job.deadline:
        raise job.late()
    if size + len(chunk) > job.max_bytes:
        raise _too_large(job)
    return file.write(chunk)


def _decoded(job: _Job, response: httpx.Response) -> Iterator[bytes]:
    """Undo gzip ourselves, in pieces of bounded size: 200 kB can hold 200 MB."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    raw = _bounded(job, response.iter_raw(_CHUNK_BYTES))
    if encoding in ("", "identity"):
        yield from raw
    elif encoding in ("gzip", "x-gzip"):
        yield from _gunzipped(raw)
    else:
        raise SourceUnreachable(f"It answered in the coding {encoding[:40]}, which was not asked for.")


def _bounded(job: _Job, chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > job.max_bytes:
            raise _too_large(job)
        yield chunk


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    begun = False
    for chunk in chunks:
        waiting = chunk
        while waiting:
            if inflate.eof:  # several members, one behind the other, are one body
                inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            begun = True
            try:
                piece = inflate.decompress(waiting, _CHUNK_BYTES)
            except zlib.error as error:
                raise SourceUnreachable("Its gzip body is broken.", fix="Try again later.") from error
            waiting = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            if piece:
                yield piece
    if begun and not inflate.eof:
        raise SourceUnreachable("Its gzip body ends too early.", fix="Try again later.")


def _too_large(job: _Job) -> TooLarge:
    return TooLarge(f"The document has more than {job.max_bytes} bytes.", fix="Raise the limit, or ask for pages.")


def _translated(error: Exception, url: str) -> SourceUnreachable:
    """Say in our words what the HTTP library met."""
    where = _shown(_parsed(url)) if url else "The source"
    if isinstance(error, httpx.TimeoutException):
        return SourceUnreachable(f"{where} did not answer in time.", fix="Try again later.")
    if isinstance(error, httpx.RemoteProtocolError):
        return SourceUnreachable(f"{where} broke off or sent no proper HTTP: {error}.", fix="Try again later.")
    if isinstance(error, httpx.ConnectError):
        return SourceUnreachable(f"{where} cannot be reached: {error}.", fix="Check the address, or try later.")
    return SourceUnreachable(f"{where} gave no good answer: {error}.", fix="Try again later.")
