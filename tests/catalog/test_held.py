"""Laws of what a new namespace would forbid: subjects under it in live records of everybody but that peer."""

import pytest

from node.catalog.held import held_under
from node.catalog.shelf import ShelfFollower
from node.db import Database
from node.journal import Draft, catch_up
from node.journal.journal import Journals

BASE = "http://127.0.0.1:8001"
P = "<http://purl.org/dc/terms/title>"


def put(journals: Journals, name: str, iri: str, *subjects: str) -> None:
    payload = "".join(sorted(f'<{subject}> {P} "x <https://in.literal.example/>" .\n' for subject in (iri, *subjects)))
    with journals.db.write() as tx:
        draft = Draft(record=iri, slug=iri.rpartition("/")[2], kind="dataset", op="put", payload=payload.encode())
        journals.append(tx, name, [draft], at_ms=2_000)


@pytest.fixture
def filled(db: Database, journals: Journals) -> Journals:
    put(journals, "open-data", f"{BASE}/datasets/a", "https://hri.example/files/1")
    put(journals, "open-data", "https://hri.example/datasets/b")
    put(journals, "open-data", f"{BASE}/datasets/c")
    with db.write() as tx:
        gone = Draft(record=f"{BASE}/datasets/c", slug="c", kind="dataset", op="withdraw")
        journals.append(tx, "open-data", [gone], at_ms=3_000)
    catch_up(journals, ShelfFollower())
    return journals


@pytest.mark.parametrize(
    ("prefix", "count"),
    [
        ("https://hri.example/", 2),
        ("https://hri.example/files/", 1),
        (f"{BASE}/", 1),
        ("https://in.literal.example/", 0),
        ("https://nobody.example/", 0),
        ("http://purl.org/dc/terms/", 0),
    ],
)
def test_records_with_a_subject_under_the_prefix_are_counted(
    prefix: str, count: int, db: Database, filled: Journals
) -> None:
    assert held_under(db, filled, prefix, except_of="espoo") == count


def test_the_mirrors_of_the_peer_itself_are_left_out(db: Database, filled: Journals) -> None:
    with db.write() as tx:
        tx.run("UPDATE collection SET name = 'espoo/open-data'")
    assert held_under(db, filled, "https://hri.example/", except_of="espoo") == 0
    assert held_under(db, filled, "https://hri.example/", except_of="esp") == 2
