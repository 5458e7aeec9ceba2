"""Checkpoints as C2SP signed notes (signed-note, tlog-checkpoint): text in, text out, nothing else.

The body is origin, size and root, a line each; formats.md allows no extension lines. The origin is the collection's
IRI without its scheme and is the key's name too. A note is signed as the exact bytes of its body; it never comes
from a re-made one. A cosignature (tlog-cosignature, cosignature/v1) is a witness's timestamped line under it. Pure:
signing and checking of bytes is handed in.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from node.errors import Malformed, Refuted
from node.journal.tree import HASH_BYTES

ED25519 = b"\x01"
COSIGNATURE = b"\x04"  # the type of a timestamped Ed25519 cosignature
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


def key_hint(name: str, public_key: bytes, kind: bytes = ED25519) -> bytes:
    """Give the four bytes by which a note names an Ed25519 key of this signature type."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes, kind: bytes = ED25519) -> str:
    """Write a key as C2SP tools take it: name, hint in hex, type and key in base64, joined by `+`."""
    return f"{name}+{key_hint(name, public_key, kind).hex()}+{base64.b64encode(kind + public_key).decode()}"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key as C2SP tools write it; `kind` is `ED25519` for a log's own, `COSIGNATURE` for a witness's."""

    name: str
    kind: bytes
    public_key: bytes


def read_verifier_key(text: str) -> VerifierKey:
    """Read what `verifier_key` writes; Malformed if a part is missing or the hint is not this key's."""
    name, _, rest = text.strip().partition("+")
    hint, _, data = rest.partition("+")
    raw = _base64(data)
    kind, public_key = raw[:1], raw[1:]
    if kind not in (ED25519, COSIGNATURE) or len(public_key) != 32 or not name:
        raise Malformed("This is no verifier key of Ed25519.", fix="Write it as name+hint+base64, on one line.")
    if hint != key_hint(name, public_key, kind).hex():
        raise Malformed(f"The hint of this verifier key is not that of its key: {text[:80]}.")
    return VerifierKey(name, kind, public_key)


def signed(checkpoint: Checkpoint, public_key: bytes, sign: Sign, *, also: Sequence[tuple[bytes, Sign]] = ()) -> str:
    """Sign a checkpoint with the key whose name is its origin, and with others of that name that still hold."""
    body, name = checkpoint.body(), checkpoint.origin
    lines = [Signature(name, key_hint(name, key), by(body.encode())) for key, by in ((public_key, sign), *also)]
    return SignedNote(body, tuple(lines)).render()


def names_key(note: str, public_key: bytes) -> bool:
    """Tell whether one of a checkpoint's lines says that this key made it; judges no signature."""
    parsed = parse(note)
    origin = parsed.text.partition("\n")[0]
    hint = key_hint(origin, public_key)
    return any((line.name, line.hint) == (origin, hint) for line in parsed.signatures)


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


@dataclass(frozen=True, slots=True)
class Cosigned:
    """One cosignature that holds: whose, by which key, and when (seconds since the epoch)."""

    name: str
    public_key: bytes
    at_s: int


def cosign(name: str, public_key: bytes, text: str, *, at_s: int, sign: Sign) -> Signature:
    """Make a witness's signature over the body of a checkpoint, at a time."""
    if not 0 < at_s < 1 << 63:
        raise ValueError("a cosignature has a time after 1970")
    timestamped = at_s.to_bytes(8, "big") + sign(_cosigned_message(text, at_s))
    return Signature(name, key_hint(name, public_key, COSIGNATURE), timestamped)


def cosignatures(note: SignedNote, keys: Mapping[str, Sequence[bytes]], check: Check) -> list[Cosigned]:
    """Give the cosignatures of known witnesses (keys by name), in the order of their lines.

    Raises:
        Refuted: A cosignature of a known key is wrong; nothing else of that note should be believed either.
    """
    return [
        _checked_cosignature(note.text, signature, key, check)
        for signature in note.signatures
        for key in keys.get(signature.name, ())
        if key_hint(signature.name, key, COSIGNATURE) == signature.hint
    ]


def _checked_cosignature(text: str, signature: Signature, key: bytes, check: Check) -> Cosigned:
    at_s = int.from_bytes(signature.signature[:8], "big")
    message = _cosigned_message(text, at_s)
    if len(signature.signature) != 72 or not 0 < at_s < 1 << 63 or not check(key, message, signature.signature[8:]):
        raise Refuted(f"The cosignature of {signature.name} under the checkpoint is wrong.")
    return Cosigned(signature.name, key, at_s)


def _cosigned_message(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def signature_lines(text: str) -> tuple[Signature, ...]:
    """Read signature lines that stand alone, as a witness answers them; Malformed if one is broken."""
    if not text.endswith("\n") or len(text.encode(errors="replace")) > MAX_NOTE_BYTES:
        raise Malformed("These are no signature lines.")
    lines = text[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Malformed(f"At most {MAX_SIGNATURES} signatures are taken.")
    return tuple(_signature(line) for line in lines)


def with_lines(note: str, lines: Sequence[str]) -> str:
    """Add signature lines (each with its LF) to a note, as many as a note may have; one it has already stays one."""
    have = note.count(_DASH)
    fresh = [line for line in dict.fromkeys(lines) if line not in note]
    return note + "".join(fresh[: max(0, MAX_SIGNATURES - have)])
