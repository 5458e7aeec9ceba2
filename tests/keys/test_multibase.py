"""Multibase text: what is written is read back, and every other spelling is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import Malformed
from node.keys.multibase import multibase, read_multibase


@given(st.binary(max_size=70))
def test_what_is_written_is_read_back(raw: bytes):
    assert read_multibase(multibase(raw), len(raw)) == raw


@given(st.binary(min_size=1, max_size=70), st.integers(1, 3))
def test_bytes_of_another_length_are_refused(raw: bytes, more: int):
    with pytest.raises(Malformed):
        read_multibase(multibase(raw), len(raw) + more)
    with pytest.raises(Malformed):
        read_multibase(multibase(raw + bytes(more)), len(raw))


@pytest.mark.parametrize("text", ["", "z", "Q1", "z0", "zO", "zl", "z é", "1", None, 7, ["z1"], "zz" * 200, "z1z"])
def test_whatever_else_there_is_is_refused(text: object):
    with pytest.raises(Malformed):
        read_multibase(text, 3)
