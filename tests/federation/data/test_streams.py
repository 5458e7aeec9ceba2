"""The books of the door: how many streams a peer has, what of a part went out whole, and what nobody saw any more."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from node.db import Database
from node.errors import NotAgreed, TooManyRequests
from node.federation.data.quotas import Measure, used
from node.federation.data.streams import LOST_MS, Beginning, Ended, Streams
from node.federation.moving import Moved, Part
from node.federation.transfers.moves import new
from node.federation.transfers.store import TransferStore

LONDON, GHENT = "https://london.example", "https://ghent.example"
PART = Part("urn:d", "a.csv", "text/csv", 1_000, "sha256:" + "a" * 64, '"one"', 1)
NOW = 1_000_000
SLICE = 400


@pytest.fixture
def streams(db: Database) -> Streams:
    with db.write() as tx:
        for pid, peer in (("l", LONDON), ("g", GHENT)):
            TransferStore(db).insert(tx, new("provider", peer, NOW, pid=pid, other_url=peer, agreement="urn:a"))
    return Streams(db, process="here:1", most=2)


def asked(
    begins: int = 0,
    ends: int | None = 1_000,
    *,
    pid: str = "l",
    measures: Sequence[Measure] = (),
    part: Part = PART,
) -> Beginning:
    return Beginning(pid, LONDON if pid == "l" else GHENT, part, begins, ends, measures)


def went(streams: Streams, begins: int, sent: int, *, part: Part = PART, digest: str = "", how: str = "done") -> None:
    row, _ = streams.begin(asked(begins, part=part), SLICE, NOW)
    streams.end(row, Ended(how, sent, digest), NOW + 1)  # type: ignore[arg-type]


def test_a_peer_has_as_many_streams_as_it_may_and_others_have_theirs(streams: Streams) -> None:
    first, _ = streams.begin(asked(), SLICE, NOW)
    streams.begin(asked(), SLICE, NOW)
    with pytest.raises(TooManyRequests) as refused:
        streams.begin(asked(), SLICE, NOW)
    assert refused.value.retry_after_s > 0
    streams.begin(asked(pid="g"), SLICE, NOW)
    streams.end(first, Ended("done", 1_000), NOW)
    streams.begin(asked(), SLICE, NOW)


def test_a_stream_that_nobody_has_seen_holds_no_place_and_is_ended(db: Database, streams: Streams) -> None:
    dead, _ = streams.begin(asked(), SLICE, NOW)
    alive, _ = streams.begin(asked(), SLICE, NOW)
    later = NOW + LOST_MS
    streams.seen([(alive, 70)], later)
    streams.begin(asked(), SLICE, later)
    with pytest.raises(TooManyRequests):
        streams.begin(asked(), SLICE, later)
    with db.read() as tx:
        rows = {row: (sent, how) for row, sent, how in tx.rows("SELECT id, sent, how FROM data_stream")}
    assert (rows[dead], rows[alive]) == ((0, "broken"), (70, ""))


def test_what_went_in_one_stream_has_the_digest_of_what_went(streams: Streams) -> None:
    went(streams, 0, 1_000, digest="sha256:first")
    went(streams, 0, 990, digest="sha256:last")
    assert streams.delivered("l", {}) == [Moved("a.csv", "", 990, "sha256:last")]
    assert streams.delivered("l", {"a.csv": replace(PART, filtered=True)}) == [
        Moved("a.csv", "text/csv", 990, "sha256:last", filtered=True)
    ]
    assert streams.delivered("g", {"a.csv": PART}) == []


def test_pieces_that_make_all_of_a_part_have_the_digest_that_it_has(streams: Streams) -> None:
    went(streams, 600, 400)
    went(streams, 0, 300, how="cut")
    assert streams.delivered("l", {"a.csv": PART}) == []
    went(streams, 250, 350)
    assert streams.delivered("l", {"a.csv": PART}) == [Moved("a.csv", "text/csv", 1_000, PART.digest)]


def test_pieces_of_two_versions_make_nothing(streams: Streams) -> None:
    went(streams, 0, 500, part=replace(PART, etag='"old"'))
    went(streams, 500, 500)
    assert streams.delivered("l", {"a.csv": PART}) == []


def test_of_pieces_of_what_is_another_by_now_it_is_known_how_far_they_reach(streams: Streams) -> None:
    went(streams, 0, 500)
    went(streams, 400, 600)
    told = [Moved("a.csv", "", 1_000, "")]
    assert streams.delivered("l", {"a.csv": replace(PART, etag='"new"')}) == told
    assert streams.delivered("l", {}) == told


def test_what_was_handed_over_is_taken_for_all_of_it(streams: Streams) -> None:
    streams.hand_over(asked(0, None), NOW)
    assert streams.delivered("l", {"a.csv": PART}) == [Moved("a.csv", "text/csv", 1_000, PART.digest)]


def volume(limit: int) -> list[Measure]:
    return [Measure("urn:a", "urn:a#p1", "urn:d", limit)]


def test_a_short_stream_is_reserved_whole_and_a_long_one_by_slices_if_all_of_it_would_fit(
    db: Database, streams: Streams
) -> None:
    assert streams.begin(asked(0, 300, measures=volume(1_400)), SLICE, NOW)[1] == 300
    row, reserved = streams.begin(asked(measures=volume(1_400)), SLICE, NOW)
    assert reserved == SLICE
    assert used(db, "urn:a", "urn:d") == {"urn:a#p1": 700}
    with pytest.raises(NotAgreed) as refused:
        streams.begin(asked(pid="g", measures=volume(1_400)), SLICE, NOW)
    assert refused.value.operand == "volume"
    assert streams.more(volume(1_400), 800, least=100) == 700
    streams.end(row, Ended("cut", 250, "", volume(1_400), reserved=1_100), NOW)
    assert used(db, "urn:a", "urn:d") == {"urn:a#p1": 550}


def test_a_stream_that_is_refused_leaves_no_row(db: Database, streams: Streams) -> None:
    with pytest.raises(NotAgreed):
        streams.begin(asked(measures=volume(999)), SLICE, NOW)
    with db.read() as tx:
        assert tx.rows("SELECT id FROM data_stream") == []
    assert used(db, "urn:a", "urn:d") == {}


def test_a_stream_of_unknown_length_takes_what_there_is(streams: Streams) -> None:
    assert streams.begin(asked(0, None, measures=volume(150)), SLICE, NOW)[1] == 150
    with pytest.raises(NotAgreed):
        streams.begin(asked(0, None, measures=volume(150)), SLICE, NOW)


@pytest.mark.slow
def test_of_many_at_once_exactly_as_many_begin_as_may(db: Database, streams: Streams) -> None:
    def begun(_: int) -> bool:
        try:
            Streams(db, process="elsewhere", most=2).begin(asked(), SLICE, NOW)
        except TooManyRequests:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(begun, range(40))) == 2


@pytest.mark.parametrize("how", ["", "broken"])
def test_a_stream_whose_process_died_may_have_come_as_far_as_its_reader_says(streams: Streams, how: str) -> None:
    row, _ = streams.begin(asked(), SLICE, NOW)
    if how:
        streams.seen([], NOW + LOST_MS)
    assert row
    went(streams, 600, 400)
    assert streams.delivered("l", {"a.csv": PART}) == [Moved("a.csv", "text/csv", 1_000, PART.digest)]
