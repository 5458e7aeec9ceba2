"""Laws of the queue: what is taken of strangers, what they are told, and what a person's decision does."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.author.office import Authoring, City, Written
from node.catalog.shelf import Shelf, ShelfFollower
from node.catalog.submission_rules import CITY_SAYS
from node.catalog.submission_store import DAY_MS, KEPT_MS
from node.catalog.submissions import Bounds, Submissions
from node.db import Database
from node.errors import Conflict, JournalBusy, Malformed, NotFound, TooManyRequests, Unavailable
from node.journal.journal import Journals
from node.keys import Keyring
from node.vocab.kinds import TABLES, example_of

BASE = "https://helsinki.example"
WHERE = "link"
HOUR_MS = 3_600_000
_numbers = itertools.count(1)


@dataclass
class Rig:
    """A queue over a real desk, and its clock."""

    db: Database
    shelf: Shelf
    desk: Authoring
    now_ms: int = 1_795_000_000_000

    def queue(self, **bounds: int) -> Submissions:
        tokens = (f"{number:08x}" for number in _numbers)
        return Submissions(
            self.db,
            self.desk,
            self.shelf,
            base_url=BASE,
            bounds=Bounds(**bounds),
            clock_ms=lambda: self.now_ms,
            token=lambda size: next(tokens) * (size // 4),
        )

    def one(self, sql: str) -> tuple[Any, ...]:
        with self.db.read() as tx:
            found = tx.row(sql)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def lasting(lasting_db: Database, keyring: Keyring) -> Rig:
    journals = Journals(lasting_db, keyring)
    shelf = Shelf(journals)
    rig = Rig(lasting_db, shelf, None)  # type: ignore[arg-type]
    rig.desk = Authoring(
        journals, (ShelfFollower(),), shelf, City("Helsinki", BASE, ("en", "fi", "sv")), clock_ms=lambda: rig.now_ms
    )
    return rig


@pytest.fixture
def rig(lasting: Rig) -> Iterator[Rig]:
    yield lasting
    with lasting.db.write() as tx:
        tx.run("DELETE FROM submission")


def reuse(**more: Any) -> dict[str, Any]:
    """A reuse that nobody has submitted yet."""
    said = {name: value for name, value in example_of(TABLES["reuse"]).items() if name not in CITY_SAYS}
    number = next(_numbers)
    return said | {"title": {"en": f"Trees {number}"}, WHERE: f"https://app.example.org/{number}"} | more


def body(said: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": "reuse", "described": reuse() if said is None else said} | more


def test_a_submission_waits_is_accepted_and_becomes_a_record(rig: Rig) -> None:
    queue, said = rig.queue(), reuse()
    got = queue.submit(body(said, email="ada@app.example.org"), caller="1.2.3.4")
    assert queue.standing(got.id, got.secret).state == "waiting"
    (waiting,) = queue.list()
    assert (waiting.id, waiting.contact, waiting.title) == (got.id, "ada@app.example.org", said["title"]["en"])
    assert rig.shelf.record("reuse", "trees") is None

    accepted = queue.accept(got.id[:6])
    assert accepted.contact == "ada@app.example.org"  # a last time
    standing = queue.standing(got.id, got.secret)
    assert (standing.state, standing.record, standing.decided_ms) == ("accepted", accepted.record, rig.now_ms)
    held = rig.shelf.by_iri(accepted.record)
    assert held is not None
    assert (held.collection, held.kind) == ("reuses", "reuse")
    assert rig.desk.said(held)[WHERE] == said[WHERE]
    assert queue.list() == []
    assert [each.id for each in queue.list(waiting=False)] == [got.id]


def test_what_is_decided_is_forgotten_but_for_the_decision(rig: Rig) -> None:
    queue = rig.queue()
    got = queue.submit(body(email="ada@app.example.org"), caller="1.2.3.4")
    assert "1.2.3.4" not in rig.one("SELECT caller FROM submission")
    assert got.secret not in rig.one("SELECT secret FROM submission")
    told = queue.refuse(got.id, reason="It uses no data of a city.")
    assert told.contact == "ada@app.example.org"
    assert rig.one("SELECT said, contact, caller FROM submission") == ("", "", "")
    standing = queue.standing(got.id, got.secret)
    assert (standing.state, standing.reason, standing.record) == ("refused", "It uses no data of a city.", "")
    rig.now_ms += KEPT_MS + 1
    queue.submit(body(), caller="1.2.3.4")
    with pytest.raises(NotFound):
        queue.standing(got.id, got.secret)


def test_its_sender_is_told_that_the_record_was_withdrawn_and_that_it_stands_again(rig: Rig) -> None:
    queue, said = rig.queue(), reuse()
    got = queue.submit(body(said), caller="a")
    record = queue.accept(got.id).record
    slug = record.rpartition("/")[2]
    rig.now_ms += 60_000
    rig.desk.withdraw("reuse", slug)
    standing = queue.standing(got.id, got.secret)
    assert (standing.state, standing.record, standing.withdrawn_ms) == ("withdrawn", record, rig.now_ms)
    rig.desk.publish("reuse", [Written(slug, said)])
    standing = queue.standing(got.id, got.secret)
    assert (standing.state, standing.record, standing.withdrawn_ms) == ("accepted", record, 0)


def test_a_decision_is_made_once(rig: Rig) -> None:
    queue = rig.queue()
    got = queue.submit(body(), caller="a")
    queue.accept(got.id)
    with pytest.raises(Conflict, match="accepted already"):
        queue.accept(got.id)
    with pytest.raises(Conflict, match="accepted already"):
        queue.refuse(got.id, reason="No.")
    with pytest.raises(NotFound):
        queue.accept("ffff")


def test_two_who_accept_at_once_publish_one_record(rig: Rig) -> None:
    queue = rig.queue()
    got = queue.submit(body(), caller="a")

    def accept(slug: str) -> str:
        try:
            return queue.accept(got.id, slug=slug).record
        except Conflict:
            return ""

    with ThreadPoolExecutor(2) as pool:
        records = set(pool.map(accept, ("one-of-two", "two-of-two"))) - {""}
    assert len(records) == 1
    live = [rig.shelf.record("reuse", slug) for slug in ("one-of-two", "two-of-two")]
    assert [each.iri for each in live if each] == list(records)


def test_who_does_not_know_the_secret_learns_nothing(rig: Rig) -> None:
    queue = rig.queue()
    got = queue.submit(body(), caller="a")
    said = set()
    for name, secret in ((got.id, ""), (got.id, "x"), ("0" * 16, got.secret), ("", ""), ("%' OR 1=1", "")):
        with pytest.raises(NotFound) as no:
            queue.standing(name, secret)
        said.add(str(no.value))
    assert len(said) == 1


WRONG_DESCRIPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"title": {"en": "<b>Trees</b>"}}, "/described/title/en"),
    ({"title": {}}, "/described/title"),
    ({"title": ["Trees"]}, "/described/title"),
    ({"title": {"klingon": "nuqneH"}}, "/described/title/klingon"),
    ({WHERE: "ftp://app.example.org/"}, f"/described/{WHERE}"),
    ({WHERE: "http://10.0.0.1/"}, f"/described/{WHERE}"),
    ({WHERE: "https://user:pass@app.example.org/"}, f"/described/{WHERE}"),
    ({"publisher": {"name": {"en": "Helsinki"}}}, "/described/publisher"),
    ({"maker": {}}, "/described/maker"),
    ({"maker": True}, "/described/maker"),
    ({"maker": [{"name": "x"}]}, "/described/maker"),
    ({"datasets": {"0": "https://city.example/x"}}, "/described/datasets/0"),
    ({"datasets": ["http://localhost:5432/x"]}, "/described/datasets/0"),
    ({"surprise": "x"}, "/described/surprise"),
    ({"issued": "2026-01-01"}, "/described/issued"),
]
WRONG_ENVELOPES: list[dict[str, Any]] = [
    {"kind": "dataset"},
    {"kind": ["reuse"]},
    {"kind": "agreement"},
    {"described": "x"},
    {"described": None},
    {"language": "klingon"},
    {"language": 1},
    {"email": "ada"},
    {"email": ["ada@app.example.org"]},
    {"leave_empty": "cheap pills"},
    {"collection": "open-data"},
]


def test_a_wrong_description_is_refused_with_its_place(rig: Rig) -> None:
    for wrong, place in WRONG_DESCRIPTIONS:
        with pytest.raises(Malformed) as no:
            rig.queue().submit(body(reuse(**wrong)), caller="a")
        assert place in [at for at, _ in no.value.places], wrong
    assert rig.one("SELECT count(*) FROM submission") == (0,)


@pytest.mark.parametrize("host", ["127。0。0。1", "[::127.0.0.1]", "nas.lan", "intranet"])
def test_a_link_into_an_inner_network_is_refused_however_it_is_spelled(rig: Rig, host: str) -> None:
    with pytest.raises(Malformed, match="cannot be reached from another city"):
        rig.queue().submit(body(reuse(summary={"en": f"See http://{host}/x"})), caller="1.2.3.4")


def test_a_wrong_envelope_is_refused(rig: Rig) -> None:
    for wrong in WRONG_ENVELOPES:
        with pytest.raises(Malformed):
            rig.queue().submit(body(**wrong), caller="a")
    assert rig.one("SELECT count(*) FROM submission") == (0,)


def test_plain_texts_are_of_the_language_that_is_said(rig: Rig) -> None:
    queue = rig.queue()
    got = queue.submit(body(reuse(title="Puukartta"), language="fi"), caller="a")
    assert queue.show(got.id).said["title"] == {"fi": "Puukartta"}


def test_one_caller_submits_so_many_an_hour_and_a_day(rig: Rig) -> None:
    queue = rig.queue(per_day=8)
    for _ in range(2):
        queue.submit(body(), caller="a")
    with pytest.raises(TooManyRequests) as no:
        queue.submit(body(), caller="a")
    assert 0 < no.value.retry_after_s <= 3600
    queue.submit(body(), caller="b")
    for _ in range(3):
        rig.now_ms += HOUR_MS
        for _ in range(2):
            queue.submit(body(), caller="a")
    rig.now_ms += HOUR_MS
    with pytest.raises(TooManyRequests) as no:
        queue.submit(body(), caller="a")
    assert 3600 < no.value.retry_after_s <= 24 * 3600
    rig.now_ms += no.value.retry_after_s * 1000
    queue.submit(body(), caller="a")


def test_callers_are_forgotten_after_a_day(rig: Rig) -> None:
    queue = rig.queue()
    queue.submit(body(), caller="a")
    rig.now_ms += DAY_MS
    queue.submit(body(), caller="b")
    assert rig.one("SELECT count(*) FROM submission WHERE caller <> ''") == (1,)


def test_a_full_queue_and_a_closed_door_say_so(rig: Rig) -> None:
    queue = rig.queue(waiting=1)
    got = queue.submit(body(), caller="a")
    with pytest.raises(Unavailable) as no:
        queue.submit(body(), caller="b")
    assert no.value.retry_after_s > 0
    queue.refuse(got.id, reason="No.")
    queue.submit(body(), caller="b")
    with pytest.raises(Unavailable, match="no submissions"):
        rig.queue(per_day=0).submit(body(), caller="c")


def test_the_same_thing_is_taken_once_until_its_record_is_withdrawn(rig: Rig) -> None:
    queue, said = rig.queue(), reuse()
    got = queue.submit(body(said), caller="a")
    with pytest.raises(Conflict, match="same title waits"):
        queue.submit(body(reuse(title=said["title"])), caller="b")
    with pytest.raises(Conflict, match="same web address waits"):
        queue.submit(body(reuse(**{WHERE: said[WHERE]})), caller="b")
    record = queue.accept(got.id).record
    with pytest.raises(Conflict, match=record):
        queue.submit(body(said), caller="b")
    slug = record.rpartition("/")[2]
    rig.desk.withdraw("reuse", slug)
    again = queue.submit(body(said), caller="b")
    # Another thing never gets the address of one that was withdrawn.
    assert queue.accept(again.id).record not in ("", record)


def test_an_address_that_is_taken_is_never_taken_over(rig: Rig) -> None:
    queue = rig.queue()
    one, two = (queue.submit(body(), caller="a") for _ in range(2))
    record = queue.accept(one.id, slug="tree-map").record
    with pytest.raises(Conflict, match="tree-map"):
        queue.accept(two.id, slug="tree-map")
    with pytest.raises(Malformed):
        queue.accept(two.id, slug="../Tree map")
    assert record == f"{BASE}/reuses/tree-map"
    assert queue.standing(two.id, two.secret).state == "waiting"


def test_accepting_after_a_crash_goes_on_with_the_address_that_was_promised(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, got = rig.queue(), rig.queue().submit(body(), caller="a")
    with monkeypatch.context() as patch:
        patch.setattr(queue, "_decide", _fails)  # after the record was written, before it was noted
        with pytest.raises(JournalBusy):
            queue.accept(got.id)
    (waiting,) = queue.list()
    assert rig.shelf.by_iri(waiting.record) is not None
    with pytest.raises(Conflict):
        queue.refuse(got.id, reason="No.")
    assert queue.accept(got.id, slug="another").record == waiting.record


def test_what_cannot_be_published_goes_on_waiting(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, got = rig.queue(), rig.queue().submit(body(), caller="a")
    with monkeypatch.context() as patch:
        patch.setattr(rig.desk, "publish", _fails)
        with pytest.raises(JournalBusy):
            queue.accept(got.id)
    assert queue.standing(got.id, got.secret).state == "waiting"
    assert queue.accept(got.id).state == "accepted"


NAMES = st.sampled_from([each.name for each in TABLES["reuse"].fields] + ["name", "en", "fi", "homepage", "x"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.just("https://a.example/"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(said=st.dictionaries(NAMES, JSON, max_size=6), more=st.dictionaries(st.text(max_size=8), JSON, max_size=1))
def test_whatever_is_sent_is_taken_or_refused_in_words(
    lasting: Rig, said: dict[str, Any], more: dict[str, Any]
) -> None:
    for described in (said, reuse(**said)):
        with suppress(Malformed, Conflict):  # anything else is a fault of ours
            lasting.queue(per_day=10_000, waiting=10_000).submit(body(described, **more), caller="a")
    with lasting.db.write() as tx:
        tx.run("DELETE FROM submission")


def _fails(*_: object, **__: object) -> None:
    raise JournalBusy("Another process holds the database.")


def test_callers_and_refused_ones_are_forgotten_though_nobody_submits_again(rig: Rig) -> None:
    queue = rig.queue()
    refused, _ = (queue.submit(body(), caller="1.2.3.4") for _ in range(2))
    queue.refuse(refused.id, reason="No.")
    assert queue.forget(rig.now_ms + DAY_MS) == 1
    assert rig.one("SELECT count(*) FROM submission WHERE caller <> ''") == (0,)
    assert queue.forget(rig.now_ms + KEPT_MS + 1) == 1
    assert rig.one("SELECT count(*) FROM submission") == (1,)
