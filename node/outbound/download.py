"""Documents of portals into files: redirects followed by hand, a connection per document, the file whole or not at all.

Each redirect is checked like a first address. The document's size and SHA-256 are of its decoded body. A document may
take minutes and gigabytes, so nothing of it is kept in memory.
"""

import contextlib
import hashlib
import http
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from node.errors import ForbiddenAddress, SourceUnreachable, needs_room
from node.outbound.addresses import Address, Guard, origin_of, parsed, shown
from node.outbound.bodies import CHUNK_BYTES, bounded, decoded, too_large
from node.outbound.jobs import Job, translated
from node.outbound.tls import Certificates

_MAX_REDIRECTS = 5
_CONNECT_S = 10.0
_SILENCE_S = 60.0
_REDIRECTS = (301, 302, 303, 307, 308)
_CODINGS = ("gzip",)

Progress = Callable[[int, int | None], None]


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


@dataclass(slots=True)
class Wanted:
    """One download as it was asked for."""

    to: Path
    headers: dict[str, str]
    max_bytes: int
    progress: Progress | None
    job: Job[Answer]
    same_origin: bool = False


class Downloader:
    """Does the blocking part of downloads."""

    def __init__(self, guard: Guard, certificates: Certificates) -> None:
        self._guard = guard
        self._certificates = certificates

    def work(self, wanted: Wanted, url: str) -> None:
        """Download and leave the outcome in the job; nothing escapes into the thread."""
        job = wanted.job
        try:
            with needs_room():
                job.outcome = self._follow(wanted, url)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, ValueError) as error:
            job.error = translated(error, url)
        except BaseException as error:  # noqa: BLE001  (not swallowed: raised again in the caller's thread)
            job.error = error
        finally:
            job.done.set()

    def _follow(self, wanted: Wanted, url: str) -> Answer:
        for _ in range(_MAX_REDIRECTS + 1):
            here = parsed(url)
            self._guard.check(here)
            outcome = self._get(wanted, here)
            if isinstance(outcome, Answer):
                return outcome
            url = str(here.join(outcome))
            if wanted.same_origin and origin_of(url) != origin_of(str(here)):
                message = f"{shown(here)} redirects to another origin, which is not followed here."
                raise ForbiddenAddress(message, fix="Give the final address.")
        raise SourceUnreachable(f"It redirects more than {_MAX_REDIRECTS} times.", fix="Give the final address.")

    def _get(self, wanted: Wanted, url: httpx.URL) -> Answer | str:
        """Try the host's addresses in turn; give the answer, or where it redirects to."""
        addresses = self._guard.addresses(url)
        for address in addresses[:-1]:
            if wanted.job.abandoned.is_set():
                break
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._get_from(wanted, url, address)
        return self._get_from(wanted, url, addresses[-1])

    def _get_from(self, wanted: Wanted, url: httpx.URL, address: Address) -> Answer | str:
        job = wanted.job
        timeout = httpx.Timeout(min(_SILENCE_S, job.left_s), connect=min(_CONNECT_S, job.left_s))
        # The pinned address goes into the URL; name and certificate check stay with the host.
        request = httpx.Request(
            "GET",
            url.copy_with(host=str(address)),
            headers=wanted.headers | {"Host": url.netloc.decode()},
            extensions={"sni_hostname": url.raw_host.decode(), "timeout": timeout.as_dict()},
        )
        client = httpx.Client(verify=self._certificates.of(url.scheme), trust_env=False, follow_redirects=False)
        with client, contextlib.closing(client.send(request, stream=True)) as response:
            job.hold(response.extensions["network_stream"].get_extra_info("socket"))
            try:
                return _read(wanted, url, response)
            finally:
                job.hold(None)


def _read(wanted: Wanted, url: httpx.URL, response: httpx.Response) -> Answer | str:
    conditional = "If-None-Match" in wanted.headers or "If-Modified-Since" in wanted.headers
    if response.status_code in _REDIRECTS and "location" in response.headers:
        return response.headers["location"]
    if response.status_code == http.HTTPStatus.NOT_MODIFIED and conditional:
        return _answer(url, response, 0, "")
    if response.status_code != http.HTTPStatus.OK:
        raise _no_answer(url, response)
    announced = response.headers.get("content-length", "")
    total = int(announced) if announced.isascii() and announced.isdigit() else None
    if total is not None and total > wanted.max_bytes:
        raise too_large(wanted.max_bytes)
    size, digest = _save(wanted, response, total)
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
    message = f"{shown(url)} answered {response.status_code} {phrase}".strip()
    wait = response.headers.get("retry-after", "")[:40]
    if wait:
        unit = " s" if wait.isdigit() else ""
        return SourceUnreachable(f"{message}.", fix=f"It asks to be left alone until or for {wait}{unit}.")
    return SourceUnreachable(f"{message}.", fix="Check the address in a browser, or try later.")


def _save(wanted: Wanted, response: httpx.Response, total: int | None) -> tuple[int, str]:
    """Write the decoded body beside `to`, then put it in place; gives its size and SHA-256."""
    part = wanted.to.with_name(f"{wanted.to.name}.{threading.get_ident()}.part")
    digest = hashlib.sha256()
    size = 0
    try:
        with part.open("wb") as file:
            for chunk in _pieces(wanted, response):
                size += _write(wanted, file, chunk, size)
                digest.update(chunk)
                if wanted.progress is not None:
                    wanted.progress(size, total)
        # Between the last look and the rename the caller may have left; it then owns `to` again.
        if wanted.job.abandoned.is_set():
            raise wanted.job.late()
        part.replace(wanted.to)
    finally:
        part.unlink(missing_ok=True)
    return size, digest.hexdigest()


def _pieces(wanted: Wanted, response: httpx.Response) -> Iterator[bytes]:
    raw = bounded(response.iter_raw(CHUNK_BYTES), wanted.max_bytes)
    return decoded(response.headers.get("content-encoding", ""), raw, codings=_CODINGS)


def _write(wanted: Wanted, file: BinaryIO, chunk: bytes, size: int) -> int:
    wanted.job.check()
    if size + len(chunk) > wanted.max_bytes:
        raise too_large(wanted.max_bytes)
    return file.write(chunk)
