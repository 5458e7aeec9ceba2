"""The page format between nodes: one envelope and one line per entry, as JSON Lines.

The envelope says which signed size the page belongs to and proves that this size continues what the reader holds; each
line is an entry with its opening and payload, or the entry alone where these were withheld or erased. Each line is
RFC 8785 JCS, so that a reader can refuse any other spelling (`pages`). The same entries give the same bytes, so a page
has a strong ETag; only an erasure changes it. Pure: what is written comes in.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence

import orjson

from node.journal import Entry

MEDIA_TYPE = "application/vnd.citynode.entries+jsonl"
VERSION = 1
MAX_ENTRIES = 1_000
MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
MAX_STUBS = 200
_JCS = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def line_of(entry: Entry, payload: bytes | None) -> bytes:
    """Write one entry with what of it may be seen; `payload` counts only beside an opening."""
    said: dict[str, object] = {"entry": entry.document()}
    if entry.opening is not None:
        said["opening"] = entry.opening.document()
        if payload is not None:
            said["payload"] = payload.decode()
    return orjson.dumps(said, option=_JCS)


def envelope(
    *,
    collection: str,
    after: int,
    end: int,
    size: int,
    checkpoint: str,
    consistency: Sequence[bytes],
    through: Sequence[bytes],
) -> bytes:
    """Write the first line of a page of the entries `after` + 1 to `end`, within the signed `size`."""
    said = {
        "v": VERSION,
        "collection": collection,
        "after": after,
        "end": end,
        "size": size,
        "checkpoint": checkpoint,
        "consistency": _hashes(consistency),
        "through": _hashes(through),
    }
    return orjson.dumps(said, option=_JCS)


def envelope_of_stubs(*, collection: str, seqs: Sequence[int], size: int, checkpoint: str) -> bytes:
    """Write the first line of an answer that holds just the entries a reader named; it has their tree already."""
    said = {"v": VERSION, "collection": collection, "seqs": list(seqs), "size": size, "checkpoint": checkpoint}
    return orjson.dumps(said, option=_JCS)


def tag_of(asked: Iterable[object], gaps: Iterable[tuple[int, bool]]) -> str:
    """Name the bytes of a page by what decides them: what was asked for, the note, and what is no longer there.

    Entries never change and payloads are named by their digest, so nothing else can.
    """
    said = orjson.dumps([VERSION, *asked, list(gaps)])
    return f"{hashlib.sha256(said).hexdigest()[:32]}-entries{VERSION}"


def tag_of_bytes(body: bytes) -> str:
    """Name the bytes of an answer by themselves."""
    return f"{hashlib.sha256(body).hexdigest()[:32]}-entries{VERSION}"


def _hashes(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(value).decode() for value in hashes]
