"""Laws of the canonical payload: order, labels and who named the nodes make no difference.

Graphs are made by hypothesis out of a few IRIs and nameless nodes, ties included; RDFC-1.0 comes from pyoxigraph in
this process, since these graphs are ours.
"""

import base64

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import TooLarge
from node.vocab.canon import _base32, payload_of
from node.vocab.ntriples import Triple, triples_of

BASE = "https://city.example"
RECORD = "https://data.example/d/1"
ROOT = f"<{RECORD}>"

_names = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "<https://old.example/.well-known/genid/x1>", "_:e"])
_nodes = st.one_of(_names, st.just(ROOT), st.just("<https://data.example/other>"))
_predicates = st.sampled_from(["<https://p.example/1>", "<https://p.example/2>"])
_objects = st.one_of(_nodes, st.sampled_from(['"x"', '"x"@fi', '"1"^^<http://www.w3.org/2001/XMLSchema#integer>']))
_graphs = st.lists(st.tuples(_nodes, _predicates, _objects), min_size=1, max_size=14)


def relabel(lines: bytes) -> bytes:
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(lines, format=pyoxigraph.RdfFormat.N_TRIPLES))
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    return pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_TRIPLES) or b""


def payload(triples: list[Triple]) -> bytes:
    return payload_of(RECORD, triples, base_url=BASE, relabel=relabel)


@given(_graphs, st.randoms(use_true_random=False))
def test_shuffled_triples_and_renamed_nodes_give_the_same_payload(graph: list[Triple], random) -> None:
    named = {
        n: f"_:z{random.randrange(10**9)}x{i}" for i, n in enumerate(sorted({t for s, _, o in graph for t in (s, o)}))
    }
    renamed = [
        (named[s] if "genid" in s or s[:2] == "_:" else s, p, named[o] if "genid" in o or o[:2] == "_:" else o)
        for s, p, o in graph
    ]
    random.shuffle(renamed)
    assert payload(graph) == payload(renamed)


@given(_graphs)
def test_our_own_payload_harvested_again_gives_the_same_payload(graph: list[Triple]) -> None:
    once = payload(graph)
    assert payload(triples_of(once)) == once


@given(_graphs)
def test_a_payload_has_no_nameless_node_and_is_sorted(graph: list[Triple]) -> None:
    lines = payload(graph).decode().splitlines(keepends=True)
    assert lines == sorted(set(lines))
    assert not any(term[:2] == "_:" for line in lines for term in line.split(" ")[:3])


@given(_graphs)
def test_as_many_nodes_as_before(graph: list[Triple]) -> None:
    before = {t for s, _, o in graph for t in (s, o) if t[:1] != '"'}
    after = {t for s, _, o in triples_of(payload(graph)) for t in (s, o) if t[:1] != '"'}
    assert len(after) == len(before)


def test_more_alike_nodes_than_64_are_refused_before_any_canonicalisation() -> None:
    graph = [(ROOT, "<https://p.example/1>", f"_:n{i}") for i in range(65)]

    def never(_: bytes) -> bytes:
        raise AssertionError

    with pytest.raises(TooLarge, match="65 nodes"):
        payload_of(RECORD, graph, base_url=BASE, relabel=never)


@given(st.binary(min_size=16, max_size=16))
def test_our_base32_is_that_of_rfc_4648(hashed: bytes) -> None:
    assert _base32(hashed) == base64.b32encode(hashed).decode().rstrip("=").lower()
