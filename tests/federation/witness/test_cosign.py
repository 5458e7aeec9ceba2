"""Asking witnesses over the wire: what is kept, what is believed, and who is asked when."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from node.federation.witness.cosign import AFTER_CHANGE_MS, FRESH_MS, Cosigning
from node.journal import note
from node.keys import verified
from tests.federation.history_rig import NAME, Town, now_ms, towns

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save


@pytest.fixture
def three(tmp_path: Path, migrated: Path) -> Iterator[tuple[Town, Town, Town]]:
    with towns(tmp_path, migrated, "helsinki", "london", "oslo") as (helsinki, london, oslo):
        yield helsinki, london, oslo


def test_every_active_peer_cosigns_and_the_feed_shows_it(three: tuple[Town, Town, Town]):
    helsinki, london, oslo = three
    text = helsinki.put(range(3))
    outcomes = helsinki.watching.cosigning.run(now_ms())
    assert [(one.witness, one.state, one.size) for one in outcomes] == [
        ("london", "cosigned", 3),
        ("oslo", "cosigned", 3),
    ]
    shown = helsinki.node.federation.feed.note(NAME)
    assert shown.startswith(text)
    for witness in (london, oslo):
        keys = {witness.watching.witness.name: [witness.node.keyring.public_key("witness")]}
        (cosigned,) = note.cosignatures(note.parse(shown), keys, verified)
        assert abs(cosigned.at_s * 1000 - now_ms()) < 60_000
    assert [(one.collection, one.size, one.witness) for one in helsinki.watching.cosigning.held()] == [
        (NAME, 3, "london"),
        (NAME, 3, "oslo"),
    ]


def test_growth_is_proven_and_a_forgotten_size_is_learnt_again(three: tuple[Town, Town, Town]):
    helsinki, _, _ = three
    cosigning: Cosigning = helsinki.watching.cosigning
    for upto in (2, 5, 6):
        helsinki.put(range(helsinki.size(), upto))
        if upto == 6:  # as if our own memory were lost: the witness says 409, and how far it is
            with helsinki.node.db.write() as tx:
                tx.run("DELETE FROM cosignature")
        assert {one.state for one in cosigning.run(now_ms())} == {"cosigned"}


def test_it_asks_hourly_and_soon_after_a_change_and_no_more(three: tuple[Town, Town, Town]):
    helsinki, _, _ = three
    cosigning: Cosigning = helsinki.watching.cosigning
    start = now_ms()
    assert len(cosigning.run_due(start)) == 2
    assert cosigning.run_due(start + FRESH_MS - 1) == []
    helsinki.put(range(1))
    assert cosigning.run_due(start + AFTER_CHANGE_MS - 1) == []
    # The witnesses' clock is the real one, so that of this test may not run ahead of it by more than is granted.
    assert len(cosigning.run_due(start + AFTER_CHANGE_MS)) == 2


def test_a_witness_that_refuses_rests_longer_each_time_and_at_most_an_hour(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    with london.node.db.write() as tx:
        london.peers.change(tx, "helsinki", state="blocked")
    cosigning: Cosigning = helsinki.watching.cosigning
    helsinki.put(range(1))

    def refused(at_ms: int) -> int:
        return sum((one.witness, one.state) == ("london", "refused") for one in cosigning.run_due(at_ms))

    start = now_ms()
    asked = [second for second in range(0, 3 * 3600, 15) if refused(start + second * 1000)]
    gaps = [after - before for before, after in pairwise(asked)]
    assert gaps == [60, 120, 240, 480, 960, 1920, 3600], gaps
    helsinki.put(range(1, 2))
    assert refused(start + 3 * 3_600_000) == 0, "a change shortens no rest"


def test_a_cosignature_of_another_time_is_not_kept(three: tuple[Town, Town, Town]):
    helsinki, _, _ = three
    outcomes = helsinki.watching.cosigning.run(now_ms() + 3_600_000)
    assert {(one.state, "ten minutes" in one.detail) for one in outcomes} == {("refused", True)}
    assert helsinki.watching.cosigning.held() == []


def test_a_witness_with_another_key_than_the_pinned_one_is_not_believed(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    london.node.keyring.rotate("witness", now_ms=now_ms())
    states = {one.witness: (one.state, one.detail) for one in helsinki.watching.cosigning.run(now_ms())}
    assert states["oslo"][0] == "cosigned"
    assert (states["london"][0], "no line of it" in states["london"][1]) == ("refused", True)


def test_a_silent_witness_is_said_and_the_others_are_asked(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    london.stop()
    states = {one.witness: one.state for one in helsinki.watching.cosigning.run(now_ms())}
    assert states == {"london": "unreachable", "oslo": "cosigned"}


def test_a_witness_that_knows_more_of_us_says_that_we_are_behind(three: tuple[Town, Town, Town]):
    helsinki, _, _ = three
    helsinki.put(range(2))
    copy = helsinki.backup()
    helsinki.put(range(2, 5))
    helsinki.watching.cosigning.run(now_ms())
    helsinki.restore(copy)
    assert {one.state for one in helsinki.watching.cosigning.run(now_ms())} == {"ahead"}


def test_restricted_collections_and_mirrors_are_not_sent(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    london.put(range(1))
    helsinki.mirror(london)
    helsinki.node.create_collection("secret", title="S", visibility="restricted", at_ms=now_ms())
    assert {one.collection for one in helsinki.watching.cosigning.run(now_ms())} == {NAME}


def test_witnesses_that_are_named_are_asked_in_their_order(three: tuple[Town, Town, Town]):
    helsinki, _, _ = three
    f = helsinki.node.federation
    named = Cosigning(helsinki.node.db, helsinki.node.journals, f.peers, f.client, witnesses=("oslo", "paris"))
    assert [peer.name for peer in named.chosen()] == ["oslo"]
    with helsinki.node.db.write() as tx:
        helsinki.peers.change(tx, "oslo", quarantine="Two histories.")
    assert named.chosen() == []


def test_heads_of_peers_show_the_cosignatures(three: tuple[Town, Town, Town]):
    helsinki, london, _ = three
    helsinki.put(range(2))
    helsinki.watching.cosigning.run(now_ms())
    told = london.node.federation.client.heads(helsinki.url)
    (head,) = told.heads
    assert len(note.parse(head.checkpoint).signatures) == 3
    assert json.dumps(head.checkpoint)
