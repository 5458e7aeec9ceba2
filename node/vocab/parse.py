"""The door for strangers' bytes: a parser in a child process, with limits, that may die without harm.

The parent side. Everything that reads RDF or JSON of other people's making runs in `node.vocab.child`, one process
per `Parser`, started when first needed and again after it died or was killed. Requests and answers are frames: one
line of JSON, then as many raw bytes as it announces. Documents themselves go by path, never through the pipe.
What would surprise: a call that runs out of time or memory kills the child, answers `TooLarge`, and the next call
simply starts another child. No network, no database; the only clock is the monotonic one for deadlines.
"""

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Collection as Many
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import orjson

from node.children import Child
from node.errors import Malformed, NodeError, Stopped, TooLarge, Unavailable
from node.records import Finding

_PIPE_BYTES = 1 << 20
_STEP_S = 0.1
_GRACE_S = 2.0
_REFUSALS: Mapping[str, type[NodeError]] = {each.code: each for each in (Malformed, TooLarge, Unavailable)}
_FIX_SIZE = "Split the document into pages, or ask its portal to."


@dataclass(frozen=True, slots=True)
class ParseReport:
    """What a document held. `incomplete` says why reading ended early; empty if everything was read."""

    triples: int = 0
    records: int = 0
    findings: tuple[Finding, ...] = ()
    incomplete: str = ""


class Parser:
    """A child process that parses; a context manager. Calls from several threads wait for each other."""

    def __init__(self, *, memory_bytes: int = 1 << 30, stop: threading.Event | None = None) -> None:
        """Start nothing yet.

        Args:
            memory_bytes: What the child may allocate, at least 200 MiB to be of use.
            stop: When set, the running and every later call raises `Stopped` within 0.2 s.
        """
        self._memory_bytes = memory_bytes
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        """Give the parser; the child starts with the first call."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self.kill()

    def rdf_to_lines(
        self,
        path: Path,
        to: Path,
        *,
        media_type: str,
        base_iri: str,
        timeout_s: float,
        keep_graphs: bool = False,
    ) -> ParseReport:
        """Write a document's triples to `to` as canonical N-Triples lines, in the document's order, duplicates kept.

        Blank labels are random, 128 bits, so they are unique over all documents. What was mended is told in the
        findings, at most one per code and property. A broken line of N-Triples or N-Quads ends the reading and is told
        in `incomplete`.

        Args:
            path: The document.
            to: Written anew; gone again if the call raises.
            media_type: As the portal said; what the bytes plainly are wins over it.
            base_iri: Absolute; relative IRIs resolve against it.
            timeout_s: Seconds of wall time, and of processor time.
            keep_graphs: Write the name of a named graph as a fourth term (N-Quads); else graphs are merged.

        Raises:
            Malformed: With the line where the format knows lines, and the reason.
            TooLarge: Out of time, memory, depth or output size.
        """
        facts = {"media_type": media_type, "base_iri": base_iri, "keep_graphs": keep_graphs}
        return self._read({"do": "rdf", **facts}, path, to, timeout_s)

    def json_to_lines(self, path: Path, to: Path, *, records: str, timeout_s: float) -> ParseReport:
        """Write a JSON document's records to `to`, one object a line, after one line with its other small members.

        Every line is read by any strict JSON reader: lone surrogates are U+FFFD, numbers that are none are null. A
        record that cannot be given is `{"_refused": "too-large" | "too-deep" | "malformed", "_message": …}` with its
        own short members. A last line of JSON lines that is broken is left out and told in `incomplete`.

        Args:
            path: The document.
            to: Written anew; gone again if the call raises.
            records: Where the list is: `""` the top level (an array, JSON lines, or one object), `"result.results"` a
                path; several with `|` between: the first that is there.
            timeout_s: Seconds of wall time, and of processor time.

        Raises:
            Malformed: No JSON, or no list there; with line and column.
            TooLarge: Out of time or memory.
        """
        return self._read({"do": "json", "records": records}, path, to, timeout_s)

    def canonicalize(self, ntriples: bytes, timeout_s: float) -> bytes:
        """Give a small graph's RDFC-1.0 form: sorted N-Triples lines, blank nodes named `_:c14n0` and so on.

        Raises:
            Malformed: The bytes are no N-Triples.
            TooLarge: Its blank nodes are too much alike to be named in time (an attack, most likely).
        """
        try:
            return self._ask({"do": "canonicalize"}, ntriples, timeout_s)[1]
        except TooLarge as error:
            message = "Its blank nodes are too much alike to be told apart in reasonable time and memory."
            raise TooLarge(message, fix="Give them IRIs.") from error

    def look_at(
        self, payloads: Sequence[bytes], origins: Many[str], timeout_s: float
    ) -> dict[int, tuple[str, str, list[str]]]:
        """Check payloads of a peer: give the places of those of which there is something to say.

        That is a code and a sentence for one that is not canonical (the codes are those of `node.vocab.peer_payload`),
        and for the others, whose code is empty, the subjects that lie under one of the origins.

        Raises:
            TooLarge: Out of time or memory; which payload it was shows when each is asked about alone.
            Malformed: The parser gave up on one of them.
        """
        request = {"do": "payloads", "sizes": [len(payload) for payload in payloads], "origins": sorted(origins)}
        answer, _ = self._ask(request, b"".join(payloads), timeout_s)
        return {place: (code, detail, subjects) for place, code, detail, subjects in answer["told"]}

    def kill(self) -> None:
        """End the child at once, from any thread: a call under way raises `Stopped`, later ones start anew."""
        child = self._child
        if child is not None:
            child.interrupt()
            with self._lock:
                child.end()

    def _read(self, request: dict[str, Any], path: Path, to: Path, timeout_s: float) -> ParseReport:
        # The scratch folder is ours and not the child's, so that it goes even when the child is killed.
        try:
            with TemporaryDirectory(dir=to.parent, prefix=f"{to.name}.") as scratch:
                files = {"path": str(path), "to": str(to), "scratch": scratch}
                answer, _ = self._ask(request | files, b"", timeout_s)
        except BaseException:
            to.unlink(missing_ok=True)
            raise
        findings = tuple(Finding(*each) for each in answer["findings"])
        return ParseReport(answer["triples"], answer["records"], findings, answer["incomplete"])

    def _ask(self, request: dict[str, Any], body: bytes, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + timeout_s
        with self._lock:
            child = self._ready()
            header = orjson.dumps(request | {"timeout_s": timeout_s, "bytes": len(body)})
            try:
                answer, rest = child.ask(header + b"\n" + body, deadline, self._stop)
            except TimeoutError as error:
                child.end()
                if self._stop.is_set():
                    raise Stopped("Reading was stopped.") from error
                raise TooLarge(f"Reading it took longer than {timeout_s:g} s.", fix=_FIX_SIZE) from error
            except EOFError as error:
                raise self._obituary(child) from error
            if answer.get("worn"):
                child.end()
        if "error" in answer:
            raise _REFUSALS[answer["error"]](answer["message"], fix=answer["fix"])
        return answer, rest

    def _ready(self) -> "_Child":
        if self._stop.is_set():
            raise Stopped("Reading was stopped.")
        if self._child is not None and not self._child.alive():
            self._child.end()
            self._child = None
        if self._child is None:
            self._child = _Child(self._memory_bytes)
        return self._child

    def _obituary(self, child: "_Child") -> Exception:
        """Say what a child died of that gave no answer."""
        code = child.end()
        if child.interrupted:
            return Stopped("Reading was stopped.")
        if code < 0:
            # SIGABRT: Rust found no memory. SIGSEGV: the stack ended. SIGKILL: the system's own limit. SIGXCPU: ours.
            limit = f"{self._memory_bytes >> 20} MiB"
            name = signal.Signals(-code).name
            return TooLarge(f"Reading it needs more memory or depth than {limit} give ({name}).", fix=_FIX_SIZE)
        return Malformed("The parser gave up on it; the node's error output says where.", fix="Report it to us.")


class _Child:
    """One running process, and the frames that go through its pipes."""

    def __init__(self, memory_bytes: int) -> None:
        self._child = Child("node.vocab.child", str(memory_bytes))
        self._in, self._out = self._child.to, self._child.answers
        self.interrupted = False
        self._silent = False
        # A page of a megabyte in one go: at 64 KiB each piece waits for its turn among the threads.
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(self._in, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._buffer = bytearray()

    def alive(self) -> bool:
        return not self.interrupted and self._child.process.poll() is None

    def ask(self, frame: bytes, deadline: float, stop: threading.Event) -> tuple[dict[str, Any], bytes]:
        """Send a frame and wait for the answer; TimeoutError past the deadline or on stop, EOFError if it died."""
        self._send(frame, deadline, stop)
        while (cut := self._buffer.find(b"\n")) < 0:
            self._receive(deadline, stop)
        answer: dict[str, Any] = orjson.loads(self._buffer[:cut])
        end = cut + 1 + answer.get("bytes", 0)
        while len(self._buffer) < end:
            self._receive(deadline, stop)
        rest = bytes(self._buffer[cut + 1 : end])
        del self._buffer[:end]
        return answer, rest

    def _send(self, frame: bytes, deadline: float, stop: threading.Event) -> None:
        # The pipe may be smaller than the frame and the child slow to start: write what fits, never block.
        os.set_blocking(self._in.fileno(), False)
        view = memoryview(frame)
        while view:
            self._wait(deadline, stop, writing=True)
            with contextlib.suppress(BlockingIOError):
                try:
                    view = view[os.write(self._in.fileno(), view) :]
                except BrokenPipeError as error:
                    self._silent = True
                    raise EOFError from error

    def _receive(self, deadline: float, stop: threading.Event) -> None:
        self._wait(deadline, stop, writing=False)
        chunk = os.read(self._out.fileno(), 1 << 16)
        if not chunk:
            self._silent = True
            raise EOFError
        self._buffer += chunk

    def _wait(self, deadline: float, stop: threading.Event, *, writing: bool) -> None:
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or stop.is_set():
                raise TimeoutError
            if self._child.ready(min(_STEP_S, left), writing=writing):
                return

    def interrupt(self) -> None:
        """Kill it from any thread; whoever waits for its answer sees the pipe end."""
        self.interrupted = True
        self._child.process.kill()

    def end(self) -> int:
        """Let it finish dying, by force if it lives; gives the exit code, again and again the same."""
        return self._child.end(_GRACE_S if self._silent else 0)
