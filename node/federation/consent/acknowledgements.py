"""Withdrawals that other cities tell us of: heard, found in our own files, acknowledged, erased. The other end's twin.

What is heard names a person by a salted key, so this city sees who is meant only in the data that it holds already:
`match` looks a file through, row by row. That the duty is acknowledged, and later that the rows are gone, is for a
person to say; it is stated in evidence and told to the city that gave the data, as it was signed, in one transaction.
What that city has not taken is told again, day by day or when somebody says so.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from node.db import Tx
from node.errors import Conflict, NotAgreed, TooLarge, TooManyRequests
from node.federation.consent.held_rows import keys_of
from node.federation.consent.post import KIND, Answer, Post, Told, our_id, subject_of
from node.federation.consent.store import ConsentStore, Stage, Withdrawal, salted_key
from node.federation.consent.withdrawals import DAY_MS, KINDS, Evidence, State, about_withdrawal

_logger = logging.getLogger("citynode.consent")
MAX_OPEN = 100_000
ANSWERED_AT_ONCE = 500  # one message and one transaction
# A city has one salt for all that it tells of a dataset, and a new one once those are erased: looking through a file
# costs a hash for every row and salt.
MAX_SALTS = 8
MAX_SALTS_MATCHED = 32
# Tells whether a peer gave us data under an agreement, of a dataset: now or once.
GaveUnder = Callable[[str, str, str], bool]
# Gives what this city stated of a withdrawal, as it was signed; empty once that was erased.
Stated = Callable[[Tx, State, Withdrawal], str]


@dataclass(frozen=True, slots=True)
class Match:
    """A row of ours that is about somebody who withdrew: its number from 1, the key that stands there."""

    withdrawal: str
    row: int
    key: str


class Acknowledgements:
    """Hears, finds and answers. Safe to share by threads and processes."""

    def __init__(
        self,
        store: ConsentStore,
        post: Post,
        *,
        gave_under: GaveUnder,
        evidence: Evidence,
        stated: Stated,
        clock_ms: Callable[[], int],
    ) -> None:
        """Answer through this post; `stated` finds what `evidence` was told."""
        self._store, self._post = store, post
        self._gave_under, self._evidence, self._stated, self._clock_ms = gave_under, evidence, stated, clock_ms

    # ---------------------------------------------------------------- hearing

    def hear(self, peer: str, told: Told) -> int:
        """Keep what a peer tells; give how many withdrawals are new. Heard again, nothing changes.

        Raises:
            NotAgreed: It gives us nothing of this dataset under this agreement.
            Conflict: One id stands for two keys, or one key that waits already has another id.
            TooManyRequests: More wait from it than anybody can look through, or under more salts.
        """
        if not self._gave_under(peer, told.agreement, told.dataset):
            raise NotAgreed("Your city gives us no data of this dataset under this agreement.")
        if self._store.open_count("in", peer) + len(told.keys) > MAX_OPEN:
            raise TooManyRequests(f"More than {MAX_OPEN} withdrawals of your city wait.", fix="Tell the rest later.")
        new, now_ms = 0, self._clock_ms()
        with self._store.db.write() as tx:
            tx.lock(f"withdrawals-heard/{told.dataset}")
            self._check_salts(tx, told)
            self._check_new(tx, peer, told)
            for name, key, at_ms in told.keys:
                where = (peer, told.agreement, told.dataset, "")
                # Whatever day a source bears, nobody has withdrawn later than it is heard.
                said = (told.salt, key, min(at_ms, now_ms), now_ms)
                each = Withdrawal(our_id(peer, name), "in", *where, *said, purpose=told.purpose)
                if self._store.put(tx, each):
                    self._evidence(tx, "withdrawal", each, about_withdrawal(each), now_ms)
                    new += 1
        _logger.info("%s tells of %d withdrawals under %s", peer, new, told.agreement, extra={"peer": peer})
        return new

    def _check_new(self, tx: Tx, peer: str, told: Told) -> None:
        """Refuse what says two things: one id for two keys, or one key that waits under two ids."""
        held = self._store.of_agreement(tx, "in", told.agreement, told.dataset)
        waiting = {
            each.salted: each.id
            for each in held
            if not each.erased_at and (each.salt, each.purpose) == (told.salt, told.purpose)
        }
        keys = {each.id: each.salted for each in held}
        for name, key, _ in told.keys:
            ours = our_id(peer, name)
            if keys.setdefault(ours, key) != key or waiting.setdefault(key, ours) != ours:
                raise Conflict("One withdrawal is told as two, or two as one.", fix="Tell each person once, by one id.")

    def _check_salts(self, tx: Tx, told: Told) -> None:
        """Refuse one salt too many, while keys under the others wait to be erased."""
        held = self._store.open_salts(tx, "in", told.agreement, told.dataset)
        if told.salt not in held and len(held) >= MAX_SALTS:
            raise TooManyRequests(
                f"Withdrawals of this dataset wait here under {MAX_SALTS} salts.", fix="Tell them under one salt."
            )

    # ---------------------------------------------------------------- looking

    def match(self, file: Path, column: str, *, agreement: str = "", dataset: str = "") -> Iterator[Match]:
        """Find the rows of a file of ours that are about somebody who withdrew, however many, as the file is read.

        Who withdrew for two purposes is found for both. What is raised is raised while it is read: what was found by
        then is not all.

        Args:
            file: CSV, JSON lines or Parquet, by its name.
            column: Whom a row is about.
            agreement: Only withdrawals under this agreement.
            dataset: Only withdrawals of this dataset.

        Raises:
            NotFound: There is no such file, or no such column.
            Malformed: It is of another form.
            TooLarge: So many cities have told so much that the file has to be looked through for one dataset at a time.
        """
        by_salt: dict[str, dict[str, list[str]]] = {}
        for each in self._store.each("in", "open"):
            if each.salt and agreement in ("", each.agreement) and dataset in ("", each.dataset):
                by_salt.setdefault(each.salt, {}).setdefault(each.salted, []).append(each.id)
        if len(by_salt) > MAX_SALTS_MATCHED:
            raise TooLarge(
                f"Withdrawals wait under {len(by_salt)} salts, and a file is looked through for {MAX_SALTS_MATCHED}.",
                fix="Name the agreement and the dataset: --agreement, --dataset.",
            )
        for row, key in enumerate(keys_of(file, column) if by_salt else (), 1):
            for salt, wanted in by_salt.items():
                names = wanted.get(salted_key(salt, key), ()) if key else ()
                yield from (Match(name, row, key) for name in names)

    # ---------------------------------------------------------------- answering

    def answer(self, names: Sequence[str], state: Answer, *, by: str, until_ms: int = 0) -> Sequence[Withdrawal]:
        """Say of withdrawals that the duty to erase is acknowledged, or that the rows are erased everywhere here.

        Args:
            names: Their ids, or the beginnings of them; none of them means all that wait for this answer.
            state: What is said. To have erased says that it was acknowledged, too.
            by: Who says so.
            until_ms: Of all, only what was heard by then: the moment at which whoever says so looked. Else now.

        Returns:
            Those that were not answered so before, as they stand now.

        Raises:
            NotFound: A name names none.
            Conflict: There is none that waits.
        """
        if names:
            due = [each for each in self._store.named("in", names) if _waits(each, state)]
            return self._answered(due, state, by)
        stage: Stage = "open" if state == "erased" else "waiting"
        until_ms = until_ms or self._clock_ms()
        done: list[Withdrawal] = []
        # What is answered waits no more, so the next ones are always the first.
        while page := self._store.page("in", stage, until_ms=until_ms, limit=ANSWERED_AT_ONCE):
            done += self._answered(page, state, by)
        if not done:
            raise Conflict("No withdrawal waits for this answer.").on_page("no.withdrawal.none")
        return done

    def _answered(self, due: Sequence[Withdrawal], state: Answer, by: str) -> Sequence[Withdrawal]:
        return [each for group in _by_subject(due).values() for each in self._said(group, state, by)]

    def _said(self, group: Sequence[Withdrawal], state: Answer, by: str) -> Sequence[Withdrawal]:
        """Say it of withdrawals of one peer, agreement, dataset and purpose; give them as they stand then."""
        now_ms = self._clock_ms()
        erased_at = now_ms if state == "erased" else 0
        with self._store.db.write() as tx:
            tx.lock(f"withdrawals-heard/{group[0].dataset}")
            held = (self._store.get(tx, each.id) for each in group)
            group = [each for each in held if each and _waits(each, state)]  # somebody else may say so at once
            if not group:
                return []
            stated: list[tuple[Withdrawal, str]] = []
            for each in group:
                self._store.mark(tx, each, acknowledged_at=now_ms, erased_at=erased_at, by=by)
                stated.append((each, self._evidence(tx, KINDS[state], each, about_withdrawal(each), now_ms)))
            self._post.answer(tx, stated, state, now_ms)
            if state == "erased":
                self._store.forget_salt(tx, "in", group[0].agreement, group[0].dataset)
        return [
            replace(each, acknowledged_at=each.acknowledged_at or now_ms, erased_at=erased_at, by=by) for each in group
        ]

    # ---------------------------------------------------------------- telling again

    def tell_again(self, names: Sequence[str] = ()) -> Sequence[Withdrawal]:
        """Let our answers wait once more that the other city has not taken; give those for which nothing waited.

        Repeatable: what waits already goes out by itself, and what was taken is not told again.

        Args:
            names: Their ids, or the beginnings of them; none of them means all.

        Raises:
            NotFound: A name names none.
            Conflict: One was not answered yet.
        """
        named = self._store.named("in", names)
        if any(not each.acknowledged_at for each in named):
            raise Conflict(
                "This withdrawal was not answered yet: there is no answer to send again.",
                fix="Answer it: citynode data withdrawals acknowledge",
            ).on_page("no.withdrawal.unanswered")
        untold = [each for each in named if not each.told_at] if names else self._store.each("in", "untold")
        return self._told_again(untold, self._clock_ms())

    def remind(self, now_ms: int, *, after_ms: int = DAY_MS) -> int:
        """Tell again what was told a day ago or longer and was not taken; give of how many withdrawals."""
        done = self._told_again(self._store.each("in", "untold"), now_ms - after_ms)
        if done:
            _logger.info("%d answers to withdrawals are told again", len(done))
        return len(done)

    def _told_again(self, untold: Iterable[Withdrawal], before_ms: int) -> Sequence[Withdrawal]:
        """Tell what is about a subject of which no message waits, and none was made after a moment."""
        free, done = dict[str, bool](), list[Withdrawal]()
        for batch in _pieces(untold, ANSWERED_AT_ONCE):
            for subject, group in _by_subject(batch).items():
                if subject not in free:
                    last = self._post.outbox.newest(KIND, subject)
                    free[subject] = last is None or (last[1] > 0 and last[0].made_at <= before_ms)
                if free[subject]:
                    self._say_again(group)
                    done += group
        return done

    def _say_again(self, group: Sequence[Withdrawal]) -> None:
        """Put what stands in evidence into the outbox once more, of withdrawals of one subject."""
        now_ms = self._clock_ms()
        with self._store.db.write() as tx:
            for state, kind in KINDS.items():
                said = [each for each in group if bool(each.erased_at) == (state == "erased")]
                stated = [(each, self._stated(tx, kind, each)) for each in said]
                # A statement that was erased here is told no more; that it is so still is.
                for with_words in (True, False):
                    some = [one for one in stated if bool(one[1]) == with_words]
                    self._post.answer(tx, some, state, now_ms)


def _waits(each: Withdrawal, state: Answer) -> bool:
    return not each.erased_at and (state == "erased" or not each.acknowledged_at)


def _by_subject(some: Iterable[Withdrawal]) -> Mapping[str, Sequence[Withdrawal]]:
    groups: dict[str, list[Withdrawal]] = {}
    for each in some:
        groups.setdefault(subject_of(each), []).append(each)
    return groups


def _pieces(some: Iterable[Withdrawal], size: int) -> Iterable[Sequence[Withdrawal]]:
    rest = iter(some)
    while piece := list(islice(rest, size)):
        yield piece
