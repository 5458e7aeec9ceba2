"""Reading what `feed_pages` writes, from somebody who may be hostile: check 1, size and shape, and nothing beyond it.

Each line must be the JCS (RFC 8785) spelling of what it says: one comparison refuses duplicate keys, NaN, fractions of
numbers and every second spelling at once. Keys are exact, numbers below 2**53, nothing is nested deeper than the format
is, and all of it is bounded. What the values mean (signatures, hashes, payloads) is for `intake`. The opening comes
back as it was sent, because a strange one is the fault of its entry and not of the page: see `opening_of`. Pure.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

import orjson

from node.errors import Malformed, TooLarge
from node.federation.feed.feed_pages import MAX_ENTRIES, MAX_STUBS
from node.journal import Entry, Opening
from node.journal.entry import SALT_BYTES, at_text, digest_bytes
from node.journal.note import MAX_NOTE_BYTES
from node.journal.tree import HASH_BYTES

MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_PROOF = 64  # hashes: a tree of 2**63 leaves needs no more
MAX_MEMBERS = 16
_MAX_NUMBER = 2**53 - 1
_LINE_KEYS = ({"entry"}, {"entry", "opening"}, {"entry", "opening", "payload"})
_ENTRY_KEYS = {"v", "collection", "seq", "at", "commit"}
_ENVELOPE_KEYS = {"v", "collection", "after", "end", "size", "checkpoint", "consistency", "through"}
_STUBS_KEYS = {"v", "collection", "seqs", "size", "checkpoint"}
_PUT_KEYS = {"salt", "record", "slug", "kind", "op", "digest"}
_OPENING_KEYS: Mapping[str, set[str]] = {
    "put": _PUT_KEYS,
    "withdraw": _PUT_KEYS - {"digest"},
    "erase": {"salt", "op", "target"},
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it came, its leaf, the opening's members unread and the payload's bytes, where they came too."""

    entry: Entry
    leaf: bytes
    opening: Document | None
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class Page:
    """The entries `after` + 1 to `end` of a collection, within the signed `size`."""

    collection: str
    after: int
    end: int
    size: int
    checkpoint: str
    consistency: tuple[bytes, ...]
    through: tuple[bytes, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Stubs:
    """Entries that were asked for by their numbers."""

    collection: str
    seqs: tuple[int, ...]
    lines: tuple[Line, ...]


def read_page(data: bytes) -> Page:
    """Read one page.

    Raises:
        Malformed: Anything in it is not as the format says.
        TooLarge: It has more than 16 MiB, a line of more than 4 MiB, or more than 1,000 entries.
    """
    head, lines = _parted(data, MAX_ENTRIES)
    told = _checked(head, _ENVELOPE_KEYS, "envelope")
    collection, checkpoint = _text(told, "collection"), _text(told, "checkpoint")
    after, end, size = _number(told, "after"), _number(told, "end"), _number(told, "size")
    if not after <= end <= size or end - after != len(lines):
        raise Malformed(f"A page after {after} to {end} of {size} holds {len(lines)} entries.")
    if after == end < size:
        raise Malformed(f"A page after {after} of {size} holds no entry.")
    proofs = _hashes(told, "consistency"), _hashes(told, "through")
    read = tuple([_line(line, collection) for line in lines])
    for number, line in enumerate(read, after + 1):
        if line.entry.seq != number:
            raise Malformed(f"Where entry {number} should be stands entry {line.entry.seq}.")
    for earlier, later in pairwise(read):
        if later.entry.at_ms < earlier.entry.at_ms:
            raise Malformed(f"The time of entry {later.entry.seq} lies before that of the entry before it.")
    return Page(collection, after, end, size, checkpoint, *proofs, read)


def read_stubs(data: bytes) -> Stubs:
    """Read an answer with just the entries that were asked for. Raises as `read_page` does."""
    head, lines = _parted(data, MAX_STUBS)
    told = _checked(head, _STUBS_KEYS, "envelope")
    collection, seqs = _text(told, "collection"), told["seqs"]
    _text(told, "checkpoint")
    _number(told, "size")
    if not isinstance(seqs, list) or any(type(seq) is not int for seq in seqs):
        raise Malformed("The numbers of the entries are no list of numbers.")
    read = tuple([_line(line, collection) for line in lines])
    if [line.entry.seq for line in read] != seqs or seqs != sorted(set(seqs)):
        raise Malformed("The answer does not hold the entries that it names, in order.")
    return Stubs(collection, tuple(seqs), read)


def opening_of(told: Document) -> Opening:
    """Read an opening; Malformed unless it is exactly one of the three kinds there are."""
    op = told.get("op")
    keys = _OPENING_KEYS.get(op) if isinstance(op, str) else None
    if keys is None or told.keys() != keys:
        raise Malformed("The opening does not have the members of a put, a withdrawal or an erasure.")
    salt = _salt(_text(told, "salt"))
    if op == "erase":
        return Opening("erase", salt, target=_number(told, "target"))
    record, slug, kind = _text(told, "record"), _text(told, "slug"), _text(told, "kind")
    if op == "withdraw":
        return Opening("withdraw", salt, record, slug, kind)
    digest = _text(told, "digest")
    digest_bytes(digest)
    return Opening("put", salt, record, slug, kind, digest)


def _parted(data: bytes, most: int) -> tuple[bytes, list[bytes]]:
    if len(data) > MAX_PAGE_BYTES:
        raise TooLarge(f"A page has {len(data)} bytes; at most {MAX_PAGE_BYTES} are taken.")
    if data.count(b"\n") > most + 1:
        raise TooLarge(f"A page holds at most {most} entries.")
    # At LF alone: U+2028 and U+0085 are text.
    lines = data.split(b"\n")
    if lines.pop():
        raise Malformed("The last line of a page does not end.")
    if not lines:
        raise Malformed("A page begins with its envelope.")
    if len(max(lines, key=len)) > MAX_LINE_BYTES:
        raise TooLarge(f"A line of a page has at most {MAX_LINE_BYTES} bytes.")
    return lines[0], lines[1:]


def _json(line: bytes) -> Document:
    try:
        told = orjson.loads(line)
        # A tree that was nested deep enough to end the stack was refused by the reader before.
        same = orjson.dumps(told, option=orjson.OPT_SORT_KEYS) == line
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError) as error:
        raise Malformed(f"A line of a page is no JSON: {error}.") from error
    if not same:
        raise Malformed("A line of a page is not written in the canonical form (RFC 8785).")
    if not isinstance(told, dict):
        raise Malformed("A line of a page is no JSON object.")
    return told


def _checked(line: bytes, keys: set[str], what: str) -> Document:
    told = _json(line)
    if told.keys() != keys or type(told["v"]) is not int or told["v"] != 1:
        raise Malformed(f"The {what} of a page is of another version, or has other members.")
    return told


def _line(line: bytes, collection: str) -> Line:
    told = _json(line)
    if told.keys() not in _LINE_KEYS:
        raise Malformed("A line of a page is an entry, with its opening, with its payload, and nothing else.")
    entry = _entry(told["entry"], collection)
    opening, payload = told.get("opening"), told.get("payload")
    if "opening" in told:
        _check_flat(opening)
    leaf = entry.leaf()
    if "payload" not in told:
        return Line(entry, leaf, opening, None)
    if not isinstance(payload, str) or opening is None or opening.get("op") != "put":
        raise Malformed(f"Entry {entry.seq} comes with a payload, and is no put.")
    return Line(entry, leaf, opening, payload.encode())


def _entry(told: object, collection: str) -> Entry:
    if not isinstance(told, dict) or told.keys() != _ENTRY_KEYS or type(told["v"]) is not int or told["v"] != 1:
        raise Malformed("An entry is of another version, or has other members.")
    seq, commit = _number(told, "seq"), _text(told, "commit")
    if seq < 1 or _text(told, "collection") != collection:
        raise Malformed(f"Entry {seq} is of another collection.")
    return Entry(collection, seq, _at_ms(_text(told, "at")), digest_bytes(commit), None)


def _check_flat(opening: object) -> None:
    if not isinstance(opening, dict) or len(opening) > MAX_MEMBERS:
        raise Malformed("An opening is an object of a few members.")
    for value in opening.values():
        if type(value) is not str and not (type(value) is int and abs(value) <= _MAX_NUMBER):
            raise Malformed("An opening holds texts and whole numbers.")


def _text(told: Document, key: str) -> str:
    value = told[key]
    if type(value) is not str or len(value) > MAX_NOTE_BYTES:
        raise Malformed(f"The member {key} is no text, or too long.")
    return value


def _number(told: Document, key: str) -> int:
    value = told[key]
    # `True` is an int to Python, and a number of 30 digits is a float to the reader.
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        raise Malformed(f"The member {key} is no whole number below 2**53.")
    return value


@lru_cache(maxsize=1024)
def _at_ms(text: str) -> int:
    if not _MOMENT.fullmatch(text):
        raise Malformed(f"This is no time in UTC with milliseconds: {text[:40]}.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"There is no such time: {text}.") from error
    at_ms = round(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000
    if at_ms < 0 or at_text(at_ms) != text:
        raise Malformed(f"This time lies before 1970: {text}.")
    return at_ms


def _salt(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise Malformed("The salt of an opening is no base64url.") from error
    if len(raw) != SALT_BYTES or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise Malformed("The salt of an opening is 16 bytes in base64url without padding.")
    return raw


def _hashes(told: Document, key: str) -> tuple[bytes, ...]:
    values: Sequence[object] = told[key]
    if not isinstance(values, list) or len(values) > MAX_PROOF:
        raise Malformed(f"The proof {key} is no list of at most {MAX_PROOF} hashes.")
    return tuple([_hash(value, key) for value in values])


def _hash(value: object, key: str) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"The proof {key} holds broken base64.") from error
    if len(raw) != HASH_BYTES or base64.b64encode(raw).decode() != value:
        raise Malformed(f"The proof {key} holds something that is no hash in canonical base64.")
    return raw
