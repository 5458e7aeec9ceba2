"""Commands on data origins: a file of this machine is registered here alone, and a secret is read and never said."""

import hashlib
import io
from pathlib import Path

import pytest

from node.assembly import build
from node.federation.transfers.moves import new
from node.federation.transfers.store import TransferStore
from node.journal import Draft, catch_up
from node.settings import load
from tests.cli.conftest import Say
from tests.federation.data.rig import NOISE, payload
from tests.test_outbound import Server
from tests.test_outbound_stream import BODY, ranged

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@pytest.fixture
def helsinki_with_noise(helsinki: Say, tmp_path: Path) -> Say:
    node = build(load(data=tmp_path / "node"))
    try:
        with node.db.write() as tx:
            draft = Draft(NOISE, "noise", "dataset", "put", payload(NOISE))
            node.journals.append(tx, "open-data", [draft], at_ms=2_000)
        for follower in node.followers:
            catch_up(node.journals, follower)
    finally:
        node.close()
    return helsinki


def test_a_file_is_registered_tested_set_and_removed(helsinki_with_noise: Say, tmp_path: Path) -> None:
    say, path = helsinki_with_noise, tmp_path / "noise.csv"
    path.write_bytes(b"who,db\nk1,55\n")
    made = say("data", "origins", "add", "noise", path, "--personal")
    assert made.code == 0, made.err
    assert "noise.csv" in made.out
    assert "--subject-column and --consent" in made.err
    (tmp_path / "second.csv").write_bytes(b"who,db\nk1,55\n")
    second = say("data", "origins", "add", "noise", tmp_path / "second.csv", "--personal", "--subject-column", "who")
    assert ("also give --consent." in second.err, "--subject-column" in second.err) == (True, False)
    assert say("data", "origins", "remove", "noise", "--part", "second.csv").code == 0
    named = ("data", "origins", "set", NOISE, "--part", "noise.csv", "--subject-column")
    unknown = say(*named, "who", "--consent", "r")
    assert (unknown.code, "no consent source" in unknown.err) == (1, True), unknown.err
    consents = tmp_path / "consent.csv"
    consents.write_text("pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties\n")
    assert say("consent", "sources", "add", "r", consents).code == 0
    wrong = say(*named, "wo", "--consent", "r")
    assert (wrong.code, "noise.csv has no column wo" in wrong.err, "it has: who, db" in wrong.err) == (1, True, True)
    told = say(*named, "who", "--consent", "r")
    assert told.code == 0, told.err
    (listed,) = say("data", "origins", "list", "--json").json["origins"]
    assert (listed["location"], listed["column"], listed["consent"]) == (str(path), "who", "r")
    assert "yes by who r" in say("data", "origins", "list", "noise").out
    tested = say("data", "origins", "test", "noise", "--json")
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert (tested.code, tested.json["parts"][0]["digest"]) == (0, digest)
    path.unlink()
    failed = say("data", "origins", "test", "noise")
    assert (failed.code, "cannot be read" in failed.out) == (1, True)
    assert say("data", "origins", "test", "noise", "--part", "other").code == 1
    assert say("data", "origins", "remove", "noise", "--part", "noise.csv").code == 0
    assert say("data", "origins", "list", "--json").json == {"origins": []}


def test_a_head_that_cannot_be_read_and_where_a_file_was_are_said_here(
    helsinki_with_noise: Say, tmp_path: Path
) -> None:
    say, path, other = helsinki_with_noise, tmp_path / "noise.csv", tmp_path / "second.csv"
    consents = tmp_path / "consent.csv"
    consents.write_text("pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties\n")
    assert say("consent", "sources", "add", "r", consents).code == 0
    path.write_bytes(b"who,db\nk1,55\n")
    made = say("data", "origins", "add", "noise", path, "--personal", "--subject-column", "who", "--consent", "r")
    assert made.code == 0, made.err
    path.write_bytes(b"who," + b"x" * 200_000 + b"\nk1,55\n")
    for told in (say("data", "origins", "test", "noise"), say("data", "origins", "set", "noise", "--consent", "r")):
        assert (told.code, "The head of noise.csv cannot be read" in told.out + told.err) == (1, True)
    path.write_bytes(b"who,db\nk1,55\n")
    other.write_bytes(b"who,db\nk1,55\n")
    assert say("data", "origins", "add", "noise", other).code == 0
    other.unlink()
    # The one that was asked for is good; of the other the city's own people hear the path.
    told = say("data", "origins", "test", "noise", "--part", "noise.csv")
    assert (told.code, f"{other} cannot be read" in told.err) == (3, True)  # unavailable


def test_who_got_all_rows_before_a_dataset_was_marked_is_said_when_it_is(
    helsinki_with_noise: Say, tmp_path: Path
) -> None:
    say, path, london = helsinki_with_noise, tmp_path / "noise.csv", "https://london.example"
    path.write_bytes(b"who,db\nk1,55\n")
    assert say("data", "origins", "add", "noise", path).code == 0
    node = build(load(data=tmp_path / "node"))
    try:
        store = TransferStore(node.db)
        for name, at_ms in (("one", 1_795_000_000_000), ("two", 1_795_100_000_000)):
            more = {"pid": name, "agreement": f"{london}/agreements/1", "dataset": NOISE, "started_at": at_ms}
            with node.db.write() as tx:
                store.insert(tx, new("provider", london, at_ms, state="COMPLETED", other_pid=name, **more))
    finally:
        node.close()
    assert "got it" not in say("data", "origins", "set", "noise", "--part", "noise.csv", "--type", "text/csv").err
    told = say("data", "origins", "set", "noise", "--personal").err
    assert f"{london}, 2026-11-18 11:06:40Z, last 2026-11-19 14:53:20Z, under {london}/agreements/1" in told
    assert "With --consent SOURCE each withdrawal is told to them" in told
    (listed,) = say("data", "origins", "list", "--json").json["origins"]
    assert [each["peer"] for each in listed["unfiltered"]] == [london]
    assert "got it" not in say("data", "origins", "set", "noise", "--not-personal").err


def test_files_that_no_other_city_will_get_are_named(helsinki_with_noise: Say, tmp_path: Path) -> None:
    say, folder = helsinki_with_noise, tmp_path / "folder"
    folder.mkdir()
    for name in ("ok.csv", "päätös.csv", "two\nlines.csv"):
        (folder / name).write_bytes(b"a\n")
    for words in (("add", "noise", folder), ("test", "noise")):
        told = say("data", "origins", *words)
        assert told.code == 0, told.err
        assert "Left out" in told.err
        assert "päätös.csv" in told.err
        assert "two\\nlines.csv" in told.err


def test_what_cannot_be_registered_says_why(helsinki_with_noise: Say, tmp_path: Path) -> None:
    say = helsinki_with_noise
    assert "no file or folder" in say("data", "origins", "add", "noise", tmp_path / "none").err
    assert "keys and database" in say("data", "origins", "add", "noise", tmp_path / "node").err
    assert "no record" in say("data", "origins", "add", "none", tmp_path).err
    assert say("data", "origins", "add", "noise", "https://10.0.0.8/x").code in (1, 3)
    assert say("data", "origins", "remove", "noise").code == 1


def test_a_secret_comes_from_a_file_or_standard_input_and_is_not_said(
    helsinki_with_noise: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say, file = helsinki_with_noise, tmp_path / "secret"
    file.write_text("s3cr3t-one\n")
    with Server(ranged(BODY)) as server:
        first = say("data", "credentials", "set", "one", "--kind", "bearer", "--for", server.url, "--file", file)
        monkeypatch.setattr("sys.stdin", io.StringIO("s3cr3t-two\n"))
        second = say("data", "credentials", "set", "two", "--kind", "header", "--for", server.url, "--header", "X-Key")
        assert (first.code, second.code) == (0, 0), first.err + second.err
        for name in ("one", "two"):
            location = f"{server.url}/{name}.csv"
            assert say("data", "origins", "add", "noise", location, "--credential", name).code == 0
        shown = [headers.get("authorization") or headers.get("x-key") for _, headers in server.requests]
        assert {"Bearer s3cr3t-one", "s3cr3t-two"} == set(shown)
    listed = say("data", "credentials", "list")
    trail = say("audit", "list", "--json")
    for said in (first, second, listed, trail, say("data", "credentials", "list", "--json")):
        assert "s3cr3t" not in said.out + said.err
    assert "127.0.0.1" in listed.out
    assert say("data", "credentials", "remove", "one").code == 1
    say("data", "origins", "remove", "noise", "--part", "one.csv")
    assert say("data", "credentials", "remove", "one").code == 0
    assert say("data", "credentials", "set", "x", "--kind", "bearer", "--for", "https://f", "--file", "none").code == 1
