# ruff: noqa: F811 - fixtures are named as what they give
"""Laws of the pages of sources, runs and today: what a person sees before deciding, and what a decision does."""

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.catalog.source_office import Wanted
from node.jobs.worker import Worker
from node.web.wording.words import words
from tests.catalog.conftest import city, grown, lasting_parser, portal  # noqa: F401 - fixtures
from tests.catalog.rig import ID, City, dataset, datasets, turtle
from tests.portal_server import PortalServer
from tests.portal_server import page as serving
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.desk.sent import form_with

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

TRANSPORT = "Region Transport"


def owned(name: str, owner: str = "", title: str = "") -> str:
    more = f'; dct:publisher [ a foaf:Agent ; foaf:name "{owner}"@en ]' if owner else ""
    return dataset(name, title, more=more)


@pytest.fixture
def steward(city: City) -> Iterator[Browser]:
    with at_desk(city.node, "steward", "approver") as made:
        yield made


def work(city: City) -> None:
    """Do what the worker does with the runs that wait."""
    for number in city.node.harvesting.office.asked():
        city.node.harvesting.office.work(number)


def held(city: City) -> int:
    """Leave four of five records out: three of one publisher, one of another."""
    names = [owned(f"t{n}", TRANSPORT) for n in range(3)]
    city.harvest(turtle(*names, owned("lights", "Urban Environment"), owned("stays", "Urban Environment")))
    return city.harvest(turtle(owned("stays", "Urban Environment"))).id


def test_a_source_is_added_paused_tried_for_show_and_published_only_when_somebody_says_so(
    city: City,
    steward: Browser,
    portal: PortalServer,
) -> None:
    portal.pages["/catalog.ttl"] = serving(turtle(*(owned(f"n{n}", "Parks") for n in range(7))))
    assert "Small letters, digits" in text_of(steward.get("/desk/add-source"))
    fields = {
        "name": "parks",
        "location": portal.url + "/catalog.ttl",
        "kind": "dcat",
        "collection": "open-data",
        "every_min": "1440",
        "threshold": "",
    }
    waiting = steward.after(steward.press("/desk/add-source", fields))
    assert "Waits for the worker" in text_of(waiting)
    assert 'hx-trigger="every 5s"' in waiting.text
    work(city)
    page = steward.get("/desk/runs/1")
    said = text_of(page)
    assert "This was a rehearsal" in said
    assert "5 of its 7 records" in said
    assert page.text.count('<div class="kind"><span>Dataset</span><span dir="auto">Parks</span>') == 5
    assert city.size() == 0, "nothing is published by a rehearsal"
    assert "Title of n" in said
    assert "then put it on the timetable" in text_of(steward.get("/desk/sources/parks"))
    assert "Next time Paused" in text_of(steward.get("/desk/sources/parks")), "and not: by hand alone"
    resumed = steward.after(steward.press("/desk/sources/parks/resume"))
    assert "read within a minute" in text_of(resumed)
    assert "Read it for show first" not in text_of(resumed)
    assert "once a day" in text_of(resumed), "the rhythm as the form says it"
    assert 'hx-trigger="every 5s"' in resumed.text
    assert steward.get("/desk/sources/parks", hx_request="true").text.strip().startswith('<div id="standing"')
    assert city.node.harvesting.office.show("parks").next_ms > 0
    steward.get("/desk/sources/parks")
    steward.after(steward.press("/desk/sources/parks/run", {"how": "now"}))
    work(city)
    assert city.node.harvesting.office.show("parks").records == 7
    assert "7 added" in text_of(steward.get("/desk/sources/parks"))
    assert steward.get("/desk/sources/parks", hx_request="true").headers["hx-refresh"] == "true"


FIELDS = {"name": "parks", "kind": "dcat", "collection": "open-data", "every_min": "0", "threshold": ""}


def added(city: City, desk: Browser, portal: PortalServer, **more: str) -> str:
    """Add a source and let the worker read it for show; give the path of what it came to."""
    desk.get("/desk/add-source")
    fields = FIELDS | {"location": portal.url + "/catalog.ttl"} | more
    where = desk.press("/desk/add-source", fields).headers["location"]
    work(city)
    return where


def test_a_source_on_no_timetable_is_read_and_published_by_the_one_button_that_says_so(
    city: City, steward: Browser, portal: PortalServer
) -> None:
    portal.pages["/catalog.ttl"] = serving(turtle(*(owned(f"n{n}", "Parks") for n in range(3))))
    page = steward.get(added(city, steward, portal))
    assert "on no timetable" in text_of(page)
    assert "Read and publish it now" in text_of(page)
    assert "/desk/sources/parks/resume" not in page.text, "no timetable would take it"
    standing = steward.get("/desk/sources/parks")
    assert "/desk/sources/parks/resume" not in standing.text
    assert "then read and publish it" in text_of(standing)
    begun = steward.after(steward.press("/desk/sources/parks/publish"))
    assert "Waits for the worker" in text_of(begun)
    work(city)
    shown = city.node.harvesting.office.show("parks")
    assert (shown.records, shown.paused) == (3, False)
    after = text_of(steward.get("/desk/sources/parks"))
    assert "Paused" not in after
    assert "Next time by hand alone" in after


def test_a_rehearsal_that_found_nothing_says_so_and_leads_back_to_the_form(
    city: City, steward: Browser, portal: PortalServer
) -> None:
    answer = '{"help": "x", "success": true, "result": {"count": 1, "sort": "name"}}'
    portal.pages["/catalog.ttl"] = serving(answer, "application/json")
    for minutes in ("0", "1440"):
        page = steward.get(added(city, steward, portal, name=f"parks-{minutes}", every_min=minutes))
        said = text_of(page)
        assert "Nothing was found to publish" in said
        assert "It was read as DCAT RDF" in said, "the kind that was chosen is named"
        assert "looks like what CKAN answers" in said
        assert f'<a class="btn" href="/desk/sources/parks-{minutes}/change">' in page.text, "the first thing to do"
        assert page.text.count('<button class="btn">') == 0, "and nothing else is as near"
        assert "Nothing was refused or held" not in said
        assert "Is this what you expected" not in said


def test_a_rehearsal_says_what_would_be_and_each_advice_once_and_no_more_that_it_begins(
    city: City, steward: Browser, portal: PortalServer
) -> None:
    files = "; dcat:distribution [ a dcat:Distribution ; dcat:accessURL <https://x.example/1> ]"
    records = [dataset(f"n{n}", more=files * n) for n in range(1, 4)]
    portal.pages["/catalog.ttl"] = serving(turtle(*records))
    where = added(city, steward, portal, every_min="1440")
    page = steward.get(where)
    said = text_of(page)
    assert "What a run would do" in said
    assert "What the run did" not in said
    assert "3 would be added, 0 changed" in said
    assert "is now read for show" not in said, "that was said while it was so"
    assert "Seen at" not in said
    assert "Files and services: 6." in said, "of what, and of how many of them"
    advice = re.findall(r"<h3>([^<]+)</h3><p><span>([^<]+)</span></p>", page.text)
    assert advice
    assert len(set(advice)) == len(advice), "one line for each"


def test_a_file_of_this_machine_is_never_named_over_the_web(city: City, steward: Browser) -> None:
    path = city.write(datasets(1))
    steward.get("/desk/add-source")
    fields = {"name": "files", "location": str(path), "kind": "dcat", "collection": "open-data", "every_min": "0"}
    reply = steward.press("/desk/add-source", fields)
    assert reply.status_code == 400
    assert city.node.harvesting.office.list() == []
    assert "Write the address of a web page" in text_of(reply), "said beside the field"
    assert f'value="{path}"' in reply.text, "what was typed stays"
    city.add(path, "ours")
    steward.get("/desk/sources/ours/change")
    kept = {**fields, "every_min": "60", "threshold": "5"}
    assert steward.press("/desk/sources/ours/change", kept).status_code == 303, "the file that it has may stay"
    assert city.node.harvesting.office.show("ours").wanted == Wanted("dcat", str(path), "open-data", 60, False, 5)
    elsewhere = {**kept, "location": "/etc/passwd"}
    assert steward.press("/desk/sources/ours/change", elsewhere).status_code == 400


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "Not A Name", "Write small letters"),
        ("name", "taken", "A source of this name exists"),
        ("location", "ftp://x.example/", "Write the address of a web page"),
        ("kind", "unheard-of", "Choose what the portal is"),
        ("collection", "agreements", "Choose a collection from the list"),
        ("threshold", "101", "whole number from 0 to 100"),
        ("threshold", "many", "whole number from 0 to 100"),
    ],
)
def test_what_is_wrong_with_a_new_source_stands_beside_its_field(
    city: City, steward: Browser, field: str, typed: str, said: str
) -> None:
    city.add("https://x.example/", "taken")
    steward.get("/desk/add-source")
    good = {"name": "parks", "location": "https://y.example/", "kind": "dcat", "every_min": "60", "threshold": ""}
    reply = steward.press("/desk/add-source", {**good, field: typed})
    assert reply.status_code == 400
    assert said in text_of(reply)
    assert f'aria-describedby="{field}-lint"' in reply.text
    assert [source.name for source in city.node.harvesting.office.list()] == ["taken"]
    assert city.node.staff.trail.list(act="source.add")[0].outcome == "refused"


def test_a_new_source_feeds_open_data_and_never_what_says_which_agreements_there_are(
    city: City, steward: Browser
) -> None:
    for name in ("agreements", "agreements-london-0732b95d", "assets"):
        city.node.create_collection(name, title=name.title(), visibility="public", at_ms=1_000)
    page = steward.get("/desk/add-source").text
    assert '<option value="open-data" selected>' in page
    assert '<option value="assets">' in page
    assert 'value="agreements' not in page


def test_who_only_reads_is_not_shown_the_keys_of_a_portal(city: City, steward: Browser) -> None:
    city.add("https://user:secret@x.example/api?key=42", "portal")
    assert "user:secret" in steward.get("/desk/sources/portal").text
    with at_desk(city.node, "viewer", name="liisa") as viewer:
        page = viewer.get("/desk/sources/portal").text
        assert "https://x.example/api" in page
        assert "secret" not in page
        assert "key=42" not in page


def test_a_held_run_says_what_is_likely_and_withdraws_the_others_or_all_or_none(
    city: City,
    steward: Browser,
) -> None:
    number = held(city)
    page = steward.get(f"/desk/runs/{number}")
    said = text_of(page)
    assert "4 withdrawals are held" in said
    assert f"3 of the 4 belong to one publisher, {TRANSPORT}" in said
    assert "Title of t0" in said, "what is held is named by its title"
    assert "Withdraw the other 1, keep these 3" in said
    after = steward.after(steward.press(f"/desk/runs/{number}/decide", {"d": "others", "why": "their list was empty"}))
    assert "1 withdrawn, 3 kept." in text_of(after)
    assert "their list was empty" in text_of(after)
    assert sorted(city.slugs().values()) == ["stays", "t0", "t1", "t2"]
    again = city.run()
    assert again.counters.held == 3, "what was kept is asked again"
    steward.get(f"/desk/runs/{again.id}")
    steward.after(steward.press(f"/desk/runs/{again.id}/decide", {"d": "keep"}))
    assert len(city.held()) == 4
    last = city.run()
    steward.get(f"/desk/runs/{last.id}")
    steward.after(steward.press(f"/desk/runs/{last.id}/decide", {"d": "all"}))
    assert list(city.slugs().values()) == ["stays"]


def test_single_records_and_whole_publishers_can_be_chosen(city: City, steward: Browser) -> None:
    number = held(city)
    page = steward.get(f"/desk/runs/{number}/held")
    assert page.text.count('name="row"') == 4
    assert f'name="owner" id="o-1" value="{TRANSPORT}"' in page.text
    assert steward.press(f"/desk/runs/{number}/decide", {"d": "chosen"}).status_code == 400
    assert len(city.held()) == 5
    rows = [row.source_key for row in city.node.runs.rows(number, "held")]
    lights = str(next(n for n, key in enumerate(rows) if key.endswith("lights")))
    reply = steward.press(f"/desk/runs/{number}/decide", {"d": "chosen", "row": [lights], "owner": [TRANSPORT]})
    assert reply.status_code == 303
    assert list(city.slugs().values()) == ["stays"]


def test_only_an_approver_decides_and_a_later_run_closes_the_question(city: City) -> None:
    number = held(city)
    with at_desk(city.node, "steward", name="sini") as steward:
        assert "An approver decides" in text_of(steward.get(f"/desk/runs/{number}"))
        steward.get("/desk/sources/portal")
        assert steward.press(f"/desk/runs/{number}/decide", {"d": "all"}).status_code == 403
    assert len(city.held()) == 5
    city.run()
    with at_desk(city.node, "approver", name="aino") as approver:
        assert "read again since" in text_of(approver.get(f"/desk/runs/{number}"))
        approver.get("/desk/account")
        assert approver.press(f"/desk/runs/{number}/decide", {"d": "all"}).status_code == 409
    acts = [(event.who, event.act, event.outcome) for event in city.node.staff.trail.list()]
    assert ("sini", "run.decide", "refused forbidden") in acts
    assert ("aino", "run.decide", "refused conflict") in acts


def test_a_run_that_waits_is_called_off_and_one_at_work_is_asked_to_stop(city: City, steward: Browser) -> None:
    city.add(city.write(datasets(1)))
    steward.get("/desk/sources/portal")
    steward.after(steward.press("/desk/sources/portal/run", {"how": "now"}))
    assert "Running now" in text_of(steward.get("/desk"))
    after = steward.after(steward.press("/desk/runs/1/stop"))
    assert "The run was cancelled" in text_of(after)
    work(city)
    assert city.size() == 0
    run = city.node.runs.start("portal", dry=False, trigger="test", now_ms=10**15, deadline_ms=2 * 10**15)
    steward.press(f"/desk/runs/{run.id}/stop")
    assert city.node.runs.is_cancelled(run.id)
    fragment = steward.get(f"/desk/runs/{run.id}", hx_request="true")
    assert fragment.text.strip().startswith('<div id="stages"')
    assert "asked to stop" in text_of(fragment)


def test_one_run_of_a_source_at_a_time_is_said_as_that_and_not_as_a_fault(city: City, steward: Browser) -> None:
    city.add(city.write(datasets(1)))
    steward.get("/desk/sources/portal")
    steward.press("/desk/sources/portal/run", {"how": "now"})
    again = steward.press("/desk/sources/portal/run", {"how": "now"})
    assert again.status_code == 409
    assert "A run of this source is under way or waits" in text_of(again)
    for path in ("/desk/sources/portal/forget", "/desk/sources/portal/change"):
        fields = {"location": "https://x.example/", "kind": "dcat", "every_min": "60"}
        assert steward.press(path, fields).status_code == 409, path
    work(city)
    assert "The run has ended already" in text_of(steward.press("/desk/runs/1/stop"))


@pytest.mark.parametrize("how", ["", "Dry", "DRY ", "all"])
def test_a_way_to_read_that_there_is_not_starts_nothing(city: City, steward: Browser, how: str) -> None:
    city.harvest(datasets(1))
    steward.get("/desk/sources/portal")
    assert steward.press("/desk/sources/portal/run", {"how": how}).status_code == 400
    assert list(city.node.harvesting.office.asked()) == []


def test_the_end_of_a_run_turns_its_page_over(city: City, steward: Browser) -> None:
    run = city.harvest(datasets(1))
    assert steward.get(f"/desk/runs/{run.id}", hx_request="true").headers["hx-refresh"] == "true"


def test_what_is_refused_is_a_letter_to_its_publisher(city: City, steward: Browser) -> None:
    first, twice = owned("one", "Parks"), owned("two", "Parks")
    city.harvest(turtle(first, twice), "first")
    run = city.harvest(turtle(first, twice), "second")
    assert run.counters.refused == 2
    page = steward.get(f"/desk/runs/{run.id}")
    assert "Tell the publisher" in page.text
    assert "mailto:?subject=" in page.text
    assert "Another source already publishes this record" in text_of(page)
    with at_desk(city.node, "viewer", name="liisa", language="fi") as finnish:
        assert "Toinen lähde julkaisee jo tämän tietueen" in text_of(finnish.get(f"/desk/runs/{run.id}"))


def test_what_our_own_words_say_whole_is_not_said_in_english_below_them(city: City, steward: Browser) -> None:
    run = city.harvest(turtle(owned("one", "Parks"), "d:none a dcat:Dataset ; dct:title '\u200b'@fi ."))
    assert city.refused(run) == {ID + "none": "title-missing"}
    assert "The record has no title." in text_of(steward.get(f"/desk/runs/{run.id}"))
    with at_desk(city.node, "viewer", name="liisa", language="fi") as finnish:
        for path in (f"/desk/runs/{run.id}", f"/desk/runs/{run.id}/refused"):
            said = text_of(finnish.get(path))
            assert words("fi", "desk.mend.title-missing") in said
            assert "The record has no title" not in said


def test_a_change_is_shown_property_by_property_and_a_licence_stands_out(city: City, steward: Browser) -> None:
    licence = "; dct:license <http://publications.europa.eu/resource/authority/licence/{}>"
    city.harvest(turtle(dataset("one", "Old", more=licence.format("CC_BY_4_0"))))
    run = city.harvest(turtle(dataset("one", "New", more=licence.format("CC0"))))
    for path in (f"/desk/runs/{run.id}", f"/desk/runs/{run.id}/changed"):
        page = steward.get(path)
        assert '<del><span class="vh">removed: </span>Old (en)</del>' in page.text
        assert '<ins><span class="vh">added: </span>New (en)</ins>' in page.text
        assert "Changes what others may do" in page.text


def test_a_table_that_is_taken_away_runs_nothing(city: City, steward: Browser) -> None:
    run = city.harvest(turtle(dataset("one", "=HYPERLINK(1)"), dataset("two", "@SUM(A1)")))
    table = steward.get(f"/desk/runs/{run.id}/rows.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert ",'=HYPERLINK(1)," in table.text
    assert ",'@SUM(A1)," in table.text
    rows = steward.get(f"/desk/runs/{run.id}/rows.json").json()["rows"]
    assert {row["title"] for row in rows} == {"=HYPERLINK(1)", "@SUM(A1)"}


def test_giving_up_a_source_takes_an_approver_its_name_and_withdraws_all_of_it(city: City, steward: Browser) -> None:
    city.harvest(datasets(*range(3)))
    assert "Withdraw 3 records" in text_of(steward.get("/desk/sources/portal/leave"))
    mistyped = steward.press("/desk/sources/portal/withdraw", {"name": "Portal"})
    assert mistyped.status_code == 400
    assert 'name="name" value="Portal"' in mistyped.text
    assert 'aria-describedby="name-flaw" aria-invalid="true"' in mistyped.text
    assert "Withdraw 3 records" in text_of(mistyped), "the same page, to be sent again"
    steward.after(steward.press("/desk/sources/portal/withdraw", {"name": "portal"}))
    work(city)
    assert city.held() == []
    assert city.node.harvesting.office.list() == []
    assert "The source was given up" in text_of(steward.get("/desk/runs/2"))
    city.harvest(datasets(1), "other")
    steward.get("/desk/sources/other/leave")
    steward.after(steward.press("/desk/sources/other/forget"))
    assert len(city.held()) == 1, "what a forgotten source published stays"


def test_today_says_what_waits_and_why_and_one_way_on(city: City, steward: Browser) -> None:
    empty = steward.get("/desk")
    assert "This city has no source yet" in text_of(empty)
    assert "No source has failed" not in text_of(empty)
    assert "/desk/sources" in empty.text
    city.harvest(datasets(1), "quiet")
    assert "Nothing waits for a person" in text_of(steward.get("/desk"))
    number = held(city)
    said = text_of(steward.get("/desk"))
    assert "One thing waits for a person" in said
    assert "4 withdrawals are held" in said
    assert f"Look at run {number}" in said
    assert "6 records were added" in said
    city.write("", "portal.ttl").unlink()
    city.run()
    assert "portal could not be read" in text_of(steward.get("/desk"))


def test_a_source_that_was_only_read_for_show_waits_for_a_person_and_a_failed_one_is_never_all_well(
    city: City, steward: Browser, portal: PortalServer
) -> None:
    steward.get("/desk/add-source")
    fields = {"name": "parks", "location": portal.url + "/none.ttl", "kind": "dcat", "every_min": "1440"}
    note = steward.press("/desk/add-source", fields).headers["location"]
    work(city)
    said = text_of(steward.get("/desk"))
    assert "parks could not be read for show" in said
    assert "One thing waits for a person" in said
    assert "Nothing waits" not in said
    failed = steward.get(note)
    assert "within the hour" not in text_of(failed), "the timetable leaves a new source alone"
    assert "/desk/sources/parks/change" in failed.text
    portal.pages["/none.ttl"] = serving(datasets(1, 2))
    steward.press("/desk/sources/parks/run", {"how": "dry"})
    work(city)
    assert "parks was read for show" in text_of(steward.get("/desk"))
    assert "Its records, as readers would see them" in text_of(steward.get("/desk/runs/2"))


def test_a_failed_source_is_tried_again_only_where_the_timetable_does(city: City, steward: Browser) -> None:
    city.add(city.write("", "portal.ttl"), schedule_minutes=60)
    city.harvest(datasets(1))
    city.write("", "portal.ttl").unlink()
    city.run()
    assert "tried again within the hour" in text_of(steward.get("/desk"))
    steward.press("/desk/sources/portal/pause")
    said = text_of(steward.get("/desk"))
    assert "nothing tries again until somebody does" in said
    assert "within the hour" not in said


def test_a_failed_run_says_who_must_act(city: City, steward: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    city.add("http://10.0.0.5:5000/catalog.ttl", schedule_minutes=60)
    run = city.run()
    assert run.code == "forbidden-address"
    said = text_of(steward.get(f"/desk/runs/{run.id}"))
    assert words("en", "desk.run.private") in said
    assert "in a browser" not in said

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full)
        run = city.run()
    assert words("en", "desk.run.ours") in text_of(steward.get(f"/desk/runs/{run.id}"))


def test_a_source_of_which_a_part_was_read_is_not_called_well(city: City, steward: Browser) -> None:
    assert city.harvest(datasets(1, 2)).state == "succeeded"
    assert "It was read well" in text_of(steward.get("/desk/sources/portal"))
    city.harvest("d:x a ")
    assert city.node.runs.list()[0].state == "partial"
    said = text_of(steward.get("/desk/sources/portal"))
    assert "only in part" in said
    assert "read well" not in said


def test_the_worker_takes_what_was_asked_for_before_what_is_due(city: City) -> None:
    city.add(city.write(datasets(1)), schedule_minutes=0)
    worker = Worker(city.node, clock_ms=city.node.harvest._clock_ms)
    asked = city.node.harvesting.office.start("portal", by="maija")
    worker.take_asked()
    assert worker._planned_runs == {asked.id}
    worker._work(asked.id)
    assert worker._planned_runs == set()
    assert city.node.runs.get(asked.id).state == "succeeded"
    worker._lease.release()


def test_a_source_feeds_nothing_that_the_node_alone_writes(city: City, steward: Browser) -> None:
    city.node.create_collection("evidence", title="Evidence", visibility="restricted", at_ms=1)
    city.add(city.write(datasets(1)), "ours")
    page = steward.get("/desk/sources/ours/change")
    assert '<option value="evidence"' not in page.text
    fields = form_with(page.text, "every_min") | {"collection": ["evidence"]}
    assert steward.press("/desk/sources/ours/change", fields).status_code == 400
    steward.get("/desk/add-source")
    fields |= {"name": ["stowaway"], "location": ["https://x.example/c.ttl"]}
    assert steward.press("/desk/add-source", fields).status_code == 400
    assert city.node.harvesting.office.show("ours").wanted.collection == "open-data"
    assert [each.name for each in city.node.harvesting.office.list()] == ["ours"]


def test_an_old_page_of_a_source_undoes_nothing(city: City, steward: Browser) -> None:
    city.add("https://x.example/c.ttl", "theirs")
    office, at = city.node.harvesting.office, "/desk/sources/theirs/change"
    old = form_with(steward.get(at).text, "every_min")
    office.edit("theirs", replace(office.show("theirs").wanted, location="https://x.example/new.ttl", threshold=7))
    refused = steward.press(at, old | {"every_min": ["60"]})
    assert refused.status_code == 409
    said = text_of(refused)
    assert "Somebody has changed this since you opened the page" in said
    assert "https://x.example/new.ttl" in said
    assert office.show("theirs").wanted.every_min == 0
    again = form_with(refused.text, "every_min")
    assert (again["every_min"], again["location"]) == (["60"], ["https://x.example/c.ttl"]), "what was typed is kept"
    assert steward.press(at, again).status_code == 303
    assert office.show("theirs").wanted == Wanted("dcat", "https://x.example/c.ttl", "open-data", 60, False, None)
    assert steward.press(at, again).status_code == 303, "sent twice is no clash"
