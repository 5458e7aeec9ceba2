"""Documents that would bring a parser down, and the child process that they bring down instead of the node."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from node.errors import Malformed, Stopped, TooLarge, Unavailable
from node.vocab import child
from node.vocab.parse import _REFUSALS, Parser
from tests.vocab.parse_rig import BASE, JSONLD, RDF, TURTLE, XML, Rdf

# Bombs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<s> " + "<http://e/p> [ " * 100_000 + "]" * 100_000 + " .", TURTLE),
        ("<s> <http://e/p> " + "( " * 100_000 + ")" * 100_000 + " .", TURTLE),
        (RDF + "<e:a><e:b>" * 100_000 + "</e:b></e:a>" * 100_000 + "</rdf:RDF>", XML),
        ('{"http://e/p":' * 100_000 + "1" + "}" * 100_000, JSONLD),
        ("[" * 1_000_000, JSONLD),
        ('{"@context":' * 5_000 + "{}" + "}" * 5_000, JSONLD),
    ],
    ids=["turtle-blank", "turtle-list", "xml", "json-ld", "json-ld-open", "json-ld-context"],
)
def test_a_nesting_bomb_ends_soon_and_the_parser_lives(rdf: Rdf, body: str, media_type: str) -> None:
    begun = time.monotonic()
    with suppress(TooLarge, Malformed):
        rdf(body, media_type)
    assert time.monotonic() - begun < 10
    assert rdf("<s> <http://e/p> 1 .")[1].triples == 1


def test_deep_xml_is_refused_at_once_and_tags_in_values_do_not_count(rdf: Rdf) -> None:
    with pytest.raises(TooLarge, match="deeper than 256"):
        rdf(RDF + "<e:a><e:b>" * 200 + "</e:b></e:a>" * 200 + "</rdf:RDF>", XML)
    flat = '<rdf:Description rdf:about="s" e:p=">"><e:q><![CDATA[<a>]]></e:q><e:r rdf:resource="/>"/></rdf:Description>'
    assert len(rdf(f"{RDF}{flat * 300}</rdf:RDF>", XML)[0]) == 900


def test_deep_json_ld_is_refused_as_too_deep(rdf: Rdf) -> None:
    with pytest.raises(TooLarge, match="deeper than 64"):
        rdf('{"http://e/p":' * 100 + "1" + "}" * 100, JSONLD)


def test_a_prefix_bomb_does_not_fill_the_disk(rdf: Rdf) -> None:
    with pytest.raises(TooLarge, match="could not be written"):
        rdf(f"@prefix p: <http://e/{'x' * 500_000}> .\n" + "p:s p:p p:o .\n" * 1_000)


@pytest.mark.slow
def test_a_child_out_of_memory_is_too_large_and_the_parser_goes_on(tmp_path: Path) -> None:
    path, to = tmp_path / "document", tmp_path / "lines"
    path.write_bytes(b"<http://e/s> <http://e/p> '" + b"x" * (300 << 20) + b"' .")
    with Parser(memory_bytes=200 << 20) as parser:
        with pytest.raises(TooLarge):
            parser.rdf_to_lines(path, to, media_type=TURTLE, base_iri=BASE, timeout_s=60)
        assert not to.exists()
        path.write_bytes(b"<http://e/s> <http://e/p> 'x' .")
        assert parser.rdf_to_lines(path, to, media_type=TURTLE, base_iri=BASE, timeout_s=30).triples == 1


def clique(size: int) -> bytes:
    return "".join(f"_:n{a} <http://e/p> _:n{b} .\n" for a in range(size) for b in range(size) if a != b).encode()


def test_a_small_graph_is_given_its_canonical_form(parser: Parser) -> None:
    one = parser.canonicalize(b'_:x <http://e/p> "1" .\n_:y <http://e/q> _:x .\n', 10)
    other = parser.canonicalize(b'_:b <http://e/q> _:a .\n_:a <http://e/p> "1" .\n', 10)
    assert one == other == b'_:c14n0 <http://e/p> "1" .\n_:c14n1 <http://e/q> _:c14n0 .\n'
    assert parser.canonicalize(b"", 10) == b""
    with pytest.raises(Malformed):
        parser.canonicalize(b"nonsense", 10)


@pytest.mark.slow
def test_a_poison_graph_is_too_large_in_time_and_the_parser_goes_on(parser: Parser) -> None:
    begun = time.monotonic()
    with pytest.raises(TooLarge, match="too much alike"):
        parser.canonicalize(clique(12), 1)
    assert time.monotonic() - begun < 3
    assert parser.canonicalize(b"_:a <http://e/p> 1 .".replace(b"1", b'"1"'), 10) == b'_:c14n0 <http://e/p> "1" .\n'


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path, to = tmp_path / "document", tmp_path / "lines"
    path.write_bytes(b"<http://e/s> <http://e/p> 'x' .\n" * 500_000)
    with Parser() as parser:
        parser.canonicalize(b"", 30)
        begun = time.monotonic()
        with pytest.raises(TooLarge, match=r"longer than 0\.1 s"):
            parser.rdf_to_lines(path, to, media_type=TURTLE, base_iri=BASE, timeout_s=0.1)
        assert time.monotonic() - begun < 1
        assert list(tmp_path.iterdir()) == [path]


def test_a_large_body_goes_through_the_pipe(parser: Parser) -> None:
    body = "".join(f'<http://e/s{n:06}> <http://e/p> "{n}" .\n' for n in range(20_000)).encode()
    assert parser.canonicalize(body, 30) == body


@pytest.mark.slow
def test_stop_ends_a_running_parse(tmp_path: Path) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    with Parser(stop=stop) as parser:
        parser.canonicalize(b"", 30)
        timer.start()
        begun = time.monotonic()
        with pytest.raises(Stopped):
            parser.canonicalize(clique(12), 30)
        assert time.monotonic() - begun < 1.0
        with pytest.raises(Stopped):
            parser.canonicalize(b"", 30)
    timer.join()


@pytest.mark.slow
def test_killing_from_another_thread_stops_one_call_and_not_the_next(tmp_path: Path) -> None:
    with Parser() as parser:
        parser.canonicalize(b"", 30)
        timer = threading.Timer(0.3, parser.kill)
        timer.start()
        with pytest.raises(Stopped):
            parser.canonicalize(clique(12), 30)
        timer.join()
        assert parser.canonicalize(b"", 30) == b""


@pytest.mark.slow  # a process ends and another begins
def test_a_child_that_somebody_killed_is_replaced(parser: Parser) -> None:
    parser.canonicalize(b"", 30)
    assert parser._child is not None
    os.kill(parser._child._child.process.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert parser.canonicalize(b"", 30) == b""


@pytest.mark.slow
def test_the_child_dies_with_its_parent_in_the_middle_of_a_parse(tmp_path: Path) -> None:
    program = """
        import sys, threading
        from node.vocab.parse import Parser
        from tests.vocab.test_parse_child import clique
        parser = Parser()
        parser.canonicalize(b"", 30)
        print(parser._child._child.process.pid, flush=True)
        parser.canonicalize(clique(12), 60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.5)
        assert is_running(child)
        parent.kill()
        parent.wait()
    until = time.monotonic() + 3
    while is_running(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    """Tell whether a process lives; one that is dead and not yet collected by its new parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


def test_the_child_sees_nothing_of_the_nodes_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYNODE_SECRET", "hush")
    with Parser() as parser:
        parser.canonicalize(b"", 30)
        assert parser._child is not None
        environment = Path(f"/proc/{parser._child._child.process.pid}/environ").read_bytes()
    assert b"hush" not in environment


@pytest.mark.parametrize(
    "body",
    [b"<!---->" * 60 + b"<x/>", b"<!-- a -->\n" * 400 + b"<rdf:RDF", b"<!--" * 100_000, b"<x>" + b"<![CDATA[" * 60_000],
    ids=["comments", "a block of comments", "comments that never end", "sections that never end"],
)
def test_comments_and_sections_cost_time_by_length_and_not_by_its_square(rdf: Rdf, body: bytes) -> None:
    begun = time.monotonic()
    with pytest.raises((Malformed, TooLarge)) as refused:
        rdf(body, "application/rdf+xml")
    assert time.monotonic() - begun < 10
    assert "s of" not in str(refused.value), "out of time"


def test_a_full_disk_is_no_fault_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> tuple[dict[str, Any], bytes]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setitem(child._JOBS, "rdf", full)
    said, _ = child._do({"do": "rdf"}, b"")
    assert (said["error"], "no space left" in said["message"]) == (Unavailable.code, True)
    assert _REFUSALS[said["error"]] is Unavailable
