"""The node's own keys: files in one folder, readable by nobody else, and Ed25519 over bytes.

A purpose has its own key, so that a signature made for one can never stand for another. Keys of others are checked
here too: the library under us accepts public keys of small order, under which one signature fits every message, so
those are refused first. No database, no clock, no knowledge of what is signed.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import Literal, get_args

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from node.errors import Malformed, Misconfigured

Purpose = Literal["checkpoint"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

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


class Keyring:
    """The private keys in one folder."""

    def __init__(self, folder: Path) -> None:
        """Read the keys.

        Raises:
            Misconfigured: A key is missing or broken, or somebody else on the host may read it.
        """
        self._keys = {purpose: _read(_file(folder, purpose)) for purpose in PURPOSES}

    @classmethod
    def create(cls, folder: Path) -> "Keyring":
        """Make the keys that are missing, never touching one that exists, and read them all."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for purpose in PURPOSES:
            if not _file(folder, purpose).exists():
                _write(_file(folder, purpose), Ed25519PrivateKey.generate())
        return cls(folder)

    def sign(self, purpose: Purpose, message: bytes) -> bytes:
        """Give the 64 bytes of the signature."""
        return self._keys[purpose].sign(message)

    def public_key(self, purpose: Purpose) -> bytes:
        """Give the 32 bytes of the public key."""
        return self._keys[purpose].public_key().public_bytes_raw()

    def verify(self, purpose: Purpose, message: bytes, signature: bytes) -> bool:
        """Tell whether our key of this purpose made the signature."""
        return verified(self.public_key(purpose), message, signature)


def _file(folder: Path, purpose: Purpose) -> Path:
    return folder / f"{purpose}.pem"


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where a rename would replace: two processes that start at once keep one key, the first.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except OSError as error:
        fix = "Put the folder keys/ back from a backup; without it this node cannot sign what it published."
        raise Misconfigured(f"The key {path} cannot be read: {error.strerror}.", fix=fix) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Misconfigured(f"Others on this host may read the key {path}.", fix=f"Run chmod 600 {path}.")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured(f"The key {path} is broken.", fix="Put it back from a backup.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"The key {path} is no Ed25519 key.", fix="Put it back from a backup.")
    return key
