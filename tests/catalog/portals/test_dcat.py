"""Laws of the DCAT adapter: every form, every dialect of paging, and values of every badness."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from node.catalog.portals.base import Document
from node.catalog.portals.dcat import media_type_of
from node.vocab.mend import unsigned
from tests.catalog.rig import BASE, ID, PREFIXES, City, counts, dataset, datasets, turtle
from tests.portal_server import PortalServer, page

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

GRAPH = turtle(
    dataset(
        "n1", more="; dcat:distribution [ a dcat:Distribution ; dct:format 'CSV' ] ; dct:issued '2026-01-01'^^xsd:date"
    ),
    dataset("n2", 'Second \\"title\\" <b>'),
    "d:c a dcat:Catalog ; dcat:dataset d:n1, d:n2 .\n",
)
FORMS = {
    "ttl": (ox.RdfFormat.TURTLE, "text/turtle"),
    "rdf": (ox.RdfFormat.RDF_XML, "application/rdf+xml"),
    "jsonld": (ox.RdfFormat.JSON_LD, "application/ld+json"),
    "nt": (ox.RdfFormat.N_TRIPLES, "application/n-triples"),
    "nq": (ox.RdfFormat.N_QUADS, "application/n-quads"),
    "trig": (ox.RdfFormat.TRIG, "application/trig"),
}


def form(suffix: str) -> bytes:
    quads = ox.parse(GRAPH, format=ox.RdfFormat.TURTLE)
    return ox.serialize(quads, format=FORMS[suffix][0]) or b""


def test_every_form_of_a_graph_gives_the_same_records(city: City) -> None:
    seen = set()
    for suffix in FORMS:
        city.write(form(suffix), f"g.{suffix}")
        if suffix == "ttl":
            city.add(city.folder / "g.ttl")
        with city.node.db.write() as tx:
            tx.run("UPDATE source SET location = ?", str(city.folder / f"g.{suffix}"))
        run = city.run()
        assert run.state == "succeeded", (suffix, run.reason)
        seen.add(tuple(city.digests().items()))
    assert len(seen) == 1
    assert city.size() == 2


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("said", ["right", "nothing", "text/plain", "application/octet-stream"])
def test_a_document_is_known_by_its_type_else_its_name_else_its_beginning(
    suffix: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "document-1"
    path.write_bytes(form(suffix))
    right = FORMS[suffix][1]
    named = "https://data.example/catalogue" + ("" if said == "right" else f".{suffix}")
    stated = {"right": right, "nothing": ""}.get(said, said)
    assert media_type_of(Document(path, named, stated, 1, "")) == right


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b'\xef\xbb\xbf \n{"@graph": []}', "application/ld+json"),
        (b'[{"@id": "x"}]', "application/ld+json"),
        (b'<?xml version="1.0"?><rdf:RDF/>', "application/rdf+xml"),
        (b"<rdf:RDF xmlns:rdf='x'/>", "application/rdf+xml"),
        (b"<!-- by hand --><rdf:RDF/>", "application/rdf+xml"),
        (b"@prefix dcat: <x> .", "text/turtle"),
        (b"<https://a.example/1> a <https://a.example/T> .", "text/turtle"),
    ],
)
def test_a_document_without_name_and_type_is_known_by_how_it_begins(
    start: bytes, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    path.write_bytes(start)
    assert media_type_of(Document(path, "https://data.example/", "", 1, "")) == expected


@pytest.mark.parametrize("suffix", FORMS)
def test_every_form_is_read_over_http(suffix: str, city: City, portal: PortalServer) -> None:
    portal.pages["/c"] = page(form(suffix), FORMS[suffix][1] + "; charset=utf-8")
    city.add(f"{portal.url}/c")
    assert counts(city.run()) == {"added": 2}
    assert "text/turtle" in portal.asked[0][1]["accept"]


# --- paging

VIEWS = {
    "hydra:next": "<{here}> a hydra:PartialCollectionView ; hydra:next <{next}> .",
    "hydra:nextPage": "<{here}> a hydra:PagedCollection ; hydra:nextPage <{next}> .",
    "a link as text": '<{here}> a hydra:PagedCollection ; hydra:nextPage "{next}" .',
    "a link as typed text": '<{here}> a hydra:PartialCollectionView ; hydra:next " {next} "^^xsd:anyURI .',
    "a relative link as text": '<{here}> a hydra:PagedCollection ; hydra:nextPage "{path}" .',
    "a link with a fragment": "<{here}> a hydra:PagedCollection ; hydra:nextPage <{next}#it> .",
    "a feed's link": "<{here}> <https://w3id.org/tree#relation> [ <https://w3id.org/tree#node> <{next}> ] .",
}


@pytest.mark.parametrize("dialect", VIEWS)
def test_every_dialect_of_paging_is_followed(dialect: str, city: City, portal: PortalServer) -> None:
    for number in (1, 2, 3):
        path = f"/c?page={number + 1}"
        view = VIEWS[dialect].format(here=f"{portal.url}/c?page={number}", next=portal.url + path, path=path)
        portal.pages[f"/c?page={number}"] = page(turtle(view if number < 3 else "", dataset(f"n{number}")))
    city.add(f"{portal.url}/c?page=1")
    run = city.run()
    assert (run.state, counts(run)) == ("succeeded", {"added": 3}), run.reason
    assert [path for path, _ in portal.asked] == [f"/c?page={n}" for n in (1, 2, 3)]


def test_pages_that_lead_in_a_ring_are_read_once(city: City, portal: PortalServer) -> None:
    for number in (1, 2, 3):
        view = f"<{portal.url}/c> hydra:next <{portal.url}/c?page={number % 3 + 1}> ."
        portal.pages[f"/c?page={number}"] = page(turtle(view, dataset(f"n{number}")))
    city.add(f"{portal.url}/c?page=1")
    run = city.run()
    assert (run.state, counts(run)) == ("succeeded", {"added": 3})
    assert len(portal.asked) == 3


@pytest.mark.parametrize(("most", "state"), [(3, "partial"), (4, "partial"), (5, "succeeded")])
def test_a_source_of_very_many_pages_is_read_to_a_bound(
    most: int, state: str, city: City, portal: PortalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.catalog.portals.dcat.MAX_PAGES", most)
    links = ", ".join(f"<{portal.url}/{n}>" for n in range(1, 5))
    portal.pages = {f"/{n}": page(turtle(dataset(f"n{n}"), f"<> hydra:next {links} .")) for n in range(5)}
    city.add(f"{portal.url}/0")
    run = city.run()
    assert (run.state, counts(run)) == (state, {"added": most})
    assert (f"more than {most} pages" in run.reason) == (state == "partial")


def test_a_page_may_tell_more_of_records_that_were_listed_before(city: City, portal: PortalServer) -> None:
    lines = "".join(f"d:n{n} a dcat:Dataset . " for n in (1, 2))
    portal.pages["/c"] = page(turtle(lines, f"<{portal.url}/c> hydra:next <{portal.url}/d> ."))
    portal.pages["/d"] = page(datasets(1, 2))
    city.add(f"{portal.url}/c")
    run = city.run()
    assert (run.state, counts(run)) == ("succeeded", {"added": 2}), run.reason


def test_pages_without_records_may_be_the_same(city: City, portal: PortalServer) -> None:
    """As the empty leaves of a feed are: their relative addresses make them different documents."""
    leaf = page("<> a <https://w3id.org/tree#Node> .")
    links = " ".join(f"<> hydra:next <{portal.url}/{n}> ." for n in range(3))
    portal.pages |= {f"/{n}": leaf for n in range(3)}
    portal.pages["/c"] = page(turtle(links, dataset("n1")))
    city.add(f"{portal.url}/c")
    run = city.run()
    assert (run.state, len(portal.asked)) == ("succeeded", 4), run.reason


def test_pages_of_a_file_are_the_files_beside_it_and_no_others(city: City) -> None:
    city.write(datasets("secret"), "secret.ttl")
    city.write(datasets(2), "cat/pages/two.ttl")
    city.write(datasets(3), "cat/three ä.ttl")
    city.harvest(
        turtle(
            dataset("n1"),
            "<> hydra:next <pages/two.ttl>, <three%20%C3%A4.ttl>, <../secret.ttl>, <pages/../../secret.ttl>,"
            " <%2e%2e/secret.ttl>, <missing.ttl>, <file:///etc/passwd>, <https://data.example/else.ttl> .",
        ),
        file="cat/one.ttl",
    )
    (run,) = city.node.runs.list()
    assert sorted(city.digests()) == [ID + "n1", ID + "n2", ID + "n3"]
    assert run.state == "partial"
    told = " ".join(run.notes)
    for outside in ("secret.ttl", "missing.ttl", "etc/passwd", "data.example/else.ttl"):
        assert outside in told


def test_a_link_out_of_the_folder_by_symlink_is_not_followed(city: City) -> None:
    outside = city.write(datasets("secret"), "outside/secret.ttl")
    (city.folder / "cat").mkdir()
    (city.folder / "cat/link.ttl").symlink_to(outside)
    run = city.harvest(turtle(dataset("n1"), "<> hydra:next <link.ttl> ."), file="cat/one.ttl")
    assert run.state == "partial"
    assert list(city.digests()) == [ID + "n1"]


@pytest.mark.parametrize("link", ["http://[broken", "http://data.example:99999/x", "  ", "javascript:alert(1)", "//"])
def test_a_link_that_is_no_address_ends_nothing(link: str, city: City) -> None:
    run = city.harvest(turtle(dataset("n1"), f'<> hydra:next "{link}" .'))
    assert counts(run) == {"added": 1}
    assert run.state in ("partial", "succeeded")


@pytest.mark.parametrize(("total", "state"), [(2, "succeeded"), (1, "succeeded"), (3, "partial"), (99, "partial")])
def test_a_catalogue_that_says_it_holds_more_is_not_whole(total: int, state: str, city: City) -> None:
    run = city.harvest(turtle(dataset("n1"), dataset("n2"), f"<> hydra:totalItems {total} ."))
    assert run.state == state
    assert ("says it holds" in run.reason) == (state == "partial")


# --- values of every badness

BAD_VALUES = {
    "space": "<http://x.example/a b>",
    "signed, no host": '"http://[bad?sig=1&x=2"',
    "signed, bad host": "<http://[bad?sig=1>",
    "signed, bad port": "<https://x.example:port/a?Signature=1>",
    "signed": "<https://x.example/a?Signature=abc&Expires=1>",
    "percent": "<http://x.example/%zz%>",
    "braces": "<http://x.example/{template}>",
    "template": '"{{orgContactEmail}}"',
    "relative": "<relative/path>",
    "empty": "<>",
    "no scheme": "<//x.example/y>",
    "text": '"ask us"',
    "empty text": '""',
    "blank": "[]",
    "control": '"a\\u0001\\u0000b"',
    "surrogate pair": '"\\U0001F600"',
    "line separators": '"a\\u2028b\\u0085c\\u000Bd"',
    "language": '"x"@en_US',
    "odd language": '"x"@x-klingon-very-long-subtag-indeed',
    "number": '"12,5"^^xsd:decimal',
    "date": '"31.12.2025"^^xsd:date',
    "unknown datatype": '"x"^^<urn:my:type>',
    "mail": "<mailto:a@b@c>",
    "urn": "<urn:uuid:1>",
    "data": "<data:text/plain,hello%20there>",
    "javascript": "<javascript:alert(1)>",
    "long": '"' + "x" * 70_000 + '"@en',
    "unicode iri": "<http://x.example/ä/指標?q=ö#ü>",
    "private use": "<http://x.example/\ue000>",
    "hashes": "<http://x.example/#a#b>",
    "genid": "<http://x.example/.well-known/genid/1>",
    "idn": "<http://bücher.example/>",
    "userinfo": "<http://user:secret@x.example/>",
}
PLACES = [
    "dcat:accessURL", "dcat:landingPage", "dct:license", "dct:title", "dct:issued", "vcard:hasEmail", "dcat:theme",
    "dcat:contactPoint", "dct:publisher", "dcat:distribution", "dct:identifier", "dct:language", "foaf:page",
]  # fmt: skip


def test_no_value_ends_a_file_or_its_neighbour(city: City) -> None:
    """Every bad value in every place where a program might trust it; all records but the bad one come out as always."""
    rows = [
        dataset(f"v{i}x{j}", more=f"; {place} {value}")
        for i, value in enumerate(BAD_VALUES.values())
        for j, place in enumerate(PLACES)
    ]
    run = city.harvest(turtle(*rows, dataset("good")))
    assert run.state == "succeeded", run.reason
    assert run.counters.added == len(rows) + 1
    for held in city.held():
        payload = city.node.shelf.payload(held)
        again = ox.serialize(ox.parse(payload, format=ox.RdfFormat.N_TRIPLES), format=ox.RdfFormat.N_TRIPLES)
        assert again == payload, held.iri
    assert city.verify() == len(rows) + 1
    assert city.run(full=True).counters.unchanged == len(rows) + 1


@pytest.mark.parametrize("address", ["http://[bad?sig=1&x=2", "https://x.example:port/?sig=1", "http://]/?sig=a"])
def test_a_signed_address_that_is_none_is_left_as_it_is(address: str) -> None:
    assert unsigned(address) in (address, address.replace("?sig=1", "").replace("?sig=a", ""))


BAD_IRIS = [
    "http://data.example/a b", "http://localhost/1", "http://10.0.0.1/x", "ftp://data.example/1",
    "urn:uuid:0001", "http://data.example/.well-known/genid/7", "mailto:a@data.example", "http://data.example:99999/",
    "http://bücher.example/指標", "http://data.example/" + "x" * 3000, "tag:data.example,2026:1", "http://user:pw@data.example/1",
]  # fmt: skip


def test_records_under_iris_of_every_badness_get_good_names(tmp_path: Path, city: City) -> None:
    rows = [
        f"<{iri.replace(' ', '%20')}> a dcat:Dataset ; dct:identifier 'i{n}' ; dct:title 't'@en .\n"
        for n, iri in enumerate(BAD_IRIS)
    ]
    run = city.harvest(turtle(*rows))
    assert run.counters.added == len(BAD_IRIS), [row.message for row in city.rows(run)]
    for held in city.held():
        assert held.iri.startswith(("http://", "https://"))
        assert ".well-known/genid" not in held.iri


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("bomb.rdf", '<!DOCTYPE x [<!ENTITY a "b">]><r:RDF xmlns:r="http://www.w3.org/x#"/>', "document type"),
        ("remote.jsonld", '{"@context": "https://evil.example/c.jsonld", "@id": "x"}', "evil.example"),
        ("file.jsonld", '{"@context": "file:///etc/passwd", "@id": "x"}', "/etc/passwd"),
        ("iso.xml", '<?xml version="1.0"?><g:MD_Metadata xmlns:g="http://www.isotc211.org/"/>', "describes no dataset"),
        ("csw.xml", '<c:GetRecordsResponse xmlns:c="http://www.opengis.net/cat/csw/2.0.2"/>', "right address?"),
        ("page.ttl", "<!DOCTYPE html><html><body>Sorry</body></html>", "HTML"),
        ("list.json", '{"result": {"results": []}}', ""),
        ("ckan.json", '{"help": "x", "success": true, "result": {"count": 0}}', "looks like what CKAN answers"),
        ("broken.ttl", "@prefix d: <https://d.example/> .\nd:x a a d:y .\n", "ine 2"),
        ("half.ttl", datasets(1, 2)[:-9], "ine "),
        ("deep.ttl", PREFIXES + "d:x dct:relation " + "[ dct:relation " * 5000 + '"x"' + " ]" * 5000 + " .", ""),
        ("deep.jsonld", '{"a":' * 5000 + "1" + "}" * 5000, "deep"),
    ],
)  # fmt: skip
def test_a_document_that_is_no_dcat_is_told_from_an_empty_catalogue(
    name: str, text: str, reason: str, city: City
) -> None:
    run = city.harvest(text, file=name)
    assert run.state == "partial"
    assert reason in run.reason
    assert len(run.reason) > 20
    assert city.size() == 0


def test_a_broken_line_of_n_triples_keeps_what_was_before_it(city: City) -> None:
    lines = form("nt").decode().splitlines(keepends=True)
    text = "".join(lines) + "<https://data.example/id/n9> this is no triple\n"
    run = city.harvest(text, file="g.nt")
    assert run.state == "partial"
    assert counts(run) == {"added": 2}
    assert f"ine {len(lines) + 1}" in run.reason


def test_a_relative_iri_of_a_file_resolves_against_the_source_s_address(city: City) -> None:
    city.harvest(PREFIXES + '<#one> a dcat:Dataset ; dct:title "One"@en .', "parks")
    assert city.slugs() == {f"{BASE}/sources/parks/#one": "one"}


def test_what_no_record_reaches_is_counted_as_a_note(city: City) -> None:
    run = city.harvest(turtle(dataset("n1"), "d:lost dct:title 'nobody points here' ; dct:relation d:x ."))
    assert any("2 triples of 1 subjects belong to no record" in note for note in run.notes)


def test_titles_in_other_vocabularies_and_languages_name_a_record(city: City) -> None:
    run = city.harvest(
        turtle(
            "d:a a dcat:Dataset ; <http://www.w3.org/2000/01/rdf-schema#label> 'A label' .",
            "d:b a dcat:Dataset ; <https://purl.org/dc/terms/title> 'In the wrong namespace' .",
            "d:c a dcat:Dataset ; dct:title 'Machine made'@en-t-nl, 'Van hand'@nl .",
            "d:e a dcat:Dataset ; dct:title '  '@en .",
            "d:f a dcat:Dataset ; dct:title '\u200b'@sv, ' \u2060\ufeff'@fi, '\u3164' .",
        ),
        dry_run=True,
    )
    titles = {row.source_key: row.title for row in city.rows(run) if row.change == "added"}
    assert titles == {ID + "a": "A label", ID + "b": "In the wrong namespace", ID + "c": "Van hand"}
    assert city.refused(run) == {ID + "e": "title-missing", ID + "f": "title-missing"}
