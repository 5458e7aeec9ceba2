"""W3C's tests of SPARQL 1.1 through the endpoint of a node: its protocol where it reads, queries, and their results.

Each request goes through the whole web application to a real engine. Data lies in named graphs and is named by the
protocol, as any caller could do it, since the store's own default graph is all graphs together. What the engine is
known to do otherwise is named below, so that a new difference fails, and a fixed one as well.
"""

import csv
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pyoxigraph as ox
import pytest
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.compare import isomorphic
from rdflib.term import Literal, Node

from node.web.assemble import build
from tests.catalog.graph.engines import Running, running
from tests.catalog.rig import BASE, make_city
from tests.web.client import Client

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
UT = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
RS = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")
RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#")
FOLDERS = (
    "aggregates", "bind", "bindings", "construct", "csv-tsv-res", "exists", "functions", "grouping", "json-res",
    "subquery", "syntax-query",
)  # fmt: skip
ROWS = {".srx": "application/sparql-results+xml", ".srj": "application/sparql-results+json"}
PLAIN = {".csv": "text/csv", ".tsv": "text/tab-separated-values"}
UPDATES = ("update_dataset_default_graph", "update_dataset_full", "update_post_form", "update_post_direct")
# Oxigraph gives numbers in their canonical spelling, a language to what GROUP_CONCAT joins of one language, and binds
# no graph where nothing in GRAPH ?g matches a triple: VALUES alone, a count of nothing.
KNOWN = frozenset(
    {
        "aggregates/agg-empty-group-count-graph",
        "aggregates/agg-groupconcat-04",
        "aggregates/agg-groupconcat-06",
        "bindings/graph",
        "csv-tsv-res/csv03",
        "csv-tsv-res/tsv03",
    }
)


@dataclass
class World:
    """A node, and the engine that its public endpoint asks."""

    client: Client
    engine: Running
    suite: Path

    def say(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> httpx.Response:
        return self.client._runner.run(self.client._client.request(method, path, headers=headers, content=body))

    def hold(self, graphs: dict[str, Path]) -> None:
        """Let the store hold these graphs and nothing else."""
        self.engine.engine.update(b"DROP ALL", deadline_s=10)
        for name, path in graphs.items():
            store = ox.Store()
            store.load(path=str(path), base_iri=path.as_uri(), to_graph=ox.NamedNode(name))
            quads = store.dump(format=ox.RdfFormat.N_QUADS)
            if quads:
                self.engine.engine.load(quads, deadline_s=10)

    def ask(self, query: str, accept: str, dataset: list[tuple[str, str]]) -> httpx.Response:
        headers = {"content-type": "application/sparql-query", "accept": accept}
        return self.say("POST", f"/sparql?{urlencode(dataset)}", headers, query.encode())


@pytest.fixture(scope="module")
def suite(sample_data: Path) -> Path:
    folder = sample_data / "standards" / "sparql11"
    if not folder.is_dir():
        pytest.skip(f"W3C's tests of SPARQL are absent: {folder} is no folder")
    return folder


@pytest.fixture(scope="module")
def world(migrated: Path, tmp_path_factory: pytest.TempPathFactory, suite: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(migrated, folder / "node.db")
    city = make_city(folder, sparql="embedded", rate_public_per_min=0)
    with running(folder / "graph", timeout_s=20) as engine:
        (folder / "graph" / "public.json").write_text('{"whole": true, "position": 0, "records": 0}')
        client = Client(build(city.node.site), BASE)
        yield World(client, engine, suite)
        client.close()
    city.node.close()


def manifest(suite: Path, folder: str) -> Graph:
    path = suite / folder / "manifest.ttl"
    return Graph().parse(path, publicID=path.as_uri())


def entries(graph: Graph) -> list[Node]:
    [listed] = graph.objects(None, MF.entries)
    return list(Collection(graph, listed))


def path_of(node: Node) -> Path:
    return Path(str(node).removeprefix("file://"))


def name_of(entry: Node) -> str:
    return str(entry).rpartition("#")[2]


# ---------------------------------------------------------------- protocol


def test_the_protocol_holds_where_it_reads(world: World) -> None:
    graph = manifest(world.suite, "protocol")
    wrong, asked = {}, 0
    for entry in entries(graph):
        if name_of(entry) in UPDATES:
            continue
        held = {
            str(graph.value(data, RDFS.label)): world.suite
            / "protocol"
            / str(graph.value(data, UT.graph)).rpartition("/")[2]
            for data in graph.objects(entry, UT.graphData)
        }
        world.hold(held)
        for connection in (
            Collection(graph, graph.value(entry, MF.action))
            if _is_list(graph, entry)
            else [graph.value(entry, MF.action)]
        ):
            for request in Collection(graph, graph.value(connection, HT.requests)):
                asked += 1
                fault = _fault(world, graph, request)
                if fault:
                    wrong[name_of(entry)] = fault
    assert wrong == {}
    assert asked >= 15


def _is_list(graph: Graph, entry: Node) -> bool:
    return graph.value(graph.value(entry, MF.action), RDF.first) is not None


def _fault(world: World, graph: Graph, request: Node) -> str:
    """Ask as the manifest says, and tell what is wrong with the answer."""
    path = str(graph.value(request, HT.absolutePath)).replace("/sparql/", "/sparql")
    content = graph.value(request, HT.body)
    body = None
    if content is not None:
        encoding = str(graph.value(content, CNT.characterEncoding))
        body = str(graph.value(content, CNT.chars)).encode(encoding)
    headers: dict[str, str] = {}
    listed = graph.value(request, HT.headers)
    if listed is not None:
        for header in Collection(graph, listed):
            headers[str(graph.value(header, HT.fieldName)).lower()] = str(graph.value(header, HT.fieldValue))
    reply = world.say(str(graph.value(request, HT.methodName)), path, headers, body)
    response = graph.value(request, HT.resp)
    classes = {str(each)[-3] for each in graph.objects(response, MF.expectedStatus)}
    if str(reply.status_code)[0] not in classes:
        return f"{reply.status_code} {reply.text[:200]}"
    expected = graph.value(response, MF.expectedBoolean)
    if expected is not None and reply.json()["boolean"] is not expected.toPython():
        return reply.text
    if str(graph.value(response, MF.expectedFormat)) == "RDF" and not reply.headers["content-type"].startswith(
        "text/turtle"
    ):
        return reply.headers["content-type"]
    return ""


def test_the_service_describes_itself(world: World) -> None:
    graph, sd = Graph(), Namespace("http://www.w3.org/ns/sparql-service-description#")
    told = world.client.get("/sparql", headers={"accept": "text/turtle"})
    graph.parse(data=told.content, format="turtle")
    [service] = graph.subjects(RDF.type, sd.Service)
    assert (service, sd.endpoint, URIRef(f"{BASE}/sparql")) in graph
    assert (service, sd.supportedLanguage, sd.SPARQL11Query) in graph
    for each in graph.predicates():
        assert str(each).startswith((str(sd), str(RDF)))


# ---------------------------------------------------------------- queries


def test_every_query_of_the_suite_is_answered_as_it_says(world: World) -> None:
    wrong, asked = {}, 0
    for folder in FOLDERS:
        graph = manifest(world.suite, folder)
        for entry in entries(graph):
            name = f"{folder}/{name_of(entry)}"
            fault = _of_query(world, graph, entry)
            asked += fault is not None
            if fault:
                wrong[name] = fault
    assert {name: why for name, why in wrong.items() if name not in KNOWN} == {}
    assert set(wrong) == KNOWN
    assert asked >= 250


def _of_query(world: World, graph: Graph, entry: Node) -> str | None:
    """Tell what is wrong with the answer to a test; None if it is not about reading."""
    kind = graph.value(entry, RDF.type)
    action = graph.value(entry, MF.action)
    if kind in (MF.PositiveSyntaxTest11, MF.NegativeSyntaxTest11):
        return _of_syntax(world, path_of(action), good=kind == MF.PositiveSyntaxTest11)
    if kind not in (MF.QueryEvaluationTest, MF.CSVResultFormatTest):
        return None
    source = path_of(graph.value(action, QT.query))
    query = f"BASE <{source.as_uri()}>\n{source.read_bytes().decode()}"
    data = graph.value(action, QT.data)
    named = {str(each): path_of(each) for each in graph.objects(action, QT.graphData)}
    held = named | ({str(data): path_of(data)} if data is not None else {})
    world.hold(held)
    dataset = [("default-graph-uri", str(data))] if data is not None else []
    dataset += [("named-graph-uri", each) for each in named]
    return _compared(world, query, dataset, path_of(graph.value(entry, MF.result)))


def _of_syntax(world: World, path: Path, *, good: bool) -> str:
    world.hold({})
    query = path.read_bytes().decode()
    accept = "application/sparql-results+json, text/turtle;q=0.5"
    reply = world.ask(query, accept, [])
    if good and "custom function" in reply.text:
        return ""  # it was read, and no engine knows <http://example/function>
    return "" if reply.status_code == (200 if good else 400) else f"{reply.status_code}"


def _compared(world: World, query: str, dataset: list[tuple[str, str]], expected: Path) -> str:
    suffix = expected.suffix
    accept = ROWS.get(suffix) or PLAIN.get(suffix) or "text/turtle"
    if suffix == ".ttl" and (None, RDF.type, RS.ResultSet) in Graph().parse(expected):
        reply = world.ask(query, ROWS[".srj"], dataset)
        found, wanted = _rows(reply.content, ox.QueryResultsFormat.JSON), _result_set(Graph().parse(expected))
        return "" if found == wanted else f"{found} is not {wanted}"
    reply = world.ask(query, accept, dataset)
    if reply.status_code != 200:
        return f"{reply.status_code} {reply.text[:300]}"
    if suffix == ".csv":
        found, wanted = _table(reply.text), _table(expected.read_text())
        return "" if found == wanted else f"{found} is not {wanted}"
    if suffix == ".ttl":
        found, wanted = Graph().parse(data=reply.content, format="turtle"), Graph().parse(expected)
        return "" if isomorphic(found, wanted) else reply.text
    kind = {
        ".srx": ox.QueryResultsFormat.XML, ".srj": ox.QueryResultsFormat.JSON, ".tsv": ox.QueryResultsFormat.TSV,
    }[suffix]  # fmt: skip
    found, wanted = (_rows(body, kind) for body in (reply.content, expected.read_bytes()))
    return "" if found == wanted else f"{found} is not {wanted}"


def _table(text: str) -> object:
    """Read CSV so that it can be compared: columns and rows in any order, blank nodes by being one."""
    rows = (
        {name: "_:" if cell[:2] == "_:" else cell for name, cell in row.items()}
        for row in csv.DictReader(text.splitlines())
    )
    return Counter(tuple(sorted(row.items())) for row in rows)


def _result_set(graph: Graph) -> object:
    """Read rows that are written as a graph, in the vocabulary of the suite."""
    rows = [
        {str(graph.value(each, RS.variable)): graph.value(each, RS.value) for each in graph.objects(row, RS.binding)}
        for row in graph.objects(None, RS.solution)
    ]
    return Counter(tuple(sorted((name, _of_rdflib(term)) for name, term in row.items())) for row in rows)


def _of_rdflib(term: object) -> str:
    if isinstance(term, Literal) and term.datatype is not None:
        return _comparable(ox.Literal(str(term), datatype=ox.NamedNode(str(term.datatype))))
    return term.n3()  # type: ignore[attr-defined]


def _rows(body: bytes, kind: ox.QueryResultsFormat) -> object:
    """Read rows so that they can be compared: in any order, numbers by their value, blank nodes by being one."""
    read = ox.parse_query_results(body, format=kind)
    if isinstance(read, ox.QueryBoolean):
        return bool(read)
    names = [variable.value for variable in read.variables]
    return Counter(
        tuple(sorted((name, _comparable(row[name])) for name in names if row[name] is not None)) for row in read
    )


def _comparable(term: object) -> str:
    if isinstance(term, ox.BlankNode):
        return "_:"
    if isinstance(term, ox.Literal) and term.datatype.value.rpartition("#")[2] in (
        "decimal",
        "double",
        "float",
        "integer",
    ):
        return f"{float(term.value):.9g} {term.datatype.value}"
    return str(term)
