"""What somebody can do who came to have a key that a city has replaced: nothing new, and nobody is framed by it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.errors import BadSignature
from node.federation.exchange.epochs import TYP
from node.federation.exchange.heads import CACHE_MS
from node.federation.exchange.history import History
from node.journal import note
from node.journal.note import Checkpoint
from node.journal.tree import EMPTY_ROOT
from node.keys import Purpose, verified
from tests.federation.cities import HELSINKI, LONDON, cities
from tests.federation.history_rig import NAME, Town, now_ms, towns
from tests.federation.witness.test_witness import asked, forged, proof

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save

MIRROR = f"helsinki/{NAME}"
DAY_MS = 86_400_000


@pytest.fixture
def pair(tmp_path: Path, migrated: Path) -> Iterator[tuple[Town, Town]]:
    with towns(tmp_path, migrated, "helsinki", "london") as (helsinki, london):
        yield helsinki, london


def rotate(town: Town, purpose: Purpose, *known_to: Town, overlap_ms: int = 0) -> None:
    """Replace a key; the others pin what is published then."""
    town.node.keyring.rotate(purpose, now_ms=now_ms(), overlap_ms=overlap_ms)
    for other in known_to:
        with other.node.db.write() as tx:
            other.peers.pin(tx, town.name, town.node.keyring.published(), now_ms())


def history(at: Town) -> History:
    return History(at.node.journals, at.peers, clock_ms=now_ms)


def follow(at: Town) -> Any:
    (found,) = at.peers.follows("helsinki")
    return found


def test_a_retired_key_gets_nothing_cosigned_and_nobody_held_apart(pair: tuple[Town, Town]):
    helsinki, london = pair
    first = helsinki.put(range(3))
    made_up, second = forged(helsinki, 0, EMPTY_ROOT, "made-up"), forged(helsinki, 3, b"\3" * 32)
    assert asked(london, 0, first)[0] == 200
    rotate(helsinki, "checkpoint", london)
    assert asked(london, 0, made_up)[0] == 403
    assert asked(london, 3, second)[0] == 403
    assert asked(london, 3, first)[0] == 403
    assert london.peers.get("helsinki").quarantine == ""
    assert london.peers.evidence("helsinki") == []


@pytest.mark.parametrize("overlap_ms", [0, DAY_MS])
def test_an_honest_city_is_cosigned_on_after_a_rotation(pair: tuple[Town, Town], overlap_ms: int):
    helsinki, london = pair
    assert asked(london, 0, helsinki.put(range(3)))[0] == 200
    rotate(helsinki, "checkpoint", london, overlap_ms=overlap_ms)
    anew = helsinki.sign()
    assert asked(london, 3, anew)[0] == 200
    assert asked(london, 3, helsinki.put(range(3, 5)), *proof(helsinki, 3, 5))[0] == 200
    assert {one.state for one in helsinki.watching.cosigning.run(now_ms())} == {"cosigned"}


def test_during_the_overlap_who_has_not_heard_of_the_new_key_cosigns_too(pair: tuple[Town, Town]):
    helsinki, london = pair
    rotate(helsinki, "checkpoint", overlap_ms=DAY_MS)
    assert asked(london, 0, helsinki.put(range(3)))[0] == 200


def test_evidence_names_the_retired_keys_too(pair: tuple[Town, Town]):
    helsinki, london = pair
    assert asked(london, 0, helsinki.put(range(3)))[0] == 200
    rotate(helsinki, "checkpoint", london)
    assert asked(london, 3, forged(helsinki, 3, b"\3" * 32))[0] == 422
    (evidence,) = london.peers.evidence("helsinki")
    told = json.loads(evidence.body)
    keys = {told["origin"]: [note.read_verifier_key(key).public_key for key in told["keys"]]}
    assert [note.opened(text, keys, verified).size for text in told["notes"]] == [3, 3]


def test_a_bent_line_of_a_retired_key_is_not_carried_along(pair: tuple[Town, Town]):
    helsinki, london = pair
    old = note.parse(forged(helsinki, 3, b"\3" * 32)).signatures[0]
    helsinki.put(range(3))
    rotate(helsinki, "checkpoint", london)
    text = helsinki.sign()
    assert asked(london, 0, note.with_lines(text, [old.line()]))[0] == 403
    assert asked(london, 0, text)[0] == 200


def test_a_head_elsewhere_that_only_a_retired_key_signed_is_passed_over(tmp_path: Path, migrated: Path):
    with towns(tmp_path, migrated, "helsinki", "london", "oslo") as (helsinki, london, oslo):
        helsinki.put(range(3))
        lie = forged(helsinki, 3, b"\3" * 32)
        oslo.mirror(helsinki)
        rotate(helsinki, "checkpoint", london, oslo)
        helsinki.sign()
        london.mirror(helsinki)
        compare = london.watching.heads.compare
        found = compare("helsinki", helsinki.iri, MIRROR, now_ms())  # Oslo's copy is an old one
        assert (found.agreeing, found.doubtful, found.contradiction) == ((), (), "")
        with oslo.node.db.write() as tx:
            tx.run("UPDATE checkpoint SET note = ? WHERE size = 3", lie)
        found = compare("helsinki", helsinki.iri, MIRROR, now_ms() + CACHE_MS)
        assert (found.agreeing, found.doubtful, found.contradiction) == ((), (), "")
        assert london.peers.get("helsinki").quarantine == ""
        assert (london.peers.evidence("helsinki"), london.peers.evidence("oslo")) == ([], [])
        oslo.mirror(helsinki)
        assert compare("helsinki", helsinki.iri, MIRROR, now_ms() + 2 * CACHE_MS).agreeing == ("oslo",)


def test_an_origins_head_by_a_retired_key_is_no_history_of_it(pair: tuple[Town, Town]):
    helsinki, london = pair
    helsinki.put(range(3))
    london.mirror(helsinki)
    lie = forged(helsinki, 3, b"\3" * 32)
    assert history(london).opened(follow(london), lie).root == b"\3" * 32
    rotate(helsinki, "checkpoint", london)
    with pytest.raises(BadSignature, match="whose time is over"):
        history(london).opened(follow(london), lie)
    assert history(london).opened(follow(london), helsinki.sign()).size == 3


def offer(helsinki: Town) -> None:
    """Publish an epoch statement under the entity key of now, whatever is missing."""
    claims = {"iss": helsinki.url, "collection": helsinki.iri, "epoch": 1, "from_size": 2, "reason": "r"}
    claims |= {"root": base64.b64encode(helsinki.root(2)).decode(), "iat": now_ms() // 1000}
    statement = helsinki.node.keyring.jwt("entity", TYP, claims)
    sql = "INSERT INTO epoch (collection_id, epoch, from_size, root, statement, at, approved_at, approved_by)"
    with helsinki.node.db.write() as tx:
        row = (1, 2, helsinki.root(2), statement, now_ms(), now_ms(), "x")
        tx.run(f"{sql} VALUES (1, ?, ?, ?, ?, ?, ?, ?)", *row)


def test_a_retired_entity_key_offers_no_new_epoch(pair: tuple[Town, Town]):
    helsinki, london = pair
    helsinki.put(range(3))
    london.mirror(helsinki)
    offer(helsinki)
    rotate(helsinki, "entity", london)
    with pytest.raises(BadSignature):
        london.watching.epochs.look("helsinki", NAME, now_ms())
    assert london.watching.epochs.offered("helsinki", NAME) is None


def test_an_offer_that_is_known_outlives_its_key(pair: tuple[Town, Town]):
    helsinki, london = pair
    helsinki.put(range(3))
    london.mirror(helsinki)
    offer(helsinki)
    assert london.watching.epochs.look("helsinki", NAME, now_ms()).number == 1
    rotate(helsinki, "entity", london)
    assert london.watching.epochs.look("helsinki", NAME, now_ms()).number == 1


def test_a_witness_key_whose_time_is_over_cosigns_nothing_new(pair: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch):
    helsinki, london = pair
    helsinki.put(range(3))
    ring = london.node.keyring
    text = note.parse(helsinki.newest()).text
    old = note.cosign(
        london.watching.witness.name,
        ring.public_key("witness"),
        text,
        at_s=now_ms() // 1000,
        sign=lambda message: ring.sign("witness", message),
    ).line()
    rotate(london, "witness", helsinki)
    client = helsinki.watching.cosigning._client
    with monkeypatch.context() as patch:
        patch.setattr(client, "add_checkpoint", lambda *_: (200, old.encode()))
        (said,) = helsinki.watching.cosigning.run(now_ms())
        assert (said.state, "in force" in said.detail) == ("refused", True)
    assert {one.state for one in helsinki.watching.cosigning.run(now_ms())} == {"cosigned"}


@pytest.mark.parametrize("overlap_ms", [0, DAY_MS])
def test_a_pull_takes_an_honest_head_and_frames_nobody_by_one_of_a_retired_key(
    tmp_path: Path, migrated: Path, overlap_ms: int
):
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        helsinki.publish_many(3)
        assert london.pull(helsinki).pulled.level
        ring, origin = helsinki.node.keyring, note.origin_of(helsinki.iri)
        lie = note.signed(
            Checkpoint(origin, 3, b"\3" * 32),
            ring.public_key("checkpoint"),
            lambda message: ring.sign("checkpoint", message),
        )
        ring.rotate("checkpoint", now_ms=now_ms(), overlap_ms=overlap_ms)
        helsinki.node.journals.checkpoint(NAME, at_ms=now_ms())
        assert london.pull(helsinki).pulled.level
        if overlap_ms:
            return
        london.federation.peers.refresh("helsinki", now_ms())
        with helsinki.node.db.write() as tx:
            tx.run("UPDATE checkpoint SET note = ? WHERE size = 3", lie)
        assert isinstance(london.pull(helsinki).pulled.error, BadSignature)
        assert london.federation.peers.get("helsinki").quarantine == ""
        assert {each.kind for each in london.federation.peers.evidence("helsinki")} == {"rotation"}
