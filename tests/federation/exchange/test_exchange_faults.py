"""What goes wrong between two cities costs no record: silence, deaths, stops, and pages that lie or never end."""

import dataclasses
import threading
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.errors import AlreadyRunning, JournalBusy, Malformed, NotFound, PeerUnreachable, Stopped
from node.federation.exchange import exchange as module
from node.federation.exchange import fetching
from node.federation.peers.backoff import OPENS_AFTER
from node.lease import Lease
from node.outbound import Reply
from tests.federation.cities import HELSINKI, NAME, City, Request
from tests.federation.exchange.rig import ENTRIES, MIRROR, Two, caught_up, is_mirrored

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for pages of twenty entries."""
    monkeypatch.setattr(fetching, "LIMIT", 20)


def follow(london: City, collection: str = NAME) -> Any:
    return london.node.federation.peers.followed("helsinki", collection)


# ---------------------------------------------------------------- errors


def test_a_silent_origin_makes_a_mirror_stale_and_nothing_vanishes(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(5)
    london.pull(helsinki)
    held = london.shown(MIRROR)
    london.wire.down.add(HELSINKI)
    peers = london.node.federation.peers
    for failures in range(1, OPENS_AFTER + 2):
        with pytest.raises(PeerUnreachable):
            london.pull(helsinki)
        assert peers.get("helsinki").failures == failures
    health = london.node.federation.health
    later = clock_ms() + 10 * 3_600_000
    assert health.of("helsinki", clock_ms()).circuit == "open"
    assert health.of("helsinki", later).circuit == "half-open"
    assert health.of("helsinki", later).follows[0].stale
    assert not peers.due("helsinki", clock_ms())
    assert london.shown(MIRROR) == held
    assert london.get(f"/collections/{MIRROR}/checkpoint").status == 200
    london.wire.down.clear()
    assert london.pull(helsinki).pulled.level
    assert peers.get("helsinki").failures == 0
    assert health.of("helsinki", clock_ms()).circuit == "closed"


def test_a_pull_that_dies_between_pages_goes_on_where_it_ended(two: Two, short: None) -> None:
    helsinki, london = two
    helsinki.publish_many(70)
    taken: list[str] = []

    def dying(request: Request, reply: Reply) -> Reply:
        if request.path == ENTRIES:
            taken.append(request.url)
            if len(taken) == 3:
                raise PeerUnreachable("The cable was cut.")
        return reply

    helsinki.wire.bend = dying
    pulled = london.pull(helsinki).pulled
    assert isinstance(pulled.error, PeerUnreachable)
    assert not pulled.level
    assert london.size(MIRROR) == 40
    assert london.node.federation.peers.get("helsinki").failures == 1
    assert follow(london).last_error_code == "peer-unreachable"
    assert london.verify(MIRROR, helsinki) == 40
    pulled = london.pull(helsinki).pulled
    assert pulled.level
    assert pulled.collections[0].entries == 30
    assert london.root(MIRROR) == helsinki.root()
    assert follow(london).last_error_code == ""


def test_a_crash_in_our_own_database_is_not_counted_against_the_peer(
    two: Two, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    helsinki, london = two
    helsinki.publish_many(50)
    journals = london.node.journals
    written: list[int] = []
    real = type(journals).mirrored

    def full(self: Any, *args: Any, **more: Any) -> Any:
        written.append(1)
        if len(written) == 2:
            raise JournalBusy("Somebody holds the lock.")
        return real(self, *args, **more)

    monkeypatch.setattr(type(journals), "mirrored", full)
    pulled = london.pull(helsinki).pulled
    assert isinstance(pulled.error, JournalBusy)
    assert london.size(MIRROR) == 20
    assert london.node.federation.peers.get("helsinki").failures == 0
    assert london.pull(helsinki).pulled.level


def test_a_stop_ends_a_pull_and_loses_nothing(two: Two, short: None) -> None:
    helsinki, london = two
    helsinki.publish_many(50)
    stop = threading.Event()

    def stopping(request: Request, reply: Reply) -> Reply:
        if "after=20&" in request.url:
            stop.set()
        return reply

    helsinki.wire.bend = stopping
    with pytest.raises(Stopped):
        london.pull(helsinki, stop=stop)
    assert london.size(MIRROR) in (20, 40)
    assert london.node.federation.peers.get("helsinki").failures == 0
    helsinki.wire.bend = None
    assert london.pull(helsinki).pulled.level


def test_one_peer_is_pulled_from_once_at_a_time(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(3)
    other = Lease(london.node.db, "pull/helsinki", length_ms=60_000)
    assert other.hold(clock_ms())
    with pytest.raises(AlreadyRunning):
        london.pull(helsinki)
    assert london.node.federation.peers.get("helsinki").failures == 0
    other.release()
    assert london.pull(helsinki).pulled.level


def test_what_is_wrong_with_one_collection_does_not_hold_up_another(friends: Two) -> None:
    helsinki, london = friends
    helsinki.node.create_collection("practices", title="Practices", visibility="public", at_ms=clock_ms())
    helsinki.publish_many(3)
    helsinki.publish(helsinki.put(50), collection="practices")
    london.node.federation.peers.follow("helsinki", ["practices", "missing"], at_ms=clock_ms())
    pulled = london.pull(helsinki).pulled
    found = {each.collection: each for each in pulled.collections}
    assert found[MIRROR].level
    assert found["helsinki/practices"].level
    assert isinstance(found["helsinki/missing"].error, NotFound)
    assert isinstance(pulled.error, NotFound)
    assert london.node.federation.peers.get("helsinki").failures == 0, "it answered; that one is missing"


def test_a_paused_follow_is_left_alone_and_a_peer_of_whom_nothing_is_followed_is_not_asked(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(3)
    with london.node.db.write() as tx:
        london.node.federation.peers.change_follow(tx, "helsinki", NAME, paused=True)
    helsinki.wire.forget()
    with pytest.raises(NotFound):
        london.pull(helsinki)
    assert not helsinki.wire.asked


# ---------------------------------------------------------------- pages that lie


@pytest.mark.parametrize("trick", ["replayed", "reordered", "cut", "flipped", "nothing", "no-envelope"])
def test_a_page_that_is_not_the_one_that_was_asked_for_stores_nothing_unverified(
    two: Two, short: None, trick: str
) -> None:
    helsinki, london = two
    helsinki.publish_many(50)
    kept: dict[str, bytes] = {}

    def bent(request: Request, reply: Reply) -> Reply:
        if request.path != ENTRIES or "after=20&" not in request.url:
            if request.path == ENTRIES:
                kept["before"] = reply.body
            return reply
        lines = reply.body.splitlines(keepends=True)
        tricks = {
            "replayed": kept.get("before", b""),
            "reordered": b"".join([lines[0], lines[2], lines[1], *lines[3:]]),
            "cut": reply.body[: len(reply.body) // 2],
            "flipped": reply.body.replace(b"Title 30", b"Title 31"),
            "nothing": lines[0],
            "no-envelope": b"".join(lines[1:]),
        }
        return dataclasses.replace(reply, body=tricks[trick])

    helsinki.wire.bend = bent
    pulled = london.pull(helsinki).pulled
    if trick == "flipped":  # the entry is right and its payload is not: refused, asked for again, and held in the end
        assert pulled.collections[0].refused == 1
    else:
        assert isinstance(pulled.error, Malformed)
        assert london.size(MIRROR) == 20
        assert london.node.federation.peers.get("helsinki").failures == 1
    assert not london.node.federation.peers.get("helsinki").quarantine, "a broken page is no evidence"
    helsinki.wire.bend = None
    london.pull(helsinki)
    caught_up(helsinki)
    assert is_mirrored(london, helsinki)
    assert london.sql("SELECT count(*) FROM refusal") == [(0,)]


def test_a_feed_that_drips_or_never_ends_is_left(two: Two, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    helsinki, london = two
    helsinki.publish_many(40)
    real = helsinki.wire.ask

    def dripping(request: Request) -> Reply:
        url = request.url.replace("limit=20", "limit=1")
        return real(dataclasses.replace(request, url=url))

    monkeypatch.setattr(helsinki.wire, "ask", dripping)
    pulled = london.pull(helsinki).pulled
    assert isinstance(pulled.error, Malformed)
    assert "drips" in str(pulled.error)
    assert len(helsinki.wire.paths()) < 15


def test_a_pull_has_an_end_even_if_its_peer_has_none(two: Two, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    helsinki, london = two
    helsinki.publish_many(50)
    monkeypatch.setattr(module, "PULL_MS", -1)
    with pytest.raises(PeerUnreachable, match="not level"):
        london.pull(helsinki)
    assert london.node.federation.peers.get("helsinki").failures == 1
