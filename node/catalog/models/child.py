"""The child process that reads strangers' models: `python -m node.catalog.models.child`, started by `inspect` only.

One process per model. It reads one line of JSON, asks for further files of a tileset line by line (`{"want": …}`, to
which one line comes back), and ends with one line of facts or a refusal. The kernel's limits are set before anything is
read; it dies when its parent dies, and of whatever it does not expect.
"""

import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from node.catalog.models.facts import facts_to_json
from node.catalog.models.opening import Bounds, open_model
from node.catalog.models.tally import OutOfTime
from node.children import bound_memory, bound_output, bound_time, die_with_parent
from node.errors import NotFound, Refused, TooLarge


def _bound(request: dict[str, Any]) -> None:
    bound_memory(request["memory_bytes"])
    bound_time(request["seconds"])
    bound_output(request["plain_bytes"])


def _answer(request: dict[str, Any], requests: BinaryIO, answers: BinaryIO) -> dict[str, Any]:
    def ask(address: str) -> Path:
        answers.write(orjson.dumps({"want": address}) + b"\n")
        answers.flush()
        told = orjson.loads(requests.readline())
        if "path" not in told:
            raise NotFound(str(told.get("missing", "It was not fetched.")))
        return Path(told["path"])

    bounds = Bounds(request["seconds"], request["plain_bytes"], request["files"])
    try:
        facts = open_model(
            Path(request["path"]),
            Path(request["scratch"]),
            bounds,
            name=request["name"],
            base=request["base"],
            ask=ask if request["base"] else None,
        )
    except Refused as error:
        return {"error": error.code, "message": error.message, "fix": error.fix}
    except OutOfTime:
        return _too_large(f"Opening it took longer than {bounds.seconds:g} s.")
    except (RecursionError, MemoryError):
        return _too_large("Reading it needs more memory or depth than there is for one model.")
    except OSError as error:
        return _too_large(f"What it unpacks to could not be written: {error.strerror}.")
    return {"facts": facts_to_json(facts)}


def _too_large(message: str) -> dict[str, Any]:
    return {"error": TooLarge.code, "message": message, "fix": "Publish the model in parts."}


def main() -> None:
    """Answer one request. The argument is the lifeline's descriptor."""
    die_with_parent(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request = orjson.loads(sys.stdin.buffer.readline())
    _bound(request)
    answers.write(orjson.dumps(_answer(request, sys.stdin.buffer, answers)) + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
