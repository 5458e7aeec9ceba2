"""Laws of the graph on disk: what was written is found again, whatever the order of the lines."""

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.portals import spill as module
from node.catalog.portals.spill import Spill
from node.errors import Stopped
from node.vocab.ntriples import split

TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_subjects = st.sampled_from(
    ["<https://a.example/1>", "<https://a.example/10>", "<https://a.example/1#x>", "_:a", "_:ab"]
)
_predicates = st.sampled_from([TYPE, "<https://p.example/title>", "<https://p.example/t>"])
_objects = st.sampled_from(
    [
        "<https://a.example/1>",
        "_:a",
        '"x"',
        '"tä . xt"@fi',
        '"<https://a.example/1> <https://p.example/t> \\"y\\" ."',
        '"\u2028"',
    ]
)
_triples = st.lists(st.tuples(_subjects, _predicates, _objects), max_size=40)


def spilled(folder: Path, triples, **more) -> Spill:
    path = folder / "graph.nt"
    path.write_bytes("".join(f"{s} {p} {o} .\n" for s, p, o in triples).encode())
    return Spill(path, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("spill")


@pytest.mark.slow  # many examples
@pytest.mark.parametrize("at", [(64 * 1024, 256 * 1024), (0, 0), (100, 150)])
@given(triples=_triples)
def test_every_triple_is_found_under_its_subject_and_no_other_is(at, folder: Path, triples) -> None:
    before = module._REACH, module._LONGEST
    module._REACH, module._LONGEST = at
    try:
        with spilled(folder, triples) as spill:
            _check(spill, triples)
    finally:
        module._REACH, module._LONGEST = before


def _check(spill: Spill, triples) -> None:
    expected = defaultdict(list)
    for triple in triples:
        expected[triple[0]].append(triple)
    assert list(spill.subjects()) == list(expected)
    assert spill.total == len(triples)
    near: dict = {}
    for _ in range(2):  # again, with what the first round left nearby
        for subject, own in expected.items():
            assert subject in spill
            assert spill.count(subject) == len(own)
            assert set(spill.triples(subject, near)) == set(own)
            assert set(spill.triples(subject, {})) == set(own)
            for predicate in (TYPE, "<https://p.example/title>", "<https://p.example/t>"):
                literals = [o for _, p, o in own if p == predicate and o[0] == '"']
                assert spill.literals(subject, predicate) == literals
            assert spill.types.get(subject, "") == "\n".join(o for _, p, o in own if p == TYPE)
    assert list(spill.lines()) == triples
    assert "<https://a.example/2>" not in spill
    assert spill.count("<https://a.example/2>") == 0


def test_an_agent_that_every_record_repeats_is_read_once_and_given_without_duplicates(
    tmp_path: Path, monkeypatch
) -> None:
    agent = [
        ("<https://a.example/org>", TYPE, "<https://a.example/Agent>"),
        ("<https://a.example/org>", "<https://p.example/t>", '"Org"'),
    ]
    triples = []
    for n in range(2000):
        triples += [(f"<https://a.example/{n}>", "<https://p.example/t>", f'"{"x" * 400}"'), *agent]
    with spilled(tmp_path, triples) as spill:
        read = []
        inner = spill._bytes
        monkeypatch.setattr(spill, "_bytes", lambda region: read.append(1) or inner(region))
        for n in range(2000):
            near: dict = {}
            spill.triples(f"<https://a.example/{n}>", near)
            assert spill.triples("<https://a.example/org>", near) == agent
        assert len(read) < 2100, "one look for each record, and a few for the agent"


def test_a_subject_that_stands_in_another_s_text_says_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_REACH", 300)
    one = "<https://a.example/1>"
    quotes = [("_:b", TYPE, f'"see {one} <https://p.example/t> and"'), ("_:b", TYPE, f'"{one} <x>"')]
    own = [(one, TYPE, '"a"'), (one, "<https://p.example/t>", '"b"'), (one, TYPE, '"c"')]
    filler = [("_:c", TYPE, f'"{"x" * 1000}"')]
    with spilled(tmp_path, [own[0], *quotes, own[1], *filler, own[2]]) as spill:
        assert spill.triples(one, {}) == own
        assert spill.literals(one, TYPE) == ['"a"', '"c"']


def test_what_is_remembered_of_scattered_subjects_is_bounded(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_REACH", 0)
    monkeypatch.setattr(module, "_LONGEST", 0)
    monkeypatch.setattr(module, "_REMEMBERED", 10)
    triples = [(f"<https://a.example/{n % 50}>", TYPE, f'"{n}"') for n in range(200)]
    with spilled(tmp_path, triples) as spill:
        for _ in range(2):
            for n in range(50):
                assert len(spill.triples(f"<https://a.example/{n}>", {})) == 4
            assert sum(map(len, spill._scattered.values())) <= 10


def test_a_stop_is_heard_while_the_file_is_indexed_and_the_file_is_given_back(tmp_path: Path) -> None:
    def heard() -> None:
        raise Stopped("enough")

    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(Stopped):
        spilled(tmp_path, [("_:a", TYPE, "_:b")], heard=heard)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_subject_of_very_many_classes_costs_no_more_than_its_lines(tmp_path: Path) -> None:
    with spilled(tmp_path, [("_:a", TYPE, f"<https://a.example/{n}>") for n in range(200_000)]) as spill:
        assert spill.count("_:a") == 200_000
        assert len(spill.types["_:a"]) < 20_000


def test_a_line_longer_than_any_block_is_one_line(tmp_path: Path) -> None:
    long = ("_:a", "<https://p.example/t>", f'"{"y" * (5 << 20)}"')
    with spilled(tmp_path, [("_:b", TYPE, "_:c"), long, ("_:a", TYPE, "_:c")]) as spill:
        assert spill.triples("_:a", {}) == [long, ("_:a", TYPE, "_:c")]


def test_lines_are_split_as_they_were_written() -> None:
    assert split('_:a <p> "a . b ." .') == ("_:a", "<p>", '"a . b ."')
