"""Withdrawals of our residents: noticed at the consent sources, told to cities that hold the data, answered by them.

A city is told of a withdrawal if the person's row may have gone to it by consent, for the purpose it went for. That
follows the rows: another source, another basis, a dataset that is marked otherwise or an origin that is gone change
nothing. Of rows that went before their dataset was marked nobody knows whose they were: such a city hears of
everybody. Each is told once, as a salted key, in the transaction that notes it and puts it into evidence. Who does not
answer is reminded, day by day. Who answers encloses what it signed of each withdrawal: that word is kept as it is.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, Protocol

from node.db import Database, Tx
from node.errors import BadSignature, ConsentUnknown, NodeError, NotFound, Refuted, Unavailable
from node.federation.consent.noticed import BEFORE, Noticed
from node.federation.consent.post import KIND, Answer, Answered, Post, Word, subject_of, their_id
from node.federation.consent.sources import ConsentSource
from node.federation.consent.store import SALT_BYTES, ConsentRead, Withdrawal, salted_key
from node.federation.evidence.statements import TYPES
from node.federation.moved import UnfilteredTold
from node.federation.moving import Origins
from node.federation.signing.integrity import Json
from node.journal.entry import at_text

_logger = logging.getLogger("citynode.consent")
DAY_MS = 86_400_000
State = Literal["withdrawal", "acknowledgement", "erasure"]
KINDS: Mapping[Answer, State] = {"acknowledged": "acknowledgement", "erased": "erasure"}
# What went with all its rows before its dataset was marked, each with the source that knows who withdraws today.
Unfiltered = Callable[[], Iterable[tuple[UnfilteredTold, str]]]
# Checks that a city signed a document, by its base URL, at a moment.
CheckSigned = Callable[[Json, str, int], None]


class Evidence(Protocol):
    """Where what happened is stated, in the transaction of what makes it true."""

    def __call__(self, tx: Tx, kind: State, each: Withdrawal, said: Mapping[str, Any], at_ms: int) -> str:
        """State it; give the statement as this city signed it."""


def about_withdrawal(each: Withdrawal) -> Mapping[str, Any]:
    """Give what evidence says of a withdrawal: never the salt, without which nobody can try keys.

    Both cities name it as the one that told it does.
    """
    return {
        "withdrawal": their_id(each),
        ("consumer" if each.direction == "out" else "provider"): each.peer,
        "agreement": each.agreement,
        "dataset": each.dataset,
        **({"purpose": each.purpose} if each.purpose else {}),
        "key": each.salted,
        "withdrawnAt": at_text(each.withdrawn_at),
    }


@dataclass(slots=True)
class Watched:
    """What a look found: how many withdrawals cities are told of now, and which sources could not be asked.

    `unknown` counts keys that somebody withdrew and that their source had never named.
    """

    told: int = 0
    troubles: dict[str, str] = field(default_factory=dict)
    unknown: int = 0


class Withdrawals:
    """Watches, tells and hears the answers. Safe to share by threads and processes."""

    def __init__(
        self,
        noticed: Noticed,
        post: Post,
        *,
        origins: Origins,
        unfiltered: Unfiltered,
        evidence: Evidence,
        check: CheckSigned,
        base_url: str,
        clock_ms: Callable[[], int],
    ) -> None:
        """Put it together; `unfiltered` tells what went before it was marked.

        `check` raises Malformed, Refuted or BadSignature.
        """
        self._noticed, self._store, self._post = noticed, noticed.store, post
        self._origins, self._evidence, self._clock_ms = origins, evidence, clock_ms
        self._unfiltered, self._check, self._base = unfiltered, check, base_url

    @property
    def _db(self) -> Database:
        return self._store.db

    # ---------------------------------------------------------------- noticing

    def watch(self, now_ms: int, name: str = "") -> Watched:
        """Ask the sources, or one of them, who has withdrawn, and let the cities that hold their data be told.

        Repeatable: what was told is not told again. A source that cannot be asked is noted, and asked the next time.
        """
        watched = Watched()
        for left, source in self._unfiltered():
            self._noticed.begun_before(left, source, now_ms)
        # A service may not know what to say where no purpose is named: that holds up nothing else.
        for reads in sorted(_alike(self._store.reads()), key=lambda each: not each[0].purpose):
            sources = self._sources_of(reads, watched)
            if not name or name in {each.name for each in sources}:
                found = self._withdrawn(reads[0], sources, now_ms, watched)
                watched.told += self._tell_anew(reads[0], found, now_ms)
        self._note(watched, now_ms)
        return watched

    def _sources_of(self, reads: Sequence[ConsentRead], watched: Watched) -> Sequence[ConsentSource]:
        """Give everybody by whose word rows went, and who is asked today, as far as they are still there."""
        today = self._origins.personal(reads[0].dataset)
        names = {each.source for each in reads} | ({today.consent} if today and today.consent else set())
        there = [each for each in self._store.sources() if each.name in names]
        if not there:
            watched.troubles |= dict.fromkeys(names, "It is gone, and rows went out by its word.")
        return there

    def _withdrawn(
        self, read: ConsentRead, sources: Sequence[ConsentSource], now_ms: int, watched: Watched
    ) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for source in sources:
            if source.name in watched.troubles:
                continue
            try:
                said = self._noticed.sources.withdrawn(source, read.asked, now_ms)
            except ConsentUnknown as error:
                watched.troubles[source.name] = str(error)
                continue
            for subject, at_ms in said.items():
                found[subject] = max(at_ms, found.get(subject, 0))
        return found

    def _note(self, watched: Watched, now_ms: int) -> None:
        for source in self._store.sources():
            trouble = watched.troubles.get(source.name, "")
            if trouble or source.trouble:
                self._store.checked(source.name, trouble, now_ms)

    def _tell_anew(self, read: ConsentRead, found: Mapping[str, int], now_ms: int) -> int:
        if not found:
            return 0
        with self._db.write() as tx:
            tx.lock(f"withdrawals/{read.dataset}")
            # Once it is forgotten whose rows went, it could have been anybody's.
            if not self._store.is_kept(tx, read):
                return 0
            gone = self._noticed.went.among(tx, read, found)
            found = {subject: at_ms for subject, at_ms in found.items() if subject in gone}
            since = self._noticed.since(tx, read, found, now_ms)
            known = self._store.of_agreement(tx, "out", read.agreement, read.dataset)
            # Where all is erased the other city has forgotten the salt, and must not get it again.
            salt = next((each.salt for each in known if not each.erased_at), "") or secrets.token_hex(SALT_BYTES)
            told = {each.ours: each for each in known}
            new = []
            for subject, at_ms in found.items():
                ours = salted_key(read.salt, f"{read.purpose} {subject}")
                if since[subject] != BEFORE and _is_new(told.get(ours), since[subject]):
                    new.append(_told(read, salt, salted_key(salt, subject), ours, at_ms, now_ms))
            for each in new:
                self._store.put(tx, each)
                self._evidence(tx, "withdrawal", each, about_withdrawal(each), now_ms)
            self._post.tell(tx, new, now_ms)
        return len(new)

    # ---------------------------------------------------------------- answers

    def hear(self, peer: str, answer: Answered) -> int:
        """Take what a peer says of withdrawals that it was told of; give how many it changed.

        Raises:
            NotFound: It names one that it was not told of.
            Refuted: A statement of it is of something else.
            Unavailable: It is signed by no key of the peer that is known here; a new one may be on its way.
        """
        changed, now_ms = 0, self._clock_ms()
        words: Sequence[Word | None] = answer.words or [None] * len(answer.ids)
        for each_word in answer.words:
            self._check_signed(peer, each_word, now_ms)
        with self._db.write() as tx:
            for name, word in zip(answer.ids, words, strict=True):
                each = self._store.get(tx, name)
                if each is None or each.direction != "out" or each.peer != peer:
                    raise NotFound("There is no such withdrawal that your city was told of.")
                if word is not None:
                    self._check_meant(each, answer.state, word)
                changed += self._answered(tx, each, answer, word, now_ms)
        return changed

    def _check_signed(self, peer: str, word: Word, now_ms: int) -> None:
        try:
            self._check(word.document, peer, now_ms)
        except BadSignature as error:
            raise Unavailable(
                f"Your city's statement cannot be checked: {error.message}", fix="Send it again."
            ) from error

    def _check_meant(self, each: Withdrawal, state: Answer, word: Word) -> None:
        wanted = {"type": TYPES[KINDS[state]], "by": each.peer, "other": self._base, "provider": self._base}
        wanted |= {"withdrawal": each.id, "agreement": each.agreement, "dataset": each.dataset, "key": each.salted}
        wanted |= {"purpose": each.purpose} if each.purpose else {}
        if any(word.document.get(name) != value for name, value in wanted.items()):
            raise Refuted("The statement is not your city's word on this withdrawal.")

    def _answered(self, tx: Tx, each: Withdrawal, answer: Answered, word: Word | None, now_ms: int) -> int:
        erased = answer.state == "erased"
        if each.erased_at or (each.acknowledged_at and not erased):
            return 0  # said before: nothing new to state
        self._store.mark(tx, each, acknowledged_at=now_ms, erased_at=now_ms if erased else 0, by=each.peer)
        if erased:
            self._store.forget_salt(tx, "out", each.agreement, each.dataset)
        said = {**about_withdrawal(each), **({"word": word.text} if word else {})}
        self._evidence(tx, KINDS[answer.state], each, said, now_ms)
        return 1

    # ---------------------------------------------------------------- reminding

    def remind(self, now_ms: int, *, after_ms: int = DAY_MS) -> int:
        """Tell again what no city has acknowledged and no message waits for; give how many times one is reminded."""
        return sum(self._reminded(first, now_ms, after_ms) for first in self._store.unanswered())

    def _reminded(self, first: Withdrawal, now_ms: int, after_ms: int) -> int:
        last = self._post.outbox.newest(KIND, subject_of(first))
        if last is not None and (last[1] == 0 or now_ms - last[0].made_at < after_ms):
            return 0
        with self._db.write() as tx:
            late = self._store.unanswered_with(tx, first)
            self._post.tell(tx, late, now_ms)
        _logger.info("%s is reminded of %d withdrawals", first.peer, len(late))
        return 1

    def round(self, now_ms: int) -> int:
        """Send what is due; give how many messages were taken."""
        return self._post.deliver(now_ms)

    def tend(self, now_ms: int) -> None:
        """Watch the sources and remind; what fails is logged and tried the next time."""
        try:
            watched = self.watch(now_ms)
            for name, trouble in watched.troubles.items():
                _logger.warning("consent source %s: %s", name, trouble)
            self.remind(now_ms)
        except NodeError as error:
            _logger.warning("withdrawals are watched again later: %s", error)


def _alike(reads: Sequence[ConsentRead]) -> Iterator[Sequence[ConsentRead]]:
    """Give together those of one agreement and question, which differ in the source."""
    for _, alike in groupby(reads, key=lambda each: (each.agreement, each.asked)):
        yield list(alike)


def _told(read: ConsentRead, salt: str, salted: str, ours: str, at_ms: int, now_ms: int) -> Withdrawal:
    name, where = secrets.token_hex(SALT_BYTES), (read.peer, read.agreement, read.dataset, read.source)
    return Withdrawal(name, "out", *where, salt, salted, at_ms, now_ms, ours=ours, purpose=read.purpose)


def _is_new(told: Withdrawal | None, since_ms: int) -> bool:
    """Tell whether a city is to hear of a withdrawal: not while it has still to erase, nor of what it has erased.

    What counts is when this city noticed it, since a withdrawal on paper bears an earlier day.
    """
    return told is None or 0 < told.erased_at < since_ms
