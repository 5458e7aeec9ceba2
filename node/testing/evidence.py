"""What a node holds, read through its public feed and recomputed here, without any code of the node.

The checks of the node are what is under test, so they are not used: commitments, digests, leaves and the root are
computed anew from the bytes of the page format (version 1). A rig that took the node's own word would find nothing.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from node.testing.city import City, RigError, head_of

PAGE_LIMIT = 1_000
MAX_ENTRIES = 1_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """One entry as a node serves it. `opening` and `payload` are None where it is a stub."""

    entry: dict[str, Any]
    opening: dict[str, Any] | None
    payload: str | None

    @property
    def seq(self) -> int:
        """Give its number."""
        return int(self.entry["seq"])


def path_of(one: City, collection: str) -> str:
    """Give where a city serves a collection (by its IRI at the origin): its own name, or `peer/name` for a mirror.

    Raises:
        RigError: It does not hold it.
    """
    status, body = one.get("/checkpoints")
    found = json.loads(body)["checkpoints"] if status == 200 else []
    for each in found:
        if each["collection"] == collection:
            return f"/collections/{each['name']}"
    raise RigError(f"{one.name} does not hold {collection}: {status}")


def entries(one: City, collection: str) -> list[Held]:
    """Read a whole collection from a city, page by page, and prove every byte of it.

    Raises:
        RigError: An entry, opening, payload or root is not what it should be; the message names it.
    """
    path, held, size, root = path_of(one, collection), list[Held](), -1, ""
    while len(held) < MAX_ENTRIES:
        envelope, lines = _page(one, path, len(held), size)
        head = head_of(envelope["checkpoint"])
        size, root = head.size, head.root
        for line in lines:
            _prove(held_ := Held(line["entry"], line.get("opening"), line.get("payload")), collection, len(held) + 1)
            held.append(held_)
        if len(held) >= size:
            break
        if not lines:
            raise RigError(f"{one.name}: {path} ends at {len(held)} of {size}")
    computed = base64.b64encode(root_of([_leaf(each.entry) for each in held])).decode()
    if computed != root or len(held) != size:
        raise RigError(f"{one.name}: {path} has {len(held)} entries and root {computed}, signed {size} and {root}")
    return held


def _page(one: City, path: str, after: int, size: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    query = f"?after={after}&limit={PAGE_LIMIT}" + (f"&size={size}" if size >= 0 else "")
    reply = one.ask(f"{path}/entries{query}", headers={"Accept-Encoding": "gzip"})
    if reply.status != 200:
        raise RigError(f"{one.name}: {path}/entries{query} answered {reply.status}: {reply.body[:300]!r}")
    body = gzip.decompress(reply.body) if reply.headers.get("content-encoding") == "gzip" else reply.body
    first, *rest = (json.loads(line) for line in body.decode().splitlines() if line)
    return first, rest


def _prove(held: Held, collection: str, seq: int) -> None:
    if (held.entry["collection"], held.seq) != (collection, seq):
        raise RigError(f"entry {held.entry} stands where entry {seq} of {collection} should")
    if held.opening is not None and held.entry["commit"] != _sha256(_jcs(held.opening)):
        raise RigError(f"entry {seq} of {collection} does not commit to its opening")
    if held.payload is not None and held.opening is None:
        raise RigError(f"entry {seq} of {collection} has a payload and no opening")
    if held.payload is not None and (held.opening or {}).get("digest") != _sha256(held.payload.encode()):
        raise RigError(f"the payload of entry {seq} of {collection} has another digest")


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _jcs(value: object) -> bytes:
    """Write as RFC 8785 does; enough for the flat objects of strings and small integers that entries are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _leaf(entry: dict[str, Any]) -> bytes:
    return hashlib.sha256(b"\0" + _jcs(entry)).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Compute a Merkle tree's root (RFC 9162, 2.1.1) level by level: a node without a sibling rises as it is."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        level = list(_raised(level))
    return level[0]


def _raised(level: list[bytes]) -> Iterator[bytes]:
    for at in range(0, len(level) - 1, 2):
        yield hashlib.sha256(b"\1" + level[at] + level[at + 1]).digest()
    if len(level) % 2:
        yield level[-1]
