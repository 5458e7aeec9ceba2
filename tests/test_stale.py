"""Laws of marks: what stands as it was shown may be changed, what does not may not; who saw nothing is not asked."""

import pytest

from node.errors import Changed
from node.stale import check_mark, mark_of


def test_a_mark_names_facts_whatever_holds_them() -> None:
    assert mark_of(frozenset({"b", "a"})) == mark_of(["a", "b"])
    assert mark_of(("x", 1, None)) == mark_of(["x", 1, None])
    assert len({mark_of(), mark_of(""), mark_of(None), mark_of("a", "b"), mark_of("ab"), mark_of(["a", "b"])}) == 6


def test_only_what_was_shown_is_changed() -> None:
    check_mark(mark_of("note"), "note")
    check_mark("", "anything: nobody looked first")
    with pytest.raises(Changed):
        check_mark(mark_of("note"), "another note")
