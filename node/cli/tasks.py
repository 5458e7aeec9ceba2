"""The command `citynode tasks`: what waits for a person of this city, the longest due first.

Reviews of practices, AI systems and the like, questions about our records that nobody has answered, what agreements
remind of, and submissions nobody has decided on. Reads the database alone, so it may run beside a node that is served.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from node.catalog.tasks import DAY_MS, DAYS_AHEAD, Task
from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened

Days = Annotated[int, typer.Option("--days", min=0, max=3_650, help="How far to look ahead.")]


def tasks(days: Days = DAYS_AHEAD, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Say what waits for a person: unanswered questions, submissions, reviews that are overdue or due in some days."""
    now = now_ms()
    with opened(data) as node:
        found = node.knowledge.tasks.due(now, days=days)
    rows = [_row(each, now // DAY_MS) for each in found]
    if as_json:
        say.document({"tasks": rows})
        return
    if not rows:
        say.line(f"Nothing waits, and nothing is due in the next {days} days")
        return
    columns = ("due", "what", "kind", "title", "name")
    say.table(columns, [[row[column] for column in columns] for row in rows])
    late = sum(bool(row["overdue"]) for row in rows)
    say.note(f"{len(rows)} in all, {late} overdue. Publish a record with its next review to be asked again then.")
    if any(row["what"] == "question" for row in rows):
        say.note("To answer: citynode answers new SHORT-NAME, with the question's address in `question`.")


def _row(each: Task, today: int) -> dict[str, object]:
    due = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=each.day)
    return {
        "due": due.date().isoformat(),
        "overdue": each.day < today,
        "what": each.what,
        "title": each.title,
        "name": each.slug or each.iri,
        "iri": each.iri,
        "kind": each.kind,
        "collection": each.collection,
    }
