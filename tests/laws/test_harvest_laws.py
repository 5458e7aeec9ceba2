"""Laws of the whole harvest: order, labels and form make no difference, and everything read can be thrown away.

Graphs are made by hypothesis as N-Triples: records with IRIs and without, nameless nodes alone and shared, skolem IRIs
of other people's making, links between all of them.
"""

import itertools
import random as chance
import re

import pyoxigraph as ox
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from node.catalog.portals.base import SourceUnchanged
from node.catalog.shelf import ShelfFollower
from node.journal import Draft, catch_up, rebuild
from node.journal.journal import Journals
from node.vocab.serialise import page
from tests.catalog.rig import BASE, NAME, City, counts
from tests.journal.rig import put, withdraw

TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
DCT = "http://purl.org/dc/terms/"
TITLE, IDENTIFIER = f"<{DCT}title>", f"<{DCT}identifier>"
_numbers = itertools.count()

_places = st.sampled_from(["record", "blank 1", "blank 2", "shared", "skolem", "org", "other"])
_predicates = st.sampled_from(
    [
        f"<{DCT}relation>",
        f"<{DCT}publisher>",
        "<http://www.w3.org/ns/dcat#distribution>",
        "<https://p.example/%C3%A4/x>",
    ]
)
_words = st.text(alphabet='ab "\\\n\t\r<>_:@.&;é指\u2028😀\x7f\x01', max_size=8)
_values = st.one_of(
    _places,
    st.builds(lambda text: ("text", text, ""), _words),
    st.builds(lambda text, tag: ("text", text, tag), _words, st.sampled_from(["en", "fi", "en-t-nl", "zh-hant"])),
    st.builds(lambda text: ("typed", text, "http://www.w3.org/2001/XMLSchema#date"), _words),
    st.just(("iri", "https://x.example/page?a=1&b=2#f", "")),
)
_record = st.tuples(
    st.sampled_from(["named", "nameless"]),
    st.sampled_from(["Dataset", "DatasetSeries"]),
    st.lists(st.tuples(_places, _predicates, _values), max_size=8),
)
_graphs = st.lists(_record, min_size=1, max_size=4)


def written(graph, run: int, *, seed: int = 0) -> str:
    """Write the graph as N-Triples; another seed gives other labels and another order, and the same graph."""
    dice = chance.Random(seed)
    lines: list[str] = []
    names = [f"<https://d.example/{run}/{n}>" if kind == "named" else f"_:r{n}" for n, (kind, _, _) in enumerate(graph)]
    for n, (kind, klass, triples) in enumerate(graph):
        places = {
            "record": names[n],
            "blank 1": f"_:b{n}x1",
            "blank 2": f"_:b{n}x2",
            "shared": "_:shared",
            "skolem": f"<https://s.example/.well-known/genid/s{n}>",
            "org": f"<https://d.example/{run}/org>",
            "other": names[(n + 1) % len(names)],
        }
        lines.append(f"{names[n]} {TYPE} <http://www.w3.org/ns/dcat#{klass}> .")
        lines.append(f'{names[n]} {TITLE} "Record {n}"@en .')
        if kind == "nameless":
            lines.append(f'{names[n]} {IDENTIFIER} "id {run} {n}" .')
        lines += [f"{places[s]} {p} {_term(o, places)} ." for s, p, o in triples]
    lines = list(dict.fromkeys(lines))
    if seed:
        dice.shuffle(lines)
        marks = {mark: dice.randrange(10**9) for mark in re.findall(r"_:\w+|genid/\w+", "\n".join(lines))}
        lines = [_relabelled(line, marks) for line in lines]
    return "\n".join(lines) + "\n"


def _relabelled(line: str, marks: dict[str, int]) -> str:
    # Only terms are renamed, never what looks like a label inside a text.
    head, quote, rest = line.partition('"')
    return re.sub(r"(_:|genid/)\w+", lambda m: f"{m.group(1)}z{marks[m.group()]}", head) + quote + rest


def _term(value, places: dict[str, str]) -> str:
    if isinstance(value, str):
        return places[value]
    kind, text, more = value
    if kind == "iri":
        return f"<{text}>"
    if kind == "typed":
        return str(ox.Literal(text, datatype=ox.NamedNode(more)))
    return str(ox.Literal(text, language=more) if more else ox.Literal(text))


def forget(*cities: City) -> None:
    """Let the sources of an example go, and what they published."""
    for city in cities:
        for source in city.node.sources.list():
            city.node.sources.remove(source.name)
        with city.node.db.write() as tx:
            gone = [Draft(held.iri, held.slug, held.kind, "withdraw") for held in city.held()]
            city.node.journals.append(tx, NAME, gone, at_ms=1)
            tx.run("DELETE FROM name")
        catch_up(city.node.journals, ShelfFollower())


def digests(city: City) -> dict[str, tuple[str, str, str]]:
    return {held.iri: (held.digest, held.slug, held.kind) for held in city.held()}


@settings(max_examples=20)
@given(_graphs, st.integers(1, 10**6))
def test_shuffled_lines_and_renamed_nodes_write_nothing(cities: tuple[City, City], graph, seed: int) -> None:
    city, _ = cities
    run = next(_numbers)
    name = f"s{run}"
    first = city.harvest(written(graph, run), name, file="g.nt")
    try:
        before, size = digests(city), city.size()
        # A nameless dataset is none of its own if another record links to it.
        assert set(counts(first)) <= {"added", "refused"}, first.reason
        assert set(city.refused(first).values()) <= {"nameless"}
        assert len(before) == first.counters.added >= sum(kind == "named" for kind, _, _ in graph)
        again = city.harvest(written(graph, run, seed=seed), name, file="g.nt", full=True)
        assert again.counters.unchanged == first.counters.added, again.reason
        assert counts(again).get("refused", 0) == counts(first).get("refused", 0)
        assert (digests(city), city.size()) == (before, size)
    finally:
        forget(city)


@pytest.mark.slow  # many examples
@settings(max_examples=10)
@given(_graphs)
def test_our_own_output_in_every_form_gives_a_second_node_the_same_digests(cities: tuple[City, City], graph) -> None:
    city, other = cities
    run = next(_numbers)
    city.harvest(written(graph, run), f"s{run}", file="g.nt")
    held = city.held()
    expected = digests(city)
    try:
        assume(held)
        for suffix in ("ttl", "jsonld", "rdf", "nt"):
            made = page(city.node.shelf.payloads(held), [], suffix, context_url=f"{BASE}/contexts/v1.jsonld")
            assert made.left_out == () or suffix == "rdf"
            if made.left_out:
                continue  # what XML cannot hold is not in it; a law of the serialiser says what that is
            name = f"{suffix}{run}"
            other.write(made.body, f"own.{suffix}")
            other.add(other.folder / f"own.{suffix}", name)
            harvested = other.run(name)
            assert harvested.state == "succeeded", (suffix, harvested.reason)
            assert digests(other) == expected, suffix
            forget(other)
    finally:
        forget(city, other)


@settings(max_examples=8)
@given(graph=_graphs, batch=st.integers(1, 3))
def test_the_size_of_batches_makes_no_difference(cities: tuple[City, City], graph, batch: int) -> None:
    city, other = cities
    run = next(_numbers)
    text = written(graph, run)
    try:
        city.harvest(text, f"s{run}", file="g.nt")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("node.catalog.harvest.BATCH", batch)
            other.harvest(text, f"s{run}", file="g.nt")
        assert digests(other) == digests(city)
    finally:
        forget(city, other)


def test_cities_of_these_laws_verify(cities: tuple[City, City]) -> None:
    for city in cities:
        assert city.verify() == city.size() > 0


# --- the shelf

_acts = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 3), st.sampled_from(["A", "B", "C"])),
        st.tuples(st.just("withdraw"), st.integers(0, 3), st.just("")),
        st.tuples(st.just("erase"), st.integers(1, 12), st.just("")),
        st.tuples(st.just("catch up"), st.just(0), st.just("")),
    ),
    max_size=20,
)


@settings(max_examples=25)
@given(_acts)
def test_a_shelf_that_lived_through_everything_is_the_one_that_is_rebuilt(lasting_db, keyring, acts) -> None:
    journals, follower, name = Journals(lasting_db, keyring), ShelfFollower(), f"c{next(_numbers)}"
    with lasting_db.write() as tx:
        collection = journals.create(tx, name=name, iri=f"{BASE}/{name}", title="x", visibility="public", at_ms=1).id
    for act, number, text in acts:
        _act(journals, follower, name, act, number, text)
    catch_up(journals, follower)
    lived = _shelf(lasting_db, collection)
    rebuild(journals, follower)
    assert _shelf(lasting_db, collection) == lived


def _act(journals: Journals, follower: ShelfFollower, name: str, act: str, number: int, text: str) -> None:
    from node.errors import Conflict, NotFound

    if act == "catch up":
        catch_up(journals, follower)
        return
    with journals.db.write() as tx:
        if act == "erase":
            try:
                journals.erase(tx, name, number, at_ms=5)
            except (Conflict, NotFound):
                return
        else:
            journals.append(tx, name, [put(number, text) if act == "put" else withdraw(number)], at_ms=5)


def _shelf(db, collection: int) -> list[tuple[object, ...]]:
    sql = "SELECT record_key, iri, kind, slug, digest, seq, at FROM shelf WHERE collection_id = ? ORDER BY 1"
    with db.read() as tx:
        return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in tx.rows(sql, collection)]


def test_an_unchanged_source_is_a_normal_ending() -> None:
    assert issubclass(SourceUnchanged, Exception)
    assert NAME == "open-data"
