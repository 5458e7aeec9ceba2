"""Drafts, openings and entries: what is written into a journal, and the exact bytes that are hashed.

An entry commits to its opening by a salted hash, so it can be shown to those who may not read the opening, and it
stays when the opening is destroyed. Bytes are JCS (RFC 8785), made by orjson: our keys are ASCII and our values are
texts and small integers, where sorted orjson is JCS (a law test holds it to the rfc8785 package). Pure.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import orjson

from node.errors import Malformed
from node.journal.tree import leaf_hash

SALT_BYTES = 16
MAX_AT_MS = 253_402_300_799_999  # the last millisecond of the year 9999: RFC 3339 has no later one
Op = Literal["put", "withdraw", "erase"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What the caller wants to be the newest state of one record; `payload` is None exactly for a withdrawal."""

    record: str
    slug: str
    kind: str
    op: Literal["put", "withdraw"]
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What an entry commits to. `digest` only with `put`; `target` (a seq) and nothing else with `erase`."""

    op: Op
    salt: bytes
    record: str = ""
    slug: str = ""
    kind: str = ""
    digest: str = ""
    target: int = 0

    def document(self) -> dict[str, str | int]:
        """Give the opening as it travels in JSON."""
        salt = base64.urlsafe_b64encode(self.salt).rstrip(b"=").decode()
        if self.op == "erase":
            return {"salt": salt, "op": self.op, "target": self.target}
        opening: dict[str, str | int] = {
            "salt": salt,
            "record": self.record,
            "slug": self.slug,
            "kind": self.kind,
            "op": self.op,
        }
        if self.op == "put":
            opening["digest"] = self.digest
        return opening

    def commitment(self) -> bytes:
        """Give SHA-256 over the JCS bytes of the opening."""
        return hashlib.sha256(jcs(self.document())).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a journal; `opening` is None where it was erased (or is not this reader's to see).

    `refused` is not of the entry but of this node: in a mirror, the code for which opening or payload are not kept.
    """

    collection: str
    seq: int
    at_ms: int
    commitment: bytes
    opening: Opening | None
    refused: str = ""

    def document(self) -> dict[str, str | int]:
        """Give the entry as it travels in JSON, without its opening."""
        return {
            "v": 1,
            "collection": self.collection,
            "seq": self.seq,
            "at": at_text(self.at_ms),
            "commit": "sha256:" + self.commitment.hex(),
        }

    def leaf(self) -> bytes:
        """Give the hash of this entry's leaf."""
        return leaf_hash(jcs(self.document()))


def jcs(document: dict[str, str | int]) -> bytes:
    """Give the RFC 8785 bytes of a flat document with ASCII keys and integers below 2**53."""
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:  # a lone surrogate: no UTF-8 of it exists
        raise Malformed("A text of the entry is not Unicode.") from error


@lru_cache(maxsize=1024)
def at_text(at_ms: int) -> str:
    """Write a time as RFC 3339 UTC with milliseconds and `Z`."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()}.{ms:03d}Z"


@lru_cache(maxsize=4096)
def key_of(record: str) -> int:
    """Give the short key of a record's IRI by which it is found; not unique against an attacker, so compare IRIs."""
    return int.from_bytes(hashlib.sha256(record.encode()).digest()[:8], "big", signed=True)


def digest_text(digest: bytes) -> str:
    """Write a digest as it stands in openings."""
    return "sha256:" + digest.hex()


def digest_bytes(digest: str) -> bytes:
    """Read `sha256:` and 64 lower-case hex digits; Malformed otherwise."""
    hexed = digest.removeprefix("sha256:")
    if len(hexed) != 64 or hexed == digest or hexed.lower() != hexed:
        raise Malformed(f"This is no digest: {digest[:80]}.")
    try:
        return bytes.fromhex(hexed)
    except ValueError as error:
        raise Malformed(f"This is no digest: {digest[:80]}.") from error
