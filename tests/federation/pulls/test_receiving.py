"""Laws of what was brought to us and goes to its place: whole or not at all, once, and again after any kill."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.db import Database
from node.errors import Conflict, NotFound, Refused, Stopped, Unavailable
from node.federation.moving import PUSH
from node.federation.pulls.files import Places
from node.federation.pulls.naming import Naming
from node.federation.pulls.ports import tell_nobody
from node.federation.pulls.receiving import Receiver
from node.federation.pulls.room import Room as DiskRoom
from node.federation.pulls.store import Pull, PullStore, Wanted
from node.federation.pushes.store import Arrived
from tests.federation.pushes.test_incoming import STANDS

PID = STANDS.pid


@dataclass
class Room:
    """What lies at our door, as the door tells it."""

    folder: Path
    parts: list[Arrived] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def bring(self, part: str, content: bytes, *, whole: bool = True) -> None:
        path = self.folder / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        size = len(content) if whole else 2 * len(content)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}" if whole else ""
        self.parts.append(Arrived(PID, part, size, len(content), "text/csv", '"1"', digest, False, whole))

    def arrived(self, pid: str) -> Sequence[Arrived]:
        assert pid == PID
        return self.parts

    def file(self, pid: str, part: str) -> Path:
        path = self.folder / part
        if not path.is_file():
            raise NotFound("gone")
        return path

    def forget(self, pid: str) -> None:
        self.forgotten.append(pid)


@dataclass
class Rig:
    room: Room
    receiver: Receiver
    naming: Naming
    store: PullStore
    to: Path

    def taken(self, pull: Pull) -> Pull:
        """Let it be put in its place, as the runner does."""
        pull = self.receiver.take(pull, STANDS, threading.Event())
        self.naming.appear(pull, self.places(pull), lambda: False)
        return self.store.get(pull.id)

    def places(self, pull: Pull) -> Places:
        return Places(pull.target, self.to.parent / "pulls", PID, list(pull.parts))

    def pull(self, target: str) -> Pull:
        wanted = Wanted("https://d.example/1", target=target, format=PUSH)
        made = self.store.add(wanted, state="running", now_ms=1)
        return self.store.claim(made.id, "a test", 1)


@pytest.fixture
def rig(db: Database, tmp_path: Path) -> Rig:
    room, store = Room(tmp_path / "whole"), PullStore(db)
    naming = Naming(store, lambda: 2)
    receiver = Receiver(store, room, naming, DiskRoom(tmp_path), {}, tmp_path / "pulls", lambda: 2)
    return Rig(room, receiver, naming, store, tmp_path / "to")


def test_parts_go_to_their_places_and_the_pull_knows_them(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.room.bring("b/c.csv", b"three")
    pull = rig.taken(rig.pull(f"{rig.to}/"))
    assert {name: (rig.to / name).read_bytes() for name in pull.parts} == {"a.csv": b"one", "b/c.csv": b"three"}
    assert (pull.got, pull.parts["a.csv"].is_whole, pull.parts["a.csv"].file) == (8, True, str(rig.to / "a.csv"))
    assert all(each.named for each in pull.parts.values())
    assert not list(rig.room.folder.rglob("*.csv"))


def test_a_kill_between_any_two_steps_is_mended_by_the_next_run(rig: Rig) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        rig.room.bring(name, name.encode())
    pull = rig.pull(f"{rig.to}/")
    places = Places(pull.target, rig.to.parent, PID, ["a.csv", "b.csv", "c.csv"])
    places.folder.mkdir(parents=True)
    (rig.room.folder / "a.csv").rename(places.unfinished("a.csv"))  # killed when it lay beside its place
    pull = rig.receiver.take(pull, STANDS, threading.Event())
    places.unfinished("b.csv").rename(places.final("b.csv"))  # killed before the name was written down
    for _ in range(2):
        pull = rig.taken(pull)
        assert {each.name: each.read_bytes() for each in rig.to.iterdir() if each.is_file()} == {
            name: name.encode() for name in ("a.csv", "b.csv", "c.csv")
        }
    assert all(each.named for each in pull.parts.values())


def test_a_single_part_may_be_given_a_name(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.taken(rig.pull(str(rig.to)))
    assert rig.to.read_bytes() == b"one"


def test_several_parts_that_were_signed_for_before_anybody_looked_go_into_a_folder_of_that_name(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.room.bring("b/c.csv", b"three")
    pull = rig.pull(str(rig.to))
    for _ in range(2):  # a kill between the steps changes nothing
        pull = rig.taken(rig.store.get(pull.id))
    assert pull.target == f"{rig.to}/"
    assert {name: (rig.to / name).read_bytes() for name in pull.parts} == {"a.csv": b"one", "b/c.csv": b"three"}
    assert {each.file for each in pull.parts.values()} == {str(rig.to / "a.csv"), str(rig.to / "b" / "c.csv")}
    assert not list(rig.room.folder.rglob("*.csv"))


def test_where_a_file_is_in_the_way_of_that_folder_the_parts_wait(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.room.bring("b.csv", b"two")
    rig.to.write_bytes(b"mine")
    pull = rig.pull(str(rig.to))
    with pytest.raises(Unavailable, match="signed for"):
        rig.taken(pull)
    assert rig.to.read_bytes() == b"mine"
    rig.to.unlink()
    rig.taken(rig.store.get(pull.id))
    assert (rig.to / "b.csv").read_bytes() == b"two"


def test_what_was_signed_for_and_cannot_be_put_there_waits(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.to.mkdir()
    (rig.to / "a.csv").mkdir()
    pull = rig.pull(f"{rig.to}/")
    with pytest.raises(Unavailable, match=r"a\.csv is a folder"):
        rig.taken(pull)
    (rig.to / "a.csv").rmdir()
    (rig.to / "a.csv").write_bytes(b"mine")
    with pytest.raises(Unavailable, match="is there already"):
        rig.taken(rig.store.get(pull.id))
    (rig.to / "a.csv").unlink()
    rig.taken(rig.store.get(pull.id))
    assert (rig.to / "a.csv").read_bytes() == b"one"


def test_a_place_that_cannot_be_made_is_tried_again(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.to.write_bytes(b"no folder")
    pull = rig.pull(f"{rig.to}/")
    with pytest.raises(Unavailable, match="signed for"):
        rig.taken(pull)
    assert (rig.room.folder / "a.csv").read_bytes() == b"one", "it stays where it was brought"
    rig.to.unlink()
    rig.taken(pull)
    assert (rig.to / "a.csv").read_bytes() == b"one"


def test_what_is_not_as_it_came_is_never_put_there(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    (rig.room.folder / "a.csv").write_bytes(b"two")
    with pytest.raises(Refused, match="not here any more as it came"):
        rig.taken(rig.pull(f"{rig.to}/"))
    assert not (rig.to / "a.csv").exists()


def test_a_copy_to_another_disk_is_as_good_and_stays_until_the_end(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.room.bring("a.csv", b"one")
    pull = rig.pull(f"{rig.to}/")
    path = rig.to / f".citynode-{PID.rpartition(':')[2]}" / "a.csv"
    rig.receiver._copied(rig.room.folder / "a.csv", path, lambda: False)
    assert (path.read_bytes(), (rig.room.folder / "a.csv").read_bytes()) == (b"one", b"one")
    monkeypatch.setattr(rig.receiver.room, "_free", lambda _: 0)
    with pytest.raises(Unavailable, match="no room"):
        rig.receiver._copied(rig.room.folder / "a.csv", path, lambda: False)
    monkeypatch.undo()
    with pytest.raises(Stopped):
        rig.receiver._copied(rig.room.folder / "a.csv", path, lambda: True)
    rig.taken(pull)
    assert (rig.to / "a.csv").read_bytes() == b"one"


def test_a_transfer_that_brought_nothing_is_no_success(rig: Rig) -> None:
    with pytest.raises(Refused, match="brought nothing"):
        rig.taken(rig.pull(f"{rig.to}/"))


def test_how_far_it_is_is_told_and_written_down(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one", whole=False)
    told: list[tuple[int, int]] = []
    tell = lambda got, total, _: told.append((got, total))  # noqa: E731
    pull = rig.receiver.look(rig.pull(f"{rig.to}/"), STANDS, tell, threading.Event())
    assert (told, pull.got, pull.total) == ([(3, 6)], 3, 6)
    assert (pull.parts["a.csv"].file, pull.parts["a.csv"].is_whole) == (str(rig.to / "a.csv"), False)
    rig.receiver.done(STANDS)
    assert rig.room.forgotten == [PID]


def test_what_cannot_be_put_there_is_said_before_anybody_signs(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one", whole=False)
    rig.to.mkdir()
    (rig.to / "a.csv").write_bytes(b"mine")
    with pytest.raises(Conflict, match="is there already"):
        rig.receiver.look(rig.pull(f"{rig.to}/"), STANDS, tell_nobody, threading.Event())
    rig.room.bring("b.csv", b"two")
    with pytest.raises(Conflict, match="2 parts"):
        rig.receiver.look(rig.pull(str(rig.to / "one.csv")), STANDS, tell_nobody, threading.Event())
