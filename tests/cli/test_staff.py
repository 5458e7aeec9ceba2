"""Commands on accounts and the trail, and that whatever a command changes stands in the trail."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
import typer

from node.cli import acts
from node.cli.main import app
from node.db import Database
from tests.cli.conftest import Say
from tests.cli.test_contract import commands

pytestmark = pytest.mark.slow  # each command opens a node


def test_a_new_node_tells_its_first_link_once(citynode: Say) -> None:
    words = ("init", "--name", "Helsinki", "--base-url", "http://127.0.0.1:8001")
    made, again = citynode(*words), citynode(*words)
    assert re.search(r"^  http://127\.0\.0\.1:8001/desk/welcome/[A-Za-z0-9_-]{43}$", made.out, re.MULTILINE)
    assert "/desk/welcome/" not in again.out
    [first] = citynode("staff", "list", "--json").json["accounts"]
    assert (first["name"], first["roles"], first["state"]) == ("admin", ["admin", "approver"], "invited")


def test_accounts_are_made_changed_and_ended_by_command(helsinki: Say) -> None:
    added = helsinki("staff", "add", "maija", "--role", "editor", "--role", "steward", "--shown", "Data team")
    assert (added.code, added.out.count("\n")) == (0, 1)
    assert "/desk/welcome/" in added.out
    assert helsinki("staff", "roles", "maija", "--role", "viewer").code == 0
    assert helsinki("staff", "link", "maija", "--json").json["link"] != added.out.strip()
    assert helsinki("staff", "disable", "maija").out == "maija is disabled and signed out\n"
    assert helsinki("staff", "enable", "maija").out == "maija is invited\n"
    assert helsinki("staff", "sessions", "maija", "--json").json["signed_in"] == []
    assert helsinki("staff", "revoke", "maija").out == "Ended: 0\n"
    assert helsinki("staff", "forget-phone", "maija").code == 0
    assert helsinki("staff", "disable", "admin").err.endswith("[conflict]\n")
    assert helsinki("staff", "add", "x", "--role", "king").code == 1
    assert helsinki("staff", "add", "sini", "--role", "editor, steward", "--json").json["roles"] == [
        "editor",
        "steward",
    ]
    assert helsinki("staff", "roles", "sini", "--role", "viewer,approver", "--json").json["roles"] == [
        "approver",
        "viewer",
    ]
    assert "Data team" in helsinki("staff", "list").out


def test_what_commands_change_stands_in_the_trail_and_what_they_read_does_not(helsinki: Say) -> None:
    helsinki("collections", "create", "plans", "--visibility", "restricted")
    helsinki("collections", "create", "plans")
    for reading in (("staff", "list"), ("collections", "list"), ("audit", "list"), ("tasks",), ("identity",)):
        assert helsinki(*reading).code == 0
    events = helsinki("audit", "list", "--json").json["events"]
    assert [(each["act"], each["target"], each["outcome"], each["way"]) for each in events] == [
        ("collections create", "plans", "refused conflict", "command"),
        ("collections create", "plans", "done", "command"),
    ]
    assert all(each["who"] and each["from"] for each in events)


def test_what_the_desk_writes_down_as_an_act_a_command_does_too(helsinki: Say) -> None:
    tries = ("peers test", "consent sources check", "sources test")
    for command in tries:
        helsinki(*command.split(), "nothing")
    events = helsinki("audit", "list", "--json").json["events"]
    assert [(each["act"], each["target"]) for each in reversed(events)] == [(each, "nothing") for each in tries]
    assert {each["outcome"].partition(" ")[0] for each in events} == {"refused"}


def test_options_of_a_command_are_not_written_down(helsinki: Say) -> None:
    helsinki("tokens", "issue", "reader", "--scope", "read:open-data")
    helsinki("sources", "add", "portal", "https://user:secret@portal.example", "--kind", "ckan")
    written = helsinki("audit", "list", "--json").out
    assert "reader" in written
    assert "secret" not in written
    assert "read:open-data" not in written


def test_the_trail_goes_out_as_a_table_and_as_lines(helsinki: Say) -> None:
    helsinki("staff", "add", "maija", "--role", "editor")
    rows = list(csv.DictReader(io.StringIO(helsinki("audit", "export").out)))
    assert [(row["act"], row["target"], row["outcome"]) for row in rows] == [
        ("audit export", "", "not ended"),
        ("staff add", "maija", "done"),
    ]
    lines = [
        json.loads(line) for line in helsinki("audit", "export", "--format", "json", "--act", "staff").out.splitlines()
    ]
    assert [line["target"] for line in lines] == ["maija"]
    assert helsinki("audit", "list", "--from", "2001-01-01", "--to", "2001-12-31", "--json").json["events"] == []
    assert helsinki("audit", "list", "--from", "soon").code == 1


def test_nothing_is_changed_that_could_not_be_written_down(helsinki: Say, tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'node' / 'node.db'}")
    with db.write() as tx:
        tx.run("UPDATE alembic_version SET version_num = '0006'")
    said = helsinki("collections", "create", "plans")
    assert (said.code, "citynode db upgrade" in said.err) == (2, True)
    with db.write() as tx:
        tx.run("UPDATE alembic_version SET version_num = ?", db.newest_revision())
    assert [each["name"] for each in helsinki("collections", "list", "--json").json] == ["open-data"]
    db.close()


def test_words_that_mean_reading_are_those_of_commands() -> None:
    names = {name for name, _ in commands()}
    last = {name.rpartition(" ")[2] for name in names}
    assert acts.READING - last == set()
    assert (acts.READING_IN_FULL | acts.WRITING) - names == set()
    assert typer.main.get_command(app).name == "citynode"
