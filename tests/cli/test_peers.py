"""The commands on peers, against a city on a loopback port: what scripts and people rely on."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Say
from tests.federation.fake_peer import FakePeer

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@pytest.fixture
def turku(tmp_path: Path) -> Iterator[FakePeer]:
    with FakePeer(tmp_path / "turku", name="Turku") as running:
        running.publish(now_ms=time.time_ns() // 1_000_000)
        yield running


def test_two_cities_are_introduced(helsinki: Say, turku: FakePeer) -> None:
    mine = helsinki("peers", "invite", "--json").json
    assert helsinki("peers", "invite").out == f"http://127.0.0.1:8001#{mine['fingerprint']}\n"
    assert "all of it by one way" in helsinki("peers", "invite").err
    assert mine["fingerprint"] == helsinki("identity", "--json").json["fingerprint"]

    wrong = helsinki("peers", "add", turku.url, "--fingerprint", "a" * 43, "--name", "turku")
    assert (wrong.code, turku.fingerprint in wrong.err) == (1, True)
    added = helsinki("peers", "add", f"{turku.url}#{turku.fingerprint}", "--name", "turku")
    assert (added.code, "Proposed turku: Turku" in added.out) == (0, True)
    assert helsinki("peers", "follow", "turku", "--all").code == 1

    unasked = helsinki("peers", "approve", "turku")
    assert (unasked.code, "--yes" in unasked.err) == (1, True)
    assert helsinki("peers", "show", "turku", "--json").json["state"] == "proposed"
    approved = helsinki("peers", "approve", "turku", "--yes")
    assert approved.code == 0, approved.err
    assert "Pins the checkpoint key" in approved.out
    assert f"New namespace {turku.url}/" in approved.out
    assert helsinki("peers", "follow", "turku", "open-data").out.startswith("Follows open-data of turku as turku/")
    assert helsinki("peers", "follow", "turku").code == 1
    strange = helsinki("peers", "follow", "turku", "nosuch", "open-data")
    assert strange.code == 0
    assert strange.err.startswith("! turku shows: open-data. nosuch is not among them; it may be one that takes an")
    assert "open-data is not among them" not in strange.err
    assert helsinki("peers", "unfollow", "turku", "nosuch").code == 0
    again = helsinki("peers", "approve", "turku", "--yes").out
    assert "Follows open-data of turku already\nNext: citynode exchange run turku\n" in again

    assert helsinki("peers", "unfollow", "turku", "open-data").code == 0
    shown = helsinki("peers", "show", "turku")
    assert "Not followed: open-data\n" in shown.out
    assert "citynode peers follow turku open-data … or --all" in shown.err
    assert "begins later are followed too" in helsinki("peers", "follow", "turku", "--all").out
    assert "Follows all that it names as public, also what comes later" in helsinki("peers", "show", "turku").out
    assert helsinki("peers", "show", "turku", "--json").json["offered"] == []

    (listed,) = helsinki("peers", "list", "--json").json
    assert (listed["name"], listed["state"], listed["lag"]) == ("turku", "approved", 0)
    assert "turku" in helsinki("peers", "list").out
    shown = helsinki("peers", "show", "turku").out
    assert f"Fingerprint:          {turku.fingerprint}" in shown
    assert "verified up to 0 of 0" in shown
    assert "not followed by itself any more" in helsinki("peers", "unfollow", "turku", "open-data").out
    for act, state in (("pause", "paused"), ("resume", "approved")):
        assert helsinki("peers", act, "turku").out.startswith(f"turku is {state}. ")
    unasked = helsinki("peers", "block", "turku")
    assert (unasked.code, "--yes" in unasked.err) == (1, True)
    assert unasked.out.startswith("0 records of turku will no longer be shown here")
    assert helsinki("peers", "show", "turku", "--json").json["state"] == "approved"
    assert "turku is blocked. " in helsinki("peers", "block", "turku", "--yes").out
    assert helsinki("peers", "block", "turku").out.startswith("turku is blocked. "), "there is nothing left to ask"
    assert helsinki("peers", "pause", "turku").code == 1
    assert helsinki("peers", "pause", "nobody").code == 1


def test_a_city_at_odds_waits_for_a_person_and_a_blocked_one_does_not(
    helsinki: Say, turku: FakePeer, tmp_path: Path
) -> None:
    def becomes(**facts: object) -> None:
        with closing(sqlite3.connect(tmp_path / "node" / "node.db")) as db, db:
            db.execute(f"UPDATE peer SET {', '.join(f'{each} = ?' for each in facts)}", tuple(facts.values()))  # noqa: S608

    helsinki("peers", "add", f"{turku.url}#{turku.fingerprint}", "--name", "turku")
    becomes(state="active", failures=7, last_error_code="broken-history")
    assert " at odds " in helsinki("peers", "list").out
    assert "Turku, active and at odds" in helsinki("peers", "show", "turku").out
    assert "Turku shows what does not hold" in helsinki("today").out
    becomes(quarantine="Two histories.")
    assert " quarantined " in helsinki("peers", "list").out
    assert "Turku is held apart" in helsinki("today").out
    becomes(state="blocked")
    assert " blocked " in helsinki("peers", "list").out, "whoever blocked it has seen why it was held apart"
    assert "Turku" not in helsinki("today").out
    assert "Two histories." in helsinki("peers", "show", "turku").out


def test_a_walk_names_the_step_that_fails(helsinki: Say, turku: FakePeer) -> None:
    helsinki("peers", "add", f"{turku.url}#{turku.fingerprint}", "--name", "turku")
    # Turku gives no tokens at all, so the walk ends there.
    said = helsinki("peers", "test", "turku", "--json")
    assert (said.code, said.json["failed_at"], said.json["ok"]) == (3, "token", False)
    assert [step["result"] for step in said.json["steps"]] == ["ok", "ok", "ok", "missing", "failed", "not reached"]
    told = helsinki("peers", "test", "turku")
    assert "token     failed" in told.out
    assert "[peer-unreachable]" in told.err
    assert helsinki("peers", "test", "nobody").code == 1


def test_a_table_of_peers_is_shown_before_it_is_taken(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "peers.csv"
    file.write_text(f"name,url,fingerprint,state\nturku,https://turku.example,{'a' * 43},active\n")
    asked = helsinki("peers", "import", file)
    assert (asked.code, "turku at https://turku.example is added, proposed" in asked.out) == (1, True)
    assert helsinki("peers", "list", "--json").json == []
    assert helsinki("peers", "import", file, "--json").json["changes"][0]["change"] == "add"
    assert helsinki("peers", "import", file, "--yes").out.endswith("Changed 1 peer\n")
    out = helsinki("peers", "export").out
    assert out.splitlines()[1] == f"turku,https://turku.example,{'a' * 43},proposed,,"
    file.write_text(out)
    assert helsinki("peers", "import", file).out.endswith("Nothing would change\n")
    assert helsinki("peers", "import", tmp_path / "none.csv").code == 1


def test_a_city_known_by_its_address_alone_is_approved_by_the_fingerprint_that_was_read_out(
    helsinki: Say, turku: FakePeer
) -> None:
    assert helsinki("peers", "add", turku.url, "--name", "turku").code == 1
    said = helsinki("peers", "add", turku.url, "--name", "turku", "--compare-later").out
    assert "fingerprint still to be compared" in said
    refused = helsinki("peers", "approve", "turku", "--yes")
    assert (refused.code, "you were told none" in refused.out) == (1, True)
    read_out = ("--fingerprint", turku.fingerprint, "--told-by", "registry")
    assert helsinki("peers", "approve", "turku", "--yes", *read_out).code == 0
    assert "Noted about turku" in helsinki("peers", "note", "turku", "Ask the registry.").out
    shown = helsinki("peers", "show", "turku").out
    assert "compared the fingerprint with registry" in shown
    assert "Ask the registry." in shown
    assert "turku is blocked. " in helsinki("peers", "differs", "turku", "--told-by", "registry").out
