"""Comparing heads among three cities: what agrees, what waits, what is a lie, and who told it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.federation.exchange.heads import CACHE_MS
from node.journal import note, tree
from node.journal.note import Checkpoint
from node.keys import verified
from tests.federation.history_rig import NAME, Town, now_ms, towns

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

MIRROR = f"helsinki/{NAME}"


@pytest.fixture
def three(tmp_path: Path, migrated: Path) -> Iterator[tuple[Town, Town, Town]]:
    with towns(tmp_path, migrated, "helsinki", "london", "oslo", serve=False) as (helsinki, london, oslo):
        yield helsinki.start(), london, oslo.start()


def compared(at: Town, of: Town, at_ms: int = 0) -> Any:
    return at.watching.heads.compare(of.name, of.iri, f"{of.name}/{NAME}", at_ms or now_ms())


def fork(town: Town, copy: Path, numbers: range, text: str) -> str:
    """Go back to an old copy and write another history: what no honest city does."""
    town.restore(copy)
    return town.put(numbers, text)


def check_evidence(body: str, size: int) -> None:
    """Check evidence as anyone can who has the city's key: nothing of ours is asked."""
    told = json.loads(body)
    keys = {told["origin"]: [note.read_verifier_key(key).public_key for key in told["keys"]]}
    shown, held = (note.opened(told[name], keys, verified) for name in ("shown", "held"))
    assert told["size"] == shown.size == size
    if "held_root" in told:
        ours, proof = base64.b64decode(told["held_root"]), [base64.b64decode(each) for each in told["consistency"]]
        assert tree.verify_consistency(size, held.size, proof, ours, held.root)
        assert ours != shown.root
    else:
        assert (held.size, held.root != shown.root) == (size, True)


def test_the_same_head_elsewhere_agrees(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    helsinki.put(range(3))
    london.mirror(helsinki)
    oslo.mirror(helsinki)
    found = compared(london, helsinki)
    assert (found.asked, found.agreeing, found.contradiction) == (("oslo",), ("oslo",), "")
    assert compared(london, helsinki).agreeing == ("oslo",)


def test_a_smaller_head_must_be_our_own_tree_at_its_size(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    helsinki.put(range(3))
    oslo.mirror(helsinki)
    helsinki.put(range(3, 7))
    london.mirror(helsinki)
    assert compared(london, helsinki).agreeing == ("oslo",)


def test_a_larger_head_waits_until_we_have_come_as_far(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    helsinki.put(range(3))
    london.mirror(helsinki)
    helsinki.put(range(3, 7))
    oslo.mirror(helsinki)
    found = compared(london, helsinki)
    assert (found.waiting, found.agreeing) == (("oslo",), ())
    london.mirror(helsinki)
    assert compared(london, helsinki).agreeing == ("oslo",)


def test_a_split_view_is_found_held_apart_and_kept_as_evidence(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    helsinki.put(range(3))
    copy = helsinki.backup()
    helsinki.put(range(3, 6), "What London is told")
    london.mirror(helsinki)
    fork(helsinki, copy, range(3, 5), "What Oslo is told")
    oslo.mirror(helsinki)
    found = compared(london, helsinki)
    assert "two histories" in found.contradiction
    assert london.peers.get("helsinki").quarantine == found.contradiction
    evidence = london.peers.evidence("helsinki")[-1]
    assert evidence.kind == "split-view"
    check_evidence(evidence.body, 5)
    assert london.peers.get("oslo").quarantine == ""


def test_a_lie_that_is_longer_than_ours_is_found_when_we_have_come_as_far(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    helsinki.put(range(3))
    copy = helsinki.backup()
    helsinki.put(range(3, 6), "What Oslo is told")
    oslo.mirror(helsinki)
    fork(helsinki, copy, range(3, 5), "What London is told")
    london.mirror(helsinki)
    assert compared(london, helsinki).waiting == ("oslo",)
    helsinki.put(range(5, 8), "What London is told")
    london.mirror(helsinki)
    oslo.stop()  # what was seen once is remembered, whoever is silent now
    assert "two histories" in compared(london, helsinki, now_ms() + CACHE_MS).contradiction
    check_evidence(london.peers.evidence("helsinki")[-1].body, 6)


def test_two_others_that_were_told_different_things_are_enough(tmp_path: Path, migrated: Path):
    with towns(tmp_path, migrated, "helsinki", "london", "oslo", "paris", serve=False) as (
        helsinki,
        london,
        oslo,
        paris,
    ):
        for one in (helsinki, oslo, paris):
            one.start()
        helsinki.put(range(1))
        london.mirror(helsinki)
        copy = helsinki.backup()
        helsinki.put(range(1, 4), "What Oslo is told")
        oslo.mirror(helsinki)
        fork(helsinki, copy, range(1, 4), "What Paris is told")
        paris.mirror(helsinki)
        assert "two histories" in compared(london, helsinki).contradiction
        check_evidence(london.peers.evidence("helsinki")[-1].body, 4)


def test_what_the_origin_did_not_sign_is_no_evidence_against_it(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    helsinki.put(range(3))
    london.mirror(helsinki)
    oslo.mirror(helsinki)
    ring = oslo.node.keyring
    lie = note.signed(
        Checkpoint(helsinki.origin, 3, b"\5" * 32), ring.public_key("checkpoint"), lambda m: ring.sign("checkpoint", m)
    )
    with oslo.node.db.write() as tx:
        tx.run("UPDATE checkpoint SET note = ? WHERE size = 3", lie)
    found = compared(london, helsinki)
    assert (found.doubtful, found.contradiction) == (("oslo",), "")
    assert london.peers.get("helsinki").quarantine == ""
    (evidence,) = london.peers.evidence("oslo")
    assert (evidence.kind, evidence.body) == ("unsigned-head", lie)
    compared(london, helsinki, now_ms() + CACHE_MS)
    assert len(london.peers.evidence("oslo")) == 1


def test_a_silent_peer_is_no_sign_of_anything_and_is_asked_once_a_minute(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    helsinki.put(range(3))
    london.mirror(helsinki)
    oslo.stop()
    start = now_ms()
    found = compared(london, helsinki, start)
    assert (found.asked, found.agreeing, found.waiting) == (("oslo",), (), ())
    oslo.start()
    oslo.mirror(helsinki)
    assert compared(london, helsinki, start + CACHE_MS - 1).agreeing == ()
    assert compared(london, helsinki, start + CACHE_MS).agreeing == ("oslo",)


def test_heads_of_others_that_show_more_of_us_mark_us_as_behind(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    helsinki.put(range(2))
    copy = helsinki.backup()
    helsinki.put(range(2, 5))
    oslo.mirror(helsinki)
    london.start().put(range(1))
    helsinki.restore(copy)
    helsinki.mirror(london)
    compared(helsinki, london)
    assert "up to 5 at oslo" in helsinki.watching.recovery.held_back()
