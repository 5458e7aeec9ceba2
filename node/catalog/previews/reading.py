"""The one door to a look inside: `look_inside` has a file read in a child process with limits, and gives what was seen.

The parent side; it never parses the file's bytes. A child that runs out of time or memory is ended and its file called
too large. A scratch folder is made and gone again, whatever happened. The only clock is the monotonic one.
"""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from node.catalog.previews.values import Preview, from_json, refused, why_named
from node.children import Child
from node.errors import Malformed, Refused, Stopped, TooLarge

_STEP_S = 0.1
_DYING_S = 2.0
_GRACE_S = 10.0  # for starting, for what cannot be interrupted, and for saying what was seen so far
_ANSWER_BYTES = 4 << 20
_IN_PARTS = "Publish it in parts."
_REFUSALS: Mapping[str, type[Refused]] = {each.code: each for each in (Malformed, TooLarge)}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one look may cost."""

    seconds: float = 20.0  # of reading rows; then what was seen so far is the answer
    memory_bytes: int = 1 << 30
    plain_bytes: int = 512 << 20  # of what is unpacked
    twin_bytes: int = 4 << 20


NORMAL = Limits()


def look_inside(
    path: Path, *, limits: Limits = NORMAL, whole: bool = True, stop: threading.Event | None = None
) -> tuple[Preview, bytes]:
    """Give what was seen in a file, and the bytes of its twin (empty where it has none).

    Args:
        path: What was fetched.
        limits: Time, memory and sizes.
        whole: False where only the beginning of the file was fetched.
        stop: When set, the look ends within 0.2 s.

    Raises:
        Malformed: Nothing of which anything can be shown.
        TooLarge: Out of time, memory or size.
        Stopped: `stop` was set.
    """
    with tempfile.TemporaryDirectory(prefix="citynode-preview-") as scratch:
        twin = Path(scratch) / "twin"
        request = {
            "path": str(path.resolve()),
            "scratch": scratch,
            "to": str(twin),
            "seconds": limits.seconds,
            "memory_bytes": limits.memory_bytes,
            "plain_bytes": limits.plain_bytes,
            "whole": whole,
        }
        answer = _asked(request, limits, stop or threading.Event())
        if "error" in answer:
            why = why_named(answer["why"]) or "puzzle"
            raise refused(why, answer["message"], fix=answer["fix"], kind=_REFUSALS.get(answer["error"], Refused))
        if twin.stat().st_size > limits.twin_bytes:
            said = "What would be shown of it is too large for a page."
            raise refused("large", said, fix=_IN_PARTS, kind=TooLarge)
        return from_json(answer["preview"]), twin.read_bytes()


def _asked(request: Mapping[str, Any], limits: Limits, stop: threading.Event) -> dict[str, Any]:
    child = Child("node.catalog.previews.child")
    try:
        line = orjson.dumps(request) + b"\n"
        try:
            child.to.write(line)  # a few kilobytes fit into any pipe
        except BrokenPipeError:
            raise _obituary(child, limits) from None
        return _heard(child, limits, stop)
    finally:
        child.end()


def _heard(child: Child, limits: Limits, stop: threading.Event) -> dict[str, Any]:
    deadline, heard = time.monotonic() + limits.seconds + _GRACE_S, bytearray()
    while not heard.endswith(b"\n"):
        if stop.is_set():
            raise Stopped("The look inside was stopped.")
        if time.monotonic() > deadline:
            said = f"Reading it took longer than {limits.seconds:g} s."
            raise refused("costly", said, fix=_IN_PARTS, kind=TooLarge)
        if not child.ready(_STEP_S):
            continue
        chunk = os.read(child.answers.fileno(), 1 << 16)
        if not chunk or len(heard) > _ANSWER_BYTES:
            raise _obituary(child, limits)
        heard += chunk
    told: dict[str, Any] = orjson.loads(heard)
    return told


def _obituary(child: Child, limits: Limits) -> Refused:
    """Say what a child died of that gave no answer."""
    code = child.end(_DYING_S)
    if code < 0:
        said = f"Reading it needs more than {limits.memory_bytes >> 20} MiB or its time ({signal.Signals(-code).name})."
        return refused("costly", said, fix=_IN_PARTS, kind=TooLarge)
    return refused("puzzle", "The reader gave up on it; the error output says where.", fix="Report it to us.")
