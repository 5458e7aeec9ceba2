"""An intake page after page: erasures, stubs that are filled later, notes that are kept, and what happens beside it."""

import time
from dataclasses import replace
from typing import Any

import pytest

from node.errors import BrokenHistory, Conflict, NotAgreed, Refused
from node.federation.answers import Decision, Extent
from node.federation.feed.pages import opening_of, read_page
from node.federation.identity.identity import Identity
from node.journal import Arrived, catch_up_in
from node.vocab.parse import Parser
from tests.federation.exchange.intake_rig import forked, sound, started
from tests.federation.origins import DCT, IRI, LOCAL, NOW, URL, Mirror, Origin, payload_of, record_of, spelt


def test_whoever_stops_listening_leaves_nothing_behind(origin: Origin, mirror: Mirror):
    for number in range(8):
        origin.put(number)
    pages = (origin.page(number, number + 1) for number in range(8))
    taken = mirror.intake.accept_all(pages, mirror.follow, mirror.peer, NOW, restricted=False)
    assert next(taken).size == 1
    taken.close()
    size = mirror.size
    assert 1 <= size <= 4
    assert mirror.take(origin.page(size)).size == 8
    sound(mirror, origin)


def test_of_two_writers_the_slower_one_writes_nothing(origin: Origin, mirror: Mirror):
    for number in range(9):
        origin.put(number)

    def race():
        yield origin.page(0, 3)
        while mirror.size < 3:
            time.sleep(0.001)
        with mirror.db.write() as tx:
            other = [Arrived(each.entry, each.payload) for each in entries_of(origin, 3, 6)]
            mirror.journals.mirror(tx, LOCAL, other, at_ms=NOW)
            catch_up_in(tx, mirror.journals, mirror.intake._followers[0], LOCAL)
        yield origin.page(3, 5)
        yield origin.page(5, 7)

    with pytest.raises(Conflict, match="goes on with entry 7"):
        list(mirror.intake.accept_all(race(), mirror.follow, mirror.peer, NOW, restricted=False))
    assert mirror.size == 6
    assert mirror.take(origin.page(5)).size == 9
    sound(mirror, origin)


def entries_of(origin: Origin, after: int, end: int) -> list[Arrived]:
    """What a page says, taken as it is."""
    lines = read_page(origin.page(after, end)).lines
    return [Arrived(replace(line.entry, opening=opening_of(line.opening or {})), line.payload) for line in lines]


def test_a_mirror_is_called_what_its_origin_calls_it(origin: Origin, mirror: Mirror):
    origin.put(1)
    facts = {"collections": (("open-data", IRI, "Avoin\ndata"), ("other", IRI + "2", "Other"))}
    mirror.book.said = Identity(
        url=URL, name="Helsinki", software="", fingerprint="f", federation="x", namespaces=(), endpoints={},
        protocols={}, keys=(), issued_ms=1, expires_ms=2, statement="", **facts,
    )  # fmt: skip
    mirror.take(origin.page())
    with mirror.db.read() as tx:
        held = mirror.journals.get(tx, LOCAL)
        assert (held.title, held.visibility) == ("Avoin data", "public")


def test_an_erasure_arrives_and_is_to_be_confirmed(origin: Origin, mirror: Mirror):
    started(mirror, origin)
    origin.put(0, payload_of(record_of(0), title="b"))
    origin.erase(1)
    origin.erase(1)
    origin.erase(5)
    found = mirror.take(origin.page(3))
    assert found.erased == (1,)
    assert mirror.codes() == {6: "bad-erasure", 7: "bad-erasure"}
    with mirror.db.read() as tx:
        assert tx.rows("SELECT target, at FROM erasure_told") == [(1, None)]
    sound(mirror, origin)


def test_stubs_are_filled_when_the_origin_shows_them(origin: Origin, mirror: Mirror):
    for number in range(3):
        origin.put(number)
    envelope, lines = origin.told(0)
    mirror.take(spelt(envelope, [{"entry": line["entry"]} for line in lines]))
    assert mirror.codes() == dict.fromkeys((1, 2, 3), "withheld")
    assert mirror.held() == {}
    still, _ = origin.told(0)
    stub = {"v": 1, "collection": IRI, "seqs": [1], "size": 3, "checkpoint": still["checkpoint"]}
    assert mirror.refill(spelt(stub, [{"entry": lines[0]["entry"]}])).entries == 0
    assert mirror.refill(origin.stubs(1, 3)).entries == 2
    assert mirror.refill(origin.stubs(1, 3)).entries == 0
    assert mirror.held() == {record_of(0): 1, record_of(2): 3}
    assert mirror.codes() == {2: "withheld"}
    sound(mirror, origin)


def test_a_stub_that_is_refused_again_keeps_the_new_code(origin: Origin, mirror: Mirror):
    origin.put(1, title := payload_of(record_of(1)), kind="weather")
    assert title
    origin.put(2)
    origin.erase(2)
    origin.erase(2)
    envelope, lines = origin.told(0)
    del lines[0]["payload"]
    lines[3] = {"entry": lines[3]["entry"]}
    mirror.take(spelt(envelope, lines))
    assert mirror.codes() == {1: "payload-missing", 4: "withheld"}
    assert mirror.refill(origin.stubs(1, 2, 4)).entries == 0
    assert [(seq, code, tries) for seq, code, _, _, tries in mirror.refusals()] == [
        (1, "kind-unknown", 1),
        (4, "bad-erasure", 1),
    ]
    sound(mirror, origin)


@pytest.mark.parametrize("name", ["another entry", "another collection", "another order", "no list", "one too many"])
def test_an_answer_with_other_entries_is_stopped(origin: Origin, mirror: Mirror, name: str):
    started(mirror, origin)
    other = forked(origin, 0, 3)
    good = {"v": 1, "collection": IRI, "seqs": [1, 2], "size": 3, "checkpoint": origin.note()}
    lines = origin.lines[:2]
    wrong: dict[str, tuple[bytes, str]] = {
        "another entry": (other.stubs(2), "wrong-root"),
        "another collection": (Origin(origin.keyring, IRI + "2").stubs(), "malformed"),
        "another order": (spelt(good | {"seqs": [2, 1]}, [lines[1], lines[0]]), "malformed"),
        "no list": (spelt(good | {"seqs": 1}, lines), "malformed"),
        "one too many": (spelt(good, [*lines, lines[0]]), "malformed"),
    }
    page, code = wrong[name]
    with pytest.raises(Refused) as caught:
        mirror.refill(page)
    assert caught.value.code == code


def test_an_empty_collection_is_mirrored_with_its_note(origin: Origin, mirror: Mirror):
    mirror.take(origin.page(), restricted=True)
    mirror.take(origin.page())
    with mirror.db.read() as tx:
        held = mirror.journals.get(tx, LOCAL)
        assert (held.visibility, held.iri, held.title, held.size) == ("restricted", IRI, "open-data", 0)
        assert mirror.journals.newest_checkpoint(tx, LOCAL) == origin.note()


def test_a_note_is_kept_when_all_it_covers_is_here(origin: Origin, mirror: Mirror):
    assert not mirror.keep(forked(origin, 1, 1).note())
    for number in range(3):
        origin.put(number)
    mirror.take(origin.page(0, 2))
    assert not mirror.keep(origin.note())
    mirror.take(origin.page(2))
    twice = origin.note() + origin.note().rpartition("\n\n")[2]
    assert mirror.keep(twice)
    with mirror.db.read() as tx:
        assert mirror.journals.newest_checkpoint(tx, LOCAL) == twice
    with pytest.raises(BrokenHistory):
        mirror.keep(forked(origin, 1, 3).note())


def test_what_is_good_is_written_before_an_error_is_told(origin: Origin, mirror: Mirror):
    for number in range(9):
        origin.put(number)
    pages = [origin.page(0, 3), origin.page(3, 6), b"{}\n", origin.page(6, 9)]
    seen = []
    with pytest.raises(Refused):
        seen.extend(mirror.intake.accept_all(pages, mirror.follow, mirror.peer, NOW, restricted=False))
    assert mirror.size == 6

    def cut():
        yield origin.page(6, 8)
        raise Conflict("The line was cut.")

    with pytest.raises(Conflict, match="cut"):
        list(mirror.intake.accept_all(cut(), mirror.follow, mirror.peer, NOW, restricted=False))
    assert mirror.size == 8
    with pytest.raises(Refused):
        mirror.take(b"")
    assert mirror.take(origin.page(8)).size == 9
    sound(mirror, origin)


class _Weak(Parser):
    """A parser that runs out of time whenever it gets a payload that is longer than it can bear, or too many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def look_at(self, payloads: Any, origins: Any, timeout_s: float) -> dict[int, tuple[str, str, list[str]]]:
        return super().look_at(payloads, origins, timeout_s if sum(map(len, payloads)) <= self._most else 0.0)


@pytest.fixture
def weak(origin: Origin, mirror: Mirror):
    """Give a page of which one payload is fine, one is not canonical, and two kill the parser."""
    origin.put(1)
    origin.put(2, payload_of(record_of(2), f'<{record_of(2)}> <{DCT}title> "a"@EN .'))
    for number in (3, 4):
        origin.put(number, payload_of(record_of(number), title="x" * 900))
    with _Weak(900) as parser:
        mirror.intake._judge._parser = parser
        yield origin.page()


def test_of_a_page_that_kills_the_parser_the_harmless_ones_are_kept(origin: Origin, mirror: Mirror, weak: bytes):
    found = mirror.take(weak)
    assert (found.entries, found.refused) == (4, 3)
    assert mirror.codes() == {2: "not-canonical", 3: "too-large", 4: "too-large"}
    assert mirror.held() == {record_of(1): 1}
    sound(mirror, origin)


def test_a_page_of_poison_has_an_end(mirror: Mirror, weak: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("node.federation.exchange.judge._ALONE_S", 1.0)
    mirror.take(weak)
    assert [detail[:7] for _, code, detail, _, _ in mirror.refusals() if code == "too-large"] == ["Reading"] * 2
    assert "the page took too long" in mirror.refusals()[-1][2]


def test_the_intake_ends_its_child(origin: Origin, mirror: Mirror):
    with Parser() as parser:
        mirror.intake._judge._parser = parser
        origin.put(1)
        mirror.take(origin.page())
        child = parser._child
        mirror.intake.close()
        assert child is not None
        assert not child.alive()


def test_what_is_agreed_no_longer_once_it_was_judged_is_not_filled(origin: Origin, mirror: Mirror):
    origin.put(1)
    envelope, lines = origin.told(0)
    mirror.take(spelt(envelope, [{"entry": line["entry"]} for line in lines]), restricted=True)
    told = iter([Extent(Decision(allowed=True)), Extent(Decision(allowed=False))])

    class EndsMeanwhile:
        def mirrored(self, peer: str, collection: str, now_ms: int, *, name: str = "") -> Extent:
            return next(told)

    mirror.intake._agreed = EndsMeanwhile()
    with pytest.raises(NotAgreed):
        mirror.refill(origin.stubs(1))
    assert mirror.held() == {}
    assert mirror.codes() == {1: "withheld"}
