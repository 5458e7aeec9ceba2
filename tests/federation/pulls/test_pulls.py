"""Laws of pulls between two whole cities in one process: what comes is exact or not there, whatever happens on the way.

London gets data of Helsinki under an agreement; the wire between them can be cut anywhere, and either side may say that
it is over.
"""

import hashlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from node.assembly.clock import clock_ms
from node.errors import AlreadyRunning, Conflict, NotFound, SourceUnreachable, Stopped
from node.federation.pulls.store import Wanted, holder, is_gone
from tests.federation.cities import Request
from tests.federation.data.door_rig import BODY, PART
from tests.federation.pulls.rig import Own, agree, cut_once, got, office, ranges, stopped_within, unfinished

pytestmark = pytest.mark.slow

DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


def test_what_is_got_is_the_same_and_both_sides_have_signed_for_it(two: Own) -> None:
    two.lay()
    agreement = agree(two)
    pull = got(two)
    assert (pull.state, pull.agreement, pull.got, pull.total) == ("done", agreement, len(BODY), len(BODY))
    assert (two.folder / "here" / PART).read_bytes() == BODY
    assert pull.parts[PART].digest == DIGEST
    assert sorted(each.name for each in (two.folder / "here").iterdir()) == [PART]
    for city in (two.london, two.helsinki):
        assert city.sql("SELECT kind FROM receipt WHERE dataset = ?", two.dataset) == [("receipt",)]
    assert two.london.federation.moving.transfers.get(pull.transfer).state == "COMPLETED"


@pytest.mark.parametrize("at", [700_001, len(BODY) - 1])
def test_a_cut_is_gone_on_with_at_the_very_byte(two: Own, at: int) -> None:
    two.lay()
    agree(two)
    cuts = cut_once(two, at)
    pull = got(two)
    assert cuts == [at]
    assert pull.state == "done"
    assert (two.folder / "here" / PART).read_bytes() == BODY
    assert ranges(two) == ["", f"bytes={at}-" if at else ""]


def test_a_pull_that_was_interrupted_goes_on_by_the_same_wish(two: Own) -> None:
    two.lay()
    agree(two)
    stop = stopped_within(two)
    with pytest.raises(Stopped):
        got(two, stop=stop)
    part = unfinished(two)
    before = office(two.london).list()[0]
    assert before.state == "stopped"
    assert 0 < part.stat().st_size == before.got < len(BODY)
    pull = got(two)
    assert (pull.id, pull.transfer, pull.state) == (before.id, before.transfer, "done")
    assert (two.folder / "here" / PART).read_bytes() == BODY
    assert ranges(two)[-1] == f"bytes={before.got}-"
    assert not part.exists()


@pytest.mark.parametrize(
    ("left", "asked"), [(BODY[:900_000], ["bytes=900000-"]), (b"!" * 900_000, ["bytes=900000-", ""])]
)
def test_what_a_kill_left_is_used_as_far_as_a_digest_tells_that_it_is_good(
    two: Own, left: bytes, asked: list[str]
) -> None:
    two.lay()
    two.helsinki.federation.moving.origin_parts.digests.round(threading.Event())
    agree(two)
    stop = stopped_within(two)
    with pytest.raises(Stopped):
        got(two, stop=stop)
    unfinished(two).write_bytes(left)  # written and not yet noted
    two.london.wire.forget()
    assert got(two).state == "done"
    assert (two.folder / "here" / PART).read_bytes() == BODY
    assert ranges(two) == asked


def test_what_changed_at_its_origin_is_begun_again_and_never_mixed(two: Own) -> None:
    path = two.lay()
    agree(two)
    other = bytes(reversed(BODY)) + b"longer"
    cuts = cut_once(two, 500_000)
    before = two.london.wire.snap

    def snap(request: Request, sent: int, length: int) -> int | None:
        keep = before(request, sent, length)
        if keep is not None:
            path.write_bytes(other)
        return keep

    two.london.wire.snap = snap
    pull = got(two)
    assert cuts == [500_000]
    assert pull.state == "done"
    assert (two.folder / "here" / PART).read_bytes() == other
    assert pull.parts[PART].digest == f"sha256:{hashlib.sha256(other).hexdigest()}"


def test_the_worker_brings_what_was_asked_for_over_the_network(two: Own) -> None:
    two.lay()
    agree(two)
    desk = office(two.london)
    begun = desk.begin(Wanted(two.dataset, by="somebody"))
    assert desk.begin(Wanted(two.dataset, by="somebody")).id == begun.id
    for _ in range(20):
        for number, _ in desk.due(clock_ms() + 60_000):
            desk.go_on(number, threading.Event())
        two.settle()
        if desk.show(begun.id).is_over:
            break
    done = desk.show(begun.id)
    assert done.state == "done"
    assert Path(done.parts[PART].file).read_bytes() == BODY
    assert Path(done.parts[PART].file).is_relative_to(two.london.node.settings.data.absolute())


def test_a_cancelled_pull_leaves_nothing_and_ends_its_transfer(two: Own) -> None:
    two.lay()
    agree(two)
    stop = stopped_within(two)
    with pytest.raises(Stopped):
        got(two, stop=stop)
    desk = office(two.london)
    pull = desk.cancel(desk.list()[0].id)
    two.settle()
    assert pull.state == "cancelled"
    assert not list((two.folder / "here").iterdir())
    assert two.london.federation.moving.transfers.get(pull.transfer).state == "TERMINATED"
    with pytest.raises(Conflict):
        desk.cancel(pull.id)


def test_of_what_stands_in_the_way_here_the_other_city_hears_no_place(two: Own) -> None:
    two.lay()
    agree(two)
    (two.folder / "here" / PART).mkdir(parents=True)
    with pytest.raises(Conflict, match=str(two.folder)):
        got(two)
    two.settle()
    theirs = next(each for each in two.helsinki.federation.moving.transfers.list() if each.dataset == two.dataset)
    assert (theirs.state, theirs.code) == ("TERMINATED", "conflict")
    assert theirs.reasons == ("The city that asked for the data cannot take them (conflict).",)


def test_a_failed_pull_begins_with_a_new_transfer_and_nothing_of_the_old(two: Own) -> None:
    two.lay()
    two.lay(b"small", "small.csv")
    agree(two)
    desk = office(two.london)
    with pytest.raises(Conflict):
        got(two, target=str(two.folder / "one.csv"))
    failed = desk.list(ended=True)[0]
    again = desk.resume(failed.id)
    assert (again.state, again.transfer, again.parts, again.got) == ("waiting", "", {}, 0)
    with pytest.raises(Conflict):
        desk.resume(desk.cancel(failed.id).id)


def test_whoever_comes_while_another_is_at_it_waits_and_takes_over_what_was_killed(
    two: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.federation.pulls.store.LEASE_MS", 700)
    two.lay()
    pull = got(two, wait_s=0, purpose="AcademicResearch", ask=True)  # nobody agrees to it
    store = two.london.federation.moving.pulling.store
    store.claim(pull.id, "command of one that was killed", clock_ms())
    with pytest.raises(AlreadyRunning):
        got(two, wait_s=0, purpose="AcademicResearch", ask=True)
    agree(two)
    assert got(two, purpose="AcademicResearch", ask=True).id == pull.id


def test_a_silent_city_is_not_waited_for_without_end(two: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    two.lay()
    agree(two)
    monkeypatch.setattr("node.federation.pulls.download.MAX_TRIES", 2)
    two.london.wire.snap = lambda _request, _sent, _length: 0
    with pytest.raises(SourceUnreachable):
        got(two)
    assert office(two.london).list()[0].state == "stopped"


def test_a_name_that_nobody_has_is_no_dataset(two: Own) -> None:
    with pytest.raises(NotFound):
        got(two, dataset="Nothing of the kind")


def test_who_is_known_to_be_gone_is_not_waited_for() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    assert not is_gone(holder("command"))
    gone.wait()
    dead = holder("command").replace(str(os.getpid()), str(gone.pid))
    assert is_gone(dead)
    for other in (
        f"{dead}-elsewhere",
        "worker",
        "command x on here",
        f"command {'9' * 30} on {socket.gethostname()}",
        "",
    ):
        assert not is_gone(other)
