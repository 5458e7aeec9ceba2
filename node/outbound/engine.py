"""The client of a triple store's engine: SPARQL 1.1 Protocol over connections that are kept, to one address.

The engine is a child of this node at a loopback port that it chose itself and wrote down (`tell`), or the operator's
own at an address from the settings; so no guard of addresses stands here, and no redirect is ever followed. An answer
is read whole, under a bound of bytes and one deadline for everything. What would surprise: a query that is late is not
over. Engines cannot be told to stop: whoever asked waits for the end of the `Exchange` elsewhere, or ends the engine.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from node.errors import Malformed, Misconfigured, NodeError, Unavailable

QUERY, UPDATE, NQUADS = "application/sparql-query", "application/sparql-update", "application/n-quads"
CHUNK_BYTES = 64 * 1024
_CONNECT_S = 5.0
_REACH_S = 5.0  # so long may an engine take to come back
_IDLE_S = 20.0
_MAX_IDLE = 4
_STALE_S = 0.5  # a kept connection that fails so soon was closed before our question came
_LOOK_S = 0.02
_REFUSAL_BYTES = 4_096
# What an engine writes behind a part of the answer when it gives up; the status it had sent before.
_GAVE_UP = (b"The SPARQL operation has been cancelled",)

_LAST_PIECE, _REFUSALS = b"\r\n0\r\n\r\n", (b"HTTP/1.1 4", b"HTTP/1.1 5")

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine is: its endpoints, and the process behind them if it is a child of ours."""

    query_url: str
    update_url: str
    load_url: str = ""  # takes N-Quads without a transaction; empty where the protocol has nothing of the kind
    pid: int = 0
    born: str = ""  # another word where the store was made anew


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of status 200."""

    media_type: str
    body: bytes


Find = Callable[[], Address | None]


def tell(path: Path, *, port: int, pid: int, born: str) -> None:
    """Write down where a child listens; the file appears whole."""
    part = path.with_name(f"{path.name}.{pid}.part")
    part.write_text(json.dumps({"port": port, "pid": pid, "born": born}))
    part.replace(path)


def child_at(path: Path) -> Address | None:
    """Read where a child listens; None while it has not said so."""
    try:
        told = json.loads(path.read_text())
        port, pid, born = int(told["port"]), int(told["pid"]), str(told["born"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    base = f"http://127.0.0.1:{port}"
    return Address(f"{base}/query", f"{base}/update", f"{base}/store?no_transaction", pid, born)


# How a child is ended on purpose: a signal that it does not know and that nothing else sends, so that whoever keeps it
# alive can tell this from a death.
END = signal.SIGUSR1


def end_child(path: Path, pid: int) -> None:
    """End a child whose query cannot be stopped otherwise; whoever keeps it alive starts it again at once.

    Its address goes first, so that the others who were asking it know that it was none of their doing.
    """
    found = child_at(path)
    if found is None or found.pid != pid or not _is_at(pid, urlsplit(found.query_url).netloc):
        return
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.kill(pid, END)


def _is_at(pid: int, where: str) -> bool:
    """Tell whether a process is the one that was told to listen there: numbers of processes come again."""
    try:
        return where.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _other_end(stream: socket.socket) -> str:
    """Find the number of the socket at the other end of a connection within this machine; empty if it is not seen."""
    try:
        ours, theirs = stream.getsockname(), stream.getpeername()
        ends = [f":{theirs[1]:04X}", f":{ours[1]:04X}"]
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = row.split()
            if [words[1][8:], words[2][8:]] == ends:
                return f"socket:[{words[9]}]"
    except OSError:
        pass
    return ""


def _holds(pid: int, held: str) -> bool:
    """Tell whether a process has a socket."""
    with contextlib.suppress(OSError):
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(each.readlink()) == held:
                    return True
    return False


class ChildPorts:
    """The ports of children as they are now: what is never fetched, however an address is spelt."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Take the files in which children say where they listen."""
        self._paths = paths

    def __contains__(self, port: object) -> bool:
        """Look into the files."""
        return any(urlsplit(found.query_url).port == port for path in self._paths if (found := child_at(path)))


class LostError(Exception):
    """The engine went away before the answer was whole; `address` is where it was. For whoever asked the engine."""

    def __init__(self, address: Address) -> None:
        super().__init__("the engine went away")
        self.address = address


class LateError(Exception):
    """Time was up; the engine may still be at it: `exchange` has to be seen to its end. For whoever asked."""

    def __init__(self, exchange: "Exchange") -> None:
        super().__init__("the engine is late")
        self.exchange = exchange


class LargeError(Exception):
    """The answer is larger than was asked for; the engine may still be at it: `exchange` has to be stopped."""

    def __init__(self, exchange: "Exchange") -> None:
        super().__init__("the answer is too large")
        self.exchange = exchange


class _Line:
    """One connection."""

    def __init__(self, scheme: str, netloc: str, timeout_s: float) -> None:
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        self.where = (scheme, netloc)
        self.http = kind(netloc, timeout=min(_CONNECT_S, timeout_s))
        self.http.connect()
        stream = self.http.sock
        # Head and body go out in two parts; with Nagle's algorithm the second waits for the first one's receipt.
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = stream
        self.used_at = 0.0

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.http.close()


class OverloadedError(Exception):
    """The engine says that it cannot answer just now, for want of memory or threads. For whoever asked the engine.

    What it says is for the log alone; `short` if the system refused it something, which passes.
    """

    def __init__(self, said: str, *, short: bool) -> None:
        super().__init__(said)
        self.short = short


class Exchange:
    """One question under way."""

    def __init__(self, engine: "Engine", address: Address, line: _Line, deadline: float) -> None:
        self.address = address
        self._engine, self._line, self._deadline = engine, line, deadline
        self._response: http.client.HTTPResponse | None = None

    def send(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send the question. Raises what the socket raises, as all of these do."""
        self._patience()
        self._line.http.request("POST", path, body=body, headers=dict(headers))

    def begin(self) -> http.client.HTTPResponse:
        """Wait for the head of the answer."""
        self._patience()
        self._response = self._line.http.getresponse()
        return self._response

    def read(self, max_bytes: int) -> bytes:
        """Read the body. Raises LargeError, and what the socket raises."""
        response, parts, left = self._response, [], max_bytes
        assert response is not None  # noqa: S101  (`begin` came before)
        while True:
            self._patience()
            part = response.read1(CHUNK_BYTES)
            if not part:
                break
            left -= len(part)
            if left < 0:
                raise LargeError(self)
            parts.append(part)
        if response.length:  # fewer bytes than were announced
            raise http.client.IncompleteRead(b"")
        response.close()  # the connection is free again; an empty body would leave that open
        return b"".join(parts)

    def read_some(self, most: int) -> bytes:
        """Read the beginning of a refusal, of which nothing else is wanted."""
        self._patience()
        assert self._response is not None  # noqa: S101  (`begin` came before)
        return self._response.read(most)

    def keep(self) -> None:
        """Keep the connection, if the other side does."""
        if self._response is not None and not self._response.will_close:
            self._engine.put_back(self._line)
        else:
            self._line.close()

    def drop(self) -> None:
        """Close the connection; an answer that is read half would keep it open."""
        if self._response is not None:
            self._response.close()
        self._line.close()

    def see_off(self, within_s: float) -> bool:
        """Wait until the engine is done with a question that nobody waits for any more; False if it is not in time.

        What comes is thrown away. An answer ends with its last piece, or with the connection; a refusal comes at once.
        """
        until, tail = time.monotonic() + within_s, b""
        try:
            while (left := until - time.monotonic()) > 0:
                self._line.stream.settimeout(left)
                part = self._line.stream.recv(CHUNK_BYTES)
                tail = (tail + part)[-CHUNK_BYTES:]
                if not part or tail.endswith(_LAST_PIECE) or tail.startswith(_REFUSALS):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self.drop()
        return False

    def stop(self, within_s: float) -> bool:
        """Close the connection and wait until the engine has let go of it, which it does when it writes to it next.

        False if it has not in time. Of an engine that is no child of ours nothing can be seen: it is left alone.
        """
        until, pid = time.monotonic() + within_s, self.address.pid
        held = _other_end(self._line.stream) if pid else ""
        self.drop()
        while held and _holds(pid, held):
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_S)
        return True

    def _patience(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._line.stream.settimeout(left)


class Engine:
    """Asks one engine. Safe to share by threads; no more connections than questions at once."""

    def __init__(self, find: Find) -> None:
        """Ask the engine that `find` tells of; it is asked before each question, since a child may have moved."""
        self._find = find
        self._idle: list[_Line] = []
        self._lock = threading.Lock()

    @property
    def address(self) -> Address | None:
        """Give where the engine is now; None while it has not said."""
        return self._find()

    def query(self, query: str, *, accept: str, params: Params = (), deadline_s: float, max_bytes: int) -> Answer:
        """Ask and give the whole answer.

        Args:
            query: SPARQL; who may ask what was decided before.
            accept: The media type that is wanted.
            params: Parameters of the protocol, such as the dataset.
            deadline_s: For everything together, waiting for an engine that just starts included.
            max_bytes: Of the answer.

        Raises:
            Malformed: The engine cannot read the query; the message is the engine's.
            LargeError: The answer is larger.
            LateError: Time was up.
            LostError: The engine went away meanwhile.
            OverloadedError: It says that it cannot answer now.
            Unavailable: It cannot be reached, or gave up.
        """
        headers = {"Content-Type": QUERY, "Accept": accept}
        return self._asked("query_url", params, headers, query.encode(), deadline_s, max_bytes)

    def update(self, update: bytes, *, deadline_s: float) -> None:
        """Change the store, all or nothing. Raises Malformed, and Unavailable for everything else."""
        self._told("update_url", {"Content-Type": UPDATE}, update, deadline_s)

    def load(self, nquads: bytes, *, deadline_s: float) -> None:
        """Add quads without a transaction: the quickest way, after which a part may be there if it failed.

        Raises:
            Misconfigured: This engine has no such way; look at `address` first.
            Malformed: It cannot read them.
            Unavailable: It did not take them, or not in time.
        """
        self._told("load_url", {"Content-Type": NQUADS}, nquads, deadline_s)

    def put_back(self, line: _Line) -> None:
        """Keep a connection."""
        line.used_at = time.monotonic()
        with self._lock:
            self._idle.append(line)
            extra = [self._idle.pop(0)] if len(self._idle) > _MAX_IDLE else []
        for each in extra:
            each.close()

    def close(self) -> None:
        """Close what is kept; the engine may be asked again afterwards."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _told(self, door: str, headers: Mapping[str, str], body: bytes, deadline_s: float) -> None:
        """Say something that changes the store, and never say it twice.

        What is said again while the engine is still at the first could be done after something that came later. The
        connection is kept all the same: an engine holds the threads of one for seconds after it was closed.
        """
        exchange, _, path = self._open(door, (), time.monotonic() + deadline_s, kept=True)
        whole = False
        try:
            self._over(exchange, path, headers, body, _REFUSAL_BYTES)
            whole = True
        except LargeError:
            raise Unavailable("The triple store answers a change with more than it should.") from None
        except TimeoutError:
            raise Unavailable(f"The triple store took more than {deadline_s:g} s for a change.") from None
        except OverloadedError as error:
            raise Unavailable(f"The triple store does not take a change: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable("The triple store was started anew while it was written.") from error
        finally:
            (exchange.keep if whole else exchange.drop)()

    def _asked(
        self, door: str, params: Params, headers: Mapping[str, str], body: bytes, deadline_s: float, max_bytes: int
    ) -> Answer:
        deadline, kept = time.monotonic() + deadline_s, True
        while True:
            exchange, fresh, path = self._open(door, params, deadline, kept=kept)
            begun = time.monotonic()
            try:
                answer = self._over(exchange, path, headers, body, max_bytes)
            except TimeoutError:
                raise LateError(exchange) from None
            except LargeError:
                raise
            except (NodeError, OverloadedError):
                exchange.drop()
                raise
            except (OSError, http.client.HTTPException) as error:
                exchange.drop()
                if fresh or time.monotonic() - begun > _STALE_S:
                    raise LostError(exchange.address) from error
                kept = False  # it was closed while it lay idle: ask again over a new one
            else:
                exchange.keep()
                return answer

    def _over(self, exchange: Exchange, path: str, headers: Mapping[str, str], body: bytes, max_bytes: int) -> Answer:
        exchange.send(path, headers, body)
        response = exchange.begin()
        good = response.status in (200, 201, 204)
        if not good:
            raise _refusal(response.status, exchange.read_some(_REFUSAL_BYTES))
        told = exchange.read(max_bytes)
        if told.endswith(_GAVE_UP):
            raise Unavailable("The triple store gave up on this query.", fix="Narrow it, or add LIMIT.")
        return Answer(response.headers.get("content-type", "").partition(";")[0].strip().lower(), told)

    def _open(self, door: str, params: Params, deadline: float, *, kept: bool) -> tuple[Exchange, bool, str]:
        """Give a connection, whether it is a new one, and the path to ask; waits for an engine that just starts."""
        until = min(deadline, time.monotonic() + _REACH_S)
        while True:
            address = self._find()
            if address is not None:
                url = urlsplit(_endpoint(address, door))
                where, path = (url.scheme, url.netloc), _path(url.path, url.query, params)
                line = self._free(where) if kept else None
                if line is not None:
                    return Exchange(self, address, line, deadline), False, path
                with contextlib.suppress(OSError):
                    line = _Line(*where, max(0.001, deadline - time.monotonic()))
                    return Exchange(self, address, line, deadline), True, path
            if time.monotonic() + _LOOK_S >= until:
                raise Unavailable("The triple store cannot be reached.", fix="Try again in a few seconds.")
            time.sleep(_LOOK_S)

    def _free(self, where: tuple[str, str]) -> _Line | None:
        before = time.monotonic() - _IDLE_S
        with self._lock:
            good = [line for line in self._idle if line.where == where and line.used_at > before]
            gone = [line for line in self._idle if line not in good]
            found = good.pop() if good else None
            self._idle = good
        for line in gone:
            line.close()
        return found


def _endpoint(address: Address, door: str) -> str:
    url = str(getattr(address, door))
    if not url:
        raise Misconfigured(f"The triple store has no {door}.", fix="See docs/sparql.md.")
    return url


def _path(path: str, query: str, params: Params) -> str:
    asked = "&".join(part for part in (query, urlencode(list(params))) if part)
    return f"{path or '/'}{'?' + asked if asked else ''}"


def _refusal(status: int, told: bytes) -> Exception:
    said = " ".join(told[:_REFUSAL_BYTES].decode("utf-8", "replace").split())[:500]
    # Oxigraph says 500 of a function that it does not know.
    if status in (400, 422) or "is not supported" in said:
        return Malformed(f"The triple store cannot read this: {said}", fix="See https://www.w3.org/TR/sparql11-query/.")
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return OverloadedError(f"it answered {status}: {said}"[:300], short="os error" in said)
    return Unavailable(f"The triple store answered {status}.", fix="Try again later.")
