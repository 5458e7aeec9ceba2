"""Consent sources: who is asked whether a resident agreed. A file of records for small cities, or the city's service.

A file is read anew as soon as it is another file, and read wholly or not at all. A service is asked at each read of the
data, over the guarded door, within a bound of bytes and time, and must repeat the question in its answer. Either way a
source that cannot be read stops the stream (`ConsentUnknown`): what nobody can tell is never taken for a yes. Nothing
that is said of a person goes into a message, a log or an error.
"""

import contextlib
import csv
import errno
import fcntl
import io
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from node.errors import ConsentUnknown, Malformed, NodeError, Refused, Unavailable
from node.federation.consent.records import (
    COLUMNS,
    MAX_KEY,
    MAX_LINE,
    Asked,
    Event,
    Standing,
    is_key,
    loaded,
    read_csv,
    read_jsonl,
    standings,
)
from node.federation.policy.quantities import instant_text
from node.federation.policy.values import time_ms

Kind = Literal["file", "http"]
KINDS: tuple[Kind, ...] = ("file", "http")
MAX_FILE_BYTES = 256 * 1024 * 1024
_MAX_PAGE_BYTES = 8 * 1024 * 1024
_MAX_PAGES = 1_000
_MAX_SUBJECTS = 2_000_000
_MAX_CURSOR = 500
_KEPT = 4
_KEPT_MS = 60_000
# A file that changed just now may change again within one tick of the disk's clock, and look the same.
_RACY_MS = 2_000
_OK = 200
_FIX = "Look at it: citynode consent sources check NAME. Until it answers, nothing about persons leaves."


@dataclass(frozen=True, slots=True)
class ConsentSource:
    """Who is asked. `location` is a path or an address; `trouble` why it could not be asked last time."""

    name: str
    kind: Kind
    location: str
    credential: str = ""
    at: int = 0
    checked_at: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells one state of a file from another."""

    inode: int
    device: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @property
    def mtime_ms(self) -> int:
        """Give when its bytes changed last."""
        return self.mtime_ns // 1_000_000


class Reply(Protocol):
    """An answer of a service."""

    @property
    def status(self) -> int:
        """Give its status."""

    @property
    def body(self) -> bytes:
        """Give its body."""


class Ask(Protocol):
    """The way out: one question, one answer, no redirect."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], most: int) -> Reply:
        """Send it. Raises NodeError."""


class Sources:
    """Asks sources. Safe to share by threads; keeps what a few files said, for as long as they are the same files."""

    def __init__(
        self,
        ask: Ask,
        headers: Callable[[str, str], Mapping[str, str]],
        *,
        deadline_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        """Ask services through `ask`; `headers` gives those that a credential stands for at an address.

        `deadline_s` is for all pages of one answer together, by the clock `monotonic`.
        """
        self._ask = ask
        self._deadline_s, self._monotonic = deadline_s, monotonic
        self._headers = headers
        self._lock = threading.Lock()
        self._read: OrderedDict[tuple[str, Asked], tuple[_Mark, int, Mapping[str, Standing]]] = OrderedDict()

    def allowed(self, source: ConsentSource, asked: Asked, now_ms: int) -> Set[str]:
        """Give the keys of those whose rows may leave now. Raises ConsentUnknown."""
        if source.kind == "http":
            allowed = self._told(source, "allowed", asked, now_ms).keys()
            # Of whom it says both, nobody can tell: one of its answers may be older than the other.
            return frozenset(allowed - self._told(source, "withdrawn", asked, now_ms).keys())
        return frozenset(
            subject for subject, standing in self._standings(source, asked, now_ms).items() if standing.allows(now_ms)
        )

    def withdrawn(self, source: ConsentSource, asked: Asked, now_ms: int) -> Mapping[str, int]:
        """Give the keys of those who took their consent back, and when. Raises ConsentUnknown."""
        if source.kind == "http":
            return self._told(source, "withdrawn", asked, now_ms)
        standing = self._standings(source, asked, now_ms)
        return {subject: one.ended_ms for subject, one in standing.items() if one.is_withdrawn}

    # ---------------------------------------------------------------- a file

    def _standings(self, source: ConsentSource, asked: Asked, now_ms: int) -> Mapping[str, Standing]:
        """Weigh the file's events, or give what was weighed, as long as it is the same file."""
        key = (source.location, asked)
        try:
            with _opened(Path(source.location)) as file:
                mark = _mark(os.fstat(file.fileno()))
                with self._lock:
                    held = self._read.get(key)
                # A yes of a moment after it was weighed is missing there, for a minute at most.
                if held is not None and held[0] == mark and held[1] <= now_ms < held[1] + _KEPT_MS:
                    return held[2]
                found = standings(_events(source.location, file), asked, now_ms)
                if _mark(os.fstat(file.fileno())) != mark:
                    raise ConsentUnknown(f"The consent file of {source.name} changed while it was read.", fix=_FIX)
        except OSError as error:
            raise ConsentUnknown(f"The consent file of {source.name} cannot be read.", fix=_FIX) from error
        except Malformed as error:
            raise ConsentUnknown(f"{source.name}: {error.message}", fix=error.fix) from error
        if abs(now_ms - mark.mtime_ms) < _RACY_MS:
            return found
        with self._lock:
            self._read[key] = (mark, now_ms, found)
            while len(self._read) > _KEPT:
                self._read.popitem(last=False)
        return found

    # ---------------------------------------------------------------- a service

    def _told(self, source: ConsentSource, what: str, asked: Asked, now_ms: int) -> dict[str, int]:
        """Ask a service page by page; give keys, and the moment of each where there is one."""
        found: dict[str, int] = {}
        after, until = "", self._monotonic() + self._deadline_s
        for _ in range(_MAX_PAGES):
            page = self._page(source, what, asked, now_ms, after)
            if self._monotonic() > until:
                raise _senseless(source, f"its answer takes longer than {self._deadline_s:g} s")
            found.update(_subjects(page, what))
            if len(found) > _MAX_SUBJECTS:
                raise _senseless(source, f"it names more than {_MAX_SUBJECTS} persons")
            last, after = after, page.get("next", "")
            if after in ("", None):
                return found
            if not isinstance(after, str) or len(after) > _MAX_CURSOR or after == last:
                raise _senseless(source, "its `next` does not go on")
        raise _senseless(source, f"it has more than {_MAX_PAGES} pages")

    def _page(self, source: ConsentSource, what: str, asked: Asked, now_ms: int, after: str) -> Mapping[str, Any]:
        said = {"dataset": asked.dataset, "purpose": asked.purpose, "recipient": asked.recipient}
        body = orjson.dumps({**said, "at": instant_text(now_ms), "after": after})
        url = f"{source.location.rstrip('/')}/{what}"
        try:
            headers = {**self._headers(source.credential, url), "Content-Type": "application/json"}
            reply = self._ask(url, body, headers, _MAX_PAGE_BYTES)
        except (Unavailable, Refused) as error:
            raise ConsentUnknown(f"The consent service {source.name} does not answer.", fix=_FIX) from error
        if reply.status != _OK:
            raise _senseless(source, f"it answers {reply.status}")
        try:
            page = loaded(reply.body)
        except (ValueError, Malformed) as error:
            raise _senseless(source, "its answer is no JSON, or names a member twice") from error
        if not isinstance(page, dict) or any(page.get(name) != value for name, value in said.items()):
            # A cache, or a service that overlooks half of the question, would answer another one.
            raise _senseless(source, "its answer does not repeat dataset, purpose and recipient of the question")
        return page


def _opened(path: Path) -> io.BufferedReader:
    """Open a file; what is none, such as a pipe, would let everybody wait who asks. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError("it is no file")
    return os.fdopen(file, "rb")


def _subjects(page: Mapping[str, Any], what: str) -> dict[str, int]:
    said = page.get("subjects")
    if not isinstance(said, list):
        raise ConsentUnknown("A consent service answers with a list of subjects.", fix=_FIX)
    found: dict[str, int] = {}
    for each in said:
        key, at_ms = (each, 0) if what == "allowed" else _withdrawn(each)
        if not is_key(key) or at_ms is None:
            raise ConsentUnknown("A consent service names somebody in a way that is not read.", fix=_FIX)
        found[key] = max(at_ms, found.get(key, 0))
    return found


def _withdrawn(said: object) -> tuple[object, int | None]:
    if not isinstance(said, dict) or not isinstance(said.get("at"), str):
        return None, None
    return said.get("subject"), time_ms(said["at"])


def _senseless(source: ConsentSource, why: str) -> ConsentUnknown:
    return ConsentUnknown(f"The consent service {source.name} cannot be understood: {why}.", fix=_FIX)


def _mark(now: os.stat_result) -> _Mark:
    if now.st_size > MAX_FILE_BYTES:
        raise Malformed(f"it has more than {MAX_FILE_BYTES} bytes", fix="Use a consent service.")
    return _Mark(now.st_ino, now.st_dev, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def _events(name: str, file: io.BufferedReader) -> Iterator[Event]:
    if name.lower().endswith(".csv"):
        _check_whole(file)
        # Not `with`: whoever opened the file closes it.
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="strict", newline="")
        try:
            yield from read_csv(_bounded(text))
        finally:
            with contextlib.suppress(ValueError):
                text.detach()
    else:
        yield from read_jsonl(iter(lambda: file.readline(MAX_LINE + 2), b""))


def _check_whole(file: io.BufferedReader) -> None:
    """Refuse a table whose last line has no end: what is left of one may name another person, or give more."""
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            raise _half()
    file.seek(0)


def _half() -> Malformed:
    return Malformed(
        "The last line of the consent records is not whole: no line feed ends it.",
        fix="Write it anew: until then nobody has consented.",
    )


def _bounded(lines: io.TextIOWrapper) -> Iterator[str]:
    while line := lines.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise Malformed(f"A line of the consent records has more than {MAX_LINE} characters.", fix="Mend it.")
        yield line


# ---------------------------------------------------------------- writing a withdrawal into a file


def unnamed(source: ConsentSource, subjects: Iterable[str]) -> Set[str]:
    """Give those of some keys that a consent file names nowhere; none where it is a service or cannot be read."""
    if source.kind != "file":
        return frozenset()
    left = set(subjects)
    try:
        with Path(source.location).open("rb") as file:
            for event in _events(source.location, file):
                left.discard(event.subject)
                if not left:
                    break
    except (OSError, ValueError, Malformed):
        return frozenset()
    return left


def write_withdrawal(source: ConsentSource, subject: str, asked: Asked, at_ms: int) -> None:
    """Add to a consent file that a person takes back consent; what `asked` leaves empty stands for all.

    Raises:
        Refused: The source is a service: it must be told itself.
        Malformed: It cannot be said so in this file; nothing was written.
        ConsentUnknown: The file cannot be written, or was replaced meanwhile; it is as it was, unless that is said.
    """
    if source.kind != "file":
        raise Refused(f"{source.name} is a consent service.", fix="Withdraw consent there; this node hears of it.")
    if not is_key(subject):
        raise Malformed(
            f"A person's key has 1 to {MAX_KEY} characters that can be seen, in one line, and no spaces around them."
        )
    path = Path(source.location)
    try:
        line = _csv_line(path, subject, asked, at_ms) if path.suffix.lower() == ".csv" else _json(subject, asked, at_ms)
        with contextlib.closing(_Appending(path)) as file:
            file.add(line, is_csv=path.suffix.lower() == ".csv")
    except OSError as error:
        why = f": {error.strerror}" if error.strerror else ""
        raise ConsentUnknown(f"The consent file of {source.name} cannot be written{why}.", fix=_FIX) from error


class _Appending:
    """A file to which one process at a time adds lines, each with one write that lands at its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            os.close(self._file)
            raise

    def add(self, line: bytes, *, is_csv: bool) -> None:
        """Add a line behind what stands, and see that it is there. Raises OSError, Malformed."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            if is_csv:  # a line feed here would make a whole line of half a one
                raise _half()
            line = b"\n" + line
        try:
            self._write(line, size)
        except BaseException:  # a Ctrl-C, too: half a line would stop everybody's rows
            self._cut_back(line, size)
            raise

    def _write(self, line: bytes, size: int) -> None:
        if os.write(self._file, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file)
        is_same = os.path.samestat(os.fstat(self._file), self._path.stat())
        if not is_same or os.pread(self._file, len(line), size) != line:
            raise OSError("the file was replaced or written by others meanwhile")

    def _cut_back(self, line: bytes, size: int) -> None:
        """Take back what was written of a line, if that is all that came since. Raises ConsentUnknown."""
        failed = ConsentUnknown(
            f"{str(self._path)[:200]} could not be written, and what was begun at byte {size} not be taken back.",
            fix="Look at its last lines, and end or remove half a one: until then nothing about persons leaves.",
        )
        try:
            is_ours = line.startswith(os.pread(self._file, len(line) + 1, size))
            if is_ours:
                os.ftruncate(self._file, size)
        except OSError as error:
            raise failed from error
        if not is_ours:  # others have written behind it, and theirs is not cut
            raise failed
        with contextlib.suppress(OSError):  # whoever reads it sees it cut already
            os.fsync(self._file)

    def close(self) -> None:
        """Let the next one add."""
        os.close(self._file)


def _json(subject: str, asked: Asked, at_ms: int) -> bytes:
    scope: dict[str, object] = {"purpose": asked.purpose} if asked.purpose else {}
    scope |= {"recipient_third_parties": [asked.recipient]} if asked.recipient else {}
    scope |= {"datasets": [asked.dataset]} if asked.dataset else {}
    event = {"event_time": instant_text(at_ms), "event_state": "dpv:ConsentWithdrawn"}
    record = {"pii_principal_identifier": subject, "purposes": [scope], "events": [event]}
    line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    _check_line(read_jsonl([line]))
    return line


def _csv_line(path: Path, subject: str, asked: Asked, at_ms: int) -> bytes:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline(MAX_LINE)
        head = next(csv.reader([first]), [])
    said = (subject, instant_text(at_ms), "dpv:ConsentWithdrawn", asked.purpose, asked.recipient, asked.dataset, "")
    by_name = dict(zip(COLUMNS, said, strict=True))
    unsaid = [name for name in COLUMNS if by_name[name] and name not in head]
    if unsaid:
        raise Malformed(f"The consent file has no column {unsaid[0]}.", fix="Add the column, or withdraw for all.")
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([by_name.get(name, "") for name in head])
    _check_line(read_csv([first, out.getvalue()]))
    return out.getvalue().encode()


def _check_line(events: Iterator[Event]) -> None:
    """Read what is to be written: a line that cannot be read stops everything that rests on the file."""
    try:
        list(events)
    except Malformed as error:
        raise Malformed(
            "This withdrawal cannot be written into the consent file.",
            fix="Datasets and recipients are given by their addresses, persons by the keys that stand in the file.",
        ) from error


def check(sources: Sources, source: ConsentSource, asked: Asked, now_ms: int) -> tuple[int, str]:
    """Ask a source once: give how many may leave, and why it could not be asked, empty if it could."""
    try:
        return len(sources.allowed(source, asked, now_ms)), ""
    except NodeError as error:
        return 0, str(error)
