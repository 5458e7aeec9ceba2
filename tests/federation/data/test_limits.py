"""A lane lets no more through than its rate, its streams take turns, and other peers know nothing of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.federation.data.limits import BURST_S, MOST_LANES, Lanes


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 5_000), st.floats(0, 2)), min_size=1, max_size=40))
def test_nobody_gets_more_than_the_rate_and_a_moment(asked: list[tuple[int, float]]) -> None:
    clock = Clock()
    lanes = Lanes(1_000.0, clock=clock)
    begun, sent = clock.now_s, 0
    for many, pause_s in asked:
        clock.now_s += lanes.wait_s("london", many)
        assert sent <= (clock.now_s - begun + BURST_S) * 1_000 + 1e-6
        sent += many
        clock.now_s += pause_s


def test_two_streams_of_a_peer_share_its_rate_chunk_by_chunk() -> None:
    lanes = Lanes(1_000.0, clock=Clock())
    waits = [lanes.wait_s("london", 500) for _ in range(6)]
    assert waits == pytest.approx([0.0, 0.25, 0.75, 1.25, 1.75, 2.25])
    assert lanes.wait_s("ghent", 500) == 0.0


def test_without_a_rate_nobody_waits() -> None:
    lanes = Lanes(0)
    assert [lanes.wait_s("london", 10**9) for _ in range(3)] == [0.0] * 3


def test_lanes_that_are_as_good_as_new_are_forgotten() -> None:
    clock = Clock()
    lanes = Lanes(1_000.0, clock=clock)
    for number in range(3 * MOST_LANES):
        lanes.wait_s(f"city-{number}", 10)
        clock.now_s += 1
    assert len(lanes._free_at) <= MOST_LANES + 1
