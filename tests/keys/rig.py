"""What tests of the keyring share."""

import threading
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from node.keys import PURPOSES

AT = 1_795_000_000_000


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


PLAIN = {f"{purpose}.pem" for purpose in PURPOSES} | {"keys.json"}


def together(works: list) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def pem(key: object, lock: object = None) -> bytes:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return key.private_bytes(*form, lock or serialization.NoEncryption())  # type: ignore[attr-defined]
