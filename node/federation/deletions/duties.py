"""Which agreements are over and oblige to delete what was fetched under them, and by when. Pure; asks what moved.

The same is worked out at both ends from the same text, so both name the same day. An agreement that took the place of
another one, is not over, and names all of what that named lets the files stay: the duty is its own from then on.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from node.errors import NodeError
from node.federation.agreements.agreements import Agreement
from node.federation.exchange.blanking import deadline_of

_logger = logging.getLogger("citynode.deletions")
_OVER = frozenset({"revoked", "superseded", "expired"})
_LIVES = frozenset({"in-force", "suspended"})


@dataclass(frozen=True, slots=True)
class Duty:
    """One agreement that is over: of which datasets something moved under it, since when, by when that must be gone.

    `peer` is the other city's address.
    """

    agreement: Agreement
    datasets: Sequence[str]
    peer: str
    ended_at: int
    due_at: int

    @property
    def is_ours(self) -> bool:
        """Tell whether it is this city that deletes."""
        return self.agreement.role == "consumer"


def duties(agreements: Sequence[Agreement], moved: Callable[[str], Sequence[str]], now_ms: int) -> Iterator[Duty]:
    """Give the duties of agreements under which something moved; `moved` gives the datasets of one."""
    for each in agreements:
        if each.state_at(now_ms) not in _OVER:
            continue
        datasets = moved(each.iri)
        if datasets and not _stays(each, agreements, now_ms):
            try:
                due_at, text = deadline_of(each), each.text
            except NodeError as error:
                # As for mirrors: what one text does not tell keeps nobody from the others.
                _logger.warning("agreement %s cannot be read, nor what it says of deletion: %s", each.iri, error)
                continue
            if due_at is not None:
                ended_at = _ended_at(each, now_ms)
                yield Duty(
                    each,
                    datasets,
                    peer=text.assigner if each.role == "consumer" else text.assignee,
                    ended_at=ended_at,
                    # A text that names no day means the day on which it ends.
                    due_at=max(due_at, ended_at),
                )


def _stays(over: Agreement, agreements: Sequence[Agreement], now_ms: int) -> bool:
    """Tell whether an agreement that is not over has taken its place, and covers as much."""
    # Two that name each other as what they replace are no way round.
    others = [each for each in agreements if each.iri != over.iri]
    for each in others:
        if (each.replaces, each.peer, each.role) == (over.iri, over.peer, over.role):
            as_much = _named(over) <= _named(each)
            if as_much and (each.state_at(now_ms) in _LIVES or _stays(each, others, now_ms)):
                return True
    return False


def _named(agreement: Agreement) -> frozenset[str]:
    """Give the collections or records that an agreement is about."""
    return frozenset(agreement.covers or (agreement.target,))


def _ended_at(over: Agreement, now_ms: int) -> int:
    """Give when it was over: the first of what ended it."""
    final = ("revoked", "superseded")
    found = [
        *([over.our_at] if over.our_state in final else []),
        *([over.their_at] if over.their_state in final else []),
        *([over.superseded_from] if over.superseded_from is not None and over.superseded_from <= now_ms else []),
        *([over.ends_at] if 0 < over.ends_at <= now_ms else []),
    ]
    return min(found)
