"""Ed25519 public keys as Multikey text: `z` and base58btc of 0xED01 and the 32 bytes, as DID documents write them.

Written only: peers' keys are read from the JWKs of their statements, where they are checked. Only Ed25519, since no
key of another kind signs a document here. Pure.
"""

from node.keys.multibase import multibase

_ED25519 = b"\xed\x01"


def multikey(public_key: bytes) -> str:
    """Write an Ed25519 public key."""
    return multibase(_ED25519 + public_key)
