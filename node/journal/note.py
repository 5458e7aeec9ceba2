"""Checkpoints as C2SP signed notes (signed-note, tlog-checkpoint): text in, text out, nothing else.

The body is origin, size and root, a line each; formats.md allows no extension lines. The origin is the collection's
IRI without its scheme and is the key's name too. A note is signed as the exact bytes of its body; it never comes
from a re-made one. Pure: signing and checking of bytes is handed in.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from node.errors import Malformed, Refuted
from node.journal.tree import HASH_BYTES

ED25519 = b"\x01"
MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 32
_DASH = "\u2014 "  # em dash and a space begin each signature line

Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes, bytes], bool]  # public key, message, signature


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and root of one journal."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Give the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name, its 4-byte hint, and the signature's bytes."""

    name: str
    hint: bytes
    signature: bytes

    def line(self) -> str:
        """Give the line as it stands in the note, with its LF."""
        return f"{_DASH}{self.name} {base64.b64encode(self.hint + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A parsed note: the exact text that was signed, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def render(self) -> str:
        """Give the note's text."""
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)


def origin_of(collection: str) -> str:
    """Give the checkpoint origin and key name of a collection; Malformed if its IRI cannot be one."""
    scheme, mark, rest = collection.partition("://")
    if not (scheme and mark and rest) or "+" in rest or not rest.isprintable() or any(c.isspace() for c in rest):
        raise Malformed(f"A collection cannot have this IRI: {collection}.", fix="Use http(s), without spaces or +.")
    return rest


def key_hint(name: str, public_key: bytes) -> bytes:
    """Give the four bytes by which a note names an Ed25519 key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """Write a key as C2SP tools take it: name, hint in hex, type and key in base64, joined by `+`."""
    return f"{name}+{key_hint(name, public_key).hex()}+{base64.b64encode(ED25519 + public_key).decode()}"


def signed(checkpoint: Checkpoint, public_key: bytes, sign: Sign) -> str:
    """Sign a checkpoint with the key whose name is its origin."""
    body = checkpoint.body()
    hint = key_hint(checkpoint.origin, public_key)
    return SignedNote(body, (Signature(checkpoint.origin, hint, sign(body.encode())),)).render()


def parse(note: str) -> SignedNote:
    """Read a note without judging its signatures; Malformed unless every byte is where it belongs."""
    text, mark, tail = note.rpartition("\n\n")
    if not mark or len(note.encode(errors="replace")) > MAX_NOTE_BYTES or not tail.endswith("\n"):
        raise Malformed("This is no signed note.")
    if any(c < " " and c != "\n" for c in note):
        raise Malformed("A signed note holds no control characters.")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Malformed(f"A signed note has at most {MAX_SIGNATURES} signatures.")
    return SignedNote(text + "\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> Signature:
    name, mark, data = line.removeprefix(_DASH).partition(" ")
    raw = _base64(data)
    if not line.startswith(_DASH) or not mark or not name or "+" in name or len(raw) <= 4:
        raise Malformed("A signature line of the note is broken.")
    if any(c.isspace() for c in name):
        raise Malformed("A key name holds no spaces.")
    return Signature(name, raw[:4], raw[4:])


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("The note holds broken base64.") from error
    if base64.b64encode(raw).decode() != text:  # spare bits set: a second spelling of the same bytes
        raise Malformed("The note holds base64 that is not canonical.")
    return raw


def checkpoint_of(text: str) -> Checkpoint:
    """Read the body of a checkpoint; Malformed unless it is exactly origin, size and root."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise Malformed("A checkpoint has exactly three lines.")
    origin, size, root = lines[:3]
    if not (size.isascii() and size.isdigit()) or str(int(size[:20])) != size:
        raise Malformed("The size of a checkpoint is a plain decimal number.")
    raw = _base64(root)
    if len(raw) != HASH_BYTES:
        raise Malformed("The root of a checkpoint has 32 bytes.")
    return Checkpoint(origin, int(size), raw)


def opened(note: str, keys: Mapping[str, Sequence[bytes]], check: Check) -> Checkpoint:
    """Read a checkpoint that at least one of our keys (by name) signed.

    As C2SP asks: signatures of unknown keys are passed over, a wrong one of a known key refutes the whole note.

    Raises:
        Malformed: It is no checkpoint.
        Refuted: No known key signed it, or a signature is wrong.
    """
    parsed = parse(note)
    message, found = parsed.text.encode(), False
    for signature in parsed.signatures:
        for key in keys.get(signature.name, ()):
            if key_hint(signature.name, key) != signature.hint:
                continue
            if not check(key, message, signature.signature):
                raise Refuted(f"The signature of {signature.name} under the checkpoint is wrong.")
            found = True
    if not found:
        raise Refuted("No key that is known here signed this checkpoint.")
    return checkpoint_of(parsed.text)
