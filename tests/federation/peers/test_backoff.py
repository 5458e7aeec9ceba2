"""Laws of patience: it grows, it is spread, it has a bound, and one good answer ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import BrokenHistory, JournalBusy, PeerUnreachable, Stopped, TooManyRequests
from node.federation.peers.backoff import LEAST_MS, LONGEST_ASKED_MS, Backoff, asked_ms, is_the_peers

CHANCE = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10**6), CHANCE)
def test_a_wait_is_between_the_floor_and_the_longest(failures: int, chance: float) -> None:
    backoff = Backoff()
    assert LEAST_MS <= backoff.wait_ms(failures, chance) <= backoff.longest_ms


@given(st.integers(1, 60))
def test_the_most_that_is_waited_never_shrinks(failures: int) -> None:
    backoff = Backoff()
    almost = 1 - 2**-53
    assert backoff.wait_ms(failures, almost) <= backoff.wait_ms(failures + 1, almost)


def test_jitter_is_full_while_the_circuit_is_closed_and_half_when_it_is_open() -> None:
    backoff = Backoff(first_ms=1_000, longest_ms=10**9)
    assert backoff.wait_ms(4, 0.0) == LEAST_MS
    assert backoff.wait_ms(4, 0.9999) > 7_900
    assert backoff.wait_ms(5, 0.0) == 8_000


def test_nobody_waits_after_an_answer() -> None:
    assert Backoff().wait_ms(0, 0.9, asked_ms=60_000) == 0


@given(st.integers(1, 100), CHANCE, st.integers(0, 10**12))
def test_what_the_peer_asks_for_is_honoured_within_reason(failures: int, chance: float, asked: int) -> None:
    wait = Backoff().wait_ms(failures, chance, asked_ms=asked)
    assert wait >= min(asked, LONGEST_ASKED_MS)
    assert wait <= 1.15 * LONGEST_ASKED_MS


@pytest.mark.parametrize(
    ("failures", "until", "now", "state"),
    [(0, 0, 5, "closed"), (4, 9, 5, "closed"), (5, 9, 5, "open"), (5, 9, 9, "half-open"), (50, 9, 8, "open")],
)
def test_the_circuit_opens_after_five_and_lets_one_through_when_its_time_has_come(
    failures: int, until: int, now: int, state: str
) -> None:
    assert Backoff().state(failures, until, now) == state


def test_retry_after_is_read_from_the_error() -> None:
    assert asked_ms(TooManyRequests("Slower.", retry_after_s=7)) == 7_000
    assert asked_ms(PeerUnreachable("Away.")) == 0


def test_our_own_troubles_are_not_counted_against_a_peer() -> None:
    assert is_the_peers(PeerUnreachable("Away."))
    assert is_the_peers(TooManyRequests("Slower."))
    assert is_the_peers(BrokenHistory("Forked."))
    assert not is_the_peers(JournalBusy("Wait."))
    assert not is_the_peers(Stopped("Enough."))
