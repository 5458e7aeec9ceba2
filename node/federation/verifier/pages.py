"""A snapshot recomputed: every commitment, digest and leaf of a journal, from its pages alone, in bounded memory.

A snapshot is the pages of a collection one after the other, from its first entry to a signed size. Whoever has the file
and the city's key needs nothing else, so this reads lines and asks nobody.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

import orjson

from node.errors import BrokenHistory, Malformed, Refuted, TooLarge, WrongRoot
from node.federation.verifier.proof import (
    Document,
    check_opening,
    checked_entry,
    checked_opening,
    leaf_of,
    signed_checkpoint,
)
from node.journal.note import Checkpoint
from node.journal.tree import Frontier

MAX_LINE_BYTES = 8 << 20
KeysOf = Callable[[str], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a snapshot holds and proves."""

    collection: str
    checkpoint: Checkpoint
    entries: int
    payloads: int
    stubs: int


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Give the lines of a file; TooLarge if one is longer than any may be."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise TooLarge(f"A line has more than {MAX_LINE_BYTES} bytes.")
        yield line


def prove_snapshot(lines: Iterator[bytes], keys_of: KeysOf, older: Checkpoint | None = None) -> Recomputed:
    """Recompute a journal from its pages, and compare it with an older checkpoint on the way.

    Args:
        lines: Envelopes and entries, as a node gives them; the first page begins with the first entry.
        keys_of: The keys of the city whose collection (IRI) this is.
        older: A checkpoint that the journal must continue; it is already known to be signed.

    Raises:
        Malformed: These are no pages, or not from the beginning.
        BadSignature: The note of a page is signed by no trusted key.
        WrongRoot: The entries do not hash to what was signed.
        BrokenHistory: They do not continue the older checkpoint.
        Refuted: An opening or a payload is not what its entry commits to.
    """
    walk = _Walk(keys_of, older)
    for line in lines:
        walk.take(line)
    return walk.end()


class _Walk:
    """One pass over the lines of a snapshot."""

    def __init__(self, keys_of: KeysOf, older: Checkpoint | None) -> None:
        self._keys_of = keys_of
        self._older = older
        self._frontier = Frontier()
        self._collection = ""
        self._note = ""
        self._signed: Checkpoint | None = None
        self._end = 0
        self._payloads = 0
        self._stubs = 0

    def take(self, line: bytes) -> None:
        """Take the next line: an entry while a page goes on, else the next page's envelope."""
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise Malformed(f"A line behind entry {self._frontier.size} is no JSON.") from error
        if not isinstance(told, dict):
            raise Malformed(f"A line behind entry {self._frontier.size} is no JSON object.")
        if self._frontier.size < self._end:
            self._entry(told)
        else:
            self._page(told)
        self._compare()

    def end(self) -> Recomputed:
        """Say what it was; WrongRoot or Malformed if it ended before its signed size or does not hash to it."""
        signed = self._signed
        if signed is None or self._frontier.size != signed.size:
            have, wanted = self._frontier.size, signed.size if signed else "none"
            raise Malformed(f"The file ends after entry {have}, and {wanted} were signed.", fix="Fetch the snapshot.")
        if self._frontier.root() != signed.root:
            raise WrongRoot(f"The {signed.size} entries do not have the root that was signed.")
        if self._older is not None and self._older.size > signed.size:
            raise BrokenHistory(f"The older checkpoint has {self._older.size} entries, this one {signed.size}.")
        return Recomputed(self._collection, signed, signed.size, self._payloads, self._stubs)

    def _page(self, told: Document) -> None:
        iri, text, end = told.get("collection"), told.get("checkpoint"), told.get("end")
        if told.get("v") != 1 or not isinstance(iri, str) or not isinstance(text, str) or type(end) is not int:
            raise Malformed("This is no page of a journal.")
        if told.get("after") != self._frontier.size or end < self._frontier.size:
            raise Malformed(
                f"A page begins after entry {told.get('after')}, not after {self._frontier.size}.",
                fix="Give the snapshot of the whole collection.",
            )
        if (iri, text) != (self._collection, self._note):
            self._open(iri, text)
        self._end = end

    def _open(self, iri: str, text: str) -> None:
        if self._collection and iri != self._collection:
            raise Malformed("The pages are of two collections.")
        signed = signed_checkpoint(text, iri, self._keys_of(iri))
        if self._signed is not None and signed != self._signed:
            raise Malformed("The pages are of two signed sizes.", fix="Fetch the snapshot again.")
        self._collection, self._note, self._signed = iri, text, signed

    def _entry(self, told: Document) -> None:
        entry = checked_entry(told.get("entry"))
        seq = self._frontier.size + 1
        if entry["seq"] != seq or entry["collection"] != self._collection:
            raise Refuted(f"Where entry {seq} should be stands entry {entry['seq']} of {entry['collection']}.")
        if told.get("opening") is None:
            self._stubs += 1
        else:
            self._opened(entry, checked_opening(told["opening"]), told.get("payload"))
        self._frontier.append(leaf_of(entry))

    def _opened(self, entry: Document, opening: Document, payload: object) -> None:
        check_opening(entry, opening)
        if payload is None:
            return
        if not isinstance(payload, str) or "sha256:" + sha256(payload.encode()).hexdigest() != opening.get("digest"):
            raise Refuted(f"The payload of entry {entry['seq']} does not have the digest that its entry commits to.")
        self._payloads += 1

    def _compare(self) -> None:
        older = self._older
        if older is not None and older.size == self._frontier.size and older.root != self._frontier.root():
            raise BrokenHistory(f"The first {older.size} entries are not those of the older checkpoint.")
