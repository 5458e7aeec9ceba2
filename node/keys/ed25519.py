"""Ed25519 over bytes: the check that a public key is worth having, and the check of a signature.

The library under us takes public keys of small order, under which one signature fits every message, and keys that are
not written canonically, which would give one key two names. Both are refused before anything is verified with them.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from node.errors import Malformed

_P = 2**255 - 19
_EIGHT = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# The y coordinates of all eight points whose order divides 8; the sign bit of x makes no difference.
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _EIGHT, _P - _EIGHT})


def checked_public_key(public_key: bytes) -> bytes:
    """Give the key back; Malformed if it is no Ed25519 key, not canonically written, or of small order."""
    if len(public_key) != 32:
        raise Malformed("An Ed25519 public key has 32 bytes.")
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if y >= _P:
        raise Malformed("The Ed25519 public key is not written canonically.")
    if y in _SMALL_ORDER_Y:
        raise Malformed("The Ed25519 public key is of small order: one signature would fit every message.")
    return public_key


def verified(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the signature is this key's over exactly these bytes; Malformed keys raise."""
    key = Ed25519PublicKey.from_public_bytes(checked_public_key(public_key))
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
