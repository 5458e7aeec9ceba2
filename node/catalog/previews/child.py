"""The child process that looks inside strangers' files: `python -m node.catalog.previews.child`, by `reading` only.

One process per file. It reads one line of JSON, writes the twin to the file it was given, and answers with one line.
The kernel's limits are set before anything is read; it dies when its parent dies, and of whatever it does not expect.
"""

import os
import sys
from pathlib import Path
from typing import Any

import orjson

from node.catalog.previews.opening import look
from node.catalog.previews.values import refused, to_json, why_of
from node.children import bound_memory, bound_output, bound_time, die_with_parent
from node.errors import Refused, TooLarge


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        preview, twin = look(
            Path(request["path"]),
            Path(request["scratch"]),
            plain_bytes=request["plain_bytes"],
            seconds=request["seconds"],
            whole=request["whole"],
        )
        Path(request["to"]).write_bytes(twin)
    except Refused as error:
        return _no(error)
    except (RecursionError, MemoryError, SystemError):  # orjson tells the end of memory by the last of them
        return _no(_too_large("Reading it needs more memory or depth than there is for one file."))
    except OSError as error:
        return _no(_too_large(f"What is made of it could not be written: {error.strerror}."))
    return {"preview": to_json(preview)}


def _no(error: Refused) -> dict[str, Any]:
    return {"error": error.code, "message": error.message, "fix": error.fix, "why": why_of(error)}


def _too_large(message: str) -> Refused:
    return refused("costly", message, fix="Publish it in parts.", kind=TooLarge)


def main() -> None:
    """Answer one request. The argument is the lifeline's descriptor."""
    die_with_parent(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request = orjson.loads(sys.stdin.buffer.readline())
    bound_memory(request["memory_bytes"])
    bound_time(2 * request["seconds"])
    bound_output(request["plain_bytes"])
    answers.write(orjson.dumps(_answer(request)) + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
