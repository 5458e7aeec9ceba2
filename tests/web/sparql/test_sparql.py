# ruff: noqa: S608 - SPARQL, and no SQL.
"""`/sparql` of a whole node over real engines: what the protocol promises, what is refused, and who sees what."""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from node.federation.policy.terms import CHANNELS
from node.journal import catch_up
from node.web.assemble import build
from tests.catalog.graph.engines import Running, running, tended
from tests.catalog.rig import BASE, make_city
from tests.federation.agreed import agree_alone, atom, change, permits
from tests.journal.rig import iri_of, put
from tests.web.client import Client
from tests.web.test_feed_rights import PEER, Rig

pytestmark = pytest.mark.slow  # whole nodes with real engines: seconds, not milliseconds

FORM = {"content-type": "application/x-www-form-urlencoded"}
DIRECT = {"content-type": "application/sparql-query"}
ALL = "SELECT ?s { ?s ?p ?o FILTER(CONTAINS(STR(?s), '/datasets/')) } ORDER BY ?s"
# One that the engine can stop by itself; those that it cannot are for tests that have somebody to start it anew.
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a <x:p>+ ?b . ?b <x:p>+ ?c . ?c <x:p>+ ?d }"
RESULTS = {
    "application/sparql-results+json": b'"bindings"',
    "application/sparql-results+xml": b"<sparql",
    "text/csv": b"s\r\n",
    "text/tab-separated-values": b"?s\n",
}
GRAPHS = {
    "text/turtle": b"<http",
    "application/n-triples": b" .\n",
    "application/rdf+xml": b"<rdf:RDF",
    "application/ld+json": b'"@id"',
}


@dataclass
class World(Rig):
    """A node, its engines, and a client that can show tokens."""

    public: Running | None = None

    def ask(self, query: str = "", *, path: str = "/sparql", accept: str = "", **params: str) -> httpx.Response:
        asked = {"query": query, **params} if query else params
        return self.say(
            "POST", path, headers=FORM | ({"accept": accept} if accept else {}), body=urlencode(asked).encode()
        )

    def subjects(self, reply: httpx.Response) -> list[str]:
        assert reply.status_code == 200, reply.text
        return [row["s"]["value"] for row in reply.json()["results"]["bindings"]]

    def level(self) -> None:
        for follower in self.node.followers:
            catch_up(self.node.journals, follower)
        for reading in self.node.finding.apart:
            if reading.name.startswith("graph"):
                reading.catch_up(threading.Event())

    def restricted(
        self, query: str = ALL, *, as_peer: bool = True, dataset: str = "", **named: object
    ) -> httpx.Response:
        path = f"/sparql/restricted?{urlencode({'query': query})}{dataset}"
        return self.as_peer("GET", path) if as_peer else self.as_named(path, **named)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(migrated, folder / "node.db")
    limits = {"rate_feed_per_min": 0, "rate_public_per_min": 0, "rate_token_per_min": 0}
    whole = make_city(
        folder, sparql="embedded", sparql_timeout_s=1, sparql_result_mib=4, sparql_query_bytes=4096, **limits
    )
    node = whole.node
    for name in ("secret", "other"):
        node.create_collection(name, title=name, visibility="restricted", at_ms=1_000)
    with node.db.write() as tx:
        node.journals.append(tx, "open-data", [put(1, "One"), put(2, "Two")], at_ms=2_000)
        node.journals.append(tx, "secret", [put(7, "Seven")], at_ms=2_000)
        node.journals.append(tx, "other", [put(8, "Eight")], at_ms=2_000)
        tx.run("INSERT INTO peer (name, url, fingerprint, state, added_at) VALUES ('b', ?, 'f', 'active', 1)", PEER)
    with (
        running(folder / "graph", timeout_s=2) as public,
        tended(public),
        running(folder / "graph", "restricted", timeout_s=2),
    ):
        agreed = agree_alone(node, PEER, "secret", rules=permits("read", "index"))
        made = World(whole, Client(build(node.site), BASE), agreed, public=public)
        made.level()
        yield made
        made.client.close()
        node.close()


def test_everybody_asks_over_all_open_records_in_each_way_of_the_protocol(world: World) -> None:
    got = world.client.get(f"/sparql?{urlencode({'query': ALL})}")
    form = world.ask(ALL)
    direct = world.say("POST", "/sparql", headers=DIRECT, body=ALL.encode())
    assert world.subjects(got) == world.subjects(form) == world.subjects(direct) == [iri_of(1), iri_of(2)]
    assert got.headers["content-type"] == "application/sparql-results+json"
    assert got.headers["access-control-allow-origin"] == "*"
    again = world.client.get(f"/sparql?{urlencode({'query': ALL})}", headers={"if-none-match": got.headers["etag"]})
    assert again.status_code == 304


def test_each_record_is_a_graph_named_by_its_document(world: World) -> None:
    graphs = world.ask("SELECT DISTINCT ?s { GRAPH ?s { ?a ?b ?c } } ORDER BY ?s")
    assert world.subjects(graphs) == [f"{BASE}/datasets/d1", f"{BASE}/datasets/d2"]


def test_from_and_the_protocol_name_a_dataset_and_the_protocol_wins(world: World) -> None:
    one, two = f"{BASE}/datasets/d1", f"{BASE}/datasets/d2"
    query = f"SELECT ?s FROM <{one}> {{ ?s ?p ?o }}"
    assert world.subjects(world.ask(query)) == [iri_of(1)]
    assert world.subjects(world.ask(query, **{"default-graph-uri": two})) == [iri_of(2)]
    assert world.subjects(world.ask(ALL, **{"named-graph-uri": one})) == []


@pytest.mark.parametrize(("kind", "holds"), RESULTS.items())
def test_rows_come_in_every_form(world: World, kind: str, holds: bytes) -> None:
    reply = world.ask(ALL, accept=kind)
    assert reply.headers["content-type"].partition(";")[0] == kind
    assert holds in reply.content


@pytest.mark.parametrize(("kind", "holds"), GRAPHS.items())
def test_graphs_come_in_every_form(world: World, kind: str, holds: bytes) -> None:
    for query in ("CONSTRUCT WHERE { ?s ?p ?o }", f"DESCRIBE <{iri_of(1)}>"):
        reply = world.ask(query, accept=kind)
        assert reply.headers["content-type"].partition(";")[0] == kind
        assert holds in reply.content


def test_what_clients_also_say_is_understood_and_what_does_not_exist_is_not_made(world: World) -> None:
    assert world.ask(ALL, accept="application/json").headers["content-type"] == "application/sparql-results+json"
    assert world.ask(ALL, format="csv").headers["content-type"] == "text/csv; charset=utf-8"
    none = world.ask(ALL, accept="image/png")
    assert none.status_code == 406
    assert {each["media_type"] for each in none.json()["available"]} == set(RESULTS)
    assert world.ask(ALL, format="pdf").status_code == 400


def test_without_a_query_the_endpoint_describes_itself(world: World) -> None:
    told = world.client.get("/sparql", headers={"accept": "application/n-triples"})
    sd = "http://www.w3.org/ns/sparql-service-description#"
    assert f"<{sd}endpoint> <{BASE}/sparql> .".encode() in told.content
    assert f"<{sd}feature> <{sd}UnionDefaultGraph> .".encode() in told.content
    assert world.say("POST", "/sparql", headers=FORM, body=b"").status_code == 400


def test_people_get_a_page_that_shows_query_and_answer(world: World) -> None:
    page = world.client.page("/sparql")
    assert "<textarea" in page
    shown = world.ask(ALL, accept="text/html,*/*;q=0.1")
    assert shown.status_code == 200
    assert f'<a href="{iri_of(1)}" rel="nofollow">{iri_of(1)}</a>' in shown.text
    assert "format=csv" in shown.text
    assert shown.text.count('aria-labelledby="answer"') == 1, "one landmark of this name"
    assert "Yes" in world.ask("ASK { ?s ?p ?o }", format="html").text
    assert "Nothing matches" in world.ask("SELECT * { <x:x> ?p ?o }", format="html").text
    assert "<pre" in world.ask("CONSTRUCT WHERE { ?s ?p ?o }", format="html").text
    for language in ("fi", "sv", "en"):
        assert world.client.page(f"/sparql?lang={language}&query=ASK%7B%7D", language)


def test_a_page_keeps_a_query_that_is_wrong_and_says_why(world: World) -> None:
    wrong = world.ask("SELECT * { <b>&'", format="html")
    assert wrong.status_code == 400
    assert "SELECT * { &lt;b&gt;&amp;&#39;" in wrong.text
    assert 'role="alert"' in wrong.text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("SELECT * {", 400, "not closed"),
        ("SELECT * { ?s ?p }", 400, "cannot read this: error at 1:"),
        ("ASK { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", 400, "SERVICE"),
        ("DROP ALL", 400, "Nothing can be changed"),
        ("ASK {" + "#" * 5000 + "\n}", 413, "4096 bytes"),
        ("ASK " + "{" * 200 + "}" * 200, 413, "deep"),
        ("ASK { #\x0b }\n}", 400, "at which some readers end it"),
        ("\x00", 400, "no SPARQL query"),
        ("😀 קפה", 400, "cannot begin with"),
    ],
)
def test_what_cannot_be_answered_is_told_as_a_problem(world: World, query: str, status: int, said: str) -> None:
    reply = world.ask(query)
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert said in reply.json()["detail"]
    assert reply.json()["fix"]


def test_a_mark_of_the_order_of_bytes_is_no_part_of_a_query(world: World) -> None:
    assert world.ask("\ufeffASK {}").json()["boolean"] is True
    assert world.say("POST", "/sparql", headers=DIRECT, body="\ufeffASK {}".encode()).json()["boolean"] is True


def test_a_body_of_a_megabyte_is_not_read(world: World) -> None:
    assert world.say("POST", "/sparql", headers=DIRECT, body=b"ASK {}" + b" " * 2_000_000).status_code == 413


def test_nothing_is_changed_by_any_way_in(world: World) -> None:
    update = "DELETE WHERE { ?s ?p ?o }"
    assert (
        world.say(
            "POST", "/sparql", headers={"content-type": "application/sparql-update"}, body=update.encode()
        ).status_code
        == 400
    )
    assert world.say("POST", "/sparql", headers=FORM, body=urlencode({"update": update}).encode()).status_code == 400
    assert world.client.get(f"/sparql?{urlencode({'update': update})}").status_code == 400
    assert world.client.ask("PUT", "/sparql").status_code == 405
    assert world.ask("ASK { ?s ?p ?o }").json()["boolean"] is True


def test_a_query_that_is_late_is_a_clean_no_and_the_next_one_is_answered(world: World) -> None:
    many = " ".join(f"<x:{number}> <x:p> <x:{number + 1}> ." for number in range(1500))
    assert world.public is not None
    world.public.engine.update(f"INSERT DATA {{ GRAPH <x:many> {{ {many} }} }}".encode(), deadline_s=10)
    begun = time.monotonic()
    late = world.ask(RUNAWAY)
    assert time.monotonic() - begun < 2
    assert late.status_code == 503
    assert late.headers["content-type"] == "application/problem+json"
    assert late.headers["retry-after"]
    assert "1 s" in late.json()["detail"]
    assert world.ask("ASK {}").json()["boolean"] is True
    world.public.engine.update(b"DROP GRAPH <x:many>", deadline_s=10)


def test_an_answer_past_its_size_is_a_clean_no(world: World) -> None:
    assert world.public is not None
    text = "x" * 60_000
    many = " ".join(f'<x:{number}> <x:p> "{number}{text}" .' for number in range(30))
    world.public.engine.update(f"INSERT DATA {{ GRAPH <x:many> {{ {many} }} }}".encode(), deadline_s=10)
    bounds = world.node.finding.sparql.bounds
    large = world.ask(
        f"SELECT ?a ?b {{ GRAPH <x:many> {{ ?x ?y ?a . ?z ?y ?b }} }} LIMIT {2 * bounds.result_bytes // 120_000}"
    )
    world.public.engine.update(b"DROP GRAPH <x:many>", deadline_s=10)
    assert large.status_code == 413
    assert "4 MiB" in large.json()["detail"]


# ---------------------------------------------------------------- the restricted store


def test_the_restricted_endpoint_takes_a_token(world: World) -> None:
    reply = world.ask("ASK {}", path="/sparql/restricted")
    assert reply.status_code == 401
    assert "DPoP" in reply.headers["www-authenticate"]
    assert world.client.get("/sparql/restricted").status_code == 401


def test_a_peer_asks_over_what_its_agreements_permit_and_caches_keep_nothing(world: World) -> None:
    reply = world.restricted()
    assert world.subjects(reply) == [iri_of(7)]
    assert reply.headers["cache-control"] == "private, no-store"
    assert "Authorization" in reply.headers["vary"]
    graphs = world.subjects(world.restricted("SELECT DISTINCT ?s { GRAPH ?s { ?a ?b ?c } }"))
    assert (
        f"{BASE}/collections/secret" in graphs
    )  # and the journal of the agreements of the two cities, which is both's
    assert f"{BASE}/collections/other" not in graphs


def test_no_query_reaches_further_than_its_caller_may(world: World) -> None:
    other, public = f"{BASE}/collections/other", f"{BASE}/datasets/d1"
    for query in (
        f"SELECT ?s FROM <{other}> {{ ?s ?p ?o }}",
        f"SELECT ?s FROM NAMED <{other}> {{ GRAPH <{other}> {{ ?s ?p ?o }} }}",
        f"SELECT ?s {{ GRAPH <{other}> {{ ?s ?p ?o }} }}",
        f"SELECT ?s {{ GRAPH <{public}> {{ ?s ?p ?o }} }}",
        f"SELECT ?s {{ {{ GRAPH ?g {{ ?s ?p ?o }} }} FILTER(?g != <{BASE}/collections/secret>) }}",
    ):
        assert iri_of(8) not in world.restricted(query).text
        assert iri_of(1) not in world.restricted(query).text
    for name in ("default-graph-uri", "named-graph-uri"):
        for graph in (other, f"{BASE}/collections/none", "urn:x"):
            found = world.restricted(dataset="&" + urlencode({name: graph}))
            assert world.subjects(found) == []
        for graph in ("", "collections/other", "urn:x y"):
            found = world.restricted(dataset="&" + urlencode({name: graph}))
            assert (found.status_code, "no name of a graph" in found.json()["detail"]) == (400, True)
    assert world.restricted("SELECT * { ?s ?p ?o", dataset="").status_code == 400


def test_what_is_not_agreed_answers_as_what_does_not_exist(world: World) -> None:
    asked = [
        world.restricted(dataset="&" + urlencode({"default-graph-uri": f"{BASE}/collections/{name}"}))
        for name in ("other", "ether")
    ]
    assert asked[0].content == asked[1].content
    assert {key: value for key, value in asked[0].headers.items() if key != "x-request-id"} == {
        key: value for key, value in asked[1].headers.items() if key != "x-request-id"
    }


def test_a_caller_without_any_right_gets_an_empty_answer_and_never_everything(world: World) -> None:
    none = world.restricted(as_peer=False, name="stranger", scopes=frozenset({"read:open-data"}))
    assert world.subjects(none) == []
    staff = world.restricted(as_peer=False, name="maija", staff=True)
    assert world.subjects(staff) == [iri_of(7), iri_of(8)]
    program = world.restricted(as_peer=False, name="one", scopes=frozenset({"read:other"}))
    assert world.subjects(program) == [iri_of(8)]


def test_a_party_hears_that_its_agreement_refuses_and_the_end_counts_with_the_next_query(world: World) -> None:
    agreed = agree_alone(
        world.node,
        PEER,
        "other",
        rules=permits("read", constraint=[atom("deliveryChannel", "eq", CHANNELS["page"].iri)]),
    )
    refused = world.restricted(dataset="&" + urlencode({"default-graph-uri": f"{BASE}/collections/other"}))
    assert (refused.status_code, refused.json().get("agreement")) == (403, agreed)
    assert world.subjects(world.restricted()) == [iri_of(7)]
    change(world.node, agreed, "revoked")
    change(world.node, world.agreed, "revoked")
    assert world.subjects(world.restricted()) == []
    world.agreed = agree_alone(world.node, PEER, "secret", rules=permits("read", "index"))
    assert world.subjects(world.restricted()) == [iri_of(7)]


def test_what_each_use_counts_of_is_not_queried(world: World) -> None:
    counted = agree_alone(world.node, PEER, "other", rules=permits("read", constraint=[atom("count", "lteq", "5")]))
    assert world.subjects(world.restricted()) == [iri_of(7)]
    change(world.node, counted, "revoked")


def test_the_public_endpoint_never_shows_what_is_restricted(world: World) -> None:
    for query in (
        ALL,
        "SELECT ?s { GRAPH ?g { ?s ?p ?o } }",
        f"SELECT ?s FROM <{BASE}/collections/secret> {{ ?s ?p ?o }}",
    ):
        assert iri_of(7) not in world.ask(query).text
    token = world.as_named(f"/sparql?{urlencode({'query': ALL})}", "staff-too", staff=True)
    assert world.subjects(token) == [iri_of(1), iri_of(2)]
    false = world.client.get("/sparql?query=ASK%7B%7D", headers={"authorization": "Bearer cn_nonsense"})
    assert false.status_code == 401


def test_no_more_than_sixteen_graphs_at_a_time(world: World) -> None:
    graphs = urlencode([("default-graph-uri", f"x:{number}") for number in range(17)])
    assert world.client.get(f"/sparql?query=ASK%7B%7D&{graphs}").status_code == 400
