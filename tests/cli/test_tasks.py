"""The command `citynode tasks`: reviews, what agreements remind of and submissions, the longest due first."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from node.assembly import build
from node.journal import Draft, catch_up
from node.settings import load
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from tests.cli.conftest import Say
from tests.cli.test_submissions import submit

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

TODAY = datetime.now(UTC).date()


def publish(folder: Path, **reviews: str) -> None:
    """Publish practices by slug, each with the date of its next review."""
    node, table = build(load(environ={}, data=folder)), TABLES["practice"]
    try:
        with node.db.write() as tx:
            iri = f"{node.settings.base_url}/collections/plans"
            node.journals.create(tx, name="plans", iri=iri, title="Plans", visibility="restricted", at_ms=1_000)
            for slug, review in reviews.items():
                iri = f"{node.settings.base_url}/practices/{slug}"
                said = example_of(table) | {"title": {"en": slug.title()}, "review": review}
                draft = Draft(iri, slug, "practice", "put", payload_of(table, iri, said))
                node.journals.append(tx, "plans", [draft], at_ms=2_000)
        for follower in node.followers:
            catch_up(node.journals, follower)
    finally:
        node.close()


def test_what_waits_is_listed_the_longest_due_first(helsinki: Say, tmp_path: Path) -> None:
    assert helsinki("tasks").out == "Nothing waits, and nothing is due in the next 30 days\n"
    soon = TODAY + timedelta(days=20)
    publish(tmp_path / "node", late="2001", soon=soon.isoformat(), far=(TODAY + timedelta(days=40)).isoformat())
    submit(tmp_path / "node", "Tree map")
    told = helsinki("tasks", "--json").json["tasks"]
    assert [(each["what"], each["title"], each["due"], each["overdue"]) for each in told] == [
        ("review", "Late", "2001-12-31", True),
        ("submission", "Tree map", TODAY.isoformat(), False),
        ("review", "Soon", soon.isoformat(), False),
    ]
    assert [each["title"] for each in helsinki("tasks", "--json", "--days", "0").json["tasks"]] == ["Late", "Tree map"]
    shown = helsinki("tasks")
    assert shown.out.splitlines()[1].split() == ["2001-12-31", "review", "practice", "Late", "late"]
    assert "3 in all, 1 overdue" in shown.err
    assert helsinki("tasks", "--days", "-1").code == 2
