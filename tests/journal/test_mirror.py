"""A mirror is its origin's journal to the byte, whatever of it was refused, erased or came late."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from node.catalog.shelf import Shelf, ShelfFollower
from node.db import Database
from node.errors import Conflict, Malformed, NotFound, Refuted, TooLarge, WrongRoot
from node.journal import Arrived, Draft, Entry, Opening, catch_up, catch_up_in, cursor, keep_up_in, late_in, rebuild
from node.journal.journal import Journals
from node.journal.mirror import BAD_ERASURE, NOT_FOLLOWED, PERSONAL_DATA, WITHHELD
from node.journal.tree import verify_inclusion
from node.journal.verify import verify
from node.keys import Keyring
from tests.journal.rig import NAME, iri_of, payload_of, put, withdraw

LOCAL = "helsinki/open-data"
NOW = 9_000


@dataclass
class Cities:
    """An origin in a database of its own, and a mirror of its collection with the shelf on top."""

    origin: Journals
    here: Journals
    shelf: Shelf
    follower: ShelfFollower

    def append(self, *drafts: Draft) -> list[Entry]:
        with self.origin.db.write() as tx:
            return self.origin.append(tx, NAME, drafts, at_ms=2_000)

    def erase(self, seq: int) -> Entry:
        with self.origin.db.write() as tx:
            return self.origin.erase(tx, NAME, seq, at_ms=3_000)

    def arrived(self, after: int = 0, *, size: int = 10_000) -> list[Arrived]:
        """Give what the origin shows of the entries after a seq."""
        with self.origin.db.read() as tx:
            entries = self.origin.entries(tx, NAME, after=after)[: size - after]
            held = self.origin.payloads(tx, [e.opening.digest for e in entries if e.opening and e.opening.digest])
        return [Arrived(e, held.get(e.opening.digest) if e.opening else None) for e in entries]

    def mirror(self, arrived: Sequence[Arrived], *, follow: bool = True) -> None:
        with self.here.db.write() as tx:
            grown, entries = self.here.mirrored(tx, LOCAL, arrived, at_ms=NOW)
            assert self.here.entries(tx, LOCAL, after=grown.size - len(entries), limit=1_000) == entries
            if follow:
                keep_up_in(tx, self.here, self.follower, grown, entries)

    def fill(self, seq: int, opening: Opening | None, payload: bytes | None) -> Entry:
        assert opening
        with self.here.db.write() as tx:
            entry = self.here.fill(tx, LOCAL, seq, opening, payload, at_ms=NOW)
            late_in(tx, self.here, self.follower, LOCAL, [entry])
        return entry

    def level(self) -> None:
        """Mirror everything, and keep the note."""
        with self.here.db.read() as tx:
            size = self.here.get(tx, LOCAL).size
        self.mirror(self.arrived(size))
        with self.here.db.write() as tx:
            self.here.keep_note(tx, LOCAL, self.origin.checkpoint(NAME, at_ms=1), NOW)

    def keys(self) -> list[bytes]:
        return [self.origin.public_key()]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.here.db.read() as tx:
            return tx.rows(sql)

    def held(self) -> dict[str, int]:
        return {held.iri: held.seq for held in self.shelf.page(LOCAL, offset=0, limit=1_000)}

    def check(self) -> dict[str, int]:
        """See that the mirror is sound and that rebuilt equals lived; give what lives."""
        everything = "SELECT * FROM shelf ORDER BY collection_id, record_key"
        verify(self.here, LOCAL, self.keys())
        lived = self.rows(everything)
        assert self.shelf.astray(LOCAL) == ""
        rebuild(self.here, self.follower)
        assert self.rows(everything) == lived
        return self.held()


@pytest.fixture
def cities(
    db: Database, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[Cities]:
    folder = tmp_path_factory.mktemp("origin")
    shutil.copy(migrated, folder / "node.db")
    other = Database(f"sqlite:///{folder / 'node.db'}")
    origin, here = Journals(other, Keyring.create(folder / "keys")), Journals(db, keyring)
    iri = "http://127.0.0.1:8001/collections/open-data"
    for journals, name in ((origin, NAME), (here, LOCAL), (here, "own")):
        with journals.db.write() as tx:
            mine = iri.replace("open-data", "own") if name == "own" else iri
            journals.create(tx, name=name, iri=mine, title="Open data", visibility="public", at_ms=1)
    yield Cities(origin, here, Shelf(here), ShelfFollower())
    other.close()


def stub(arrived: Arrived, code: str = "", **more: Any) -> Arrived:
    return Arrived(replace(arrived.entry, opening=None), None, code, **more)


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


def test_what_is_refused_is_a_stub_with_its_code_and_the_record_stands_on_what_was(cities: Cities):
    cities.append(put(1), put(1, "b"), put(2))
    one, two, three = cities.arrived()
    cities.mirror([one, replace(two, payload=None, refused="not-canonical", detail="x" * 300, record=iri_of(1)), three])
    assert cities.rows("SELECT seq, code, detail, record, at, tries, reported_at FROM refusal") == [
        (2, "not-canonical", "x" * 200, iri_of(1), NOW, 0, None)
    ]
    assert cities.rows("SELECT op, salt, digest, record, record_key, slug, kind FROM entry WHERE seq = 2") == [
        (None,) * 7
    ]
    found = verify(cities.here, LOCAL, cities.keys())
    assert (found.stubs, found.erased, found.payloads) == (1, 0, 2)
    with cities.here.db.read() as tx:
        assert [entry.refused for entry in cities.here.entries(tx, LOCAL)] == ["", "not-canonical", ""]
        assert cities.here.entry(tx, LOCAL, 2).refused == "not-canonical"
    assert cities.check() == {iri_of(1): 1, iri_of(2): 3}


def test_what_is_withheld_says_so_and_what_was_erased_does_not(cities: Cities):
    cities.append(put(1), put(1, "b"), put(2), put(2, "b"))
    cities.erase(1)
    arrived = cities.arrived()
    cities.mirror([*arrived[:2], stub(arrived[2])])
    # The first comes as a stub because it was erased; that is known only once the entry came that says so.
    assert cities.rows("SELECT seq, code FROM refusal ORDER BY seq") == [(1, WITHHELD), (3, WITHHELD)]
    cities.mirror(arrived[3:])
    assert cities.rows("SELECT seq, code FROM refusal") == [(3, WITHHELD)]
    found = verify(cities.here, LOCAL, cities.keys())
    assert (found.stubs, found.erased) == (1, 1)
    assert cities.rows("SELECT target, at FROM erasure_told") == [(1, None)]
    assert cities.check() == {iri_of(1): 2, iri_of(2): 4}


def test_a_record_that_is_not_followed_keeps_its_opening_and_leaves_the_shelf(cities: Cities):
    cities.append(put(1), put(1, "b"), put(2))
    one, two, three = cities.arrived()
    cities.mirror([one])
    assert cities.held() == {iri_of(1): 1}
    cities.mirror([replace(two, payload=None, refused=NOT_FOLLOWED), three])
    assert two.entry.opening
    with cities.here.db.read() as tx:
        assert cities.here.entry(tx, LOCAL, 2).opening == two.entry.opening
        assert cities.here.payloads(tx, [two.entry.opening.digest]) == {}
        newest = cities.here.newest(tx, LOCAL, iri_of(1))
        assert newest
        assert newest.refused == NOT_FOLLOWED
    assert cities.check() == {iri_of(2): 3}
    entry = cities.fill(2, two.entry.opening, two.payload)
    assert entry.refused == ""
    assert cities.check() == {iri_of(1): 2, iri_of(2): 3}


def test_its_origin_erases_and_nothing_of_it_is_left(cities: Cities):
    cities.append(put(1, "Maija Meikalainen"), put(1, "Clean"), put(2))
    cities.level()
    cities.erase(1)
    cities.level()
    digest = sha256(payload_of(iri_of(1), "Maija Meikalainen")).hexdigest()
    with cities.here.db.read() as tx:
        assert cities.here.entry(tx, LOCAL, 1).opening is None
        assert cities.here.payloads(tx, ["sha256:" + digest]) == {}
    assert cities.rows("SELECT target, at FROM erasure_told") == [(1, None)]
    assert verify(cities.here, LOCAL, cities.keys()).erased == 1
    assert cities.check() == {iri_of(1): 2, iri_of(2): 3}


def test_a_target_in_the_same_page_never_reaches_a_table(cities: Cities):
    (one, two) = cities.append(put(1, "Secret"), put(1, "Clean"))
    payloads = [payload_of(iri_of(1), "Secret"), payload_of(iri_of(1), "Clean")]
    said = cities.erase(1)
    # A cache of the origin may still hold the page from before the erasure.
    cities.mirror([Arrived(one, payloads[0]), Arrived(two, payloads[1]), Arrived(said)])
    assert cities.rows("SELECT op FROM entry WHERE seq = 1") == [(None,)]
    assert cities.rows("SELECT count(*) FROM payload") == [(1,)]
    assert cities.rows("SELECT code FROM refusal") == []
    assert cities.check() == {iri_of(1): 2}


def test_what_a_record_stands_on_here_may_go_although_it_may_not_at_home(cities: Cities):
    cities.append(put(1, "a"), put(1, "b"), put(1, "c"), put(2))
    arrived = cities.arrived()
    cities.mirror([*arrived[:2], replace(arrived[2], payload=None, refused="too-large"), arrived[3]])
    assert cities.held()[iri_of(1)] == 2
    cities.erase(2)
    cities.mirror(cities.arrived(4))
    assert cities.check() == {iri_of(1): 1, iri_of(2): 4}
    cities.erase(1)
    cities.mirror(cities.arrived(5))
    assert cities.check() == {iri_of(2): 4}


def test_a_follower_that_lags_ends_where_one_that_lived_does(cities: Cities):
    cities.append(put(1, "a"), put(1, "b"), put(1, "c"))
    arrived = cities.arrived()
    cities.mirror([*arrived[:2], stub(arrived[2], "too-large")])
    cities.erase(2)
    cities.mirror(cities.arrived(3), follow=False)
    entry = cities.fill(3, arrived[2].entry.opening, arrived[2].payload)
    assert entry.opening == arrived[2].entry.opening
    assert cities.held() == {iri_of(1): 3}
    catch_up(cities.here, cities.follower)
    assert cities.check() == {iri_of(1): 3}
    with cities.here.db.read() as tx:
        assert cursor(tx, cities.follower, cities.here.get(tx, LOCAL)) == 4


def test_a_payload_that_another_collection_holds_stays_and_a_dictionary_that_learnt_it_goes(cities: Cities):
    cities.append(*[put(n, f"Title {n} " * 40) for n in range(60)], *[put(n, "new") for n in range(60)])
    cities.level()
    with cities.here.db.write() as tx:
        cities.here.append(tx, "own", [put(0, "Title 0 " * 40)], at_ms=1)
        catch_up_in(tx, cities.here, cities.follower, "own")
    before = cities.rows("SELECT count(*) FROM payload")[0][0]
    for seq in (1, 2, 3):
        cities.erase(seq)
    cities.level()
    assert cities.rows("SELECT count(*) FROM payload") == [(before - 2,)]
    verify(cities.here, "own", [])
    assert len(cities.check()) == 60


def test_what_is_not_followed_holds_no_payload_against_an_erasure(cities: Cities):
    cities.append(put(1), put(1, "b"))
    one, two = cities.arrived()
    cities.mirror([replace(one, payload=None, refused=NOT_FOLLOWED), two])
    with cities.here.db.write() as tx:
        cities.here.append(tx, "own", [put(1), put(1, "c")], at_ms=1)
        cities.here.erase(tx, "own", 1, at_ms=1)
        catch_up_in(tx, cities.here, cities.follower, "own")
    assert one.entry.opening
    with cities.here.db.read() as tx:
        assert cities.here.payloads(tx, [one.entry.opening.digest]) == {}
    cities.check()


def erasure(cities: Cities, seq: int, target: int, previous: Entry) -> Arrived:
    """An entry that the origin's own rules would never let it write."""
    opening = Opening("erase", sha256(str(seq).encode()).digest()[:16], target=target)
    return Arrived(Entry(previous.collection, seq, previous.at_ms, opening.commitment(), opening))


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("target", [0, -1, 4, 5, 99, 3, 1])
def test_an_erasure_of_nothing_is_a_stub_and_harms_nothing(cities: Cities, target: int, together: bool):
    cities.append(put(1), put(1, "b"))
    cities.erase(1)
    arrived = cities.arrived()
    bad = erasure(cities, 4, target, arrived[-1].entry)
    for page in [[*arrived, bad]] if together else [arrived, [bad]]:
        cities.mirror(page)
    assert cities.rows("SELECT seq, code FROM refusal") == [(4, BAD_ERASURE)]
    found = verify(cities.here, LOCAL, cities.keys())
    assert (found.stubs, found.erased) == (1, 1)
    assert cities.rows("SELECT target FROM erasure_told") == [(1,)]
    assert cities.check() == {iri_of(1): 2}


def test_a_refusal_goes_with_what_it_was_about(cities: Cities):
    cities.append(put(1), put(1, "b"))
    one, two = cities.arrived()
    cities.mirror([stub(one, "foreign-subject", record=iri_of(1)), two])
    cities.erase(1)
    cities.level()
    assert cities.rows("SELECT * FROM refusal") == []
    assert verify(cities.here, LOCAL, cities.keys()).erased == 1


def test_an_old_erasure_may_come_as_a_stub_and_be_filled_later(cities: Cities):
    cities.append(put(1), put(1, "b"), put(1, "c"))
    cities.mirror([*cities.arrived(0, size=2), stub(cities.arrived()[2], "x")])
    cities.erase(2)
    (said,) = cities.arrived(3)
    cities.mirror([stub(said)])
    assert cities.held() == {iri_of(1): 2}
    cities.fill(4, said.entry.opening, None)
    assert cities.rows("SELECT target FROM erasure_told") == [(2,)]
    assert cities.check() == {iri_of(1): 1}
    bad = erasure(cities, 5, 2, said.entry)
    cities.mirror([stub(bad)])
    with pytest.raises(Malformed, match="a second time"):
        cities.fill(5, bad.entry.opening, None)


def test_a_stub_is_filled_once_and_with_what_it_commits_to(cities: Cities):
    cities.append(put(1), put(2), put(2, "b"))
    cities.erase(2)
    one, two, three, _ = cities.arrived()
    cities.mirror([stub(one, "digest-mismatch"), two, three, *cities.arrived(3)])
    opening = one.entry.opening
    assert opening
    wrong = [
        (9, opening, one.payload, NotFound),
        (3, three.entry.opening, three.payload, Conflict),
        (2, opening, one.payload, Conflict),
        (1, three.entry.opening, three.payload, Refuted),
        (1, opening, b"", Refuted),
    ]
    for seq, other, payload, error in wrong:
        with pytest.raises(error):
            cities.fill(seq, other, payload)
    assert cities.held() == {iri_of(2): 3}
    with cities.here.db.write() as tx:
        cities.here.refuse_again(tx, LOCAL, stub(one, "too-large", detail="again"), at_ms=NOW + 1)
        cities.here.refuse_again(tx, LOCAL, stub(one), at_ms=NOW + 2)
    assert cities.rows("SELECT code, at, tries FROM refusal") == [(WITHHELD, NOW + 2, 2)]
    cities.fill(1, opening, one.payload)
    assert cities.rows("SELECT * FROM refusal") == cities.rows("SELECT * FROM refusal_lifted") == []
    assert cities.check() == {iri_of(1): 1, iri_of(2): 3}
    with pytest.raises(Conflict, match="held already"):
        cities.fill(1, opening, one.payload)


def test_what_was_told_as_refused_is_told_as_taken_once_it_is(cities: Cities):
    cities.append(put(1))
    (one,) = cities.arrived()
    cities.mirror([stub(one, "too-large")])
    with cities.here.db.write() as tx:
        tx.run("UPDATE refusal SET reported_at = 5")
    cities.fill(1, one.entry.opening, one.payload)
    assert cities.rows("SELECT seq, at FROM refusal_lifted") == [(1, NOW)]


def test_a_late_old_state_never_comes_before_a_newer_one(cities: Cities):
    cities.append(put(1, "a"), put(1, "b"), put(2), withdraw(2))
    one, two, three, four = cities.arrived()
    cities.mirror([stub(one, "x"), two, stub(three, "x"), four])
    for late in (one, three):
        cities.fill(late.entry.seq, late.entry.opening, late.payload)
        assert cities.check() == {iri_of(1): 2}


def test_a_put_that_comes_late_without_a_theme_is_not_followed(cities: Cities):
    cities.append(put(1))
    (one,) = cities.arrived()
    cities.mirror([stub(one, "foreign-subject")])
    assert cities.fill(1, one.entry.opening, None).refused == NOT_FOLLOWED
    assert cities.rows("SELECT code FROM refusal") == [(NOT_FOLLOWED,)]
    assert cities.check() == {}


def test_a_newest_state_that_is_personal_data_takes_the_one_before_it_away(cities: Cities):
    cities.append(put(1, "a"), put(2), put(1, "b"))
    one, two, three = cities.arrived()
    cities.mirror([one, two, replace(three, payload=None, refused=PERSONAL_DATA)])
    assert cities.check() == {iri_of(2): 2}


def test_a_newest_state_that_turns_out_to_be_personal_data_later_does_so_too(cities: Cities):
    cities.append(put(1, "a"), put(1, "b"))
    one, two = cities.arrived()
    cities.mirror([one, stub(two, "digest")])
    assert cities.check() == {iri_of(1): 1}
    with cities.here.db.write() as tx:
        filled = cities.here.fill(tx, LOCAL, 2, two.entry.opening, None, at_ms=NOW, code=PERSONAL_DATA)
        late_in(tx, cities.here, cities.follower, LOCAL, [filled])
        cities.here.refuse_again(tx, LOCAL, stub(two, "foreign-subject"), at_ms=NOW)
    assert cities.rows("SELECT code FROM refusal") == [(PERSONAL_DATA,)]
    assert cities.check() == {}


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


def test_what_was_never_followed_may_be_erased_too(cities: Cities):
    cities.append(put(1), put(1, "b"))
    one, two = cities.arrived()
    cities.mirror([replace(one, payload=None, refused=NOT_FOLLOWED), two])
    cities.erase(1)
    cities.level()
    assert cities.rows("SELECT * FROM refusal") == []
    assert cities.check() == {iri_of(1): 2}


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
