"""What seals small secrets at rest: values in the database that a copy of the database alone must not give away.

One more private key in the folder of the keys, `sealing.pem`, so that passphrase, permissions and backup hold for it as
for the others; AES-256-GCM under a key that is derived from it for each use. What is sealed is bound to what it is
about, so that nobody who may write rows can move one person's secret to another. It signs nothing and is not published.
"""

import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from node.errors import Misconfigured, Refuted
from node.keys import files

FILE_NAME = "sealing.pem"
_NONCE = 12
_RAW = (serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())


class Sealer:
    """Seals and opens; reads its key at the first use and makes it where there is none. Safe to share by threads."""

    def __init__(self, folder: Path, passphrase: str = "") -> None:
        self._path = folder / FILE_NAME
        self._passphrase = passphrase
        self._key = lru_cache(maxsize=8)(self._derived)

    def seal(self, content: bytes, *, use: str, about: str) -> bytes:
        """Seal a secret for one use (`totp`), bound to what it is about (a name)."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._key(use).encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, *, use: str, about: str) -> bytes:
        """Give a secret back.

        Raises:
            Refuted: It was sealed for something else, under another key, or was changed.
        """
        try:
            return self._key(use).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
        except (InvalidTag, ValueError) as error:
            raise Refuted("A sealed value cannot be opened.", fix=f"Put {FILE_NAME} back from a backup.") from error

    def _derived(self, use: str) -> AESGCM:
        seed = self._private().private_bytes(*_RAW)
        return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=b"citynode sealing " + use.encode()).derive(seed))

    def _private(self) -> Ed25519PrivateKey:
        key = files.read_key(self._path, self._passphrase)
        if key is None:
            files.make_folder(self._path.parent)
            with files.held(self._path.parent):
                # Another process may have made it while this one waited.
                key = files.read_key(self._path, self._passphrase)
                if key is None:
                    key = Ed25519PrivateKey.generate()
                    files.write_key(self._path, key, self._passphrase)
        if not isinstance(key, Ed25519PrivateKey):
            raise Misconfigured(f"The key {self._path} is no Ed25519 key.", fix="Put it back from a backup.")
        return key
