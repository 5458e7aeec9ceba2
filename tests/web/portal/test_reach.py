"""Laws of the bars beside a city: a place for each day, and a sentence that says the same everywhere."""

from itertools import product

import pytest

from node.web.portal.reach import reach_of
from node.web.wording.words import LANGUAGES, words

FULL, PART, AWAY, UNKNOWN = "full", "part", "away", "unknown"
GOOD = [FULL] * 28


@pytest.mark.parametrize(
    ("days", "key", "said"),
    [
        ([UNKNOWN] * 30, "reach.unasked", "Not asked yet"),
        ([UNKNOWN] * 29 + [FULL], "reach.today", "Reached today"),
        ([FULL] * 30, "reach.always", "Reached on every day it was asked, 30 of the last 30"),
        ([UNKNOWN] * 10 + [FULL] * 20, "reach.always", "Reached on every day it was asked, 20 of the last 30"),
        ([*GOOD, PART, FULL], "reach.part_one", "Slow or hard to reach on one day of the last 30"),
        ([*GOOD, PART, PART], "reach.part", "Slow or hard to reach on 2 days of the last 30"),
        ([AWAY, *GOOD, FULL], "reach.was_away_one", "Away on one day of the last 30"),
        ([AWAY, AWAY, *GOOD], "reach.was_away", "Away on 2 days of the last 30"),
        ([AWAY, *GOOD, AWAY], "reach.away_one", "Away today"),
        ([*GOOD, AWAY, AWAY], "reach.away", "Away for the last 2 days of 30"),
        ([*GOOD[1:], AWAY, UNKNOWN, AWAY], "reach.away", "Away for the last 2 days of 30"),
        ([AWAY] * 30, "reach.away", "Away for the last 30 days of 30"),
    ],
)
def test_the_sentence_says_what_is_wrong_now_before_what_was(days: list[str], key: str, said: str) -> None:
    found = reach_of(days)
    assert found.key == key
    counts = {"away": found.away, "part": found.part, "asked": found.asked, "days": found.days}
    assert words("en", found.key, **counts) == said
    for language in LANGUAGES:
        assert "{" not in words(language, found.key, **counts)


def test_each_day_has_its_place_on_one_ground_and_one_that_nobody_asked_is_no_bar() -> None:
    for days in product((FULL, PART, AWAY, UNKNOWN), repeat=3):
        found = reach_of(days)
        if set(days) == {UNKNOWN}:
            assert found.bars == (), "there is nothing to draw"
            continue
        assert [bar.x for bar in found.bars] == [0, 8, 16], "one bar alone would float"
        assert all(bar.y + bar.height == 30 for bar in found.bars), "they stand on one ground"
        assert found.width == 22
        looks = {(day, bar.height, bar.style) for day, bar in zip(days, found.bars, strict=True)}
        assert looks <= {(FULL, 28, ""), (PART, 16, "part"), (AWAY, 4, "none"), (UNKNOWN, 2, "unasked")}
