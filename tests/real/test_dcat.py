"""Real catalogues in DCAT through the whole harvest: what is published, what is refused, and that it stays so.

The counts are those of the samples' own documentation, or counted by another library. Found by CITYNODE_TEST_DATA.
"""

import logging
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
import uvicorn
from rdflib.namespace import SH

from node.app import create_app
from node.vocab import check
from node.vocab.ntriples import triples_of
from node.vocab.serialise import page as page_of
from tests.catalog.rig import BASE, City, counts, make_city
from tests.portal_server import PortalServer, page, wait_until

SHAPES = Path(__file__).parents[2] / "node" / "vocab" / "shapes" / "mandatory.ttl"
ANTWERP = "be-antwerp-ghent-dcat-ap/antwerp-sample.ttl"
GHENT = "be-antwerp-ghent-dcat-ap/ghent.rdf"
LDES = "be-antwerp-ghent-dcat-ap/ldes/https_3A_2F_2Fw3id.org_2Fsds_23Stream"
MEDIA = {".ttl": "text/turtle", ".rdf": "application/rdf+xml", ".xml": "application/xml", ".json": "application/json",
         ".jsonld": "application/ld+json", ".trig": "application/trig"}  # fmt: skip

# What each document gives: records published, records refused by code, the state of the run.
CATALOGUES: dict[str, tuple[int, dict[str, int], str]] = {
    ANTWERP: (180, {}, "succeeded"),
    GHENT: (287, {}, "succeeded"),
    "uk-scotland-glasgow/dcat-jsonld/glasgow.json": (68, {}, "succeeded"),
    "uk-scotland-glasgow/dcat-jsonld/highland.json": (22, {}, "succeeded"),
    "uk-scotland-glasgow/dcat-jsonld/north_ayrshire.json": (126, {}, "succeeded"),
    "it-municipalities-dcat-ap-it/alessandria.rdf": (5, {}, "succeeded"),
    "it-municipalities-dcat-ap-it/brescia-mobilita.rdf": (3, {}, "succeeded"),
    "dcat-fixtures/ckanext-dcat/catalog.rdf": (2, {}, "succeeded"),
    "dcat-fixtures/ckanext-dcat/catalog_datasets_list.rdf": (2, {}, "succeeded"),
    "dcat-fixtures/ckanext-dcat/catalog_pod.jsonld": (1, {}, "succeeded"),
    "dcat-fixtures/ckanext-dcat/catalog_with_at_graph.jsonld": (1, {}, "succeeded"),
    "dcat-fixtures/ckanext-dcat/dataset.rdf": (1, {}, "succeeded"),
    "dcat-fixtures/ckanext-dcat/dataset_deri.ttl": (1, {}, "succeeded"),
    "dcat-fixtures/ckanext-dcat/dataset_gob_es.ttl": (1, {}, "succeeded"),
    "dcat-fixtures/ckanext-dcat/dataset_multilingual.ttl": (1, {}, "succeeded"),
    "dcat-fixtures/dcat-ap-ch/catalog.xml": (2, {}, "succeeded"),
    "dcat-fixtures/dcat-ap-ch/dataset-rights.xml": (1, {}, "succeeded"),
    # These three describe a dataset without a title: one point each, and no whole description.
    "dcat-fixtures/dcat-ap-ch/conformant-dataset-language.xml": (0, {"title-missing": 1}, "partial"),
    "dcat-fixtures/dcat-ap-ch/deprecated-dataset-language.xml": (0, {"title-missing": 1}, "partial"),
    "dcat-fixtures/ugly/dcat-ap-ch-dataset-datetimes.xml": (0, {"title-missing": 1}, "partial"),
    "dcat-fixtures/dcat-ap-es/E_DCAT-AP-ES_Catalog.ttl": (2, {}, "succeeded"),
    "dcat-fixtures/dcat-ap-es/E_DCAT-AP-ES_Catalog_HVD_minimal.ttl": (2, {}, "succeeded"),
    "dcat-fixtures/dcat-ap-es/E_DCAT-AP-ES_minimal.ttl": (1, {}, "succeeded"),
    "dcat-fixtures/udata/bnodes.xml": (4, {}, "succeeded"),
    "dcat-fixtures/udata/catalog.xml": (4, {}, "succeeded"),
    "dcat-fixtures/udata/series.xml": (1, {}, "succeeded"),
    "dcat-fixtures/ugly/sig.oreme.rdf": (1, {}, "succeeded"),
    # A prefix line lacks its full stop, which the parser mends and says.
    "dcat-fixtures/ugly/smart-flanders-catalog.ttl": (4, {}, "succeeded"),
    "london-datastore/ugly/govuk-mock-ssi/geonetwork.rdf": (1, {}, "succeeded"),
}
# What is no DCAT, and the words that say so.
OTHERS = {
    "csw-iso19139/9250AA67-F3AC-6C12-0CB9-0662231AA181_iso.xml": "<gmd:MD_Metadata>, which is not RDF",
    "csw-iso19139/csw_geobretagne_mdmetadata.xml": "<gmd:MD_Metadata>, which is not RDF",
    "csw-iso19139/fr-geonetwork-dcat-page-1.xml": "<csw:GetRecordsResponse>, which is not RDF",
    "csw-iso19139/fr-geonetwork-geodcatap-page-1.xml": "<csw:GetRecordsResponse>, which is not RDF",
    "csw-iso19139/fr-geonetwork-iso19139-page-1.xml": "<csw:GetRecordsResponse>, which is not RDF",
    "csw-iso19139/inspire-getrecords-response.xml": "<csw:GetRecordsResponse>, which is not RDF",
    "csw-iso19139/iso_keywords_anchor.xml": "<gmd:MD_Metadata>, which is not RDF",
    "csw-iso19139/metawal.wallonie.be-catchments.xml": "<mdb:MD_Metadata>, which is not RDF",
    "ch-zurich-meta-xml/GEO-alterswohnung-DEFAULT-meta.xml": "<datensammlung>, which is not RDF",
    "ch-zurich-meta-xml/ugly/no-license-meta.xml": "<datensammlung>, which is not RDF",
    "london-datastore/barnet-data.json": "context is elsewhere, at https://project-open-data.cio.gov",
    "london-datastore/ugly/govuk-mock-ssi/package_search-start0.json": "Line 2, column 27",
    "london-datastore/ugly/govuk-mock-ssi/package_search-start100.json": "Line 2, column 27",
    "dcat-fixtures/udata/dkan-french-w-license.json": "describes no dataset, series or service of DCAT",
    "helsinki-hri/ckan-2017-new-schema-record.json": "describes no dataset, series or service of DCAT",
}


@pytest.fixture
def data(sample_data: Path) -> Path:
    """The samples, or a plain word that they are absent."""
    folder = sample_data / "data"
    if not folder.is_dir():
        pytest.skip(f"CITYNODE_TEST_DATA has no folder data: {folder} is absent")
    return folder


def refused(city: City, run) -> dict[str, int]:
    codes = [row.code for row in city.rows(run, "refused")]
    return {code: codes.count(code) for code in codes}


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_is_published_once_and_the_second_run_writes_nothing(name: str, data: Path, city: City) -> None:
    published, faults, state = CATALOGUES[name]
    city.add(data / name)
    run = city.run()
    assert (run.state, run.counters.added, refused(city, run)) == (state, published, faults), run.reason
    assert city.verify() == published
    for full in (False, True):
        again = city.run(full=full)
        assert (again.counters.unchanged, again.ranges) == (published, [])
    assert city.size() == published


@pytest.mark.parametrize("name", [name for name, (published, _, _) in CATALOGUES.items() if published])
def test_a_published_record_keeps_to_the_mandatory_shapes_or_is_listed_with_its_findings(
    name: str, data: Path, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    monkeypatch.setattr(logging.getLogger("rdflib.term"), "disabled", True)
    city.add(data / name)
    city.run()
    held = city.held()[:60]
    payloads = city.node.shelf.payloads(held)
    broken = violated(b"".join(payloads))
    for record, payload in zip(held, payloads, strict=True):
        triples = triples_of(payload)
        said = {finding for finding in city.node.shelf.findings(record) if finding.level == "mandatory"}
        assert said == {f for f in check.findings(record.kind, record.iri, triples) if f.level == "mandatory"}
        assert bool(said) == any(s in broken for s, _, _ in triples), record.iri


def violated(ntriples: bytes) -> set[str]:
    """The nodes that break a mandatory shape, as a SHACL engine sees it."""
    graph = rdflib.Graph().parse(data=ntriples, format="nt")
    shapes = rdflib.Graph().parse(SHAPES)
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes, advanced=True, inference="none")
    return {f"<{report.value(each, SH.focusNode)}>" for each in report.subjects(rdflib.RDF.type, SH.ValidationResult)}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_dcat_is_refused_as_such_and_says_so(name: str, data: Path, city: City) -> None:
    city.add(data / name)
    run = city.run()
    assert (run.state, counts(run)) == ("partial", {})
    assert OTHERS[name] in run.reason
    assert city.size() == 0


@pytest.mark.parametrize("name", OTHERS)
def test_a_source_that_turns_into_something_else_loses_nothing(name: str, data: Path, city: City) -> None:
    portal = city.write((data / "dcat-fixtures/udata/catalog.xml").read_bytes(), "portal.xml")
    city.add(portal, threshold_percent=100)
    city.run()
    before = city.digests()
    portal.write_bytes((data / name).read_bytes())
    run = city.run()
    assert run.state == "partial"
    assert city.digests() == before
    assert len(before) == 4


@pytest.mark.parametrize("name", [ANTWERP, GHENT, "dcat-fixtures/ckanext-dcat/catalog.rdf"])
def test_a_catalogue_over_http_is_the_same_as_in_a_file(
    name: str, data: Path, city: City, portal: PortalServer
) -> None:
    city.add(data / name)
    city.run()
    before = city.digests()
    portal.pages["/catalogue"] = page((data / name).read_bytes(), MEDIA[Path(name).suffix], etag='"1"')
    with city.node.db.write() as tx:
        tx.run("UPDATE source SET location = ?", f"{portal.url}/catalogue")
    run = city.run()
    assert (run.state, run.ranges) == ("succeeded", []), run.reason
    assert city.digests() == before
    assert city.run().counters.read == 0, "304"


# --- Antwerp and Ghent


@pytest.fixture
def flanders(data: Path, city: City) -> City:
    """Both cities' catalogues in one node."""
    for name, sample in (("antwerp", ANTWERP), ("ghent", GHENT)):
        city.add(data / sample, name)
        assert city.run(name).state == "succeeded"
    assert len(city.digests()) == 467
    return city


def shuffled(source: bytes, form: ox.RdfFormat, seed: int) -> bytes:
    """The same graph as N-Triples in another order, its nameless nodes and genids under other names."""
    dice = random.Random(seed)
    names: dict[str, str] = {}

    def renamed(term):
        if isinstance(term, ox.BlankNode):
            return ox.BlankNode(names.setdefault(term.value, f"z{len(names)}x{dice.randrange(10**9)}"))
        if isinstance(term, ox.NamedNode) and "/.well-known/genid/" in term.value:
            new = names.setdefault(term.value, f"https://other.example/.well-known/genid/z{len(names)}")
            return ox.NamedNode(new)
        return term

    quads = [
        ox.Quad(renamed(q.subject), q.predicate, renamed(q.object))
        for q in ox.parse(source, format=form, lenient=True, base_iri=f"{BASE}/sources/x/")
    ]
    dice.shuffle(quads)
    return ox.serialize(quads, format=ox.RdfFormat.N_TRIPLES) or b""


def test_another_order_and_other_genids_write_nothing(flanders: City, data: Path) -> None:
    before, size = flanders.digests(), flanders.size()
    for seed, (name, sample, form) in enumerate(
        (("antwerp", ANTWERP, ox.RdfFormat.TURTLE), ("ghent", GHENT, ox.RdfFormat.RDF_XML)), 1
    ):
        text = shuffled((data / sample).read_bytes(), form, seed)
        path = flanders.write(text, f"{name}.nt")
        with flanders.node.db.write() as tx:
            tx.run("UPDATE source SET location = ? WHERE name = ?", str(path), name)
        run = flanders.run(name)
        assert run.counters.unchanged == run.counters.read, (name, counts(run))
    assert (flanders.digests(), flanders.size()) == (before, size)


@pytest.mark.parametrize("suffix", ["ttl", "jsonld", "rdf", "nt"])
def test_our_own_output_gives_a_second_node_the_same_digests(suffix: str, flanders: City, second: City) -> None:
    held = flanders.held()
    made = page_of(flanders.node.shelf.payloads(held), [], suffix, context_url=f"{BASE}/contexts/v1.jsonld")
    assert made.left_out == ()
    second.add(second.write(made.body, f"own.{suffix}"))
    run = second.run()
    assert (run.state, counts(run)) == ("succeeded", {"added": 467}), run.reason
    assert second.digests() == flanders.digests()


@contextmanager
def served(city: City, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(create_app(city.node), port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, 20)
        yield
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def test_a_second_node_that_harvests_what_the_first_one_serves_has_the_same_digests(
    data: Path, migrated: Path, tmp_path: Path, lasting_parser: None
) -> None:
    """Over HTTP, through Hydra's paging, under the same base URL: as when a city moves its node."""
    import shutil

    with PortalServer() as free:
        port = int(free.url.rsplit(":", 1)[1])
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(migrated, folder / "node.db")
        made.append(make_city(folder, base_url=f"http://127.0.0.1:{port}", page_size=100))
    first, second = made
    try:
        first.add(data / ANTWERP, "antwerp")
        first.run("antwerp")
        with served(first, port):
            second.add(f"http://127.0.0.1:{port}/collections/open-data.ttl", "moved")
            run = second.run("moved")
            assert (run.state, run.counters.added) == ("succeeded", 180), run.reason
            assert second.digests() == first.digests()
            assert second.slugs() == first.slugs()
            assert counts(second.run("moved")) == {"unchanged": 180}
    finally:
        for city in made:
            city.node.close()


# --- the feed


def test_the_pages_of_a_feed_beside_a_file_are_followed_and_dead_links_are_told(data: Path, city: City) -> None:
    """The navigation is whole; most leaves were left out of the sample on purpose."""
    city.add(data / LDES / "index.trig")
    run = city.run()
    assert run.state == "partial"
    assert "could not be read" in run.reason
    missing = [note for note in run.notes if "could not be read" in note]
    assert len(missing) == 8
    assert not [note for note in run.notes if "repeats" in note], "empty leaves are alike in their bytes alone"


def leaves(data: Path) -> list[Path]:
    found = sorted(path for path in (data / LDES / "root").glob("*/index.trig") if path.stat().st_size > 100_000)
    assert len(found) == 2
    return found


def in_feed(leaf: Path) -> set[str]:
    """The records of a leaf, counted plainly: datasets, series and services with an IRI."""
    dcat = "http://www.w3.org/ns/dcat#"
    kinds = {ox.NamedNode(dcat + name) for name in ("Dataset", "DatasetSeries", "DataService")}
    quads = ox.parse(path=leaf, format=ox.RdfFormat.TRIG, base_iri="https://x.example/", lenient=True)
    return {q.subject.value for q in quads if q.object in kinds and isinstance(q.subject, ox.NamedNode)}


def test_a_feed_over_http_gives_every_record_of_its_leaves(data: Path, city: City, portal: PortalServer) -> None:
    root = data / LDES
    first, last = leaves(data)
    for path in root.rglob("index.trig"):
        portal.pages[f"/{path.relative_to(root)}"] = page(path.read_bytes(), MEDIA[".trig"])
    # The links to leaves that are not in the sample lead to empty ones, but for two.
    empty = page("<> a <https://w3id.org/tree#Node> .", "text/turtle")
    begin = "2025-04-13T15_3A45_3A00.000Z_123187500_0"
    tree = "https://w3id.org/tree#"
    links = " ".join(
        f"<> <{tree}relation> [ <{tree}node> <../{leaf.parent.name}/index.trig> ] ." for leaf in (first, last)
    )
    portal.pages[f"/root/{begin}/index.trig"] = page(links, MEDIA[".trig"])
    city.add(f"{portal.url}/index.trig")
    for missing in [*_dead(city.run()), *_dead(city.run())]:
        portal.pages[missing.removeprefix(portal.url)] = empty
    run = city.run(full=True)
    assert run.state in ("succeeded", "partial")
    assert not _dead(run), run.reason
    expected = in_feed(first) | in_feed(last)
    held = set(city.digests())
    refusals = {row.source_key for row in city.rows(run, "refused")}
    genids = {iri for iri in expected if "/.well-known/genid/" in iri}
    assert (held | refusals) - genids >= expected - genids
    assert len(held) > 50
    size = city.size()
    again = city.run(full=True)
    assert (again.ranges, city.size()) == ([], size)


def _dead(run) -> list[str]:
    return [note.split(" ")[2] for note in run.notes if note.startswith("The page ") and "could not be read" in note]


# --- Hydra, in both dialects


def test_a_udata_collection_is_paged_to_its_end(data: Path, city: City, portal: PortalServer) -> None:
    folder = data / "dcat-fixtures" / "udata"
    for number in (1, 2):
        text = (folder / f"paged-collection-{number}.jsonld").read_text()
        text = text.replace("http://data.test.org/catalog.jsonld", f"{portal.url}/catalog.jsonld")
        portal.pages[f"/catalog.jsonld?page={number}"] = page(text, "application/ld+json")
    portal.pages["/catalog.jsonld"] = portal.pages["/catalog.jsonld?page=1"]
    city.add(f"{portal.url}/catalog.jsonld?page=1")
    run = city.run()
    assert (run.state, counts(run)) == ("succeeded", {"added": 4}), run.reason
    assert [path for path, _ in portal.asked] == ["/catalog.jsonld?page=1", "/catalog.jsonld?page=2"]
    portal.pages["/catalog.jsonld?page=2"] = page(b"", "application/ld+json")
    broken = city.run()
    assert (broken.state, broken.counters.withdrawn, broken.counters.held) == ("partial", 0, 0)


def test_a_collection_whose_second_page_is_missing_says_what_it_lacks(data: Path, city: City) -> None:
    city.add(data / "dcat-fixtures/udata/paged-collection-1.jsonld")
    run = city.run()
    assert (run.state, counts(run)) == ("partial", {"added": 3})
    assert "page=2" in run.reason
    assert any("says it holds 4 records and 3 were found" in note for note in run.notes)


# --- one point each


def test_accessurl_in_the_wrong_case_is_read_as_what_it_means(data: Path, city: City) -> None:
    city.add(data / "uk-scotland-glasgow/dcat-jsonld/glasgow.json")
    city.run()
    right = wrong = 0
    for held, payload in zip(city.held(), city.node.shelf.payloads(city.held()), strict=True):
        right += payload.count(b"<http://www.w3.org/ns/dcat#accessURL> <http")
        wrong += payload.count(b"dcat#accessUrl")
        assert {"term-misspelt", "literal-for-iri"} <= city.codes(held.iri)
    source = (data / "uk-scotland-glasgow/dcat-jsonld/glasgow.json").read_text()
    assert (right, wrong) == (source.count('"dcat:accessUrl"'), 0)


def test_literals_where_iris_are_due_are_kept_or_mended_and_found(data: Path, city: City) -> None:
    city.add(data / "dcat-fixtures/ugly/sig.oreme.rdf")
    city.run()
    (held,) = city.held()
    assert {"literal-for-iri", "not-an-iri"} <= city.codes(held.iri)


def test_odd_datetimes_survive_in_their_own_spelling(data: Path, city: City) -> None:
    text = (data / "dcat-fixtures/ugly/dcat-ap-ch-dataset-datetimes.xml").read_text()
    titled = text.replace("</dcat:Dataset>", "<dct:title xml:lang='de'>Zeiten</dct:title></dcat:Dataset>")
    city.harvest(titled, file="titled.xml")
    (held,) = city.held()
    payload = city.payload(held.iri)
    quads = ox.parse(text, format=ox.RdfFormat.RDF_XML, lenient=True, base_iri="https://x.example/")
    moments = {str(q.object) for q in quads if isinstance(q.object, ox.Literal) and "date" in q.predicate.value.lower()}
    assert moments
    assert {moment for moment in moments if moment not in payload} == set()


def test_machine_translations_travel_along_and_never_name_a_record(data: Path, city: City) -> None:
    city.add(data / ANTWERP)
    city.run()
    text = b"".join(city.node.shelf.payloads(city.held())).decode()
    for tag in ("@en-t-nl", "@fr-t-nl", "@nl"):
        assert f'"{tag} .' in text


def test_a_missing_full_stop_is_mended_and_said(data: Path, city: City) -> None:
    city.add(data / "dcat-fixtures/ugly/smart-flanders-catalog.ttl")
    run = city.run()
    assert any("full stop" in note for note in run.notes)
