"""Laws of judging a link: failed only if its server says so or three tries brought nothing; who asks is heard."""

import pytest

from node.catalog.quality.links import Due, State, host_of
from node.catalog.quality.verdicts import (
    DAY_MS,
    HOUR_MS,
    Answered,
    Detail,
    detail_of,
    gap_ms,
    host_wait_ms,
    outcome_of,
    size_of,
    wait_of,
)

EVERY = 30 * DAY_MS
URL = "https://files.example/a"


def after(answers: list[Answered], state: State = "unknown") -> list[tuple[State, int]]:
    """States and waits, try by try."""
    due, told = Due(URL, state, 0), []
    for answered in answers:
        found = outcome_of(due, answered, now_ms=0, every_ms=EVERY, chance=0.5)
        told.append((found.state, found.next_ms))
        due = Due(URL, found.state, found.fails)
    return told


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (200, ""), (206, ""), (204, ""), (416, ""), (401, "guarded"), (403, "guarded"), (451, "guarded"),
        (429, "busy"), (503, "busy"), (404, "gone"), (410, "gone"), (400, "refused"), (405, "refused"),
        (500, "server-error"), (599, "server-error"), (304, "broken"), (100, "broken"), (999, "server-error"),
    ],
)  # fmt: skip
def test_a_status_means_one_thing(status: int, detail: Detail) -> None:
    assert detail_of(status) == detail


def test_a_link_that_answers_is_left_alone_for_its_turn_and_spread() -> None:
    assert after([Answered(200)]) == [("ok", EVERY)]
    early, late = (
        outcome_of(Due(URL, "ok", 0), Answered(200), now_ms=0, every_ms=EVERY, chance=chance).next_ms
        for chance in (0.0, 1.0)
    )
    assert (early, late) == (int(EVERY * 0.8), int(EVERY * 1.2))


def test_one_bad_night_takes_nothing_from_a_link() -> None:
    bad = Answered(500, "server-error")
    assert after([bad, bad, bad, bad], "ok") == [
        ("ok", HOUR_MS), ("ok", 4 * HOUR_MS), ("failed", 16 * HOUR_MS), ("failed", 64 * HOUR_MS),
    ]  # fmt: skip
    assert [state for state, _ in after([bad, Answered(200), bad, bad], "failed")] == ["failed", "ok", "ok", "ok"]


def test_who_says_that_it_is_gone_is_believed_at_once_and_asked_again_ever_more_rarely() -> None:
    told = after([Answered(404, "gone")] * 8, "ok")
    assert {state for state, _ in told} == {"failed"}
    assert [wait // DAY_MS for _, wait in told] == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("detail", ["guarded", "robots", "port"])
def test_who_does_not_let_us_in_says_nothing_of_the_data(detail: Detail) -> None:
    assert after([Answered(403, detail)], "ok") == [("unknown", EVERY)]


def test_who_is_busy_is_asked_when_they_said() -> None:
    assert after([Answered(429, "busy", wait_ms=9 * HOUR_MS)], "ok") == [("ok", 9 * HOUR_MS)]
    assert [wait_of(said) for said in ("60", "99999999", "Fri, 31 Dec 1999 23:59:59 GMT", "-1", "")] == [
        60_000, DAY_MS, HOUR_MS, HOUR_MS, HOUR_MS,
    ]  # fmt: skip


def test_only_what_answers_has_a_size() -> None:
    good = outcome_of(Due(URL, "ok", 0), Answered(200, "", 5, "text/csv"), now_ms=0, every_ms=EVERY, chance=0)
    bad = outcome_of(Due(URL, "ok", 0), Answered(404, "gone", 5, "text/html"), now_ms=0, every_ms=EVERY, chance=0)
    assert (good.size, good.media_type, bad.size, bad.media_type) == (5, "text/csv", None, "")
    assert size_of("1", "bytes 0-0/5000", ranged=True) == 5000
    assert size_of("1", "bytes 0-0/*", ranged=True) is None
    assert size_of("9" * 40, "", ranged=False) is None


def test_origins_are_left_alone_for_longer_and_longer() -> None:
    assert [host_wait_ms(fails) // HOUR_MS for fails in (1, 2, 3, 4, 99)] == [1, 4, 16, 24, 24]
    assert [gap_ms(delay) for delay in (0.0, 20.0, 600.0)] == [5_000, 20_000, 300_000]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (URL, "https://files.example:443"),
        ("http://Files.Example:8080/a?b", "http://files.example:8080"),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]:80"),
        ("http://h:99999/", ""),
        ("http://[::1", ""),
        ("http:///a", ""),
    ],
)
def test_politeness_is_counted_by_origin(url: str, host: str) -> None:
    assert host_of(url) == host
