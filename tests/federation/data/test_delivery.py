"""A stream ends as what was announced, or with an error before its end; every byte of it is counted once."""

import hashlib
import threading
from copy import copy
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from node.db import Database
from node.errors import NotAgreed, OriginChanged, SourceUnreachable, Stopped
from node.federation.data.delivery import CHUNK_BYTES, SLICE_BYTES, Delivery
from node.federation.data.quotas import Measure, used
from node.federation.data.streams import Beginning, Streams
from node.federation.moving import Part
from node.federation.transfers.moves import new
from node.federation.transfers.store import TransferStore

LONDON = "https://london.example"
BODY = bytes(range(256)) * 5_000  # two chunks and a half
PART = Part("urn:d", "a.csv", "text/csv", len(BODY), "", '"one"', 1)


class Bytes:
    """The open bytes of a part, in pieces of any length; `fails` is raised at the end instead of ending."""

    def __init__(self, body: bytes, start: int = 0, *, piece: int = 100_000, fails: Exception | None = None) -> None:
        self.part, self.closed = PART, threading.Event()
        self._body, self._at, self._piece, self._fails = body, start, piece, fails

    def read(self, most: int) -> bytes:
        found = self._body[self._at : self._at + min(most, self._piece)]
        self._at += len(found)
        if not found and self._fails:
            raise self._fails
        return found

    def close(self) -> None:
        self.closed.set()


class Hangs(Bytes):
    def read(self, most: int) -> bytes:
        assert self.closed.wait(5)
        raise SourceUnreachable("It was let go of.")


class Rig:
    def __init__(self, db: Database) -> None:
        self.db = db
        self.streams = Streams(db, process="here", most=50)
        self.pid = uuid4().hex
        self.agreement = f"urn:{self.pid}"
        with db.write() as tx:
            made = new("provider", LONDON, 1, pid=self.pid, other_url=LONDON, agreement=self.agreement)
            TransferStore(db).insert(tx, made)

    def open(
        self, source: Bytes, begins: int = 0, ends: int | None = -1, *, part: Part = PART, limit: int | None = None
    ) -> Delivery:
        measures = [] if limit is None else [Measure(self.agreement, "p1", "urn:d", limit)]
        asked = Beginning(self.pid, LONDON, part, begins, part.size if ends == -1 else ends, measures)
        row, reserved = self.streams.begin(asked, SLICE_BYTES, 1)
        return Delivery(asked, source, self.streams, row=row, reserved=reserved, clock_ms=lambda: 2)

    @property
    def used(self) -> int:
        return used(self.db, self.agreement, "urn:d")["p1"]

    def row(self) -> tuple[Any, ...]:
        found = self.db.hot().rows("SELECT sent, whole, digest, how FROM data_stream ORDER BY id DESC")[0]
        return int(found[0]), bool(found[1]), found[2], found[3]


@pytest.fixture
def rig(lasting_db: Database) -> Rig:
    return Rig(lasting_db)


def drained(delivery: Delivery) -> bytes:
    found = []
    while chunk := delivery.next():
        assert len(chunk) <= CHUNK_BYTES
        found.append(chunk)
    return b"".join(found)


def test_a_whole_part_comes_out_as_it_is_and_its_digest_stands_in_the_books(rig: Rig) -> None:
    delivery = rig.open(Bytes(BODY))
    assert drained(delivery) == BODY
    delivery.end("done")
    assert rig.row() == (len(BODY), True, f"sha256:{hashlib.sha256(BODY).hexdigest()}", "done")


def test_the_books_are_closed_before_the_last_chunk_is_given(rig: Rig) -> None:
    delivery = rig.open(Bytes(BODY[:50_000]), part=replace(PART, size=50_000))
    assert len(delivery.next()) == 50_000
    assert rig.row()[3] == "done"


@pytest.mark.parametrize(("begins", "ends"), [(0, 10), (10, 20), (600_000, 1_280_000), (0, 1_279_999), (1_279_999, -1)])
def test_a_stretch_is_exactly_that_and_no_whole_part(rig: Rig, begins: int, ends: int) -> None:
    delivery = rig.open(Bytes(BODY, begins), begins, ends)
    until = len(BODY) if ends == -1 else ends
    assert drained(delivery) == BODY[begins:until]
    assert rig.row() == (until - begins, False, "", "done")


def test_an_empty_part_is_whole(rig: Rig) -> None:
    delivery = rig.open(Bytes(b""), part=replace(PART, size=0))
    assert delivery.next() == b""
    assert delivery.finished
    assert rig.row() == (0, True, f"sha256:{hashlib.sha256(b'').hexdigest()}", "done")


def test_what_nobody_knew_the_size_of_goes_to_its_end(rig: Rig) -> None:
    delivery = rig.open(Bytes(BODY), part=replace(PART, size=None, filtered=True))
    assert drained(delivery) == BODY
    assert rig.row()[:2] == (len(BODY), True)


LIES: dict[str, Any] = {
    "it is shorter": (Bytes(BODY[:-1]), {}, OriginChanged),
    "it is longer": (Bytes(BODY + b"x"), {}, OriginChanged),
    "it is another": (Bytes(BODY), {"part": replace(PART, digest="sha256:" + "0" * 64)}, OriginChanged),
    "it fails at its end": (Bytes(BODY, fails=SourceUnreachable("Gone.")), {}, SourceUnreachable),
    "a stretch is shorter": (Bytes(BODY[:700_000], 100), {"begins": 100, "ends": 800_000}, OriginChanged),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_as_announced_never_comes_to_its_end(rig: Rig, lie: str) -> None:
    source, how, error = copy(LIES[lie][0]), *LIES[lie][1:]
    source._at, source.closed = how.get("begins", 0), threading.Event()
    delivery = rig.open(source, **how)
    with pytest.raises(error):
        drained(delivery)
    delivery.end("broken")
    announced = how.get("ends", len(BODY)) - how.get("begins", 0)
    assert delivery.sent < announced
    assert rig.row() == (delivery.sent, False, "", "broken")
    assert source.closed.is_set()


def test_a_cut_ends_a_read_that_hangs_and_is_told_to_all_who_listen(rig: Rig) -> None:
    source = Hangs(BODY)
    delivery = rig.open(source)
    told: list[str] = []
    delivery.when_cut(lambda: told.append("before"))
    threading.Timer(0.05, delivery.cut, ["suspended"]).start()
    with pytest.raises(SourceUnreachable):
        delivery.next()
    delivery.when_cut(lambda: told.append("after"))
    delivery.cut("again")
    delivery.end("cut")
    assert (delivery.why, told) == ("suspended", ["before", "after"])
    assert rig.row() == (0, False, "", "cut")


def test_after_a_cut_nothing_more_is_given(rig: Rig) -> None:
    delivery = rig.open(Bytes(BODY))
    delivery.next()
    delivery.cut("revoked")
    with pytest.raises(Stopped):
        delivery.next()


def test_a_last_chunk_that_never_went_is_taken_back(rig: Rig) -> None:
    delivery = rig.open(Bytes(BODY), limit=2_000_000)
    drained(delivery)
    delivery.end("gone", sent=600_000)
    delivery.end("gone", sent=5)
    assert rig.row() == (600_000, False, "", "gone")
    assert rig.used == 600_000


def test_the_volume_of_an_agreement_is_charged_by_what_went(rig: Rig) -> None:
    delivery = rig.open(Bytes(BODY), limit=2_000_000)
    delivery.next()
    delivery.end("gone")
    assert rig.used == delivery.sent == 100_000


def test_a_stream_of_unknown_length_ends_where_the_volume_does(rig: Rig) -> None:
    delivery = rig.open(Bytes(BODY), ends=None, part=replace(PART, size=None, filtered=True), limit=350_000)
    with pytest.raises(NotAgreed):
        drained(delivery)
    delivery.end("cut")
    assert delivery.sent == 300_000
    assert rig.used == 300_000
