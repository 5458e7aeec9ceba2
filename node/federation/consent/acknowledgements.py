"""Withdrawals that other cities tell us of: heard, found in our own files, acknowledged, erased. The other end's twin.

What is heard names a person by a salted key, so this city sees who is meant only in the data that it holds already:
`match` looks a file through, row by row. That the duty is acknowledged, and later that the rows are gone, is for a
person to say; it is stated in evidence and told to the city that gave the data, as it was signed, in one transaction.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from node.db import Tx
from node.errors import Conflict, NotAgreed, TooLarge, TooManyRequests
from node.federation.consent.held_rows import keys_of
from node.federation.consent.post import Answer, Post, Told, our_id, subject_of
from node.federation.consent.store import ConsentStore, Stage, Withdrawal, salted_key
from node.federation.consent.withdrawals import KINDS, Evidence, about_withdrawal

_logger = logging.getLogger("citynode.consent")
MAX_OPEN = 100_000
MAX_MATCHES = 10_000
ANSWERED_AT_ONCE = 500  # one message and one transaction
# A city has one salt for all that it tells of a dataset, and a new one once those are erased: looking through a file
# costs a hash for every row and salt.
MAX_SALTS = 8
MAX_SALTS_MATCHED = 32
# Tells whether a peer gave us data under an agreement, of a dataset: now or once.
GaveUnder = Callable[[str, str, str], bool]


@dataclass(frozen=True, slots=True)
class Match:
    """A row of ours that is about somebody who withdrew: its number from 1, the key that stands there."""

    withdrawal: str
    row: int
    key: str


class Acknowledgements:
    """Hears, finds and answers. Safe to share by threads and processes."""

    def __init__(
        self, store: ConsentStore, post: Post, *, gave_under: GaveUnder, evidence: Evidence, clock_ms: Callable[[], int]
    ) -> None:
        """Answer through this post."""
        self._store, self._post = store, post
        self._gave_under, self._evidence, self._clock_ms = gave_under, evidence, clock_ms

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

    def match(self, file: Path, column: str, *, agreement: str = "", dataset: str = "") -> Sequence[Match]:
        """Find the rows of a file of ours that are about somebody who withdrew, at most 10,000.

        Who withdrew for two purposes is found for both.

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
        found: list[Match] = []
        for row, key in enumerate(keys_of(file, column) if by_salt else (), 1):
            for salt, wanted in by_salt.items():
                names = wanted.get(salted_key(salt, key), ()) if key else ()
                found += [Match(name, row, key) for name in names]
            if len(found) >= MAX_MATCHES:
                break
        return found[:MAX_MATCHES]

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
            named = self._store.named("in", names)
            due = [each for each in named if not each.erased_at and (state == "erased" or not each.acknowledged_at)]
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
        groups: dict[str, list[Withdrawal]] = {}
        for each in due:
            groups.setdefault(subject_of(each), []).append(each)
        return [each for group in groups.values() for each in self._said(group, state, by)]

    def _said(self, group: Sequence[Withdrawal], state: Answer, by: str) -> Sequence[Withdrawal]:
        """Say it of withdrawals of one peer, agreement, dataset and purpose; give them as they stand then."""
        now_ms = self._clock_ms()
        erased_at = now_ms if state == "erased" else 0
        with self._store.db.write() as tx:
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
