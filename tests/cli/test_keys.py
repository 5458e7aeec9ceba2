"""Commands on keys and identity: what they print, what they refuse, and that a node lives on through all of them."""

import shutil
from pathlib import Path

import pytest

from node.keys import PURPOSES, Keyring
from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

BASE = "http://127.0.0.1:8001"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "node" / "keys"


def test_the_identity_is_what_another_city_compares(helsinki: Say, keys: Path) -> None:
    shown = helsinki("identity", "--json").json
    assert {"issuer", "fingerprint", "keys"} <= shown.keys()
    assert (shown["issuer"], shown["fingerprint"]) == (BASE, Keyring(keys).fingerprint)
    assert [key["purpose"] for key in shown["keys"]] == list(PURPOSES)
    assert f"fingerprint  {shown['fingerprint']}\n" in helsinki("identity").out
    assert "citynode peers invite" in helsinki("identity").out


def test_keys_are_listed_with_their_state(helsinki: Say) -> None:
    assert [key["state"] for key in helsinki("keys", "list", "--json").json] == ["in use"] * len(PURPOSES)
    assert helsinki("keys", "rotate", "token").code == 0
    assert helsinki("keys", "rotate", "record", "--overlap-days", "0").code == 0
    states = {(key["purpose"], key["state"]) for key in helsinki("keys", "list", "--json").json}
    assert {("token", "overlapping"), ("record", "retired")} < states
    assert "overlapping" in helsinki("keys", "list").out


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_key_can_be_replaced_while_the_journal_stays_proven(helsinki: Say, tmp_path: Path, purpose: str) -> None:
    (tmp_path / "a.ttl").write_text(catalogue({"1": "One"}))
    helsinki("sources", "add", "a", tmp_path / "a.ttl", "--kind", "dcat")
    assert helsinki("harvest", "run", "a").code == 0
    before = helsinki("journal", "proof", "https://city.example/id/1").json
    new = helsinki("keys", "rotate", purpose, "--json").json
    assert (new["purpose"], new["until"]) == (purpose, None)
    assert helsinki("journal", "verify").code == 0
    after = helsinki("journal", "proof", "https://city.example/id/1").json
    assert (after["key"] == before["key"]) == (purpose != "checkpoint"), "what stands is signed anew at once"
    assert after["entry"] == before["entry"]


def test_a_rotation_reminds_of_the_backup_and_of_the_new_fingerprint(helsinki: Say, keys: Path) -> None:
    said = helsinki("keys", "rotate", "token").out
    assert "citynode db backup" in said
    assert "fingerprint" not in said
    said = helsinki("keys", "rotate", "entity").out
    assert "citynode db backup" in said
    assert Keyring(keys).fingerprint in said.partition("Tell the new fingerprint")[2]


def test_a_purpose_that_is_none_is_refused(helsinki: Say) -> None:
    said = helsinki("keys", "rotate", "dpop")
    assert (said.code, "entity, token, client" in said.err) == (1, True)
    assert helsinki("keys", "rotate", "token", "--overlap-days", "400").code == 2


def test_keys_are_encrypted_and_the_passphrase_is_asked_for(
    helsinki: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = helsinki("keys", "encrypt")
    assert (said.code, "CITYNODE_KEY_PASSPHRASE_FILE" in said.err) == (2, True)
    (tmp_path / "first").write_text("first words\n")
    monkeypatch.setenv("CITYNODE_KEY_PASSPHRASE_FILE", str(tmp_path / "first"))
    assert "is not encrypted" in helsinki("identity").err
    assert helsinki("keys", "encrypt").out.startswith(f"{len(PURPOSES)} private keys are encrypted")
    assert helsinki("identity").code == 0
    assert "ok    keys: encrypted" in helsinki("doctor").out
    (tmp_path / "second").write_text("second words\n")
    monkeypatch.setenv("CITYNODE_KEY_PASSPHRASE_FILE", str(tmp_path / "second"))
    assert (helsinki("identity").code, "does not open" in helsinki("identity").err) == (2, True)
    assert "--old-passphrase-file" in helsinki("keys", "encrypt").err
    assert helsinki("keys", "encrypt", "--old-passphrase-file", tmp_path / "none").code == 2
    assert helsinki("keys", "encrypt", "--old-passphrase-file", tmp_path / "first").code == 0
    assert helsinki("keys", "rotate", "entity").code == 0
    monkeypatch.delenv("CITYNODE_KEY_PASSPHRASE_FILE")
    assert "no passphrase is set" in helsinki("identity").err
    assert "fail  keys" in helsinki("doctor").out


def test_a_node_of_an_older_program_gets_its_other_keys_at_the_next_start(helsinki: Say, keys: Path) -> None:
    checkpoint = Keyring(keys).public_key("checkpoint")
    for path in keys.iterdir():
        if path.name != "checkpoint.pem":
            path.unlink()
    assert helsinki("identity").code == 0
    assert Keyring(keys).public_key("checkpoint") == checkpoint
    assert helsinki("journal", "verify").code == 0


def test_a_lost_key_stops_every_command_and_says_where_to_get_it(helsinki: Say, keys: Path) -> None:
    (keys / "entity.pem").unlink()
    said = helsinki("identity")
    assert (said.code, "backup" in said.err, len(said.err.splitlines())) == (2, True, 1)


@pytest.mark.parametrize("purposes", [["entity"], ["checkpoint", "token", "record"]])
def test_a_key_that_no_backup_has_is_replaced_and_the_journal_stays_proven(
    helsinki: Say, keys: Path, purposes: list[str]
) -> None:
    assert "not lost" in helsinki("keys", "replace-lost", *purposes).err
    for purpose in purposes:
        (keys / f"{purpose}.pem").unlink()
    said = helsinki("keys", "replace-lost", *purposes)
    assert (said.code, Keyring(keys).fingerprint in said.out) == (0, True)
    assert helsinki("journal", "verify").code == 0


def test_a_backup_brings_every_key_and_their_history_back(helsinki: Say, keys: Path, tmp_path: Path) -> None:
    for purpose in ("entity", "checkpoint"):
        helsinki("keys", "rotate", purpose)
    before = helsinki("identity", "--json").json
    files = {path.name for path in keys.iterdir()}
    assert helsinki("db", "backup", tmp_path / "backup.tar").code == 0
    shutil.rmtree(tmp_path / "node")
    assert helsinki("db", "restore", tmp_path / "backup.tar").code == 0
    assert {path.name for path in keys.iterdir()} == files
    assert helsinki("identity", "--json").json == before


def test_the_doctor_tells_of_overlaps_and_of_lost_keys(helsinki: Say, keys: Path) -> None:
    old = Keyring(keys).current("checkpoint")
    helsinki("keys", "rotate", "checkpoint")
    assert "the replaced checkpoint key signs for 7 d more" in helsinki("doctor").out
    (keys / f"checkpoint.{old.kid}.pem").unlink()
    assert "warn  keys: The replaced checkpoint key is gone" in helsinki("doctor").out


def test_an_old_key_is_ended_before_its_time(helsinki: Say, keys: Path) -> None:
    old = Keyring(keys).current("record").kid
    assert helsinki("keys", "retire", old).code == 1, "it is in use"
    helsinki("keys", "rotate", "record")
    unasked = helsinki("keys", "retire", old)
    assert (unasked.code, "Somebody has to agree to this" in unasked.err) == (1, True)
    assert {key["kid"]: key["state"] for key in helsinki("keys", "list", "--json").json}[old] == "overlapping"
    assert helsinki("keys", "retire", "", "--yes").code == 1
    # Long enough that no other of these few keys begins so.
    assert f"The record key {old} signs no longer" in helsinki("keys", "retire", old[:12], "--yes").out
    states = {key["kid"]: key["state"] for key in helsinki("keys", "list", "--json").json}
    assert states[old] == "retired"
    assert helsinki("keys", "retire", old).code == 1
    assert helsinki("keys", "retire", "nobody", "--json").code == 1


@pytest.mark.parametrize(
    "kid", ["-1IRKbHSNhpw1tPpqBRm4jGaqJ2xgfGz8H5eMKO7ZKI", "--RKbHSNhpw1tPpqBRm4jGaqJ2xgfGz8H5eMKO7ZKI"]
)
def test_a_thumbprint_that_begins_like_an_option_is_a_thumbprint(helsinki: Say, kid: str) -> None:
    said = helsinki("keys", "retire", kid)
    assert (said.code, kid in said.err) == (1, True)
    assert helsinki("keys", "retire", kid, "--jsno").code == 2, "an option that is none is still wrong use"
