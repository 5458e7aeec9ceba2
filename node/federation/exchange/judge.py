"""Judging entries: checks 6 to 8 of `intake`, each entry on its own, while the child process parses their payloads.

What a payload says is looked at only once it is the one that the entry commits to, and only by the child; the checks
themselves are in `check`. A payload that kills the child is found by asking about each alone, and a page of such has an
end. Whoever judges writes nothing.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from node.errors import Malformed, NotFound, TooLarge
from node.federation import check
from node.federation.check import Authority, Fault
from node.federation.feed.pages import Line
from node.federation.peers.peers import Follow
from node.journal import Arrived, Entry, Opening, Reader
from node.journal.mirror import NAMED, NOT_FOLLOWED
from node.vocab.parse import Parser
from node.vocab.peer_payload import TOO_LARGE, Told

_PAGE_S = 60.0
_PAYLOAD_S = 5.0
_ALONE_S = 120.0


class Namespaces(Protocol):
    """Who describes what."""

    def namespaces(self) -> Mapping[str, frozenset[str]]:
        """Give every approved prefix with who declared it; our own have the owner `""`."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One entry on its way through checks 6 to 8."""

    line: Line
    opening: Opening | None
    fault: Fault | None

    @property
    def payload(self) -> bytes | None:
        """Give the payload that is still to be parsed, if there is one."""
        return self.line.payload if self.opening and not self.fault and self.opening.op == "put" else None


@dataclass(frozen=True, slots=True)
class Judging:
    """The entries of a page while the child looks at their payloads; it answers by their place among the payloads."""

    follow: Follow
    candidates: list[_Candidate]
    authority: Authority
    told: "Future[dict[int, Told]]"
    is_public: bool


class Judge:
    """Judges entries of peers. Several threads may use it; the child looks at one page at a time."""

    def __init__(self, reader: Reader, peers: Namespaces, parser: Parser) -> None:
        """Take what is needed; `parser` lives as long as this does and is ended by `close`."""
        self._reader = reader
        self._peers = peers
        self._parser = parser
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="payloads")

    def close(self) -> None:
        """End the child process, and the thread that waits for it."""
        self._parser.kill()
        self._pool.shutdown(cancel_futures=True)

    def begin(self, lines: Sequence[Line], follow: Follow, *, is_public: bool) -> Judging:
        """Begin check 6, and have the child process look at all payloads of a page.

        Args:
            lines: The entries.
            follow: What is mirrored.
            is_public: Whether everyone may read the mirror.
        """
        candidates = [_candidate(line) for line in lines]
        authority = Authority(self._peers.namespaces(), follow.peer)
        payloads = [payload for each in candidates if (payload := each.payload) is not None]
        told = self._pool.submit(self._look_at, payloads, authority.origins)
        return Judging(follow, candidates, authority, told, is_public)

    def _look_at(self, payloads: Sequence[bytes], origins: frozenset[str]) -> dict[int, Told]:
        try:
            return self._parser.look_at(payloads, origins, _PAGE_S) if payloads else {}
        except (Malformed, TooLarge):
            # One of them killed the child: each is asked about alone, and for all of them there is an end.
            return self._look_at_each(payloads, origins)

    def _look_at_each(self, payloads: Sequence[bytes], origins: frozenset[str]) -> dict[int, Told]:
        found: dict[int, Told] = {}
        left_s = _ALONE_S
        for place, payload in enumerate(payloads):
            if left_s <= 0:
                found[place] = (TOO_LARGE, "Reading the page took too long.", [])
                continue
            try:
                alone = self._parser.look_at([payload], origins, _PAYLOAD_S)
                found |= {place: alone[0]} if alone else {}
            except (Malformed, TooLarge) as error:
                left_s -= _PAYLOAD_S
                found[place] = (error.code, error.message, [])
        return found

    def finish(self, judging: Judging) -> list[Arrived]:
        """Wait for the child, and finish checks 6 to 8: each entry as it may be kept, or refused with its code."""
        told, place = judging.told.result(), 0
        arrived = []
        for each in judging.candidates:
            code, detail, subjects = "", "", list[str]()
            if each.payload is not None:
                code, detail, subjects = told.get(place, ("", "", []))
                place += 1
            fault = check.fault(code, detail, each.opening) if code else self._fault(each, subjects, judging)
            arrived.append(_arrived(each, fault, judging.follow))
        return arrived

    def _fault(self, each: _Candidate, subjects: Sequence[str], judging: Judging) -> Fault | None:
        """Make checks 7 and 8 of an entry that passed 6."""
        opening, payload = each.opening, each.payload or b""
        if each.fault or opening is None or opening.op == "erase":
            return each.fault
        fault = check.authorised(opening, subjects, judging.authority)
        if fault and opening.op == "withdraw" and self._stands(judging.follow, opening.record):
            fault = None  # what was taken once may go
        return fault or check.shaped(opening, payload, is_public=judging.is_public)

    def _stands(self, follow: Follow, record: str) -> bool:
        """Tell whether a record is held; what is asked about a page is asked once the one before it is written."""
        with self._reader.db.read() as tx:
            try:
                newest = self._reader.newest(tx, follow.local, record)
            except NotFound:
                return False
        return newest is not None and newest.opening is not None and newest.opening.op == "put"


def _candidate(line: Line) -> _Candidate:
    """Begin check 6: what can be said before the payload is parsed."""
    opening, fault = check.opened(line)
    if opening is not None and fault is None:
        fault = check.named(opening)
    return _Candidate(line, opening, fault)


def _arrived(each: _Candidate, fault: Fault | None, follow: Follow) -> Arrived:
    entry, opening = each.line.entry, each.opening
    opened = Entry(entry.collection, entry.seq, entry.at_ms, entry.commitment, opening)
    if fault is not None:
        # What is refused for what it says is still known to be its record's newest state: the one before it goes.
        return Arrived(opened if fault.code in NAMED else entry, None, fault.code, fault.detail, fault.record)
    payload = each.payload
    if opening is not None and payload is not None and not check.followed(opening, payload, follow.themes):
        return Arrived(opened, None, NOT_FOLLOWED, "", opening.record)
    # Check 6 found that this is its digest.
    digest = bytes.fromhex(opening.digest[7:]) if opening is not None and payload is not None else b""
    return Arrived(opened, payload, hashes=(each.line.leaf, digest))
