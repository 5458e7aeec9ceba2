"""Laws of files that grow: a file is what was written to it, whatever the disk or anybody else does meanwhile."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from node.errors import AlreadyRunning, Refused, Stopped, Unavailable
from node.federation.pulls.files import ROOM_EVERY, Growing, Lost, is_there, mark_of
from node.federation.pulls.room import Room
from node.federation.pushes.incoming import SPARE_BYTES


def never() -> bool:
    return False


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_what_was_written_stays_and_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    with Growing(path, keep=0, stop=never) as file:
        file.write(b"12345")
        file.save()
    # What was not known to be safe is written anew.
    with Growing(path, keep=3, stop=never) as file:
        assert (file.got, path.stat().st_size) == (3, 3)
        file.write(b"xy")
        assert file.prove() == mark_of(path)
        assert file.digest == digest(b"123xy")
    assert path.read_bytes() == b"123xy"
    assert is_there(path, 5, digest(b"123xy"), never)
    assert not is_there(path, 5, digest(b"123xz"), never)
    assert not is_there(tmp_path / "none", 5, digest(b"123xy"), never)


def test_a_piece_that_the_disk_took_in_part_is_no_part_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, sort = os.pwrite, [errno.ENOSPC]

    def full(handle: int, piece: bytes, at: int) -> int:
        """Take a third, then say that the disk is full."""
        if not sort:
            return whole(handle, piece, at)
        if len(piece) < 6:
            raise OSError(sort.pop(), "No space left on device")
        return whole(handle, piece[:3], at)

    monkeypatch.setattr(os, "pwrite", full)
    with Growing(tmp_path / "x", keep=0, stop=never) as file:
        with pytest.raises(Unavailable, match="No space left"):
            file.write(b"abcdefgh")
        assert (file.got, (tmp_path / "x").stat().st_size) == (0, 0)
        file.write(b"the first")
        file.write(b" and the rest")
        file.prove()
    assert (tmp_path / "x").read_bytes() == b"the first and the rest"


def test_what_somebody_else_does_to_the_file_is_never_overlooked(tmp_path: Path) -> None:
    path = tmp_path / "x"

    def removed() -> None:
        path.unlink()

    def replaced() -> None:
        other = tmp_path / "y"
        other.write_bytes(b"12345")
        other.replace(path)

    def cut() -> None:
        os.truncate(path, 3)

    def changed() -> None:
        with path.open("r+b") as other:
            other.write(b"!")

    def a_link() -> None:
        path.rename(tmp_path / "z")
        path.symlink_to(tmp_path / "z")

    for harm in (removed, replaced, cut, changed, a_link):
        path.unlink(missing_ok=True)
        with Growing(path, keep=0, stop=never) as file:
            file.write(b"12345")
            file.save()
            harm()
            with pytest.raises(Lost, match="removed or changed"):
                file.prove()


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    with Growing(tmp_path / "x", keep=0, stop=never) as file:
        file.write(b"mine")
        with pytest.raises(AlreadyRunning):
            Growing(tmp_path / "x", keep=0, stop=never)
        file.prove()
    assert (tmp_path / "x").read_bytes() == b"mine"


def test_a_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "x").symlink_to(victim)
    with pytest.raises(Refused):
        Growing(tmp_path / "x", keep=0, stop=never)
    assert victim.read_text() == "mine"
    assert not is_there(tmp_path / "x", 4, digest(b"mine"), never)


def test_reading_again_what_is_here_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1" * 10)
    with pytest.raises(Stopped):
        Growing(tmp_path / "x", keep=10, stop=lambda: True)
    assert (tmp_path / "x").stat().st_size == 10


def test_some_room_is_left_on_the_disk_of_the_nodes_own_books(tmp_path: Path) -> None:
    free = [SPARE_BYTES + 10]
    room = Room(tmp_path, lambda _: free[0])
    room.check(tmp_path / "not" / "there" / "yet", 10)
    with pytest.raises(Unavailable, match="no room") as told:
        room.check(tmp_path, 11)
    assert "resume" in told.value.fix
    with Growing(tmp_path / "x", keep=0, stop=never, room=lambda many: room.check(tmp_path, many)) as file:
        file.check_room()
        file.write(b"1234")
        free[0] = 0  # others write, too
        with pytest.raises(Unavailable, match="no room"):
            file.write(b"5" * (ROOM_EVERY + 1))
        assert (file.got, (tmp_path / "x").stat().st_size) == (4, 4)


def test_a_disk_without_the_nodes_books_may_be_filled(tmp_path: Path) -> None:
    elsewhere = Path("/dev")
    assert elsewhere.stat().st_dev != tmp_path.stat().st_dev
    room = Room(tmp_path, lambda _: 10)
    room.check(elsewhere, 10)
    with pytest.raises(Unavailable):
        room.check(elsewhere, 11)
