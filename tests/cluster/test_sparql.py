"""SPARQL of a running node, as strangers and the system treat it: engines die, queries explode, the next is fine."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from rdflib import Graph, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from rdflib.term import Literal

from node.outbound.engine import child_at
from tests.catalog.graph.engines import running
from tests.cluster.rig import City, catalogue, city, free_port, wait_for

COUNT = "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s a <http://www.w3.org/ns/dcat#Dataset> }"
RECORDS = 300
QUICK = {
    "CITYNODE_SPARQL": "embedded",
    "CITYNODE_SPARQL_TIMEOUT_S": "3",
    "CITYNODE_SPARQL_MEMORY_MIB": "256",
    "CITYNODE_RATE_PUBLIC_PER_MIN": "0",
    "CITYNODE_TRUSTED_PROXIES": "127.0.0.1/32",  # so that a test can ask as somebody else
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

EXPLOSIONS = {
    "a product of everything with everything": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }",
    "a product that is sorted": "SELECT ?a { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f ?a LIMIT 1",
    "paths of any length over any property": "SELECT (COUNT(*) AS ?n) { ?a (!<x:y>)* ?b . ?c (!<x:y>)* ?d }",
    "paths within paths": "SELECT (COUNT(*) AS ?n) { ?a ((!<x:y>+)+/(!<x:z>*)*)* ?b }",
    "optional after optional": "SELECT (COUNT(*) AS ?n) {"
    + " ".join(f"OPTIONAL {{ ?a{n} ?b{n} ?c{n} }}" for n in range(8))
    + "}",
}
# Every row is long and all of them are sorted, so all must be held at once.
BOMB = "SELECT ?x { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i BIND(CONCAT(STR(?a), STR(?d), STR(RAND())) AS ?x) } ORDER BY ?x"


def ask(node: City, query: str = COUNT, *, who: str = "192.0.2.1") -> tuple[int, bytes]:
    headers = {**FORM, "X-Forwarded-For": who}
    reply = node.ask("/sparql", method="POST", headers=headers, body=urlencode({"query": query}).encode())
    return reply.status, reply.body


def counted(node: City) -> int:
    status, body = ask(node)
    return int(json.loads(body)["results"]["bindings"][0]["n"]["value"]) if status == 200 else -1


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("cluster")
    with city(folder / "node", environ=QUICK) as made:
        source = catalogue(folder / "c.ttl", RECORDS)
        made.say("sources", "add", "own", source, "--kind", "dcat")
        made.say("harvest", "run", "own")
        made.start()
        wait_for(lambda: counted(made) == RECORDS, "the store to be filled", made.log)
        yield made
        assert made.stop() == 0


@pytest.mark.parametrize("query", EXPLOSIONS.values(), ids=EXPLOSIONS)
def test_an_explosion_is_stopped_at_its_limit_and_the_next_query_is_answered(helsinki: City, query: str) -> None:
    begun = time.monotonic()
    status, body = ask(helsinki, query)
    took = time.monotonic() - begun
    if status == 200:  # it was no explosion here, and then it must be a whole answer
        assert json.loads(body)
    else:
        assert status == 503
        assert json.loads(body)["type"].endswith("/problems/unavailable")
    assert took < 5
    if b"memory" in body:  # it came to that bound before the one of time, and the engine is just starting
        wait_for(lambda: counted(helsinki) == RECORDS, "the engine to come back", helsinki.log, within_s=5)
    assert counted(helsinki) == RECORDS


def test_what_an_explosion_leaves_running_is_ended_within_seconds(helsinki: City) -> None:
    address = helsinki.folder / "graph" / "public.address"
    ask(helsinki, EXPLOSIONS["optional after optional"])
    time.sleep(5)
    found = child_at(address)
    assert found is not None
    before = _ticks(found.pid)
    time.sleep(1)
    assert _ticks(found.pid) - before < 50  # of a hundred: nothing runs there any more
    assert counted(helsinki) == RECORDS


def _ticks(pid: int) -> int:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(words[11]) + int(words[12])


def test_others_who_ask_meanwhile_hear_nothing_of_it(helsinki: City) -> None:
    wrong: list[bytes] = []
    stop = threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            status, body = ask(helsinki, who="192.0.2.2")
            if status != 200:
                wrong.append(body)
            time.sleep(0.02)

    asker = threading.Thread(target=keep_asking)
    asker.start()
    try:
        assert ask(helsinki, EXPLOSIONS["optional after optional"])[0] == 503
        time.sleep(4)
    finally:
        stop.set()
        asker.join()
    assert wrong == []


def test_a_killed_engine_is_back_within_seconds_with_all_it_held(helsinki: City) -> None:
    found = child_at(helsinki.folder / "graph" / "public.address")
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    begun = time.monotonic()
    wait_for(lambda: counted(helsinki) == RECORDS, "the engine to come back", helsinki.log)
    assert time.monotonic() - begun < 5


def test_a_query_that_eats_memory_ends_the_engine_alone_which_is_back_within_seconds(tmp_path: Path) -> None:
    with city(tmp_path / "node", environ={**QUICK, "CITYNODE_SPARQL_TIMEOUT_S": "60"}) as made:
        made.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", RECORDS), "--kind", "dcat")
        made.say("harvest", "run", "own")
        made.start()
        wait_for(lambda: counted(made) == RECORDS, "the store to be filled", made.log)
        status, body = ask(made, BOMB)
        assert status == 503, body[:200]
        assert "too much memory" in json.loads(body)["detail"]
        assert "LIMIT" in json.loads(body)["fix"]
        begun = time.monotonic()
        wait_for(lambda: counted(made) == RECORDS, "the engine to come back", made.log)
        assert time.monotonic() - begun < 5
        assert made.get("/healthz")[0] == 200
        died = [event["process"] for event in made.events() if event["event"].startswith("died")]
        assert set(died) == {"store public"}
        assert made.stop() == 0


def test_a_change_can_be_queried_within_seconds_of_its_commit_also_what_came_while_the_engine_was_gone(
    tmp_path: Path,
) -> None:
    with city(tmp_path / "node", environ=QUICK) as made:
        source = catalogue(tmp_path / "c.ttl", 5)
        made.say("sources", "add", "own", source, "--kind", "dcat")
        made.start()
        wait_for(lambda: counted(made) == 5, "the first harvest to be there", made.log)
        found = child_at(made.folder / "graph" / "public.address")
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)
        catalogue(tmp_path / "c.ttl", 9)
        made.say("harvest", "run", "own")
        wait_for(lambda: counted(made) == 9, "what changed", made.log)
        assert made.stop() == 0


def test_a_second_start_on_the_same_folder_is_refused_and_the_first_goes_on(helsinki: City) -> None:
    graph = helsinki.folder / "graph"
    before = {each.name: each.read_bytes() for each in graph.glob("*.address")}
    said = helsinki.ran("run", "--port", free_port())
    assert (said.returncode, "[already-running]" in said.stderr) == (3, True)
    assert str(helsinki.folder) in said.stderr.splitlines()[-1]
    assert {each.name: each.read_bytes() for each in graph.glob("*.address")} == before
    assert counted(helsinki) == RECORDS
    assert "ok    triple store public" in helsinki.say("doctor")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_node_that_is_started_while_the_one_before_it_ends_waits_for_it(tmp_path: Path, number: int) -> None:
    with city(tmp_path / "node", environ=QUICK) as made:
        made.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", 5), "--kind", "dcat")
        made.start()
        wait_for(lambda: counted(made) == 5, "the first harvest to be there", made.log)
        first = made.process
        assert first is not None
        first.send_signal(number)
        made.launch()
        first.wait(20)
        made.until_ready()
        wait_for(lambda: counted(made) == 5, "the stores of the second", made.log)
        assert not [event for event in made.events() if event["event"].startswith("died")]
        assert made.stop() == 0


def test_rdflib_asks_as_of_any_other_endpoint(helsinki: City) -> None:
    graph = Graph(SPARQLStore(f"{helsinki.address}/sparql", returnFormat="json"))
    [row] = graph.query(COUNT)
    assert int(row[0]) == RECORDS
    dcat, dct = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"
    [subject, *_] = graph.subjects(URIRef("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"), URIRef(f"{dcat}Dataset"))
    assert isinstance(graph.value(subject, URIRef(f"{dct}title")), Literal)
    made = Graph(SPARQLStore(f"{helsinki.address}/sparql", method="POST")).query(f"DESCRIBE <{subject}>")
    assert made.graph is not None
    assert (subject, None, None) in made.graph


def test_the_command_asks_the_running_node(helsinki: City, tmp_path: Path) -> None:
    file = tmp_path / "count.rq"
    file.write_text(COUNT)
    assert helsinki.say("sparql", file) == f"?n\n{RECORDS}\n"
    assert helsinki.json("sparql", file)["head"]["vars"] == ["n"]
    assert helsinki.say("sparql", file, "--form", "csv").splitlines() == ["n", str(RECORDS)]
    assert helsinki.say("sparql", file, "--restricted", "--form", "csv").splitlines() == ["n", "0"]
    helsinki.say("sparql", tmp_path / "none.rq", code=1)
    file.write_text("DROP ALL")
    helsinki.say("sparql", file, code=1)


def test_who_asks_nothing_but_explosions_leaves_the_others_their_turns(helsinki: City) -> None:
    stop, slowest, wrong = threading.Event(), 0.0, []
    product = EXPLOSIONS["a product of everything with everything"]

    def explode(who: str) -> None:
        while not stop.is_set():
            ask(helsinki, product, who=who)
            time.sleep(0.05)

    askers = [threading.Thread(target=explode, args=(f"192.0.2.{number}",)) for number in (3, 3, 4, 4)]
    for asker in askers:
        asker.start()
    try:
        time.sleep(6.5)  # both have run into the limit of time by now
        until = time.monotonic() + 8
        while time.monotonic() < until:
            begun = time.monotonic()
            status, body = ask(helsinki, who="192.0.2.5")
            slowest = max(slowest, time.monotonic() - begun)
            if status != 200:
                wrong.append(body)
            time.sleep(0.2)
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert wrong == []
    assert slowest < 5  # a place, or an engine that just starts anew


def test_an_engine_of_the_operators_own_takes_the_public_stores_place(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    with running(theirs) as other:
        address = other.engine.address
        assert address is not None
        own = {**QUICK, "CITYNODE_SPARQL": address.query_url, "CITYNODE_SPARQL_UPDATE_URL": address.update_url}
        with city(tmp_path / "node", environ=own) as made:
            made.say("sources", "add", "own", catalogue(tmp_path / "c.ttl", 7), "--kind", "dcat")
            made.start()
            graphs = "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
            wait_for(lambda: b'"7"' in ask(made, graphs)[1], "the other engine to be filled", made.log)
            assert not made.pids("store public")
            assert made.pids("store restricted")
            assert not (made.folder / "graph" / "public").exists()
            assert other.rows(COUNT)[0].startswith(("7", '"7"'))
            assert made.stop() == 0


def test_a_node_without_a_store_says_so(tmp_path: Path) -> None:
    with city(tmp_path / "node") as made:
        made.start()
        assert ask(made)[0] == 404
        assert not made.pids("store public")
        assert not (made.folder / "graph").exists()
        assert made.stop() == 0
