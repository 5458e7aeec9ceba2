"""A peer is pinned by a person, renewed by itself, and held apart when its keys change silently."""

import json
from pathlib import Path

import pytest

from node.errors import Conflict, KeyChanged, PeerUnreachable, Quarantined
from node.federation.peers.namespaces import is_common
from node.federation.peers.peers import owners_of
from node.keys import Keyring
from tests.federation.fake_peer import NOW_MS, FakePeer
from tests.federation.peer_rig import OURS, Rig

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


# ---------------------------------------------------------------- approving


def test_approving_pins_every_key_and_the_namespaces(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    peer = city.peers.get("helsinki")
    assert (peer.state, peer.approved_by, peer.namespaces) == ("approved", "ada", (f"{helsinki.url}/",))
    assert {key.kid for key in city.peers.all_keys("helsinki")} == {key.kid for key in helsinki.keyring.published()}
    (key,) = city.peers.keys("helsinki", "checkpoint")
    assert key.raw == helsinki.keyring.public_key("checkpoint")
    assert city.peers.due("helsinki", NOW_MS)


def test_the_first_exchange_that_succeeds_makes_it_active(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    city.peers.failed("helsinki", PeerUnreachable("away"), NOW_MS)
    assert city.peers.get("helsinki").state == "approved"
    city.peers.answered("helsinki", NOW_MS + 5_000)
    peer = city.peers.get("helsinki")
    assert (peer.state, peer.failures, peer.last_out_at) == ("active", 0, NOW_MS + 5_000)


def test_what_was_reviewed_is_what_is_pinned(city: Rig, helsinki: FakePeer) -> None:
    city.adds(helsinki)
    review = city.peers.review("helsinki", NOW_MS)
    helsinki.namespaces.append("https://data.hel.example/")
    helsinki.publish()
    with pytest.raises(Conflict, match="since it was reviewed"):
        city.peers.approve("helsinki", by="ada", at_ms=NOW_MS, expect=review.digest)
    again = city.peers.review("helsinki", NOW_MS + 1)
    city.peers.approve("helsinki", by="ada", at_ms=NOW_MS, expect=again.digest)
    assert city.peers.get("helsinki").namespaces == (f"{helsinki.url}/", "https://data.hel.example/")


@pytest.mark.parametrize("typed", ["é", "\ud800", "名"])
def test_what_is_typed_in_any_script_is_no_review_and_no_fingerprint(
    typed: str, city: Rig, helsinki: FakePeer, tmp_path: Path
) -> None:
    city.adds(helsinki)
    with pytest.raises(Conflict):
        city.peers.approve("helsinki", by="ada", at_ms=NOW_MS, expect=typed)
    helsinki.becomes(Keyring.create(tmp_path / "thief"), now_ms=NOW_MS)
    with pytest.raises(KeyChanged):
        city.peers.approve("helsinki", by="ada", at_ms=NOW_MS, fingerprint=typed)


def test_keys_that_changed_before_the_approval_are_not_pinned(city: Rig, helsinki: FakePeer, tmp_path: Path) -> None:
    city.adds(helsinki)
    helsinki.becomes(Keyring.create(tmp_path / "thief"), now_ms=NOW_MS)
    with pytest.raises(KeyChanged):
        city.peers.approve("helsinki", by="ada", at_ms=NOW_MS)
    assert city.peers.all_keys("helsinki") == []
    assert city.peers.get("helsinki").state == "proposed"


def test_a_key_that_rotated_before_the_approval_is_vouched_for_by_the_one_we_were_told(
    city: Rig, helsinki: FakePeer
) -> None:
    city.adds(helsinki)
    helsinki.rotate("entity", now_ms=NOW_MS + 1_000)
    city.peers.approve("helsinki", by="ada", at_ms=NOW_MS + 2_000)
    assert city.peers.get("helsinki").fingerprint == helsinki.fingerprint


def test_new_namespaces_wait_for_a_person_and_say_what_they_would_forbid(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    helsinki.namespaces += [
        "http://publications.europa.eu/resource/authority/",
        "https://data.city.example/",
        f"{OURS}/datasets/",
        "https://hri.example/",
    ]
    helsinki.publish(now_ms=NOW_MS + HOUR_MS)
    city.peers.refresh("helsinki", NOW_MS + HOUR_MS)
    assert city.peers.get("helsinki").namespaces == (f"{helsinki.url}/",)
    city.held["https://hri.example/"] = 17
    review = city.peers.review("helsinki", NOW_MS + HOUR_MS)
    assert [claim.prefix for claim in review.claims if claim.new] == helsinki.namespaces[1:]
    said = "\n".join(review.warnings)
    assert "authority/ belongs to everyone" in said
    assert "https://data.city.example/ is declared by this city too" in said
    assert f"{OURS}/datasets/ lies inside a namespace of this city" in said
    assert "https://hri.example/: 17 records" in said


@pytest.mark.parametrize("prefix", ["http://www.w3.org/ns/dcat#", "https://schema.org/", "http://purl.org/dc/terms/"])
def test_vocabularies_belong_to_everyone(prefix: str) -> None:
    assert is_common(prefix)
    assert not is_common("https://w3.org.evil.example/")


def test_the_longest_prefix_decides_and_a_shared_one_belongs_to_both(city: Rig, tmp_path: Path) -> None:
    with FakePeer(tmp_path / "a") as one, FakePeer(tmp_path / "b") as two:
        one.namespaces = [f"{one.url}/", "https://shared.example/", "https://portal.example/"]
        two.namespaces = [f"{two.url}/", "https://shared.example/", "https://portal.example/b/"]
        for peer, name in ((one, "a"), (two, "b")):
            peer.publish()
            city.approves(peer, name)
        table = city.peers.namespaces()
        assert owners_of(table, "https://portal.example/b/1") == {"b"}
        assert owners_of(table, "https://portal.example/bb") == {"a"}
        assert owners_of(table, "https://shared.example/x#y") == {"a", "b"}
        assert owners_of(table, f"{OURS}/datasets/1") == {""}
        assert owners_of(table, "https://elsewhere.example/1") == frozenset()
        city.peers.block("b")
        assert owners_of(city.peers.namespaces(), "https://shared.example/x") == {"a"}


# ---------------------------------------------------------------- keys that change


def test_rotated_keys_that_the_old_ones_signed_are_pinned_too(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    old = helsinki.keyring.current("checkpoint")
    now = city.later(HOUR_MS + 1)
    helsinki.rotate("checkpoint", "entity", now_ms=now)
    helsinki.rotate("checkpoint", now_ms=now + 1_000)
    peer = city.peers.fresh("helsinki", now + 2_000)
    assert (peer.quarantine, peer.fingerprint) == ("", helsinki.fingerprint)
    keys = city.peers.keys("helsinki", "checkpoint")
    assert keys[0].kid == helsinki.keyring.current("checkpoint").kid
    assert len(keys) == 3
    assert next(key for key in keys if key.kid == old.kid).until_ms is not None
    assert [each.kind for each in city.peers.evidence("helsinki")] == ["rotation"]


def test_a_silent_change_of_keys_holds_the_peer_apart_with_both_statements(
    city: Rig, helsinki: FakePeer, tmp_path: Path
) -> None:
    city.approves(helsinki)
    city.peers.answered("helsinki", NOW_MS)
    before = city.peers.get("helsinki").statement
    now = city.later(HOUR_MS + 1)
    shown = helsinki.becomes(Keyring.create(tmp_path / "thief"), now_ms=now)
    with pytest.raises(KeyChanged):
        city.peers.fresh("helsinki", now)
    peer = city.peers.get("helsinki")
    assert peer.state == "active"
    assert helsinki.fingerprint in peer.quarantine
    assert not peer.exchanges
    assert not city.peers.due("helsinki", now + DAY_MS)
    (evidence,) = city.peers.evidence("helsinki")
    assert evidence.kind == "key-changed"
    assert json.loads(evidence.body) == {"pinned": before, "shown": shown}
    assert helsinki.keyring.current("checkpoint").kid not in {k.kid for k in city.peers.all_keys("helsinki")}
    with pytest.raises(Quarantined):
        city.peers.fresh("helsinki", now + HOUR_MS)


@pytest.mark.parametrize("purpose", ["token", "client", "checkpoint", "record", "witness"])
def test_one_key_that_nobody_vouches_for_is_enough(purpose: str, city: Rig, helsinki: FakePeer, tmp_path: Path) -> None:
    city.approves(helsinki)
    thief = Keyring.create(tmp_path / "thief")
    now = city.later(HOUR_MS + 1)
    keys = [key for key in helsinki.keyring.published() if key.purpose != purpose]
    helsinki.publish(helsinki.statement(now_ms=now, keys=[*keys, thief.current(purpose)]))  # type: ignore[arg-type]
    with pytest.raises(KeyChanged):
        city.peers.refresh("helsinki", now)
    assert city.peers.get("helsinki").quarantine


def test_a_key_whose_time_is_over_vouches_for_nobody(city: Rig, helsinki: FakePeer, tmp_path: Path) -> None:
    """A thief finds the old private keys on an old disk, long after the rotation."""
    import shutil

    city.approves(helsinki)
    shutil.copytree(tmp_path / "helsinki", tmp_path / "disk")
    now = city.later(HOUR_MS + 1)
    helsinki.rotate("entity", now_ms=now)
    city.peers.refresh("helsinki", now)
    now = city.later(400 * DAY_MS)
    stolen = Keyring(tmp_path / "disk")
    stolen.rotate("entity", now_ms=now, issuer=helsinki.url)
    helsinki.becomes(stolen, now_ms=now)
    with pytest.raises(KeyChanged):
        city.peers.refresh("helsinki", now)


def test_a_replaced_key_does_not_come_back_into_use_within_its_overlap(
    city: Rig, helsinki: FakePeer, tmp_path: Path
) -> None:
    import shutil

    city.approves(helsinki)
    shutil.copytree(tmp_path / "helsinki", tmp_path / "disk")
    now = city.later(HOUR_MS + 1)
    helsinki.rotate("entity", now_ms=now)
    city.peers.refresh("helsinki", now)
    helsinki.becomes(Keyring(tmp_path / "disk"), now_ms=now + 60_000)
    with pytest.raises(KeyChanged):
        city.peers.refresh("helsinki", now + 60_000)


def test_a_statement_out_of_an_old_cache_changes_nothing(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    old = helsinki.statement(now_ms=NOW_MS)
    now = city.later(HOUR_MS + 1)
    helsinki.rotate("entity", "checkpoint", now_ms=now)
    city.peers.refresh("helsinki", now)
    helsinki.publish(old)
    peer = city.peers.refresh("helsinki", now + 1_000)
    assert (peer.quarantine, peer.fingerprint) == ("", helsinki.fingerprint)


def test_after_a_quarantine_only_the_new_fingerprint_brings_the_peer_back(
    city: Rig, helsinki: FakePeer, tmp_path: Path
) -> None:
    city.approves(helsinki)
    old = helsinki.keyring.current("checkpoint")
    now = city.later(HOUR_MS + 1)
    helsinki.becomes(Keyring.create(tmp_path / "anew"), now_ms=now)
    with pytest.raises(KeyChanged):
        city.peers.refresh("helsinki", now)
    for wrong in ("", "a" * 43):
        with pytest.raises(KeyChanged, match="--fingerprint"):
            city.peers.approve("helsinki", by="ada", at_ms=now, fingerprint=wrong)
    city.peers.approve("helsinki", by="ada", at_ms=now, fingerprint=helsinki.fingerprint)
    peer = city.peers.get("helsinki")
    assert (peer.quarantine, peer.exchanges, peer.fingerprint) == ("", True, helsinki.fingerprint)
    assert [each.kind for each in city.peers.evidence("helsinki")] == ["key-changed", "released"]
    good = [key.kid for key in city.peers.keys("helsinki", "checkpoint", at_ms=now)]
    assert good == [helsinki.keyring.current("checkpoint").kid]
    assert old.kid in {key.kid for key in city.peers.keys("helsinki", "checkpoint")}


def test_evidence_is_never_removed_and_the_same_is_kept_once(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    for _ in range(3):
        city.peers.quarantine("helsinki", "two-histories", "It forked.", "{}", NOW_MS)
    city.peers.quarantine("helsinki", "split-view", "It forked again.", "{}", NOW_MS)
    assert [each.kind for each in city.peers.evidence("helsinki")] == ["two-histories", "split-view"]
    assert city.peers.get("helsinki").quarantine == "It forked."
    city.peers.block("helsinki")
    city.peers.approve("helsinki", by="ada", at_ms=NOW_MS)
    assert len(city.peers.evidence("helsinki")) == 3


# ---------------------------------------------------------------- the statement is renewed


def asked(peer: FakePeer) -> int:
    return sum(request.path.endswith("openid-federation") for request in peer.requests)


def test_a_statement_is_renewed_after_an_hour_and_for_an_unknown_key_at_most_once_a_minute(
    city: Rig, helsinki: FakePeer
) -> None:
    city.approves(helsinki)
    begun = asked(helsinki)
    now = city.now_ms
    city.peers.fresh("helsinki", now + 60_000)
    assert asked(helsinki) == begun
    for second in range(30):
        city.peers.fresh("helsinki", now + 70_000 + second * 1_000, kid="unknown")
    assert asked(helsinki) == begun + 1
    city.peers.fresh("helsinki", now + 140_000, kid="unknown")
    assert asked(helsinki) == begun + 2
    city.peers.fresh("helsinki", now + 140_000 + HOUR_MS)
    assert asked(helsinki) == begun + 3


def test_a_statement_that_cannot_be_renewed_leaves_what_is_pinned(city: Rig, helsinki: FakePeer) -> None:
    city.approves(helsinki)
    helsinki.says.clear()
    peer = city.peers.fresh("helsinki", NOW_MS + HOUR_MS + 1)
    assert peer.exchanges
    assert city.peers.get("helsinki").last_error_code == "not-found"
    assert city.peers.keys("helsinki", "checkpoint")
