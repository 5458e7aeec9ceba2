"""Files of harvested datasets are looked into by themselves: a real portal, a real harvest, both databases."""

import shutil
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from node.assembly import build
from node.assembly.clock import clock_ms
from node.catalog.fetched_files import DAY_MS, EVERY_MS
from node.catalog.previews.folder import Folder
from node.catalog.previews.reading import NORMAL
from node.catalog.previews.rounds import BEGINNING_BYTES, Fetching, Previewer
from node.catalog.previews.store import Look, again
from node.journal import key_of
from tests.catalog.models.samples import catalogue
from tests.catalog.previews.made import geojson, square
from tests.catalog.rig import City
from tests.portal_server import Handle, PortalServer, page, status

pytestmark = pytest.mark.slow  # a process for each file that is read

CSV = b"id,name\n1,x\n"


def look(city: City) -> int:
    """Bring the list level and do all that is due; give how many things that was."""
    previews, stop, done = city.node.knowledge.previews, threading.Event(), 0
    previews.keeper.catch_up(stop)
    while previews.previewer.round(stop):
        done += 1
        assert done < 50
    return done


def known(city: City) -> list[Look]:
    return city.node.knowledge.previews.looks.all()


def due(city: City) -> None:
    with city.node.db.write() as tx:
        tx.run("UPDATE preview SET next_at = 0, checked_at = 0")


def folder(city: City) -> Folder:
    return city.node.knowledge.previews.folder


def test_what_is_inside_a_harvested_file_is_kept_under_the_digest_of_its_bytes(
    city: City, portal: PortalServer
) -> None:
    portal.pages["/a.geojson"] = page(geojson(square(24.9, 60.1)), etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.geojson"))

    assert look(city) == 1

    (one,) = known(city)
    assert (one.state, one.detail, one.next_ms - one.checked_ms) == ("seen", "", EVERY_MS)
    assert folder(city).read(one.file, "json") == one.facts.encode()
    assert (folder(city).read(one.file, "geojson") or b"")[:1] == b"{"
    assert city.node.knowledge.previews.looks.shown_of(one.file) == ["open-data"]


def test_a_file_that_did_not_change_is_not_fetched_again(city: City, portal: PortalServer) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (before,) = known(city)
    assert look(city) == 0
    due(city)
    assert look(city) == 1
    assert portal.asked[-1][1]["if-none-match"] == '"1"'
    assert [each.file for each in known(city)] == [before.file]


def test_a_new_state_of_a_file_takes_the_place_of_the_one_before(city: City, portal: PortalServer) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (before,) = known(city)
    portal.pages["/a.csv"] = page(CSV + b"2,y\n", "text/csv", etag='"2"')
    due(city)
    look(city)
    (after,) = known(city)
    assert after.file != before.file
    assert folder(city).read(before.file, "json") is None
    assert folder(city).read(after.file, "json") is not None


def test_what_its_dataset_names_no_more_is_taken_away(city: City, portal: PortalServer) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (before,) = known(city)
    city.harvest(catalogue())
    look(city)
    assert known(city) == []
    assert folder(city).read(before.file, "json") is None


def test_of_a_dataset_that_is_marked_as_about_residents_nothing_is_shown_at_once_and_then_nothing_kept(
    city: City, portal: PortalServer
) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (before,) = known(city)
    with city.node.db.write() as tx:
        tx.run(
            "INSERT INTO data_personal (dataset, subject_column, consent, at) VALUES (?, 'id', '', 1)", before.dataset
        )
    looks = city.node.knowledge.previews.looks
    assert (looks.shown_of(before.file), looks.of("open-data", before.dataset), looks.at(before.url)) == ([], [], [])
    look(city)
    assert [(each.state, each.file, each.facts, each.etag) for each in known(city)] == [("withheld", "", "", "")]
    assert folder(city).read(before.file, "json") is None
    city.harvest(catalogue(f"{portal.url}/a.csv", f"{portal.url}/b.csv"))
    with city.node.db.write() as tx:
        assert again(tx, before.dataset, now_ms=clock_ms()) == 0, "and asking for it does not help"
    asked = fetched(portal)
    look(city)
    assert [each.state for each in known(city)] == ["withheld", "withheld"]
    assert fetched(portal) == asked, "nor is anything fetched"
    with city.node.db.write() as tx:
        tx.run("DELETE FROM data_personal")
    look(city)
    (one, _) = known(city)
    assert (one.state, one.file) == ("seen", before.file), "a mark that was a slip leaves nothing behind"


def fetched(portal: PortalServer) -> int:
    return len([path for path, _ in portal.asked if path.endswith(".csv")])


def test_a_file_that_a_dataset_about_residents_names_is_shown_of_no_other_dataset_either(
    city: City, portal: PortalServer
) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (one,) = known(city)
    with city.node.db.write() as tx:
        tx.run(
            "INSERT INTO preview (record_key, iri, collection_id, url_key, url, state, digest)"
            " SELECT ?, 'urn:twin', collection_id, url_key, url, 'new', digest FROM preview",
            key_of("urn:twin"),
        )
        tx.run("INSERT INTO data_personal (dataset, subject_column, consent, at) VALUES ('urn:twin', 'id', '', 1)")
    looks = city.node.knowledge.previews.looks
    assert (looks.shown_of(one.file), looks.of("open-data", one.dataset), looks.at(one.url)) == ([], [], [])
    look(city)
    assert {each.state for each in known(city)} == {"withheld"}
    assert folder(city).read(one.file, "json") is None


def test_a_server_that_is_away_takes_nothing_from_readers(city: City, portal: PortalServer) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (before,) = known(city)
    portal.pages["/a.csv"] = status(503)
    due(city)
    look(city)
    (after,) = known(city)
    assert (after.state, after.file) == ("failed", before.file)
    assert after.next_ms - after.checked_ms == 3_600_000


def test_what_cannot_be_shown_says_why_and_is_left_alone_for_a_month(city: City, portal: PortalServer) -> None:
    portal.pages["/a.csv"] = page(b"\x00\x01\x02", "text/csv")
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (one,) = known(city)
    assert (one.state, one.file) == ("refused", "")
    assert "no text" in one.detail
    assert one.next_ms - one.checked_ms == 30 * DAY_MS


def test_a_restricted_dataset_is_never_fetched_and_what_was_made_before_is_not_shown(
    city: City, portal: PortalServer
) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (one,) = known(city)
    with city.node.db.write() as tx:
        tx.run("UPDATE collection SET visibility = 'restricted' WHERE name = 'open-data'")
    previews = city.node.knowledge.previews
    assert previews.looks.shown_of(one.file) == []
    assert previews.looks.of("open-data", one.dataset) == []
    previews.keeper.rebuild(threading.Event())
    look(city)
    assert known(city) == []
    assert folder(city).read(one.file, "json") is None


def test_a_file_that_a_marked_dataset_in_a_closed_collection_names_too_is_withheld(
    city: City, portal: PortalServer
) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    text = catalogue(f"{portal.url}/a.csv")
    city.harvest(text)
    look(city)
    city.node.knowledge.collections.make("closed")
    other = text.replace("d:m ", "d:people ").replace("/id/m/", "/id/people/")
    city.add(city.write(other, "closed.ttl"), "closed", collection="closed")
    city.run("closed")
    with city.node.db.write() as tx:
        sql = "INSERT INTO data_personal (dataset, subject_column, consent, at) VALUES (?, 'id', '', 1)"
        tx.run(sql, "https://data.example/id/people")
    look(city)
    assert [(each.state, each.file, each.facts) for each in known(city)] == [("withheld", "", "")]


def test_what_is_flagged_as_personal_data_is_not_looked_into(city: City) -> None:
    flag = "; <https://w3id.org/dpv#hasPersonalData> <https://w3id.org/dpv/pd#Name>"
    with city.node.db.write() as tx:
        tx.run("UPDATE collection SET visibility = 'restricted' WHERE name = 'open-data'")
    city.harvest(catalogue("https://files.example/a.csv", more=flag))
    with city.node.db.write() as tx:
        tx.run("UPDATE collection SET visibility = 'public' WHERE name = 'open-data'")
    assert city.held()
    city.node.knowledge.previews.keeper.rebuild(threading.Event())
    assert known(city) == []


def test_a_dataset_can_be_looked_into_again_at_once(city: City, portal: PortalServer) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    with city.node.db.write() as tx:
        assert again(tx, "https://data.example/id/m", now_ms=0) == 1
    assert look(city) == 1
    assert "if-none-match" not in portal.asked[-1][1]


def test_what_a_restored_backup_does_not_hold_is_made_again(city: City, portal: PortalServer) -> None:
    portal.pages["/a.csv"] = page(CSV, "text/csv", etag='"1"')
    city.harvest(catalogue(f"{portal.url}/a.csv"))
    look(city)
    (before,) = known(city)
    shutil.rmtree(city.folder / "previews")
    made_anew = build(city.node.settings)
    try:
        assert made_anew.knowledge.previews.previewer.round(threading.Event()) == 1
    finally:
        made_anew.close()
    (after,) = known(city)
    assert (after.state, after.file) == ("seen", before.file)
    assert folder(city).read(after.file, "json") == after.facts.encode()


def impatient(city: City, deadline_s: float) -> Previewer:
    """Look into files as the node does, but wait so long only for each."""
    fetching = Fetching(city.node.outbound, city.folder / "work", 50 << 20, deadline_s, NORMAL)
    return Previewer(city.node.db, fetching, folder(city), clock_ms=clock_ms)


def test_a_server_that_drips_does_not_keep_the_files_of_others_waiting(city: City, portal: PortalServer) -> None:
    with PortalServer() as other:
        for name in "abc":
            portal.pages[f"/{name}.csv"] = portal.drip(CSV * 1_000)
            other.pages[f"/{name}.csv"] = page(CSV)
        city.harvest(catalogue(*(f"{server.url}/{name}.csv" for server in (portal, other) for name in "abc")))
        previews, stop = city.node.knowledge.previews, threading.Event()
        previews.keeper.catch_up(stop)
        with city.node.db.write() as tx:
            tx.run("UPDATE preview SET next_at = -1 WHERE url LIKE ?", f"{portal.url}%")
        previewer = impatient(city, 1.0)
        for _ in range(4):
            assert previewer.round(stop) == 1
        states = {one.url: one.state for one in known(city)}
        assert [states[f"{other.url}/{name}.csv"] for name in "abc"] == ["seen"] * 3
        assert sorted(states[f"{portal.url}/{name}.csv"] for name in "abc") == ["failed", "new", "new"]
        assert previewer.round(stop) == 1, "nobody else is waiting"


def test_one_file_may_take_a_minute_whatever_documents_may_take(city: City) -> None:
    assert city.node.settings.fetch_deadline_s > 60
    assert city.node.knowledge.previews.previewer._fetching.deadline_s == 60


def slow_after(portal: PortalServer, body: bytes, fast: int) -> Handle:
    """Send so many bytes at once and then hardly any, but parts as they are asked for."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        part = "Range" in request.headers
        request.send_response(206 if part else 200)
        request.send_header("Content-Length", str(BEGINNING_BYTES if part else len(body)))
        request.end_headers()
        request.wfile.write(body[: BEGINNING_BYTES if part else fast])
        if not part:
            portal.leaving.wait(10)

    return handle


def test_of_a_file_that_comes_too_slowly_the_beginning_is_shown(city: City, portal: PortalServer) -> None:
    body = CSV + (b"2," + b"y" * 1_000 + b"\n") * 8_000
    portal.pages["/slow.csv"] = slow_after(portal, body, BEGINNING_BYTES + (1 << 20))
    portal.pages["/away.csv"] = slow_after(portal, body, 1 << 20)
    city.harvest(catalogue(f"{portal.url}/slow.csv", f"{portal.url}/away.csv"))
    previews, stop = city.node.knowledge.previews, threading.Event()
    previews.keeper.catch_up(stop)
    previewer = impatient(city, 1.5)
    while previewer.round(stop):
        pass
    away, slow = known(city)
    assert (away.state, away.file) == ("failed", "")
    assert (slow.state, slow.etag) == ("seen", "")
    assert '"rows":null' in slow.facts
