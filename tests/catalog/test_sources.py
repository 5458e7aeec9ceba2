"""Laws of sources: what may be one, and what is remembered of it."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from node.catalog import sources as module
from node.catalog.portals.base import Portal
from node.catalog.sources import Source, Validators, portal_of, portals
from node.errors import Conflict, Malformed, NotFound, UnknownKind
from tests.catalog.rig import ID, City, datasets


def test_every_kind_is_an_adapter_that_knows_its_own_name() -> None:
    assert sorted(portals()) == ["ckan", "datapress", "dcat", "dcat-us"]
    for kind, portal in portals().items():
        assert portal.kind == kind
        assert portal.version >= 1
        assert portal.title
        assert portal_of(kind) is portal


def test_a_city_can_add_an_adapter_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = EntryPoint("own", "node.catalog.portals.dcat:DcatPortal", module.PORTALS)
    portals.cache_clear()
    monkeypatch.setattr(module, "entry_points", lambda group: [own] if group == module.PORTALS else [])
    try:
        portal: Portal = portal_of("own")
        assert portal.title.startswith("DCAT")
        with pytest.raises(UnknownKind, match="Kinds that exist: own"):
            portal_of("dcat")
    finally:
        portals.cache_clear()


def test_sources_are_listed_by_name_and_forgotten_when_removed(city: City) -> None:
    path = city.write(datasets(1))
    for name in ("b", "a", "c"):
        city.add(path, name)
    assert [source.name for source in city.node.sources.list()] == ["a", "b", "c"]
    city.node.sources.remove("b")
    assert [source.name for source in city.node.sources.list()] == ["a", "c"]
    for act in (city.node.sources.get, city.node.sources.remove):
        with pytest.raises(NotFound, match="citynode sources list"):
            act("b")


def test_what_a_removed_source_published_stays(city: City) -> None:
    city.harvest(datasets(1, 2))
    city.node.sources.remove("portal")
    assert sorted(city.digests()) == [ID + "n1", ID + "n2"]


@pytest.mark.parametrize("name", ["", "Portal", "a b", "-a", "ä", "a" * 64, "a/b", "a\n", "../x"])
def test_a_source_needs_a_name_that_an_address_can_hold(name: str, city: City) -> None:
    with pytest.raises(Malformed, match="no name"):
        city.add(city.write(datasets(1)), name)
    assert city.node.sources.list() == []


@pytest.mark.parametrize("name", ["evidence", "agreements", "agreements-london-0123abcd"])
def test_a_source_feeds_nothing_that_the_node_alone_writes(name: str, city: City) -> None:
    city.node.create_collection(name, title="Its own", visibility="restricted", at_ms=1)
    path, sources = str(city.write(datasets(1))), city.node.sources
    with pytest.raises(Conflict, match="written by the node alone"):
        sources.add(Source(name="stowaway", kind="dcat", location=path, collection=name, created_at=1))
    city.add(path)
    with pytest.raises(Conflict, match="written by the node alone"):
        sources.change("portal", collection=name)
    with city.node.db.write() as tx:  # as an older program let it be chosen
        tx.run("UPDATE source SET collection = ? WHERE name = 'portal'", name)
    run = city.run()
    assert (run.state, run.code) == ("failed", "conflict")
    assert sources.change("portal", paused=True).paused, "what else is changed of it may be"


@pytest.mark.parametrize(
    "location",
    ["ftp://data.example/x", "file:///etc/passwd", "s3://bucket/x", "http://", "https:///x", "http://[bad/x"],
)
def test_a_location_is_an_http_address_or_a_file(location: str, city: City) -> None:
    with pytest.raises(Malformed, match="Give a URL or a path"):
        city.add(location)


def test_a_file_must_be_there_and_is_kept_by_its_whole_path(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    path = city.write(datasets(1), "sub/one.ttl")
    monkeypatch.chdir(city.folder)
    assert city.add("sub/../sub/one.ttl").location == str(path)
    for missing in ("sub/two.ttl", "sub"):
        with pytest.raises(NotFound, match="no file"):
            city.add(missing, "other")
    assert not city.node.sources.get("portal").location.startswith("http")
    assert city.node.sources.get("portal").is_file
    assert Path(city.node.sources.get("portal").location).is_absolute()


def test_a_name_is_given_once_and_a_collection_must_exist(city: City) -> None:
    path = city.write(datasets(1))
    city.add(path)
    with pytest.raises(Conflict, match="exists"):
        city.add(path)
    with pytest.raises(NotFound, match="citynode collections create nowhere"):
        city.add(path, "other", collection="nowhere")


def test_what_makes_the_next_request_conditional_is_remembered_and_can_be_forgotten(city: City) -> None:
    city.add("https://data.example/c", schedule_minutes=60, keep_contacts=True, threshold_percent=5)
    assert not city.node.sources.get("portal").is_file
    city.node.sources.remember("portal", Validators('"e"', "Sat", "1:ff", "recipe"))
    source = city.node.sources.get("portal")
    assert (source.etag, source.last_modified, source.body_sha256, source.recipe) == ('"e"', "Sat", "1:ff", "recipe")
    assert (source.schedule_minutes, source.keep_contacts, source.threshold_percent) == (60, True, 5)
    with city.node.db.write() as tx:
        city.node.sources.forget_validators(tx, "portal")
    assert city.node.sources.get("portal").recipe == ""


def test_a_source_is_a_row_that_can_leave_its_session(city: City) -> None:
    added = city.add(city.write(datasets(1)))
    assert isinstance(added, Source)
    assert [source.name for source in city.node.sources.list()] == [added.name]
