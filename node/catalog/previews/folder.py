"""The files that pages show of what was seen: under the digest of what is in them, in the node's data folder.

A name is the SHA-256 of facts and twin together, so one name stands for one thing for ever: `{sha}.json` the facts, and
beside it the twin with its own ending. Written whole or not at all. What nothing points to any more is swept away.
"""

import contextlib
import hashlib
import re
import time
from collections.abc import Collection
from pathlib import Path
from tempfile import NamedTemporaryFile

ENDINGS = ("json", "geojson", "bin", "webp")
NAME = re.compile(r"[0-9a-f]{64}\Z")
_LEFT_S = 3_600  # what is younger may be of a look that is under way


class Folder:
    """Keeps the files. Safe to share by threads and processes."""

    def __init__(self, root: Path) -> None:
        """Make nothing yet."""
        self._root = root

    def put(self, facts: bytes, twin: bytes, ending: str) -> str:
        """Keep what was made, and give its name; the same again is kept once."""
        name = hashlib.sha256(len(facts).to_bytes(8, "big") + facts + twin).hexdigest()
        for body, kind in ((facts, "json"), (twin, ending)):
            if body and kind:
                self._write(self._path(name, kind), body)
        return name

    def read(self, name: str, ending: str) -> bytes | None:
        """Give a file; None where there is none."""
        if not NAME.match(name) or ending not in ENDINGS:
            return None
        try:
            return self._path(name, ending).read_bytes()
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        """Tell whether something is kept under a name."""
        return self._path(name, "json").is_file()

    def sweep(self, kept: Collection[str]) -> int:
        """Remove what has a name that is not among those, and is older than an hour; give how many files."""
        before, done = time.time() - _LEFT_S, 0
        for path in self._root.glob("*/*"):
            if path.name.partition(".")[0] in kept:
                continue
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    done += 1
        return done

    def remove(self, name: str) -> None:
        """Remove what is kept under a name."""
        for ending in ENDINGS if NAME.match(name) else ():
            self._path(name, ending).unlink(missing_ok=True)

    def _path(self, name: str, ending: str) -> Path:
        return self._root / name[:2] / f"{name}.{ending}"

    def _write(self, path: Path, body: bytes) -> None:
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix="new-", delete=False) as file:
            file.write(body)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
