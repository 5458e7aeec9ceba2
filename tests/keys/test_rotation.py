"""A rotation of keys survives a crash at every step, and its overlap ends when it should."""

import itertools
import os
import shutil
import threading
from pathlib import Path

import pytest

from node.errors import AlreadyRunning, Conflict, Malformed, Misconfigured, NotFound
from node.keys import DAY_MS, OVERLAP_MS, PURPOSES, Keyring, Purpose, check_endorsement, files, replace_lost
from node.keys import history as histories
from tests.keys.rig import AT, PLAIN, names, together

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
