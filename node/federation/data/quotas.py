"""How many bytes agreements let through: reserved before they are sent, given back if they were not.

What is reserved counts at once, for every process, so that of any number of streams at the same time no more is sent
than was agreed. A process that dies takes with it at most one slice for each of its streams: in doubt a byte was
delivered. Owns the table `data_volume`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node.db import Database, Tx

_USED = "SELECT rule, bytes FROM data_volume WHERE agreement = ? AND target = ?"
_ONE = "SELECT bytes FROM data_volume WHERE agreement = ? AND rule = ? AND target = ?"
_CHARGE = (
    "INSERT INTO data_volume (agreement, rule, target, bytes) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (agreement, rule, target) DO UPDATE SET bytes = data_volume.bytes + excluded.bytes"
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A clause that lets so many bytes through: of which agreement, and for which target it counts."""

    agreement: str
    rule: str
    target: str
    limit: int


def reserve(tx: Tx, measures: Sequence[Measure], many: int, *, least: int) -> int:
    """Take bytes out of what is left under all of these; as many as there are up to `many`, or none below `least`."""
    if not measures:
        return many
    tx.lock("data_volume")
    granted = min((many, *(each.limit - _used(tx, each) for each in measures)))
    if granted < least or granted <= 0:
        return 0
    _charge(tx, measures, granted)
    return granted


def give_back(tx: Tx, measures: Sequence[Measure], many: int) -> None:
    """Put back what was reserved and not sent."""
    if many > 0 and measures:
        tx.lock("data_volume")
        _charge(tx, measures, -many)


def used(db: Database, agreement: str, target: str) -> Mapping[str, int]:
    """Say how many bytes went under each clause of an agreement for a target, those on their way counted in."""
    return {str(rule): int(count) for rule, count in db.hot().rows(_USED, (agreement, target))}


def _used(tx: Tx, measure: Measure) -> int:
    row = tx.row(_ONE, measure.agreement, measure.rule, measure.target)
    return int(row[0]) if row else 0


def _charge(tx: Tx, measures: Iterable[Measure], many: int) -> None:
    tx.many(_CHARGE, [(each.agreement, each.rule, each.target, many) for each in measures])
