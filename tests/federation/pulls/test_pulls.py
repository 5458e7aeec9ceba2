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
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.errors import AlreadyRunning, Conflict, NotAgreed, NotFound, Refused, SourceUnreachable, Stopped
from node.federation.moving import PUSH
from node.federation.policy.terms import DPV
from node.federation.pulls.guard import LOOK_S
from node.federation.pulls.runner import Runner
from node.federation.pulls.store import Wanted, holder, is_gone
from node.federation.pushes.incoming import Upload
from node.federation.transfer import Step
from tests.federation.agreed import RESEARCH, SERVICES, atom, change, now_ms, permits
from tests.federation.agreed import agree as agreed
from tests.federation.cities import Request
from tests.federation.data.door_rig import BODY, PART
from tests.federation.pulls.rig import Own, agree, cut_once, got, office, ranges, unfinished

DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


pytestmark = pytest.mark.slow


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
    stop = threading.Event()

    def snap(_: Request, sent: int, __: int) -> int | None:
        if sent and not stop.is_set():
            stop.set()
            time.sleep(3 * LOOK_S)
        return None

    two.london.wire.snap = snap
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
    stop = threading.Event()

    def snap(_: Request, sent: int, __: int) -> int | None:
        if sent and not stop.is_set():
            stop.set()
            time.sleep(3 * LOOK_S)
        return None

    two.london.wire.snap = snap
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


def test_a_revocation_ends_it_clearly_and_removes_what_is_not_whole(two: Own) -> None:
    two.lay()
    agreement = agree(two)

    def snap(_: Request, sent: int, __: int) -> int | None:
        if sent:
            change(two.helsinki.node, agreement, "revoked", reason="It is over.")
            time.sleep(1.2)
        return None

    two.london.wire.snap = snap
    with pytest.raises(NotAgreed, match="revoked"):
        got(two)
    pull = office(two.london).list(ended=True)[0]
    assert pull.state == "failed"
    assert not list((two.folder / "here").iterdir())


def test_a_suspension_stops_it_and_it_goes_on_afterwards(two: Own) -> None:
    two.lay()
    agree(two)
    held: list[str] = []

    def snap(_: Request, sent: int, __: int) -> int | None:
        if sent and not held:
            theirs = two.helsinki.federation.moving.transfers
            held.extend(each.pid for each in theirs.open() if each.dataset == two.dataset)
            theirs.step(held[0], Step("suspend", code="pause", reasons=("We look at something.",)))
            time.sleep(1.2)
        return None

    two.london.wire.snap = snap
    pull = got(two, wait_s=1)
    assert pull.state == "stopped"
    assert "We look at something." in pull.said
    two.helsinki.federation.moving.transfers.step(held[0], Step("resume"))
    assert got(two).state == "done"
    assert (two.folder / "here" / PART).read_bytes() == BODY


def test_without_an_agreement_nothing_is_requested_and_the_reason_is_told(two: Own) -> None:
    two.lay()
    with pytest.raises(NotAgreed, match="No agreement"):
        got(two)
    agree(two, atom("purpose", "isAnyOf", [RESEARCH]))
    with pytest.raises(NotAgreed, match="AcademicResearch"):
        got(two)
    with pytest.raises(NotAgreed):
        got(two, purpose=SERVICES)
    assert not [each for each in two.london.federation.moving.transfers.list() if each.dataset == two.dataset]
    assert got(two, purpose="AcademicResearch").state == "done"


def test_a_part_that_is_not_there_is_refused_with_one_reason(two: Own) -> None:
    two.lay()
    agree(two)
    with pytest.raises(Refused) as told:
        got(two, part="none.csv")
    assert told.value.code == "refused", "there is an agreement: it is the wish that is wrong"
    assert told.value.message.startswith("Our request was refused: ")
    assert str(told.value).count("Mend what it names") == 1


def test_access_is_asked_for_once_and_the_pull_goes_on_when_it_is_agreed(two: Own) -> None:
    two.lay()
    for _ in range(2):
        pull = got(two, purpose="AcademicResearch", ask=True, wait_s=0)
        assert (pull.state, bool(pull.negotiation)) == ("stopped", True)
    theirs = two.helsinki.federation.dsp.negotiations.list()
    assert [each.state for each in theirs if each.target == two.dataset] == ["REQUESTED"]
    agree(two, atom("purpose", "isAnyOf", [RESEARCH]))
    assert got(two, purpose="AcademicResearch", ask=True).state == "done"


def two_agreements(two: Own) -> tuple[str, str]:
    """One that permits it, and a newer one that Helsinki refuses for good: nobody said whose data these are."""
    helsinki, london = two.helsinki.node, two.london.node
    older = agreed(helsinki, london, records=[two.dataset], rules=permits("use"), at_ms=now_ms() - 60_000)
    by_consent = {"legalBasis": DPV + "Consent", "transferBasis": "adequacy"}
    newer = agreed(helsinki, london, records=[two.dataset], rules=permits("use"), **by_consent)
    return older, newer


def test_an_agreement_that_is_refused_does_not_hide_one_that_permits(two: Own) -> None:
    two.lay()
    older, newer = two_agreements(two)
    pull = got(two)
    assert (pull.state, pull.agreement) == ("done", older)
    tried = [each.agreement for each in two.london.federation.moving.transfers.list() if each.dataset == two.dataset]
    assert sorted(tried) == sorted((older, newer))


def test_an_agreement_that_is_named_is_the_only_one_that_is_tried(two: Own) -> None:
    two.lay()
    older, newer = two_agreements(two)
    with pytest.raises(Refused, match="not marked"):
        got(two, agreement=newer)
    assert got(two, agreement=older.rpartition("/")[2][:8], ask=True).agreement == older
    with pytest.raises(NotAgreed, match="No agreement"):
        got(two, agreement=f"{two.helsinki.url}/agreements/none")
    tried = [each.agreement for each in two.london.federation.moving.transfers.list() if each.dataset == two.dataset]
    assert sorted(tried) == sorted((older, newer))


def test_what_every_agreement_is_refused_for_fails_and_may_be_tried_again(two: Own) -> None:
    two.lay()
    agreed_on = [
        agreed(
            two.helsinki.node, two.london.node, records=[two.dataset], rules=permits("use"), legalBasis=DPV + "Consent"
        )
        for _ in range(2)
    ]
    desk, transfers = office(two.london), two.london.federation.moving.transfers
    with pytest.raises(Refused):
        got(two)
    tried = [each.agreement for each in transfers.list() if each.dataset == two.dataset]
    assert sorted(tried) == sorted(agreed_on), "each once"
    failed = desk.list(ended=True)[0]
    desk.resume(failed.id)
    with pytest.raises(Refused):
        got(two)
    assert len([each for each in transfers.list() if each.dataset == two.dataset]) == 4


def test_several_parts_go_into_a_folder_and_one_file_takes_one(two: Own) -> None:
    two.lay()
    two.lay(b"a,b\n1,2\n", "more/small.csv")
    agree(two)
    with pytest.raises(Conflict, match="2 parts"):
        got(two, target=str(two.folder / "one.csv"))
    one = got(two, target=str(two.folder / "one.csv"), part="more/small.csv")
    assert (one.state, (two.folder / "one.csv").read_bytes()) == ("done", b"a,b\n1,2\n")
    assert got(two).state == "done"
    assert (two.folder / "here" / "more" / "small.csv").read_bytes() == b"a,b\n1,2\n"
    assert (two.folder / "here" / PART).read_bytes() == BODY


def test_of_several_parts_none_has_its_name_before_all_are_signed_for(two: Own) -> None:
    two.lay(b"a,b\n1,2\n", "first.csv")
    two.lay()
    agreement = agree(two)

    def snap(request: Request, sent: int, __: int) -> int | None:
        if request.path.endswith(PART) and sent:
            assert unfinished(two, "first.csv").is_file()
            change(two.helsinki.node, agreement, "revoked", reason="It is over.")
            time.sleep(1.2)
        return None

    two.london.wire.snap = snap
    with pytest.raises(NotAgreed, match="revoked"):
        got(two)
    assert not list((two.folder / "here").iterdir())


def test_what_was_whole_before_an_interruption_is_signed_for_only_if_it_still_is(two: Own) -> None:
    two.lay(b"a,b\n1,2\n", "first.csv")
    two.lay()
    agree(two)
    stop = threading.Event()

    def snap(request: Request, sent: int, __: int) -> int | None:
        if request.path.endswith(PART) and sent and not stop.is_set():
            stop.set()
            time.sleep(3 * LOOK_S)
        return None

    two.london.wire.snap = snap
    with pytest.raises(Stopped):
        got(two, stop=stop)
    unfinished(two, "first.csv").write_bytes(b"a,b\n9,9\n")
    assert got(two).state == "done"
    assert (two.folder / "here" / "first.csv").read_bytes() == b"a,b\n1,2\n"
    assert (two.folder / "here" / PART).read_bytes() == BODY
    assert sorted(path.name for path in (two.folder / "here").iterdir()) == ["first.csv", PART]


def test_of_a_push_that_the_other_city_ends_nothing_stays_here(two: Own) -> None:
    two.lay()
    agreement = agree(two)
    assert got(two, format=PUSH, wait_s=1).state == "stopped"  # nobody brings anything in this test
    transfer = two.london.federation.moving.transfers.get(office(two.london).list()[0].transfer)
    incoming = two.london.federation.moving.incoming
    whole = Upload(0, 3, is_last=True, etag='"1"', media_type="text/csv", digest="", filtered=False)
    arrival = incoming.begin(two.helsinki.url, transfer.pid, PART, whole)
    arrival.write(b"a,b")
    arrival.end()
    arrival.close()
    assert incoming.file(transfer.pid, PART).is_file()
    change(two.helsinki.node, agreement, "revoked", reason="It is over.")
    for _ in range(20):
        two.settle()
        if two.london.federation.moving.transfers.get(transfer.pid).is_final:
            break
    with pytest.raises(NotAgreed):
        got(two, format=PUSH)
    assert not incoming.arrived(transfer.pid)
    assert not [path for path in (two.london.node.settings.data / "incoming").rglob("*") if path.is_file()]


def test_a_push_of_several_parts_to_one_file_that_was_complete_before_anybody_looked_is_not_lost(two: Own) -> None:
    two.lay()
    agree(two)
    target = f"{two.folder}/one.csv"
    assert got(two, format=PUSH, target=target, wait_s=1).state == "stopped"  # nobody brings anything in this test
    transfer = two.london.federation.moving.transfers.get(office(two.london).list()[0].transfer)
    incoming = two.london.federation.moving.incoming
    for name in ("a.csv", "b.csv"):
        whole = Upload(0, 3, is_last=True, etag='"1"', media_type="text/csv", digest="", filtered=False)
        arrival = incoming.begin(two.helsinki.url, transfer.pid, name, whole)
        arrival.write(b"a,b")
        arrival.end()
        arrival.close()
    with two.london.node.db.write() as tx:  # the other city has said so, and both have signed
        tx.run("UPDATE transfer SET state = 'COMPLETED' WHERE pid = ?", transfer.pid)
    pull = got(two, format=PUSH, target=target)
    assert (pull.state, pull.target) == ("done", f"{target}/")
    assert {path.name: path.read_bytes() for path in (two.folder / "one.csv").iterdir()} == {
        "a.csv": b"a,b",
        "b.csv": b"a,b",
    }
    assert not [path for path in (two.london.node.settings.data / "incoming").rglob("*") if path.is_file()]


class Cupboard:
    """A store elsewhere, which may be away."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.away = 1

    def put(self, location: str, source: Any, *, size: int | None = None, **_: object) -> int:
        if self.away:
            self.away -= 1
            raise SourceUnreachable("The store is away.")
        self.held[location] = b"".join(iter(lambda: source.read(1 << 16), b""))
        assert size == len(self.held[location])
        return size


def test_what_goes_to_a_store_elsewhere_is_put_there_whole_before_it_is_signed_for(two: Own) -> None:
    two.lay()
    two.lay(b"a,b", "more/small.csv")
    agree(two)
    desk, cupboard = office(two.london), Cupboard()
    crew = replace(desk._runner._crew, sinks=cupboard)
    runner, desk._runner = desk._runner, Runner(crew)
    try:
        with pytest.raises(SourceUnreachable, match="away"):
            got(two, target="s3://bucket/noise/")
        assert two.london.federation.moving.transfers.get(desk.list()[0].transfer).state == "STARTED"
        two.london.wire.forget()
        pull = got(two, target="s3://bucket/noise/")
    finally:
        desk._runner = runner
    assert pull.state == "done"
    assert cupboard.held == {f"s3://bucket/noise/{PART}": BODY, "s3://bucket/noise/more/small.csv": b"a,b"}
    assert not ranges(two), "it was here already"
    assert not (two.london.node.settings.data / "pulls" / str(pull.id)).exists()


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
    stop = threading.Event()

    def snap(_: Request, sent: int, __: int) -> int | None:
        if sent and not stop.is_set():
            stop.set()
            time.sleep(3 * LOOK_S)
        return None

    two.london.wire.snap = snap
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
