"""A tail that is lost for good: the city says so in a statement, and its mirrors go on only when a person agrees."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.errors import BadSignature, BrokenHistory, Conflict, Malformed, NotFound, Refuted
from node.federation.exchange.epochs import TYP, read_epoch
from node.journal import note
from node.journal.verify import verify
from tests.federation.exchange.test_recover import MIRROR, append, mark_restored
from tests.federation.history_rig import NAME, Town, now_ms, towns

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

REASON = "The disk burnt, and no mirror had the restricted openings."


@pytest.fixture
def pair(tmp_path: Path, migrated: Path) -> Iterator[tuple[Town, Town]]:
    with towns(tmp_path, migrated, "helsinki", "london", serve=False) as (helsinki, london):
        yield helsinki.start(), london


def lost(helsinki: Town, london: Town) -> None:
    """Let a city lose four signed entries that its mirror holds, and know it."""
    helsinki.put(range(300))
    copy = helsinki.backup()
    helsinki.put([1, 2], "Lost")
    helsinki.put([1, 2], "Lost again")
    london.mirror(helsinki)
    helsinki.restore(copy)
    head = london.node.federation.feed.heads()
    shown = [each for each in head if each.collection == helsinki.iri]
    helsinki.watching.recovery.notice("london", shown, now_ms())


def begin_anew(helsinki: Town) -> Any:
    epoch = helsinki.watching.epochs.open(NAME, REASON, now_ms())
    helsinki.sign()
    return epoch


def broken(london: Town, helsinki: Town) -> None:
    """Hold the origin apart as the exchange does when it meets a history that does not continue."""
    evidence = json.dumps({"kind": "split-view", "origin": helsinki.origin})
    london.peers.quarantine("helsinki", "broken-history", "Its history does not continue ours.", evidence, now_ms())


def test_a_city_goes_on_from_what_it_has_and_says_so_under_its_key(pair: tuple[Town, Town]):
    helsinki, london = pair
    lost(helsinki, london)
    with pytest.raises(BrokenHistory):
        append(helsinki)
    epoch = begin_anew(helsinki)
    assert (epoch.number, epoch.from_size, epoch.root) == (1, 300, helsinki.root(300))
    keys = [key.jwk for key in london.peers.keys("helsinki", "entity")]
    (statement,) = london.node.federation.client.epochs(helsinki.url, NAME)
    said = read_epoch(statement, keys, iri=helsinki.iri)
    assert (said.reason, said.from_size) == (REASON, 300)
    assert note.checkpoint_of(note.parse(said.abandons).text).size == 304
    append(helsinki)
    verify(helsinki.node.journals, NAME, helsinki.node.journals.public_keys())


def test_an_epoch_is_opened_only_when_something_signed_is_missing(pair: tuple[Town, Town]):
    helsinki, london = pair
    helsinki.put(range(2))
    for reason, name, error in ((REASON, NAME, Conflict), ("", NAME, Malformed), ("x" * 1001, NAME, Malformed)):
        with pytest.raises(error):
            helsinki.watching.epochs.open(name, reason, now_ms())
    london.mirror(helsinki)
    with pytest.raises(Conflict, match="only its origin"):
        london.watching.epochs.open(MIRROR, REASON, now_ms())
    assert helsinki.watching.epochs.published(NAME) == []


def test_notes_beyond_the_database_are_given_up_too(pair: tuple[Town, Town]):
    """An operator who copied the tables by hand may hold notes without their entries."""
    helsinki, _ = pair
    helsinki.put(range(3))
    newest = helsinki.put(range(3, 5))
    with helsinki.node.db.write() as tx:
        from node.journal import epoch

        epoch.truncate(tx, helsinki.node.journals, NAME, 3, followers=())
        helsinki.node.journals.keep_own_note(tx, NAME, helsinki_note(helsinki, 3), now_ms())
        tx.run("INSERT INTO checkpoint (collection_id, size, note, signed_at, crc) VALUES (1, 5, ?, 0, 0)", newest)
    with pytest.raises(Refuted, match="5 were signed"):
        helsinki.sign()
    assert begin_anew(helsinki).from_size == 3
    assert helsinki.node.db.hot().rows("SELECT size FROM checkpoint WHERE size > 3") == []


def helsinki_note(helsinki: Town, size: int) -> str:
    ring, checkpoint = helsinki.node.keyring, note.Checkpoint(helsinki.origin, size, helsinki.root(size))
    return note.signed(checkpoint, ring.public_key("checkpoint"), lambda message: ring.sign("checkpoint", message))


def test_a_mirror_is_cut_back_when_a_person_approves_and_then_goes_on(pair: tuple[Town, Town]):
    helsinki, london = pair
    lost(helsinki, london)
    begin_anew(helsinki)
    helsinki.put([7, 8, 9], "After the fire")
    broken(london, helsinki)
    assert london.size(MIRROR) == 304
    offered = london.watching.epochs.look("helsinki", NAME, now_ms())
    assert offered == london.watching.epochs.offered("helsinki", NAME)
    assert london.size(MIRROR) == 304, "nothing happens by itself"
    london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
    assert london.size(MIRROR) == 300
    assert london.peers.get("helsinki").quarantine == ""
    london.mirror(helsinki)
    assert london.root(303, MIRROR) == helsinki.root(303)
    with london.node.db.read() as tx:
        held = london.node.journals.get(tx, MIRROR)
    assert held.epoch == 1
    assert london.watching.epochs.published(MIRROR) == helsinki.watching.epochs.published(NAME)
    verify(london.node.journals, MIRROR, [key.raw for key in london.peers.keys("helsinki", "checkpoint")])
    # Its readings are those of the new history.
    assert [london.node.shelf.payload(london.node.shelf.by_iri(helsinki.record(n))) for n in (1, 7)] == [
        helsinki.node.shelf.payload(helsinki.node.shelf.by_iri(helsinki.record(n))) for n in (1, 7)
    ]
    assert london.watching.epochs.offered("helsinki", NAME) is None


def test_what_was_cut_off_is_kept_as_evidence(pair: tuple[Town, Town]):
    helsinki, london = pair
    lost(helsinki, london)
    begin_anew(helsinki)
    old = london.entries(MIRROR)[300:]
    london.watching.epochs.look("helsinki", NAME, now_ms())
    london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
    told = json.loads(london.peers.evidence("helsinki")[-1].body)
    assert told["entries"] == [entry.document() for entry in old]
    assert note.checkpoint_of(note.parse(told["held"]).text).size == 304
    payloads = {entry.opening.digest for entry in old}
    with london.node.db.read() as tx:
        assert london.node.journals.payloads(tx, payloads) == {}


def test_a_witness_goes_on_from_where_the_epoch_begins(pair: tuple[Town, Town]):
    helsinki, london = pair
    london.start()
    helsinki.put(range(3))
    copy = helsinki.backup()
    helsinki.put(range(3, 6))
    london.mirror(helsinki)
    helsinki.watching.cosigning.run(now_ms())
    helsinki.restore(copy)
    helsinki.watching.recovery.check(now_ms())
    begin_anew(helsinki)
    helsinki.put([50], "After")
    assert {one.state for one in helsinki.watching.cosigning.run(now_ms())} == {"ahead"}
    london.watching.epochs.look("helsinki", NAME, now_ms())
    london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
    assert {one.state for one in helsinki.watching.cosigning.run(now_ms())} == {"cosigned"}


def test_an_old_tail_that_others_still_show_is_no_split_view(tmp_path: Path, migrated: Path):
    with towns(tmp_path, migrated, "helsinki", "london", "oslo", serve=False) as (helsinki, london, oslo):
        helsinki.start()
        oslo.start()
        lost(helsinki, london)
        oslo.mirror(helsinki, via=london.start())
        begin_anew(helsinki)
        helsinki.put([5, 6], "After")
        london.watching.epochs.look("helsinki", NAME, now_ms())
        london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
        london.mirror(helsinki)
        found = london.watching.heads.compare("helsinki", helsinki.iri, MIRROR, now_ms())
        assert (found.contradiction, london.peers.get("helsinki").quarantine) == ("", "")
        assert oslo.size(MIRROR) == 304
        # What Oslo still shows holds the origin back no longer: it is of what an epoch gave up.
        assert helsinki.watching.recovery.run(now_ms()).held_back == ""
        append(helsinki)


def test_a_second_fire_after_an_epoch_is_noticed_although_its_sizes_were_there_before(pair: tuple[Town, Town]):
    helsinki, london = pair
    lost(helsinki, london)
    begin_anew(helsinki)
    copy = helsinki.backup()
    helsinki.put([5, 6], "After")
    london.watching.epochs.look("helsinki", NAME, now_ms())
    london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
    london.mirror(helsinki)
    london.start()
    helsinki.restore(copy)
    (one,) = helsinki.watching.recovery.run(now_ms()).recovered
    assert (one.error, one.size) == ("", 302)
    assert helsinki.root(302) == london.root(302, MIRROR)


def test_a_statement_whose_root_is_not_ours_is_not_approved(pair: tuple[Town, Town]):
    helsinki, london = pair
    lost(helsinki, london)
    epoch = helsinki.watching.epochs.open(NAME, REASON, now_ms())
    claims = {"iss": helsinki.url, "collection": helsinki.iri, "epoch": 2, "from_size": 200, "reason": REASON}
    claims |= {"root": base64.b64encode(b"\6" * 32).decode(), "iat": now_ms() // 1000}
    statement = helsinki.node.keyring.jwt("entity", TYP, claims)
    with helsinki.node.db.write() as tx:
        tx.run("UPDATE epoch SET statement = ? WHERE epoch = ?", statement, epoch.number)
    london.watching.epochs.look("helsinki", NAME, now_ms())
    with pytest.raises(Refuted, match="another root"):
        london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
    assert london.size(MIRROR) == 304


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"collection": "http://127.0.0.1:1/collections/open-data"}, Malformed),
        ({"epoch": 0}, Malformed),
        ({"epoch": "1"}, Malformed),
        ({"from_size": -1}, Malformed),
        ({"root": "AAAA"}, Malformed),
        ({"root": "not base64"}, Malformed),
        ({"reason": "x" * 1001}, Malformed),
        ({"abandons": 5}, Malformed),
    ],
)
def test_a_statement_that_is_none_is_refused(pair: tuple[Town, Town], change: dict[str, Any], error: type[Exception]):
    helsinki, london = pair
    claims = {"iss": helsinki.url, "collection": helsinki.iri, "epoch": 1, "from_size": 0, "reason": "r"}
    claims |= {"root": base64.b64encode(b"\6" * 32).decode(), "iat": now_ms() // 1000}
    ring = helsinki.node.keyring
    keys = [key.jwk for key in london.peers.keys("helsinki", "entity")]
    assert read_epoch(ring.jwt("entity", TYP, claims), keys, iri=helsinki.iri).number == 1
    with pytest.raises(error):
        read_epoch(ring.jwt("entity", TYP, claims | change), keys, iri=helsinki.iri)
    with pytest.raises(Malformed):
        read_epoch(ring.jwt("entity", "entity-statement+jwt", claims), keys, iri=helsinki.iri)
    with pytest.raises(BadSignature):
        read_epoch(london.node.keyring.jwt("entity", TYP, claims), keys, iri=helsinki.iri)


def test_nothing_waits_where_nothing_was_opened(pair: tuple[Town, Town]):
    helsinki, london = pair
    london.mirror(helsinki)
    assert london.watching.epochs.look("helsinki", NAME, now_ms()) is None
    with pytest.raises(NotFound):
        london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())


def test_approval_lifts_no_quarantine_of_another_reason(pair: tuple[Town, Town]):
    helsinki, london = pair
    lost(helsinki, london)
    begin_anew(helsinki)
    london.peers.quarantine("helsinki", "key-changed", "Other keys.", "{}", now_ms())
    broken(london, helsinki)
    london.watching.epochs.look("helsinki", NAME, now_ms())
    london.watching.epochs.approve("helsinki", NAME, by="Anna", now_ms=now_ms())
    assert london.peers.get("helsinki").quarantine == "Other keys."


def test_a_restored_city_that_gives_its_tail_up_may_write_again(pair: tuple[Town, Town]):
    helsinki, london = pair
    lost(helsinki, london)
    mark_restored(helsinki)
    begin = helsinki.watching.epochs.open(NAME, REASON, now_ms())
    assert begin.number == 1
    with pytest.raises(BrokenHistory, match="backup"):
        append(helsinki)
    helsinki.watching.recovery.alone()
    append(helsinki)
