"""Files that a person names on the command line, opened only if they are files.

A pipe that nobody writes to would be waited for, and a device may never end. Secrets are not read through here: those
are often handed over by a pipe.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


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


def _check(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "It is a pipe or a device, and no file")
