"""Connections that stay open between requests, few and never for another host: the pool under `Outbound.ask`.

A *lane* is at most one connection to one checked address of one origin, so a connection whose certificate was checked
for one name is never used for another at the same address. Lanes close after a few seconds of silence (before the other
side does), and when the answer of the resolver they came from is too old. Safe to share by threads.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from node.outbound.addresses import Address, Guard, origin_of
from node.outbound.jobs import STEP_S
from node.outbound.tls import Certificates

PER_ORIGIN = 2
_IDLE_S = 4.0  # the usual server closes after five
_PIN_S = 60.0
_MAX_IDLE = 32
_MAX_PINS = 1024


class Lane:
    """One connection at most, and the socket under it while there is one."""

    def __init__(self, origin: str, address: Address, certificates: Certificates, scheme: str) -> None:
        self.origin = origin
        self.address = address
        self.used_at = time.monotonic()
        self.served = 0
        self.stream: Any = None
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_IDLE_S)
        self._transport = httpx.HTTPTransport(verify=certificates.of(scheme), trust_env=False, limits=limits)

    def send(self, request: httpx.Request, opened: Callable[[Any], None]) -> httpx.Response:
        """Send and give the response, its body unread; `opened` hears of each socket before anything is said on it."""

        def trace(event: str, info: Mapping[str, Any]) -> None:
            if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                self.stream = info["return_value"].get_extra_info("socket")
                opened(self.stream)

        request.extensions["trace"] = trace
        if self.stream is not None:
            opened(self.stream)
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(httpx.HTTPError, OSError, RuntimeError):
            self._transport.close()


@dataclass(slots=True)
class _Gate:
    """How many may ask one origin at once, and how many hold on to this gate."""

    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(PER_ORIGIN))
    users: int = 0


class Lanes:
    """Every open connection, by origin and address; and who may use how many at once."""

    def __init__(self, guard: Guard, certificates: Certificates) -> None:
        self._guard = guard
        self._certificates = certificates
        self._lock = threading.Lock()
        self._idle: list[Lane] = []  # the longest unused first
        self._gates: dict[str, _Gate] = {}
        self._pins: dict[str, tuple[float, list[Address]]] = {}

    def enter(self, origin: str, left_s: Callable[[], float], gone: Callable[[], bool]) -> bool:
        """Wait for a place among those who ask this origin; False when time is up or the caller has gone.

        Whoever gets a place gives it back with `leave`.
        """
        with self._lock:
            gate = self._gates.setdefault(origin, _Gate())
            gate.users += 1
        while not gone() and left_s() > 0:
            if gate.places.acquire(timeout=max(0, min(STEP_S, left_s()))):
                return True
        self._release(origin, gate)
        return False

    def leave(self, origin: str) -> None:
        """Give a place back."""
        gate = self._gates[origin]
        gate.places.release()
        self._release(origin, gate)

    def _release(self, origin: str, gate: _Gate) -> None:
        with self._lock:
            gate.users -= 1
            if not gate.users:
                self._gates.pop(origin, None)

    def addresses(self, url: httpx.URL) -> list[Address]:
        """Give the checked addresses of a host; blocks when the last answer is older than a minute."""
        origin, now = origin_of(str(url)), time.monotonic()
        with self._lock:
            pin = self._pins.get(origin)
        if pin is not None and pin[0] > now:
            return pin[1]
        found = self._guard.addresses(url)
        with self._lock:
            if len(self._pins) >= _MAX_PINS:
                self._pins = {name: kept for name, kept in self._pins.items() if kept[0] > now}
            if len(self._pins) < _MAX_PINS:
                self._pins[origin] = (now + _PIN_S, found)
        return found

    def free(self, origin: str, addresses: list[Address]) -> Lane | None:
        """Take an open connection to one of these addresses, if there is any; closes what has been idle for long."""
        self._sweep()
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                lane = self._idle[place]
                if lane.origin == origin and lane.address in addresses:
                    return self._idle.pop(place)
        return None

    def new(self, origin: str, address: Address, scheme: str) -> Lane:
        """Make a lane; it connects when it is first used."""
        return Lane(origin, address, self._certificates, scheme)

    def put_back(self, lane: Lane) -> None:
        """Keep a lane whose answer was read to its end."""
        lane.used_at = time.monotonic()
        lane.served += 1
        with self._lock:
            self._idle.append(lane)
        self._sweep()

    def _sweep(self) -> None:
        for lane in self._outlived():
            lane.close()

    def _outlived(self) -> Iterator[Lane]:
        before = time.monotonic() - _IDLE_S
        with self._lock:
            extra = max(0, len(self._idle) - _MAX_IDLE)
            old = [lane for place, lane in enumerate(self._idle) if place < extra or lane.used_at < before]
            if old:
                self._idle = [lane for lane in self._idle if lane not in old]
        return iter(old)

    def __del__(self) -> None:
        """Leave no open socket behind when nobody knows the door any more."""
        self.close()

    def close(self) -> None:
        """Close what is idle; what is in use is closed by its user."""
        with self._lock:
            idle, self._idle = self._idle, []
        for lane in idle:
            lane.close()
