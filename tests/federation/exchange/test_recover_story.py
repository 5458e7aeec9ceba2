"""The stories of docs/recover.md with whole cities and the real exchange: a fire, and what its peers see of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.assembly import build
from node.assembly.clock import clock_ms
from node.errors import BrokenHistory
from node.journal import behind
from tests.federation.cities import GHENT, HELSINKI, LONDON, NAME, City, Door, Lazy, cities, make

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

MIRROR = f"helsinki/{NAME}"
REASON = "A fire; no mirror could give the tail back."


@pytest.fixture
def three(tmp_path: Path, migrated: Path, db_url: str) -> Iterator[tuple[City, City, City]]:
    """Helsinki, which burns, and two that mirror it; London is on either database."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, ghent=GHENT) as (helsinki, ghent):
        london = make(tmp_path / "london", helsinki.wire, "london", LONDON, database=migrated, database_url=db_url)
        helsinki.publish_many(5)
        for city in (london, ghent):
            city.meet(helsinki)
            helsinki.meet(city, follow=())
        london.meet(ghent, follow=())
        ghent.meet(london, follow=())
        yield helsinki, london, ghent
        london.node.close()


def backup(city: City) -> Path:
    city.node.db.scrub()
    copy = city.node.settings.data / "backup.db"
    shutil.copy(city.node.settings.data / "node.db", copy)
    return copy


def restore(city: City, copy: Path) -> None:
    """What `citynode db restore` leaves: the old database, marked, and a node over it."""
    city.node.close()
    folder = city.node.settings.data
    for path in folder.glob("node.db*"):
        path.unlink()
    shutil.copy(copy, folder / "node.db")
    city.node = build(city.node.settings, outbound=Door(city.wire, city.name))
    city.wire.apps[city.url] = Lazy(city.node)
    with city.node.db.write() as tx:
        behind.mark_restored(tx, clock_ms())


def test_the_tail_comes_back_from_mirrors_and_nobody_else_has_to_do_anything(three: tuple[City, City, City]):
    helsinki, london, ghent = three
    copy = backup(helsinki)
    helsinki.publish_many(3, start=6)
    for city in (london, ghent):
        assert city.pull(helsinki).pulled.level
    restore(helsinki, copy)
    with pytest.raises(BrokenHistory):
        helsinki.publish_many(1, start=50)
    outcome = helsinki.federation.watching.recovery.run(clock_ms())
    assert (outcome.held_back, [one.size for one in outcome.recovered]) == ("", [8])
    helsinki.publish_many(2, start=9)
    for city in (london, ghent):
        assert city.pull(helsinki).pulled.level
        assert city.root(MIRROR) == helsinki.root()
        assert city.federation.peers.get("helsinki").quarantine == ""
    assert helsinki.verify(NAME) == london.verify(MIRROR, helsinki) == 10


def test_a_lost_tail_breaks_the_mirrors_until_a_person_approves_the_new_epoch(three: tuple[City, City, City]):
    helsinki, london, ghent = three
    copy = backup(helsinki)
    helsinki.publish_many(3, start=6)
    for city in (london, ghent):
        city.pull(helsinki)
    restore(helsinki, copy)
    watching = helsinki.federation.watching
    watching.recovery.check(clock_ms())
    watching.epochs.open(NAME, REASON, clock_ms())
    watching.recovery.alone()
    helsinki.publish_many(6, start=20, title="After the fire")
    visited = london.pull(helsinki)
    assert isinstance(visited.pulled.error, BrokenHistory)
    assert london.size(MIRROR) == 8
    offered = london.federation.watching.epochs.offered("helsinki", NAME)
    assert (offered.number, offered.from_size, offered.reason) == (1, 5, REASON)
    london.federation.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=clock_ms())
    assert london.size(MIRROR) == 5
    visited = london.pull(helsinki)
    assert visited.pulled.level, visited.pulled.error
    assert london.verify(MIRROR, helsinki) == helsinki.size() == 11
    assert len(london.shown(MIRROR)) == 11
    # Ghent has not decided yet: it shows the old tail, and neither London nor Helsinki is disturbed by that.
    assert london.federation.watching.heads.compare("helsinki", helsinki.iri, MIRROR, clock_ms()).contradiction == ""
    assert ghent.size(MIRROR) == 8
    assert helsinki.federation.watching.recovery.run(clock_ms()).held_back == ""


def test_a_city_that_goes_on_without_asking_is_caught_by_its_mirrors(three: tuple[City, City, City]):
    helsinki, london, _ = three
    copy = backup(helsinki)
    helsinki.publish_many(3, start=6)
    london.pull(helsinki)
    restore(helsinki, copy)
    helsinki.federation.watching.recovery.alone()
    helsinki.publish_many(3, start=30, title="Another history")
    london.pull(helsinki)
    assert "two histories" in london.federation.peers.get("helsinki").quarantine
    assert london.federation.watching.epochs.offered("helsinki", NAME) is None
