from datetime import date

import pytest

from node.errors import Malformed
from node.federation.policy import quantities, wording
from node.federation.policy.phrases import only
from node.federation.policy.quantities import count_form, day_form, duration_form, instant_form, plain_day_form


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        (instant_form, "2028-02-02T14:30:00Z",
         ("14:30 UTC on 2 February 2028", "2. helmikuuta 2028 klo 14.30 UTC", "2 februari 2028 kl. 14.30 UTC")),
        (instant_form, "2028-05-02T14:30:05Z",
         ("14:30:05 UTC on 2 May 2028", "2. toukokuuta 2028 klo 14.30.05 UTC", "2 maj 2028 kl. 14.30.05 UTC")),
        (day_form, "2028-02-02T00:00:00Z", ("2 February 2028", "2. helmikuuta 2028", "2 februari 2028")),
        (plain_day_form, "2028-02-02", ("2 February 2028", "2. helmikuuta 2028", "2 februari 2028")),
        (duration_form, "PT24H", ("24 hours", "24 tunnin", "24 timmar")),
        (duration_form, "P1D", ("1 day", "1 päivän", "1 dag")),
        (duration_form, "P1Y6M", ("1 year 6 months", "1 vuoden 6 kuukauden", "1 år 6 månader")),
        (count_form, "1", ("once", "kerran", "en gång")),
        (count_form, "1000000", ("1,000,000 times", "1\u00a0000\u00a0000 kertaa", "1\u00a0000\u00a0000 gånger")),
    ],
)  # fmt: skip
def test_a_quantity_is_said_in_each_language_and_read_back_to_the_letter(
    form, text: str, said: tuple[str, ...]
) -> None:
    for lang, words in zip(wording.LANGUAGES, said, strict=True):
        assert form(lang).say(text) == words
        assert only(form(lang), words, fix="") == text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (instant_form, "2028-02-02T14:30Z"),
        (instant_form, "2028-02-02T14:30:00+02:00"),
        (instant_form, "2028-02-30T00:00:00Z"),
        (day_form, "2028-02-02T00:00:01Z"),
        (plain_day_form, "2028-2-2"),
        (duration_form, "P"),
        (duration_form, "1 day"),
        (count_form, "007"),
        (count_form, "-1"),
    ],
)
def test_a_spelling_that_the_words_would_not_give_back_is_declined(form, text: str) -> None:
    assert all(form(lang).say(text) is None for lang in wording.LANGUAGES)


def test_the_last_day_is_the_one_before_the_midnight_that_ends_it_also_over_a_leap_year() -> None:
    assert day_form("en", earlier=1).say("2028-03-01T00:00:00Z") == "29 February 2028"
    assert only(day_form("en", earlier=1), "31 December 2027", fix="") == "2028-01-01T00:00:00Z"


def test_the_calendars_last_day_has_no_midnight_after_it() -> None:
    with pytest.raises(Malformed):
        only(day_form("en", earlier=1), "31 December 9999", fix="")


def test_every_month_has_its_own_name() -> None:
    for lang in wording.LANGUAGES:
        assert len({quantities.said_day(date(2028, month, 1), lang) for month in range(1, 13)}) == 12
