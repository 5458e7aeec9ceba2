"""Private keys in files: one folder that only its owner may enter, a PEM file a key, encrypted under a passphrase.

A file is written beside its place, forced to disk and moved there in one step, so that a crash leaves the old key or
the new one. Whatever makes a key unsafe or unusable stops the start, with the sentence that says what to do.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.errors import AlreadyRunning, Misconfigured
from node.keys.signer import PrivateKey

BACKUP = "Put the folder keys/ back from a backup; without it this node cannot sign what it published."


def make_folder(folder: Path) -> None:
    """Make the folder of the keys if it is not there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def held(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Keep every other process from changing the keys meanwhile; reading needs no leave.

    Raises:
        AlreadyRunning: Somebody else is changing them, and `wait` is false.
        Misconfigured: There is no such folder.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise Misconfigured(f"The folder {folder} cannot be read: {error.strerror}.", fix=BACKUP) from error
    try:
        _lock(handle, 0 if wait else fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, how: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | how)
    except BlockingIOError as error:
        raise AlreadyRunning("Somebody else is changing the keys.", fix="Look at them: citynode keys list.") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all; replaces what was there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Make what a file holds, or what happened to names in a folder, outlast a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_key(path: Path, key: PrivateKey, passphrase: str) -> None:
    """Write a private key, encrypted if there is a passphrase."""
    lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase.encode())
    write_file(path, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))


def check_folder(folder: Path) -> None:
    """Look whether only the owner may enter the folder. Raises Misconfigured."""
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise Misconfigured(f"The folder {folder} cannot be read: {error.strerror}.", fix=BACKUP) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Misconfigured(f"Others on this host may enter {folder}.", fix=f"Run chmod 700 {folder}.")


def read_key(path: Path, passphrase: str) -> PrivateKey | None:
    """Read a private key, or None if there is no such file.

    Raises:
        Misconfigured: It is broken or of another kind; others may read it; or the passphrase does not fit.
    """
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(f"The key {path} cannot be read: {error.strerror}.", fix=BACKUP) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Misconfigured(f"Others on this host may read the key {path}.", fix=f"Run chmod 600 {path}.")
    return key_in(path, pem, passphrase)


def key_in(path: Path, pem: bytes, passphrase: str) -> PrivateKey:
    """Make the key of what a file holds. Raises as `read_key` does."""
    _check_lock(path, pem, passphrase)
    try:
        key = serialization.load_pem_private_key(pem, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if passphrase:
            fix = "Set key_passphrase (CITYNODE_KEY_PASSPHRASE or …_FILE) to the one it was encrypted with."
            raise Misconfigured(f"The passphrase does not open the key {path}.", fix=fix) from error
        raise Misconfigured(f"The key {path} is broken.", fix="Put it back from a backup.") from error
    return _ours(path, key)


def _ours(path: Path, key: object) -> PrivateKey:
    p256 = isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    if not p256 and not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"The key {path} is no Ed25519 or P-256 key.", fix="Put it back from a backup.")
    return cast("PrivateKey", key)


def is_encrypted(pem: bytes) -> bool:
    """Tell whether a PEM file says that it needs a passphrase."""
    return b"ENCRYPTED" in pem


def _check_lock(path: Path, pem: bytes, passphrase: str) -> None:
    if is_encrypted(pem) and not passphrase:
        fix = "Set key_passphrase: CITYNODE_KEY_PASSPHRASE_FILE names a file that holds it."
        raise Misconfigured(f"The key {path} is encrypted, and no passphrase is set.", fix=fix)
    if passphrase and not is_encrypted(pem):
        # Whoever set a passphrase believes that the keys are safe on a stolen disk.
        raise Misconfigured(
            f"A passphrase is set, but the key {path} is not encrypted.", fix="Run: citynode keys encrypt."
        )
