"""The child process that parses strangers' bytes: `python -m node.vocab.child`, started by `node.vocab.parse` only.

It reads frames from its standard input and answers on its standard output (anything else that is printed goes to the
error output). Limits are the kernel's: memory for good, processor time and the size of what it writes anew for every
job. It dies when its parent dies, also in the middle of a parse, and when its input ends. What would surprise: it
does not catch what it does not expect; it dies of it, and the parent tells the two apart by the exit code.
"""

import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyoxigraph

from node.children import bound_memory, bound_output, bound_time, die_with_parent
from node.errors import Malformed, NodeError, TooLarge, needs_room
from node.vocab.notes import Report
from node.vocab.peer_payload import looked_at
from node.vocab.read_json import read_json
from node.vocab.read_rdf import read_rdf

_MAX_GROWTH = 32  # A prefix of one megabyte, used a million times, must not fill the disk.
_MIN_OUTPUT_BYTES = 64 << 20
_WORN = 4  # this part of the memory limit
_STATM = Path("/proc/self/statm")

Job = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]


def _rdf(request: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes]:
    path, to, scratch = _files(request)
    _bound_output(path)
    facts = {key: request[key] for key in ("media_type", "base_iri", "keep_graphs")}
    return _answer(read_rdf(path, to, scratch, **facts)), b""


def _json(request: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes]:
    path, to, scratch = _files(request)
    _bound_output(path)
    return _answer(read_json(path, to, scratch, records=request["records"])), b""


def _files(request: dict[str, Any]) -> tuple[Path, Path, Path]:
    return Path(request["path"]), Path(request["to"]), Path(request["scratch"])


def _answer(report: Report) -> dict[str, Any]:
    findings = [list(asdict(each).values()) for each in report.findings]
    answer = {"triples": report.triples, "records": report.records, "incomplete": report.incomplete}
    return answer | {"findings": findings}


def _canonicalize(_request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        graph = pyoxigraph.Dataset(pyoxigraph.parse(body, format=pyoxigraph.RdfFormat.N_TRIPLES))
    except SyntaxError as error:
        raise Malformed(f"No N-Triples: {error.msg}") from error
    graph.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    text = pyoxigraph.serialize(graph, format=pyoxigraph.RdfFormat.N_QUADS) or b""
    # Code point order is byte order in UTF-8; only LF ends a line (U+0085 and U+2028 may stand in literals).
    lines = sorted(line for line in text.split(b"\n") if line)
    return {}, b"".join(line + b"\n" for line in lines)


def _payloads(request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    payloads, at = [], 0
    for size in request["sizes"]:
        payloads.append(body[at : at + size])
        at += size
    return {"told": [[place, *told] for place, told in looked_at(payloads, request["origins"]).items()]}, b""


_JOBS: dict[str, Job] = {"rdf": _rdf, "json": _json, "canonicalize": _canonicalize, "payloads": _payloads}


def _bound_output(path: Path) -> None:
    bound_output(max(_MIN_OUTPUT_BYTES, _MAX_GROWTH * path.stat().st_size))


def _do(request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        with needs_room():
            return _JOBS[request["do"]](request, body)
    except NodeError as error:
        return {"error": error.code, "message": error.message, "fix": error.fix}, b""
    except RecursionError:
        return _too_large("It is nested too deep.")
    except MemoryError:
        return _too_large("Reading it needs more memory than there is for one document.")
    except OSError as error:
        return _too_large(f"Its lines could not be written: {error.strerror}.")


def _too_large(message: str) -> tuple[dict[str, Any], bytes]:
    return {"error": TooLarge.code, "message": message, "fix": "Split the document into pages."}, b""


def _is_worn(memory_bytes: int) -> bool:
    """Tell whether this process keeps so much memory that it would be missing for the next document."""
    try:
        pages = int(_STATM.read_text().split()[5])
    except FileNotFoundError:  # not Linux: then memory is not bounded either
        return False
    return pages * resource.getpagesize() > memory_bytes // _WORN


def _serve(requests: BinaryIO, answers: BinaryIO, memory_bytes: int) -> None:
    while line := requests.readline():
        request = orjson.loads(line)
        body = requests.read(request["bytes"])
        bound_time(request["timeout_s"])
        answer, rest = _do(request, body)
        answers.write(orjson.dumps(answer | {"bytes": len(rest), "worn": _is_worn(memory_bytes)}) + b"\n" + rest)
        answers.flush()


def main() -> None:
    """Serve until the input ends. Arguments: the lifeline's descriptor, the memory limit in bytes."""
    die_with_parent(int(sys.argv[1]))
    memory_bytes = int(sys.argv[2])
    bound_memory(memory_bytes)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers, memory_bytes)


if __name__ == "__main__":
    main()
