"""Laws of ends: a person reads the last day, or the time where an end is no midnight."""

import pytest

from node.assembly.knowledge import _of_agreements as of_agreements
from node.catalog.today import Need
from node.ends import closes_a_day, last_day, last_ms
from node.web.wording.needs import told
from node.web.wording.text import end_of

MIDNIGHT = 1_795_478_400_000  # 2026-11-24T00:00:00Z


def test_a_midnight_is_said_as_the_day_that_it_closes() -> None:
    assert closes_a_day(MIDNIGHT)
    assert last_ms(MIDNIGHT) == MIDNIGHT - 1
    assert last_day(MIDNIGHT) == "2026-11-23 (included)"


def test_any_other_end_is_said_with_its_time() -> None:
    assert not closes_a_day(MIDNIGHT + 1)
    assert not closes_a_day(0)
    assert last_ms(MIDNIGHT + 1) == MIDNIGHT + 1
    assert last_day(MIDNIGHT + 3_600_000) == "2026-11-24 01:00:00Z"


@pytest.mark.parametrize(
    ("language", "day", "time"),
    [
        ("en", "23 Nov 2026", "24 Nov 2026, 01:00 UTC"),
        ("fi", "23.11.2026", "24.11.2026 klo 1.00 UTC"),
        ("sv", "23 nov. 2026", "24 nov. 2026, 01:00 UTC"),
    ],
)
def test_today_names_the_last_day_of_agreements_and_of_duties(language: str, day: str, time: str) -> None:
    for at_ms, said in ((MIDNIGHT, day), (MIDNIGHT + 3_600_000, time)):
        assert end_of(at_ms, language) == said
        agreement = told(Need("agreement-ends", "/", {"city": "London", "until_end_ms": at_ms}), language)
        values = {"city": "London", "title": "Noise", "due_end_ms": at_ms, "what": "noise", "n": 1}
        duty = told(Need("deletion", "/", values), language)
        assert said in agreement.title
        assert said in duty.title


def test_a_task_of_an_agreement_is_due_on_its_last_day() -> None:
    reminders = [
        {"what": what, "at": "2026-11-24T00:00:00+00:00", "sentence": what, "agreement": "urn:a"}
        for what in ("ends", "ended", "review")
    ]
    first = MIDNIGHT // 86_400_000
    assert [each.day for each in of_agreements(reminders)] == [first - 1, first - 1, first]
