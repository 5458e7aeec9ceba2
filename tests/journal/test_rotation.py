"""Checkpoints across a rotation of the key: what was signed still holds, and nobody waits for the new key to sign."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from node.db import Database
from node.errors import Refuted
from node.journal import Draft, note
from node.journal.journal import Journals
from node.journal.proofs import Proofs
from node.journal.verify import verify
from node.keys import DAY_MS, Keyring, verified

NAME = "open-data"
IRI = f"http://127.0.0.1:8001/collections/{NAME}"
ORIGIN = note.origin_of(IRI)
AT = 1_795_000_000_000


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keys", now_ms=AT)


@pytest.fixture
def journals(db: Database, ring: Keyring) -> Journals:
    journals = Journals(db, ring)
    with db.write() as tx:
        journals.create(tx, name=NAME, iri=IRI, title="Open data", visibility="public", at_ms=AT)
    return journals


def put(journals: Journals, number: int, at_ms: int) -> str:
    it = f"http://127.0.0.1:8001/datasets/{number}"
    draft = Draft(it, str(number), "dataset", "put", f'<{it}> <http://purl.org/dc/terms/title> "x" .\n'.encode())
    with journals.db.write() as tx:
        journals.append(tx, NAME, [draft], at_ms=at_ms)
    return journals.checkpoint(NAME, at_ms=at_ms)


def signed_by(text: str, *keys: bytes) -> list[bool]:
    return [note.names_key(text, key) and note.opened(text, {ORIGIN: [key]}, verified).size >= 0 for key in keys]


def test_during_the_overlap_both_keys_sign_and_afterwards_the_new_one(journals: Journals, ring: Keyring):
    old = ring.public_key("checkpoint")
    assert signed_by(put(journals, 1, AT), old) == [True]
    new = ring.rotate("checkpoint", now_ms=AT, overlap_ms=DAY_MS).raw
    assert signed_by(put(journals, 2, AT + 1), new, old) == [True, True]
    after = put(journals, 3, AT + DAY_MS)
    assert signed_by(after, new, old) == [True, False]
    assert verify(journals, NAME, journals.public_keys()).checkpoints == 3
    with pytest.raises(Refuted, match="No key"):
        verify(journals, NAME, [new])


def test_the_newest_note_is_signed_anew_once(journals: Journals, ring: Keyring):
    old, before = ring.public_key("checkpoint"), put(journals, 1, AT)
    new = ring.rotate("checkpoint", now_ms=AT, overlap_ms=DAY_MS).raw
    again = journals.checkpoint(NAME, at_ms=AT + 5)
    assert note.parse(again).text == note.parse(before).text, "the same state of the journal"
    assert signed_by(again, new, old) == [True, True]
    assert journals.checkpoint(NAME, at_ms=AT + 6) == again
    with journals.db.read() as tx:
        assert journals.newest_checkpoint(tx, NAME) == again
    assert verify(journals, NAME, [new]).checkpoints == 1


def test_a_proof_names_the_newest_key_that_signed_its_note(journals: Journals, ring: Keyring):
    old = ring.public_key("checkpoint")
    put(journals, 1, AT)
    proofs = Proofs(journals, lambda name: journals.public_keys() if name == NAME else [])

    def key() -> bytes:
        state = proofs.checkpoint(NAME)
        assert state is not None
        return note.read_verifier_key(state.key).public_key

    assert key() == old
    new = ring.rotate("checkpoint", now_ms=AT, overlap_ms=DAY_MS).raw
    assert key() == old, "the note is the old one's until it is signed anew"
    journals.checkpoint(NAME, at_ms=AT)
    assert key() == new
    with journals.db.read() as tx:
        opening = journals.entry(tx, NAME, 1).opening
    assert opening is not None
    shown = proofs.proof(SimpleNamespace(collection=NAME, seq=1, digest=opening.digest))
    assert shown is not None
    assert shown["key"] == note.verifier_key(ORIGIN, new)


def test_a_note_that_no_known_key_made_has_no_key(journals: Journals):
    put(journals, 1, AT)
    state = Proofs(journals, lambda _: []).checkpoint(NAME)
    assert state is not None
    assert state.key == ""
