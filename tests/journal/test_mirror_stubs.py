"""What a mirror does not hold: refused, withheld, not followed, erased at its origin, or come late."""

# ruff: noqa: F811 - fixtures are named as what they give
from dataclasses import replace
from hashlib import sha256

import pytest

from node.errors import Conflict, Malformed, NotFound, Refuted
from node.journal import Arrived, catch_up, catch_up_in, cursor, late_in
from node.journal.mirror import BAD_ERASURE, NOT_FOLLOWED, PERSONAL_DATA, WITHHELD
from node.journal.verify import verify
from tests.journal.mirror_rig import (
    LOCAL,
    NOW,
    Cities,
    cities,  # noqa: F401 - fixtures
    erasure,
    stub,
)
from tests.journal.rig import iri_of, payload_of, put, withdraw


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


def test_what_was_never_followed_may_be_erased_too(cities: Cities):
    cities.append(put(1), put(1, "b"))
    one, two = cities.arrived()
    cities.mirror([replace(one, payload=None, refused=NOT_FOLLOWED), two])
    cities.erase(1)
    cities.level()
    assert cities.rows("SELECT * FROM refusal") == []
    assert cities.check() == {iri_of(1): 2}
