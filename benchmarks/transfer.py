"""Benchmarks 11: the door of data: a large part through the node, in turns with nginx proxying the very same file.

One web process on one processor, curl on another. Through the node every byte is read, hashed, counted and watched;
nginx, on the node's processor, fetches it from another nginx that sends it as a file. Handed over, nginx stands before
the node and sends the file itself. A request for a few bytes shows what a token, its proof, the decision and the books
cost; slow readers show what a stream holds in memory.
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.rig import (
    CALLER_CPU,
    SERVER_CPU,
    Bench,
    Row,
    citynode,
    command,
    descendants,
    environment,
    free_port,
    pinned,
    resident,
    running,
    waited_for,
)
from benchmarks.tokens import PEER, admit

THROUGH, HANDED = 0.30, 0.90
MEMORY_MIB, OVERHEAD_MS = 8.0, 3.0
READERS = 16
MIB = 1024 * 1024
_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{files}; root {data}; }}
  server {{ listen 127.0.0.1:{proxy}; location / {{ proxy_pass http://127.0.0.1:{files}; proxy_http_version 1.1; }} }}
  server {{
    listen 127.0.0.1:{front};
    location / {{
      proxy_pass http://127.0.0.1:{node}; proxy_http_version 1.1; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
    location /handed/ {{ internal; alias /; etag off; add_header ETag $upstream_http_etag; }}
  }}
}}
"""


def transfer(bench: Bench) -> Iterator[Row]:
    """Measure a part through the node and handed over, and what a stream and a request for a few bytes cost."""
    with ExitStack() as stack:
        door = _Door(bench, stack)
        nginx = _nginx(bench, stack, door)
        yield from _rates(bench, door, nginx)
        yield _memory(bench, door)
        yield _overhead(bench, door)


def _rates(bench: Bench, door: "_Door", nginx: "_Ports | None") -> Iterator[Row]:
    asked: dict[str, Callable[[], float]] = {"node": lambda: door.curl(door.port, door.knock())}
    if nginx is not None:
        asked |= {
            "proxy": lambda: door.curl(nginx.proxy, {}, f"/{door.file.name}"),
            "handed": lambda: door.curl(nginx.front, door.knock()),
            "file": lambda: door.curl(nginx.files, {}, f"/{door.file.name}"),
        }
    rates: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(2 if bench.quick else 5):
        bench.calm()
        for name, ask in asked.items():
            rates[name].append(ask() / MIB)
    best = {name: max(found) for name, found in rates.items()}
    size = f"{door.file.stat().st_size // MIB} MiB"
    if nginx is None:
        yield Row(f"{size} through the node", f"{best['node']:,.0f} MiB/s", "nginx is not installed: no ratio")
        return
    for what, name, share in (("through the node", "node", THROUGH), ("handed over to nginx", "handed", HANDED)):
        ratio = best[name] / best["proxy"]
        told = f"{ratio:.2f} of nginx proxying {best['proxy']:,.0f}; sending {best['file']:,.0f}"
        yield Row(f"{size} {what}", f"{best[name]:,.0f} MiB/s", f">= {share:.2f} of nginx", ratio >= share, told)


def _memory(bench: Bench, door: "_Door") -> Row:
    """Let slow readers stand at the door, and see what the process holds more than without them."""
    bench.say(f"{READERS} slow readers")
    door.curl(door.port, door.knock())
    before = sum(resident(door.pid).values())
    with ExitStack() as stack:
        for _ in range(READERS):
            stack.enter_context(running([*door.argv(door.port, door.knock()), "--limit-rate", "200k"], environment()))
        peak = 0
        for _ in range(30):
            time.sleep(0.1)
            peak = max(peak, sum(resident(door.pid).values()))
    each = (peak - before) / READERS / MIB
    return Row("memory of a stream", f"{each:.1f} MiB", f"<= {MEMORY_MIB:.0f} MiB", each <= MEMORY_MIB)


def _overhead(bench: Bench, door: "_Door") -> Row:
    """Ask for a few bytes at a time, in turns with a document that is made for nobody; processor time of the server."""
    count = 100 if bench.quick else 500
    bench.say(f"{count} requests for a few bytes")
    costs: dict[str, list[float]] = {"range": [], "plain": []}
    waits: list[float] = []
    for _ in range(3):
        bench.calm(5)
        asked = [(door.path, door.knock() | {"Range": f"bytes={at * 999}-{at * 999 + 99}"}) for at in range(count)]
        for name, each in (("plain", [("/healthz", {})] * count), ("range", asked)):
            before = _cpu_s(door.pid)
            took = _asked(door.port, each)
            costs[name].append((_cpu_s(door.pid) - before) / count * 1000)
            waits += [statistics.median(took) * 1000] if name == "range" else []
    more = min(costs["range"]) - min(costs["plain"])
    told = f"{min(waits):.1f} ms until it is there; {min(costs['plain']):.2f} ms for a health check"
    return Row(
        "token, decision, books of a range", f"{more:.2f} ms", f"<= {OVERHEAD_MS:.0f} ms", more <= OVERHEAD_MS, told
    )


def _asked(port: int, asked: Sequence[tuple[str, dict[str, str]]]) -> list[float]:
    """Ask one after the other over one connection; give the seconds of each."""
    took = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path, headers in asked:
        started = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        took.append(time.perf_counter() - started)
        assert answer.status in (200, 206), (answer.status, body)
    connection.close()
    return took


def _cpu_s(pid: int) -> float:
    """Give the processor seconds of a process and its children so far."""
    ticks = 0
    for each in [pid, *descendants(pid)]:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class _Ports:
    files: int
    proxy: int
    front: int


class _Door:
    """A node that hands out one file to one peer, and the peer's key."""

    def __init__(self, bench: Bench, stack: ExitStack) -> None:
        from node.federation.tokens.dpop import ProofKey

        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._data = bench.folder / "door"
        self.file = bench.folder / "part.bin"
        self._key = ProofKey()
        bench.say("writing a large part")
        _write(self.file, (64 if bench.quick else 512) * MIB)
        citynode(self._data, "init", "--name", "Bench", "--base-url", self.base)
        self.pid_of_transfer = str(uuid.uuid4())
        self.path = f"/data/{self.pid_of_transfer}/{self.file.name}"
        self._token, self._issued_at = "", 0.0
        self._node = _built(self._data)
        stack.callback(self._node.close)
        self._fill(self._node)
        more = {"CITYNODE_DATA_STREAMS": "64", "CITYNODE_TRUSTED_PROXIES": "127.0.0.1", "CITYNODE_SPARQL": "off"}
        environ = environment(self._data, CITYNODE_DATA_ACCEL="/handed/", **more)
        argv = command("serve", "--port", str(self.port), "--workers", "1")
        process = stack.enter_context(running(argv, environ, cpu=SERVER_CPU))
        self.pid = process.pid
        waited_for(f"{self.base}/readyz", alive=lambda: process.poll() is None)

    def knock(self) -> dict[str, str]:
        """Show the token, with a fresh proof, and sign."""
        if time.monotonic() - self._issued_at > 200:
            self._token, self._issued_at = self._issued(), time.monotonic()
        now_ms = time.time_ns() // 1_000_000
        proof = self._key.proof("GET", self.base + self.path, now_ms=now_ms, token=self._token)
        shown = {"Authorization": f"DPoP {self._token}", "DPoP": proof}
        return {**shown, **self._node.federation.dsp.messages.sign_request("GET", self.base + self.path, shown, None)}

    def argv(self, port: int, headers: dict[str, str], path: str = "") -> list[str]:
        """Spell a call of curl that throws away what comes."""
        said = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        told = ["-sS", "-o", os.devnull, "-w", "%{json}"]
        return ["curl", *told, *said, f"http://127.0.0.1:{port}{path or self.path}"]

    def curl(self, port: int, headers: dict[str, str], path: str = "") -> float:
        """Fetch all of the part; give the bytes a second."""
        argv = pinned(self.argv(port, headers, path), CALLER_CPU)
        told = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
        assert (told["http_code"], told["size_download"]) == (200, self.file.stat().st_size), told
        return float(told["speed_download"])

    def _fill(self, node: Any) -> None:
        from node.journal import Draft, catch_up

        # The peer has the node's own keys, which tell nothing about its speed.
        admit(node, node.keyring)
        iri = f"{self.base}/datasets/large"
        with node.db.write() as tx:
            draft = Draft(iri, "large", "dataset", "put", _described(iri))
            node.journals.append(tx, "open-data", [draft], at_ms=_now_ms())
        for follower in node.followers:
            catch_up(node.journals, follower)
        _lie(node, iri, self.file)
        _begin(node, self.pid_of_transfer, iri, _agreed(node, iri), self._key.thumbprint)

    def _issued(self) -> str:
        moving = self._node.federation.moving
        said = moving.door.tokens.address(moving.transfers.get(self.pid_of_transfer))["endpointProperties"]
        return str(next(each["value"] for each in said if each["name"] == "authorization"))


def _built(data: Path) -> Any:
    from node.assembly import build
    from node.settings import load

    return build(load(environ={}, data=data))


def _lie(node: Any, iri: str, file: Path) -> None:
    from node.federation.moved import OriginWish

    office = node.federation.moving.origin_parts.office
    office.add(OriginWish(iri, str(file), file.name), by="a benchmark", files=True)


def _agreed(node: Any, iri: str) -> str:
    """Put an agreement in force that lets the peer use the dataset; give its name."""
    from types import SimpleNamespace

    from node.federation.agreements.signing import Signing
    from node.federation.agreements.text import compose

    base, now_ms = node.settings.base_url, _now_ms()
    name = f"{base}/agreements/{uuid.uuid4()}"
    rules = {"permission": [{"action": "use"}]}
    text = compose(name, iri, base, PEER, now_ms, {"title": "A large part", "covers": [iri]}, rules)
    hands = [Signing(node.keyring, url=url, federation=node.settings.federation) for url in (base, PEER)]
    signed = hands[1].countersign(hands[0].sign_as_assigner(text, now_ms), now_ms)[0]
    with node.db.write() as tx:
        node.federation.agreeing.pairs.concluded(tx, SimpleNamespace(signed=signed, message="", pid="none"), now_ms)
    node.federation.agreeing.pairs.sign(now_ms)
    return name


def _begin(node: Any, pid: str, iri: str, agreement: str, jkt: str) -> None:
    """Write a transfer as one that has started."""
    from node.federation.transfers.moves import new
    from node.federation.transfers.store import TransferStore

    members = {"pid": pid, "other_pid": "theirs", "other_url": PEER, "state": "STARTED", "agreement": agreement}
    with node.db.write() as tx:
        made = new("provider", PEER, _now_ms(), dataset=iri, jkt=jkt, used_at=_now_ms(), **members)
        TransferStore(node.db).insert(tx, made)


def _described(iri: str) -> bytes:
    kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset>"
    return f'<{iri}> <http://purl.org/dc/terms/title> "Large"@en .\n<{iri}> {kind} .\n'.encode()


def _write(path: Path, size: int) -> None:
    block = os.urandom(MIB)
    with path.open("wb") as out:
        for _ in range(size // MIB):
            out.write(block)
    path.chmod(0o644)


def _nginx(bench: Bench, stack: ExitStack, door: _Door) -> _Ports | None:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        bench.say("nginx is not installed (apt-get install nginx-light): no ratio")
        return None
    folder = bench.folder / "nginx"
    folder.mkdir()
    ports = _Ports(free_port(), free_port(), free_port())
    user = "user root;" if folder.owner() == "root" else ""
    told = {"files": ports.files, "proxy": ports.proxy, "front": ports.front, "node": door.port}
    written = _NGINX.format(folder=folder, user=user, data=bench.folder, **told)
    (folder / "nginx.conf").write_text(written)
    stack.enter_context(running([program, "-c", str(folder / "nginx.conf")], environment(), cpu=SERVER_CPU))
    waited_for(f"http://127.0.0.1:{ports.files}/{door.file.name}", limit_s=60)
    return ports


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
