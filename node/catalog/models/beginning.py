"""The beginning of a model that is too large to be fetched, where its server gives parts of files.

A CityJSON, a sequence or a CityGML says in its first megabytes what it is, where it lies and what is in it. What would
surprise: the facts are then not whole, and their counts are lower bounds; an archive is refused, since its list of
files stands at its end.
"""

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from node.catalog.models.facts import ModelFacts, ModelProblem
from node.catalog.models.inspect import Limits, inspect_file
from node.errors import Refused, TooLarge
from node.outbound import Outbound

BYTES = 8 << 20
_DEADLINE_S = 60.0
_PARTIAL = 206
_ARCHIVE = b"PK\x03\x04"
_CUT = ("cut-off", "missing-vertices", "missing-version", "missing-relative")  # what a cut makes of any good file


def beginning_of(
    url: str, way: Outbound, to: Path, *, name: str, limits: Limits, refusal: TooLarge, stop: threading.Event
) -> tuple[ModelFacts, str]:
    """Give the facts of the first 8 MiB of a document, and its ETag.

    Args:
        url: Where it is.
        way: The way out.
        to: The file to write.
        name: As people know it.
        limits: Of reading.
        refusal: Raised where the server gives no parts, or the part says nothing.
        stop: Ends it.
    """
    headers = {"Range": f"bytes=0-{BYTES - 1}"}
    looked = way.look(url, method="GET", headers=headers, max_bytes=BYTES, deadline_s=_DEADLINE_S, stop=stop)
    if looked.status != _PARTIAL or not looked.body or looked.body.startswith(_ARCHIVE):
        raise refusal
    to.write_bytes(looked.body)
    try:
        facts = inspect_file(to, name=name, limits=limits, stop=stop)
    except Refused as error:
        raise refusal from error
    return _as_beginning(facts, _total(looked.headers, len(looked.body))), looked.headers.get("etag", "")


def _as_beginning(facts: ModelFacts, size: int) -> ModelFacts:
    """Say that the facts are of a beginning, instead of that the file is cut off."""
    message = f"Only the first {BYTES >> 20} MiB of its {size} bytes were read, so all counts are lower bounds."
    kept = tuple(each for each in facts.problems if each.code not in _CUT)
    told = ModelProblem("", "beginning-only", message, "warning")
    return replace(facts, bytes=size, whole=False, problems=(*kept, told))


def _total(headers: Mapping[str, str], size: int) -> int:
    total = headers.get("content-range", "").rpartition("/")[2]
    return int(total) if total.isdecimal() and len(total) < 19 else size
