"""Laws of notices: told once, to those who may know, gathered; heard from peers alone, believed in nothing."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from node.errors import Forbidden, Malformed, PeerUnreachable, TooLarge
from node.federation.exchange.notices import MAX_BODY_BYTES, MAX_HEADS, Notices, read_heads
from node.federation.peers.peers import Follow, Peer
from node.journal import Draft
from node.journal.journal import Journals
from tests.federation.cities import HELSINKI, LONDON, NAME, City, Request, cities
from tests.journal.rig import put

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

Two = tuple[City, City]
IRI = "http://127.0.0.1:8001/collections/open-data"


@dataclass
class Card:
    """What notices read of a peer."""

    name: str
    state: str = "active"
    quarantine: str = ""

    @property
    def url(self) -> str:
        return f"http://{self.name}.example"


@dataclass
class Wanted:
    iri: str
    known_size: int = 0
    paused: bool = False


@dataclass
class Book:
    """Peers by hand: the law here is about who is told, and not about how they came."""

    cards: list[Card] = field(default_factory=lambda: [Card("london")])
    wanted: list[Wanted] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)

    def list(self) -> Sequence[Peer]:
        return cast("Sequence[Peer]", self.cards)

    def follows(self, name: str) -> Sequence[Follow]:
        return cast("Sequence[Follow]", self.wanted)

    def readers(self, collection: str) -> Sequence[str]:
        return self.shared


@dataclass
class Post:
    """Takes messages; `fails` is how many it loses first."""

    fails: int = 0
    error: Exception = field(default_factory=lambda: PeerUnreachable("Away."))
    tried: list[str] = field(default_factory=list)
    taken: list[tuple[str, list[str], list[int]]] = field(default_factory=list)

    def notify(self, url: str, heads: Sequence[Mapping[str, object]], *, stop: threading.Event | None = None) -> None:
        self.tried.append(url)
        if self.fails:
            self.fails -= 1
            raise self.error
        self.taken.append(
            (url, [str(each["collection"]) for each in heads], [cast(int, each["size"]) for each in heads])
        )


@dataclass
class Desk:
    journals: Journals
    book: Book
    post: Post
    notices: Notices

    def publish(self, *drafts: Draft, name: str = NAME) -> None:
        with self.journals.db.write() as tx:
            self.journals.append(tx, name, drafts, at_ms=2_000)
        self.journals.checkpoint(name, at_ms=2_001)


@pytest.fixture
def desk(journals: Journals) -> Desk:
    book, post = Book(), Post()
    notices = Notices(journals, book, post, readers=book.readers, after_ms=1_000, chance=lambda: 0.5)
    return Desk(journals, book, post, notices)


# ---------------------------------------------------------------- out


def test_changes_are_gathered_and_told_once_in_one_list(desk: Desk) -> None:
    assert not desk.notices.look(0), "there is nothing to tell"
    desk.publish(put(1, "One"))
    assert not desk.notices.look(10_000)
    assert desk.notices.pending
    desk.publish(put(2, "Two"))
    assert not desk.notices.look(11_074), "a second and half the jitter of 15 %"
    assert desk.notices.look(11_075), "later changes do not put it off"
    assert desk.notices.tell(11_075) == 1
    assert desk.post.taken == [("http://london.example", [IRI], [2])]
    assert not desk.notices.look(20_000)
    assert desk.notices.tell(20_000) == 0
    assert not desk.notices.pending


def test_what_was_told_is_remembered_by_the_database(desk: Desk) -> None:
    desk.publish(put(1, "One"))
    desk.notices.tell(1)
    readers = desk.book.readers
    again = Notices(desk.journals, desk.book, desk.post, readers=readers, after_ms=0, chance=lambda: 0.0)
    assert not again.look(2)
    desk.publish(put(2, "Two"))
    assert again.look(3), "and what was not told is, after a crash too"


@pytest.mark.parametrize(
    ("state", "told"), [("proposed", 0), ("approved", 1), ("active", 1), ("paused", 0), ("blocked", 0)]
)
def test_only_peers_that_exchange_are_told(desk: Desk, state: str, told: int) -> None:
    desk.book.cards = [Card("london", state)]
    desk.publish(put(1, "One"))
    assert desk.notices.tell(1) == told


def test_a_peer_that_is_held_apart_is_told_nothing(desk: Desk) -> None:
    desk.book.cards = [Card("london", quarantine="It lies."), Card("ghent")]
    desk.publish(put(1, "One"))
    assert desk.notices.tell(1) == 1
    assert [url for url, _, _ in desk.post.taken] == ["http://ghent.example"]


def test_a_restricted_collection_is_named_to_those_alone_who_may_read_it(desk: Desk) -> None:
    desk.book.cards = [Card("london"), Card("ghent")]
    with desk.journals.db.write() as tx:
        desk.journals.change(tx, NAME, visibility="restricted")
    desk.publish(put(1, "One"))
    assert desk.notices.tell(1) == 0
    desk.book.shared = ["ghent"]
    assert desk.notices.tell(2) == 1
    assert [url for url, _, _ in desk.post.taken] == ["http://ghent.example"]


def test_mirrors_are_not_told_of(desk: Desk) -> None:
    with desk.journals.db.write() as tx:
        desk.journals.create(
            tx, name="ghent/open-data", iri="http://ghent.example/c", title="", visibility="public", at_ms=1
        )
    assert not desk.notices.look(1)


def test_what_fails_is_repeated_once_and_then_left_to_polling(desk: Desk) -> None:
    desk.post.fails = 1
    desk.publish(put(1, "One"))
    assert desk.notices.tell(1) == 1
    assert len(desk.post.tried) == 2
    desk.post.fails = 2
    desk.publish(put(2, "Two"))
    assert desk.notices.tell(2) == 0
    assert len(desk.post.tried) == 4
    assert not desk.notices.look(10**9)


def test_a_peer_that_took_no_notice_is_left_alone_for_a_while(desk: Desk) -> None:
    desk.post.fails = 2
    desk.publish(put(1, "One"))
    assert desk.notices.tell(1) == 0
    desk.publish(put(2, "Two"))
    assert not desk.notices.look(10_000)
    assert desk.notices.tell(10_000) == 0
    assert len(desk.post.tried) == 2
    assert desk.notices.tell(40_000) == 1
    desk.publish(put(3, "Three"))
    assert desk.notices.tell(40_001) == 1, "an answer ends its silence"


def test_what_the_peer_refuses_is_not_repeated(desk: Desk) -> None:
    desk.post.fails, desk.post.error = 10, Forbidden("No.")
    desk.publish(put(1, "One"))
    assert desk.notices.tell(1) == 0
    assert len(desk.post.tried) == 1


def test_one_silent_peer_does_not_keep_another_waiting(desk: Desk) -> None:
    desk.book.cards = [Card("london"), Card("ghent")]
    desk.post.fails = 2
    desk.publish(put(1, "One"))
    assert desk.notices.tell(1) >= 1


# ---------------------------------------------------------------- in


def notice(*sizes: int, iri: str = IRI) -> bytes:
    return orjson.dumps({"heads": [{"collection": iri, "size": size, "checkpoint": "note"} for size in sizes]})


def test_news_is_one_row_however_often_it_is_told(desk: Desk) -> None:
    desk.book.wanted = [Wanted(IRI, known_size=5)]
    assert desk.notices.hear("london", notice(7), 100)
    before = desk.journals.db.data_version()
    for now_ms in range(101, 400):
        assert desk.notices.hear("london", notice(7), now_ms)
    assert desk.journals.db.data_version() == before, "a storm writes nothing"
    assert [(each.peer, each.at_ms, each.sizes) for each in desk.notices.nudges()] == [("london", 100, {IRI: 7})]


@pytest.mark.parametrize(
    ("wanted", "size"),
    [([], 7), ([Wanted(IRI, 7)], 7), ([Wanted(IRI, 9)], 7), ([Wanted(IRI, 1, paused=True)], 7), ([Wanted("other")], 7)],
)
def test_what_is_no_news_leaves_no_trace(desk: Desk, wanted: list[Wanted], size: int) -> None:
    desk.book.wanted = wanted
    assert not desk.notices.hear("london", notice(size), 100)
    assert desk.notices.nudges() == []


def test_a_nudge_that_was_followed_goes_and_a_newer_one_stays(desk: Desk) -> None:
    desk.book.wanted = [Wanted(IRI)]
    desk.notices.hear("london", notice(1), 100)
    (old,) = desk.notices.nudges()
    desk.notices.hear("london", notice(2), 200)
    desk.notices.settle(old)
    (new,) = desk.notices.nudges()
    assert new.at_ms == 200
    desk.notices.settle(new)
    assert desk.notices.nudges() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"heads": {}}',
        b'{"heads": [1]}',
        b'{"heads": [{"collection": "x", "size": true, "checkpoint": ""}]}',
        b'{"heads": [{"collection": "x", "size": -1, "checkpoint": ""}]}',
        b'{"heads": [{"collection": "x", "size": 1e3, "checkpoint": ""}]}',
        b'{"heads": [{"collection": 1, "size": 1, "checkpoint": ""}]}',
        b'{"heads": [{"size": 1, "checkpoint": ""}]}',
        notice(1 << 53),
        notice(1, iri="x" * 2_001),
        b"\xff",
        b"[" * 10_000,
        notice(*range(MAX_HEADS + 1)),
    ],
)
def test_what_is_no_notice_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_heads(body)


def test_what_is_too_long_for_a_notice_is_not_read() -> None:
    with pytest.raises(TooLarge):
        read_heads(b" " * (MAX_BODY_BYTES + 1))


# ---------------------------------------------------------------- between cities


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Two]:
    """Helsinki, and London which follows it; they know each other."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        yield helsinki, london


def post(london: City, body: bytes, **headers: str) -> int:
    return london.wire.call(Request("anyone", "POST", f"{london.url}/federation/notify", headers, body)).status


def test_a_notice_travels_with_a_token_and_nudges(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(3)
    assert helsinki.node.federation.notices.tell(1) == 1
    (nudge,) = london.node.federation.notices.nudges()
    assert nudge.peer == "helsinki"
    assert nudge.sizes == {helsinki.iri: 3}
    london.pull(helsinki)
    helsinki.node.db.hot()
    with helsinki.node.db.write() as tx:
        tx.run("DELETE FROM told")
    london.node.federation.notices.settle(nudge)
    assert helsinki.node.federation.notices.tell(2) == 1
    assert london.node.federation.notices.nudges() == [], "it is no news any more"


def test_only_a_peer_may_notify(two: Two) -> None:
    helsinki, london = two
    assert post(london, notice(5, iri=helsinki.iri)) == 401
    assert post(london, notice(5, iri=helsinki.iri), authorization="Bearer cn_nobody") == 401
    issued: Any = london.node.federation.named_tokens
    assert issued is not None
    assert london.node.federation.notices.nudges() == []


@pytest.mark.parametrize("body", [b"", b"{}", b" " * (MAX_BODY_BYTES + 10)])
def test_a_peer_that_sends_nonsense_is_told_so(two: Two, body: bytes) -> None:
    helsinki, london = two
    headers = helsinki.node.federation.token_source.headers(LONDON, "POST", f"{LONDON}/federation/notify")
    assert post(london, body, **headers) in (400, 413)
    assert london.node.federation.notices.nudges() == []
