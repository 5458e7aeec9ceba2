"""The audit trail as a file: a table for spreadsheets or JSON lines for programs, the newest first, page by page.

Cells that a spreadsheet would run as a formula are made harmless: who refused to be named stands in this
table too. Times are UTC in both forms. May touch the trail alone.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from node.cells import harmless
from node.errors import TooLarge
from node.staff.trail import Event

COLUMNS = ("number", "at", "who", "way", "from", "act", "target", "outcome", "detail")
MOST = 100_000  # that are put together in memory; who writes them out as they come needs no bound
_PAGE = 500


class Reads(Protocol):
    """The trail, as far as it is read here."""

    def list(
        self, *, who: str = "", act: str = "", since_ms: int = 0, until_ms: int = 0, before: int = 0, limit: int = 100
    ) -> Sequence[Event]:
        """List acts, the newest first."""


def events(
    trail: Reads, *, who: str = "", act: str = "", since_ms: int = 0, until_ms: int = 0, most: int = 0
) -> Iterator[Event]:
    """Walk the whole trail, the newest first.

    Raises:
        TooLarge: There are more than `most`, if that is said: a file that ends early would look whole.
    """
    before, count = 0, 0
    while True:
        page = trail.list(who=who, act=act, since_ms=since_ms, until_ms=until_ms, before=before, limit=_PAGE)
        count += len(page)
        if most and count > most:
            fix = "Take it by days, with from and to; or all of it with: citynode audit export"
            raise TooLarge(
                f"These are more than {most:,} acts, too many for one file.",
                fix=fix,
            ).on_page("no.staff.export", most=most)
        yield from page
        if len(page) < _PAGE:
            return
        before = page[-1].id


def fields(event: Event) -> dict[str, object]:
    """Give one act by the names that the columns have."""
    return {
        "number": event.id,
        "at": moment(event.at_ms),
        "who": event.who,
        "way": event.way,
        "from": event.source,
        "act": event.act,
        "target": event.target,
        "outcome": event.outcome or "not ended",
        "detail": dict(event.detail),
    }


def as_csv(found: Iterator[Event]) -> Iterator[str]:
    """Write a table (RFC 4180), a line each."""
    yield _line(COLUMNS)
    for event in found:
        row = fields(event)
        detail = json.dumps(row["detail"], ensure_ascii=False, sort_keys=True) if row["detail"] else ""
        yield _line([str(row[name]) for name in COLUMNS[:-1]] + [detail])


def as_json(found: Iterator[Event]) -> Iterator[str]:
    """Write a JSON object a line."""
    for event in found:
        yield json.dumps(fields(event), ensure_ascii=False) + "\n"


def moment(ms: int) -> str:
    """Write a time to the second, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_ms(day: str, *, after: int = 0) -> int:
    """Give the first millisecond of a day (2026-11-22), UTC, or of the one `after` days later. Raises ValueError."""
    begin = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    return int(begin.timestamp() * 1000) + after * 86_400_000


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return out.getvalue()


def told(found: Sequence[Event]) -> Mapping[str, object]:
    """Give a page of the trail for programs; `before` asks for the next."""
    return {"events": [fields(each) for each in found], "before": found[-1].id if found else None}
