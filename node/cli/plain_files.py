"""Files that a person names on the command line, read and replaced only if they are files.

A pipe that nobody writes to would be waited for, and a device may never end; to write a file anew puts another one in
the place of what stood there, and of a device or a link that is more than was asked for. Secrets are not read through
here: those are often handed over by a pipe.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import typer

from node.cli import say
from node.errors import Refused

WRONG_USE = 2
_SHOWN = 200
_KINDS = ((stat.S_ISLNK, "a link"), (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"))


def open_plain(path: Path) -> BinaryIO:
    """Open a file to be read from its beginning. Raises OSError, also for a folder, a pipe or a device."""
    # Looked at before it is opened, since some devices act on that; and after it, when it cannot become another.
    _check(path.stat().st_mode)
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(number).st_mode)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def write_plain(path: Path, body: bytes) -> None:
    """Write a file whole or not at all, in the place of one that is there.

    Raises:
        Exit: Something else stands there; it was said.
        Refused: It cannot be written.
    """
    check_replaceable(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(body)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):  # where nothing can be written nothing is to be removed
            draft.unlink(missing_ok=True)
        raise Refused(f"{say.short(str(path), _SHOWN)} cannot be written: {error.strerror}.") from error


def check_replaceable(path: Path) -> None:
    """End the command as wrong use, with a word, where something stands that is no file; links are not followed."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # nothing is there; or whoever writes is told what is the matter
    if stat.S_ISREG(mode):
        return
    what = next((name for test, name in _KINDS if test(mode)), "a device or a socket")
    fix = "Name a new file, or one that may be replaced."
    say.error(Refused(f"{say.short(str(path), _SHOWN)} is {what}: nothing was written.", fix=fix))
    raise typer.Exit(WRONG_USE)


def _check(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "It is a pipe or a device, and no file")
