"""Reads Multikey text back: what the tests hold the writer, DID documents and official vectors against."""

from node.errors import Malformed
from node.keys import checked_public_key
from node.keys.multikey import multikey

_ED25519 = b"\xed\x01"
_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LENGTH = 48  # `z` and the 47 letters that 34 bytes beginning with 0xED always take


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
