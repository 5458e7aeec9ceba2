"""The commands that verify without a node, and those after a loss; their exit codes are what scripts rely on."""

import json
from pathlib import Path

import pytest

from node.journal.behind import mark_restored
from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


def proven_files(helsinki: Say, tmp_path: Path) -> Path:
    """Harvest two records and put a proof with its document into a folder."""
    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees", "b": "Bees"}))
    helsinki("sources", "add", "city", file, "--kind", "dcat")
    assert helsinki("harvest", "run", "city").code == 0
    folder = tmp_path / "files"
    folder.mkdir()
    proof = helsinki("journal", "proof", "https://city.example/id/a").out
    (folder / "a.proof.json").write_text(proof)
    lines = [line for line in helsinki("catalog", "export").out.splitlines(keepends=True) if "/id/a>" in line[:30]]
    # The export is N-Quads: the graph is cut off to have the record's own triples.
    triples = [line.rsplit(" <", 1)[0] + " .\n" for line in lines]
    (folder / "a.nt").write_text("".join(triples))
    (folder / "note").write_text(json.loads(proof)["checkpoint"])
    return folder


def test_a_file_is_verified_without_any_data_folder(helsinki: Say, tmp_path: Path) -> None:
    folder = proven_files(helsinki, tmp_path)
    key = json.loads((folder / "a.proof.json").read_text())["key"]
    nowhere = ("--data", str(tmp_path / "nowhere"))
    said = helsinki("verify", folder / "a.proof.json", "--key", key, *nowhere)
    assert (said.code, said.out.splitlines()[-1].startswith("proven:")) == (0, True), said.out
    assert "https://city.example/id/a: entry" in said.out
    assert not (tmp_path / "nowhere").exists()
    assert helsinki("verify", folder / "note", "--key", key, "--json", *nowhere).json["verdict"] == "proven"


def test_what_does_not_hold_is_exit_one_and_the_last_line_says_why(helsinki: Say, tmp_path: Path) -> None:
    folder = proven_files(helsinki, tmp_path)
    (folder / "a.nt").write_text((folder / "a.nt").read_text().replace("Trees", "Tress"))
    said = helsinki("verify", folder / "a.proof.json")
    assert said.code == 1
    assert said.out.splitlines()[-1].startswith("refuted: The nt of https://city.example/id/a does not have the digest")


def test_nobody_there_is_exit_three(helsinki: Say) -> None:
    said = helsinki("verify", "http://127.0.0.1:9", "--json")
    assert (said.code, said.json["verdict"]) == (3, "unreachable")


def test_a_wrong_key_is_said_and_no_traceback(helsinki: Say, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    said = helsinki("verify", tmp_path / "x", "--key", "nonsense")
    assert (said.code, "Traceback" in said.err + said.out) == (2, False)


def test_wrong_use_is_exit_two_and_no_verdict(helsinki: Say, tmp_path: Path) -> None:
    said = helsinki("verify", tmp_path / "nosuch.json")
    assert (said.code, "There is no file" in said.err, "refuted" in said.out + said.err) == (2, True, False)
    said = helsinki("verify", "http://127.0.0.1:9", "--identity", "AAA")
    assert (said.code, "a fingerprint is 43 characters" in said.err) == (2, True)


def test_a_restored_node_writes_nothing_until_somebody_asked_or_answers_for_it(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees"}))
    helsinki("sources", "add", "city", file, "--kind", "dcat")
    assert helsinki("db", "backup", tmp_path / "backup.tar").code == 0
    restored = ("--data", str(tmp_path / "restored"))
    said = helsinki("db", "restore", tmp_path / "backup.tar", *restored)
    assert "citynode recover" in said.out
    assert helsinki("harvest", "run", "city", *restored).code != 0
    said = helsinki("recover", *restored)
    assert (said.code, "--alone" in said.err, "nobody" in said.out) == (1, True, True)
    assert helsinki("recover", "--check", *restored).code == 1
    assert "fail  history: Own collections take nothing." in helsinki("doctor", *restored).out
    assert helsinki("recover", "--alone", *restored).code == 0
    assert helsinki("recover", "--json", *restored).json["held_back"] == ""
    assert "Nothing that was signed is missing" in helsinki("recover", "--check", *restored).out
    assert "history" not in helsinki("doctor", *restored).out
    assert helsinki("harvest", "run", "city", *restored).code == 0


def test_the_mark_of_a_restore_is_in_the_database_and_nowhere_else(helsinki: Say, tmp_path: Path) -> None:
    from node.cli.common import opened

    with opened(tmp_path / "node") as node, node.db.write() as tx:
        mark_restored(tx, 1)
    assert helsinki("recover").code == 1
    assert helsinki("recover", "--alone").code == 0


def test_an_epoch_is_not_opened_without_need_or_reason(helsinki: Say) -> None:
    said = helsinki("recover", "--new-epoch", "open-data", "--reason", "because")
    assert (said.code, "Nothing that was signed" in said.err) == (1, True)
    assert helsinki("recover", "--new-epoch", "open-data").code == 1
    assert helsinki("recover", "--check", "--alone").code == 1


def test_witnesses_and_epochs_of_nobody(helsinki: Say) -> None:
    assert helsinki("witness", "list", "--json").json == []
    assert helsinki("witness", "run", "--json").json == []
    said = helsinki("peers", "approve-epoch", "nobody", "open-data")
    assert (said.code, "[not-found]" in said.err) == (1, True)
