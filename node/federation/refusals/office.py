"""What this city refuses of a peer, and what the peer refuses of this city, side by side in JSON values.

So that two teams speak about the same entries. A reading over `reports` (ours) and `refusals` (theirs, as told to us);
bounded to what a page can show, with the whole count by reason beside it. Changes nothing and asks nobody.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from node.federation.refusals.refusals import Heard
from node.federation.refusals.reports import Refusal
from node.journal import Reader

MOST = 100
_LOOKED_AT = 10_000
Json = dict[str, object]


class Here(Protocol):
    """Who keeps what is refused here."""

    def refused(self, name: str = "", *, limit: int = 1_000) -> Sequence[Refusal]:
        """Give what is refused of a peer."""


class There(Protocol):
    """Who keeps what was told to be refused elsewhere."""

    def list(self, name: str, *, limit: int = 1_000) -> Sequence[Heard]:
        """Give what peers refuse of a collection of ours."""


class RefusalOffice:
    """Reads both sides. Safe to share by threads."""

    def __init__(self, here: Here, there: There, reader: Reader) -> None:
        """Read through these."""
        self._here = here
        self._there = there
        self._reader = reader

    def of(self, peer: str) -> Json:
        """Give both sides: at most a hundred entries of each, and how many there are by reason."""
        ours = [_ours(each) for each in self._here.refused(peer, limit=_LOOKED_AT)]
        theirs = [_theirs(name, each) for name in self._own() for each in self._heard(name, peer)]
        return {"peer": peer, "ours": _told(ours), "theirs": _told(theirs)}

    def _own(self) -> list[str]:
        with self._reader.db.read() as tx:
            return [each.name for each in self._reader.collections(tx) if not each.is_mirror]

    def _heard(self, name: str, peer: str) -> list[Heard]:
        return [each for each in self._there.list(name, limit=_LOOKED_AT) if each.peer == peer]


def _told(rows: Sequence[Mapping[str, object]]) -> Json:
    codes = Counter(str(each["code"]) for each in rows)
    return {"count": len(rows), "codes": dict(codes.most_common()), "entries": list(rows[:MOST])}


def _ours(each: Refusal) -> Json:
    return {
        "collection": each.collection,
        "entry": each.seq,
        "code": each.code,
        "detail": each.detail,
        "record": each.record,
        "at": _moment(each.at_ms),
        "told_at": _moment(each.reported_at) if each.reported_at else None,
    }


def _theirs(name: str, each: Heard) -> Json:
    return {"collection": name, "entry": each.seq, "code": each.code, "at": _moment(each.at_ms)}


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
