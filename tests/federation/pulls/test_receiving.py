"""Laws of what was brought to us and goes to its place: whole or not at all, once, and again after any kill."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.db import Database
from node.errors import NotFound, Refused
from node.federation.moving import PUSH
from node.federation.pulls.receiving import Receiver
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
        digest = "sha256:" + "ab" * 32 if whole else ""
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
    store: PullStore
    to: Path

    def pull(self, target: str) -> Pull:
        wanted = Wanted("https://d.example/1", target=target, format=PUSH)
        made = self.store.add(wanted, state="running", now_ms=1)
        return self.store.claim(made.id, "a test", 1)


@pytest.fixture
def rig(db: Database, tmp_path: Path) -> Rig:
    room, store = Room(tmp_path / "whole"), PullStore(db)
    receiver = Receiver(store, room, {}, tmp_path / "pulls", lambda: 2)
    return Rig(room, receiver, store, tmp_path / "to")


def test_parts_go_to_their_places_and_the_pull_knows_them(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.room.bring("b/c.csv", b"three")
    pull = rig.receiver.take(rig.pull(f"{rig.to}/"), STANDS)
    assert {name: (rig.to / name).read_bytes() for name in pull.parts} == {"a.csv": b"one", "b/c.csv": b"three"}
    assert (pull.got, pull.parts["a.csv"].is_whole, pull.parts["a.csv"].file) == (8, True, str(rig.to / "a.csv"))
    assert not list(rig.room.folder.rglob("*.csv"))
    assert not list(rig.to.rglob("*.part"))


def test_a_kill_between_any_two_steps_is_mended_by_the_next_run(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.room.bring("b.csv", b"two")
    pull = rig.pull(f"{rig.to}/")
    rig.to.mkdir()
    (rig.room.folder / "a.csv").rename(rig.to / "a.csv.part")  # killed when it lay beside its place
    (rig.room.folder / "b.csv").rename(rig.to / "b.csv")  # killed before that was written down
    for _ in range(2):
        pull = rig.receiver.take(pull, STANDS)
        assert ((rig.to / "a.csv").read_bytes(), (rig.to / "b.csv").read_bytes()) == (b"one", b"two")
    assert all(each.is_whole for each in pull.parts.values())


def test_a_single_part_may_be_given_a_name(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.receiver.take(rig.pull(str(rig.to)), STANDS)
    assert rig.to.read_bytes() == b"one"


def test_what_cannot_be_put_there_is_said(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one")
    rig.to.mkdir()
    (rig.to / "a.csv").mkdir()
    with pytest.raises(Refused, match=r"a\.csv"):
        rig.receiver.take(rig.pull(f"{rig.to}/"), STANDS)


def test_a_transfer_that_brought_nothing_is_no_success(rig: Rig) -> None:
    with pytest.raises(Refused, match="brought nothing"):
        rig.receiver.take(rig.pull(f"{rig.to}/"), STANDS)


def test_how_far_it_is_is_told_and_written_down(rig: Rig) -> None:
    rig.room.bring("a.csv", b"one", whole=False)
    told: list[tuple[int, int]] = []
    pull = rig.receiver.look(rig.pull(f"{rig.to}/"), STANDS, lambda got, total, _: told.append((got, total)))
    assert (told, pull.got, pull.total) == ([(3, 6)], 3, 6)
    rig.receiver.done(STANDS)
    assert rig.room.forgotten == [PID]
