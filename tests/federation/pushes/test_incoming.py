"""Laws of what is brought to us: files are whole or absent, an upload goes on where the disk is safe, one writes."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.errors import AlreadyRunning, Conflict, Malformed, NodeError, NotFound, Refuted, TooLarge, Unavailable
from node.federation.moving import Moved
from node.federation.pushes.incoming import KEPT_MS, ROOM_EVERY, SPARE_BYTES, Incoming, Upload
from node.federation.pushes.store import LIVES_MS, IncomingStore
from node.federation.transfer import Transfer

PEER, PID, PART = "https://helsinki.example", "urn:uuid:5d5bd5c8-5c5e-4e6c-8d41-7a3a6f1a2b3c", "trips/2026.csv"
WHOLE = bytes(range(256)) * 4_000
DIGEST = f"sha256:{hashlib.sha256(WHOLE).hexdigest()}"
MOST = 2 << 20


STANDS = Transfer(
    pid=PID,
    role="consumer",
    peer=PEER,
    other_pid="urn:uuid:1",
    other_url=PEER + "/dsp",
    state="STARTED",
    format="HttpData-PUSH",
    agreement="urn:uuid:2",
    dataset="https://d.example/1",
    part="",
    purpose="",
    jkt="",
    address={},
    clause="",
    used_at=0,
    receipt="",
    reason={},
    paused_by="",
    opened_by="",
    created_at=1,
    started_at=2,
    changed_at=3,
    ask_at=0,
    version=1,
)
WORD = Upload(0, len(WHOLE), is_last=True, etag='"1"', media_type="text/csv", digest="", filtered=False)


def upload(offset: int = 0, **changes: Any) -> Upload:
    return replace(WORD, offset=offset, **changes)


@dataclass
class Rig:
    """A door, the transfer it knows, and what was moved through it."""

    incoming: Incoming
    db: Database
    known: dict[str, Transfer] = field(default_factory=lambda: {PID: STANDS})

    def bring(self, pieces: bytes, one: Upload, part: str = PART) -> None:
        arrival = self.incoming.begin(PEER, PID, part, one)
        try:
            for begins in range(0, len(pieces), 100_000):
                arrival.write(pieces[begins : begins + 100_000])
            arrival.end()
        finally:
            arrival.close()

    def moved(self) -> list[Moved]:
        return list(self.incoming.moved(PID))

    def got(self, part: str = PART) -> int:
        return self.incoming.standing(PEER, PID, part).got


@pytest.fixture
def rig(db: Database, tmp_path: Path) -> Rig:
    known: dict[str, Transfer] = {PID: STANDS}

    def get(pid: str) -> Transfer:
        if pid not in known:
            raise NotFound("none")
        return known[pid]

    made = Incoming(IncomingStore(db), tmp_path / "in", transfer=get, max_bytes=MOST, stall_s=5, clock_ms=lambda: 7)
    return Rig(made, db, known)


@pytest.fixture
def small(db: Database, tmp_path: Path) -> tuple[Incoming, Path]:
    """A disk with room for 20 MiB beside what is left free."""
    folder, most = tmp_path / "in", SPARE_BYTES + (20 << 20)

    def free(_: Path) -> int:
        return most - sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())

    incoming = Incoming(
        IncomingStore(db),
        folder,
        transfer=lambda _: STANDS,
        max_bytes=1 << 40,
        stall_s=5,
        clock_ms=lambda: 7,
        free=free,
    )
    return incoming, folder


def test_what_was_announced_has_its_room_against_all_that_come_later(small: tuple[Incoming, Path]) -> None:
    incoming, _ = small
    first = incoming.begin(PEER, PID, "first", upload(length=12 << 20))
    with pytest.raises(Unavailable, match="no room"):
        incoming.begin(PEER, PID, "second", upload(length=9 << 20))
    beside = incoming.begin(PEER, PID, "beside", upload(length=7 << 20))
    unknown = incoming.begin(PEER, PID, "unknown", upload(length=-1))
    with pytest.raises(Unavailable, match="no room"):  # a byte more than what is left beside the two
        unknown.write(bytes((1 << 20) + 1))
    for arrival, many in ((first, 12), (beside, 7)):
        for _ in range(many):
            arrival.write(bytes(1 << 20))
        arrival.end()
    for arrival in (first, beside, unknown):
        arrival.close()


OTHER, OTHER_PID = "https://porto.example", "urn:uuid:0b5bd5c8-5c5e-4e6c-8d41-7a3a6f1a2b3c"


def test_a_peer_that_announces_much_and_sends_little_leaves_room_for_others(small: tuple[Incoming, Path]) -> None:
    incoming, _ = small
    incoming._transfer = lambda pid: STANDS if pid == PID else replace(STANDS, pid=pid, peer=OTHER)
    greedy = [incoming.begin(PEER, PID, f"g{number}", upload(length=4 << 20)) for number in range(5)]
    with pytest.raises(Unavailable, match="no room"):
        incoming.begin(PEER, PID, "more", upload(length=1 << 20))
    for each in greedy:
        each.write(b"x")
    with pytest.raises(Unavailable, match="no room"):  # three quarters are left for the others, and not all
        incoming.begin(OTHER, OTHER_PID, "big", upload(length=16 << 20))
    honest = incoming.begin(OTHER, OTHER_PID, "honest", upload(length=14 << 20))
    for _ in range(14):
        honest.write(bytes(1 << 20))
    assert honest.end().whole
    for each in (*greedy, honest):
        each.close()


def test_what_is_announced_beyond_the_share_takes_none_of_what_others_have(small: tuple[Incoming, Path]) -> None:
    incoming, _ = small
    incoming._transfer = lambda pid: STANDS if pid == PID else replace(STANDS, pid=pid, peer=OTHER)
    much = incoming.begin(PEER, PID, "much", upload(length=19 << 20))
    little = incoming.begin(OTHER, OTHER_PID, "little", upload(length=5 << 20))
    for _ in range(15):
        much.write(bytes(1 << 20))
    with pytest.raises(Unavailable, match="no room"):
        much.write(bytes(1 << 20))
    much.close()
    for _ in range(5):
        little.write(bytes(1 << 20))
    assert little.end().whole
    little.close()


def test_an_upload_that_goes_on_or_begins_again_is_not_in_its_own_way(small: tuple[Incoming, Path]) -> None:
    incoming, _ = small
    first = incoming.begin(PEER, PID, "first", upload(length=18 << 20))
    first.write(bytes(10 << 20))
    first.close()
    for offset, etag in ((10 << 20, '"1"'), (0, '"2"')):
        incoming.begin(PEER, PID, "first", upload(offset, length=18 << 20, etag=etag)).close()


def test_room_is_kept_for_who_runs_and_not_for_who_went(small: tuple[Incoming, Path]) -> None:
    incoming, _ = small
    now = [7]
    incoming._clock_ms = lambda: now[0]
    incoming.begin(PEER, PID, "went", upload(length=18 << 20)).close()
    runs = incoming.begin(PEER, PID, "little", upload(length=1 << 20))
    now[0] += LIVES_MS - 1
    runs._told = runs._looked = float("-inf")
    runs.check()
    now[0] += 1
    with pytest.raises(Unavailable, match="no room"):
        incoming.begin(PEER, PID, "all", upload(length=20 << 20))
    incoming.begin(PEER, PID, "all-but-that", upload(length=19 << 20)).close()
    runs.close()


def test_uploads_at_the_same_time_leave_the_disk_what_it_needs(small: tuple[Incoming, Path]) -> None:
    incoming, folder = small
    arrivals = [incoming.begin(PEER, PID, f"{at}.bin", upload(length=-1)) for at in range(3)]
    refused = 0
    for _ in range(16):
        for each in list(arrivals):
            try:
                each.write(bytes(1 << 20))
            except Unavailable:
                refused += 1
                each.close()
                arrivals.remove(each)
    for each in arrivals:
        each.close()
    taken = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    assert refused >= 2
    assert 12 << 20 < taken <= (20 << 20) + 3 * ROOM_EVERY + (3 << 20)


def test_a_disk_that_is_full_is_said_and_no_fault_of_ours(small: tuple[Incoming, Path]) -> None:
    arrival = small[0].begin(PEER, PID, PART, upload())
    arrival._file.close()
    with Path("/dev/full").open("r+b", buffering=0) as full:
        arrival._file = full
        with pytest.raises(Unavailable, match="no room"):
            arrival.write(b"a byte")


def test_a_part_that_comes_in_one_go_is_there_with_its_digest(rig: Rig) -> None:
    rig.bring(WHOLE, upload(digest=DIGEST))
    assert rig.incoming.file(PID, PART).read_bytes() == WHOLE
    assert rig.moved() == [Moved(PART, "text/csv", len(WHOLE), DIGEST)]
    assert rig.incoming.standing(PEER, PID, PART).whole


def test_nothing_of_a_part_is_to_be_seen_before_its_last_byte(rig: Rig) -> None:
    arrival = rig.incoming.begin(PEER, PID, PART, upload())
    arrival.write(WHOLE[:-1])
    arrival.close()
    with pytest.raises(NotFound):
        rig.incoming.file(PID, PART)
    assert rig.moved() == []
    assert rig.got() == len(WHOLE) - 1


@pytest.mark.parametrize("cut", [0, 1, 100_000, len(WHOLE) - 1])
def test_an_upload_goes_on_where_it_was_cut_and_is_the_same(rig: Rig, cut: int) -> None:
    arrival = rig.incoming.begin(PEER, PID, PART, upload())
    arrival.write(WHOLE[:cut])
    arrival.close()
    rig.bring(WHOLE[rig.got() :], upload(rig.got()))
    assert rig.incoming.file(PID, PART).read_bytes() == WHOLE
    assert rig.moved() == [Moved(PART, "text/csv", len(WHOLE), DIGEST)]


@pytest.mark.parametrize("offset", [1, 99, 101, 10**18])
def test_bytes_that_do_not_follow_what_is_here_are_refused_with_how_far_it_has_come(rig: Rig, offset: int) -> None:
    rig.bring(WHOLE[:100], upload(is_last=False))
    with pytest.raises(Conflict, match="100 bytes"):
        rig.incoming.begin(PEER, PID, PART, upload(offset, length=-1))
    assert rig.got() == 100


def test_another_version_begins_again_and_never_mixes_with_the_one_before(rig: Rig) -> None:
    rig.bring(WHOLE[:100], upload(is_last=False))
    with pytest.raises(Conflict):
        rig.incoming.begin(PEER, PID, PART, upload(100, etag='"2"'))
    rig.bring(b"another", upload(etag='"2"', length=7))
    assert rig.incoming.file(PID, PART).read_bytes() == b"another"


def test_a_filtered_part_always_begins_again_since_its_rows_may_be_others(rig: Rig) -> None:
    rig.bring(b"a,b\n1,2\n", upload(is_last=False, length=-1, filtered=True))
    rig.bring(b"a,b\n", upload(length=-1, filtered=True))
    assert rig.moved() == [
        Moved(PART, "text/csv", 4, f"sha256:{hashlib.sha256(b'a,b' + bytes([10])).hexdigest()}", True)
    ]


@pytest.mark.parametrize("said", [upload(digest=DIGEST.replace("a", "b")), upload(length=len(WHOLE) + 1)])
def test_what_is_not_what_was_announced_is_never_there(rig: Rig, said: Upload) -> None:
    with pytest.raises(Refuted):
        rig.bring(WHOLE, said)
    with pytest.raises(NotFound):
        rig.incoming.file(PID, PART)
    assert rig.got() == 0
    rig.bring(WHOLE, upload(digest=DIGEST))
    assert rig.moved()[0].digest == DIGEST


def test_more_than_was_announced_or_than_is_taken_is_cut_off(rig: Rig) -> None:
    with pytest.raises(TooLarge):
        rig.bring(WHOLE, upload(length=len(WHOLE) - 1))
    with pytest.raises(TooLarge):
        rig.bring(WHOLE * 3, upload(length=-1))
    with pytest.raises(TooLarge):
        rig.incoming.begin(PEER, PID, PART, upload(length=MOST + 1))
    with pytest.raises(TooLarge):
        rig.incoming.begin(PEER, PID, "huge", upload(length=1 << 62))


def test_one_part_has_one_writer(rig: Rig) -> None:
    first = rig.incoming.begin(PEER, PID, PART, upload())
    first.write(WHOLE[:10])
    with pytest.raises(AlreadyRunning):
        rig.incoming.begin(PEER, PID, PART, upload())
    rig.bring(b"x", upload(length=1), "other")
    first.close()
    assert rig.got() == 10


def test_an_empty_part_is_a_part(rig: Rig) -> None:
    rig.bring(b"", upload(length=0))
    assert rig.incoming.file(PID, PART).read_bytes() == b""
    assert rig.moved()[0].bytes == 0


def test_what_the_disk_has_lost_is_not_filled_with_zeros(rig: Rig, tmp_path: Path) -> None:
    rig.bring(WHOLE[:1000], upload(is_last=False))
    (lost,) = list(tmp_path.rglob("2026.csv"))
    lost.write_bytes(WHOLE[:10])
    with pytest.raises(Conflict, match="lost"):
        rig.incoming.begin(PEER, PID, PART, upload(1000))
    assert rig.got() == 0
    rig.bring(WHOLE, upload())
    assert rig.moved()[0].digest == DIGEST


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "provider"},
        {"format": "HttpData-PULL"},
        {"peer": "https://else.example"},
        {"part": "another.csv"},
    ],
)
def test_nobody_but_who_was_asked_brings_anything_but_what_was_asked(rig: Rig, changes: Any) -> None:
    rig.known[PID] = replace(STANDS, **changes)
    with pytest.raises(NotFound):
        rig.incoming.begin(PEER, PID, PART, upload())
    with pytest.raises(NotFound):
        rig.incoming.standing(PEER, PID, PART)


@pytest.mark.parametrize("state", ["", "REQUESTED", "SUSPENDED", "COMPLETED", "TERMINATED"])
def test_only_a_started_transfer_takes_anything_in(rig: Rig, state: Any) -> None:
    rig.known[PID] = replace(STANDS, state=state)
    with pytest.raises(Conflict):
        rig.incoming.begin(PEER, PID, PART, upload())


def test_a_suspension_ends_a_running_upload_and_what_came_is_kept(rig: Rig) -> None:
    arrival = rig.incoming.begin(PEER, PID, PART, upload())
    arrival.write(WHOLE[:10])
    rig.known[PID] = replace(rig.known[PID], sending=("suspend",))
    with pytest.raises(Conflict):
        arrival.check()
    with pytest.raises(Conflict):
        arrival.end()
    arrival.close()
    rig.known[PID] = STANDS
    assert rig.got() == 10


@pytest.mark.parametrize("part", ["../x", "a/../../x", "/etc/passwd", "a//b", "", "a/", ".hidden", "a" * 201])
def test_no_name_leads_out_of_the_folder(rig: Rig, part: str) -> None:
    with pytest.raises(Malformed):
        rig.incoming.begin(PEER, PID, part, upload())


def test_a_name_cannot_be_a_file_and_a_folder(rig: Rig) -> None:
    rig.bring(b"x", upload(length=1), "a")
    with pytest.raises(Conflict):
        rig.incoming.begin(PEER, PID, "a/b", upload())
    rig.bring(b"x", upload(length=1), "c/d")
    with pytest.raises(Conflict):
        rig.incoming.begin(PEER, PID, "c", upload())


@pytest.mark.parametrize(
    ("first", "second"), [("A.csv", "a.csv"), ("d/x", "D/X"), ("d", "D/x"), ("D/x", "d"), ("x", "d/.citynode-x/y")]
)
def test_parts_that_are_brought_are_named_as_those_that_are_pulled(rig: Rig, first: str, second: str) -> None:
    rig.bring(b"x", upload(length=1), first)
    with pytest.raises(Conflict):
        rig.incoming.begin(PEER, PID, second, upload(length=1))
    rig.bring(b"y", upload(length=1, etag='"2"'), first)


def test_of_two_names_that_are_one_only_the_first_to_begin_is_taken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rig.incoming._check_bounds

    def both_at_once(pid: str, part: str, one: Upload) -> None:
        before(pid, part, one)
        if part == "A.csv":
            rig.bring(b"x", upload(length=1), "a.csv")

    monkeypatch.setattr(rig.incoming, "_check_bounds", both_at_once)
    with pytest.raises(Conflict, match="one name"):
        rig.incoming.begin(PEER, PID, "A.csv", upload(length=1))


def swept(rig: Rig, after_ms: int = KEPT_MS + 1, *, wanted: bool = False) -> int:
    rig.incoming._clock_ms = lambda: 7 + after_ms
    return rig.incoming.sweep(lambda _: wanted)


@pytest.mark.parametrize("state", ["COMPLETED", "TERMINATED", None])
def test_what_nobody_took_of_a_push_that_is_over_is_removed_after_a_while(rig: Rig, tmp_path: Path, state: Any) -> None:
    rig.bring(WHOLE, upload())
    rig.bring(WHOLE[:9], upload(is_last=False), "half.csv")
    rig.known = {PID: replace(STANDS, state=state)} if state else {}
    rig.incoming._transfer = lambda pid: _get(rig.known, pid)
    assert swept(rig, KEPT_MS) == 0
    assert swept(rig, wanted=True) == 0
    assert list(tmp_path.rglob("*.csv"))
    assert swept(rig) == 1
    assert not list((tmp_path / "in").iterdir())
    assert rig.incoming.arrived(PID) == []
    assert swept(rig) == 0


def _get(known: dict[str, Transfer], pid: str) -> Transfer:
    if pid not in known:
        raise NotFound("none")
    return known[pid]


@pytest.mark.parametrize("changes", [{}, {"state": "SUSPENDED"}, {"state": "REQUESTED"}])
def test_nothing_is_removed_of_a_push_that_may_go_on(rig: Rig, changes: Any) -> None:
    rig.bring(WHOLE, upload())
    rig.known[PID] = replace(STANDS, **changes)
    assert swept(rig, 100 * KEPT_MS) == 0
    assert rig.incoming.file(PID, PART).is_file()


def test_a_folder_without_books_is_removed_once_it_is_old(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "a-b"
    (folder / "coming").mkdir(parents=True)
    (folder / "coming" / "x").write_bytes(b"x")
    now_ms = int(folder.stat().st_mtime * 1_000)
    assert swept(rig, now_ms + KEPT_MS - 60_000) == 0
    assert swept(rig, now_ms + KEPT_MS + 60_000) == 1
    assert not folder.exists()


def test_what_is_forgotten_leaves_nothing(rig: Rig, tmp_path: Path) -> None:
    rig.bring(WHOLE, upload())
    rig.incoming.forget(PID)
    assert list(tmp_path.rglob("*.csv")) == []
    assert rig.incoming.arrived(PID) == []
    with pytest.raises(NodeError):
        rig.incoming.file(PID, PART)
