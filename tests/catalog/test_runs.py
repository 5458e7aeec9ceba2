"""Laws of honest runs: what state they are in, who may stop them, and what becomes of one that died."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.catalog import runs as module
from node.catalog import watch
from node.catalog.runs import ENDED, SILENT_MS, Run, RunRow
from node.errors import AlreadyRunning, JournalBusy, NotFound
from tests.catalog.rig import ID, City, counts, dataset, datasets, make_city, turtle
from tests.portal_server import PortalServer, page, wait_until

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

NOW = 1_800_000_000_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def start(city: City, source: str = "portal", *, now_ms: int = NOW, dry: bool = False) -> Run:
    return city.node.runs.start(source, dry=dry, trigger="test", now_ms=now_ms, deadline_ms=now_ms + 1000)


def set_holder(city: City, run: Run, holder: str) -> None:
    with city.node.db.write() as tx:
        tx.run("UPDATE run SET pid_host = ? WHERE id = ?", holder, run.id)


# --- states


def test_a_run_is_running_until_it_is_finished(city: City) -> None:
    run = start(city)
    assert (run.state, run.stage, run.started_ms, run.heartbeat_ms, run.ended_ms) == ("running", "reach", NOW, NOW, 0)
    assert run.is_ours()
    run.counters.added = 3
    run.notes = ["tä"]
    run.ranges = [("open-data", 1, 3)]
    city.node.runs.finish(run, "succeeded", "", now_ms=NOW + 5)
    held = city.node.runs.get(run.id)
    assert (held.state, held.ended_ms, held.counters.added, held.notes) == ("succeeded", NOW + 5, 3, ["tä"])
    assert held.ranges == [("open-data", 1, 3)]


def test_a_source_has_one_run_at_a_time(city: City) -> None:
    run = start(city)
    with pytest.raises(AlreadyRunning, match=f"citynode harvest cancel {run.id}"):
        start(city)
    start(city, "another")
    city.node.runs.finish(run, "failed", "x", now_ms=NOW)
    assert start(city).id != run.id


def test_there_is_no_run_of_another_number(city: City) -> None:
    for act in (city.node.runs.get, lambda number: city.node.runs.request_cancel(number, now_ms=NOW)):
        with pytest.raises(NotFound, match="citynode harvest list"):
            act(7)


def test_runs_are_listed_newest_first_and_by_source(city: City) -> None:
    ids = []
    for source in ("a", "b", "a"):
        run = start(city, source)
        ids.append(run.id)
        city.node.runs.finish(run, "succeeded", "", now_ms=NOW)
    assert [run.id for run in city.node.runs.list()] == ids[::-1]
    assert [run.id for run in city.node.runs.list("a")] == [ids[2], ids[0]]
    assert [run.id for run in city.node.runs.list(limit=1)] == [ids[2]]


def test_the_newest_real_run_is_no_dry_one_and_may_have_to_have_read(city: City) -> None:
    for dry, read in ((False, 5), (False, 0), (True, 9)):
        run = start(city, dry=dry)
        run.counters.read = read
        city.node.runs.finish(run, "succeeded", "", now_ms=NOW)
    newest = city.node.runs.newest("portal")
    walked = city.node.runs.newest("portal", walked=True)
    assert newest is not None
    assert walked is not None
    assert (newest.id, walked.id) == (2, 1)
    assert city.node.runs.newest("nobody") is None


def test_old_runs_go_with_their_rows(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    with city.node.db.write() as tx:
        tx.many("INSERT INTO run (source, state) VALUES (?, 'failed')", [("portal",)] * 200)
        tx.run("INSERT INTO run_row (run_id, n, change) SELECT id, 1, 'refused' FROM run")
    for _ in range(3):
        run = start(city)
        with city.node.db.write() as tx:
            city.node.runs.add_rows(tx, run.id, [RunRow("refused", "k", "", "t", "o", "c", "m")])
            tx.run("UPDATE run SET state = 'failed' WHERE id = ?", run.id)
    (kept,) = city.sql("SELECT count(*), min(id) FROM run")
    assert kept == (200, 4)
    assert city.sql("SELECT count(*), min(run_id) FROM run_row") == [(200, 4)]


def test_the_rest_of_a_run_is_guessed_from_its_rate(city: City) -> None:
    run = start(city)
    assert run.eta_ms(NOW + 1000) is None
    run.counters.read, run.counters.total = 25, 100
    assert run.eta_ms(NOW + 1000) == 3000
    run.counters.read = 100
    assert run.eta_ms(NOW + 1000) == 0
    run.state = "succeeded"
    assert run.eta_ms(NOW + 1000) is None


def test_rows_keep_their_order_and_odd_characters(city: City) -> None:
    run = start(city)
    odd = "a\x00b\ud800c\u2028" + "x" * 5000
    with city.node.db.write() as tx:
        city.node.runs.add_rows(tx, run.id, [RunRow("refused", "k\x00", "", odd, odd, "c", odd)])
    with city.node.db.write() as tx:
        city.node.runs.add_rows(
            tx, run.id, [RunRow("held", "second", "", "", "", "", ""), RunRow("note", "3", *[""] * 5)]
        )
    rows = city.node.runs.rows(run.id)
    assert [row.source_key for row in rows] == ["k\ufffd", "second", "3"]
    assert rows[0].title.startswith("a\ufffdb\ufffdc\u2028x")
    assert (len(rows[0].title), len(rows[0].message)) == (300, 2000)
    assert [row.source_key for row in city.node.runs.rows(run.id, "held")] == ["second"]
    assert len(city.node.runs.rows(run.id, limit=2)) == 2


def test_odd_characters_of_a_source_end_no_run(city: City) -> None:
    """PostgreSQL holds no NUL, so it must not reach a table, wherever it stood."""
    text = turtle(
        '[] a dcat:Dataset ; dct:identifier "i\\u0000d" ; dct:title "NUL \\u0000 here" .',
        '[] a dcat:Dataset ; dct:title "Nameless \\u0000" ; dct:publisher "Own\\u0000er" .',
        'd:x a dcat:Dataset ; dct:identifier "\\u0000" ; dct:publisher [ foaf:name "Own\\u0000er" ] .',
        dataset("y", more='; dct:accrualPeriodicity "so\\u0000metimes" ; dct:license "\\u0000"'),
    )
    for more in ({"dry_run": True}, {}):
        run = city.harvest(text, **more)
        assert run.state == "partial", run.reason
        assert counts(run) == {"added": 2, "refused": 2}
    assert counts(city.run(full=True)) == {"unchanged": 2, "refused": 2}


# --- dead runs


@pytest.fixture
def dead() -> Iterator[str]:
    """The mark of a process that was killed, first as its parent has not looked yet."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    mark = f"{child.pid}:{module._started(child.pid)}@{socket.gethostname()}"
    child.kill()
    wait_until(lambda: Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    yield mark
    child.wait()


def test_a_run_whose_process_is_gone_is_failed_at_the_next_look(city: City, dead: str) -> None:
    run = start(city)
    set_holder(city, run, dead)
    assert city.node.runs.bury_dead(NOW + 1) == 1
    held = city.node.runs.get(run.id)
    assert (held.state, held.ended_ms) == ("failed", NOW + 1)
    assert "Run it again" in held.reason
    assert city.node.runs.bury_dead(NOW + 1) == 0


def test_a_dead_run_keeps_nobody_from_starting_the_next(city: City, dead: str) -> None:
    run = start(city)
    set_holder(city, run, dead)
    again = start(city, now_ms=NOW + 1)
    assert city.node.runs.get(run.id).state == "failed"
    assert again.state == "running"


def test_a_process_number_that_is_used_again_is_somebody_else(city: City) -> None:
    run = start(city)
    set_holder(city, run, f"{os.getpid()}:1@{socket.gethostname()}")
    assert city.node.runs.bury_dead(NOW) == 1


def test_a_run_on_another_host_is_dead_when_it_is_silent_for_ten_minutes(city: City) -> None:
    run = start(city)
    set_holder(city, run, "12345:1@elsewhere")
    assert city.node.runs.bury_dead(NOW + SILENT_MS) == 0
    city.node.runs.beat(run, now_ms=NOW + SILENT_MS)
    assert city.node.runs.bury_dead(NOW + SILENT_MS + 1) == 0
    assert city.node.runs.bury_dead(NOW + 2 * SILENT_MS + 1) == 1


def test_a_living_run_is_left_alone(city: City) -> None:
    run = start(city)
    assert city.node.runs.bury_dead(NOW + SILENT_MS) == 0
    assert city.node.runs.get(run.id).state == "running"


def test_a_run_that_was_declared_dead_does_not_come_back_to_life(city: City) -> None:
    run = start(city)
    assert city.node.runs.bury_dead(NOW + SILENT_MS + 1) == 1
    assert city.node.runs.beat(run, now_ms=NOW), "it must stop"
    assert city.node.runs.is_cancelled(run.id)
    run.counters.added = 2
    city.node.runs.finish(run, "succeeded", "", now_ms=NOW + 9)
    held = city.node.runs.get(run.id)
    assert (held.state, held.counters.added) == ("failed", 2)
    assert run.state == "failed"


# --- cancelling, deadlines, signs of life


def in_thread(city: City, runs: list[Run], name: str = "portal") -> threading.Thread:
    thread = threading.Thread(target=lambda: runs.append(city.run(name)), daemon=True)
    thread.start()
    return thread


def running(city: City) -> Run | None:
    return next((run for run in city.node.runs.list() if run.state == "running"), None)


def cancel_and_wait(city: City, thread: threading.Thread, within_s: float = 2.0) -> None:
    run = running(city)
    assert run is not None
    city.node.runs.request_cancel(run.id, now_ms=now_ms())
    begun = time.monotonic()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - begun < within_s
    held = city.node.runs.get(run.id)
    assert held.state == "cancelled", held.reason
    assert "Somebody cancelled it" in held.reason


@pytest.mark.slow
def test_a_run_is_cancelled_within_two_seconds_while_its_portal_drips(city: City, portal: PortalServer) -> None:
    portal.pages["/c"] = portal.drip(datasets(1).encode() * 100)
    city.add(f"{portal.url}/c")
    runs: list[Run] = []
    thread = in_thread(city, runs)
    wait_until(lambda: bool(portal.asked))
    cancel_and_wait(city, thread)
    assert counts(runs[0]) == {}
    assert list((city.folder / "work").iterdir()) == []


@pytest.mark.slow
def test_a_run_is_cancelled_while_a_later_page_drips_and_its_reason_is_the_cancelling(
    city: City, portal: PortalServer
) -> None:
    portal.pages["/c"] = page(turtle(dataset("n1"), f"<> hydra:next <{portal.url}/d>, <{portal.url}/e> ."))
    portal.pages |= {"/d": page(datasets(2)), "/e": page(datasets(3))}
    city.add(f"{portal.url}/c")
    assert city.run().state == "succeeded"
    portal.pages["/d"] = portal.drip(datasets(2).encode())
    thread = in_thread(city, [])
    wait_until(lambda: len(portal.asked) == 5)
    cancel_and_wait(city, thread)
    assert len(portal.asked) == 5, "no further page is asked for"


@pytest.mark.slow
def test_a_run_is_cancelled_within_two_seconds_in_the_middle_of_a_long_parse(city: City) -> None:
    many = "".join(f"d:s{n} dct:relation <http://x.example/{n}> .\n" for n in range(600_000))
    city.add(city.write(turtle(many, "d:x dct:relation <http://x.example/a b> .\n")))
    thread = in_thread(city, [])
    wait_until(lambda: any((city.folder / "work").glob("run-*/lines-*")), 20)
    time.sleep(0.5)
    assert thread.is_alive()
    cancel_and_wait(city, thread)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["read", "check", "publish"])
def test_a_run_is_cancelled_within_two_seconds_whatever_stage_it_is_in(stage: str, city: City) -> None:
    city.add(city.write(datasets(*range(30_000))))
    there = threading.Event()

    def hear(now: str, done: int, total: int | None) -> None:
        if now == stage:
            there.set()

    thread = threading.Thread(
        target=lambda: city.node.harvest.run("portal", trigger="test", on_progress=hear), daemon=True
    )
    thread.start()
    assert there.wait(60)
    cancel_and_wait(city, thread)
    assert city.size() < 30_000
    assert len(city.digests()) == city.size() == city.verify()


def test_an_ended_run_cannot_be_cancelled_any_more(city: City) -> None:
    run = city.harvest(datasets(1))
    assert city.node.runs.request_cancel(run.id, now_ms=now_ms()).state == "succeeded"
    assert city.node.runs.get(run.id).cancel_requested is False


@pytest.mark.slow
def test_a_run_past_its_deadline_fails_and_says_so(city: City, portal: PortalServer) -> None:
    city.node.harvest._policy = type(city.node.harvest._policy)(
        **{name: getattr(city.node.harvest._policy, name) for name in city.node.harvest._policy.__dataclass_fields__}
        | {"run_deadline_ms": 300}
    )
    portal.pages["/c"] = portal.drip(b"x" * 1000)
    city.add(f"{portal.url}/c")
    begun = time.monotonic()
    run = city.run()
    assert time.monotonic() - begun < 3
    assert run.state == "failed"
    assert "deadline" in run.reason


def test_a_run_gives_signs_of_life_while_it_waits(
    city: City, portal: PortalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_LOOK_S", 0.02)
    portal.pages["/c"] = portal.drip(b"x" * 1000)
    city.add(f"{portal.url}/c")
    thread = in_thread(city, [])
    wait_until(lambda: running(city) is not None)
    first = running(city)
    assert first is not None
    wait_until(lambda: (now := running(city)) is not None and now.heartbeat_ms > first.heartbeat_ms)
    cancel_and_wait(city, thread)


def test_a_busy_database_does_not_deafen_the_watch(
    city: City, portal: PortalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_LOOK_S", 0.02)
    faults = iter([JournalBusy("busy")] * 5)
    inner = city.node.runs.is_cancelled

    def sometimes(run_id: int) -> bool:
        for fault in faults:
            raise fault
        return inner(run_id)

    monkeypatch.setattr(city.node.runs, "is_cancelled", sometimes)
    portal.pages["/c"] = portal.drip(b"x" * 1000)
    city.add(f"{portal.url}/c")
    thread = in_thread(city, [])
    wait_until(lambda: bool(portal.asked))
    cancel_and_wait(city, thread)


@pytest.mark.slow
def test_what_was_published_before_a_cancelling_stays_and_is_counted_and_signed(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    from node.catalog import harvest

    monkeypatch.setattr(harvest, "BATCH", 10)
    monkeypatch.setattr(watch, "_LOOK_S", 0.01)
    inner, batches = city.node.journals.append, []

    def append(*args, **more):
        batches.append(1)
        if len(batches) == 2:
            run = running(city)
            assert run is not None
        return inner(*args, **more)

    monkeypatch.setattr(city.node.journals, "append", append)
    watched: list[str] = []

    def hear(stage: str, done: int, total: int | None) -> None:
        watched.append(stage)
        if len(batches) == 2 and stage == "publish":
            run = running(city)
            assert run is not None
            city.node.runs.request_cancel(run.id, now_ms=now_ms())
            time.sleep(0.3)

    city.add(city.write(turtle(*(dataset(f"n{n}") for n in range(60)), "d:bad a dcat:Dataset .")))
    run = city.node.harvest.run("portal", trigger="test", on_progress=hear)
    assert run.state == "cancelled"
    assert run.counters.added == city.size() == 20 or run.counters.added == city.size() == 30
    assert len(city.digests()) == city.size()
    with city.node.db.read() as tx:
        assert (city.node.journals.newest_checkpoint(tx, "open-data") or "").split("\n")[1] == str(city.size())
    assert city.run().counters.added == 60 - run.counters.added
    assert city.verify() == 60


def test_a_transaction_that_fails_leaves_no_trace_in_the_counts(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = city.node.runs.save_progress

    def fails(*_: object) -> None:
        raise JournalBusy("Another writer held the lock.")

    monkeypatch.setattr(city.node.runs, "save_progress", fails)
    run = city.harvest(turtle(*(dataset(f"n{n}") for n in range(5)), "d:bad a dcat:Dataset ."))
    assert run.state == "failed"
    assert run.reason == "Another writer held the lock."
    assert counts(run) == {"refused": 1}
    assert run.ranges == []
    assert city.size() == 0
    assert city.refused(run) == {ID + "bad": "title-missing"}, "what it found out is not lost"
    assert city.sql("SELECT count(*) FROM name") == [(0,)]
    monkeypatch.setattr(city.node.runs, "save_progress", inner)
    assert counts(city.run()) == {"added": 5, "refused": 1}


def test_an_error_of_ours_is_told_in_the_run_and_not_swallowed(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from node.vocab import translate

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(translate, "record_of", broken)
    with pytest.raises(ZeroDivisionError):
        city.harvest(datasets(1))
    (run,) = city.node.runs.list()
    assert run.state == "failed"
    assert "error of ours" in run.reason


def test_a_run_interrupted_by_hand_is_cancelled(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from node.vocab import translate

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(translate, "record_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        city.harvest(datasets(1))
    (run,) = city.node.runs.list()
    assert (run.state, run.ended_ms > 0) == ("cancelled", True)


def test_a_work_folder_that_cannot_be_made_fails_the_run(city: City) -> None:
    city.add(city.write(datasets(1)))
    (city.folder / "work").write_text("in the way")
    with pytest.raises(OSError, match="work"):
        city.run()
    (run,) = city.node.runs.list()
    assert run.state == "failed"


def test_every_end_is_an_end() -> None:
    assert set(ENDED) == set(module.State.__args__) - {"queued", "running"}


# --- kill -9


@pytest.fixture
def file_city(migrated: Path, tmp_path: Path) -> Iterator[City]:
    """A node that other processes can open by its folder."""
    shutil.copy(migrated, tmp_path / "node.db")
    (tmp_path / "citynode.toml").write_text('name = "Testville"\nbase_url = "http://127.0.0.1:8001"\n')
    made = make_city(tmp_path)
    yield made
    made.node.close()


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 500, 2000])
def test_a_run_killed_at_any_moment_leaves_whole_batches_and_the_next_run_works(file_city: City, after: int) -> None:
    city = file_city
    city.add(city.write(datasets(*range(6000))))
    child = subprocess.Popen(
        [sys.executable, "-m", "node", "harvest", "run", "portal", "--data", str(city.folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    try:
        wait_until(lambda: running(city) is not None, 30)
        wait_until(lambda: city.size() >= after, 60)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    size = city.size()
    assert size < 6000, "it was killed in the middle"
    assert size % 500 == 0
    assert len(city.digests()) == size
    assert city.sql("SELECT count(*) FROM name") == [(size,)]
    assert city.node.runs.bury_dead(now_ms()) == 1
    dead = city.node.runs.list()[0]
    assert dead.state == "failed"
    assert dead.counters.added == size
    assert city.verify() == size
    run = city.run()
    assert run.state == "succeeded"
    assert run.counters.added == 6000 - size
    assert city.verify() == 6000
    assert city.run(full=True).counters.unchanged == 6000
