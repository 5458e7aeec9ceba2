"""Laws of the exchange between whole nodes: a mirror becomes what its origin is, and what is erased there goes here."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from node.federation.exchange import leveller
from node.outbound import Reply
from tests.federation.cities import GHENT, HELSINKI, LONDON, NAME, City, Request, Wire, cities, make
from tests.federation.exchange.rig import ENTRIES, MIRROR, Two, caught_up, is_mirrored

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


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
