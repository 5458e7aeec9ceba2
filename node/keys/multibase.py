"""Bytes as base58btc multibase text (`z` and letters): how DID documents write keys, and proofs their signatures.

A text is read only if it is the one spelling of bytes of the length that is expected, so that no key and no signature
has two names; and no longer one is looked at, for reading takes time that grows with the square of the length. Pure.
"""

from node.errors import Malformed

_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}


def multibase(raw: bytes) -> str:
    """Write bytes; each leading zero byte is a leading `1`."""
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _LETTERS[rest] + text
    return "z" + "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def read_multibase(text: object, size: int) -> bytes:
    """Read exactly `size` bytes back; Malformed if the text is anything but their one spelling."""
    if not isinstance(text, str) or len(text) > 2 * size + 1 or text[:1] != "z" or not _VALUES.keys() >= set(text[1:]):
        raise Malformed(f"This is no base58btc multibase text of {size} bytes.")
    number = 0
    for letter in text[1:]:
        number = number * 58 + _VALUES[letter]
    if number.bit_length() > 8 * size or multibase(raw := number.to_bytes(size, "big")) != text:
        raise Malformed(f"This is no base58btc multibase text of {size} bytes.")
    return raw
