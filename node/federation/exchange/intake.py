"""Intake: the numbered checks between a peer's bytes and our store, in the house's order; nothing gets around them.

    1 envelope: size and shape          4 the leaves hash to that root     7 subjects are this peer's to describe
    2 signed by a key that was pinned   5 it is allowed                    8 shapes
    3 continues what is held            6 openings, digests, then parsed   9 append

1 to 5 stop the page and raise; 6 to 8 refuse one entry, which stays as a stub with a code. Entries, followers and the
position (the mirror's own size) move in one transaction. The child process parses a page while the one before it is
written. A page that was taken already changes nothing, and a broken proof alone is no evidence: `BrokenHistory` is
raised only if the entries, too, do not continue what is held.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from node.db import Database, Tx
from node.errors import (
    BadSignature,
    BrokenHistory,
    Conflict,
    Malformed,
    NodeError,
    NotAgreed,
    NotFound,
    Quarantined,
    Refuted,
    WrongRoot,
)
from node.federation import check
from node.federation.answers import Records
from node.federation.exchange.judge import Judge, Judging
from node.federation.feed.pages import Line, Page, read_page, read_stubs
from node.federation.identity.identity import Identity
from node.federation.peers.peers import Follow, Peer
from node.journal import Arrived, Collection, Entry, Follower, keep_up_in, late_in, note
from node.journal.collection import frontier_of
from node.journal.journal import Journals
from node.journal.mirror import BAD_ERASURE, NAMED, NOT_FOLLOWED
from node.journal.note import Checkpoint
from node.journal.tree import EMPTY_ROOT, verify_consistency
from node.keys import PublicKey, Purpose, verified
from node.vocab.parse import Parser

_AHEAD = 2  # pages that are parsed or written while the next one is read: each may be 16 MiB

_Made = TypeVar("_Made")


class Book(Protocol):
    """What is known of peers."""

    def keys(self, name: str, purpose: Purpose) -> Sequence[PublicKey]:
        """Give the pinned keys of a peer for one purpose, historic ones too."""

    def namespaces(self) -> Mapping[str, frozenset[str]]:
        """Give every approved prefix with who declared it; our own have the owner `""`."""

    def identity(self, name: str) -> Identity | None:
        """Give a peer's identity as its last verified statement says it."""


class Extent(Protocol):
    """How much of a collection is agreed."""

    def __bool__(self) -> bool:
        """Tell whether anything is."""

    @property
    def only(self) -> Records | None:
        """Give the records, or give None for all of them."""


class Agreed(Protocol):
    """What agreements say of mirrors."""

    def mirrored(self, peer: str, collection: str, now_ms: int, *, name: str = "") -> Extent:
        """Tell how much of a peer's restricted collection may be held here now."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of a page: new entries, how many of them were refused, the mirror's size now and the signed size.

    `erased` are the entries that were blanked: call `Database.scrub`, then confirm them to the origin.
    """

    entries: int
    refused: int
    size: int
    known: int
    erased: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Checked:
    """A page that passed checks 1 to 5; its payloads are being parsed."""

    page: Page
    checkpoint: Checkpoint
    grown: Collection
    judging: Judging


class Intake:
    """Takes pages of peers in. Several threads may use it; writers of one mirror wait for each other."""

    def __init__(
        self,
        *,
        db: Database,
        journals: Journals,
        followers: Sequence[Follower],
        peers: Book,
        parser: Parser,
        agreed: Agreed,
    ) -> None:
        """Take what is needed; `parser` lives as long as this does and is ended by `close`."""
        self._db = db
        self._journals = journals
        self._followers = tuple(followers)
        self._peers = peers
        self._agreed = agreed
        self._judge = Judge(journals, peers, parser)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="mirrors")

    def close(self) -> None:
        """End the child process, and the threads that wait for it and write."""
        self._judge.close()
        self._writer.shutdown(cancel_futures=True)

    def accept(self, data: bytes, follow: Follow, peer: Peer, now_ms: int, *, restricted: bool) -> Accepted:
        """Take one page in; see `accept_all`."""
        return next(iter(list(self.accept_all([data], follow, peer, now_ms, restricted=restricted))))

    def accept_all(
        self, pages: Iterable[bytes], follow: Follow, peer: Peer, now_ms: int, *, restricted: bool
    ) -> Iterator[Accepted]:
        """Take pages in, one after the other, and say of each what came of it once it is committed.

        While a page is written the next one is parsed and the one after it asked for, so the answers come two pages
        late. If a page is refused or does not come, those before it are written first, and then its error is raised.

        Args:
            pages: As they come from the peer.
            follow: What is mirrored; its collection is opened with the first page.
            peer: As the book has it now.
            now_ms: Now.
            restricted: What a collection that is opened here becomes; public otherwise.

        Raises:
            Malformed, TooLarge: Check 1: it is no page, or one of another collection.
            BadSignature: Check 2: no pinned key signed the checkpoint, or one whose time is over.
            BrokenHistory: Check 3: what was signed does not continue what is held; with both notes.
            Conflict: Check 3: the page begins after entries that are not held (a gap), or another writer was faster.
            Refuted: Check 3: its proof does not hold, though its entries do.
            WrongRoot: Check 4: its entries do not hash to what was signed.
            NotAgreed, Quarantined: Check 5.
        """
        source = iter(pages)
        head: Collection | None = None
        under_way: deque[Future[Accepted]] = deque()
        try:
            while True:
                page, failed = _tried(lambda: _next_page(source, follow))
                if page and (head is None or page.after != head.size):
                    while under_way:
                        yield under_way.popleft().result()
                    head = self._head(follow)
                if page and head:
                    allowed = partial(self._allowed, peer, follow, now_ms, restricted=restricted)
                    is_public = (head.visibility or ("restricted" if restricted else "public")) == "public"
                    look = partial(self._checked, page, follow, peer, now_ms, head, allowed, is_public=is_public)
                    checked, failed = _tried(look)
                    if checked:
                        head = checked.grown
                        under_way.append(self._writer.submit(self._written, checked, follow, now_ms, restricted))
                while len(under_way) > _AHEAD or (under_way and (failed or not page)):
                    yield under_way.popleft().result()
                if failed:
                    raise failed
                if not page:
                    return
        finally:
            # Whoever stops listening, or hears of a page that could not be written, leaves nothing behind.
            for future in under_way:
                future.cancel()
            wait(under_way)

    def keep_note(self, follow: Follow, peer: Peer, text: str, now_ms: int, *, restricted: bool) -> bool:
        """Keep the origin's note of what is held, opening the mirror if it is not there; give whether it is kept.

        A note of another size is not kept, and is no error.

        Raises:
            BadSignature, BrokenHistory, NotAgreed, Quarantined: As `accept_all` does.
        """
        head = self._head(follow)
        checkpoint = self._signed(text, follow, peer, head, now_ms)
        self._allowed(peer, follow, now_ms, restricted=restricted)
        if checkpoint.size != head.size:
            return False
        if checkpoint.root != head.root:
            raise self._broken(follow, text)
        self._keep_note(follow, text, now_ms, restricted=restricted)
        return True

    def refill(self, data: bytes, follow: Follow, peer: Peer, now_ms: int) -> Accepted:
        """Take in entries that were asked for again; what is refused again keeps its stub, with the new code.

        Raises:
            Malformed, TooLarge, NotAgreed, Quarantined: As `accept_all` does.
            WrongRoot: An entry is not the one that is held.
        """
        stubs = read_stubs(data)
        _check_collection(stubs.collection, follow)
        with self._db.read() as tx:
            restricted = self._journals.get(tx, follow.local).visibility == "restricted"
            for line in stubs.lines:
                if line.leaf != self._journals.entry(tx, follow.local, line.entry.seq).leaf():
                    raise WrongRoot(f"Entry {line.entry.seq} of {follow.local} is not the one that is held.")
        only = self._allowed(peer, follow, now_ms, restricted=restricted)
        judging = self._judge.begin(_agreed_of(stubs.lines, only), follow, is_public=not restricted)
        arrived = self._judge.finish(judging)
        with self._db.write() as tx:
            # Judging takes its time. What ended meanwhile may be blanked already, and filling it changes no size by
            # which `blanking` would look again.
            if self._allowed(peer, follow, now_ms, restricted=restricted) != only:
                raise NotAgreed(f"What is agreed of {follow.local} changed meanwhile.", fix="Ask for them again.")
            filled = [entry for each in arrived if (entry := self._filled(tx, each, follow, now_ms))]
            for follower in self._followers:
                late_in(tx, self._journals, follower, follow.local, filled)
            size = self._journals.get(tx, follow.local).size
        erased = [entry.opening.target for entry in filled if entry.opening and entry.opening.op == "erase"]
        return Accepted(len(filled), len(arrived) - len(filled), size, size, tuple(erased))

    # ---------------------------------------------------------------- 1 to 5: the page

    def _checked(
        self,
        page: Page,
        follow: Follow,
        peer: Peer,
        now_ms: int,
        head: Collection,
        allowed: Callable[[], Records | None],
        *,
        is_public: bool,
    ) -> _Checked:
        """Make the checks that stop a page, and hand its payloads to the child; `head` is what the page follows on."""
        checkpoint = self._signed(page.checkpoint, follow, peer, head, now_ms)
        if checkpoint.size != page.size:
            raise Malformed(f"The page says {page.size} entries and its checkpoint {checkpoint.size}.")
        grown, lines = self._proven(page, checkpoint, follow, head)
        judging = self._judge.begin(_agreed_of(lines, allowed()), follow, is_public=is_public)
        return _Checked(page, checkpoint, grown, judging)

    def _head(self, follow: Follow) -> Collection:
        with self._db.read() as tx:
            try:
                return self._journals.get(tx, follow.local)
            except NotFound:
                return Collection(0, follow.local, follow.iri, "", "", 0, 0, EMPTY_ROOT, b"", 0, 0)

    def _signed(self, text: str, follow: Follow, peer: Peer, head: Collection, now_ms: int) -> Checkpoint:
        """Check 2. A key whose time is over still proves what is held; it does not sign anything new."""
        origin = note.origin_of(follow.iri)
        keys = self._peers.keys(peer.name, "checkpoint")
        try:
            checkpoint = note.opened(text, {origin: [key.raw for key in keys]}, verified)
            if checkpoint.size > head.size:
                note.opened(text, {origin: [key.raw for key in keys if key.is_in_force(now_ms)]}, verified)
        except Refuted as error:
            raise BadSignature(
                f"The checkpoint of {follow.local} is signed by no key that {peer.name} signs with now.",
                fix=f"If that city has new keys: citynode peers test {peer.name}",
            ) from error
        if checkpoint.origin != origin:
            raise Malformed(f"The checkpoint of {follow.local} speaks of another collection.")
        return checkpoint

    def _proven(
        self, page: Page, checkpoint: Checkpoint, follow: Follow, head: Collection
    ) -> tuple[Collection, Sequence[Line]]:
        """Checks 3 and 4; give the collection as it will be, and the lines that are new."""
        if page.after > head.size:
            raise Conflict(f"The page begins after entry {page.after}; {head.size} are held of {follow.local}.")
        known = page.lines[: head.size - page.after]
        if checkpoint.size <= head.size:
            if checkpoint.root != self._root(follow, head, checkpoint.size):
                raise self._broken(follow, page.checkpoint)
            return head, ()
        lines = page.lines[len(known) :]
        root = self._root(follow, head, page.after)
        continues = verify_consistency(page.after, checkpoint.size, page.consistency, root, checkpoint.root)
        frontier = frontier_of(head)
        for line in lines:
            frontier.append(line.leaf)
        adds_up = self._are_held(follow, known) and (
            page.end < head.size
            or verify_consistency(frontier.size, checkpoint.size, page.through, frontier.root(), checkpoint.root)
        )
        if not adds_up and not continues:
            raise self._broken(follow, page.checkpoint)
        if not continues:
            raise Refuted(f"The page's proof that {follow.local} goes on does not hold, though its entries do.")
        if not adds_up:
            raise WrongRoot(f"The entries of {follow.local} after {page.after} do not hash to what was signed.")
        if lines and lines[0].entry.at_ms < head.last_at_ms:
            raise Malformed(f"The time of entry {lines[0].entry.seq} lies before that of the entry before it.")
        return head.grown(frontier, lines[-1].entry.at_ms if lines else head.last_at_ms), lines

    def _root(self, follow: Follow, head: Collection, size: int) -> bytes:
        if size == head.size:
            return head.root
        with self._db.read() as tx:
            return self._journals.root(tx, follow.local, size)

    def _are_held(self, follow: Follow, lines: Sequence[Line]) -> bool:
        """Compare entries that came again, leaf by leaf, with those that are held."""
        if not lines:
            return True
        with self._db.read() as tx:
            first = lines[0].entry.seq
            held = self._journals.entries(tx, follow.local, after=first - 1, limit=len(lines))
        return [entry.leaf() for entry in held] == [line.leaf for line in lines]

    def _broken(self, follow: Follow, shown: str) -> BrokenHistory:
        with self._db.read() as tx:
            try:
                held = self._journals.newest_checkpoint(tx, follow.local) or follow.known_note
            except NotFound:
                held = follow.known_note
        return BrokenHistory(
            f"What {follow.peer} signed of {follow.local} does not continue what is held of it.",
            held=held,
            shown=shown,
            fix=f"Ask that city; citynode peers show {follow.peer} lists the evidence.",
        )

    def _allowed(self, peer: Peer, follow: Follow, now_ms: int, *, restricted: bool) -> Records | None:
        """Check 5; give the records that may be taken alone, None for all of them.

        What a city lets us read of its restricted collections it decides itself; here is what was agreed, and what we
        decided.
        """
        if peer.quarantine:
            raise Quarantined(f"{peer.name} is held apart: {peer.quarantine}", fix=f"citynode peers show {peer.name}")
        if not peer.exchanges or follow.paused or follow.peer != peer.name:
            raise NotAgreed(f"Nothing is taken of {follow.local} now.", fix=f"citynode peers resume {peer.name}")
        if not restricted:
            return None
        extent = self._agreed.mirrored(peer.name, follow.iri, now_ms)
        if not extent:
            raise NotAgreed(
                f"No agreement in force with {peer.name} lets us mirror {follow.local}.",
                fix="Look at what there is: citynode agreements list",
            )
        return extent.only

    # ---------------------------------------------------------------- 9: append

    def _written(self, checked: _Checked, follow: Follow, now_ms: int, restricted: bool) -> Accepted:  # noqa: FBT001
        """Write a page and let the followers take it in, in one transaction."""
        arrived = self._judge.finish(checked.judging)
        if not arrived:
            if checked.grown.size == checked.checkpoint.size:
                self._keep_note(follow, checked.page.checkpoint, now_ms, restricted=restricted)
            return Accepted(0, 0, checked.grown.size, checked.checkpoint.size)
        with self._db.write() as tx:
            before = self._opened(tx, follow, now_ms, restricted=restricted)
            grown, entries = self._journals.mirrored(tx, follow.local, arrived, at_ms=now_ms)
            if grown.size == checked.checkpoint.size:
                self._journals.keep_note(tx, follow.local, checked.page.checkpoint, now_ms)
            for follower in self._followers:
                keep_up_in(tx, self._journals, follower, grown, entries)
            refused, erased = _refused(tx, grown, before.size), _erased(tx, grown, before.size)
        return Accepted(len(arrived), refused, grown.size, checked.checkpoint.size, erased)

    def _opened(self, tx: Tx, follow: Follow, now_ms: int, *, restricted: bool) -> Collection:
        """Give the mirror, opening it if this is the first that comes of it."""
        try:
            return self._journals.get(tx, follow.local)
        except NotFound:
            return self._journals.create(
                tx,
                name=follow.local,
                iri=follow.iri,
                title=self._title(follow),
                visibility="restricted" if restricted else "public",
                at_ms=now_ms,
            )

    def _title(self, follow: Follow) -> str:
        identity = self._peers.identity(follow.peer)
        titles = {iri: title for _, iri, title in identity.collections} if identity else {}
        return check.printable(titles.get(follow.iri, "") or follow.collection)

    def _keep_note(self, follow: Follow, text: str, now_ms: int, *, restricted: bool) -> None:
        with self._db.read() as tx:
            try:
                if self._journals.newest_checkpoint(tx, follow.local) == text:
                    return
            except NotFound:
                pass
        with self._db.write() as tx:
            self._opened(tx, follow, now_ms, restricted=restricted)
            self._journals.keep_note(tx, follow.local, text, now_ms)

    def _filled(self, tx: Tx, arrived: Arrived, follow: Follow, now_ms: int) -> Entry | None:
        """Fill one stub; None if it stays one, or needs nothing any more."""
        seq, opening = arrived.entry.seq, arrived.entry.opening
        if not self._journals.entry(tx, follow.local, seq).refused:
            return None  # it was erased, or filled, since it was asked for
        if opening is None or (arrived.refused and arrived.refused not in NAMED):
            self._journals.refuse_again(tx, follow.local, arrived, at_ms=now_ms)
            return None
        try:
            code = arrived.refused or NOT_FOLLOWED
            return self._journals.fill(tx, follow.local, seq, opening, arrived.payload, at_ms=now_ms, code=code)
        except Malformed as error:
            again = Arrived(arrived.entry, None, BAD_ERASURE, error.message)
            self._journals.refuse_again(tx, follow.local, again, at_ms=now_ms)
            return None


def _tried(make: Callable[[], _Made]) -> tuple[_Made | None, NodeError | None]:
    """Make something, or give the error: what was good before it is written first."""
    try:
        return make(), None
    except NodeError as error:
        return None, error


def _next_page(source: Iterator[bytes], follow: Follow) -> Page | None:
    """Check 1."""
    data = next(source, None)
    if data is None:
        return None
    page = read_page(data)
    _check_collection(page.collection, follow)
    return page


def _check_collection(iri: str, follow: Follow) -> None:
    if iri != follow.iri:
        raise Malformed(f"The page is of {iri[:200]}, and not of {follow.iri}.")


def _agreed_of(lines: Sequence[Line], only: Records | None) -> Sequence[Line]:
    """Leave out what is in entries about other records than these; an erasure is obeyed whatever it erases."""
    if only is None:
        return lines
    return [
        line if line.opening is None or "target" in line.opening or line.opening.get("record") in only
        else replace(line, opening=None, payload=None)
        for line in lines
    ]  # fmt: skip


def _refused(tx: Tx, collection: Collection, after: int) -> int:
    marks = ", ".join("?" * len(check.QUIET))
    sql = f"SELECT count(*) FROM refusal WHERE collection_id = ? AND seq > ? AND code NOT IN ({marks})"  # noqa: S608
    row = tx.row(sql, collection.id, after, *sorted(check.QUIET))
    return int(row[0]) if row else 0


def _erased(tx: Tx, collection: Collection, after: int) -> tuple[int, ...]:
    sql = "SELECT target FROM entry WHERE collection_id = ? AND seq > ? AND op = 'erase' ORDER BY seq"
    return tuple(int(row[0]) for row in tx.rows(sql, collection.id, after))
