"""What the tests of histories share: real nodes in one process, each served on a loopback port, that know each other.

A `Town` is a whole node over a folder of its own. Its server is started and stopped as a test wants; the others then
reach it, or do not, as they would any city. Records are ours; nothing is harvested. `mirror` writes what the wire gave
without the exchange, so that these tests are about histories and not about pulling.
"""

import atexit
import contextlib
import json
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvicorn

from node.assembly import Node, build
from node.errors import NodeError
from node.federation.feed.feed_pages import MEDIA_TYPE
from node.federation.feed.pages import opening_of, read_page
from node.federation.peers.peers import Follow, Peer
from node.federation.peers.store import Peer as Row
from node.journal import Draft, catch_up, note
from node.journal.mirror import Arrived
from node.settings import load

NAME = "open-data"
UNLIMITED = {"rate_public_per_min": 0, "rate_feed_per_min": 0, "rate_token_per_min": 0}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def title(iri: str, text: str) -> bytes:
    kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset>"
    lines = [f"<{iri}> {kind} .\n", f'<{iri}> <http://purl.org/dc/terms/title> "{text}"@en .\n']
    return "".join(sorted(lines)).encode()


class Kept(ThreadingHTTPServer):
    """A server that ends the connections it kept when it ends."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        for stream in self._open:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *args: object) -> None:
        pass


_OF = re.compile(r"/collections/([a-z0-9-]+(?:/open-data)?)/(checkpoint|entries|epochs|origin)\Z")


def answered(town: "Town", method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
    """Say what a node says at an address of the federation."""
    parts = urlsplit(path)
    query = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
    federation, watching = town.node.federation, town.watching
    if parts.path == "/oauth/token":  # nobody is known here by a token
        return 400, "application/json", b'{"error": "unauthorized_client"}'
    if method == "POST":
        found: tuple[int, str, bytes] = watching.witness.add_checkpoint(body, now_ms())
        return found
    if parts.path == "/checkpoints":
        told = {"checkpoints": [dict(head.document()) for head in federation.feed.heads()]}
        return 200, "application/json", json.dumps(told).encode()
    if parts.path.startswith("/witness/"):
        held = watching.witness.held(parts.path.split("/")[2])
        return (200, "text/plain", held.encode()) if held else (404, "text/plain", b"")
    match = _OF.match(parts.path)
    if not match:
        return 404, "text/plain", b""
    name, what = match.groups()
    if what == "checkpoint":
        return 200, "text/plain", federation.feed.note(name, query.get("size")).encode()
    if what == "entries":
        page = federation.feed.paged(name, after=query["after"], size=query.get("size"), limit=query.get("limit", 1000))
        return 200, MEDIA_TYPE, page.body
    return 200, "application/json", json.dumps({"epochs": watching.epochs.published(name)}).encode()


@dataclass
class Town:
    """One node."""

    folder: Path
    name: str
    port: int
    node: Node
    app: Any = None
    server: Any = None
    thread: threading.Thread | None = None
    kept: list[Path] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def iri(self) -> str:
        return f"{self.url}/collections/{NAME}"

    @property
    def origin(self) -> str:
        return note.origin_of(self.iri)

    @property
    def watching(self) -> Any:
        return self.node.federation.watching

    @property
    def peers(self) -> Any:
        return self.node.federation.peers

    def record(self, number: int) -> str:
        return f"{self.url}/datasets/d{number}"

    def put(self, numbers: Sequence[int], text: str = "Title", *, sign: bool = True) -> str:
        """Append records, and sign; gives the note."""
        drafts = [
            Draft(self.record(n), f"d{n}", "dataset", "put", title(self.record(n), f"{text} {n}")) for n in numbers
        ]
        with self.node.db.write() as tx:
            self.node.journals.append(tx, NAME, drafts, at_ms=now_ms())
        self.catch_up()
        return self.sign() if sign else ""

    def erase(self, seq: int) -> str:
        with self.node.db.write() as tx:
            self.node.journals.erase(tx, NAME, seq, at_ms=now_ms())
        return self.sign()

    def sign(self) -> str:
        return self.node.journals.checkpoint(NAME, at_ms=now_ms())

    def catch_up(self) -> None:
        for follower in self.node.followers:
            catch_up(self.node.journals, follower)

    def size(self, name: str = NAME) -> int:
        with self.node.db.read() as tx:
            return self.node.journals.get(tx, name).size

    def root(self, size: int, name: str = NAME) -> bytes:
        with self.node.db.read() as tx:
            return self.node.journals.root(tx, name, size)

    def newest(self, name: str = NAME) -> str:
        with self.node.db.read() as tx:
            found = self.node.journals.newest_checkpoint(tx, name)
        assert found
        return found

    def entries(self, name: str = NAME) -> list[Any]:
        with self.node.db.read() as tx:
            return self.node.journals.entries(tx, name)

    # ------------------------------------------------------------ serving

    def start(self) -> "Town":
        """Answer peers: what the feed and the witness say, without the web around them (tests of the web have that)."""
        town = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = 10

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                try:
                    status, media_type, told = answered(town, self.command, self.path, body)
                except NodeError as error:
                    status, media_type, told = 404, "text/plain", str(error).encode()
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self.server = Kept(("127.0.0.1", self.port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.005})
        self.thread.start()
        return self

    def start_web(self) -> "Town":
        """Answer everyone, with the real web application."""
        from node.app import create_app

        self.app = self.app or create_app(self.node)
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="critical", lifespan="off", ws="none"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        until = time.monotonic() + 10
        while not self.server.started:
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        if self.server is not None and self.thread is not None:
            if isinstance(self.server, uvicorn.Server):
                self.server.should_exit = True
            else:
                self.server.end()
            self.thread.join(10)
            self.server = self.thread = None

    # ------------------------------------------------------------ backups

    def backup(self) -> Path:
        """Copy the database as it stands."""
        self.node.db.scrub()
        copy = self.folder / f"backup-{len(self.kept)}.db"
        shutil.copy(self.folder / "node.db", copy)
        self.kept.append(copy)
        return copy

    def restore(self, copy: Path) -> None:
        """Put an old copy in the place of the database, as after a fire."""
        served = self.server is not None
        self.stop()
        self.node.close()
        for path in self.folder.glob("node.db*"):
            path.unlink()
        shutil.copy(copy, self.folder / "node.db")
        self.node, self.app = built(self.folder, self.name, self.port), None
        if served:
            self.start()

    # -------------------------------------------------------------- peers

    def know(self, other: "Town", *, state: str = "active") -> None:
        """Write a city into the book as a person would have admitted it, with its keys pinned."""
        columns: dict[str, Any] = dict.fromkeys(Row.__dataclass_fields__, 0)
        texts = ("title", "quarantine", "note", "approved_by", "last_error_code", "last_error")
        columns |= dict.fromkeys(texts, "")
        statement = other.node.federation.identity.statement(now_ms())
        columns |= {"name": other.name, "url": other.url, "state": state, "namespaces": (f"{other.url}/",)}
        columns |= {"statement": statement, "fingerprint": other.node.keyring.fingerprint}
        columns |= {"statement_seen_at": now_ms()}
        with self.node.db.write() as tx:
            self.peers.insert(tx, Peer(**columns))
            self.peers.pin(tx, other.name, other.node.keyring.published(), 0)

    def mirror(self, other: "Town", *, via: "Town | None" = None) -> None:
        """Bring our mirror of another city level, from what it (or another mirror, `via`) serves."""
        source, name = (via, f"{other.name}/{NAME}") if via else (other, NAME)
        local = f"{other.name}/{NAME}"
        self.follow(other)
        page = read_page(
            self.node.federation.client.page(source.url, name, after=self.size(local), size=None, limit=1000)
        )
        arrived = [
            Arrived(replace(each.entry, opening=opening_of(each.opening) if each.opening else None), each.payload)
            for each in page.lines
        ]
        with self.node.db.write() as tx:
            self.node.journals.mirror(tx, local, arrived, at_ms=now_ms())
            self.node.journals.keep_note(tx, local, page.checkpoint, now_ms())
        self.catch_up()

    def follow(self, other: "Town") -> None:
        local = f"{other.name}/{NAME}"
        with self.node.db.write() as tx:
            if any(follow.local == local for follow in self.peers.follows(other.name)):
                return
            self.node.journals.create(
                tx, name=local, iri=other.iri, title="Open data", visibility="public", at_ms=now_ms()
            )
            columns: dict[str, Any] = dict.fromkeys(Follow.__dataclass_fields__, 0)
            columns |= {"peer": other.name, "collection": NAME, "iri": other.iri, "local": local, "themes": ()}
            columns |= dict.fromkeys(("etag", "known_note", "last_error_code", "last_error"), "")
            self.peers.insert_follow(tx, Follow(**columns))


def built(folder: Path, name: str, port: int) -> Node:
    asked = {"name": name.title(), "base_url": f"http://127.0.0.1:{port}", **UNLIMITED}
    return build(load(environ={}, data=folder, overrides=asked))


_RINGS: dict[str, Path] = {}


def _keys_of(name: str, to: Path) -> None:
    """Give a town the keys that it has in every test of this session: making them takes longer than most tests."""
    from node.keys import Keyring

    if name not in _RINGS:
        _RINGS[name] = Path(tempfile.mkdtemp(prefix="keys-")) / "keys"
        atexit.register(shutil.rmtree, _RINGS[name].parent, ignore_errors=True)
        Keyring.create(_RINGS[name], now_ms=now_ms() - 1000)
    shutil.copytree(_RINGS[name], to)


def founded(folder: Path, migrated: Path, name: str) -> Town:
    """Make a node with keys and one empty public collection."""
    folder.mkdir(parents=True)
    shutil.copy(migrated, folder / "node.db")
    _keys_of(name, folder / "keys")
    port = free_port()
    town = Town(folder, name, port, built(folder, name, port))
    town.node.create_collection(NAME, title="Open data", visibility="public", at_ms=now_ms())
    return town


_PREPARED: dict[tuple[str, ...], tuple[Path, tuple[int, ...]]] = {}


def _prepared(migrated: Path, names: tuple[str, ...]) -> tuple[Path, tuple[int, ...]]:
    """Make towns that know each other, once in a session: their databases are copied for every test."""
    if names in _PREPARED and not all(map(_is_free, _PREPARED[names][1])):
        del _PREPARED[names]  # somebody else on this machine took one of the ports meanwhile
    if names not in _PREPARED:
        folder = Path(tempfile.mkdtemp(prefix="towns-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        made = [founded(folder / name, migrated, name) for name in names]
        for one in made:
            for other in made:
                if one is not other:
                    one.know(other)
        for one in made:
            one.node.db.scrub()
            one.node.close()
        _PREPARED[names] = folder, tuple(one.port for one in made)
    return _PREPARED[names]


@contextlib.contextmanager
def towns(folder: Path, migrated: Path, *names: str, serve: bool = True) -> Iterator[list[Town]]:
    """Give nodes that all know each other; all are served unless told otherwise."""
    prepared, ports = _prepared(migrated, names)
    made = []
    try:
        for name, port in zip(names, ports, strict=True):
            (folder / name).mkdir(parents=True)
            shutil.copy(prepared / name / "node.db", folder / name / "node.db")
            shutil.copytree(prepared / name / "keys", folder / name / "keys")
            made.append(Town(folder / name, name, port, built(folder / name, name, port)))
        for one in made if serve else ():
            one.start()
        yield made
    finally:
        for one in made:
            one.stop()
            one.node.close()
