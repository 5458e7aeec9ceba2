"""The keyring: who may read the keys, what stops a start, and a rotation that survives a crash at every step."""

import itertools
import os
import shutil
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from node.errors import AlreadyRunning, Conflict, Malformed, Misconfigured, NotFound
from node.keys import (
    DAY_MS,
    OVERLAP_MS,
    PURPOSES,
    Keyring,
    Purpose,
    check_endorsement,
    encrypt,
    files,
    read_jwt,
    replace_lost,
)
from node.keys import history as histories
from node.keys.signer import generated

AT = 1_795_000_000_000
SECRET = "a long passphrase, in UTF-8: ä"  # noqa: S105 - of keys that live as long as a test


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of keys to copy."""
    folder = tmp_path_factory.mktemp("pattern") / "keys"
    Keyring.create(folder, now_ms=AT)
    return folder


@pytest.fixture
def folder(pattern: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pattern, tmp_path / "keys")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


PLAIN = {f"{purpose}.pem" for purpose in PURPOSES} | {"keys.json"}


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


def together(works: list) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


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


def pem(key: object, lock: object = None) -> bytes:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return key.private_bytes(*form, lock or serialization.NoEncryption())  # type: ignore[attr-defined]


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


# ---------------------------------------------------------------- rotation


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_rotation_puts_a_new_key_into_use_that_the_old_one_signed(folder: Path, purpose: Purpose):
    ring = Keyring(folder)
    old, signed = ring.current(purpose), ring.sign(purpose, b"x")
    new = ring.rotate(purpose, now_ms=AT + 10, issuer="https://city.example")
    assert ring.current(purpose) == new
    assert (new.since_ms, new.until_ms, new.endorsed_by) == (AT + 10, None, old.kid)
    check_endorsement(old, new, issuer="https://city.example")
    kept = ring.published(purpose)[1]
    assert (kept.kid, kept.until_ms) == (old.kid, AT + 10 + OVERLAP_MS)
    assert ring.verify(purpose, b"x", signed), "what it signed still holds"
    assert new.verifies(b"x", ring.sign(purpose, b"x"))
    assert not old.verifies(b"x", ring.sign(purpose, b"x"))
    assert names(folder) == PLAIN | {f"{purpose}.{old.kid}.pem"}
    assert [key.purpose for key in ring.published() if key.until_ms is not None] == [purpose]


def test_while_they_overlap_both_keys_sign_and_afterwards_one(folder: Path):
    ring = Keyring(folder)
    first = ring.current("checkpoint")
    second = ring.rotate("checkpoint", now_ms=AT, overlap_ms=5 * DAY_MS)
    third = ring.rotate("checkpoint", now_ms=AT, overlap_ms=2 * DAY_MS)

    def signing(at_ms: int) -> list[str]:
        both = ring.signers("checkpoint", at_ms)
        assert all(key.verifies(b"x", signer.sign(b"x")) for key, signer in both)
        return [key.kid for key, _ in both]

    assert signing(AT) == [third.kid, first.kid, second.kid]
    assert signing(AT + 2 * DAY_MS) == [third.kid, first.kid]
    assert signing(AT + 5 * DAY_MS) == [third.kid]
    assert [key.kid for key in ring.published("checkpoint")] == [third.kid, first.kid, second.kid]


def test_the_private_key_is_destroyed_when_its_overlap_is_over(folder: Path):
    ring, other = Keyring(folder), Keyring(folder)
    old = ring.current("record")
    ring.rotate("record", now_ms=AT, overlap_ms=DAY_MS)
    assert ring.retire(AT + DAY_MS - 1) == []
    assert [key.kid for key in other.retire(AT + DAY_MS)] == [old.kid]
    assert ring.retire(AT + DAY_MS) == []
    assert names(folder) == PLAIN
    assert old.kid in {key.kid for key in Keyring(folder).published()}, "its public half stays for ever"


def test_a_key_that_somebody_else_may_have_ends_at_once(folder: Path):
    ring = Keyring(folder)
    old = ring.current("token")
    ring.rotate("token", now_ms=AT, overlap_ms=0)
    assert names(folder) == PLAIN
    assert [key.kid for key, _ in ring.signers("token", AT)] == [ring.current("token").kid]
    assert old.kid != ring.current("token").kid


def test_a_rotation_goes_on_from_the_older_time_if_the_clock_went_back(folder: Path):
    ring = Keyring(folder)
    assert ring.rotate("token", now_ms=5, overlap_ms=7).since_ms == AT
    assert ring.published("token")[1].until_ms == AT + 7


def test_an_overlap_has_bounds(folder: Path):
    for overlap in (-1, 367 * DAY_MS):
        with pytest.raises(Malformed, match="overlap"):
            Keyring(folder).rotate("token", now_ms=AT, overlap_ms=overlap)


def test_a_private_key_that_is_lost_within_its_overlap_is_told(folder: Path):
    ring = Keyring(folder)
    old = ring.current("checkpoint")
    ring.rotate("checkpoint", now_ms=AT)
    assert ring.lost(AT) == []
    (folder / f"checkpoint.{old.kid}.pem").unlink()
    again = Keyring(folder)
    assert [key.kid for key in again.lost(AT)] == [old.kid]
    assert [key.kid for key, _ in again.signers("checkpoint", AT)] == [again.current("checkpoint").kid]
    assert again.lost(AT + OVERLAP_MS) == []


def test_other_processes_notice_a_rotation(folder: Path):
    ring, reader = Keyring(folder), Keyring(folder)
    for purpose in PURPOSES:
        new = ring.rotate(purpose, now_ms=AT)
        assert reader.current(purpose) == new
        assert new.verifies(b"x", reader.sign(purpose, b"x"))
        assert reader.published() == ring.published()
    (folder / "keys.json").unlink()
    with pytest.raises(Misconfigured, match=r"keys.json cannot be read"):
        reader.sign("record", b"x")
    folder.rename(folder.with_name("moved"))
    folder.write_text("")
    with pytest.raises(Misconfigured, match="cannot be read"):
        reader.sign("record", b"x")


def test_two_rotations_at_once_are_refused_and_readers_never_fail(folder: Path):
    ring, done, outcomes = Keyring(folder), threading.Event(), []

    def turn() -> None:
        mine = Keyring(folder)
        for _ in range(4):
            try:
                outcomes.append(mine.rotate("checkpoint", now_ms=AT))
            except AlreadyRunning:
                outcomes.append(None)

    def read() -> None:
        while not done.is_set():
            fresh = Keyring(folder)
            key = fresh.current("checkpoint")
            assert key.kid in {each.kid for each in ring.published("checkpoint")}
            ring.sign("checkpoint", b"x")

    failed: list[BaseException] = []
    reader = threading.Thread(target=lambda: caught(read, failed))
    reader.start()
    together([turn] * 4)
    done.set()
    reader.join()
    assert failed == []
    made = [one for one in outcomes if one]
    keys = histories.read(folder).keys
    chain = [key for key in keys if key.purpose == "checkpoint"]
    assert len(chain) == len(made) + 1 >= 2
    for old, new in itertools.pairwise(chain):
        check_endorsement(old, new)


def caught(work, failed: list[BaseException]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - told by the test
        failed.append(error)


def test_whoever_changes_keys_holds_the_folder(folder: Path):
    ring = Keyring(folder)
    with files.held(folder), pytest.raises(AlreadyRunning, match="keys list"):
        ring.rotate("token", now_ms=AT)


def test_keys_that_never_stand_still_are_told_to_be_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    marks = iter(range(100))
    monkeypatch.setattr(histories, "mark", lambda folder: next(marks))
    (folder / "record.pem").unlink()
    with pytest.raises(AlreadyRunning, match="Try again"):
        Keyring(folder)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_key_that_is_lost_for_good_is_replaced_by_one_that_nobody_vouches_for(folder: Path, purpose: Purpose):
    before = Keyring(folder)
    old = before.current(purpose)
    with pytest.raises(Conflict, match="not lost"):
        replace_lost(folder, purpose, now_ms=AT)
    (folder / f"{purpose}.pem").unlink()
    new = replace_lost(folder, purpose, now_ms=AT + 5)
    ring = Keyring(folder)
    assert ring.current(purpose) == new == before.current(purpose)
    assert (new.endorsed_by, new.since_ms) == ("", AT + 5)
    assert (ring.published(purpose)[1].kid, ring.published(purpose)[1].until_ms) == (old.kid, AT + 5)
    assert new.verifies(b"x", ring.sign(purpose, b"x"))
    assert names(folder) == PLAIN


# ---------------------------------------------------------------- crashes


class DiedError(BaseException):
    """The process is gone: from here on nothing it would do happens."""


def dying(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Let every call that changes the disk fail from the `at`-th on, cleaning up included."""
    steps = iter(range(1_000_000))

    def guarded(real):
        def call(*args, **more):
            if next(steps) >= at:
                raise DiedError
            return real(*args, **more)

        return call

    for holder, name in ((os, "fsync"), (Path, "replace"), (Path, "hardlink_to"), (Path, "unlink"), (os, "open")):
        monkeypatch.setattr(holder, name, guarded(getattr(holder, name)))


@pytest.mark.slow  # dies at every step
@pytest.mark.parametrize("overlap", [DAY_MS, 0])
def test_a_rotation_that_dies_at_any_step_leaves_one_key_in_use(pattern: Path, tmp_path: Path, overlap: int):
    outcomes = []
    for step in range(60):
        folder = shutil.copytree(pattern, tmp_path / str(step))
        ring = Keyring(folder)
        old = ring.current("checkpoint")
        with pytest.MonkeyPatch.context() as patch:
            dying(patch, step)
            try:
                ring.rotate("checkpoint", now_ms=AT, overlap_ms=overlap)
                ended = True
            except DiedError:
                ended = False
        strict, healed = Keyring(folder), Keyring.opened(folder, now_ms=AT)
        assert strict.current("checkpoint") == healed.current("checkpoint") == ring.current("checkpoint")
        assert healed.current("checkpoint").verifies(b"x", healed.sign("checkpoint", b"x"))
        assert not (folder / "checkpoint.next.pem").exists() or healed.current("checkpoint").kid == old.kid
        healed.rotate("checkpoint", now_ms=AT, overlap_ms=overlap)
        healed.retire(AT + 2 * DAY_MS)
        left = {name for name in names(folder) if not name.startswith(".")}
        assert left == PLAIN, "no private key is left behind"
        outcomes.append(len(healed.published("checkpoint")))
        if ended:
            break
    assert outcomes[0] == 2, "broken off before it happened: only the second one counts"
    assert outcomes[-1] == 3
    assert outcomes == sorted(outcomes), "it happens at one step"


@pytest.mark.slow  # dies at every step
def test_a_making_that_dies_at_any_step_is_made_to_the_end(tmp_path: Path):
    for step in range(100):
        folder = tmp_path / str(step)
        with pytest.MonkeyPatch.context() as patch:
            dying(patch, step)
            try:
                Keyring.create(folder, now_ms=AT)
                ended = True
            except DiedError:
                ended = False
        kept = {path.name: path.read_bytes() for path in folder.glob("*.pem")} if folder.exists() else {}
        Keyring.create(folder, now_ms=AT)
        assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == PLAIN
        assert all((folder / name).read_bytes() == content for name, content in kept.items())
        if ended:
            break
    assert ended


def test_a_file_is_whole_or_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Keyring(folder).rotate("token", now_ms=AT)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


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


# ---------------------------------------------------------------- an overlap that ends early


def test_an_overlap_that_is_ended_early_leaves_no_private_half_and_all_proofs(folder: Path):
    ring = Keyring(folder)
    old = ring.current("record")
    signature = ring.sign("record", b"said before")
    ring.rotate("record", now_ms=AT, overlap_ms=7 * DAY_MS)
    assert [key.kid for key, _ in ring.signers("record", AT + 1)][1:] == [old.kid]
    ended = ring.end(old.kid, now_ms=AT + 5)
    assert ended.until_ms == AT + 5
    for one in (ring, Keyring(folder)):
        assert old.kid not in [key.kid for key, _ in one.signers("record", AT + 5)]
        assert one.verify("record", b"said before", signature)
        assert one.lost(AT + 5) == []
    assert names(folder) == PLAIN


def test_only_a_key_that_still_signs_beside_its_follower_is_ended(folder: Path):
    ring = Keyring(folder)
    with pytest.raises(NotFound):
        ring.end("nobody", now_ms=AT)
    with pytest.raises(Conflict, match="in use"):
        ring.end(ring.current("record").kid, now_ms=AT)
    old = ring.current("record")
    ring.rotate("record", now_ms=AT, overlap_ms=DAY_MS)
    with pytest.raises(Conflict, match="already"):
        ring.end(old.kid, now_ms=AT + DAY_MS)
    with files.held(folder), pytest.raises(AlreadyRunning):
        ring.end(old.kid, now_ms=AT + 1)
