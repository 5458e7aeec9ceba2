"""A city that comes back from an old backup: it finds out from its mirrors, and fetches its own signed tail from them.

What a mirror shows of us counts only under our own signature, which we cannot have given to what we never had; so a
collection of ours that is not here at all, opened after the backup, is opened again. What is not everybody's (journals
of agreements, restricted collections) a peer tells us alone, as we are known there. While a collection is known to be
behind, `journal.behind` keeps everyone from writing to it. The tail is fetched, checked as a
whole (signature, numbers, commitments, digests, root) and only then written, to the byte. What no mirror has any more
is not made up: then only a new epoch is left, which a person opens (`epochs`).
"""

import contextlib
import hashlib
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from node.db import Database, Tx
from node.errors import BrokenHistory, Conflict, Malformed, NodeError, NotFound, Refused, Refuted
from node.federation.agreements.agreements import pair_collection
from node.federation.client import Head, PeerClient
from node.federation.exchange.epochs import abandoned_size
from node.federation.exchange.fetching import pages, pages_of
from node.federation.exchange.shown import Asking, ReadersOf, Shown
from node.federation.feed.pages import opening_of, read_page
from node.federation.peers.entries import new_follow
from node.federation.peers.peers import Peer, Peers
from node.journal import Collection, behind, note
from node.journal.behind import Behind
from node.journal.collection import frontier_of
from node.journal.journal import Journals
from node.journal.mirror import Arrived
from node.journal.note import Checkpoint
from node.journal.tree import Frontier, verify_consistency
from node.keys import verified

_ASKING = 4
PAGE_ENTRIES = 1_000
_MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """What mirrors said: who was asked, who did not answer (and `why`), and what of ours is behind.

    Silent is also who shows what everybody may see, and does not say what else it must hold of us.
    """

    asked: tuple[str, ...]
    silent: tuple[str, ...]
    behind: tuple[Behind, ...]
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of one collection; `error` says why its tail could not be had, empty: it is complete again."""

    collection: str
    size: int
    peer: str
    entries: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Prospect:
    """Who can give the tail of a collection back (empty: nobody), how far, and why the others that hold it cannot.

    `common` is how many entries are here as they are in every other history of it that was signed and can be read.
    """

    checked: Checked
    peer: str
    size: int
    errors: Mapping[str, str]
    common: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a recovery did; `held_back` says why own collections still take nothing, empty: they do again."""

    checked: Checked
    recovered: tuple[Recovered, ...]
    held_back: str


@dataclass(frozen=True, slots=True)
class _Holder:
    """A peer that holds entries of an own collection, up to a size that we signed."""

    peer: Peer
    shown: Shown
    checkpoint: Checkpoint


_Answers = Mapping[str, tuple[Shown, ...]]


@dataclass(slots=True)
class _Tail:
    """A tail as it is checked: its tree, what came without its opening, and what is erased in it."""

    collection: Collection
    frontier: Frontier
    bare: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)

    def take(self, arrived: Sequence[Arrived]) -> None:
        for each in arrived:
            entry, seq = each.entry, self.frontier.size + 1
            if (entry.collection, entry.seq) != (self.collection.iri, seq):
                raise Refuted(f"What should be entry {seq} of {self.collection.name} is another.")
            self.frontier.append(entry.leaf())
            self._note(each)

    def _note(self, arrived: Arrived) -> None:
        opening, seq = arrived.entry.opening, arrived.entry.seq
        if opening is None or (opening.op == "put" and arrived.payload is None):
            self.bare.add(seq)
        elif opening.commitment() != arrived.entry.commitment:
            raise Refuted(f"The opening of entry {seq} of {self.collection.name} does not match its commitment.")
        elif opening.op == "erase":
            self.erased.add(opening.target)
        elif arrived.payload is not None and _digest(arrived.payload) != opening.digest:
            raise Refuted(f"The payload of entry {seq} of {self.collection.name} has another digest.")

    @property
    def missing(self) -> list[int]:
        """Give the entries that the peer has only as stubs although nobody erased them."""
        return sorted(self.bare - self.erased)


class Recovery:
    """Compares own collections with their mirrors, and brings them level."""

    def __init__(
        self,
        db: Database,
        journals: Journals,
        peers: Peers,
        client: PeerClient,
        *,
        folder: Path,
        base_url: str,
        readers: ReadersOf,
    ) -> None:
        """Recover for the city at `base_url`; keep what is fetched in this folder until it is written."""
        self._base = base_url
        self._asking = Asking(client, readers)
        self._db = db
        self._journals = journals
        self._peers = peers
        self._client = client
        self._folder = folder

    def run(self, now_ms: int, *, stop: threading.Event | None = None) -> Outcome:
        """Ask all mirrors, fetch what is missing, and let own collections be written again if all is level.

        After a restore every peer must have answered; otherwise what is not known to be missing is taken as it is.
        """
        checked, shown = self._check(now_ms, stop)
        recovered = [self._fetch(each, shown, now_ms, stop) for each in checked.behind]
        if not any(each.error for each in recovered):
            self._all_known(checked)
        return Outcome(checked, tuple(recovered), self.held_back())

    def prospect(self, name: str, now_ms: int, *, stop: threading.Event | None = None) -> Prospect:
        """Ask all mirrors, and find out whether one of them can give the tail of a collection back; writes no entry.

        Whatever is asked for is fetched and checked as if it were to be written: nobody's word is taken for it.
        """
        checked, shown = self._check(now_ms, stop)
        with self._db.read() as tx:
            own = self._journals.get(tx, name)
        errors: dict[str, str] = {}
        for holder in self._holders(own, shown) if any(each.collection == name for each in checked.behind) else ():
            try:
                with self._spool() as spool:
                    self._fetched(holder, own, spool, stop)
                return Prospect(checked, holder.peer.name, holder.checkpoint.size, errors, own.size)
            except NodeError as problem:
                errors[holder.peer.name] = problem.message
        return Prospect(checked, "", 0, errors, self._common(own, shown, stop))

    def check(self, now_ms: int, *, stop: threading.Event | None = None) -> Checked:
        """Ask all mirrors and mark what is behind; fetches nothing."""
        checked, _ = self._check(now_ms, stop)
        if not checked.behind:
            self._all_known(checked)
        return checked

    def _all_known(self, checked: Checked) -> None:
        """Note that every peer has answered since a backup was restored, and nothing of what they show is missing."""
        if checked.asked and not checked.silent:
            with self._db.write() as tx:
                behind.clear_restored(tx)

    def alone(self) -> None:
        """Let own collections be written again although not every peer was asked: a person answers for it.

        What is known to be behind stays marked; only its tail or a new epoch ends that.
        """
        with self._db.write() as tx:
            behind.clear_restored(tx)

    def held_back(self) -> str:
        """Say why own collections take nothing now; empty if they do."""
        with self._db.read() as tx:
            names = [collection.name for collection in self._own(tx)]
            marks = [found for name in names if (found := behind.marked(tx, name))]
            restored = behind.restored_ms(tx)
        if marks:
            told = ", ".join(f"{mark.collection} (up to {mark.size} at {mark.peer})" for mark in marks)
            return f"More was signed than is here: {told}."
        if restored:
            return "This database was restored, and not every peer was asked what is newer (without peers: --alone)."
        return ""

    def notice(self, peer: str, heads: Sequence[Head], now_ms: int) -> None:
        """Look at heads that were fetched for another reason, and mark own collections that are behind."""
        self._look(self._peers.get(peer), [Shown(head) for head in heads], now_ms, None)

    # ------------------------------------------------------------- asking

    def _check(self, now_ms: int, stop: threading.Event | None) -> tuple[Checked, _Answers]:
        peers = [peer for peer in self._peers.list() if peer.state in ("approved", "active", "paused")]
        with self._db.read() as tx:
            own = self._own(tx)
        with ThreadPoolExecutor(_ASKING, thread_name_prefix="recover") as pool:
            answers = list(pool.map(lambda peer: self._asking.ask(peer, own, stop), peers))
        shown = {
            peer.name: self._look(peer, answer.shown, now_ms, stop) for peer, answer in zip(peers, answers, strict=True)
        }
        why = {peer.name: answer.error for peer, answer in zip(peers, answers, strict=True) if answer.error}
        with self._db.read() as tx:
            marks = [found for each in self._own(tx) if (found := behind.marked(tx, each.name))]
        return Checked(tuple(peer.name for peer in peers), tuple(why), tuple(marks), why), shown

    def _own(self, tx: Tx) -> list[Collection]:
        return [each for each in self._journals.collections(tx) if not each.is_mirror]

    def _look(self, peer: Peer, shown: Sequence[Shown], now_ms: int, stop: threading.Event | None) -> tuple[Shown, ...]:
        """Compare what one peer shows, and give what counts of it: nothing that an epoch of ours gave up."""
        self._open_again(peer, shown, now_ms)
        found = []
        for own, signed, each in self._ours_among(shown):
            if not self._is_given_up(peer, own, signed, each, stop):
                self._compare(own, peer.name, signed, each.head, now_ms)
                found.append(each)
        return tuple(found)

    def _ours_among(self, shown: Sequence[Shown]) -> list[tuple[Collection, Checkpoint, Shown]]:
        with self._db.read() as tx:
            own = {collection.iri: collection for collection in self._own(tx)}
        among = [(own[each.head.collection], each) for each in shown if each.head.collection in own]
        return [(own, signed, each) for own, each in among if (signed := self._ours(own.iri, each.head.checkpoint))]

    def _open_again(self, peer: Peer, shown: Sequence[Shown], now_ms: int) -> None:
        """Open again, empty, what this city signed and does not have: collections that are younger than the backup."""
        prefix = f"{self._base}/collections/"
        below = [each for each in shown if each.head.collection.startswith(prefix)]
        with self._db.read() as tx:
            held = {collection.iri for collection in self._own(tx)}
        for each in below:
            iri, name = each.head.collection, each.head.collection.removeprefix(prefix)
            signed = self._ours(iri, each.head.checkpoint) if iri not in held and "/" not in name else None
            if signed is None:
                continue
            is_pair = name == pair_collection(peer.url)
            title = f"Agreements with {peer.title or peer.name}"[:_MAX_TITLE] if is_pair else name
            visibility = "restricted" if each.token else "public"
            with contextlib.suppress(Conflict), self._db.write() as tx:
                self._journals.create(tx, name=name, iri=iri, title=title, visibility=visibility, at_ms=now_ms)

    def _compare(self, own: Collection, peer: str, shown: Checkpoint, head: Head, now_ms: int) -> None:
        """Mark a collection if a note that we signed is larger than it, or is of another history."""
        with self._db.write() as tx:
            now = self._journals.get(tx, own.name)
            if now.epoch != own.epoch:
                return  # a new epoch was opened meanwhile; who asks next looks at it
            if shown.size > now.size or self._journals.root(tx, own.name, shown.size) != shown.root:
                behind.mark(tx, Behind(own.name, shown.size, head.checkpoint, peer, now_ms))

    def _ours(self, iri: str, text: str) -> Checkpoint | None:
        origin = note.origin_of(iri)
        try:
            found = note.opened(text, {origin: self._journals.public_keys()}, verified)
        except (Malformed, Refuted):
            return None
        return found if found.origin == origin else None

    def _is_given_up(
        self, peer: Peer, own: Collection, signed: Checkpoint, shown: Shown, stop: threading.Event | None
    ) -> bool:
        """Tell whether a note is of a history that an epoch of ours gave up: mirrors show it until they approve."""
        sql = "SELECT from_size, at, statement FROM epoch WHERE collection_id = ? AND approved_at > 0"
        epochs = [row for row in self._db.hot().rows(sql, (own.id,)) if row[0] < signed.size]
        if not epochs or self._is_ours(own, signed):
            return False
        holder = _Holder(peer, shown, signed)
        for from_size, at_ms, statement in epochs:
            first_ms = self._first_after(holder, own, from_size, stop)
            if first_ms is None:
                # It cannot be asked, or shows no entries: its size has to tell.
                if signed.size <= abandoned_size(statement):
                    return True
            elif first_ms < at_ms and not self._goes_on(holder, own, from_size, stop):
                return True
        return False

    def _is_ours(self, own: Collection, shown: Checkpoint) -> bool:
        with self._db.read() as tx:
            now = self._journals.get(tx, own.name)
            return shown.size <= now.size and self._journals.root(tx, own.name, shown.size) == shown.root

    def _first_after(self, holder: _Holder, own: Collection, size: int, stop: threading.Event | None) -> int | None:
        """Give the time of the first entry behind the beginning of an epoch in the history of a note.

        The tail that an epoch gave up and what was written after it both go on from there, and may be equally long;
        but the one is older than the epoch and the other is not. None unless the peer proves the entry.
        """
        signed = holder.checkpoint
        if not holder.shown.head.name:
            return None
        try:
            page = read_page(self._page(holder, size, 1, stop))
            with self._db.read() as tx:
                root, frontier = self._journals.root(tx, own.name, size), self._journals.frontier(tx, own.name, size)
        except NodeError:
            return None
        if not page.lines or not verify_consistency(size, signed.size, page.consistency, root, signed.root):
            return None
        entry = page.lines[0].entry
        frontier.append(entry.leaf())
        holds = verify_consistency(size + 1, signed.size, page.through, frontier.root(), signed.root)
        return entry.at_ms if holds and page.end == size + 1 else None

    def _goes_on(self, holder: _Holder, own: Collection, from_size: int, stop: threading.Event | None) -> bool:
        """Tell whether a history goes on from ours as it is now, with more than was there when an epoch began.

        An epoch that ended a fork begins where the two parted, so what is older than it may still be of ours.
        """
        if not from_size < own.size <= holder.checkpoint.size:
            return False
        try:
            proof = read_page(self._page(holder, own.size, 1, stop)).consistency
        except NodeError:
            return False
        return verify_consistency(own.size, holder.checkpoint.size, proof, own.root, holder.checkpoint.root)

    # ----------------------------------------------------------- fetching

    def _fetch(self, mark: Behind, shown: _Answers, now_ms: int, stop: threading.Event | None) -> Recovered:
        """Get the tail of one collection from whoever has all of it, the longest first."""
        with self._db.read() as tx:
            own = self._journals.get(tx, mark.collection)
        error: NodeError = NotFound("No mirror that can be reached shows it.")
        if mark.size <= own.size:
            error = _two_histories(own, mark.peer)  # what is shorter, and not ours, is no tail of it
        for holder in self._holders(own, shown):
            try:
                with self._spool() as spool:
                    self._fetched(holder, own, spool, stop)
                    return self._write(holder, own, spool, now_ms)
            except NodeError as problem:
                error = problem
        return Recovered(own.name, own.size, mark.peer, 0, str(error))

    @contextlib.contextmanager
    def _spool(self) -> Iterator[Path]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="recover-", dir=self._folder) as folder:
            yield Path(folder) / "tail"

    def _holders(self, own: Collection, shown: _Answers) -> list[_Holder]:
        found = [holder for holder in self._held_of(own, shown) if holder.checkpoint.size >= own.size]
        return sorted(found, key=lambda holder: -holder.checkpoint.size)

    def _held_of(self, own: Collection, shown: _Answers) -> list[_Holder]:
        """Give every peer that holds entries of an own collection, however many."""
        found = []
        for name, every in shown.items():
            for each in every:
                is_held = each.head.collection == own.iri and each.head.name
                signed = self._ours(own.iri, each.head.checkpoint) if is_held else None
                if signed is not None:
                    found.append(_Holder(self._peers.get(name), each, signed))
        return found

    def _common(self, own: Collection, shown: _Answers, stop: threading.Event | None) -> int:
        """Find how many entries stand here as in every other history that we signed and that somebody can show."""
        found = own.size
        for holder in self._held_of(own, shown):
            if not self._is_ours(own, holder.checkpoint):
                with contextlib.suppress(NodeError):
                    found = min(found, self._parted(holder, own, stop))
        return found

    def _parted(self, holder: _Holder, own: Collection, stop: threading.Event | None) -> int:
        """Compare all entries of a holder with ours, and give how many come before the first that differs.

        Raises:
            BrokenHistory: What it gives is not what we signed.
        """
        frontier, same = Frontier(0, []), 0
        for body in self._pages(holder, own, stop, after=0):
            leaves = [each.entry.leaf() for each in _arrived(body)]
            with self._db.read() as tx:
                ours = self._journals.entries(tx, own.name, after=frontier.size, limit=len(leaves))
            for leaf, entry in zip(leaves, [*ours, *[None] * (len(leaves) - len(ours))], strict=True):
                same += same == frontier.size and entry is not None and entry.leaf() == leaf
                frontier.append(leaf)
        if frontier.root() != holder.checkpoint.root:
            raise BrokenHistory(f"What {holder.peer.name} gives of {own.name} is not what was signed.")
        return same

    def _fetched(self, holder: _Holder, own: Collection, spool: Path, stop: threading.Event | None) -> None:
        """Get a tail into a file and check it as a whole."""
        tail = _Tail(own, frontier_of(own))
        with spool.open("wb") as file:
            for body in self._pages(holder, own, stop):
                tail.take(_arrived(body))
                file.write(body)
        signed = holder.checkpoint
        if (tail.frontier.size, tail.frontier.root()) != (signed.size, signed.root):
            raise _two_histories(own, holder.peer.name)
        if tail.missing:
            some = ", ".join(map(str, tail.missing[:5]))
            raise Refused(f"{holder.peer.name} holds {len(tail.missing)} entries of {own.name} only as stubs: {some}.")

    def _pages(
        self, holder: _Holder, own: Collection, stop: threading.Event | None, *, after: int | None = None
    ) -> Iterator[bytes]:
        def ask(start: int, gone: threading.Event) -> bytes:
            return self._page(holder, start, PAGE_ENTRIES, gone)

        return pages(ask, after=own.size if after is None else after, size=holder.checkpoint.size, stop=stop)

    def _page(self, holder: _Holder, after: int, limit: int, stop: threading.Event | None) -> bytes:
        url, shown, size = holder.peer.url, holder.shown, holder.checkpoint.size
        return self._client.page(
            url, shown.head.name, after=after, size=size, limit=limit, token=shown.token, stop=stop
        )

    def _write(self, holder: _Holder, own: Collection, spool: Path, now_ms: int) -> Recovered:
        """Write a tail that was checked as a whole; a crash in between leaves less to fetch the next time."""
        for body in pages_of(spool):
            with self._db.write() as tx:
                self._check_epoch(tx, own)
                self._journals.recover(tx, own.name, _arrived(body), at_ms=now_ms)
        signed, parsed = holder.checkpoint, note.parse(holder.shown.head.checkpoint)
        ours = tuple(line for line in parsed.signatures if line.name == signed.origin)
        with self._db.write() as tx:
            self._check_epoch(tx, own)
            # A tail is written like a mirror; what is noted for mirrors alone goes.
            tx.run("DELETE FROM refusal WHERE collection_id = ?", own.id)
            tx.run("DELETE FROM erasure_told WHERE collection_id = ?", own.id)
            self._journals.keep_own_note(tx, own.name, note.SignedNote(parsed.text, ours).render(), now_ms)
            behind.clear(tx, own.name)
            self._follow_pair(tx, holder.peer, own, now_ms)
        self._db.scrub()
        return Recovered(own.name, signed.size, holder.peer.name, signed.size - own.size)

    def _follow_pair(self, tx: Tx, peer: Peer, own: Collection, now_ms: int) -> None:
        """Follow a peer's journal of its agreements with us, if ours came back: the backup may have known neither."""
        theirs = pair_collection(self._base)
        if own.name == pair_collection(peer.url) and theirs not in {
            each.collection for each in self._peers.follows(peer.name)
        }:
            self._peers.insert_follow(tx, new_follow(peer, theirs, "", (), now_ms))

    def _check_epoch(self, tx: Tx, own: Collection) -> None:
        """Refuse to write a tail that somebody gave up while it was fetched."""
        tx.lock(f"journal/{own.name}")
        if self._journals.get(tx, own.name).epoch != own.epoch:
            raise Conflict(f"A new epoch of {own.name} was opened meanwhile; its former tail was not written.")


def _two_histories(own: Collection, peer: str) -> BrokenHistory:
    return BrokenHistory(
        f"What is here of {own.name} and what {peer} holds are two histories.",
        fix="Restore a backup that was not written to, or open a new epoch: docs/recover.md.",
    )


def _digest(payload: bytes) -> str:
    return "sha256:" + hashlib.sha256(payload).hexdigest()


def _arrived(body: bytes) -> list[Arrived]:
    return [
        Arrived(replace(line.entry, opening=opening_of(line.opening) if line.opening else None), line.payload)
        for line in read_page(body).lines
    ]
