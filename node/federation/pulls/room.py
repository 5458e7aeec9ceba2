"""Whether a disk takes more bytes: some are always left free where the node's own books lie.

Looked at before the first byte, as far as sizes are known, and again while bytes come: others write at the same time,
and what another city announces need not be true.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from node.errors import Unavailable
from node.federation.moving import UNFINISHED
from node.federation.pushes.incoming import SPARE_BYTES


class Room:
    """Knows the disk of the node's own folder. Safe to share by threads."""

    def __init__(self, own: Path, free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free) -> None:
        """Keep some room on the disk of `own`; `free` gives how many bytes are free on the disk of a folder."""
        self._own, self._free = own, free

    def check(self, folder: Path, many: int) -> None:
        """See that so many more bytes may be written to a folder, which need not be there yet. Raises Unavailable."""
        there = next(each for each in (folder, *folder.parents) if each.is_dir())
        spare = SPARE_BYTES if there.stat().st_dev == self._own.stat().st_dev else 0
        left = max(self._free(there) - spare, 0)
        if left < many:
            kept = f" beside the {spare:,} that stay free for the node's own books" if spare else ""
            raise Unavailable(
                f"There is no room at {_shown(there)}: {many:,} bytes are still to come, and {left:,} are free{kept}.",
                fix="Make room, then resume: what came stays.",
            )


def _shown(folder: Path) -> Path:
    return folder.parent if folder.name.startswith(UNFINISHED) else folder
