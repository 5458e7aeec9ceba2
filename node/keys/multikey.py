"""Ed25519 public keys as Multikey text: `z` and base58btc of 0xED01 and the 32 bytes, as DID documents write them.

Reading is strict: one key has one spelling, and a key of small order is refused here as everywhere. Only Ed25519: no
key of another kind signs a document here.
"""

from node.errors import Malformed
from node.keys.ed25519 import checked_public_key

_ED25519 = b"\xed\x01"
_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LENGTH = 48  # `z` and the 47 letters that 34 bytes beginning with 0xED always take


def multikey(public_key: bytes) -> str:
    """Write an Ed25519 public key."""
    number, text = int.from_bytes(_ED25519 + public_key, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _LETTERS[rest] + text
    return "z" + text


def raw_of(text: str) -> bytes:
    """Read one back; Malformed if it is none or of small order."""
    number = 0
    if len(text) != _LENGTH or text[0] != "z" or not set(text[1:]) <= set(_LETTERS):
        raise Malformed("This is no Ed25519 Multikey.")
    for letter in text[1:]:
        number = number * 58 + _LETTERS.index(letter)
    raw = number.to_bytes(35, "big")[1:]
    if raw[:2] != _ED25519 or multikey(raw[2:]) != text:
        raise Malformed("This is no Ed25519 Multikey.")
    return checked_public_key(raw[2:])
