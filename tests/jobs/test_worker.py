"""Laws of the timetable: what is due, who may fire it, and that it is fired once."""

import logging
import threading
from collections.abc import Iterator

import pytest

from node.assembly import build
from node.catalog.problem_reports import About, Words
from node.catalog.problem_store import DAY_MS
from node.catalog.source_office import RETRY_MS
from node.errors import AlreadyRunning, JournalBusy
from node.federation.consent.store import ConsentRead, ConsentStore
from node.jobs import worker as module
from node.jobs.worker import Worker
from tests.catalog.rig import City, datasets
from tests.portal_server import PortalServer, wait_until

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

MINUTE = 60_000


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, city: City) -> None:
        self.now = city.node.harvest._clock_ms()

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(city: City) -> Clock:
    return Clock(city)


@pytest.fixture
def worker(city: City, clock: Clock) -> Worker:
    return Worker(city.node, clock_ms=clock)


def due(worker: Worker) -> list[str]:
    return [source.name for source in worker.due()]


def ended(city: City, source: str, state: str, at_ms: int, *, dry: bool = False) -> None:
    run = city.node.runs.start(source, dry=dry, trigger="test", now_ms=at_ms, deadline_ms=at_ms + MINUTE)
    city.node.runs.finish(run, state, "", now_ms=at_ms)


def test_a_source_that_never_ran_is_due_at_once_and_then_after_its_interval(
    city: City, worker: Worker, clock: Clock
) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=30)
    assert due(worker) == ["portal"]
    begun = clock.now
    ended(city, "portal", "succeeded", begun)
    assert due(worker) == []
    clock.now = begun + 30 * MINUTE - 1
    assert due(worker) == []
    clock.now += 1
    assert due(worker) == ["portal"]


def test_a_source_that_is_paused_or_has_no_timetable_is_never_due(city: City, worker: Worker, clock: Clock) -> None:
    path = city.write(datasets(1))
    city.add(path, "paused", schedule_minutes=30, paused=True)
    city.add(path, "by-hand", schedule_minutes=0)
    clock.now += 10**12
    assert due(worker) == []


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_after_a_failure_it_is_tried_again_within_the_hour(
    state: str, city: City, worker: Worker, clock: Clock
) -> None:
    path = city.write(datasets(1))
    city.add(path, "daily", schedule_minutes=24 * 60)
    city.add(path, "often", schedule_minutes=10)
    begun = clock.now
    for name in ("daily", "often"):
        ended(city, name, state, begun)
    clock.now = begun + 10 * MINUTE
    assert due(worker) == ["often"], "never later than its own interval"
    clock.now = begun + RETRY_MS
    assert due(worker) == ["often", "daily"], "the longest waiting first"


@pytest.mark.parametrize("state", ["succeeded", "partial"])
def test_what_ended_otherwise_waits_its_whole_interval(state: str, city: City, worker: Worker, clock: Clock) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=24 * 60)
    ended(city, "portal", state, clock.now)
    clock.now += RETRY_MS
    assert due(worker) == []


def test_a_dry_run_moves_no_timetable_and_a_run_by_hand_does(city: City, worker: Worker, clock: Clock) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=60)
    ended(city, "portal", "succeeded", clock.now, dry=True)
    assert due(worker) == ["portal"]
    ended(city, "portal", "succeeded", clock.now)
    assert due(worker) == []


def test_a_source_under_way_is_not_due(city: City, worker: Worker, clock: Clock) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=1)
    city.node.runs.start("portal", dry=False, trigger="test", now_ms=clock.now, deadline_ms=clock.now)
    clock.now += 5 * MINUTE
    assert due(worker) == []


# --- firing


@pytest.fixture
def running(city: City, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """The worker with its threads, ticking when a test says so."""
    monkeypatch.setattr(module, "TICK_S", 3600)
    tick, ticked = worker.tick, threading.Event()
    monkeypatch.setattr(worker, "tick", lambda: (tick(), ticked.set()))
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    assert ticked.wait(10), "its own first tick, before a test adds what is due"
    yield worker
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_what_is_due_is_harvested(city: City, running: Worker) -> None:
    city.add(city.write(datasets(1, 2)), schedule_minutes=60)
    running.tick()
    wait_until(lambda: [run.state for run in city.node.runs.list()] == ["succeeded"])
    (run,) = city.node.runs.list()
    assert run.trigger == "timetable"
    assert len(city.digests()) == 2
    running.tick()
    assert len(city.node.runs.list()) == 1


def test_a_source_that_fails_harms_no_other(city: City, running: Worker) -> None:
    path = city.write(datasets(1))
    city.add(path, "bad", schedule_minutes=60)
    city.add(city.write(datasets(2), "good.ttl"), "good", schedule_minutes=60)
    path.unlink()
    running.tick()
    wait_until(lambda: len([run for run in city.node.runs.list() if run.ended_ms]) == 2)
    assert {run.source: run.state for run in city.node.runs.list()} == {"bad": "failed", "good": "succeeded"}


@pytest.mark.slow
def test_many_ticks_plan_a_waiting_source_once(
    city: City,
    running: Worker,
    portal: PortalServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While one source drips the others wait, and every tick finds them due again."""
    inner, begun = running._harvest, []
    monkeypatch.setattr(running, "_harvest", lambda name: begun.append(name) or inner(name))
    portal.pages["/slow"] = portal.drip(datasets(1).encode() * 20)  # minutes: longer than five ticks on a busy machine
    city.add(f"{portal.url}/slow", "a-slow", schedule_minutes=60)
    city.add(city.write(datasets(2)), "b-fast", schedule_minutes=60)
    with caplog.at_level(logging.WARNING):
        running.tick()
        wait_until(lambda: bool(portal.asked))
        for _ in range(5):
            running.tick()
        (slow,) = city.node.runs.list()
        city.node.runs.request_cancel(slow.id, now_ms=city.node.harvest._clock_ms())
        wait_until(lambda: len([run for run in city.node.runs.list() if run.ended_ms]) == 2)
    wait_until(lambda: not running._planned)
    assert begun == ["a-slow", "b-fast"]
    assert [run.source for run in city.node.runs.list("b-fast")] == ["b-fast"]
    assert not [record for record in caplog.records if "maximum number of running instances" in record.getMessage()]


@pytest.mark.slow
def test_stopping_the_worker_cancels_its_harvest_and_gives_the_lease_back(
    city: City, worker: Worker, portal: PortalServer
) -> None:
    portal.pages["/slow"] = portal.drip(datasets(1).encode() * 10)
    city.add(f"{portal.url}/slow", schedule_minutes=60)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    wait_until(lambda: bool(portal.asked))
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    (run,) = city.node.runs.list()
    assert run.state == "cancelled"
    assert city.sql("SELECT count(*) FROM lease") == [(0,)]


def test_a_harvest_of_somebody_s_own_is_not_cancelled_with_the_worker(city: City, worker: Worker, clock: Clock) -> None:
    run = city.node.runs.start("x", dry=False, trigger="command", now_ms=clock.now, deadline_ms=clock.now)
    worker._cancel_own()
    assert not city.node.runs.get(run.id).cancel_requested


# --- two workers


@pytest.fixture
def other(city: City, clock: Clock) -> Iterator[Worker]:
    """A second worker on the same database, as on another host."""
    node = build(city.node.settings)
    yield Worker(node, clock_ms=clock)
    node.close()


def fired(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(worker, "_plan", lambda source: names.append(source.name))
    return names


def test_of_two_workers_one_fires_and_the_other_takes_over_when_it_falls_silent(
    city: City, worker: Worker, other: Worker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=60)
    mine, theirs = fired(worker, monkeypatch), fired(other, monkeypatch)
    for one in (worker, other, other, worker):
        one.tick()
    assert (mine, theirs) == (["portal", "portal"], [])
    clock.now += module.LEASE_MS + 1
    other.tick()
    worker.tick()
    assert theirs == ["portal"]
    assert len(mine) == 2


def test_a_job_that_waited_while_the_lease_went_is_not_fired_twice(
    city: City, worker: Worker, other: Worker, clock: Clock
) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=60)
    assert worker._lease.hold(clock.now)
    clock.now += module.LEASE_MS + 1
    assert other._lease.hold(clock.now)
    worker._harvest("portal")
    assert city.node.runs.list() == [], "the timetable is the other's now"
    other._harvest("portal")
    other._harvest("portal")
    worker._harvest("portal")
    assert len(city.node.runs.list()) == 1


def test_a_run_that_somebody_began_in_the_meantime_is_no_error(
    city: City, worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=60)

    def busy(*_: object, **__: object) -> None:
        raise AlreadyRunning("Run 7 is under way.")

    monkeypatch.setattr(city.node.harvest, "run", busy)
    worker._harvest("portal")
    assert caplog.records == []


def test_a_bug_in_a_harvest_is_logged_and_ends_no_worker(
    city: City, worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=60)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(city.node.harvest, "run", broken)
    worker._harvest("portal")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "harvest of portal failed" in record.getMessage()


def test_a_busy_database_skips_a_tick(
    city: City, worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(now_ms: int) -> bool:
        raise JournalBusy("Another writer held the lock.")

    monkeypatch.setattr(worker._lease, "hold", busy)
    worker.tick()
    assert "tick skipped" in caplog.text


# --- tidying


def test_a_tick_buries_the_dead_and_removes_what_they_left(city: City, worker: Worker, clock: Clock) -> None:
    live = city.node.runs.start("live", dry=False, trigger="test", now_ms=clock.now, deadline_ms=clock.now)
    dead = city.node.runs.start("dead", dry=False, trigger="test", now_ms=clock.now, deadline_ms=clock.now)
    with city.node.db.write() as tx:
        tx.run("UPDATE run SET pid_host = '12345:1@elsewhere', heartbeat_at = 0 WHERE id = ?", dead.id)
    for number in (live.id, dead.id, 99):
        (city.folder / "work" / f"run-{number}").mkdir(parents=True)
    worker.tick()
    assert city.node.runs.get(dead.id).state == "failed"
    assert city.node.runs.get(live.id).state == "running"
    assert [path.name for path in (city.folder / "work").iterdir()] == [f"run-{live.id}"]


def test_a_tick_signs_and_shelves_what_a_crash_left_unsigned(city: City, worker: Worker) -> None:
    city.harvest(datasets(1))
    with city.node.db.write() as tx:
        tx.run("DELETE FROM checkpoint WHERE size = 1")
        tx.run("DELETE FROM cursor")
        tx.run("DELETE FROM shelf")
    worker.tick()
    assert len(city.digests()) == 1
    assert city.verify() == 1
    with city.node.db.read() as tx:
        assert (city.node.journals.newest_checkpoint(tx, "open-data") or "").split("\n")[1] == "1"


def test_the_worker_removes_what_was_brought_and_nobody_took(city: City, worker: Worker, clock: Clock) -> None:
    whole = city.node.settings.data / "incoming" / "5d5bd5c8-5c5e" / "whole"
    whole.mkdir(parents=True)
    (whole / "a.csv").write_bytes(b"a,b")
    clock.now = int(whole.stat().st_mtime * 1_000)
    city.node.federation.moving.incoming._clock_ms = clock
    worker.tick()
    assert (whole / "a.csv").is_file()
    clock.now += 8 * DAY_MS
    worker.tick()
    assert not whole.parent.exists()


def test_the_worker_forgets_what_readers_sent_in_though_nobody_sends_more(
    city: City, worker: Worker, clock: Clock
) -> None:
    reports = city.node.readers.reports
    about = About(f"{city.node.settings.base_url}/datasets/trees", "Street trees")
    reports.report(about, Words("wrong", "It is not there."), caller="1.2.3.4")
    clock.now += DAY_MS + MINUTE
    worker.tick()
    with city.node.db.read() as tx:
        assert tx.rows("SELECT caller FROM problem_report") == [("",)]


def test_the_worker_forgets_what_residents_are_known_by_where_the_other_city_has_deleted_all(
    city: City, worker: Worker, clock: Clock
) -> None:
    theirs, ours, lasting = (f"https://h.example/agreements/{number}" for number in range(3))
    london = "https://london.example"
    with city.node.db.write() as tx:
        for agreement in (theirs, ours, lasting):
            read = ConsentRead(agreement, "https://h.example/datasets/1", london, "", "residents", "ab" * 16, 5)
            ConsentStore(city.node.db).begin(tx, read)
        said = "INSERT INTO deletion (agreement, peer, at, by, told_at) VALUES (?, ?, ?, ?, 0)"
        tx.run(said, theirs, london, clock.now, london)
        tx.run(said, ours, london, clock.now, "aino")
    clock.now += city.node.settings.withdrawal_days * DAY_MS - 1
    worker.tick()
    assert len(city.sql("SELECT agreement FROM consent_read")) == 3
    clock.now += 2 * 3_600_000
    worker.tick()
    assert city.sql("SELECT agreement FROM consent_read ORDER BY agreement") == [(ours,), (lasting,)]
