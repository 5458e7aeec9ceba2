"""The one door to the inspectors: `inspect_file` gives the facts of a model, read in a child process with limits.

The parent side. It never parses the model's bytes; it hands a path over, fetches further files of a tileset when the
child asks for them (if the caller can), and kills the child when time is up or the caller says stop. A scratch folder
is made beside nothing of the caller's and is gone afterwards, whatever happened. The only clock is the monotonic one.
"""

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from node.catalog.models.facts import ModelFacts, facts_from_json
from node.children import Child
from node.errors import Malformed, NodeError, NotFound, Refused, Stopped, TooLarge

Fetch = Callable[[str, Path], None]  # an address and the file to write; raises a NodeError if it cannot

_STEP_S = 0.1
_DYING_S = 2.0
_GRACE_S = 10.0  # for starting, and for saying what was found so far
_ANSWER_BYTES = 16 << 20
_REFUSALS: Mapping[str, type[Refused]] = {each.code: each for each in (Malformed, NotFound, TooLarge)}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one inspection may cost."""

    seconds: float = 60.0  # of reading; then what was found so far is the answer
    memory_bytes: int = 512 << 20
    plain_bytes: int = 4 << 30  # of everything unpacked
    files: int = 1_000  # of a tileset or an archive


NORMAL = Limits()


def inspect_file(
    path: Path,
    *,
    name: str = "",
    limits: Limits = NORMAL,
    stop: threading.Event | None = None,
    base: str = "",
    fetch: Fetch | None = None,
) -> ModelFacts:
    """Give the facts of a model: a file (plain, gzip or zip), or a folder with a tileset.

    Args:
        path: What lies here, or was fetched.
        name: As people know it, for messages; the path's own if empty.
        limits: Time, memory, size and number of files.
        stop: When set, the inspection ends within 0.2 s.
        base: Where a tileset was fetched from; its further files are then asked of `fetch`, same origin only.
        fetch: Writes the document at an address to a file.

    Raises:
        Malformed: No model in a format that is read here; says what it is and what to name instead.
        TooLarge: Out of memory or depth, or unpacked past the bound, before anything was found.
        NotFound: There is no such file.
        Stopped: `stop` was set.
    """
    if not path.exists():
        raise NotFound(f"There is no file {path}.", fix="Check the path.")
    with tempfile.TemporaryDirectory(prefix="citynode-model-") as scratch:
        work = Path(scratch)
        (work / "fetched").mkdir()
        (work / "unpacked").mkdir()
        request = {
            "path": str(path.resolve()),
            "scratch": str(work / "unpacked"),
            "name": name or path.name,
            "base": base if fetch else "",
            "seconds": limits.seconds,
            "memory_bytes": limits.memory_bytes,
            "plain_bytes": limits.plain_bytes,
            "files": limits.files,
        }
        child = _Child(limits, stop or threading.Event())
        try:
            answer = child.ask(request, _Fetcher(work / "fetched", fetch))
        finally:
            child.end()
    if "error" in answer:
        raise _REFUSALS.get(answer["error"], Refused)(answer["message"], fix=answer["fix"])
    return facts_from_json(answer["facts"])


class _Fetcher:
    """Fetches what the child asks for, each into a file of its own."""

    def __init__(self, folder: Path, fetch: Fetch | None) -> None:
        self._folder = folder
        self._fetch = fetch
        self._number = 0

    def get(self, address: str) -> dict[str, str]:
        self._number += 1
        to = self._folder / str(self._number)
        if self._fetch is None:
            return {"missing": "Nothing is fetched here."}
        try:
            self._fetch(address, to)
        except Stopped:
            raise
        except NodeError as error:
            return {"missing": error.message}
        return {"path": str(to)}


class _Child:
    """One running process and its pipes."""

    def __init__(self, limits: Limits, stop: threading.Event) -> None:
        self._limits = limits
        self._stop = stop
        self._deadline = time.monotonic() + limits.seconds + _GRACE_S
        self._buffer = bytearray()
        self._child = Child("node.catalog.models.child")

    def ask(self, request: dict[str, Any], fetcher: _Fetcher) -> dict[str, Any]:
        self._say(request)
        while True:
            line = self._line()
            answer: dict[str, Any] = orjson.loads(line)
            if "want" not in answer:
                return answer
            before = time.monotonic()
            got = fetcher.get(str(answer["want"]))
            self._deadline += time.monotonic() - before  # fetching has bounds of its own
            self._say(got)

    def _say(self, message: Mapping[str, Any]) -> None:
        # A line of a few kilobytes fits into any pipe, so this does not block.
        with contextlib.suppress(BrokenPipeError):
            self._child.to.write(orjson.dumps(message) + b"\n")

    def _line(self) -> bytes:
        while (cut := self._buffer.find(b"\n")) < 0:
            chunk = self._receive()
            if not chunk or len(self._buffer) > _ANSWER_BYTES:
                raise self._obituary()
            self._buffer += chunk
        line = bytes(self._buffer[:cut])
        del self._buffer[: cut + 1]
        return line

    def _receive(self) -> bytes:
        while not self._child.ready(_STEP_S):
            if self._stop.is_set():
                raise Stopped("The inspection was stopped.")
            if time.monotonic() > self._deadline:
                message = f"Reading it took longer than {self._limits.seconds:g} s."
                raise TooLarge(message, fix="Publish the model in parts.")
        return os.read(self._child.answers.fileno(), 1 << 16)

    def _obituary(self) -> Refused:
        """Say what a child died of that gave no answer."""
        code = self._child.end(_DYING_S)
        if code < 0:
            name = signal.Signals(-code).name
            message = f"Reading it needs more than {self._limits.memory_bytes >> 20} MiB or its time ({name})."
            return TooLarge(message, fix="Publish the model in parts.")
        return Malformed("The reader gave up on it; the error output says where.", fix="Report it to us.")

    def end(self) -> None:
        """Kill it if it lives, and close the pipes."""
        self._child.end()
