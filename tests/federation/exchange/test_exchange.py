"""Laws of the exchange between whole nodes: a mirror becomes what its origin is, whatever happens on the way."""

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from node.assembly.clock import clock_ms
from node.errors import (
    AlreadyRunning,
    Conflict,
    Forbidden,
    JournalBusy,
    Malformed,
    NotFound,
    PeerUnreachable,
    Quarantined,
    Stopped,
    Unauthenticated,
)
from node.federation.exchange import exchange as module
from node.federation.exchange import fetching, leveller
from node.federation.peers.backoff import OPENS_AFTER
from node.lease import Lease
from node.outbound import Reply
from tests.federation.agreed import agree
from tests.federation.cities import GHENT, HELSINKI, LONDON, NAME, City, Request, Wire, cities, make

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

ENTRIES = f"/collections/{NAME}/entries"
MIRROR = f"helsinki/{NAME}"
Two = tuple[City, City]


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Two]:
    """Helsinki, and London which follows it; Helsinki does not know London."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        yield helsinki, london


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for pages of twenty entries."""
    monkeypatch.setattr(fetching, "LIMIT", 20)


@pytest.fixture
def friends(two: Two) -> Two:
    """Both know each other."""
    helsinki, london = two
    helsinki.meet(london, follow=())
    return two


def is_mirrored(london: City, helsinki: City, name: str = NAME) -> bool:
    local = f"helsinki/{name}"
    return (
        london.root(local) == helsinki.root(name)
        and london.shown(local) == helsinki.shown(name)
        and london.verify(local, helsinki) == helsinki.size(name)
    )


def follow(london: City, collection: str = NAME) -> Any:
    return london.node.federation.peers.followed("helsinki", collection)


def caught_up(city: City) -> None:
    from node.journal import catch_up

    for follower in city.node.followers:
        catch_up(city.node.journals, follower)


# ---------------------------------------------------------------- level


def test_a_first_mirror_a_change_and_a_withdrawal_are_what_the_origin_is(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(30)
    caught_up(helsinki)
    pulled = london.pull(helsinki).pulled
    assert pulled.level
    assert pulled.collections[0].entries == 30
    assert is_mirrored(london, helsinki)
    helsinki.publish(helsinki.put(3, "Another title"), helsinki.withdrawn(4), helsinki.put(31))
    caught_up(helsinki)
    assert london.pull(helsinki).pulled.collections[0].entries == 3
    assert is_mirrored(london, helsinki)
    assert helsinki.record(4) not in london.shown(MIRROR)
    assert london.node.federation.peers.get("helsinki").state == "active"


def test_whoever_follows_all_follows_what_comes_later_until_one_is_unfollowed(two: Two) -> None:
    helsinki, london = two
    peers, theme = london.node.federation.peers, "http://themes.example/tran"
    helsinki.publish_many(2)
    helsinki.begin("plans", 8, visibility="restricted")
    helsinki.begin("answers", 9)
    london.pull(helsinki)
    assert [each.collection for each in peers.follows()] == [NAME], "what was named, and no more"
    peers.follow("helsinki", [], at_ms=1, themes=[theme])
    london.pull(helsinki)
    helsinki.begin("challenges", 10)
    pulled = london.pull(helsinki).pulled
    assert {each.collection: each.size for each in pulled.collections} == {
        MIRROR: 2, "helsinki/answers": 1, "helsinki/challenges": 1,
    }  # fmt: skip
    assert pulled.level
    assert peers.followed("helsinki", "challenges").themes == (theme,)
    assert london.verify("helsinki/challenges", helsinki) == 1
    assert london.pull(helsinki).pulled.unchanged
    peers.unfollow("helsinki", "answers")
    helsinki.begin("reuses", 11)
    london.pull(helsinki)
    assert [each.collection for each in peers.follows()] == ["challenges", NAME]
    assert peers.offered("helsinki") == ["answers", "reuses"]


def test_what_comes_later_is_followed_although_the_statement_could_not_be_had_at_first(two: Two) -> None:
    helsinki, london = two
    peers = london.node.federation.peers
    peers.follow("helsinki", [], at_ms=1)
    helsinki.publish_many(1)
    london.pull(helsinki)
    helsinki.begin("answers", 9)

    def hide(request: Request, reply: Reply) -> Reply:
        return Reply(503, {}, b"") if request.path.endswith("/openid-federation") else reply

    helsinki.wire.bend = hide
    assert london.pull(helsinki).pulled.level, "what is followed comes all the same"
    assert len(peers.follows()) == 1
    helsinki.wire.bend = None
    london.pull(helsinki)
    assert [each.collection for each in peers.follows()] == ["answers", NAME]


def test_a_city_that_begins_too_much_leaves_room_to_follow_others(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    helsinki, london = two
    monkeypatch.setattr("node.federation.peers.peers.MAX_FOLLOWS", 4)
    peers = london.node.federation.peers
    peers.follow("helsinki", [], at_ms=1)
    for number, name in enumerate(("answers", "challenges", "reuses"), 20):
        helsinki.begin(name, number)
    london.pull(helsinki)
    assert [each.collection for each in peers.follows()] == ["answers", NAME]
    assert peers.offered("helsinki") == ["challenges", "reuses"]


def test_an_empty_collection_is_mirrored_as_empty(two: Two) -> None:
    helsinki, london = two
    assert london.pull(helsinki).pulled.level
    assert london.size(MIRROR) == 0
    assert london.verify(MIRROR, helsinki) == 0


def test_a_poll_of_an_unchanged_peer_is_one_conditional_request_and_no_commit(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(3)
    london.pull(helsinki)
    london.pull(helsinki)  # the mark of the second look
    helsinki.wire.forget()
    before = london.node.db.data_version()
    visited = london.pull(helsinki)
    assert visited.pulled.unchanged
    assert visited.pulled.level
    assert helsinki.wire.paths() == ["/checkpoints"]
    assert london.node.db.data_version() == before


def test_ten_changes_take_few_requests_and_few_bytes(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(500)
    london.pull(helsinki)
    helsinki.publish(*(helsinki.put(number * 40, "Changed") for number in range(1, 11)))
    helsinki.wire.forget()
    assert london.pull(helsinki).pulled.collections[0].entries == 10
    assert len(helsinki.wire.asked) <= 5
    assert helsinki.wire.sent <= 30_000


def test_a_newcomer_far_behind_takes_the_snapshot_and_pages_serve_if_it_fails(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    helsinki, london = two
    monkeypatch.setattr(leveller, "SNAPSHOT_FROM", 100)
    helsinki.publish_many(1_010)
    caught_up(helsinki)
    wire = helsinki.wire

    def gone(request: Request, reply: Reply) -> Reply:
        return Reply(503, {}, b"") if request.path.endswith("/snapshot") else reply

    wire.bend = gone
    london.pull(helsinki)
    assert is_mirrored(london, helsinki)
    assert wire.paths().count(ENTRIES) == 2
    with cities(london.node.settings.data / "more", _copy(london), ghent=GHENT) as (ghent,):
        wire.bend = None
        ghent.wire.apps |= {url: app for url, app in wire.apps.items() if url == HELSINKI}
        ghent.meet(helsinki)
        ghent.pull(helsinki)
        assert ghent.root(MIRROR) == helsinki.root()
        assert ghent.wire.paths().count(ENTRIES) == 0
    assert not list((london.node.settings.data / "work").glob("snapshot-*"))


def _copy(city: City) -> Path:
    """Give an empty, migrated database."""
    from tests.federation.cities import migrated

    return migrated(city.node.settings.data / "empty.db")


def test_what_appears_while_a_first_mirror_is_made_is_taken_by_the_second_look(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(10)
    grown: list[int] = []

    def growing(request: Request, reply: Reply) -> Reply:
        if request.path == ENTRIES:  # with every page that London takes, Helsinki writes one entry more
            grown.append(1)
            helsinki.publish(helsinki.put(100 + len(grown)))
        return reply

    helsinki.wire.bend = growing
    pulled = london.pull(helsinki).pulled
    assert [each.entries for each in pulled.collections] == [11]
    assert len(grown) == 2, "it looks again once, however the origin grows"
    assert london.size(MIRROR) == 11


def test_on_both_databases_a_mirror_is_made_and_kept_level(tmp_path: Path, migrated: Path, db_url: str) -> None:
    with Wire() as wire, ExitStack() as stack:
        helsinki = make(tmp_path / "helsinki", wire, "helsinki", HELSINKI, database=migrated)
        stack.callback(helsinki.node.close)
        url = SecretStr(_absolute(db_url))
        london = make(tmp_path / "london", wire, "london", LONDON, database=migrated, database_url=url)
        stack.callback(london.node.close)
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        helsinki.publish_many(5)
        assert london.pull(helsinki).pulled.level
        helsinki.erase(_superseded(helsinki))
        assert london.pull(helsinki).told.erasures == 1
        assert london.pull(helsinki).pulled.unchanged
        assert london.root(MIRROR) == helsinki.root()


def _absolute(url: str) -> str:
    return url.replace("sqlite:///", "sqlite:////", 1) if url.startswith("sqlite:///") and url[10] != "/" else url


def _superseded(city: City) -> int:
    city.publish(city.put(2, "Newer"))
    return 2


# ---------------------------------------------------------------- erasure


def test_an_erasure_travels_is_obeyed_and_confirmed(friends: Two) -> None:
    helsinki, london = friends
    helsinki.publish(helsinki.put(1, "A secret"), helsinki.put(2))
    london.pull(helsinki)
    helsinki.publish(helsinki.put(1, "Nothing to see"))
    helsinki.erase(1)
    visited = london.pull(helsinki)
    assert visited.told.erasures == 1
    with london.node.db.read() as tx:
        assert london.node.journals.entry(tx, MIRROR, 1).opening is None
    assert b"A secret" not in (london.node.settings.data / "node.db").read_bytes()
    (erased,) = helsinki.node.federation.erasures.list(NAME)
    assert erased.seq == 1
    assert set(erased.confirmed) == {"london"}
    assert london.verify(MIRROR, helsinki) == helsinki.size()


def test_an_erasure_that_could_not_be_confirmed_is_confirmed_the_next_time(friends: Two) -> None:
    helsinki, london = friends
    helsinki.publish(helsinki.put(1), helsinki.put(1, "Newer"))
    london.pull(helsinki)
    helsinki.erase(1)
    helsinki.wire.bend = lambda request, reply: reply if request.method == "GET" else Reply(503, {}, b"")
    assert london.pull(helsinki).told.erasures == 0
    helsinki.wire.bend = None
    assert london.pull(helsinki).told.erasures == 1
    assert london.pull(helsinki).told.erasures == 0
    (erased,) = helsinki.node.federation.erasures.list(NAME)
    assert set(erased.confirmed) == {"london"}


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
