"""Something that signs with one private key: today a key in memory that came from a file, later one in hardware.

The rest of the node asks a `Signer` and never sees a private key. Whoever keeps keys in a PKCS#11 token writes one more
class with these four members and hands it to `Keyring` in place of `FileSigner`.
"""

from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from node.keys.jwk import Algorithm, jwk_of, thumbprint

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey

# RFC 6979: the same bytes get the same signature in every process, so what is published keeps its ETag; and no
# broken source of randomness can give the key away.
_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_SIZE = 32


class Signer(Protocol):
    """One private key, wherever it is kept."""

    @property
    def alg(self) -> Algorithm:
        """Say how it signs."""

    @property
    def kid(self) -> str:
        """Give the thumbprint of its public key."""

    @property
    def jwk(self) -> dict[str, str]:
        """Give its public key."""

    def sign(self, message: bytes) -> bytes:
        """Give the 64 bytes of the signature: Ed25519, or r and s of ES256 as a JWS has them."""


class FileSigner:
    """A private key in memory."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self.alg: Algorithm = "Ed25519" if isinstance(key, Ed25519PrivateKey) else "ES256"
        self.jwk = jwk_of(key.public_key())
        self.kid = thumbprint(self.jwk)

    def sign(self, message: bytes) -> bytes:
        """Give the 64 bytes of the signature."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, _ECDSA))
        return r.to_bytes(_SIZE, "big") + s.to_bytes(_SIZE, "big")


def generated(alg: Algorithm) -> PrivateKey:
    """Make a new private key."""
    return Ed25519PrivateKey.generate() if alg == "Ed25519" else ec.generate_private_key(ec.SECP256R1())
