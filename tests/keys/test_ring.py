"""The keyring: who may read the keys, what stops a start, and what a passphrase keeps."""

import os
import shutil
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from node.errors import Misconfigured
from node.keys import PURPOSES, Keyring, Purpose, encrypt, read_jwt
from node.keys import history as histories
from node.keys.signer import generated
from tests.keys.rig import AT, PLAIN, names, pem, together

SECRET = "a long passphrase, in UTF-8: ä"  # noqa: S105 - of keys that live as long as a test


# ---------------------------------------------------------------- making and reading


def test_keys_are_made_once_and_kept(tmp_path: Path):
    folder = tmp_path / "deep" / "keys"
    rings = [Keyring.create(folder, now_ms=AT), Keyring.create(folder, now_ms=AT + 5), Keyring(folder)]
    rings.append(Keyring.opened(folder, now_ms=AT + 9))
    for purpose in PURPOSES:
        assert len({ring.current(purpose).kid for ring in rings}) == 1
        assert rings[-1].current(purpose).since_ms == AT
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert names(folder) == PLAIN
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_starts_at_once_keep_one_set_of_keys(tmp_path: Path):
    found, start = [], threading.Barrier(8)

    def make() -> None:
        start.wait()
        ring = Keyring.create(tmp_path / "keys")
        found.append(tuple(key.kid for key in ring.published()))

    together([make] * 8)
    assert (len(found), len(set(found))) == (8, 1)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_each_purpose_signs_with_a_key_of_its_own(folder: Path, purpose: Purpose):
    ring = Keyring(folder)
    signature = ring.sign(purpose, b"bytes")
    assert len(signature) == 64
    assert [other for other in PURPOSES if ring.verify(other, b"bytes", signature)] == [purpose]
    assert not ring.verify(purpose, b"byteS", signature)
    key = ring.current(purpose)
    token = ring.jwt(purpose, "x+jwt", {"a": 1})
    assert read_jwt(token, [key.jwk], typ="x+jwt") == ({"alg": key.alg, "kid": key.kid, "typ": "x+jwt"}, {"a": 1})


def test_the_fingerprint_is_that_of_the_entity_key(folder: Path):
    ring = Keyring(folder)
    assert ring.fingerprint == ring.current("entity").kid
    assert ring.public_key("record") == ring.current("record").raw
    assert [key.purpose for key in ring.published()] == list(PURPOSES)


def test_an_old_folder_gets_what_it_lacks_and_keeps_what_it_has(folder: Path, tmp_path: Path):
    old = tmp_path / "old"
    old.mkdir(mode=0o700)
    shutil.copy2(folder / "checkpoint.pem", old / "checkpoint.pem")
    with pytest.raises(Misconfigured):
        Keyring(old)
    os.utime(old / "checkpoint.pem", (1_700_000_000, 1_700_000_000))
    ring = Keyring.opened(old, now_ms=AT)
    assert ring.public_key("checkpoint") == Keyring(folder).public_key("checkpoint")
    assert ring.current("checkpoint").since_ms == 1_700_000_000_000
    assert ring.current("entity").since_ms == AT
    assert ring.current("entity").kid != Keyring(folder).current("entity").kid
    assert names(old) == PLAIN


def test_a_node_whose_keys_are_lost_does_not_start_with_others(tmp_path: Path):
    with pytest.raises(Misconfigured, match=r"keys cannot be read.*backup"):
        Keyring.opened(tmp_path / "keys", now_ms=AT)
    (tmp_path / "keys").mkdir(mode=0o700)
    with pytest.raises(Misconfigured, match=r"keys.json cannot be read"):
        Keyring.opened(tmp_path / "keys", now_ms=AT)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_private_key_that_is_gone_is_never_replaced(folder: Path, purpose: Purpose):
    (folder / f"{purpose}.pem").unlink()
    for start in (Keyring, lambda folder: Keyring.opened(folder, now_ms=AT), Keyring.create):
        with pytest.raises(Misconfigured, match=rf"private {purpose} key .* is gone.*backup"):
            start(folder)
    assert names(folder) == PLAIN - {f"{purpose}.pem"}


def test_a_history_that_is_gone_is_never_begun_anew(folder: Path):
    (folder / "keys.json").unlink()
    for start in (lambda folder: Keyring.opened(folder, now_ms=AT), Keyring.create):
        with pytest.raises(Misconfigured, match=r"keys.json is gone.*backup"):
            start(folder)


def test_a_making_that_was_broken_off_goes_on(folder: Path):
    kept = Keyring(folder).public_key("record")
    histories.write(folder, histories.History())
    (folder / "entity.pem").unlink()
    assert Keyring.create(folder, now_ms=AT).public_key("record") == kept
    assert Keyring(folder).current("entity").since_ms == AT


def test_keys_of_two_times_do_not_go_together(folder: Path, tmp_path: Path):
    shutil.copytree(folder, tmp_path / "before")
    Keyring(folder).rotate("entity", now_ms=AT)
    shutil.copy(tmp_path / "before" / "keys.json", folder / "keys.json")
    with pytest.raises(Misconfigured, match="does not know the key"):
        Keyring(folder)


def test_a_key_that_others_may_read_stops_the_start(folder: Path):
    for mode in (0o640, 0o604, 0o620):
        (folder / "checkpoint.pem").chmod(mode)
        with pytest.raises(Misconfigured, match="chmod 600"):
            Keyring(folder)
    (folder / "checkpoint.pem").chmod(0o600)
    for mode in (0o750, 0o701, 0o720):
        folder.chmod(mode)
        with pytest.raises(Misconfigured, match="chmod 700"):
            Keyring(folder)


def test_a_broken_or_another_key_stops_the_start(folder: Path):
    path = folder / "record.pem"
    for content, words in (
        (b"nonsense", "broken"),
        (b"", "broken"),
        (pem(X25519PrivateKey.generate()), "no Ed25519 or P-256"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "no Ed25519 or P-256"),
        (pem(generated("Ed25519")), "does not know"),
        (pem(generated("ES256")), "does not know"),
    ):
        path.write_bytes(content)
        with pytest.raises(Misconfigured, match=words):
            Keyring(folder)
    path.unlink()
    path.mkdir()
    with pytest.raises(Misconfigured, match=r"record.pem cannot be read"):
        Keyring(folder)


def test_a_key_of_another_kind_is_not_taken_over(folder: Path):
    (folder / "record.pem").write_bytes(pem(generated("ES256")))
    histories.write(folder, histories.History())
    with pytest.raises(Misconfigured, match=r"record.pem is no Ed25519 key"):
        Keyring.create(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"v": 2, "keys": []}',
        b'{"v": 1, "keys": [{}]}',
        b'{"v": 1, "keys": [5]}',
        b'{"v": 1, "keys": 5}',
        b"\xff",
    ],
)
def test_a_broken_history_stops_the_start(folder: Path, content: bytes):
    (folder / "keys.json").write_bytes(content)
    for start in (Keyring, lambda folder: Keyring.opened(folder, now_ms=AT)):
        with pytest.raises(Misconfigured, match=r"keys.json is broken.*backup"):
            start(folder)


def test_a_history_names_each_key_once_and_one_in_use(folder: Path):
    known = histories.read(folder)
    for keys in ((*known.keys, known.keys[0]), (*known.keys, Keyring.create(folder.parent / "b").current("entity"))):
        histories.write(folder, histories.History(keys))
        with pytest.raises(Misconfigured, match="twice"):
            Keyring(folder)


def test_a_history_without_a_purpose_says_how_to_get_it(folder: Path):
    known = histories.read(folder)
    histories.write(folder, histories.History(known.keys[:-1]))
    with pytest.raises(Misconfigured, match=r"no message key yet.*citynode run"):
        Keyring(folder)
    assert Keyring.opened(folder, now_ms=AT).current("message").kid == known.keys[-1].kid


def test_a_folder_that_is_none_is_said(folder: Path, tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(Misconfigured, match="cannot be read"):
        Keyring(file / "keys")
    with pytest.raises(Misconfigured, match="cannot be read"):
        encrypt(tmp_path / "none", SECRET)


# ---------------------------------------------------------------- passphrase


def test_keys_are_encrypted_from_the_start_if_there_is_a_passphrase(tmp_path: Path):
    ring = Keyring.create(tmp_path / "keys", SECRET, now_ms=AT)
    ring.rotate("record", now_ms=AT)
    for path in (tmp_path / "keys").glob("*.pem"):
        assert b"ENCRYPTED" in path.read_bytes()
    assert Keyring.opened(tmp_path / "keys", SECRET, now_ms=AT).published() == ring.published()


def test_a_missing_or_wrong_passphrase_stops_the_start(folder: Path):
    with pytest.raises(Misconfigured, match=r"is not encrypted.*citynode keys encrypt"):
        Keyring(folder, SECRET)
    encrypt(folder, SECRET)
    with pytest.raises(Misconfigured, match="no passphrase is set"):
        Keyring(folder)
    with pytest.raises(Misconfigured, match="does not open"):
        Keyring(folder, "another")


def test_keys_are_encrypted_afterwards_and_again(folder: Path):
    before = Keyring(folder)
    before.rotate("checkpoint", now_ms=AT)
    assert encrypt(folder, SECRET) == 8
    assert Keyring(folder, SECRET).published() == before.published()
    assert encrypt(folder, SECRET) == 8, "safe to repeat"
    with pytest.raises(Misconfigured, match="another passphrase"):
        encrypt(folder, "next")
    assert encrypt(folder, "next", old=SECRET) == 8
    ring = Keyring(folder, "next")
    assert len(ring.signers("checkpoint", AT)) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_an_encryption_that_was_broken_off_goes_on(folder: Path, tmp_path: Path):
    half = shutil.copytree(folder, tmp_path / "half")
    encrypt(half, SECRET)
    for name in ("entity.pem", "witness.pem"):
        shutil.copy2(folder / name, half / name)
    with pytest.raises(Misconfigured, match="is not encrypted"):
        Keyring(half, SECRET)
    encrypt(half, SECRET)
    assert Keyring(half, SECRET).published() == Keyring(folder).published()


@pytest.mark.parametrize("passphrase", ["", "x" * 1024, "ä" * 512])
def test_a_passphrase_has_bounds(folder: Path, passphrase: str):
    with pytest.raises(Misconfigured, match="1 to 1023 bytes"):
        encrypt(folder, passphrase)
