"""Laws of comparable sets: what the file says is what the record says, and a stranger's record breaks nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.set_file import read_set, write_set
from node.errors import Malformed
from node.vocab.set_records import MATCHINGS, ColumnMap, ComparableSet, payload_of, record_of, set_in

pytestmark = pytest.mark.slow  # many made examples

BASE = "https://data.hel.fi"
RECORD = record_of("parking", BASE)
A, B = "https://hel.fi/datasets/a", "https://london.example/datasets/b"

text = st.text(st.characters(min_codepoint=32, exclude_categories=("C", "Z")), min_size=1, max_size=30)
texts = st.dictionaries(st.sampled_from(["en", "fi", "sv", "en-gb"]), text, min_size=1, max_size=3)
columns = st.builds(
    ColumnMap,
    texts,
    st.dictionaries(st.sampled_from([A, B]), text, max_size=2),
    st.sampled_from(MATCHINGS),
    st.one_of(st.just({}), texts),
)
sets = st.builds(
    ComparableSet,
    texts,
    st.just((A, B)),
    st.one_of(st.just({}), texts),
    st.sampled_from(["", "TRAN", "ENVI"]),
    st.lists(columns, max_size=4).map(tuple),
)


@settings(max_examples=20)
@given(sets)
def test_a_written_file_is_read_back_as_it_was(said: ComparableSet) -> None:
    assert read_set(write_set(said)) == said


@settings(max_examples=20)
@given(sets)
def test_a_published_record_says_what_the_file_said(said: ComparableSet) -> None:
    payload = payload_of(RECORD, said)
    lines = payload.decode().split("\n")[:-1]
    assert lines == sorted(set(lines))
    assert set_in(RECORD, payload) == said


def test_a_strangers_record_is_cut_to_what_fits() -> None:
    ns, dct = "https://w3id.org/citynode/ns#", "http://purl.org/dc/terms/"
    lines = [
        *(f"<{RECORD}> <{dct}hasPart> <https://x.example/{n:03}> ." for n in range(80)),
        f'<{RECORD}> <{dct}hasPart> "no IRI" .',
        f"<{RECORD}> <{ns}column> <{RECORD}#c> .",
        f'<{RECORD}#c> <{ns}match> "perfect" .',
        f"<{RECORD}#c> <{ns}here> <{RECORD}#h> .",
        f"<{RECORD}#h> <{ns}about> <https://elsewhere.example/> .",
        f'<{RECORD}#h> <{ns}name> "column" .',
    ]
    said = set_in(RECORD, "".join(f"{line}\n" for line in sorted(lines)).encode())
    assert len(said.members) == 50
    assert said.columns == (ColumnMap({}, {}, "none", {}),)
    assert set_in(RECORD, b"") == ComparableSet({}, ())


GOOD = f'title = {{ en = "P" }}\nmembers = ["{A}", "{B}"]\n'
BAD = {
    "no TOML": ("title = ", "no TOML"),
    "deep": ("a = " + "[" * 5_000, "no TOML"),
    "no title": (GOOD.split("\n", 1)[1], "title is written by language"),
    "a bare title": (GOOD.replace('{ en = "P" }', '"P"'), "title is written by language"),
    "a bad language": (GOOD.replace("en =", "'!!' ="), "title is written by language"),
    "one record": (GOOD.replace(f', "{B}"', ""), "2 to 50 records"),
    "no IRIs": (GOOD.replace(A, "parking areas"), "2 to 50 records"),
    "a record twice": (GOOD.replace(B, A), "twice"),
    "a strange theme": (GOOD + 'theme = "PARKING"\n', "no code of the EU's data themes"),
    "a strange key": (GOOD + 'colour = "red"\n', "has no 'colour'"),
    "a strange match": (GOOD + '[[columns]]\nmeaning = { en = "x" }\nmatch = "perfect"\n', "match is one of"),
    "a column of nobody": (
        GOOD + '[[columns]]\nmeaning = { en = "x" }\nnames = { "https://x.example/" = "y" }\n',
        "no member",
    ),
    "a column without meaning": (GOOD + "[[columns]]\n", "meaning is written by language"),
    "names of nothing": (GOOD + '[[columns]]\nmeaning = { en = "x" }\nnames = ["y"]\n', "what its column is called"),
    "columns of text": (GOOD + 'columns = ["a"]\n', "begins with"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_used_says_what_to_write(case: str) -> None:
    written, said = BAD[case]
    with pytest.raises(Malformed) as refused:
        read_set(written)
    assert said in refused.value.message


@settings(max_examples=20)
@given(st.text(max_size=200))
def test_no_text_does_more_than_be_refused(written: str) -> None:
    with pytest.raises(Malformed):
        read_set(written)
