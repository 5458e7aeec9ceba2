"""The desk of data, put together over every room that moves data, and what of it waits for a person.

Only wiring and the turning of one value into another, as in `today`: each room says itself what is wrong, and none of
them knows that it is told here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from node.assembly.moving import Moving
from node.catalog.tasks import DAY_MS
from node.catalog.today import Need, Values
from node.federation.data_desk import DataDesk, Rooms
from node.federation.moved import DeletionTold, StatementTold
from node.federation.pulls.store import COMMAND_LINE

# A transfer that was asked for and has not begun for so long waits for somebody.
STUCK_MS = DAY_MS
# A command that fails within so long fails before the eyes of whoever ran it.
IN_SIGHT_MS = 600_000
# From when on a deadline is near.
NEAR_MS = 7 * DAY_MS
_MOST_SAID = 20  # datasets named in one sentence; of each every place
_HERE = "/desk/data"


def build(moving: Moving) -> DataDesk:
    """Put it together; opens nothing by itself."""
    rooms = Rooms(
        moving.transfers,
        moving.door.streams,
        moving.pulling.desk,
        moving.origins,
        moving.origin_parts.office,
        moving.consenting.office,
        moving.evidencing.desk,
        moving.deletions,
    )
    return DataDesk(rooms)


@dataclass(frozen=True, slots=True)
class DataNeeds:
    """Says what waits for a person where data move. `city_of` calls a city by its name, from its name here or URL."""

    desk: DataDesk
    city_of: Callable[[str], str]

    def __call__(self, now_ms: int) -> Iterator[Need]:
        """Look at all of it."""
        yield from self._withdrawals(now_ms)
        yield from self._deletions(now_ms)
        yield from self._differences(now_ms)
        yield from self._origins()
        yield from self._transfers(now_ms)

    def _withdrawals(self, now_ms: int) -> Iterator[Need]:
        for each in self.desk.waiting(now_ms - DAY_MS):
            what = "withdrawal" if each.direction == "in" else "withdrawal-out"
            values: Values = {"city": self.city_of(each.peer), "n": each.count}
            yield Need(what, f"{_HERE}/withdrawals?{urlencode({'city': each.peer})}", values, at_ms=each.oldest_ms)

        for each in self.desk.untold(now_ms - DAY_MS):
            where = urlencode({"untold": "true", "city": each.peer})
            values = {"city": self.city_of(each.peer), "n": each.count}
            yield Need("withdrawal-untold", f"{_HERE}/withdrawals?{where}", values, at_ms=each.oldest_ms)

    def _deletions(self, now_ms: int) -> Iterator[Need]:
        """Tell what we must delete, and who was to have deleted ours and has not said so, a day being for the post."""
        for each in self.desk.deletions():
            values: Values = {"city": self.city_of(each.peer), "title": each.title, "due_end_ms": each.due_ms}
            values["n"] = len(each.datasets)
            if each.direction == "in":
                what = "deletion-late" if each.due_ms <= now_ms else "deletion"
                urgent = each.due_ms - now_ms < NEAR_MS
                values["what"] = _lies(each)
                yield Need(what, f"{_HERE}/deletions", values, urgent=urgent, at_ms=each.ended_ms)
            elif each.due_ms + DAY_MS <= now_ms:
                yield Need("deletion-out", f"{_HERE}/deletions#theirs", values, at_ms=each.due_ms)

    def _differences(self, now_ms: int) -> Iterator[Need]:
        """Tell of receipts that differ, for a week: nothing settles one, but somebody was told by then."""
        found: dict[str, list[StatementTold]] = {}
        for each in self.desk.statements(kind="difference", since_ms=now_ms - 7 * DAY_MS, limit=200):
            found.setdefault(each.peer, []).append(each)
        for peer, listed in sorted(found.items()):
            one = f"{_HERE}/evidence?{urlencode({'name': listed[0].record})}"
            values: Values = {"city": self.city_of(peer), "n": len(listed)}
            path = one if len(listed) == 1 else f"{_HERE}/evidence"
            yield Need("receipt-difference", path, values, at_ms=listed[-1].at_ms)

    def _origins(self) -> Iterator[Need]:
        for each in self.desk.origins():
            if each.trouble:
                title = each.part or each.dataset.rstrip("/").rpartition("/")[2]
                values: Values = {"title": title, "since_ms": each.trouble_ms}
                yield Need("origin-trouble", f"{_HERE}/origins", values, at_ms=each.trouble_ms)
        for source in self.desk.consent_sources():
            if source.trouble:
                yield Need(
                    "consent-trouble", f"{_HERE}/origins#consent", {"name": source.name}, at_ms=source.checked_ms
                )

    def _transfers(self, now_ms: int) -> Iterator[Need]:
        for each in self.desk.transfers():
            if each.state in ("", "REQUESTED") and now_ms - each.requested_ms > STUCK_MS:
                values: Values = {"city": self.city_of(each.peer), "since_ms": each.requested_ms}
                path = f"{_HERE}/transfers/{each.pid}"
                yield Need("transfer-stuck", path, values, urgent=False, at_ms=each.requested_ms)
        yield from self._failed(now_ms)

    def _failed(self, now_ms: int) -> Iterator[Need]:
        """Tell once of data that did not arrive, until they are asked for again or somebody ends it.

        What a command was refused at once was told to whoever ran it.
        """
        newer: set[tuple[str, str, str]] = set()
        for pull in self.desk.pulls(ended=True):  # the newest first
            here, whole = (pull.peer, pull.dataset, pull.part), (pull.peer, pull.dataset, "")
            in_sight = pull.by == COMMAND_LINE and pull.changed_ms - pull.at_ms < IN_SIGHT_MS
            if pull.state == "cancelled" or here in newer or whole in newer or (pull.state == "failed" and in_sight):
                continue
            newer.add(here)
            if pull.state == "failed" and now_ms - pull.changed_ms < 7 * DAY_MS:
                title = pull.dataset.rstrip("/").rpartition("/")[2]
                yield Need("pull-failed", f"{_HERE}/pulls/{pull.number}", {"title": title}, at_ms=pull.changed_ms)


def _lies(each: DeletionTold) -> str:
    """Say what was fetched, and every place where it was put as far as this node put it there, each once."""
    places: dict[str, dict[str, None]] = {}
    for one in each.fetched:
        places.setdefault(one.dataset, {})[one.target] = None
    said = [
        f"{dataset.rstrip('/').rpartition('/')[2]}: {', '.join(places.get(dataset, ('?',)))}"
        for dataset in each.datasets
    ]
    return "; ".join(said[:_MOST_SAID]) + (" …" if len(said) > _MOST_SAID else "")
