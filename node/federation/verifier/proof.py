"""What proves a record, taken apart and checked: pure, for whoever trusts no node and has only its answers.

A *bundle* is the JSON that `…/proof` gives: entry, opening, the way up the tree, the signed checkpoint. Nothing of it
is believed: bytes are made anew from its values and hashed. The keys come from the caller, never from the bundle.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeGuard

import orjson

from node.errors import BadSignature, Malformed, Refuted, WrongRoot
from node.journal import note, tree
from node.journal.entry import jcs
from node.journal.note import Checkpoint
from node.keys import verified

MAX_BUNDLE_BYTES = 1 << 20
_ENTRY = {"v": int, "collection": str, "seq": int, "at": str, "commit": str}
_OPENINGS: dict[object, dict[str, type]] = {
    "put": {"salt": str, "record": str, "slug": str, "kind": str, "op": str, "digest": str},
    "withdraw": {"salt": str, "record": str, "slug": str, "kind": str, "op": str},
    "erase": {"salt": str, "op": str, "target": int},
}
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
_MAX_PROOF = 63

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A proof as it was given; every field has the right shape, and none is believed yet."""

    entry: Document
    opening: Document | None
    leaf_index: int
    tree_size: int
    hashes: tuple[bytes, ...]
    note: str
    key: str

    @property
    def collection(self) -> str:
        """Give the IRI of the collection that the entry names."""
        return str(self.entry["collection"])


def read_bundle(body: bytes) -> Bundle:
    """Read a proof; Malformed unless every part that is needed is there."""
    return bundle_of(object_of(body, MAX_BUNDLE_BYTES))


def bundle_of(told: Mapping[str, Any]) -> Bundle:
    """Read a proof that is a part of something larger; Malformed as `read_bundle`."""
    inclusion = told.get("inclusion")
    if not isinstance(inclusion, dict):
        raise Malformed("This is no proof of a record.", fix="Give what …/proof answers.")
    index, size = inclusion.get("leaf_index"), inclusion.get("tree_size")
    if not _is_count(index) or not _is_count(size) or not isinstance(told.get("checkpoint"), str):
        raise Malformed("The proof lacks its place in the tree, or its checkpoint.")
    opening = told.get("opening")
    return Bundle(
        entry=checked_entry(told.get("entry")),
        opening=None if opening is None else checked_opening(opening),
        leaf_index=index,
        tree_size=size,
        hashes=hashes_of(inclusion.get("hashes")),
        note=told["checkpoint"],
        key=str(told.get("key", "")),
    )


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 1 << 53


def object_of(body: bytes, max_bytes: int) -> Document:
    """Read one JSON object; Malformed if it is none, or longer than that."""
    if len(body) > max_bytes:
        raise Malformed(f"The document has more than {max_bytes} bytes.")
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"This is no JSON: {error}.") from error
    if not isinstance(told, dict):
        raise Malformed("This is no JSON object.")
    return told


def hashes_of(value: object) -> tuple[bytes, ...]:
    """Read a list of hashes in base64; Malformed if one is none, or if no proof has that many."""
    if not isinstance(value, list) or len(value) > _MAX_PROOF:
        raise Malformed("A proof is a list of at most 63 hashes.")
    return tuple(_hash(each) for each in value)


def _hash(value: object) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != tree.HASH_BYTES:
        raise Malformed("A hash of the proof is none.")
    return raw


def checked_entry(value: object) -> Document:
    """Give an entry back; Malformed unless it has exactly the members and types of formats.md 3."""
    entry = _shaped(value, _ENTRY, "entry")
    if entry["v"] != 1 or not 1 <= entry["seq"] < 1 << 53 or not _AT.match(entry["at"]):
        raise Malformed("The entry is of another version, or its number or time is none.")
    return entry


def checked_opening(value: object) -> Document:
    """Give an opening back; Malformed unless it has exactly the members and types of its kind."""
    op = value.get("op") if isinstance(value, dict) else None
    return _shaped(value, _OPENINGS.get(op, {}) if isinstance(op, str) else {}, "opening")


def _shaped(value: object, shape: Mapping[str, type], what: str) -> Document:
    if not isinstance(value, dict) or not shape or value.keys() != shape.keys():
        raise Malformed(f"The {what} does not have the members it should have.")
    if any(type(value[name]) is not kind for name, kind in shape.items()):
        raise Malformed(f"A member of the {what} has the wrong type.")
    return value


def leaf_of(entry: Document) -> bytes:
    """Hash an entry to its leaf."""
    return tree.leaf_hash(jcs(entry))


def check_opening(entry: Document, opening: Document) -> None:
    """Refuted unless the entry commits to this opening."""
    if entry["commit"] != "sha256:" + sha256(jcs(opening)).hexdigest():
        raise Refuted(f"Entry {entry['seq']} does not commit to the opening that is shown with it.")


def signed_checkpoint(text: str, iri: str, keys: Sequence[bytes]) -> Checkpoint:
    """Read a collection's note that one of these keys signed.

    Raises:
        Malformed: It is no checkpoint.
        BadSignature: None of the keys signed it, or it speaks of another collection.
    """
    origin = note.origin_of(iri)
    try:
        found = note.opened(text, {origin: list(keys)}, verified)
    except Refuted as error:
        raise BadSignature(f"The checkpoint of {iri} does not hold: {error.message}") from error
    if found.origin != origin:
        raise BadSignature(f"The checkpoint speaks of {found.origin}, not of {origin}.")
    return found


def prove(bundle: Bundle, keys: Sequence[bytes]) -> Checkpoint:
    """Check a bundle from the opening up to the signature; give the checkpoint it hangs from.

    Raises:
        BadSignature: None of the keys signed the checkpoint.
        WrongRoot: The entry is not in the tree that was signed.
        Refuted: The entry does not commit to the opening.
    """
    signed = signed_checkpoint(bundle.note, bundle.collection, keys)
    if bundle.opening is not None:
        check_opening(bundle.entry, bundle.opening)
    index, size = bundle.leaf_index, bundle.tree_size
    placed = (index, size) == (bundle.entry["seq"] - 1, signed.size)
    if not placed or not tree.verify_inclusion(leaf_of(bundle.entry), index, size, bundle.hashes, signed.root):
        raise WrongRoot(f"Entry {bundle.entry['seq']} is not in the tree of {signed.size} entries that was signed.")
    return signed
