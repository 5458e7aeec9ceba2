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
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.harvesting import harvest
from benchmarks.rig import (
    CALLER_CPU,
    SERVER_CPU,
    Bench,
    Row,
    citynode,
    command,
    environment,
    free_port,
    pinned,
    running,
    waited_for,
)

DOCUMENTS = 1_000
CONNECTIONS = 32
NGINX = 75_000  # what nginx did where the target was set
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


def serve(bench: Bench) -> Iterator[Row]:
    """Measure `/datasets/{slug}.ttl` and its 304."""
    if shutil.which("wrk") is None:
        yield Row("requests a second", "left out: wrk is not installed (apt-get install wrk)")
        return
    with ExitStack() as stack:
        port = free_port()
        data = _node(bench, port)
        stack.enter_context(_web(data, port))
        nginx = _nginx(bench, stack, data, port)
        if nginx is None:
            bench.say("nginx is not installed (apt-get install nginx-light): no ratio")
        for what, fresh, target in ((".ttl of a record", False, 15_000), ("304 of a record", True, 0)):
            bench.say(f"{what}: {DOCUMENTS} documents, {CONNECTIONS} connections")
            ours, theirs, late = _in_turns(bench, data, port, nginx, fresh=fresh)
            asked = f" ({target / NGINX:.2f} is asked)" if target else ""
            ratio = f"{ours / theirs:.2f} of nginx's {theirs:,.0f}/s{asked}" if theirs else ""
            ok = ours >= target if target else None
            yield Row(what, f"{ours:,.0f} requests/s (p99 {late})", f">= {target:,}" if target else "", ok, ratio)


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


def _paths(data: Path) -> list[str]:
    found = citynode(data, "catalog", "stats", "--json")
    assert json.loads(found.out), "the node is empty"
    return [f"/datasets/{number:07d}.ttl" for number in range(DOCUMENTS)]


def _nginx(bench: Bench, stack: ExitStack, data: Path, port: int) -> int | None:
    """Serve the very bytes that the node gives as files; give nginx's port, or None if it is not here."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        return None
    folder = bench.folder / "nginx"
    (folder / "files" / "datasets").mkdir(parents=True)
    for path, (body, _) in zip(_paths(data), _fetched(port, _paths(data)), strict=True):
        (folder / "files" / path[1:]).write_bytes(body)
    theirs = free_port()
    user = "user root;" if folder.owner() == "root" else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=theirs, user=user))
    stack.enter_context(running([program, "-c", str(folder / "nginx.conf")], environment(), cpu=SERVER_CPU))
    waited_for(f"http://127.0.0.1:{theirs}{_paths(data)[0]}")
    return theirs


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


def _in_turns(bench: Bench, data: Path, ours: int, theirs: int | None, *, fresh: bool) -> tuple[float, float, str]:
    """Ask both servers in turns; give the better of each one's rates, and our 99th percentile in that turn."""
    scripts = {port: _script(bench, data, port, fresh=fresh) for port in (ours, theirs) if port}
    rates: dict[int, list[tuple[float, str]]] = {port: [] for port in scripts}
    for _ in range(1 if bench.quick else 3):
        bench.calm()
        for port, script in scripts.items():
            rates[port].append(_wrk(port, script, seconds=1 if bench.quick else 3))
    best, late = max(rates[ours])
    return best, max(rates[theirs])[0] if theirs else 0.0, late


def _script(bench: Bench, data: Path, port: int, *, fresh: bool) -> Path:
    paths = _paths(data)
    marks = [json.dumps(mark) for _, mark in _fetched(port, paths)] if fresh else []
    path = bench.folder / f"ask-{port}-{fresh}.lua"
    path.write_text(_SCRIPT.format(paths=", ".join(map(json.dumps, paths)), marks=", ".join(marks)))
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
