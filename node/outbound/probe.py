"""Looks at the way to a host without asking it anything: its checked addresses, and whether its certificate holds.

For a person who wants to know which step fails. Same guard, same certificates, same bounds as every request; the
connection is closed before a byte of HTTP is said.
"""

import socket
import ssl
import threading
from collections.abc import Callable
from typing import TypeVar

import httpx

from node.errors import PeerUnreachable
from node.outbound.addresses import Address, Guard, port_of, shown
from node.outbound.jobs import Job, as_peer, awaited
from node.outbound.tls import Certificates

T = TypeVar("T")
_CONNECT_S = 5.0


def addresses(guard: Guard, url: httpx.URL, job: Job[list[Address]]) -> list[Address]:
    """Resolve and check, within the job's time."""
    return _done(job, lambda: guard.addresses(url))


def shake_hands(certificates: Certificates, url: httpx.URL, found: list[Address], job: Job[str]) -> str:
    """Connect to one of these addresses; give the version of TLS, or `none` for plain http."""

    def connect() -> str:
        last: Exception | None = None
        for address in found:
            try:
                return _version(certificates, url, address, min(_CONNECT_S, job.left_s))
            except ssl.SSLError as error:
                raise PeerUnreachable(f"TLS with {shown(url)} fails: {error}.", fix="See its certificate.") from error
            except OSError as error:
                last = error
        raise PeerUnreachable(f"{shown(url)} cannot be reached: {last}.", fix="Check the address, or try later.")

    return _done(job, connect)


def _version(certificates: Certificates, url: httpx.URL, address: Address, timeout_s: float) -> str:
    with socket.create_connection((str(address), port_of(url)), timeout=timeout_s) as stream:
        if url.scheme != "https":
            return "none"
        context = certificates.of("https")
        with context.wrap_socket(stream, server_hostname=url.raw_host.decode()) as secure:
            return secure.version() or "TLS"


def _done(job: Job[T], work: Callable[[], T]) -> T:
    def run() -> None:
        try:
            job.outcome = work()
        except BaseException as error:  # noqa: BLE001  (not swallowed: raised again in the caller's thread)
            job.error = as_peer(error)
        finally:
            job.done.set()

    threading.Thread(target=run, name="outbound", daemon=True).start()
    return awaited(job, None)
