"""Looks into the files of our open datasets, one at a time and only when it is due.

Fetched under its ETag and within bounds, read in the child process, thrown away; what was seen is kept in `store` and
`folder`. A file that is too large, or too slow though it came along, is read by its beginning, if its server gives
parts and it is text. Servers take turns: one whose file took long is asked again when the others had theirs. What is
due stands in the database, so a worker may die at any moment. Touches the way out and a folder of its own.
"""

import re
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from node.catalog.fetched_files import AFTER_NO_MS, DAY_MS, EVERY_MS, conditions, kept_of, room, wait_ms
from node.catalog.previews import store
from node.catalog.previews.folder import Folder
from node.catalog.previews.reading import Limits, look_inside
from node.catalog.previews.store import Look, Looks, State
from node.catalog.previews.values import Preview, to_json, why_of
from node.db import Database
from node.errors import ForbiddenAddress, NodeError, SourceUnreachable, Stopped, TooLarge, Unavailable
from node.outbound import Outbound

BEGINNING_BYTES = 4 << 20
_DEADLINE_S = 60.0
_TURNS = 10  # a server rests so many times as long as it took
_RESTING = 20
_SERVER = re.compile(r"[^:]*://[^/?#]*[/?#]?")
_PARTIAL = 206
_ACCEPT = "text/csv, application/json, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Fetching:
    """How files are fetched: the way out, where to put them meanwhile, and how much of one."""

    way: Outbound
    work: Path
    max_bytes: int
    deadline_s: float
    limits: Limits


class Previewer:
    """Does what the list says. One at a time per database: whoever calls it in the background holds a lease."""

    def __init__(
        self,
        db: Database,
        fetching: Fetching,
        folder: Folder,
        *,
        clock_ms: Callable[[], int],
        residents: Callable[[], Collection[str]] = frozenset,
        files: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Look at nothing yet; what a dataset in `residents` names is withheld, and what was made of it taken away.

        So are the `files` of those among them that stand in no open collection.
        """
        self._files = files
        self._db = db
        self._fetching = fetching
        self._folder = folder
        self._clock_ms = clock_ms
        self._looks = Looks(db.hot(), residents)
        self._tidied_ms = 0
        self._resting: dict[str, float] = {}  # until which monotonic second, by how its addresses begin

    def round(self, stop: threading.Event) -> int:
        """Do the one thing that is due first; give 1, or 0 if nothing is."""
        now_ms = self._clock_ms()
        if now_ms - self._tidied_ms > DAY_MS:
            self._tidy(now_ms)
        self._withhold(now_ms)
        due = self._looks.next(now_ms, self._at_rest())
        if due is None or stop.is_set():
            return 0
        begun = time.monotonic()
        try:
            self._take_back(due) if due.state == "gone" else self._do(due, stop)
        except Stopped:
            return 0
        if due.state != "gone":
            self._rest(due.url, begun)
        return 1

    def _withhold(self, now_ms: int) -> None:
        """Take away what was seen in files of datasets about residents, and take up again what is so no more."""
        withheld, free = self._looks.astray(self._files())
        if not withheld and not free:
            return
        with self._db.write() as tx:
            store.withhold(tx, withheld)
            store.release(tx, free, now_ms=now_ms)
        for each in withheld:
            self._drop(each.file)

    def _rest(self, url: str, begun: float) -> None:
        """Let the server of an address rest in proportion to what its file took, while there is work of others."""
        now = time.monotonic()
        if server := _SERVER.match(url):
            self._resting[server[0]] = now + _TURNS * (now - begun)

    def _at_rest(self) -> list[str]:
        """Name the servers that rest, the longest first, and these only if they are many."""
        now = time.monotonic()
        self._resting = {server: until for server, until in self._resting.items() if until > now}
        return sorted(self._resting, key=self._resting.__getitem__, reverse=True)[:_RESTING]

    def again(self, dataset: str) -> int:
        """Let the files of a dataset be due at once; give how many that is."""
        with self._db.write() as tx:
            return store.again(tx, dataset, now_ms=self._clock_ms())

    def _tidy(self, now_ms: int) -> None:
        """Remove files that nothing shows, and let be due what lost its files: a backup does not hold them."""
        kept = self._looks.files()
        self._folder.sweep(kept)
        lost = [name for name in kept if not self._folder.has(name)]
        if lost:
            with self._db.write() as tx:
                store.lost(tx, lost, now_ms=now_ms)
        self._tidied_ms = now_ms

    def _take_back(self, due: Look) -> None:
        with self._db.write() as tx:
            store.forget(tx, due)
        self._drop(due.file)

    def _drop(self, file: str) -> None:
        """Remove what nothing shows any more; the same may have been seen in another file."""
        if file and not self._looks.shown_of(file):
            self._folder.remove(file)

    def _do(self, due: Look, stop: threading.Event) -> None:
        after = self._looked(due, stop)
        with self._db.write() as tx:
            written = store.save(tx, due, after)
        if not written:
            self._drop(after.file)
        elif after.file != due.file:
            self._drop(due.file)

    def _looked(self, due: Look, stop: threading.Event) -> Look:
        now_ms = self._clock_ms()
        try:
            seen = self._see(due, stop)
        except Stopped:
            raise
        except ForbiddenAddress as error:
            # To readers it is one that did not answer: nobody learns from us which names mean something in here.
            no = _noted(due, "failed", str(error), now_ms, now_ms + AFTER_NO_MS)
            return replace(no, file="", facts="", etag="")
        except Unavailable as error:
            waited_ms = due.next_ms - due.checked_ms if due.state == "failed" else 0
            # What was seen before stays: a server that is away for a night takes nothing from readers.
            return _noted(due, "failed", str(error), now_ms, now_ms + wait_ms(waited_ms))
        except NodeError as error:
            # What comes without a reason was refused on the way here.
            why = why_of(error) or ("large" if isinstance(error, TooLarge) else "puzzle")
            no = _noted(due, "refused", f"{why}: {error}", now_ms, now_ms + AFTER_NO_MS)
            return replace(no, file="", facts="", etag="")
        if seen is None:
            return replace(due, state="seen", detail="", checked_ms=now_ms, next_ms=now_ms + EVERY_MS)
        etag, (preview, twin) = seen
        facts = orjson.dumps(to_json(preview))
        file = self._folder.put(facts, twin, preview.twin.ending if preview.twin else "")
        kept = replace(due, etag=etag, file=file, facts=facts.decode(), detail="", state="seen")
        return replace(kept, checked_ms=now_ms, next_ms=now_ms + EVERY_MS)

    def _see(self, due: Look, stop: threading.Event) -> tuple[str, tuple[Preview, bytes]] | None:
        """Fetch a file and look inside; None where it is the one that was seen last. Gives what to ask with next."""
        kept, fetching = due.etag if due.facts else "", self._fetching
        etag, since = conditions(kept)
        came = 0

        def arriving(size: int, _: int | None) -> None:
            nonlocal came
            came = size

        with room(fetching.work, "preview-", self._clock_ms()) as space:
            path = space / "file"
            try:
                answer = fetching.way.download(
                    due.url,
                    path,
                    accept=_ACCEPT,
                    etag=etag,
                    last_modified=since,
                    max_bytes=fetching.max_bytes,
                    deadline_s=fetching.deadline_s,
                    stop=stop,
                    progress=arriving,
                )
            except (TooLarge, SourceUnreachable) as refusal:
                # One that is slow and not away gives the beginning in time; what was seen whole is better than that.
                if isinstance(refusal, SourceUnreachable) and (kept or came < BEGINNING_BYTES):
                    raise
                self._begin(due.url, path, refusal, stop)
                return "", look_inside(path, limits=fetching.limits, whole=False, stop=stop)
            if answer.not_modified:
                return None
            return kept_of(answer), look_inside(path, limits=fetching.limits, stop=stop)

    def _begin(self, url: str, path: Path, refusal: NodeError, stop: threading.Event) -> None:
        """Fetch the beginning of what is too large or slow, if its server gives parts."""
        looked = self._fetching.way.look(
            url,
            method="GET",
            headers={"Range": f"bytes=0-{BEGINNING_BYTES - 1}"},
            max_bytes=BEGINNING_BYTES,
            deadline_s=_DEADLINE_S,
            stop=stop,
        )
        if looked.status != _PARTIAL or not looked.body:
            raise refusal
        # Up to the last whole line: what follows is cut off in the middle.
        path.write_bytes(looked.body[: looked.body.rfind(b"\n") + 1] or looked.body)


def _noted(due: Look, state: State, detail: str, at_ms: int, next_ms: int) -> Look:
    return replace(due, state=state, detail=detail, checked_ms=at_ms, next_ms=next_ms)
