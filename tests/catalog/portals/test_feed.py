"""Laws of feeds: the newest version of everything that was not deleted, on however many pages it stands."""

import io
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.portals.feed import Members, graph_of
from tests.catalog.rig import PREFIXES, City, counts, turtle
from tests.portal_server import PortalServer, page, status

pytestmark = pytest.mark.slow  # seconds in all

_texts = st.text(alphabet=' "<>_:b.@^\\\n\u2028ä', max_size=12)
_literals = st.one_of(
    st.builds(ox.Literal, _texts),
    st.builds(lambda text: ox.Literal(text, language="en"), _texts),
    st.builds(lambda text: ox.Literal(text, datatype=ox.NamedNode("https://d.example/t")), _texts),
)
_names = st.sampled_from([ox.NamedNode("https://a.example/1"), ox.BlankNode("b1"), ox.NamedNode("urn:x:_:b")])
_objects = st.one_of(_names, _literals)
_graphs = st.sampled_from([ox.DefaultGraph(), ox.NamedNode("https://g.example/#1"), ox.BlankNode("g")])


@given(_names, _objects, _graphs)
def test_a_graph_is_told_from_the_end_of_any_text(subject, object_, graph) -> None:
    quad = ox.Quad(subject, ox.NamedNode("https://p.example/p"), object_, graph)
    line = (ox.serialize([quad], format=ox.RdfFormat.N_QUADS) or b"").decode().removesuffix("\n")
    alone = (ox.serialize([quad.triple], format=ox.RdfFormat.N_TRIPLES) or b"").decode().removesuffix("\n")
    named = "" if isinstance(graph, ox.DefaultGraph) else str(graph)
    assert graph_of(line) == (alone, named)


AS = "@prefix as: <https://www.w3.org/ns/activitystreams#> . @prefix m: <https://m.example/> ."
TREE = "@prefix tree: <https://w3id.org/tree#> ."


def member(name: str, act: str, about: str, published: str, title: str = "", more: str = "") -> str:
    said = f'm:{name} a as:{act} ; as:object d:{about} ; as:published "{published}"^^xsd:dateTime .\n'
    if not title:
        return said
    return said + f"m:{name} {{ d:{about} a dcat:Dataset ; dct:title '{title}'@en {more} . }}\n"


def feed(*parts: str) -> str:
    return PREFIXES + AS + TREE + "".join(parts)


def test_the_newest_version_wins_and_what_was_deleted_last_is_gone(city: City) -> None:
    run = city.harvest(
        feed(
            member("1", "Create", "a", "2025-01-01T00:00:00Z", "a first"),
            member("2", "Update", "a", "2025-01-03T00:00:00Z", "a third"),
            member("3", "Update", "a", "2025-01-02T00:00:00Z", "a second"),
            member("4", "Create", "b", "2025-01-01T00:00:00Z", "b"),
            member("5", "Delete", "b", "2025-01-02T00:00:00Z"),
            member("6", "Delete", "c", "2025-01-01T00:00:00Z"),
            member("7", "Create", "c", "2025-01-02T00:00:00Z", "c again"),
        ),
        file="feed.trig",
    )
    assert run.state == "succeeded", run.reason
    titles = {held.slug: city.payload(held.iri) for held in city.held()}
    assert sorted(titles) == ["a", "c"]
    assert '"a third"' in titles["a"]
    assert '"c again"' in titles["c"]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2025-01-01T10:00:00+02:00", "2025-01-01T09:00:00Z"),
        ("2025-01-01T09:00:00Z", "2025-01-01T09:00:00.5Z"),
        ("2025-01-01T09:00:00.123Z", "2025-01-01T09:00:01Z"),
        ("2025-01-01T23:00:00-05:00", "2025-01-02T06:00:00Z"),
    ],
)
def test_the_newest_is_the_latest_in_time_not_in_spelling(city: City, earlier: str, later: str) -> None:
    city.harvest(
        feed(member("1", "Create", "a", later, "new"), member("2", "Create", "a", earlier, "old")), file="feed.trig"
    )
    (held,) = city.held()
    assert '"new"' in city.payload(held.iri)


def test_times_that_are_none_end_nothing(city: City) -> None:
    run = city.harvest(
        feed(
            member("1", "Create", "a", "0001-01-01T00:00:00+10:00", "a"),
            member("2", "Create", "b", "last Tuesday", "b"),
            member("3", "Create", "c", "", "c"),
        ),
        file="feed.trig",
    )
    assert counts(run) == {"added": 3}


def test_a_member_on_two_pages_is_one_member(city: City, portal: PortalServer) -> None:
    spatial = "; dct:spatial [ dct:title 'here' ; dcat:bbox 'x' ]"
    one = member("1", "Create", "a", "2025-01-01T00:00:00Z", "a", spatial)
    link = f"<{portal.url}/f> tree:relation [ tree:node <{portal.url}/f2> ] .\n"
    portal.pages["/f"] = page(feed(one, link), "application/trig")
    portal.pages["/f2"] = page(feed(one, member("2", "Create", "b", "2025-01-01T00:00:00Z", "b")), "application/trig")
    city.add(f"{portal.url}/f")
    run = city.run()
    assert (run.state, counts(run)) == ("succeeded", {"added": 2}), run.reason
    (a, _) = city.held()
    assert city.payload(a.iri).count("<http://www.w3.org/ns/dcat#bbox>") == 1


def test_a_missing_page_of_a_feed_withdraws_nothing(city: City, portal: PortalServer) -> None:
    link = f"<{portal.url}/f> tree:relation [ tree:node <{portal.url}/f2> ] .\n"
    portal.pages["/f"] = page(feed(member("1", "Create", "a", "2025-01-01T00:00:00Z", "a"), link), "application/trig")
    portal.pages["/f2"] = page(feed(member("2", "Create", "b", "2025-01-01T00:00:00Z", "b")), "application/trig")
    city.add(f"{portal.url}/f", threshold_percent=100)
    assert counts(city.run()) == {"added": 2}
    portal.pages["/f2"] = status(404)
    run = city.run()
    assert (run.state, counts(run)) == ("partial", {"unchanged": 1})
    assert "/f2" in run.reason
    assert len(city.digests()) == 2


def test_named_graphs_without_members_are_plain_data(city: City) -> None:
    run = city.harvest(PREFIXES + "d:g { d:a a dcat:Dataset ; dct:title 'A <b>bold _x'@en . }", file="plain.trig")
    assert counts(run) == {"added": 1}
    assert '"A <b>bold _x"@en' in city.payload("https://data.example/id/a")


def test_an_empty_walk_of_members_is_told_apart(tmp_path: Path) -> None:
    members = Members(tmp_path)
    assert not members
    lines = tmp_path / "lines"
    lines.write_text("<a:s> <a:p> <a:o> .\n<a:s> <a:p> <a:o> <a:g> .\n")
    out = io.BytesIO()
    assert list(members.sort(lines, out)) == ["<a:s> <a:p> <a:o> ."] * 2
    assert not members
    assert turtle() == PREFIXES
