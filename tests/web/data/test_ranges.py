"""Which bytes are asked for: one stretch within the part, or all of it, and a clear "no" to everything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import Changed, WrongRange
from node.federation.moving import Part
from node.web.data.ranges import Stretch, asked, check_match, has_it, is_same

PART = Part("urn:d", "a.csv", "text/csv", 1_000, "", '"one"', 784_111_777_123)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("header", "begins", "ends"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-999", 0, 1_000),
        ("bytes=10-19", 10, 20),
        ("bytes=990-", 990, 1_000),
        ("bytes=999-99999999999999999999", 999, 1_000),
        (f"bytes=0-{'9' * 30}", 0, 1_000),
        (f"bytes=-{'9' * 300}", 0, 1_000),
        ("bytes=-1", 999, 1_000),
        ("bytes=-5000", 0, 1_000),
        ("Bytes = 3-4", 3, 5),
    ],
)
def test_one_stretch_is_given(header: str, begins: int, ends: int) -> None:
    assert asked(header, 1_000) == Stretch(begins, ends)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-1,5-6",
        "bytes=0-10,5-20",
        "bytes=0-1,",
        "bytes=1000-",
        "bytes=20-10",
        "bytes=-0",
        "bytes=-",
        "bytes=",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=1-٣",
        "bytes=999999999999999999999999999999-",
        "bytes=99999999999999999999-",
    ],
)
def test_everything_else_is_refused_with_the_size_and_what_to_do(header: str) -> None:
    with pytest.raises(WrongRange) as refused:
        asked(header, 1_000)
    assert refused.value.size == 1_000
    assert "one stretch" in refused.value.fix


@pytest.mark.parametrize("header", ["rows=1-2", "bytes", "", "items=0-"])
def test_units_that_nobody_knows_here_are_passed_over(header: str) -> None:
    assert asked(header, 1_000) is None


@settings(max_examples=60)
@given(st.text(st.sampled_from("bytes=-,0123456789 "), max_size=30), st.integers(0, 10**6))
def test_whatever_is_asked_a_stretch_lies_within_the_part(header: str, size: int) -> None:
    try:
        found = asked(header, size)
    except WrongRange:
        return
    assert found is None or 0 <= found.begins < found.ends <= size


def test_of_an_empty_part_there_is_no_stretch() -> None:
    for header in ("bytes=0-", "bytes=0-0", "bytes=-1"):
        with pytest.raises(WrongRange):
            asked(header, 0)


@pytest.mark.parametrize(
    ("if_range", "same"),
    [
        ("", True),
        ('"one"', True),
        ('"two"', False),
        ('W/"one"', False),
        (DATE, True),
        ("Sun, 06 Nov 1994 08:49:38 GMT", False),
        ("yesterday", False),
    ],
)
def test_a_stretch_is_given_of_the_version_that_the_caller_has(if_range: str, same: bool) -> None:
    assert is_same(if_range, PART) is same


def test_who_has_this_version_is_told_so_and_who_wants_another_too() -> None:
    assert has_it('"zero", W/"one"', PART)
    assert has_it("*", PART)
    assert not has_it('"two"', PART)
    check_match("", PART)
    check_match("*", PART)
    check_match('"zero", "one"', PART)
    for other in ('"two"', 'W/"one"', "one"):
        with pytest.raises(Changed):
            check_match(other, PART)
