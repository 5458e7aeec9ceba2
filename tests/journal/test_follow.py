"""Followers: once each, in order, cursor and effect together, rebuilt equals lived."""

# ruff: noqa: PT012 - a whole transaction is what fails

import pytest

from node.journal import catch_up, catch_up_in, cursor, rebuild
from node.journal.journal import Journals
from tests.journal.rig import NAME, Newest, iri_of, payload_of, put, withdraw


def append(journals: Journals, *drafts, name: str = NAME):
    with journals.db.write() as tx:
        return journals.append(tx, name, drafts, at_ms=2_000)


def test_a_follower_sees_every_entry_once_and_in_order(journals: Journals):
    with journals.db.write() as tx:
        journals.create(tx, name="other", iri="http://x/other", title="", visibility="public", at_ms=1)
    append(journals, *(put(n) for n in range(700)))
    append(journals, *(put(n) for n in range(400)), name="other")
    follower = Newest()
    assert catch_up(journals, follower) == 1100
    append(journals, put(1, "b"), withdraw(2))
    assert catch_up(journals, follower) == 2
    assert catch_up(journals, follower) == 0
    expected = [(NAME, n) for n in range(1, 701)] + [("other", n) for n in range(1, 401)] + [(NAME, 701), (NAME, 702)]
    assert follower.seen == expected
    assert follower.state[NAME][iri_of(1)] == payload_of(iri_of(1), "b")
    assert iri_of(2) not in follower.state[NAME]


def test_a_batch_of_exactly_the_step_ends(journals: Journals):
    append(journals, *(put(n) for n in range(500)))
    follower = Newest()
    assert catch_up(journals, follower) == 500
    append(journals, *(put(n, "b") for n in range(1000)))
    with journals.db.write() as tx:
        assert catch_up_in(tx, journals, follower, NAME) == 1000
    assert follower.seen == [(NAME, n) for n in range(1, 1501)]


def test_following_inside_the_appending_transaction_shares_its_fate(journals: Journals):
    follower = Newest()
    with pytest.raises(ZeroDivisionError), journals.db.write() as tx:
        journals.append(tx, NAME, [put(1)], at_ms=1)
        assert catch_up_in(tx, journals, follower, NAME) == 1
        _ = 1 / 0
    with journals.db.read() as tx:
        assert cursor(tx, follower, journals.get(tx, NAME)) == 0
    follower.clear(tx)
    append(journals, put(2))
    assert catch_up(journals, follower) == 1
    assert list(follower.state[NAME]) == [iri_of(2)]


def test_an_effect_that_fails_leaves_the_cursor(journals: Journals):
    class Failing(Newest):
        fails = True

        def apply(self, tx, collection, entries, payloads):
            if self.fails:
                raise ZeroDivisionError
            super().apply(tx, collection, entries, payloads)

    append(journals, put(1))
    follower = Failing()
    with pytest.raises(ZeroDivisionError):
        catch_up(journals, follower)
    follower.fails = False
    assert catch_up(journals, follower) == 1


def test_followers_have_cursors_of_their_own(journals: Journals):
    append(journals, put(1))
    one, two = Newest(), Newest()
    two.name = "another"
    assert catch_up(journals, one) == catch_up(journals, two) == 1


def test_rebuilding_a_follower_gives_what_living_gave(journals: Journals):
    lived = Newest()
    for step in range(4):
        append(journals, put(1, str(step)), put(2 + step), withdraw(1 + step))
        catch_up(journals, lived)
    state, seen = lived.state, lived.seen
    assert rebuild(journals, lived) == len(seen)
    assert (lived.state, lived.seen) == (state, seen)
