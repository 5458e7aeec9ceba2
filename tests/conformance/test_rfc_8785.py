r"""The examples of RFC 8785 (canonical JSON), as far as our documents go: ASCII names, texts, small whole numbers.

What lies beyond (fractions, names that UTF-16 sorts otherwise than UTF-8) stands in no document that is hashed here.
"""

import json

import pytest

from node.errors import Malformed
from node.journal.entry import jcs


def test_the_example_of_the_rfc_without_its_fractions():
    # RFC 8785, 3.2.2 and 3.2.3.
    given = r"""{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"""
    wanted = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert jcs(json.loads(given)).decode() == wanted


@pytest.mark.parametrize(
    ("number", "spelt"), [(0, "0"), (-1, "-1"), (2**53 - 1, "9007199254740991"), (-(2**53 - 1), "-9007199254740991")]
)
def test_whole_numbers_are_spelt_as_ecmascript_spells_them(number: int, spelt: str):
    # RFC 8785, appendix B: the largest whole numbers that a double holds without doubt.
    assert jcs({"n": number}).decode() == f'{{"n":{spelt}}}'


def test_names_are_sorted_and_every_control_character_is_escaped_the_short_way():
    given = {
        "\r": "Carriage Return",
        "1": "One",
        "</script>": "Browser Challenge",
        "10": "Ten",
        "_": "",
        "A": "",
        "a": "",
    }
    assert list(json.loads(jcs(given))) == ["\r", "1", "10", "</script>", "A", "_", "a"]  # type: ignore[arg-type]
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    for code in [*range(0x20), 0x22, 0x5C, 0x7F, 0x80, 0x2028, 0xFFFF, 0x1F600]:
        plain = chr(code) if code > 0x1F else f"\\u{code:04x}"
        assert jcs({"x": chr(code)}).decode() == f'{{"x":"{short.get(code, plain)}"}}'


def test_half_a_character_has_no_canonical_form():
    with pytest.raises(Malformed):
        jcs({"x": "\ud83d"})
