"""Withdrawals that other cities tell us of: heard, found in our own files, acknowledged, erased. The other end's twin.

What is heard names a person by a salted key, so this city sees who is meant only in the data that it holds already:
`match` looks a file through, row by row. That the duty is acknowledged, and later that the rows are gone, is for a
person to say; it is told to the city that gave the data and stated in evidence in the same transaction.
"""

import csv
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from node.db import Tx
from node.errors import Conflict, Malformed, NotAgreed, NotFound, TooLarge, TooManyRequests
from node.federation.consent.post import Answer, Post, Told, our_id
from node.federation.consent.rows import JSONL, PARQUET, form_of
from node.federation.consent.store import ConsentStore, Withdrawal, salted_key
from node.federation.consent.withdrawals import Evidence, State, about_withdrawal
from node.federation.moving import Part

_logger = logging.getLogger("citynode.consent")
MAX_OPEN = 100_000
MAX_MATCHES = 10_000
# A city has one salt for all that it tells of a dataset, and a new one once those are erased: looking through a file
# costs a hash for every row and salt.
MAX_SALTS = 8
MAX_SALTS_MATCHED = 32
_KINDS: Mapping[Answer, State] = {"acknowledged": "acknowledgement", "erased": "erasure"}
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
            for name, key, at_ms in told.keys:
                each = Withdrawal(
                    our_id(peer, name), "in", peer, told.agreement, told.dataset, "", told.salt, key, at_ms, now_ms
                )
                if self._store.put(tx, each):
                    self._evidence(tx, "withdrawal", each, about_withdrawal(each), now_ms)
                    new += 1
        _logger.info("%s tells of %d withdrawals under %s", peer, new, told.agreement, extra={"peer": peer})
        return new

    def _check_salts(self, tx: Tx, told: Told) -> None:
        """Refuse one salt too many, while keys under the others wait to be erased."""
        held = self._store.open_salts(tx, told.agreement, told.dataset)
        if told.salt not in held and len(held) >= MAX_SALTS:
            raise TooManyRequests(
                f"Withdrawals of this dataset wait here under {MAX_SALTS} salts.", fix="Tell them under one salt."
            )

    # ---------------------------------------------------------------- looking

    def list(self, *, peer: str = "", agreement: str = "", everything: bool = False) -> Sequence[Withdrawal]:
        """Give what was heard and is not erased yet, the oldest first; with `everything` also what is."""
        return self._store.listed("in", peer=peer, agreement=agreement, is_open=not everything)

    def match(self, file: Path, column: str, *, agreement: str = "", dataset: str = "") -> Sequence[Match]:
        """Find the rows of a file of ours that are about somebody who withdrew, at most 10,000.

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
        by_salt: dict[str, dict[str, str]] = {}
        for each in self._store.listed("in", agreement=agreement, is_open=True, limit=MAX_OPEN):
            if each.salt and dataset in ("", each.dataset):
                by_salt.setdefault(each.salt, {})[each.salted] = each.id
        if len(by_salt) > MAX_SALTS_MATCHED:
            raise TooLarge(
                f"Withdrawals wait under {len(by_salt)} salts, and a file is looked through for {MAX_SALTS_MATCHED}.",
                fix="Name the agreement and the dataset: --agreement, --dataset.",
            )
        found: list[Match] = []
        for row, key in enumerate(_keys(file, column) if by_salt else (), 1):
            for salt, wanted in by_salt.items():
                name = wanted.get(salted_key(salt, key)) if key else None
                if name is not None:
                    found.append(Match(name, row, key))
            if len(found) >= MAX_MATCHES:
                break
        return found

    # ---------------------------------------------------------------- answering

    def answer(self, names: Sequence[str], state: Answer, *, by: str) -> Sequence[Withdrawal]:
        """Say of withdrawals that the duty to erase is acknowledged, or that the rows are erased everywhere here.

        Args:
            names: Their ids, or the beginnings of them; none of them means all that wait for this answer.
            state: What is said. To have erased says that it was acknowledged, too.
            by: Who says so.

        Returns:
            Those that were not answered so before.

        Raises:
            NotFound: A name names none.
            Conflict: There is none that waits.
        """
        named = self._store.named("in", names) if names else self._store.listed("in", is_open=True)
        due = [each for each in named if not each.erased_at and (state == "erased" or not each.acknowledged_at)]
        if not due and not names:
            raise Conflict("No withdrawal waits for this answer.")
        groups: dict[tuple[str, str, str], list[Withdrawal]] = {}
        for each in due:
            groups.setdefault((each.peer, each.agreement, each.dataset), []).append(each)
        for group in groups.values():
            self._answered(group, state, by)
        return due

    def _answered(self, group: Sequence[Withdrawal], state: Answer, by: str) -> None:
        now_ms = self._clock_ms()
        with self._store.db.write() as tx:
            for each in group:
                erased_at = now_ms if state == "erased" else 0
                self._store.mark(tx, each, acknowledged_at=now_ms, erased_at=erased_at, by=by)
                self._evidence(tx, _KINDS[state], each, about_withdrawal(each), now_ms)
            self._post.answer(tx, group, state, now_ms)
            if state == "erased":
                self._store.forget_salt(tx, group[0].agreement, group[0].dataset)


def _keys(file: Path, column: str) -> Iterator[str]:
    """Give the keys of a file's rows, in order; empty where a row has none."""
    if not file.is_file():
        raise NotFound(f"There is no file {file.name}.")
    form = form_of(Part("", file.name, "", None, "", "", 0))
    if not form:
        raise Malformed(f"{file.name} is neither CSV nor JSON lines nor Parquet.", fix="Export it as one of these.")
    if form == PARQUET:
        return _parquet_keys(file, column)
    return _json_keys(file, column) if form == JSONL else _csv_keys(file, column)


def _csv_keys(file: Path, column: str) -> Iterator[str]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        head = lines.readline()
        delimiter = next((each for each in ",;\t|" if column in next(csv.reader([head], delimiter=each), [])), "")
        if not delimiter:
            raise _no_column(file, column)
        at = next(csv.reader([head], delimiter=delimiter)).index(column)
        for row in csv.reader(lines, delimiter=delimiter):
            if row:
                yield row[at] if at < len(row) else ""


def _json_keys(file: Path, column: str) -> Iterator[str]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise Malformed(f"Line {number} of {file.name} is no JSON.") from error
            yield str(row.get(column, "")) if isinstance(row, dict) else ""


def _parquet_keys(file: Path, column: str) -> Iterator[str]:
    import pyarrow as pa  # 0.2 s to load, and few look through such a file
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            if opened.schema_arrow.names.count(column) != 1:
                raise _no_column(file, column)
            for batch in opened.iter_batches(columns=[column]):
                yield from (str(each) if each is not None else "" for each in batch.column(0).to_pylist())
    except pa.ArrowException as error:
        raise Malformed(f"{file.name} is no Parquet file that can be read.") from error


def _no_column(file: Path, column: str) -> NotFound:
    return NotFound(f"{file.name} has no column {column[:80]!r}.", fix="Name the column that says whom a row is about.")
