"""What two cities are to each other while they exchange: contradicting histories, states, restrictions, clocks."""

import dataclasses
from pathlib import Path

import orjson
import pytest

from node.assembly.clock import clock_ms
from node.errors import Conflict, Forbidden, NotFound, Quarantined, Unauthenticated
from tests.federation.agreed import agree
from tests.federation.cities import HELSINKI, NAME, City
from tests.federation.exchange.rig import MIRROR, Two

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


# ---------------------------------------------------------------- histories


def _other_history(helsinki: City, path: Path) -> None:
    """Make Helsinki's journal another one of the same size, under the same keys."""
    with helsinki.node.db.write() as tx:
        ours = helsinki.collection()
        for table in ("entry", "tile", "checkpoint", "shelf", "cursor"):
            tx.run(f"DELETE FROM {table} WHERE collection_id = ?", ours.id)  # noqa: S608
        tx.run("DELETE FROM payload")
        from node.journal import collection as collections
        from node.journal.tree import EMPTY_ROOT

        collections.save(tx, dataclasses.replace(ours, size=0, root=EMPTY_ROOT, frontier=b"", last_at_ms=0))


@pytest.mark.parametrize("size", [3, 5, 8], ids=["smaller", "as large", "larger"])
def test_a_rewritten_history_holds_the_peer_apart_with_evidence(two: Two, tmp_path: Path, size: int) -> None:
    helsinki, london = two
    helsinki.publish_many(5)
    london.pull(helsinki)
    held = london.shown(MIRROR)
    _other_history(helsinki, tmp_path)
    helsinki.publish_many(size, title="Another")
    visited = london.pull(helsinki)
    assert visited.pulled.error is not None
    assert visited.pulled.error.code == "two-histories"
    peer = london.node.federation.peers.get("helsinki")
    assert peer.quarantine
    (evidence,) = [
        each
        for each in london.node.federation.peers.evidence("helsinki")
        if each.kind in ("split-view", "broken-history")
    ]
    said = orjson.loads(evidence.body)
    assert said["origin"] == helsinki.iri.removeprefix("http://")
    assert said["shown"]
    assert said["held"]
    assert said["keys"]
    assert london.shown(MIRROR) == held, "what is held stays"
    with pytest.raises(Quarantined):
        london.pull(helsinki)


def test_an_origin_that_went_back_to_a_backup_is_not_called_a_liar(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(3)
    london.pull(helsinki)
    old = helsinki.get("/checkpoints")
    helsinki.publish_many(2, start=4)
    london.pull(helsinki)
    etag = {**old.headers, "etag": '"other"'}
    helsinki.wire.bend = lambda request, reply: (
        dataclasses.replace(old, headers=etag) if request.path == "/checkpoints" else reply
    )
    pulled = london.pull(helsinki).pulled
    assert pulled.error is not None
    assert pulled.error.code == "broken-history"
    assert not london.node.federation.peers.get("helsinki").quarantine
    assert london.size(MIRROR) == 5
    helsinki.wire.bend = None
    assert london.pull(helsinki).pulled.level


# ---------------------------------------------------------------- states


@pytest.mark.parametrize("act", ["pause", "block"])
def test_of_a_peer_that_is_paused_or_blocked_nothing_is_pulled_and_its_requests_are_refused(
    friends: Two, act: str
) -> None:
    helsinki, london = friends
    helsinki.publish_many(3)
    london.pull(helsinki)
    client = london.node.federation.client
    client.notify(HELSINKI, [])  # London has a token now
    getattr(london.node.federation.peers, act)("helsinki")
    getattr(helsinki.node.federation.peers, act)("london")
    helsinki.wire.forget()
    with pytest.raises(Conflict):
        london.pull(helsinki)
    assert not helsinki.wire.asked
    with pytest.raises((Unauthenticated, Forbidden)):
        client.notify(HELSINKI, [])
    london.node.federation.token_source.forget(HELSINKI)
    with pytest.raises((Unauthenticated, Forbidden)):
        client.notify(HELSINKI, [])


def test_a_restricted_collection_is_mirrored_where_an_agreement_permits_it(
    friends: Two,
) -> None:
    helsinki, london = friends
    helsinki.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=clock_ms())
    helsinki.publish(helsinki.put(70), collection="plans")
    london.node.federation.peers.follow("helsinki", ["plans"], at_ms=clock_ms())
    london.node.federation.peers.unfollow("helsinki", NAME)
    assert isinstance(london.pull(helsinki).pulled.error, NotFound)
    agree(helsinki.node, london.node, "plans")
    assert london.pull(helsinki).pulled.level
    assert london.collection("helsinki/plans").visibility == "restricted"
    assert london.get("/collections/helsinki/plans/checkpoint").status == 404
    helsinki.publish(helsinki.put(71), collection="plans")
    assert {each.collection: each.entries for each in london.pull(helsinki).pulled.collections}["helsinki/plans"] == 1


def test_a_public_collection_that_its_origin_restricts_is_hidden_at_the_mirror_with_the_next_pull(friends: Two) -> None:
    helsinki, london = friends
    helsinki.publish_many(3)
    london.pull(helsinki)
    assert london.get(f"/collections/{MIRROR}/checkpoint").status == 200
    with helsinki.node.db.write() as tx:
        helsinki.node.journals.change(tx, NAME, visibility="restricted")
    agree(helsinki.node, london.node, NAME)
    assert london.pull(helsinki).pulled.level
    assert london.get(f"/collections/{MIRROR}/checkpoint").status == 404


def test_a_restricted_collection_that_becomes_public_is_shown_at_the_mirror_though_nothing_else_is_followed(
    friends: Two,
) -> None:
    helsinki, london = friends
    helsinki.publish_many(3)
    agree(helsinki.node, london.node, NAME)
    with helsinki.node.db.write() as tx:
        helsinki.node.journals.change(tx, NAME, visibility="restricted")
    assert london.pull(helsinki).pulled.level
    assert london.collection(MIRROR).visibility == "restricted"
    with helsinki.node.db.write() as tx:
        helsinki.node.journals.change(tx, NAME, visibility="public")
    assert london.pull(helsinki).pulled.level
    assert london.collection(MIRROR).visibility == "public"


def test_a_list_that_came_broken_hides_nothing(friends: Two) -> None:
    helsinki, london = friends
    helsinki.publish_many(3)
    london.pull(helsinki)
    helsinki.publish(helsinki.put(50))
    helsinki.wire.bend = lambda request, reply: (
        dataclasses.replace(reply, body=reply.body.replace(b"/collections/", b"/collectionz/"))
        if request.path == "/checkpoints"
        else reply
    )
    assert london.pull(helsinki).pulled.level
    assert london.collection(MIRROR).visibility == "public"


# ---------------------------------------------------------------- clocks


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_ten_minutes_off_gives_no_token_and_no_harm(friends: Two, minutes: int) -> None:
    helsinki, london = friends
    helsinki.publish(helsinki.put(1), helsinki.put(1, "Newer"))
    london.pull(helsinki)
    helsinki.erase(1)
    london.node.federation.token_source._clock_ms = lambda: clock_ms() + minutes * 60_000
    visited = london.pull(helsinki)
    assert visited.pulled.level, "what is public needs no clock"
    assert visited.told.erasures == 0
    assert london.sql("SELECT count(*) FROM erasure_told WHERE at IS NULL") == [(1,)]
    london.node.federation.token_source._clock_ms = clock_ms
    assert london.pull(helsinki).told.erasures == 1


def test_a_clock_that_was_put_back_silences_no_peer(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    london.pull(helsinki)
    exchange, now = london.node.federation.exchanging.exchange, clock_ms()
    assert not exchange.due("helsinki", now, poll_ms=60_000)
    assert exchange.due("helsinki", now + 60_001, poll_ms=60_000)
    assert exchange.due("helsinki", now - 3_600_000, poll_ms=60_000)
