"""Laws of health: one value that says contact, lag, age, failures, and what will run out when."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from node.db import Database
from node.errors import PeerUnreachable
from node.federation.peers.health import PeerMarks
from node.journal.journal import Journals
from tests.federation.fake_peer import NOW_MS, FakePeer
from tests.federation.peer_rig import Rig, rig

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@pytest.fixture
def city(db: Database, tmp_path: Path) -> Iterator[Rig]:
    made = rig(db)
    with FakePeer(tmp_path / "helsinki") as helsinki:
        made.approves(helsinki)
        made.peers.follow("helsinki", ["open-data"], at_ms=NOW_MS)
        yield made
    made.outbound.close()


def test_lag_is_what_is_known_and_not_held(city: Rig, journals: Journals) -> None:
    with city.db.write() as tx:
        city.peers.change_follow(tx, "helsinki", "open-data", known_size=9, checked_at=NOW_MS, level_at=NOW_MS - 500)
        tx.run("UPDATE collection SET name = ?, size = ? WHERE name = ?", "helsinki/open-data", 7, "open-data")
    health = city.health.of("helsinki", NOW_MS + 1_000)
    (follow,) = health.follows
    assert (follow.known_size, follow.held_size, follow.lag, health.lag) == (9, 7, 2, 2)
    assert {each.collection: each.held_size for each in health.follows} == {"open-data": 7}
    assert (follow.checked_age_ms, follow.level_age_ms) == (1_000, 1_500)


def test_what_never_happened_has_no_age(city: Rig) -> None:
    health = city.health.of("helsinki", NOW_MS)
    assert (health.silent_ms, health.last_out_at, health.follows[0].checked_age_ms) == (-1, 0, -1)
    shown = city.office.show("helsinki")
    assert (shown["last_out_at"], shown["follows"][0]["checked_ms_ago"]) == (None, None)  # type: ignore[index]


def test_a_peer_is_stale_when_it_is_silent_for_longer_than_three_polls_and_an_hour(city: Rig) -> None:
    city.peers.answered("helsinki", NOW_MS)
    assert not city.health.of("helsinki", NOW_MS + HOUR_MS).stale
    assert city.health.of("helsinki", NOW_MS + HOUR_MS + 1).stale
    assert city.health.of("helsinki", NOW_MS + HOUR_MS + 1).silent_ms == HOUR_MS + 1


def test_a_peer_is_away_as_soon_as_it_failed_and_until_it_answers(city: Rig) -> None:
    assert not city.health.of("helsinki", NOW_MS).away
    city.peers.failed("helsinki", PeerUnreachable("It is away."), NOW_MS)
    health = city.health.of("helsinki", NOW_MS)
    assert (health.away, health.follows[0].away, health.stale) == (True, True, False)
    city.peers.answered("helsinki", NOW_MS + 1)
    health = city.health.of("helsinki", NOW_MS + 1)
    assert (health.away, health.follows[0].away) == (False, False)


def test_a_collection_that_is_not_given_is_away_alone(city: Rig) -> None:
    with city.db.write() as tx:
        city.peers.change_follow(tx, "helsinki", "open-data", last_error_code="not-found", last_error="Not there.")
    health = city.health.of("helsinki", NOW_MS)
    assert (health.away, health.follows[0].away) == (False, True)


def test_failures_the_circuit_and_the_next_attempt_are_shown(city: Rig) -> None:
    for _ in range(5):
        city.peers.failed("helsinki", PeerUnreachable("It is away."), NOW_MS)
    health = city.health.of("helsinki", NOW_MS)
    assert (health.failures, health.circuit, health.last_error_code) == (5, "open", "peer-unreachable")
    assert health.next_attempt_at == city.peers.get("helsinki").open_until
    assert city.health.of("helsinki", health.next_attempt_at).circuit == "half-open"
    city.peers.pause("helsinki")
    assert city.health.of("helsinki", NOW_MS).next_attempt_at == 0


@pytest.mark.parametrize(
    ("days", "step"), [(31, 0), (30, 30), (15, 30), (14, 14), (4, 14), (3, 3), (1, 3), (0, 3), (-5, 3)]
)
def test_the_end_of_a_last_key_is_told_thirty_fourteen_and_three_days_before(days: int, step: int, city: Rig) -> None:
    (key,) = city.peers.keys("helsinki", "checkpoint")
    with city.db.write() as tx:
        city.peers.pin(tx, "helsinki", [replace(key, until_ms=NOW_MS + days * DAY_MS)], NOW_MS)
    warnings = city.health.of("helsinki", NOW_MS).warnings
    assert [each.step for each in warnings] == ([step] if step else [])
    if days > 0 and step:
        assert f"checkpoint key of helsinki runs out in {days} day" in warnings[0].sentence
    if days <= 0:
        assert "has run out" in warnings[0].sentence


def test_a_key_that_was_replaced_in_time_is_no_worry_and_an_expired_statement_is(city: Rig) -> None:
    (key,) = city.peers.keys("helsinki", "checkpoint")
    newer = replace(key, kid="k" * 43, since_ms=NOW_MS)
    with city.db.write() as tx:
        city.peers.pin(tx, "helsinki", [replace(key, until_ms=NOW_MS + DAY_MS), newer], NOW_MS)
    assert city.health.of("helsinki", NOW_MS).warnings == ()
    (warning,) = city.health.of("helsinki", NOW_MS + 2 * DAY_MS).warnings
    assert warning.sentence == "The statement of helsinki has run out."


def test_a_quarantine_outweighs_the_state(city: Rig) -> None:
    city.peers.quarantine("helsinki", "split-view", "It has two histories.", "{}", NOW_MS)
    health = city.health.of("helsinki", NOW_MS)
    assert health.sentence.startswith("Held apart")
    assert health.sentence.endswith("It has two histories.")


def test_every_peer_and_mirror_has_its_gauges(city: Rig) -> None:
    city.peers.answered("helsinki", NOW_MS)
    registry = CollectorRegistry()
    registry.register(PeerMarks(city.health, lambda: NOW_MS))
    said = generate_latest(registry).decode()
    assert f'citynode_peer_last_contact_seconds{{peer="helsinki"}} {NOW_MS / 1000:.10g}'.split(" ")[0] in said
    for line in (
        'citynode_peer_failures{peer="helsinki"} 0.0',
        'citynode_peer_stale{peer="helsinki"} 0.0',
        'citynode_peer_quarantined{peer="helsinki"} 0.0',
        'citynode_mirror_verified_entries{collection="open-data",peer="helsinki"} 0.0',
    ):
        assert line in said
