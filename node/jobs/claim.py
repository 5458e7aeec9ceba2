"""The claim on a triple store: of all processes of this machine, one supervises it and writes down where it listens.

A lock on a file that the kernel lets go of when the last process that has it open is dead, however it died. Whoever
supervises takes it before anything else is touched and hands it on to the engine, so that a store whose supervisor was
killed is not started beside itself. Others ask `is_claimed`, and are never in the way.
"""

import fcntl
import os
import time
from pathlib import Path

import structlog

from node.errors import AlreadyRunning, Unavailable

# A node stops within ten seconds; what starts it again may come before the last of it is gone.
WAIT_S = 10.0
_LOOK_S = 0.1

log = structlog.get_logger("citynode.store")


def claim(data: Path, name: str) -> int:
    """Keep every other supervisor away from a store of a data folder.

    Returns:
        The descriptor that holds the claim until it is closed everywhere.

    Raises:
        AlreadyRunning: Somebody else has it, and keeps it for longer than a node takes to stop.
        Unavailable: The file cannot be written or locked.
    """
    until, said = time.monotonic() + WAIT_S, False
    path = _file(data, name)
    handle = _opened(path)
    while not _taken(handle, path):
        if time.monotonic() >= until:
            os.close(handle)
            raise AlreadyRunning(
                f"A node runs on {data} already.",
                fix="Use that one, or stop it first; a second node needs a data folder of its own (--data).",
            )
        if not said:
            log.warning("a node runs on this data folder, waiting for its end", most_s=WAIT_S)
            said = True
        time.sleep(_LOOK_S)
    return handle


def is_claimed(data: Path, name: str) -> bool:
    """Tell whether somebody supervises a store now."""
    try:
        with _file(data, name).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _file(data: Path, name: str) -> Path:
    return data / "graph" / f"{name}.claim"


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", fix="Mend the data folder.") from error


def _taken(handle: int, path: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        os.close(handle)
        raise Unavailable(f"{path} cannot be locked: {error.strerror}.", fix="Use a disk that has locks.") from error
    return True
