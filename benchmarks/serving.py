"""Benchmarks 4: record documents and pages from one web process, in turns with nginx serving the same bytes as files.

wrk asks from one processor what a server on another answers: one thread, 32 connections, a random one of 1,000 records
at a time. Both servers run all the while; only one of them is asked. wrk and nginx are Debian packages (`wrk`,
`nginx-light`); what is not installed is left out and said.
"""

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.harvesting import harvest
from benchmarks.rig import (
    CALLER_CPU,
    SERVER_CPU,
    Bench,
    Row,
    command,
    environment,
    free_port,
    pinned,
    running,
    waited_for,
)

DOCUMENTS = 1_000
CONNECTIONS = 32
SHARE = 0.3  # of what nginx does with the same bytes, on the same processor in the same run
_SCRIPT = """
local asked = {{ {paths} }}
local marks = {{ {marks} }}
math.randomseed(7)
request = function()
  local n = math.random(#asked)
  local headers = {{ ["Accept"] = "text/turtle" }}
  if marks[n] then headers["If-None-Match"] = marks[n] end
  return wrk.format("GET", asked[n], headers)
end
"""
_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=2000; open_file_cache_valid 60s;
  types {{ text/turtle ttl; }}
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


@dataclass(frozen=True)
class Asked:
    """What is asked for; `fresh` with the mark of a copy that is still good."""

    paths: Sequence[str]
    fresh: bool = False


def serve(bench: Bench) -> Iterator[Row]:
    """Measure records and pages of a hundred in several forms, from memory, and the 304 of a record."""
    if shutil.which("wrk") is None:
        yield Row("requests a second", "left out: wrk is not installed (apt-get install wrk)")
        return
    with ExitStack() as stack:
        port = free_port()
        data = _node(bench, port)
        stack.enter_context(_web(data, port))
        nginx = _nginx(bench, stack, port)
        if nginx is None:
            bench.say("nginx is not installed (apt-get install nginx-light): no ratio")
        for what, asked, share in _asked():
            bench.say(f"{what}: {len(asked.paths)} documents, {CONNECTIONS} connections")
            ours, theirs, late = _in_turns(bench, port, nginx, asked)
            ratio = f"{ours / theirs:.2f} of nginx's {theirs:,.0f}/s" if theirs else ""
            ok = ours / theirs >= share if theirs and share else None
            yield Row(
                what, f"{ours:,.0f} requests/s (p99 {late})", f">= {share:.2f} of nginx" if share else "", ok, ratio
            )


def _asked() -> Iterator[tuple[str, Asked, float]]:
    for form in ("ttl", "jsonld", "rdf"):
        yield f".{form} of a record", Asked([f"/datasets/{number:07d}.{form}" for number in range(DOCUMENTS)]), SHARE
    for form in ("ttl", "jsonld"):
        paths = [f"/collections/open-data.{form}?page={number}" for number in range(1, DOCUMENTS // 100 + 1)]
        yield f".{form} page of 100 records", Asked(paths), SHARE
    yield "304 of a record", Asked([f"/datasets/{number:07d}.ttl" for number in range(DOCUMENTS)], fresh=True), 0.0


def _node(bench: Bench, port: int) -> Path:
    data = bench.node(f"web-{port}", bench.catalogue(DOCUMENTS, "dcat"), port=port)
    harvest(data)
    return data


@contextmanager
def _web(data: Path, port: int) -> Iterator[None]:
    """Run one web process on its own processor."""
    argv = command("serve", "--port", str(port), "--workers", "1")
    with running(argv, environment(data), cpu=SERVER_CPU) as process:
        waited_for(f"http://127.0.0.1:{port}/readyz", alive=lambda: process.poll() is None)
        yield


def _nginx(bench: Bench, stack: ExitStack, port: int) -> int | None:
    """Serve the very bytes that the node gives as files; give nginx's port, or None if it is not here."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        return None
    folder = bench.folder / "nginx"
    for kind in ("datasets", "collections"):
        (folder / "files" / kind).mkdir(parents=True)
    paths = [path for _, asked, _ in _asked() for path in asked.paths]
    for path, (body, _) in zip(paths, _fetched(port, paths), strict=True):
        (folder / "files" / _file(path)).write_bytes(body)
    theirs = free_port()
    user = "user root;" if folder.owner() == "root" else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=theirs, user=user))
    stack.enter_context(running([program, "-c", str(folder / "nginx.conf")], environment(), cpu=SERVER_CPU))
    waited_for(f"http://127.0.0.1:{theirs}{paths[0]}")
    return theirs


def _file(path: str) -> str:
    """Name the file of an address: nginx takes no query into account, so the page's number goes before the suffix."""
    bare, _, page = path[1:].partition("?page=")
    stem, dot, suffix = bare.rpartition(".")
    return f"{stem}-{page}{dot}{suffix}" if page else bare


def _fetched(port: int, paths: Sequence[str]) -> list[tuple[bytes, str]]:
    """Ask for documents one by one; give bodies and ETags."""
    found = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path in paths:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status)
        found.append((body, answer.getheader("ETag", "")))
    connection.close()
    return found


def _in_turns(bench: Bench, ours: int, theirs: int | None, asked: Asked) -> tuple[float, float, str]:
    """Ask both servers in turns; give the better of each one's rates, and our 99th percentile in that turn."""
    filed = Asked([f"/{_file(path)}" for path in asked.paths], asked.fresh)
    scripts = {ours: _script(bench, ours, asked)} | ({theirs: _script(bench, theirs, filed)} if theirs else {})
    rates: dict[int, list[tuple[float, str]]] = {port: [] for port in scripts}
    for _ in range(1 if bench.quick else 3):
        bench.calm()
        for port, script in scripts.items():
            rates[port].append(_wrk(port, script, seconds=1 if bench.quick else 3))
    best, late = max(rates[ours])
    return best, max(rates[theirs])[0] if theirs else 0.0, late


def _script(bench: Bench, port: int, asked: Asked) -> Path:
    # Asking for each once also brings it into memory.
    fetched = _fetched(port, asked.paths)
    marks = [json.dumps(mark) for _, mark in fetched] if asked.fresh else []
    path = bench.folder / f"ask-{port}.lua"
    path.write_text(_SCRIPT.format(paths=", ".join(map(json.dumps, asked.paths)), marks=", ".join(marks)))
    return path


def _wrk(port: int, script: Path, *, seconds: int) -> tuple[float, str]:
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script)]
    url = f"http://127.0.0.1:{port}"
    told = subprocess.run(pinned([*argv, url], CALLER_CPU), capture_output=True, text=True, check=True).stdout
    # wrk counts 304 as a good answer; what is neither that nor 200 would make the figure a lie.
    assert "Non-2xx" not in told, told
    assert "Socket errors" not in told, told
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    late = re.search(r"99%\s+(\S+)", told)
    assert rate, told
    return float(rate.group(1)), late.group(1) if late else ""


def page(bench: Bench) -> Iterator[Row]:
    """Measure pages of 100 datasets that nobody asked for before."""
    port = free_port()
    data = _node(bench, port)
    bench.say("pages of 100 datasets, each for the first time")
    with _web(data, port):
        times = []
        bench.calm()
        for number in range(1, 11):
            started = perf_counter()
            [(body, _)] = _fetched(port, [f"/collections/open-data.ttl?page={number}"])
            times.append(1000 * (perf_counter() - started))
            assert body.count(b"dcat:Dataset") >= 100, "the page does not hold 100 datasets"
    ms = median(times)
    yield Row("Turtle page of 100 datasets", f"{ms:.1f} ms (first {times[0]:.1f})", "<= 25 ms", ms <= 25)
