"""Witnessing by the letter of C2SP tlog-witness and tlog-cosignature, and what an attacker of it meets.

The checkpoint with the four cosignatures is one of a public log (Certificate Transparency), cosigned by witnesses that
others run; whatever reads it reads what the rest of the world writes.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.errors import Malformed, Refuted
from node.federation.peers.peers import Peer, Peers
from node.federation.witness.witness import MAX_ORIGINS, Witness
from node.journal import note
from node.journal.note import Checkpoint
from node.journal.tree import EMPTY_ROOT, Frontier, leaf_hash
from node.keys import Keyring, verified
from tests.federation.history_rig import NAME, Town, now_ms, towns

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

WORLD = (
    "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"
    "\u2014 arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bf"
    "TW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n"
    "\u2014 remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0"
    "WBxtqB0DrAWfBw==\n"
)
WORLD_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
WORLD_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture
def pair(tmp_path: Path, migrated: Path) -> Iterator[tuple[Town, Town]]:
    with towns(tmp_path, migrated, "helsinki", "london", serve=False) as (helsinki, london):
        yield helsinki, london


def body(old: int, text: str, *proof: bytes) -> bytes:
    lines = "".join(base64.b64encode(each).decode() + "\n" for each in proof)
    return f"old {old}\n{lines}\n{text}".encode()


def proof(town: Town, old: int, new: int) -> list[bytes]:
    with town.node.db.read() as tx:
        return town.node.journals.consistency(tx, NAME, old, new)


def asked(witness: Town, old: int, text: str, *hashes: bytes) -> tuple[int, str, bytes]:
    found: tuple[int, str, bytes] = witness.watching.witness.add_checkpoint(body(old, text, *hashes), now_ms())
    return found


def forged(town: Town, size: int, root: bytes, name: str = NAME) -> str:
    """Sign whatever a dishonest city signs."""
    checkpoint = Checkpoint(f"127.0.0.1:{town.port}/collections/{name}", size, root)
    ring = town.node.keyring
    return note.signed(checkpoint, ring.public_key("checkpoint"), lambda message: ring.sign("checkpoint", message))


# ------------------------------------------------------------- cosignatures


def test_a_checkpoint_of_the_world_and_its_cosignature_hold():
    log, witness = note.read_verifier_key(WORLD_LOG), note.read_verifier_key(WORLD_WITNESS)
    assert (log.kind, witness.kind) == (note.ED25519, note.COSIGNATURE)
    assert note.verifier_key(witness.name, witness.public_key, note.COSIGNATURE) == WORLD_WITNESS
    opened = note.opened(WORLD, {log.name: [log.public_key]}, verified)
    (cosigned,) = note.cosignatures(note.parse(WORLD), {witness.name: [witness.public_key]}, verified)
    assert (opened.size, cosigned.at_s) == (1432088532, 1779573024)


def test_a_cosignature_does_not_count_as_a_signature_nor_the_other_way_round():
    log, witness = note.read_verifier_key(WORLD_LOG), note.read_verifier_key(WORLD_WITNESS)
    with pytest.raises(Refuted, match="No key that is known"):
        note.opened(WORLD, {witness.name: [witness.public_key]}, verified)
    assert note.cosignatures(note.parse(WORLD), {log.name: [log.public_key]}, verified) == []


@pytest.mark.parametrize("wrong", ["size", "time", "signature", "short"])
def test_a_bent_cosignature_of_a_known_witness_refutes_the_note(wrong: str):
    witness = note.read_verifier_key(WORLD_WITNESS)
    parsed = note.parse(WORLD)
    text, line = parsed.text, parsed.signatures[1]
    raw = bytearray(line.signature)
    if wrong == "size":
        text = text.replace("1432088532", "1432088533")
    elif wrong == "time":
        raw[7] ^= 1
    elif wrong == "signature":
        raw[-1] ^= 1
    else:
        del raw[-1:]
    bent = note.SignedNote(text, (note.Signature(line.name, line.hint, bytes(raw)),))
    with pytest.raises(Refuted, match=r"remora\.n621\.de"):
        note.cosignatures(bent, {witness.name: [witness.public_key]}, verified)


def test_a_cosignature_is_what_the_standard_writes_byte_for_byte(keyring: Keyring):
    public, text = keyring.public_key("witness"), "a.example/log\n0\n" + "A" * 43 + "=\n"
    line = note.cosign("w.example", public, text, at_s=1_795_232_400, sign=lambda m: keyring.sign("witness", m)).line()
    dash, name, data = line.rstrip("\n").split(" ")
    raw = base64.b64decode(data)
    assert (dash, name, len(raw)) == ("\u2014", "w.example", 4 + 8 + 64)
    assert raw[:4] == hashlib.sha256(b"w.example\n\x04" + public).digest()[:4]
    assert raw[4:12] == (1_795_232_400).to_bytes(8, "big")
    assert verified(public, b"cosignature/v1\ntime 1795232400\n" + text.encode(), raw[12:])


def test_adding_the_order_of_the_group_to_a_cosignature_does_not_give_a_second_one(keyring: Keyring):
    public, text = keyring.public_key("witness"), "a.example/log\n0\n" + "A" * 43 + "=\n"
    made = note.cosign("w.example", public, text, at_s=9, sign=lambda m: keyring.sign("witness", m))
    s = int.from_bytes(made.signature[-32:], "little") + ORDER
    twin = note.Signature(made.name, made.hint, made.signature[:-32] + s.to_bytes(32, "little"))
    with pytest.raises(Refuted):
        note.cosignatures(note.SignedNote(text, (twin,)), {"w.example": [public]}, verified)


@pytest.mark.parametrize("y", [0, 1, 2**255 - 20])
def test_a_witness_key_of_small_order_is_refused(y: int):
    key = y.to_bytes(32, "little")
    text = "a.example/log\n0\n" + "A" * 43 + "=\n"
    line = note.Signature(
        "w.example", note.key_hint("w.example", key, note.COSIGNATURE), b"\0" * 7 + b"\1" + b"\0" * 64
    )
    with pytest.raises(Malformed, match="small order"):
        note.cosignatures(note.SignedNote(text, (line,)), {"w.example": [key]}, verified)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+",
        WORLD_WITNESS.replace("da77ade7", "da77ade8"),
        WORLD_WITNESS.replace("+BOvN", "+AuvN"),
        WORLD_WITNESS.replace("remora", "lamora"),
    ],
)
def test_a_verifier_key_that_is_none_is_refused(text: str):
    with pytest.raises(Malformed):
        note.read_verifier_key(text)


# ----------------------------------------------------------------- witness


def test_a_witness_follows_a_collection_from_size_to_size(pair: tuple[Town, Town]):
    helsinki, london = pair
    keys = {london.watching.witness.name: [london.node.keyring.public_key("witness")]}
    old = 0
    for upto in (0, 1, 3, 300, 300):
        text = helsinki.put(range(helsinki.size(), upto)) if upto else helsinki.newest()
        status, media_type, line = asked(london, old, text, *proof(helsinki, old, upto))
        assert (status, media_type) == (200, "text/plain; charset=utf-8"), line
        cosigned = note.parse(note.with_lines(text, [line.decode()]))
        assert len(note.cosignatures(cosigned, keys, verified)) == 1
        old = upto
    held = london.watching.witness.held(hashlib.sha256(helsinki.origin.encode()).hexdigest())
    assert held is not None
    assert note.checkpoint_of(note.parse(held).text).size == 300
    assert len(note.cosignatures(note.parse(held), keys, verified)) == 1


def test_whoever_names_another_size_is_told_the_one_that_is_known(pair: tuple[Town, Town]):
    helsinki, london = pair
    assert asked(london, 0, helsinki.put(range(3)))[0] == 200
    grown = helsinki.put(range(3, 5))
    assert asked(london, 0, grown) == (409, "text/x.tlog.size", b"3\n")
    assert asked(london, 2, grown, *proof(helsinki, 2, 5)) == (409, "text/x.tlog.size", b"3\n")


def test_an_old_note_is_never_cosigned_again(pair: tuple[Town, Town]):
    helsinki, london = pair
    first = helsinki.put(range(3))
    assert asked(london, 0, first)[0] == 200
    assert asked(london, 3, helsinki.put(range(3, 5)), *proof(helsinki, 3, 5))[0] == 200
    assert asked(london, 0, first)[0] == 409
    assert asked(london, 3, first)[0] == 409
    assert london.peers.get("helsinki").quarantine == ""


@pytest.mark.parametrize(
    ("bend", "status"),
    [
        (lambda text: text.replace("old 0", "old -1"), 400),
        (lambda text: text.replace("old 0", "old 00"), 400),
        (lambda text: text.replace("old 0", "old 4"), 400),
        (lambda text: text.replace("old 0", "OLD 0"), 400),
        (lambda text: text.replace("\n\n127", "\n127", 1), 400),
        (lambda text: text.replace("old 0\n", "old 0\n" + "A" * 43 + "=\n"), 422),
        (lambda text: text.replace("old 0\n", "old 0\n" + ("A" * 43 + "=\n") * 64), 400),
        (lambda text: text.replace("old 0\n", "old 0\n" + "A" * 42 + "B=\n"), 400),
        (lambda text: text.replace("old 0\n", "old 0\n" + "A" * 40 + "\n"), 400),
        (lambda text: text + "x" * 70_000, 400),
        (lambda text: text.replace("/open-data\n3", "/open-data\n3\nextension", 1), 400),
        (lambda text: text.replace("collections/open-data", "collections/other"), 403),
        (lambda text: text.replace("127.0.0.1", "127.0.0.2"), 404),
        (lambda text: text.replace("collections/open-data", "collections/../x"), 404),
        (lambda text: text.replace("\n3\n", "\n2\n"), 403),
        (lambda text: "", 400),
    ],
)
def test_a_request_that_is_wrong_in_one_thing_gets_its_status(pair: tuple[Town, Town], bend, status: int):
    helsinki, london = pair
    text = bend(body(0, helsinki.put(range(3))).decode())
    told = london.watching.witness.add_checkpoint(text.encode(), now_ms())
    assert told[0] == status, told
    assert b"\xe2\x80\x94" not in told[2]
    assert london.node.db.hot().rows("SELECT * FROM witnessed") == []


def test_bytes_that_are_no_text_are_refused(pair: tuple[Town, Town]):
    assert pair[1].watching.witness.add_checkpoint(b"old 0\n\n\xff", now_ms())[0] == 400


@pytest.mark.parametrize("state", ["proposed", "paused", "blocked"])
def test_only_admitted_peers_are_witnessed(tmp_path: Path, migrated: Path, state: str):
    with towns(tmp_path, migrated, "helsinki", "london", serve=False) as (helsinki, london):
        with london.node.db.write() as tx:
            london.peers.change(tx, "helsinki", state=state)
        assert asked(london, 0, helsinki.newest())[0] == 404


def test_a_peer_that_is_held_apart_gets_no_cosignature(pair: tuple[Town, Town]):
    helsinki, london = pair
    london.peers.quarantine("helsinki", "key-changed", "Other keys.", "{}", now_ms())
    assert asked(london, 0, helsinki.newest())[0] == 403


def test_own_collections_are_not_cosigned_here(pair: tuple[Town, Town]):
    assert asked(pair[1], 0, pair[1].newest())[0] == 404


def test_another_key_than_the_pinned_one_is_refused(pair: tuple[Town, Town]):
    helsinki, london = pair
    text = london.newest().replace(str(london.port), str(helsinki.port))
    assert asked(london, 0, text)[0] == 403


def test_an_empty_tree_has_one_root(pair: tuple[Town, Town]):
    helsinki, london = pair
    assert asked(london, 0, forged(helsinki, 0, b"\1" * 32))[0] == 422
    assert asked(london, 0, forged(helsinki, 0, EMPTY_ROOT))[0] == 200


def test_a_fork_is_not_cosigned(pair: tuple[Town, Town]):
    helsinki, london = pair
    assert asked(london, 0, helsinki.put(range(3)))[0] == 200
    other = Frontier()
    for number in range(5):
        other.append(leaf_hash(b"%d" % number))
    assert asked(london, 3, forged(helsinki, 5, other.root()), *[b"\2" * 32] * 3)[0] == 422
    # A made-up proof can come from anybody: the city itself signed nothing that contradicts what is known.
    assert london.peers.get("helsinki").quarantine == ""


def test_two_signed_roots_of_one_size_hold_the_city_apart_with_evidence_anyone_can_check(pair: tuple[Town, Town]):
    helsinki, london = pair
    first = helsinki.put(range(3))
    second = forged(helsinki, 3, b"\3" * 32)
    assert asked(london, 0, first)[0] == 200
    assert asked(london, 3, second)[0] == 422
    assert "different roots" in london.peers.get("helsinki").quarantine
    (evidence,) = london.peers.evidence("helsinki")
    told = json.loads(evidence.body)
    keys = {helsinki.origin: [note.read_verifier_key(key).public_key for key in told["keys"]]}
    one, other = (note.opened(text, keys, verified) for text in told["notes"])
    assert (one.size, one.origin) == (other.size, other.origin)
    assert one.root != other.root
    assert asked(london, 3, first)[0] == 403


def test_a_peer_cannot_fill_the_witness_with_origins(pair: tuple[Town, Town]):
    helsinki, london = pair
    rows = [(f"127.0.0.1:{helsinki.port}/collections/c{n}", 0, EMPTY_ROOT, "x", 0) for n in range(MAX_ORIGINS)]
    with london.node.db.write() as tx:
        tx.many("INSERT INTO witnessed (origin, size, root, note, at) VALUES (?, ?, ?, ?, ?)", rows)
    assert asked(london, 0, helsinki.newest())[0] == 403
    assert asked(london, 0, forged(helsinki, 0, EMPTY_ROOT, "c5"))[0] == 200


def test_of_racing_requests_no_two_that_contradict_are_cosigned(pair: tuple[Town, Town]):
    helsinki, london = pair
    notes = {size: helsinki.put(range(helsinki.size(), size)) for size in range(1, 13)}
    done: list[tuple[int, int]] = []

    def race(size: int) -> None:
        status, _, _ = asked(london, 0, notes[size])
        done.append((status, size))

    threads = [threading.Thread(target=race, args=(size,)) for size in notes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [size for status, size in done if status == 200]
    assert len(won) == 1
    assert {status for status, _ in done} == {200, 409}
    (row,) = london.node.db.hot().rows("SELECT size FROM witnessed")
    assert row[0] == won[0]


def test_on_either_database_one_of_two_histories_that_race_is_cosigned(db: Database, keyring: Keyring, tmp_path: Path):
    theirs = Keyring.create(tmp_path / "theirs")
    url, ours = "https://helsinki.example", "https://london.example"
    peers = Peers(db, base_url=ours, namespaces=(), statements=Nobody(), held=nothing, chance=lambda: 0.0)
    with db.write() as tx:
        columns: dict[str, Any] = dict.fromkeys(Peer.__dataclass_fields__, 0)
        columns |= dict.fromkeys(("title", "quarantine", "note", "statement", "fingerprint", "approved_by"), "")
        columns |= {"last_error_code": "", "last_error": "", "namespaces": ()}
        peers.insert(tx, Peer(**(columns | {"name": "helsinki", "url": url, "state": "active"})))
        peers.pin(tx, "helsinki", theirs.published(), 0)
    witness = Witness(db, keyring, peers, base_url=ours)
    statuses: list[int] = []

    def race(number: int) -> None:
        tree = Frontier()
        for leaf in range(number % 4 + 1):
            tree.append(leaf_hash(b"%d %d" % (number, leaf)))
        text = note.signed(
            Checkpoint("helsinki.example/collections/open-data", tree.size, tree.root()),
            theirs.public_key("checkpoint"),
            lambda message: theirs.sign("checkpoint", message),
        )
        statuses.append(witness.add_checkpoint(body(0, text), now_ms())[0])

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who comes later is told the size, or, once two of one size are known, refused.
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 403}
    assert len(db.hot().rows("SELECT origin FROM witnessed")) == 1


class Nobody:
    """Fetches no statement."""

    def statement(self, url: str) -> str:
        raise AssertionError(url)

    def check(self, url: str) -> None:
        raise AssertionError(url)


def nothing(prefix: str, *, except_of: str) -> int:
    return 0
