"""The worker reads city models by itself, where it may."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node.jobs import links
from node.jobs import worker as module
from node.jobs.worker import Worker
from tests.catalog.models.samples import catalogue, cityjson
from tests.catalog.rig import City, make_city
from tests.portal_server import PortalServer, page, wait_until

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@contextmanager
def working(city: City) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Worker(city.node, clock_ms=city.node.harvest._clock_ms).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_S", 3600)
    monkeypatch.setattr(links, "_IDLE_S", 0.05)


def test_a_model_that_was_harvested_has_a_record_soon_after(city: City, portal: PortalServer) -> None:
    portal.pages["/m.city.json"] = page(cityjson())
    office = city.node.knowledge.authoring
    with working(city):
        city.harvest(catalogue(f"{portal.url}/m.city.json"))
        wait_until(lambda: len(office.own("city-model")) == 1, within_s=20)
        city.harvest(catalogue())
        wait_until(lambda: office.own("city-model") == [], within_s=20)
    assert city.sql("SELECT count(*) FROM lease") == [(0,)]


def test_where_the_city_does_not_want_it_no_file_is_fetched(
    tmp_path: Path, migrated: Path, portal: PortalServer, lasting_parser: None
) -> None:
    (tmp_path / "node.db").write_bytes(migrated.read_bytes())
    city = make_city(tmp_path, model_inspect_mib=0, preview_mib=0)
    portal.pages["/m.city.json"] = page(cityjson())
    try:
        city.harvest(catalogue(f"{portal.url}/m.city.json"))
        with working(city):
            threading.Event().wait(1.0)
        assert portal.asked == []
        assert city.node.knowledge.models.inspections.all() == []
    finally:
        city.node.close()


def test_what_was_read_by_hand_goes_too_where_no_file_is_looked_at_by_itself(
    tmp_path: Path, migrated: Path, portal: PortalServer, lasting_parser: None
) -> None:
    (tmp_path / "node.db").write_bytes(migrated.read_bytes())
    city = make_city(tmp_path, model_inspect_mib=0, preview_mib=0)
    portal.pages["/m.city.json"] = page(cityjson())
    knowledge = city.node.knowledge
    try:
        city.harvest(catalogue(f"{portal.url}/m.city.json"))
        knowledge.models.keeper.catch_up(threading.Event())
        assert knowledge.models.inspector.round(threading.Event()) == 1
        assert len(knowledge.authoring.own("city-model")) == 1
        with city.node.db.write() as tx:
            sql = "INSERT INTO data_personal (dataset, subject_column, consent, at) VALUES (?, 'id', '', 1)"
            tx.run(sql, "https://data.example/id/m")
        with working(city):
            wait_until(lambda: knowledge.authoring.own("city-model") == [], within_s=20)
    finally:
        city.node.close()
