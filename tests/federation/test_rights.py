"""Who may read what: one table, asked of the real book of peers."""

import random
from dataclasses import dataclass

import pytest

from node.db import Database
from node.federation.peer_store import PeerStore
from node.federation.rights import NoCollection, Rights
from node.journal.journal import Journals


@dataclass(frozen=True)
class Caller:
    kind: str = "public"
    name: str = ""
    scopes: frozenset[str] = frozenset()


PUBLIC, STAFF = Caller(), Caller("staff", "maija")
ACTIVE, PAUSED, BLOCKED, APART = (Caller("peer", name) for name in ("active", "paused", "blocked", "apart"))
STRANGER, UNKNOWN = Caller("peer", "stranger"), Caller("peer", "unknown")
READS = Caller("program", "p", frozenset({"read:secret"}))
INDEXES = Caller("program", "p", frozenset({"index:secret"}))
OTHER = Caller("program", "p", frozenset({"read:open-data", "read:secrets", "federation"}))


@pytest.fixture
def rights(db: Database, journals: Journals) -> Rights:
    with db.write() as tx:
        for name, visibility in (("secret", "restricted"), ("active/secret", "restricted")):
            iri = f"https://{name.replace('/', '.')}.example/collections/secret"
            made = journals.create(tx, name=name, iri=iri, title="", visibility=visibility, at_ms=1)
            for peer in ("active", "paused", "blocked", "apart", "unknown"):
                tx.run("INSERT INTO sharing (collection_id, peer, at) VALUES (?, ?, 1)", made.id, peer)
        for name, state in (("active", "active"), ("paused", "paused"), ("blocked", "blocked"), ("apart", "active")):
            _peer(tx, name, state, "Other keys." if name == "apart" else "")
        _peer(tx, "stranger", "approved", "")
    return Rights(PeerStore(db, chance=random.random))


def _peer(tx, name: str, state: str, quarantine: str) -> None:
    sql = "INSERT INTO peer (name, url, fingerprint, state, quarantine, added_at) VALUES (?, ?, 'f', ?, ?, 1)"
    tx.run(sql, name, f"https://{name}.example", state, quarantine)


OPEN, SECRET = NoCollection("open-data", "public"), NoCollection("secret")
MIRRORED, MISSING = NoCollection("active/secret"), NoCollection("missing")


@pytest.mark.parametrize(
    ("caller", "may"),
    [
        (PUBLIC, "o"),
        (STAFF, "osmx"),
        (ACTIVE, "os"),
        (STRANGER, "o"),
        (PAUSED, ""),
        (BLOCKED, ""),
        (APART, ""),
        (UNKNOWN, ""),
        (READS, "os"),
        (OTHER, "o"),
    ],
)
def test_the_table_of_rights(rights: Rights, caller: Caller, may: str) -> None:
    asked = {"o": OPEN, "s": SECRET, "m": MIRRORED, "x": MISSING}
    assert "".join(letter for letter, one in asked.items() if rights.may(caller, "read", one)) == may
    assert bool(rights.welcome(caller)) == (may != "")


def test_to_see_is_less_than_to_read(rights: Rights) -> None:
    assert rights.may(INDEXES, "index", SECRET)
    assert not rights.may(INDEXES, "read", SECRET)
    assert rights.may(READS, "index", SECRET)


@pytest.mark.parametrize(
    ("caller", "code"),
    [(PAUSED, "peer-paused"), (BLOCKED, "peer-blocked"), (UNKNOWN, "peer-unknown"), (PUBLIC, "not-shared")],
)
def test_a_no_has_a_code(rights: Rights, caller: Caller, code: str) -> None:
    assert rights.may(caller, "read", SECRET).code == code


def test_sharing_and_pausing_count_at_once(rights: Rights, db: Database) -> None:
    with db.write() as tx:
        tx.run("UPDATE peer SET state = 'active' WHERE name = 'paused'")
        tx.run("DELETE FROM sharing WHERE peer = 'active'")
    assert rights.may(PAUSED, "read", SECRET)
    assert not rights.may(ACTIVE, "read", SECRET)
