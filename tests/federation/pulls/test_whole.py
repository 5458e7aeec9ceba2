"""Laws of what stands between the last byte and the name: a receipt is of what lies here, and what it is of stays.

Files of anybody else are never written to, nor replaced unless they were named; whatever goes wrong after both cities
have signed loses nothing and is tried again.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from node.assembly.clock import clock_ms
from node.errors import Conflict, PeerUnreachable, Stopped, Unavailable
from node.federation.pulls.guard import LOOK_S
from node.federation.pulls.store import Pull, Wanted
from node.federation.pushes.incoming import SPARE_BYTES
from node.keys import DAY_MS
from node.outbound import Reply
from tests.federation.agreed import agree as agreed
from tests.federation.agreed import change, permits
from tests.federation.cities import City, Request
from tests.federation.data.door_rig import BODY, PART
from tests.federation.pulls.rig import Own, agree, got, office, ranges, unfinished

pytestmark = pytest.mark.slow


def here(two: Own) -> dict[str, bytes]:
    """What lies in the folder that is asked for."""
    folder = two.folder / "here"
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def receipts(two: Own) -> list[list[tuple[str]]]:
    sql = "SELECT kind FROM receipt WHERE dataset = ?"
    return [city.sql(sql, two.dataset) for city in (two.london, two.helsinki)]


BOTH = [[("receipt",)], [("receipt",)]]


def once(two: Own, part: str, act: Callable[[], object]) -> list[int]:
    """Do something once, in the middle of a part."""
    done: list[int] = []

    def snap(request: Request, sent: int, _: int) -> int | None:
        if request.path.endswith(part) and sent and not done:
            done.append(sent)
            act()
        return None

    two.london.wire.snap = snap
    return done


def interrupted(two: Own, **wanted: str) -> Pull:
    """Get it as far as the middle of the part."""
    stop = threading.Event()

    def end() -> None:
        stop.set()
        time.sleep(3 * LOOK_S)

    once(two, PART, end)
    with pytest.raises(Stopped):
        got(two, stop=stop, **wanted)
    found: Pull = office(two.london).list()[0]
    return found


def failing(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the disk refuse so many times to give a file its name."""
    real, left = Path.replace, [times]

    def replace(self: Path, target: Path) -> Path:
        if ".citynode-" in str(self) and left[0]:
            left[0] -= 1
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)


# ---------------------------------------------------------------- what lies here is what is signed for


def test_a_file_that_was_removed_while_it_came_is_brought_again(two: Own) -> None:
    two.lay()
    agree(two)
    removed = once(two, PART, lambda: unfinished(two).unlink())
    pull = got(two)
    assert removed
    assert (pull.state, here(two)) == ("done", {PART: BODY})
    assert len(ranges(two)) == 2
    assert receipts(two) == BOTH


def test_a_part_that_changed_while_another_came_is_never_signed_for(two: Own) -> None:
    two.lay(b"a,b\n1,2\n", "first.csv")
    two.lay()
    agree(two)

    def spoil() -> None:
        with unfinished(two, "first.csv").open("r+b") as file:
            file.write(b"x")

    once(two, PART, spoil)
    assert got(two).state == "done"
    assert here(two) == {"first.csv": b"a,b\n1,2\n", PART: BODY}
    asked = [each.path for each in two.london.wire.asked if each.path.endswith("first.csv")]
    assert len(asked) == 2


def test_names_of_parts_never_meet_those_of_unfinished_files(two: Own) -> None:
    two.lay(b"first" * 1_000, "a.csv")
    two.lay(b"second" * 1_000, "a.csv.part")
    agree(two)
    lost: list[str] = []

    def bend(request: Request, reply: Reply) -> Reply:
        if request.path.endswith("/completion") and len(lost) < 2:
            lost.append(request.path)
            raise PeerUnreachable("The answer is lost.")
        return reply

    two.london.wire.bend = bend
    try:
        assert got(two).state == "done"
    finally:
        two.london.wire.bend = None
    assert len(lost) == 2
    assert here(two) == {"a.csv": b"first" * 1_000, "a.csv.part": b"second" * 1_000}
    assert receipts(two) == BOTH


def test_what_an_earlier_release_left_half_done_is_begun_anew_and_left_alone(two: Own) -> None:
    two.lay()
    agree(two)
    pull = interrupted(two)
    old = two.folder / "here" / f"{PART}.part"
    unfinished(two).rename(old)
    old.write_bytes(b"?" * 10)
    parts = {name: asdict(each) for name, each in pull.parts.items()}
    for each in parts.values():
        del each["mark"], each["named"]
    with two.london.node.db.write() as tx:
        tx.run("UPDATE pull SET parts = ? WHERE id = ?", json.dumps(parts), pull.id)
    assert got(two).id == pull.id
    assert here(two) == {PART: BODY, old.name: b"?" * 10}


# ---------------------------------------------------------------- what is anybody else's


def test_what_lies_beside_a_name_is_nobodys_business(two: Own) -> None:
    two.lay()
    agree(two)
    mine = two.folder / "here" / "x.csv.part"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    assert got(two, target=str(two.folder / "here" / "x.csv")).state == "done"
    assert here(two) == {"x.csv": BODY, "x.csv.part": b"mine"}


def test_a_file_that_was_named_is_replaced_and_not_before_all_is_signed_for(two: Own) -> None:
    two.lay()
    agree(two)
    target = two.folder / "x.csv"
    target.write_bytes(b"before")
    seen: list[bytes] = []
    once(two, PART, lambda: seen.append(target.read_bytes()))
    assert got(two, target=str(target)).state == "done"
    assert (seen, target.read_bytes()) == ([b"before"], BODY)


def test_in_a_folder_only_what_an_earlier_pull_left_there_is_replaced(two: Own) -> None:
    path = two.lay()
    two.lay(b"a,b\n", "more/small.csv")
    agree(two)
    assert got(two).state == "done"
    path.write_bytes(b"another version")
    assert got(two).state == "done"
    assert here(two) == {PART: b"another version", "more/small.csv": b"a,b\n"}
    (two.folder / "here" / PART).write_bytes(b"what we made of it")
    two.london.wire.forget()
    with pytest.raises(Conflict, match="not as an earlier pull") as told:
        got(two)
    assert PART in told.value.message
    assert not ranges(two), "before a byte is asked for"
    assert here(two) == {PART: b"what we made of it", "more/small.csv": b"a,b\n"}
    (two.folder / "here" / PART).unlink()
    (two.folder / "here" / PART).mkdir()
    with pytest.raises(Conflict, match="is a folder"):
        got(two)
    (two.folder / "there").write_bytes(b"no folder")
    with pytest.raises(Conflict, match="no folder"):
        got(two, target=f"{two.folder}/there/")


def test_of_two_pulls_that_bring_one_file_the_second_is_told_so(two: Own) -> None:
    two.lay()
    agree(two)
    pull = interrupted(two)
    other = Own(two.helsinki, two.london, two.folder / "other", number=1)
    other.folder.mkdir()
    other.lay(b"other")
    agreed(two.helsinki.node, two.london.node, records=[other.dataset], rules=permits("use"))
    with pytest.raises(Conflict, match=f"Pull {pull.id} brings"):
        got(other, target=f"{two.folder}/here/")
    assert got(two).id == pull.id
    assert here(two) == {PART: BODY}
    with pytest.raises(Conflict, match="not as an earlier pull of this dataset"):
        got(other, target=f"{two.folder}/here/")
    assert here(two) == {PART: BODY}


def test_what_is_had_for_one_purpose_does_not_lie_where_it_is_for_another(two: Own) -> None:
    desk = office(two.london)
    places = {
        desk._whole(Wanted(two.dataset, purpose))[0].target for purpose in ("", "AcademicResearch", "Marketing", "")
    }
    assert len(places) == 3
    for each in places:
        assert Path(each).is_relative_to(two.london.node.settings.data.absolute() / "received")


# ---------------------------------------------------------------- after the signature


def test_what_is_signed_for_and_cannot_be_named_waits_and_is_named_later(
    two: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.lay(b"a,b\n1,2\n", "first.csv")
    two.lay()
    agree(two)
    failing(monkeypatch, 1)
    with pytest.raises(Unavailable, match="Input/output error") as told:
        got(two)
    assert "signed for" in told.value.fix
    assert "first.csv" not in here(two)
    assert here(two)[PART] == BODY, "one that cannot be named holds up no other"
    two.settle()
    two.london.wire.forget()
    pull = got(two)
    assert (pull.state, here(two)) == ("done", {"first.csv": b"a,b\n1,2\n", PART: BODY})
    assert not ranges(two)
    assert receipts(two) == BOTH
    assert not list((two.folder / "here").glob(".*"))


def test_what_took_the_name_meanwhile_is_not_overwritten(two: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    two.lay()
    agree(two)
    failing(monkeypatch, 1)
    with pytest.raises(Unavailable):
        got(two)
    (two.folder / "here" / PART).write_bytes(b"somebody was quicker")
    with pytest.raises(Unavailable, match="is there already"):
        got(two)
    assert (two.folder / "here" / PART).read_bytes() == b"somebody was quicker"
    (two.folder / "here" / PART).unlink()
    assert got(two).state == "done"
    assert here(two) == {PART: BODY}


def test_what_got_its_name_may_be_taken_away_before_the_receipt_is_there(two: Own) -> None:
    two.lay()
    agree(two)
    lost: list[str] = []

    def bend(request: Request, reply: Reply) -> Reply:
        if request.path.endswith("/completion") and not lost:
            lost.append(request.path)
            (two.folder / "here" / PART).rename(two.folder / "taken")
            raise PeerUnreachable("The answer is lost.")
        return reply

    two.london.wire.bend = bend
    try:
        assert got(two).state == "done"
    finally:
        two.london.wire.bend = None
    assert (two.folder / "taken").read_bytes() == BODY
    assert receipts(two) == BOTH


def test_a_cancelled_pull_keeps_what_both_have_signed_for(two: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    two.lay()
    agree(two)
    failing(monkeypatch, 1)
    with pytest.raises(Unavailable):
        got(two)
    two.settle()
    assert office(two.london).cancel(office(two.london).list()[0].id).state == "cancelled"
    assert here(two) == {PART: BODY}
    assert receipts(two) == BOTH


def test_what_a_command_left_lying_ends_with_its_agreement(two: Own) -> None:
    two.lay()
    agreement = agree(two)
    pull, desk = interrupted(two), office(two.london)
    desk.due(clock_ms())
    assert desk.show(pull.id).state == "stopped"
    folder = unfinished(two).parent
    change(two.london.node, agreement, "suspended")
    desk.due(clock_ms())
    assert folder.exists(), "it may be resumed"
    change(two.london.node, agreement, "revoked", reason="It is over.")
    desk.due(clock_ms())
    ended = desk.show(pull.id)
    assert (ended.state, ended.said.split(" Get it")[0]) == ("failed", "The agreement was revoked.")
    assert not folder.exists()
    assert two.london.federation.moving.transfers.get(pull.transfer).is_final


def test_what_is_signed_for_is_not_given_up_with_its_agreement(two: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    two.lay()
    agreement, desk = agree(two), office(two.london)
    failing(monkeypatch, 1)
    with pytest.raises(Unavailable):
        got(two)
    change(two.london.node, agreement, "revoked", reason="It is over.")
    desk.due(clock_ms())
    assert desk.list()[0].state == "stopped"
    assert got(two).state == "done"
    assert here(two) == {PART: BODY}


# ---------------------------------------------------------------- disks and waits


def test_without_room_nothing_is_asked_for_and_what_came_stays(two: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    two.lay()
    agree(two)
    pull = interrupted(two)
    room = office(two.london)._runner._crew.bringer.room
    two.london.wire.forget()
    missing = len(BODY) - pull.got
    with monkeypatch.context() as full:
        full.setattr(room, "_free", lambda _: SPARE_BYTES + missing - 1)
        with pytest.raises(Unavailable, match="no room"):
            got(two)
        assert not ranges(two)
        assert unfinished(two).stat().st_size == pull.got
        assert office(two.london).list()[0].state == "stopped"
        full.setattr(room, "_free", lambda _: SPARE_BYTES + missing)
        assert got(two).state == "done"
    assert ranges(two) == [f"bytes={pull.got}-"]
    assert here(two) == {PART: BODY}


def test_a_consent_source_that_does_not_answer_is_waited_for_as_long_as_was_said(two: Own) -> None:
    two.lay()
    agree(two)
    said = {"type": "https://w3id.org/citynode/problems/consent-unknown", "detail": "The file cannot be read."}

    def bend(request: Request, reply: Reply) -> Reply:
        if "/data/" in request.path and request.path.endswith("/"):
            headers = {"content-type": "application/problem+json", "retry-after": "30"}
            return Reply(503, headers, json.dumps(said).encode())
        return reply

    two.london.wire.bend = bend
    begun = time.monotonic()
    try:
        pull = got(two, wait_s=1)
    finally:
        two.london.wire.bend = None
    assert time.monotonic() - begun < 8
    assert pull.state == "stopped"
    assert pull.said.startswith(f"The consent source of {two.helsinki.url} does not answer as it should: The file")
    assert got(two).state == "done"


def test_the_worker_lets_others_go_first_while_a_city_hardly_sends(two: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.federation.pulls.bringing.PACE_S", 0.001)
    monkeypatch.setattr("node.federation.pulls.bringing.LEAST_BYTES_S", 1 << 40)
    two.lay()
    agree(two)
    desk = office(two.london)
    number = desk.begin(Wanted(two.dataset)).id
    for _ in range(5):
        for each, _ in desk.due(clock_ms() + 60_000):
            desk.go_on(each, threading.Event())
        two.settle()
        if "sends less than" in desk.show(number).said:
            break
    slow = desk.show(number)
    assert (slow.state, "sends less than" in slow.said) == ("waiting", True)
    assert 0 < slow.got < len(BODY)
    assert slow.due_at > clock_ms() - 1_000
    desk.cancel(number)
    assert got(two).state == "done", "a person may wait as long as they like"
    assert hashlib.sha256((two.folder / "here" / PART).read_bytes()).hexdigest() == hashlib.sha256(BODY).hexdigest()


def test_a_receipt_that_is_erased_stands_nowhere_else_and_comes_back_at_neither_end(two: Own) -> None:
    two.lay()
    agree(two)
    pull = got(two)
    for city in (two.london, two.helsinki):
        evidence = city.federation.moving.evidencing
        (filed,) = [each for each in evidence.evidence.store.list() if each.dataset == two.dataset]
        proof = filed.document["proof"][0]["proofValue"]

        def copies(city: City = city, proof: str = proof) -> list[int]:
            tables = (("transfer", "receipt"), ("transfer_message", "body"), ("outgoing", "body"))
            sql = "SELECT count(*) FROM {} WHERE {} LIKE ?"
            return [city.sql(sql.format(*each), f"%{proof}%")[0][0] for each in tables]

        assert copies()[:2] == [1, 1]
        evidence.desk.erase(filed.record)
        assert copies() == [0, 0, 0]
        evidence.evidence.overdue(clock_ms() + 8 * DAY_MS)
    assert receipts(two) == [[], []]
    assert (pull.state, here(two)) == ("done", {PART: BODY})
