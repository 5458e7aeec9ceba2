"""Laws of the days of a peer: each visit counts once, a bad day is one it could not be reached on, none is made up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.db import Database
from node.errors import Conflict, NotFound, PeerUnreachable
from node.federation.peers.days import DAY_MS, SHOWN_DAYS, PeerDay, PeerDays
from tests.federation.cities import HELSINKI, LONDON, City, cities

MINUTE_MS = 60_000
NOW_MS = 20_000 * DAY_MS + 12 * 60 * MINUTE_MS


@pytest.fixture
def days(db: Database) -> PeerDays:
    return PeerDays(db)


def today(days: PeerDays, peer: str = "london", now_ms: int = NOW_MS) -> PeerDay:
    return days.of(peer, now_ms)[-1]


def test_thirty_days_are_given_oldest_first_and_those_that_nobody_asked_on_say_so(days: PeerDays) -> None:
    assert [day.reach for day in days.of("london", NOW_MS)] == ["unknown"] * SHOWN_DAYS
    days.note("london", NOW_MS - 2 * DAY_MS, failed=True)
    days.note("london", NOW_MS)
    found = days.of("london", NOW_MS)
    assert [day.day for day in found] == list(range(20_000 - SHOWN_DAYS + 1, 20_001))
    assert [day.reach for day in found[-3:]] == ["away", "unknown", "full"]
    assert found[-1].at_ms == 20_000 * DAY_MS
    assert days.all(NOW_MS) == {"london": found}
    assert days.of("london", NOW_MS + SHOWN_DAYS * DAY_MS)[0].reach == "unknown", "they pass"


def test_visits_that_go_well_are_counted_once_a_minute_and_every_failure_is(days: PeerDays) -> None:
    for second in range(0, 180, 2):
        days.note("london", NOW_MS + second * 1_000)
    days.note("tallinn", NOW_MS)
    for _ in range(4):
        days.note("london", NOW_MS + 1, failed=True)
    days.note("london", NOW_MS + 2, slow=True)
    assert today(days) == PeerDay(20_000, 8, 4, 1)
    assert today(days, "tallinn") == PeerDay(20_000, 1, 0, 0)
    days.note("london", NOW_MS - 5 * MINUTE_MS)
    assert today(days).visits == 9, "a clock that was put back silences nobody"


@pytest.mark.parametrize(
    ("visits", "failures", "slow", "reach"),
    [
        (0, 0, 0, "unknown"),
        (1, 0, 0, "full"),
        (1, 1, 0, "away"),
        (288, 288, 0, "away"),
        (288, 287, 0, "part"),
        (288, 14, 0, "full"),
        (288, 15, 0, "part"),
        (288, 7, 8, "part"),
        (288, 0, 15, "part"),
    ],
)
def test_a_day_with_a_twentieth_of_trouble_counts_as_good(visits: int, failures: int, slow: int, reach: str) -> None:
    assert PeerDay(1, visits, failures, slow).reach == reach


def test_days_long_past_are_let_go(db: Database, days: PeerDays) -> None:
    days.note("london", NOW_MS)
    days.note("tallinn", NOW_MS)
    days.note("london", NOW_MS + 500 * DAY_MS)
    rows = db.hot().rows("SELECT peer, day FROM peer_day ORDER BY peer")
    assert [tuple(row) for row in rows] == [("london", 20_500), ("tallinn", 20_000)]


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        yield helsinki, london


def visits_of(london: City) -> tuple[int, int]:
    rows = london.node.db.hot().rows("SELECT visits, failures FROM peer_day WHERE peer = 'helsinki'")
    return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)


@pytest.mark.slow
def test_the_worker_counts_who_could_not_be_reached_and_nothing_else(two: tuple[City, City]) -> None:
    helsinki, london = two
    office = london.node.federation.office
    london.pull(helsinki)
    assert visits_of(london) == (1, 0)
    london.wire.down.add(HELSINKI)
    with pytest.raises(PeerUnreachable):
        london.pull(helsinki)
    assert visits_of(london) == (2, 1)
    assert office.list()[0]["days"][-1] == "part"  # type: ignore[index]
    london.wire.down.clear()
    office.pause("helsinki")
    with pytest.raises(Conflict):
        london.pull(helsinki)
    office.resume("helsinki")
    office.unfollow("helsinki", "open-data")
    with pytest.raises(NotFound):
        london.pull(helsinki)
    assert visits_of(london) == (2, 1), "that we asked for nothing says nothing of it"
