"""Laws of asking for runs: a run that waits is taken once, called off at once, and never waits for nobody."""

import pytest

from node.catalog.runs import SILENT_MS
from node.catalog.source_office import MINUTE_MS, RETRY_MS, Wanted, next_ms
from node.errors import AlreadyRunning, Conflict, Malformed, NotFound
from tests.catalog.rig import City, datasets

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

NOW = 1_800_000_000_000


def test_a_run_that_was_asked_for_is_taken_once(city: City) -> None:
    asked = city.node.runs.ask("portal", trigger="maija", now_ms=NOW)
    assert (asked.state, asked.trigger, asked.is_live) == ("queued", "maija", True)
    with pytest.raises(AlreadyRunning):
        city.node.runs.ask("portal", trigger="other", now_ms=NOW)
    with pytest.raises(AlreadyRunning):
        city.node.runs.start("portal", dry=False, trigger="timetable", now_ms=NOW, deadline_ms=NOW + 1)
    taken = city.node.runs.take(asked.id, now_ms=NOW + 5, deadline_ms=NOW + 10)
    assert (taken.state, taken.started_ms, taken.is_ours()) == ("running", NOW + 5, True)
    with pytest.raises(Conflict):
        city.node.runs.take(asked.id, now_ms=NOW, deadline_ms=NOW)
    with pytest.raises(NotFound):
        city.node.runs.take(99, now_ms=NOW, deadline_ms=NOW)


def test_a_run_that_waits_lives_as_long_as_there_is_a_worker(city: City) -> None:
    asked = city.node.runs.ask("portal", trigger="maija", now_ms=NOW)
    city.node.runs.keep_waiting(NOW + SILENT_MS)
    city.node.runs.bury_dead(NOW + SILENT_MS + 1)
    assert city.node.runs.get(asked.id).state == "queued"
    city.node.runs.bury_dead(NOW + 2 * SILENT_MS + 1)
    failed = city.node.runs.get(asked.id)
    assert failed.state == "failed"
    assert "No worker took it" in failed.reason


def test_a_run_that_waits_is_called_off_at_once_and_never_taken(city: City) -> None:
    asked = city.node.runs.ask("portal", trigger="maija", now_ms=NOW)
    assert city.node.runs.request_cancel(asked.id, now_ms=NOW + 1).state == "cancelled"
    with pytest.raises(Conflict):
        city.node.harvesting.office.work(asked.id)


def test_a_run_of_a_source_that_was_forgotten_meanwhile_fails_and_says_so(city: City) -> None:
    city.add(city.write(datasets(1)))
    asked = city.node.harvesting.office.start("portal", by="maija")
    city.node.sources.remove("portal")
    run = city.node.harvesting.office.work(asked.id)
    assert (run.state, run.code) == ("failed", "not-found")


def test_a_full_run_reads_what_says_that_it_has_not_changed(city: City) -> None:
    city.harvest(datasets(1, 2))
    office = city.node.harvesting.office
    assert office.work(office.start("portal", by="maija").id).counters.read == 0
    assert office.work(office.start("portal", by="maija", full=True).id).counters.read == 2


def test_every_stage_leaves_when_it_began_and_how_far_it_came(city: City) -> None:
    run = city.node.runs.get(city.harvest(datasets(*range(3))).id)
    assert [step.stage for step in run.steps] == ["reach", "read", "publish", "withdraw"]
    assert all(step.first_ms <= step.last_ms for step in run.steps)
    assert run.is_live is False


def test_the_first_five_records_of_a_rehearsal_are_kept_and_nowhere_else_shown(city: City) -> None:
    city.add(city.write(datasets(*range(8))))
    run = city.run(dry_run=True)
    samples = city.node.harvesting.reports.samples(run)
    assert len(samples) == 5
    assert all(row.message.startswith("<https://data.example/id/") for row in samples)
    assert {row.change for row in city.node.runs.rows(run.id)} == {"added"}
    assert {row.change for row in city.node.stories.rows(run)} == {"added"}


def test_giving_up_that_was_stopped_keeps_the_source_so_that_it_can_go_on(city: City) -> None:
    city.harvest(datasets(*range(3)))
    office, runs = city.node.harvesting.office, city.node.runs
    asked = office.give_up("portal", by="maija")
    city.node.runs.request_cancel(asked.id, now_ms=city.node.harvest._clock_ms())
    assert [source.name for source in office.list()] == ["portal"]
    office.work(office.give_up("portal", by="maija").id)
    assert office.list() == []
    assert city.held() == []
    assert runs.list()[0].reason.startswith("The source was given up")


def test_a_page_of_what_a_run_did_is_a_slice_of_the_whole(city: City) -> None:
    run = city.harvest(datasets(*range(7)))
    reports = city.node.harvesting.reports
    whole = reports.rows(run, "added")
    assert len(whole) == 7
    assert [*reports.rows(run, "added", limit=3), *reports.rows(run, "added", offset=3)] == whole
    assert reports.rows(run, "changed") == []


@pytest.mark.parametrize(
    "wrong",
    [
        Wanted("dcat", "/etc/passwd"),
        Wanted("dcat", "https://x.example/" + "a" * 2_000),
        Wanted("dcat", "https://x.example/", every_min=4),
        Wanted("dcat", "https://x.example/", every_min=600_000),
        Wanted("dcat", "https://x.example/", threshold=101),
        Wanted("dcat", "https:///nohost"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused(city: City, wrong: Wanted) -> None:
    with pytest.raises(Malformed):
        city.node.harvesting.office.add("portal", wrong)
    assert city.node.sources.list() == []


def test_a_source_is_silent_when_its_timetable_should_have_read_it_long_ago(city: City) -> None:
    source = city.add("https://x.example/", schedule_minutes=60)
    assert city.node.harvesting.office.show("portal").silent
    assert next_ms(source, None) == source.created_at
    city.node.harvesting.office.pause("portal")
    assert not city.node.harvesting.office.show("portal").silent, "what is paused is silent on purpose"


def test_after_a_failure_the_next_time_is_within_the_hour(city: City) -> None:
    source = city.add("https://x.example/", schedule_minutes=600)
    run = city.node.runs.start("portal", dry=False, trigger="x", now_ms=NOW, deadline_ms=NOW + 1)
    city.node.runs.finish(run, "succeeded", "", now_ms=NOW)
    assert next_ms(source, city.node.runs.get(run.id)) == NOW + 600 * MINUTE_MS
    run = city.node.runs.start("portal", dry=False, trigger="x", now_ms=NOW, deadline_ms=NOW + 1)
    city.node.runs.finish(run, "failed", "", now_ms=NOW)
    assert next_ms(source, city.node.runs.get(run.id)) == NOW + RETRY_MS
