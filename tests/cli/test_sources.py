"""Commands on sources and on what waits for a person: each does what the desk does, and says it in a line."""

from pathlib import Path

import pytest

from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@pytest.fixture
def source(helsinki: Say, tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.ttl"
    path.write_text(catalogue({f"n{n}": f"Title {n}" for n in range(5)}))
    assert helsinki("sources", "add", "portal", path, "--kind", "dcat", "--paused").code == 0
    return path


def test_a_source_is_changed_paused_and_resumed(helsinki: Say, source: Path) -> None:
    assert helsinki("sources", "list", "--json").json[0]["paused"] is True
    said = helsinki("sources", "edit", "portal", "--every", 90, "--threshold", 7, "--keep-contacts")
    assert "every 90 min" in said.out
    kept = helsinki("sources", "list", "--json").json[0]
    assert (kept["schedule_minutes"], kept["threshold_percent"], kept["keep_contacts"]) == (90, 7, True)
    assert kept["location"] == str(source), "what is not named stays as it is"
    assert helsinki("sources", "resume", "portal").code == 0
    assert helsinki("sources", "list", "--json").json[0]["paused"] is False
    assert "harvest run portal" in helsinki("sources", "pause", "portal").out
    assert helsinki("sources", "edit", "portal", "--every", 2).code == 1
    assert helsinki("sources", "pause", "nobody").code == 1


def test_held_withdrawals_are_kept_or_chosen(helsinki: Say, source: Path) -> None:
    helsinki("harvest", "run", "portal")
    source.write_text(catalogue({"n0": "Title 0"}))
    helsinki("harvest", "run", "portal")
    assert "4 withdrawals are held" in helsinki("today").out
    assert "stay published" in helsinki("harvest", "keep", 2, "--word", "their list was empty").out
    assert "held" not in helsinki("today").out
    helsinki("harvest", "run", "portal")
    rows = helsinki("harvest", "show", 3, "--json").json["rows"]
    keys = [row["source_key"] for row in rows if row["change"] == "held"]
    said = helsinki("harvest", "approve", 3, "--only", keys[0])
    assert said.out == "Withdrew 1 records of portal; 3 stay\n"


def test_the_doctor_says_what_comes_next_for_a_source(helsinki: Say, source: Path, tmp_path: Path) -> None:
    assert "It is paused and was never read. Read it for show: citynode sources test portal" in helsinki("doctor").out
    helsinki("sources", "test", "portal")
    assert "It was read for show (run 1). Publish it: citynode sources resume portal" in helsinki("doctor").out
    helsinki("harvest", "run", "portal")
    assert "ok    source portal: run 2 succeeded; it is paused" in helsinki("doctor").out
    gone = tmp_path / "gone.ttl"
    gone.write_text("")
    helsinki("sources", "add", "gone", gone, "--kind", "dcat")
    assert "It was never harvested. Run: citynode harvest run gone" in helsinki("doctor").out
    gone.unlink()
    helsinki("sources", "test", "gone")
    assert "It was read for show, and run 3 failed: The file" in helsinki("doctor").out


def test_a_source_is_given_up_with_all_its_records(helsinki: Say, source: Path) -> None:
    helsinki("harvest", "run", "portal")
    for act in ("withdraw", "remove"):
        unasked = helsinki("sources", act, "portal")
        assert (unasked.code, "say --yes" in unasked.err) == (1, True)
        assert len(helsinki("sources", "list", "--json").json) == 1
    assert "5 published records of portal will be withdrawn" in helsinki("sources", "withdraw", "portal").out
    assert "5 records were withdrawn" in helsinki("sources", "withdraw", "portal", "--yes").out
    assert helsinki("sources", "list", "--json").json == []
    assert helsinki("catalog", "stats", "--json").json


def test_today_says_that_nothing_waits_in_the_language_asked_for(helsinki: Say) -> None:
    assert "This city has no source yet" in helsinki("today").out
    helsinki("sources", "add", "portal", "https://x.example/", "--kind", "dcat")
    assert helsinki("today").out == "Nothing waits for a person\n"
    assert helsinki("today", "--language", "fi").out == "Mikään ei odota ihmistä\n"
    assert helsinki("today", "--json").json["needs"] == []
