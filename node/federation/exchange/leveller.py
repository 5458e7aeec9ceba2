"""Bringing one followed collection level with the head its origin shows: which pages to ask for, and what if they fail.

A page that does not hold is never evidence against its origin: a cable or a cache can break it, so it is asked for
again and counts as a failure. Evidence is only what the origin signed: two notes that cannot be of one history. So
when a proof fails, the origin is asked for its own note of a size that is held here, and that note decides.
"""

import contextlib
import logging
import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Protocol

from node.db import Tx
from node.errors import (
    BadSignature,
    BrokenHistory,
    Fork,
    Malformed,
    NodeError,
    NotFound,
    PeerUnreachable,
    Refused,
    Unavailable,
)
from node.federation.client import PeerClient
from node.federation.exchange import fetching
from node.federation.exchange.history import History
from node.federation.exchange.intake import Accepted, Intake
from node.federation.peers.peers import Follow, Peer, Peers
from node.journal import Reader, note
from node.journal.note import Checkpoint
from node.journal.walk import puts
from node.vocab import personal

_logger = logging.getLogger("citynode.exchange")
SNAPSHOT_FROM = 5_000
# A proof may be broken on its way; one that is broken three times in a row is broken where it is made.
_TRIES = 3
# What a snapshot may take of our disk; beyond it the pages are asked for one by one.
_BYTES_EACH = 32 * 1024
_LEAST_SNAPSHOT_BYTES = 64 * 1024 * 1024
MAX_SNAPSHOT_BYTES = 8 * 1024**3
_LEFT_OVER_MS = 4 * 3_600_000  # longer than any pull lasts


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a pull did with one followed collection; `error` says why it is not level."""

    collection: str
    entries: int = 0
    refused: int = 0
    size: int = 0
    pages: int = 0
    level: bool = False
    error: NodeError | None = None


@dataclass(slots=True)
class Turn:
    """One pull of one peer, while it lasts: `keep` renews the right to it, or raises when it is over."""

    peer: Peer
    stop: Event
    keep: Callable[[], None]
    refreshed: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """How far a collection is to be brought: the note its origin shows, opened; `token` if it asks who reads."""

    checkpoint: Checkpoint
    note: str
    token: bool

    @property
    def size(self) -> int:
        """Count the entries up to it."""
        return self.checkpoint.size


class Change(Protocol):
    """`Journals.change`."""

    def __call__(self, tx: Tx, name: str, *, visibility: str) -> object:
        """Give a collection another visibility."""


class Leveller:
    """Levels one collection at a time. Safe to share by threads."""

    def __init__(
        self,
        *,
        reader: Reader,
        peers: Peers,
        client: PeerClient,
        intake: Intake,
        change: Change,
        folder: Path,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take what is needed; `folder` is where a snapshot stands while it is read."""
        self._change = change
        self._reader = reader
        self._peers = peers
        self._client = client
        self._intake = intake
        self._folder = folder
        self._clock_ms = clock_ms
        self._history = History(reader, peers, clock_ms=clock_ms)
        self._personal: dict[str, int] = {}  # by mirror, the entry that keeps it from being shown to everyone

    def level(self, turn: Turn, follow: Follow, text: str, *, token: bool) -> Fetched:
        """Bring a collection to the head `text`; what was taken before an error stays taken.

        Raises:
            Fork: The origin signed two histories.
            Refused: The head, or a page three times over, does not hold.
            PeerUnreachable: No answer, or none in time.
            Stopped: It was asked for.
        """
        target = Target(self._opened(turn, follow, text), text, token)
        self._show_as(follow, "restricted" if token else "public")
        held = self.held(follow)
        if held and target.size <= held:
            self._history.compare(follow, target.checkpoint, text)
            taken = Fetched(follow.local, size=held)
        else:
            taken = self._taken(turn, follow, target)
        if target.size < held:
            raise BrokenHistory(
                f"{follow.peer} shows {target.size} entries of {follow.local}, and has signed {held} before.",
                fix="It may have gone back to an older backup; what is held here stays.",
            )
        kept = self._intake.keep_note(follow, turn.peer, text, self._clock_ms(), restricted=token)
        return replace(taken, level=kept)

    def tidy(self, now_ms: int) -> None:
        """Remove the snapshots of pulls that died before they could."""
        for folder in self._folder.glob("snapshot-*"):
            with contextlib.suppress(OSError):
                if now_ms - int(folder.stat().st_mtime * 1000) > _LEFT_OVER_MS:
                    shutil.rmtree(folder, ignore_errors=True)

    def held(self, follow: Follow) -> int:
        """Count the entries that are held of a followed collection; 0 before the first page."""
        with self._reader.db.read() as tx:
            try:
                return self._reader.get(tx, follow.local).size
            except NotFound:
                return 0

    def _show_as(self, follow: Follow, visibility: str) -> None:
        """Let the mirror be seen by whom its origin lets see it, before anything more of it is taken.

        What contains personal data is shown to nobody more, whatever its origin says; it is still brought level, since
        the erasure that mends it comes the same way.
        """
        with self._reader.db.read() as tx:
            try:
                if self._reader.get(tx, follow.local).visibility == visibility:
                    return
            except NotFound:
                return
        if visibility == "public" and self._holds_personal_data(follow):
            return
        with self._reader.db.write() as tx:
            self._change(tx, follow.local, visibility=visibility)

    def _holds_personal_data(self, follow: Follow) -> bool:
        last = self._personal.get(follow.local, 0)
        if last:
            with self._reader.db.read() as tx:
                if self._reader.entry(tx, follow.local, last).opening is not None:
                    return True  # still the one that was found before, so there is no need to walk through all again
        found = (put.seq for put in puts(self._reader, follow.local) if personal.contains(put.kind, put.payload))
        self._personal[follow.local] = next(found, 0)
        if self._personal[follow.local]:
            said = "%s opened %s to everyone; it stays restricted here, since entry %s contains personal data"
            _logger.warning(said, follow.peer, follow.local, self._personal[follow.local])
        return bool(self._personal[follow.local])

    def _opened(self, turn: Turn, follow: Follow, text: str) -> Checkpoint:
        """Open a head; if its key is not known, look once whether the city has rotated its keys."""
        try:
            return self._history.opened(follow, text)
        except BadSignature:
            if turn.refreshed:
                raise
            turn.refreshed = True
            self._peers.refresh(turn.peer.name, self._clock_ms())
            return self._history.opened(follow, text)

    def _taken(self, turn: Turn, follow: Follow, target: Target) -> Fetched:
        fetched, tries = Fetched(follow.local, size=self.held(follow)), 0
        while fetched.size < target.size:
            begun = fetched.size
            try:
                with contextlib.closing(self._pages(turn, follow, target, begun)) as pages:
                    for accepted in self._accepted(turn, follow, target, pages):
                        fetched = _added(fetched, accepted)
            except BrokenHistory as error:
                tries = 1 if fetched.size > begun else tries + 1
                self._settle(turn, follow, target, error, last=tries == _TRIES)
            else:
                if fetched.size == begun:
                    raise Malformed(f"The pages of {follow.local} brought nothing new.", fix="Tell its operator.")
        return fetched

    def _accepted(self, turn: Turn, follow: Follow, target: Target, pages: Iterator[bytes]) -> Iterator[Accepted]:
        now_ms = self._clock_ms()
        for accepted in self._intake.accept_all(pages, follow, turn.peer, now_ms, restricted=target.token):
            yield accepted
            turn.keep()

    def _settle(self, turn: Turn, follow: Follow, target: Target, error: BrokenHistory, *, last: bool) -> None:
        """Look whether a history that does not fit is the origin's doing; return if the page should be tried again.

        Raises:
            Fork: Its own note of a size that is held here says so, or the same page failed to the last.
        """
        if isinstance(error, Fork):
            raise error
        with self._reader.db.read() as tx:
            held = self._reader.newest_checkpoint(tx, follow.local) or ""
        if held:
            size = note.checkpoint_of(note.parse(held).text).size
            # What no longer exists at its origin is no proof, nor is what a key in force did not sign (a note of an old
            # size may be as old as its key), and a peer that is away proves nothing either.
            with contextlib.suppress(Unavailable, NotFound, BadSignature):
                text = self._client.note(turn.peer.url, follow.collection, size, token=target.token, stop=turn.stop)
                self._history.compare(follow, self._opened(turn, follow, text), text)
        if last:
            told = {"held": held, "said": str(error)}
            raise self._history.fork("broken-history", follow, target.checkpoint, target.note, told)

    def _pages(self, turn: Turn, follow: Follow, target: Target, after: int) -> Generator[bytes]:
        if after == 0 and target.size > SNAPSHOT_FROM:
            # Whatever a snapshot lacks or gets wrong, pages say the same and can be asked for one by one.
            with contextlib.suppress(Refused, PeerUnreachable):
                for page in self._snapshot(turn, follow, target):
                    yield page
                    # Not what is held: the last page is written when the next one is asked for.
                    after = fetching.end_of(page)
        yield from self._paged(turn, follow, target, after)

    def _snapshot(self, turn: Turn, follow: Follow, target: Target) -> Generator[bytes]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._folder, prefix="snapshot-") as folder:
            file = Path(folder) / "pages"
            url, name = turn.peer.url, follow.collection
            most = min(MAX_SNAPSHOT_BYTES, max(_LEAST_SNAPSHOT_BYTES, target.size * _BYTES_EACH))
            self._client.snapshot(url, name, target.size, file, token=target.token, max_bytes=most, stop=turn.stop)
            yield from fetching.pages_of(file)

    def _paged(self, turn: Turn, follow: Follow, target: Target, after: int) -> Generator[bytes]:
        def ask(start: int, stop: Event) -> bytes:
            return self._client.page(
                turn.peer.url,
                follow.collection,
                after=start,
                size=target.size,
                limit=fetching.LIMIT,
                token=target.token,
                stop=stop,
            )

        found = fetching.pages(ask, after=after, size=target.size, stop=turn.stop)
        with contextlib.closing(found):
            yield from found


def _added(so_far: Fetched, accepted: Accepted) -> Fetched:
    return replace(
        so_far,
        entries=so_far.entries + accepted.entries,
        refused=so_far.refused + accepted.refused,
        size=accepted.size,
        pages=so_far.pages + 1,
    )
