"""How a file that our datasets name is fetched again and again, for whoever looks at such files (models, previews).

Under what it is asked with, when it is asked for next, and where it lies meanwhile. What a file is asked with is one
text: its ETag, or `since ` and a date where the server only tells that.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from node.outbound import Answer

DAY_MS = 86_400_000
EVERY_MS = 7 * DAY_MS
AFTER_NO_MS = 30 * DAY_MS
_FIRST_WAIT_MS = 3_600_000
_LONGEST_WAIT_MS = 7 * DAY_MS
_SINCE = "since "


def conditions(kept: str) -> tuple[str, str]:
    """Give the ETag and the date to ask with."""
    return ("", kept.removeprefix(_SINCE)) if kept.startswith(_SINCE) else (kept, "")


def kept_of(answer: Answer) -> str:
    """Give what to ask with next time; empty where the server tells nothing."""
    return answer.etag or (f"{_SINCE}{answer.last_modified}" if answer.last_modified else "")


def wait_ms(waited_ms: int) -> int:
    """Give how long to wait after a failure: twice as long as after the last one, 0 if this is the first."""
    return min(max(2 * waited_ms, _FIRST_WAIT_MS), _LONGEST_WAIT_MS)


@contextmanager
def room(folder: Path, prefix: str, now_ms: int) -> Iterator[Path]:
    """Make room for one file; what a process that died left a day ago goes with it."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{prefix}*"):
        if left.stat().st_mtime * 1000 < now_ms - DAY_MS:
            shutil.rmtree(left, ignore_errors=True)
    space = Path(mkdtemp(prefix=prefix, dir=folder))
    try:
        yield space
    finally:
        shutil.rmtree(space, ignore_errors=True)
