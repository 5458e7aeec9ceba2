"""A proxy between nodes that makes the network as bad as a test wants it, and counts what it did.

A node's base URL is its public identity, so the proxy's address is the base URL and the node listens behind it:
`citynode init --base-url http://127.0.0.1:{proxy.port}`, `citynode run --port {behind}`. Everything peers say to that
node then passes here. At most one fault falls on one exchange; which one is drawn from the seed and the number of the
exchange, so that the same order of requests meets the same faults. Faults may be changed at any time, from any thread.
Data that move (paths that `streams` finds) pass piece by piece, at the pace of whoever is slower; all else is read
whole first. Loopback only; one thread accepts, one serves each connection, and all have ended when the `with` has.
"""

import contextlib
import http.client
import random
import re
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import BinaryIO, Self

from node.testing.tunnel import Harm, Tunnel
from node.testing.wire import Answer, Request, WireError, read_body, read_head

LOOPBACK = "127.0.0.1"
NODE_TIMEOUT_S = 120
DRIP_PIECES = 40
MAX_KEPT_PATHS, MAX_KEPT_EACH, MAX_KEPT_BYTES = 500, 6, 4 << 20
MAX_EXCHANGES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How large a share of the exchanges each fault falls on, from 0 (none) to 1 (all); together at most 1.

    A fault that needs a body (`cut`, `corrupt`, `drip`) or an earlier answer (`replay`) spares the exchanges that have
    none. Nothing is ever counted that did not happen.

    Attributes:
        refuse: The connection is reset and the node never sees the request.
        cut: The body ends somewhere in its middle, the length in the head notwithstanding.
        corrupt: One byte of the body is another. In half of the cases the node is asked for the body uncompressed, so
            that the byte is one of the content and not only of its coding.
        replay: An earlier answer to the same path, whatever its query was.
        drip: The body takes `drip_s`.
        delay: The answer comes `delay_s` later.
        paths: Only requests whose path (without the query) this regular expression finds are touched.
        reach: How far into a body that is streamed the cut or the other byte lies at most, in bytes.
    """

    refuse: float = 0.0
    cut: float = 0.0
    corrupt: float = 0.0
    replay: float = 0.0
    drip: float = 0.0
    delay: float = 0.0
    drip_s: float = 2.0
    delay_s: float = 0.5
    paths: str = ""
    reach: int = 4 << 20

    def __post_init__(self) -> None:
        shares = [self.share(kind) for kind in KINDS]
        if any(not 0 <= share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
            raise ValueError("shares are from 0 to 1, and together at most 1")

    def share(self, kind: str) -> float:
        """Give the share of one kind of fault."""
        return float(getattr(self, kind))

    def drawn(self, number: float, path: str) -> str:
        """Say which fault a number from 0 to 1 stands for; empty for none."""
        if self.paths and not re.search(self.paths, path):
            return ""
        for kind in KINDS:
            number -= self.share(kind)
            if number < 0:
                return kind
        return ""


KINDS = tuple(one.name for one in fields(Faults) if one.name not in ("drip_s", "delay_s", "paths", "reach"))
HEALTHY = Faults()
GONE = Faults(refuse=1.0)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it. `status` is 0 if the caller got no answer; `sent_bytes` is body alone."""

    method: str
    target: str
    status: int
    sent_bytes: int
    fault: str


class FaultProxy:
    """Stands before one node. `counts` has every fault that fell, `passed`, and `away` (the node did not answer)."""

    def __init__(
        self, behind: int, *, seed: int = 0, port: int = 0, faults: Faults = HEALTHY, streams: str = r"^/data/"
    ) -> None:
        self.behind = behind
        self.faults = faults
        self.port = port
        self.counts: Counter[str] = Counter()
        self.exchanges: deque[Exchange] = deque(maxlen=MAX_EXCHANGES)
        self._seed, self._number = seed, 0
        self._streams = re.compile(streams)
        self._earlier: dict[str, deque[Answer]] = {}
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._callers: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._door: socket.socket | None = None

    @property
    def url(self) -> str:
        """Give the address peers know; it is the node's base URL."""
        return f"http://{LOOPBACK}:{self.port}"

    def __enter__(self) -> Self:
        self._door = socket.create_server((LOOPBACK, self.port))
        self.port = int(self._door.getsockname()[1])
        self._spawn(self._accept, self._door)
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        with self._lock:
            open_ones = [*self._callers, *([self._door] if self._door else [])]
            threads = list(self._threads)
        for one in open_ones:
            # Closing alone does not wake a thread that waits on the socket.
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)
        if self._door:
            self._door.close()

    def heal(self) -> None:
        """End all faults from the next request on."""
        self.faults = HEALTHY

    # ------------------------------------------------------------ connections

    def _spawn(self, what: Callable[[socket.socket], None], connection: socket.socket) -> None:
        def run() -> None:
            try:
                what(connection)
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=f"fault proxy {self.port}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _accept(self, door: socket.socket) -> None:
        while not self._leaving.is_set():
            try:
                caller, _ = door.accept()
            except OSError:
                return
            self._spawn(self._serve, caller)

    def _serve(self, caller: socket.socket) -> None:
        with self._lock:
            self._callers.add(caller)
        node = http.client.HTTPConnection(LOOPBACK, self.behind, timeout=NODE_TIMEOUT_S)
        try:
            with caller, caller.makefile("rb") as incoming, contextlib.suppress(OSError, WireError):
                while not self._leaving.is_set() and (head := read_head(incoming)) is not None:
                    if self._streams.search(head.path):
                        self._stream(caller, incoming, head)
                        return
                    request = read_body(incoming, head)
                    if not self._exchange(caller, node, request) or request.wants_close:
                        return
        finally:
            node.close()
            with self._lock:
                self._callers.discard(caller)

    # ------------------------------------------------------------ one exchange

    def _stream(self, caller: socket.socket, incoming: BinaryIO, head: Request) -> None:
        """Carry one request and its answer piece by piece; the connection ends with it."""
        chance, faults = self._draw(), self.faults
        fault = faults.drawn(chance.random(), head.path)
        if fault == "refuse":
            self._note(head, 0, 0, fault)
            _reset(caller)
            return
        if fault == "delay":
            self._leaving.wait(faults.delay_s)
        harm = Harm(fault, chance.randrange(faults.reach), chance.randint(1, 255), faults.drip_s)
        tunnel = Tunnel(caller, incoming, head, harm, self._leaving)
        with self._lock:
            self._callers.add(tunnel.node)
        try:
            carried = tunnel.carry(self.behind)
        finally:
            with self._lock:
                self._callers.discard(tunnel.node)
        fell = fault if fault == "delay" or harm.fell else "" if carried.status else "away"
        self._note(head, carried.status, carried.sent_bytes, fell)
        if not carried.status:
            _reset(caller)

    def _exchange(self, caller: socket.socket, node: http.client.HTTPConnection, request: Request) -> bool:
        """Carry one request and its answer; say whether the connection can be used for another."""
        chance, faults = self._draw(), self.faults
        fault = faults.drawn(chance.random(), request.path)
        plain = fault == "corrupt" and chance.random() < 0.5
        answer = None
        if fault != "refuse":
            answer = _ask(node, request.without("accept-encoding") if plain else request)
            fault = fault if answer else "away"
        if answer is None:
            self._note(request, 0, 0, fault)
            _reset(caller)
            return False
        answer, fault = self._bent(answer, fault, request, chance)
        body = answer.body[: chance.randrange(len(answer.body))] if fault == "cut" else answer.body
        # Noted first: whoever has read the answer finds it counted.
        self._note(request, answer.status, len(body), fault)
        if fault == "delay":
            self._leaving.wait(faults.delay_s)
        caller.sendall(answer.head(request))
        self._send(caller, body, faults.drip_s if fault == "drip" else 0.0)
        return fault != "cut"

    def _draw(self) -> random.Random:
        with self._lock:
            self._number += 1
            return random.Random(f"{self._seed}/{self._number}")  # noqa: S311 (faults, not secrets)

    def _note(self, request: Request, status: int, sent: int, fault: str) -> None:
        with self._lock:
            self.counts[fault or "passed"] += 1
            self.exchanges.append(Exchange(request.method, request.target, status, sent, fault))

    def _bent(self, answer: Answer, fault: str, request: Request, chance: random.Random) -> tuple[Answer, str]:
        """Put another byte or another answer in its place; a fault that this exchange cannot have becomes none."""
        if fault == "replay":
            earlier = [one for one in self._earlier.get(request.path, ()) if one.body != answer.body]
            return (chance.choice(earlier), fault) if earlier and request.method == "GET" else (answer, "")
        self._keep(answer, request)
        if fault in ("cut", "corrupt", "drip") and not answer.body:
            return answer, ""
        return (answer.saying(_another_byte(answer.body, chance)), fault) if fault == "corrupt" else (answer, fault)

    def _keep(self, answer: Answer, request: Request) -> None:
        if request.method != "GET" or answer.status != 200 or len(answer.body) > MAX_KEPT_BYTES:
            return
        with self._lock:
            if len(self._earlier) < MAX_KEPT_PATHS or request.path in self._earlier:
                self._earlier.setdefault(request.path, deque(maxlen=MAX_KEPT_EACH)).append(answer)

    def _send(self, caller: socket.socket, body: bytes, lasting_s: float) -> None:
        """Send a body at once, or piece by piece over so many seconds."""
        step = max(1, len(body) // DRIP_PIECES if lasting_s else len(body))
        pieces = range(0, len(body), step)
        for start in pieces:
            caller.sendall(body[start : start + step])
            if lasting_s and self._leaving.wait(lasting_s / len(pieces)):
                return


def _ask(node: http.client.HTTPConnection, request: Request) -> Answer | None:
    """Hand the request to the node; None if it does not answer. A kept connection that has gone stale is made anew."""
    was_open = node.sock is not None
    try:
        return _asked(node, request)
    except (OSError, http.client.HTTPException):
        node.close()
    # A POST might have been heard: only what changes nothing is said twice.
    if not was_open or request.method not in ("GET", "HEAD"):
        return None
    try:
        return _asked(node, request)
    except (OSError, http.client.HTTPException):
        node.close()
        return None


def _asked(node: http.client.HTTPConnection, request: Request) -> Answer:
    node.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers:
        if name.lower() not in ("connection", "transfer-encoding", "content-length", "keep-alive"):
            node.putheader(name, value)
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        node.putheader("Content-Length", str(len(request.body)))
    node.endheaders(request.body or None)
    with node.getresponse() as response:
        body = response.read()
        return Answer(response.status, response.reason, tuple(response.getheaders()), body)


def _another_byte(body: bytes, chance: random.Random) -> bytes:
    where = chance.randrange(len(body))
    return body[:where] + bytes([body[where] ^ chance.randint(1, 255)]) + body[where + 1 :]


def _reset(caller: socket.socket) -> None:
    """Close with a reset, as a machine does that has no such service."""
    with contextlib.suppress(OSError):
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
