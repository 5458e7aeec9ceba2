"""A mirror is its origin's journal to the byte, and every change of it is found."""

# ruff: noqa: F811 - fixtures are named as what they give
from dataclasses import replace
from typing import Any

import pytest

from node.errors import Conflict, Malformed, Refuted, TooLarge, WrongRoot
from node.journal import Opening
from node.journal.mirror import NOT_FOLLOWED
from node.journal.tree import verify_inclusion
from node.journal.verify import verify
from tests.journal.mirror_rig import (
    LOCAL,
    NOW,
    Cities,
    cities,  # noqa: F401 - fixtures
    stub,
)
from tests.journal.rig import NAME, iri_of, put, withdraw


def test_a_mirror_is_its_origin_to_the_byte(cities: Cities):
    cities.append(*[put(n) for n in range(300)])
    cities.append(withdraw(3), put(4, "b"))
    cities.mirror(cities.arrived(0, size=100))
    cities.level()
    cities.level()
    columns = "seq, at, commitment, leaf, op, record, record_key, slug, kind, digest, salt, target"
    entries = f"SELECT {columns} FROM entry ORDER BY seq"  # noqa: S608
    tiles = "SELECT level, idx, hash FROM tile ORDER BY level, idx"
    for sql in (entries, tiles, "SELECT size, root, frontier, last_at FROM collection WHERE size > 0"):
        with cities.origin.db.read() as tx:
            assert cities.rows(sql) == tx.rows(sql)
    found = verify(cities.here, LOCAL, cities.keys())
    assert (found.size, found.payloads, found.stubs, found.signed, found.checkpoints) == (302, 301, 0, 302, 1)
    with cities.here.db.read() as tx:
        root = cities.here.get(tx, LOCAL).root
        leaf = cities.here.entry(tx, LOCAL, 7).leaf()
        assert verify_inclusion(leaf, 6, 302, cities.here.inclusion(tx, LOCAL, 7, 302), root)
    assert len(cities.check()) == 299


def test_one_that_is_half_there_is_sound_and_says_what_is_signed(cities: Cities):
    cities.append(put(1), put(2))
    cities.level()
    cities.append(put(3), put(4))
    cities.mirror(cities.arrived(2, size=3))
    found = verify(cities.here, LOCAL, cities.keys())
    assert (found.size, found.signed) == (3, 2)
    assert verify(cities.here, "own", []).signed is None


def test_nobody_but_its_origin_continues_or_signs_a_mirror(cities: Cities):
    cities.append(put(1), put(1, "b"))
    cities.level()
    doings = [
        lambda tx: cities.here.append(tx, LOCAL, [put(2)], at_ms=1),
        lambda tx: cities.here.erase(tx, LOCAL, 1, at_ms=1),
        lambda tx: cities.here.mirror(tx, "own", cities.arrived(), at_ms=1),
        lambda tx: cities.here.fill(tx, "own", 1, Opening("erase", b"", target=1), None, at_ms=1),
        lambda tx: cities.here.keep_note(tx, "own", "x", 1),
        lambda tx: cities.here.refuse_again(tx, "own", cities.arrived()[0], at_ms=1),
    ]
    for doing in doings:
        with pytest.raises(Conflict, match="mirror"), cities.here.db.write() as tx:
            doing(tx)
    with pytest.raises(Conflict, match="only its origin"):
        cities.here.checkpoint(LOCAL, at_ms=1)
    assert cities.check() == {iri_of(1): 2}


WRONG: dict[str, tuple[Any, type[Exception]]] = {
    "a gap": (lambda a: a[1:], Conflict),
    "the same again": (lambda a: [a[0], a[0]], Conflict),
    "swapped": (lambda a: [a[1], a[0]], Conflict),
    "of another collection": (lambda a: [replace(a[0], entry=replace(a[0].entry, collection="http://x/y"))], Conflict),
    "time going back": (lambda a: [a[0], replace(a[1], entry=replace(a[1].entry, at_ms=1))], Malformed),
    "time beyond all years": (lambda a: [replace(a[0], entry=replace(a[0].entry, at_ms=10**15))], Malformed),
    "no payload": (lambda a: [replace(a[0], payload=None)], Malformed),
    "another payload": (lambda a: [replace(a[0], payload=b"")], Refuted),
    "another opening": (lambda a: [replace(a[0], entry=replace(a[0].entry, opening=a[1].entry.opening))], Refuted),
    "a payload with a withdrawal": (lambda a: [*a[:2], replace(a[2], payload=b"x")], Malformed),
    "too many": (lambda a: a * 400, TooLarge),
}


@pytest.mark.parametrize("name", WRONG)
def test_entries_that_are_not_the_next_are_refused_all_or_none(cities: Cities, name: str):
    change, error = WRONG[name]
    cities.append(put(1), put(2), withdraw(1))
    with pytest.raises(error):
        cities.mirror(change(cities.arrived()))
    assert cities.rows("SELECT * FROM entry") == cities.rows("SELECT * FROM payload") == []
    cities.mirror(cities.arrived())
    assert cities.check() == {iri_of(2): 2}


def test_nothing_is_written_of_nothing(cities: Cities):
    cities.mirror([])
    assert verify(cities.here, LOCAL, []).size == 0


def test_a_note_is_kept_of_exactly_what_is_held(cities: Cities):
    cities.append(put(1))
    first = cities.origin.checkpoint(NAME, at_ms=1)
    cities.append(put(2))
    second = cities.origin.checkpoint(NAME, at_ms=1)
    cities.mirror(cities.arrived(0, size=1))
    with pytest.raises(WrongRoot), cities.here.db.write() as tx:
        cities.here.keep_note(tx, LOCAL, second, NOW)
    for text in (first, first + first.rpartition("\n\n")[2]):
        with cities.here.db.write() as tx:
            cities.here.keep_note(tx, LOCAL, text, NOW)
        with cities.here.db.read() as tx:
            assert cities.here.newest_checkpoint(tx, LOCAL) == text
    verify(cities.here, LOCAL, cities.keys())


DAMAGE: dict[str, tuple[str, str]] = {
    "a byte of a commitment": ("UPDATE entry SET commitment = ? WHERE seq = 2", "entry 2"),
    "a byte of a stub's leaf": ("UPDATE entry SET leaf = ? WHERE seq = 3", "entry 3"),
    "a byte of a salt": ("UPDATE entry SET salt = ? WHERE seq = 2", "entry 2"),
}


INVENTED = "INSERT INTO refusal (collection_id, seq, code, at) SELECT collection_id, {}, 1 FROM entry WHERE seq = 2"


LOSS: dict[str, tuple[str, str]] = {
    "an opening": (
        "UPDATE entry SET op = NULL, record = NULL, record_key = NULL, slug = NULL, kind = NULL, digest = NULL,"
        " salt = NULL WHERE seq = 2",
        "entry 2 has lost its opening",
    ),
    "a payload": (
        "DELETE FROM payload WHERE digest = (SELECT digest FROM entry WHERE seq = 1)",
        "entry 1: its payload",
    ),
    "the reason of a stub": ("DELETE FROM refusal WHERE seq = 3", "entry 3 has lost its opening"),
    "the reason of a missing payload": ("DELETE FROM refusal WHERE seq = 4", "entry 4: its payload"),
    "the right reason": ("UPDATE refusal SET code = 'too-large' WHERE seq = 4", "entry 4: it is said to be refused"),
    "a reason too many": (
        INVENTED.format("2, 'too-large'"),
        "entry 2: it is said to be refused",
    ),
    "a reason of an erasure": (
        INVENTED.format("7, 'not-followed'"),
        "entry 7: it is said to be refused",
    ),
    "a reason of nothing": (
        INVENTED.format("9, 'too-large'"),
        "a refusal is kept of entry 9",
    ),
    "a reason of the city's own": (
        "INSERT INTO refusal (collection_id, seq, code, at) SELECT id, 1, 'x', 1 FROM collection WHERE name = 'own'",
        "own: a refusal is kept of entry 1",
    ),
    "a half erased stub": ("UPDATE entry SET record_key = 7 WHERE seq = 3", "entry 3: a part of its erased opening"),
}


@pytest.fixture
def mixed(cities: Cities) -> Cities:
    """A mirror with a bit of everything."""
    cities.append(put(1), put(2), put(3), put(4), put(5), put(5, "b"))
    arrived = cities.arrived()
    cities.erase(5)
    arrived[2] = stub(arrived[2], "too-large")
    arrived[3] = replace(arrived[3], payload=None, refused=NOT_FOLLOWED)
    cities.mirror([*arrived, *cities.arrived(6)])
    with cities.here.db.write() as tx:
        cities.here.keep_note(tx, LOCAL, cities.origin.checkpoint(NAME, at_ms=1), NOW)
    assert verify(cities.here, LOCAL, cities.keys()).stubs == 1
    return cities


@pytest.mark.parametrize("name", [*DAMAGE, *LOSS])
def test_any_changed_byte_of_a_mirror_is_found(mixed: Cities, name: str):
    sql, message = (DAMAGE | LOSS)[name]
    with mixed.here.db.write() as tx:
        tx.run(sql, *([bytes(16 if "salt" in sql else 32)] if name in DAMAGE else []))
    with pytest.raises(Refuted, match=message):
        verify(mixed.here, "own" if "own" in name else LOCAL, mixed.keys())


def test_a_mirror_is_signed_by_its_origin_and_not_by_us(mixed: Cities):
    with pytest.raises(Refuted, match="checkpoint of size 7"):
        verify(mixed.here, LOCAL, [mixed.here.public_key()])


def test_a_city_gets_its_own_tail_back_as_a_mirror_holds_it(cities: Cities):
    cities.append(put(1), put(1, "b"))
    cities.level()
    cities.erase(1)
    tail = cities.arrived()
    with cities.origin.db.write() as tx:
        iri = cities.origin.get(tx, NAME).iri
        again = cities.origin.create(tx, name="again", iri=iri + "-2", title="", visibility="public", at_ms=1)
        tail = [replace(each, entry=replace(each.entry, collection=again.iri)) for each in tail]
        assert cities.origin.recover(tx, "again", tail, at_ms=NOW).size == 3
        assert tx.rows("SELECT * FROM erasure_told") == tx.rows("SELECT * FROM refusal") == []
    with pytest.raises(Conflict, match="mirror"), cities.here.db.write() as tx:
        cities.here.recover(tx, LOCAL, tail, at_ms=NOW)


def test_a_follower_that_lags_behind_what_is_written_catches_up(cities: Cities):
    cities.append(*[put(n) for n in range(4)])
    cities.mirror(cities.arrived(0, size=2), follow=False)
    cities.mirror(cities.arrived(2, size=3))
    assert len(cities.held()) == 3
    cities.level()
    assert len(cities.check()) == 4
