"""What the tests of the feed share: a journal with some history, and a reader of pages that trusts nothing of ours."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from node.journal import Draft
from node.journal.journal import Journals
from tests.journal.rig import NAME, iri_of, payload_of, put

IRI = "http://127.0.0.1:8001/collections/open-data"


def fill(journals: Journals, *drafts: Draft, at_ms: int = 2_000, name: str = NAME, sign: bool = True) -> None:
    for start in range(0, len(drafts), 1_000):
        with journals.db.write() as tx:
            journals.append(tx, name, drafts[start : start + 1_000], at_ms=at_ms)
    if sign:
        journals.checkpoint(name, at_ms=at_ms + 1)


def many(count: int, start: int = 0) -> list[Draft]:
    return [put(number, f"Title {number}") for number in range(start, start + count)]


def large(number: int, size: int) -> Draft:
    return Draft(iri_of(number), f"d{number}", "dataset", "put", payload_of(iri_of(number), "x" * size))


def erase(journals: Journals, seq: int, *, at_ms: int = 9_000) -> None:
    with journals.db.write() as tx:
        journals.erase(tx, NAME, seq, at_ms=at_ms)
    journals.checkpoint(NAME, at_ms=at_ms + 1)


@dataclass(frozen=True)
class Read:
    """A page as a stranger reads it."""

    envelope: dict[str, Any]
    lines: list[dict[str, Any]]

    @property
    def seqs(self) -> list[int]:
        return [line["entry"]["seq"] for line in self.lines]


def read(body: bytes) -> Read:
    first, *rest = body.split(b"\n")
    assert rest.pop() == b""
    return Read(json.loads(first), [json.loads(line) for line in rest])


def jcs(document: dict[str, Any]) -> bytes:
    # Flat, ASCII keys, texts and integers: sorted JSON without spaces is RFC 8785.
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf(line: dict[str, Any]) -> bytes:
    return hashlib.sha256(b"\x00" + jcs(line["entry"])).digest()


def opens(line: dict[str, Any]) -> bool:
    commitment = "sha256:" + hashlib.sha256(jcs(line["opening"])).hexdigest()
    return bool(line["entry"]["commit"] == commitment)


def root_over(hashes: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + root_over(hashes[:k]) + root_over(hashes[k:])).digest()


def noted_root(note: str) -> bytes:
    return base64.b64decode(note.splitlines()[2])


def proof(listed: list[str]) -> list[bytes]:
    return [base64.b64decode(value) for value in listed]
