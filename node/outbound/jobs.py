"""Waiting for a blocking exchange that can be abandoned: what the waiting and the working thread tell each other.

Name lookups cannot be interrupted, so the blocking part happens in a daemon thread. When the caller's time is up or its
stop event set, the worker's socket is shut down, which wakes it out of a read, and the caller goes on without it.
"""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import httpx

from node.errors import NodeError, PeerUnreachable, SourceUnreachable, Stopped
from node.outbound.addresses import parsed, shown

STEP_S = 0.05
T = TypeVar("T")


@dataclass(slots=True)
class Job(Generic[T]):
    """One exchange under way; `held` is the worker's socket while it has one, guarded by `lock`."""

    deadline: float
    deadline_s: float
    unreachable: type[SourceUnreachable] = SourceUnreachable
    abandoned: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    held: socket.socket | None = None
    outcome: T | None = None
    error: BaseException | None = None

    @property
    def left_s(self) -> float:
        """Give the seconds left, never 0."""
        return max(self.deadline - time.monotonic(), 0.001)

    @property
    def is_late(self) -> bool:
        """Tell whether time is up."""
        return time.monotonic() >= self.deadline

    def late(self) -> SourceUnreachable:
        """Say that time was up."""
        return self.unreachable(f"The answer was not complete within {self.deadline_s:g} s.", fix="Try again later.")

    def check(self) -> None:
        """Leave the worker's loop when nobody waits any more. Raises what `late` gives."""
        if self.abandoned.is_set() or self.is_late:
            raise self.late()

    def hold(self, stream: socket.socket | None) -> None:
        """Name the socket that `abandon` may shut down; None takes it back."""
        with self.lock:
            self.held = stream
            if stream is not None and self.abandoned.is_set():
                _shut(stream)

    def abandon(self) -> None:
        """Wake the worker out of a read, so that it can go."""
        with self.lock:
            self.abandoned.set()
            if self.held is not None:
                _shut(self.held)


def _shut(stream: socket.socket) -> None:
    # The plain method: that of a TLS socket would pull the session away under the thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(stream, socket.SHUT_RDWR)


def awaited(job: Job[T], stop: threading.Event | None) -> T:
    """Wait for the worker; abandon it when stopped or late.

    Raises:
        Stopped: `stop` was set.
        SourceUnreachable: Time was up; else whatever the worker met.
    """
    while not job.done.wait(min(STEP_S, job.left_s)):
        if _is_set(stop) or job.is_late:
            job.abandon()
            raise Stopped("The request was stopped.") if _is_set(stop) else job.late()
    if job.error is not None:
        raise job.error
    assert job.outcome is not None  # noqa: S101  (for the type checker: done means one of the two)
    return job.outcome


def _is_set(stop: threading.Event | None) -> bool:
    return stop is not None and stop.is_set()


def translated(error: Exception, url: str, kind: type[SourceUnreachable] = SourceUnreachable) -> NodeError:
    """Say in our words what the HTTP library met."""
    where = shown(parsed(url)) if url else "The source"
    if isinstance(error, httpx.TimeoutException):
        return kind(f"{where} did not answer in time.", fix="Try again later.")
    if isinstance(error, httpx.RemoteProtocolError):
        return kind(f"{where} broke off or sent no proper HTTP: {error}.", fix="Try again later.")
    if isinstance(error, httpx.ConnectError):
        return kind(f"{where} cannot be reached: {error}.", fix="Check the address, or try later.")
    return kind(f"{where} gave no good answer: {error}.", fix="Try again later.")


def as_peer(error: BaseException) -> BaseException:
    """Turn what the shared parts raise for a portal into what is said of a peer."""
    if type(error) is SourceUnreachable:
        return PeerUnreachable(error.message, fix=error.fix)
    return error
