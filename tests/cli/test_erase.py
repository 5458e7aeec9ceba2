"""Erasing from the command line: gone from every file, said in the journal, and shown until each mirror confirms."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

PERSON = "Maija Meikalainen 040 1234567"


def harvest(citynode: Say, folder: Path, titles: dict[str, str]) -> None:
    (folder / "source.ttl").write_text(catalogue(titles))
    if "portal" not in citynode("sources", "list").out:
        citynode("collections", "create", "open-data")
        citynode("sources", "add", "portal", folder / "source.ttl", "--kind", "dcat")
    said = citynode("harvest", "run", "portal")
    assert said.code == 0, said.err


def holds(folder: Path, text: str) -> bool:
    return any(text.encode() in file.read_bytes() for file in (folder / "node").rglob("*") if file.is_file())


def test_what_is_erased_is_gone_from_the_files_and_the_journal_still_proves(helsinki: Say, tmp_path: Path) -> None:
    harvest(helsinki, tmp_path, {"a": PERSON, "b": "B"})
    harvest(helsinki, tmp_path, {"a": "Clean", "b": "B"})
    refused = helsinki("journal", "erase", "open-data", 1, "--reason", "A person's name")
    assert (refused.code, "--yes" in refused.err) == (1, True)
    standing = helsinki("journal", "erase", "open-data", 3, "--reason", "A person's name", "--yes")
    assert (standing.code, "stands on entry 3" in standing.err) == (1, True)
    done = helsinki("journal", "erase", "open-data", 1, "--reason", "A person's name", "--yes")
    assert done.code == 0, done.err
    assert not holds(tmp_path, PERSON)
    assert helsinki("journal", "verify", "open-data").code == 0
    again = helsinki("journal", "erase", "open-data", 1, "--reason", "A person's name, again", "--yes")
    assert (again.code, "erased before" in again.out) == (0, True)
    (listed,) = helsinki("collections", "erasures", "open-data", "--json").json
    assert (listed["seq"], listed["said_in"], listed["reason"]) == (1, 4, "A person's name, again")
    assert (listed["confirmed"], listed["waiting"]) == ({}, [])


def test_a_record_that_is_erased_to_the_end_leaves_no_title_in_the_runs(helsinki: Say, tmp_path: Path) -> None:
    others = {f"n{number}": f"Title {number}" for number in range(30)}
    harvest(helsinki, tmp_path, {"a": PERSON} | others)
    iri = "https://city.example/id/a"
    with sqlite3.connect(tmp_path / "node" / "node.db") as db:
        db.execute("INSERT INTO run_row (run_id, n, change, iri, title) VALUES (1, 99, 'held', ?, ?)", (iri, PERSON))
    harvest(helsinki, tmp_path, others)
    with sqlite3.connect(tmp_path / "node" / "node.db") as db:
        seqs = [row[0] for row in db.execute("SELECT seq FROM entry WHERE record = ? ORDER BY seq", (iri,))]
    assert len(seqs) == 2
    for seq in seqs:
        done = helsinki("journal", "erase", "open-data", seq, "--reason", "Asked for", "--yes")
        assert done.code == 0, done.err
    assert not holds(tmp_path, PERSON)
    assert helsinki("journal", "verify").code == 0


def test_there_is_nothing_to_erase_in_what_is_not_there(helsinki: Say, tmp_path: Path) -> None:
    harvest(helsinki, tmp_path, {"a": "A"})
    for collection, seq in (("open-data", 9), ("none", 1), ("open-data", 0)):
        assert helsinki("journal", "erase", collection, seq, "--reason", "x", "--yes").code == 1
    assert helsinki("collections", "erasures", "none").code == 1
    assert helsinki("collections", "erasures", "open-data").out.splitlines() == [
        "entry  erased  confirmed by  not yet by  reason"
    ]
