"""The public history of a node's keys: one JSON file beside the private ones, `keys.json`.

It says which key of each purpose is in use, and keeps every earlier one for ever, because what it signed stays
published. Replacing this file in one step is what makes a rotation happen; its being another file is how running
processes notice. It holds no secret, but a node without it could not say which keys were its own.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from node.errors import Malformed, Misconfigured
from node.keys.files import write_file
from node.keys.public import PublicKey, Purpose

FILE_NAME = "keys.json"
VERSION = 1
FIX = "Put keys.json back from a backup: it says which keys were this node's own."

# What tells one state of the file from another; writing puts a new file in its place.
Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class History:
    """Every key this node ever had, in the order they were made."""

    keys: tuple[PublicKey, ...] = ()

    def current(self, purpose: Purpose) -> PublicKey | None:
        """Give the key in use for a purpose, or None before the first."""
        return next((key for key in self.keys if key.purpose == purpose and key.until_ms is None), None)

    def published(self, purpose: Purpose | None = None) -> list[PublicKey]:
        """List keys: those in use first, then those replaced, the one that signs longest first."""
        found = [key for key in self.keys if purpose in (None, key.purpose)]
        return sorted(found, key=lambda key: (key.until_ms is not None, -(key.until_ms or 0)))

    def with_key(self, key: PublicKey, *, until_ms: int = 0) -> "History":
        """Put a key into use; the one it replaces signs until `until_ms`."""
        old = [replace(k, until_ms=until_ms) if k == self.current(key.purpose) else k for k in self.keys]
        return History((*old, key))

    def ended(self, kid: str, *, at_ms: int) -> "History":
        """Let a key that was replaced sign no longer."""
        return History(tuple(replace(key, until_ms=at_ms) if key.kid == kid else key for key in self.keys))


def mark(folder: Path) -> Mark | None:
    """Look which state of the file is there; None if there is no file. Takes a microsecond or two."""
    try:
        found = (folder / FILE_NAME).stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(f"{folder / FILE_NAME} cannot be read: {error.strerror}.", fix=FIX) from error
    return found.st_ino, found.st_mtime_ns, found.st_size


def read(folder: Path) -> History:
    """Read the history. Raises Misconfigured if it is missing or broken."""
    path = folder / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
        return _checked(document["v"], (PublicKey.read(key) for key in document["keys"]))
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}.", fix=FIX) from error
    except (ValueError, KeyError, TypeError, AttributeError, Malformed) as error:
        raise Misconfigured(f"{path} is broken: {error}.", fix=FIX) from error


def _checked(version: object, keys: Iterable[PublicKey]) -> History:
    if version != VERSION:
        raise Malformed(f"It is of version {version}, and this program knows {VERSION}")
    history = History(tuple(keys))
    in_use = [key.purpose for key in history.keys if key.until_ms is None]
    if len(set(in_use)) < len(in_use) or len({key.kid for key in history.keys}) < len(history.keys):
        raise Malformed("It names a key, or a key in use, twice")
    return history


def write(folder: Path, history: History) -> None:
    """Replace the history in one step, durably."""
    document = {"v": VERSION, "keys": [key.document() for key in history.keys]}
    write_file(folder / FILE_NAME, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
