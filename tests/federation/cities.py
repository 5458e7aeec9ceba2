"""Cities in one process: whole nodes built by `node.assembly`, their doors outwards handed each other's ASGI apps.

No socket is opened and nothing of the node is replaced but the way out, so a whole exchange takes milliseconds. The
`Wire` between them can be cut, counted, and told to bend answers. One event loop, in a thread of the wire's, serves all
cities, as each city's web process would serve it.
"""

import asyncio
import atexit
import gzip
import shutil
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import zstandard

from node.app import create_app
from node.assembly import Node, build, keys_folder, make_keys
from node.assembly.clock import clock_ms
from node.db import Database
from node.errors import PeerUnreachable, Stopped, TooLarge
from node.federation.exchange.again import Asked
from node.federation.exchange.visits import Visited
from node.jobs.federation import Rounds
from node.journal import Draft
from node.journal.verify import verify
from node.outbound import Outbound, Reply, Span, Stream
from node.outbound.send import Body
from node.settings import Settings
from node.vocab.parse import Parser
from tests.federation import streaming

NAME = "open-data"
HELSINKI = "http://127.0.0.1:8001"
LONDON = "http://127.0.0.1:8002"
GHENT = "http://127.0.0.1:8003"
App = Callable[..., Any]
Done = TypeVar("Done")


@dataclass(frozen=True)
class Request:
    """What one city asks another."""

    asker: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    cut: int | None = None  # after so many bytes of its body the asker is gone

    @property
    def path(self) -> str:
        """The path without query."""
        return urlsplit(self.url).path

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


Bend = Callable[[Request, Reply], Reply]


@dataclass
class Wire:
    """What connects the cities. `down` are origins that do not answer; `bend` may change an answer on its way."""

    apps: dict[str, App] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    bend: Bend | None = None
    asked: list[Request] = field(default_factory=list)
    sent: int = 0  # bytes of bodies as they went over the wire
    # Of a long answer: how many bytes of a piece still arrive, of which so many came before; None for all of them.
    snap: Callable[[Request, int, int], int | None] = lambda _request, _sent, _length: None
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Wire":
        """Begin to serve."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Serve no more."""
        asyncio.run_coroutine_threadsafe(self._loop.shutdown_default_executor(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread
        self._thread.join()
        self._loop.close()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """What serves all cities."""
        return self._loop

    def stream(self, request: Request, span: Span, max_bytes: int, stop: threading.Event | None) -> Stream:
        """Ask an app for a long answer, and give it while it comes."""
        self.asked.append(request)
        if request.origin in self.down or request.origin not in self.apps:
            raise PeerUnreachable(f"{request.origin} cannot be reached.", fix="Try again later.")
        return streaming.opened(self, request, _scope(request), span, max_bytes, stop)

    def call(self, request: Request) -> Reply:
        """Ask an app and wait; the answer as it stands on the wire."""
        assert threading.current_thread() is not self._thread, "a city asks on the event loop and holds up all callers"
        parts = urlsplit(request.url)
        app = self.apps[f"{parts.scheme}://{parts.netloc}"]
        return asyncio.run_coroutine_threadsafe(_call(app, request), self._loop).result()

    def run(self, work: Coroutine[Any, Any, Done]) -> Done:
        """Do something on the event loop that serves all cities, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def ask(self, request: Request) -> Reply:
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        self.asked.append(request)
        if origin in self.down or origin not in self.apps:
            raise PeerUnreachable(f"{origin} cannot be reached.", fix="Try again later.")
        reply = self.call(request)
        self.sent += len(reply.body)
        reply = Reply(reply.status, reply.headers, _unpacked(reply))
        return self.bend(request, reply) if self.bend else reply

    def paths(self, method: str = "GET") -> list[str]:
        """The paths that were asked for, in order."""
        return [each.path for each in self.asked if each.method == method]

    def forget(self) -> None:
        """Count anew."""
        self.asked.clear()
        self.sent = 0


class Door(Outbound):
    """One city's way out: the real door's checks and bounds, with the wire where the network would be."""

    def __init__(self, wire: Wire, city: str) -> None:
        super().__init__(loopback_allowed=True, private_origins=frozenset(), user_agent="cities")
        self.wire, self.city = wire, city

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        max_bytes: int,
        deadline_s: float,
        accept: str = "",
        etag: str = "",
        stop: threading.Event | None = None,
        statuses: Collection[int] | None = None,
    ) -> Reply:
        self.check(url)
        if stop is not None and stop.is_set():
            raise Stopped("The request was stopped.")
        said = self._headers(headers or {}, accept, etag)
        reply = self.wire.ask(Request(self.city, method, url, said, body))
        if len(reply.body) > max_bytes:
            raise TooLarge(f"More than {max_bytes} bytes.")
        if statuses is not None and reply.status not in statuses:
            raise PeerUnreachable(f"{url} answered {reply.status}.")
        return reply

    def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        span: Span = Span(),  # noqa: B008  (a frozen value)
        max_bytes: int,
        open_s: float = 30.0,
        stall_s: float = 30.0,
        stop: threading.Event | None = None,
        follow: bool = False,
    ) -> Stream:
        self.check(url)
        said = {**(headers or {}), **span.headers()}
        return self.wire.stream(Request(self.city, "GET", url, said, b""), span, max_bytes, stop)

    def send(
        self,
        url: str,
        body: Body,
        *,
        method: str,
        length: int | None,
        headers: Mapping[str, str] | None = None,
        silence_s: float,
        answer_s: float = 120.0,
        stop: threading.Event | None = None,
    ) -> Reply:
        pieces: list[bytes] = []
        while piece := body.read(64 * 1024):
            if stop is not None and stop.is_set():
                raise Stopped("The request was stopped.")
            pieces.append(piece)
        whole = b"".join(pieces)
        if length is not None and len(whole) != length:
            raise PeerUnreachable(f"What was to be sent ended after {len(whole)} of {length} bytes.")
        return self.ask(
            url, method=method, body=whole, headers=headers, max_bytes=1 << 16, deadline_s=answer_s, stop=stop
        )

    def save(
        self,
        url: str,
        to: Path,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int,
        deadline_s: float,
        accept: str = "",
        stop: threading.Event | None = None,
    ) -> Reply:
        reply = self.ask(url, headers=headers, max_bytes=max_bytes, deadline_s=deadline_s, accept=accept, stop=stop)
        if reply.status != 200:
            return reply
        to.write_bytes(reply.body)
        return Reply(reply.status, reply.headers, b"", len(reply.body))


def _unpacked(reply: Reply) -> bytes:
    match reply.headers.get("content-encoding", ""):
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj(read_across_frames=True).decompress(reply.body)
        case "gzip":
            return gzip.decompress(reply.body) if reply.body else b""
    return reply.body


def _scope(request: Request) -> dict[str, Any]:
    parts = urlsplit(request.url)
    headers = {"host": parts.netloc} | {name.lower(): value for name, value in request.headers.items()}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": (parts.hostname, parts.port),
    }


async def _call(app: App, request: Request) -> Reply:
    scope = _scope(request)
    sent: list[dict[str, Any]] = []
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": request.body, "more_body": False}]
    if request.cut is not None:
        begun = {"type": "http.request", "body": request.body[: request.cut], "more_body": True}
        waiting = [{"type": "http.disconnect"}, begun]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    named = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], named, b"".join(each.get("body", b"") for each in sent[1:]))


class Lazy:
    """A city's app, made when it is first asked: that takes longer than most tests."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._app: App | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            self._app = create_app(self._node)
        await self._app(scope, receive, send)


class LastingParser(Parser):
    """The real parser, shared by all cities: starting its child process takes longer than an exchange."""

    def kill(self) -> None:
        """Live on; `end` ends it."""

    def end(self) -> None:
        super().kill()


LASTING = LastingParser()
atexit.register(LASTING.end)


@dataclass
class City:
    """A whole node, and short ways to do with it what tests do."""

    node: Node
    wire: Wire
    name: str

    @property
    def url(self) -> str:
        return self.node.settings.base_url

    @property
    def iri(self) -> str:
        """The IRI of its open data."""
        return f"{self.url}/collections/{NAME}"

    @property
    def federation(self) -> Any:
        return self.node.federation

    # ------------------------------------------------------------ records

    def record(self, number: int) -> str:
        return f"{self.url}/datasets/d{number}"

    def payload(self, number: int, title: str) -> bytes:
        it = self.record(number)
        lines = [
            f'<{it}> <http://purl.org/dc/terms/description> "Record {number} of {self.name}."@en .\n',
            f'<{it}> <http://purl.org/dc/terms/title> "{title}"@en .\n',
            f"<{it}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .\n",
        ]
        return "".join(sorted(lines)).encode()

    def put(self, number: int, title: str = "") -> Draft:
        data = self.payload(number, title or f"Title {number}")
        return Draft(self.record(number), f"d{number}", "dataset", "put", data)

    def withdrawn(self, number: int) -> Draft:
        return Draft(self.record(number), f"d{number}", "dataset", "withdraw", None)

    def publish(self, *drafts: Draft, collection: str = NAME, sign: bool = True) -> None:
        """Append and sign."""
        for start in range(0, len(drafts), 1_000):
            with self.node.db.write() as tx:
                self.node.journals.append(tx, collection, drafts[start : start + 1_000], at_ms=clock_ms())
        if sign:
            self.node.journals.checkpoint(collection, at_ms=clock_ms())

    def publish_many(self, count: int, start: int = 1, title: str = "Title") -> None:
        self.publish(*(self.put(number, f"{title} {number}") for number in range(start, start + count)))

    def begin(self, collection: str, number: int, *, visibility: str = "public") -> None:
        """Make another collection, with one record."""
        self.node.create_collection(collection, title=collection, visibility=visibility, at_ms=clock_ms())
        self.publish(self.put(number), collection=collection)

    def erase(self, seq: int, collection: str = NAME) -> None:
        with self.node.db.write() as tx:
            self.node.journals.erase(tx, collection, seq, at_ms=clock_ms())
        self.node.db.scrub()
        self.node.journals.checkpoint(collection, at_ms=clock_ms())

    def size(self, collection: str = NAME) -> int:
        return self.collection(collection).size

    def root(self, collection: str = NAME) -> bytes:
        return self.collection(collection).root

    def collection(self, name: str = NAME) -> Any:
        with self.node.db.read() as tx:
            return self.node.journals.get(tx, name)

    def shown(self, collection: str) -> dict[str, str]:
        """IRI and digest of every live record of a collection."""
        found = self.node.shelf.page(collection, offset=0, limit=100_000)
        return {held.iri: held.digest for held in found}

    def verify(self, collection: str, origin: "City | None" = None) -> int:
        """Verify a journal from end to end by its origin's key; give its size."""
        keys = (origin or self).node.journals.public_keys()
        return verify(self.node.journals, collection, keys).size

    def sql(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        with self.node.db.read() as tx:
            return tx.rows(sql, *params)

    # ------------------------------------------------------------ peers

    def meet(self, other: "City", *, follow: Sequence[str] = (NAME,)) -> None:
        """Admit a city as a person would, and follow it."""
        peers = self.node.federation.peers
        invite = f"{other.url}#{other.node.federation.identity.fingerprint}"
        peers.add(invite, name=other.name, at_ms=clock_ms())
        peers.approve(other.name, by="a person", at_ms=clock_ms())
        if follow:
            peers.follow(other.name, follow, at_ms=clock_ms())

    def mirror_of(self, other: "City", name: str = NAME) -> str:
        return f"{other.name}/{name}"

    def pull(self, other: "City", **more: Any) -> Visited:
        return self.node.federation.exchanging.visits.visit(other.name, **more)

    def retry(self, other: "City", collection: str = "") -> Asked:
        return self.node.federation.exchanging.visits.retry(other.name, collection).asked_again

    def rounds(self, *, clock: Callable[[], int] = clock_ms, chance: Callable[[], float] = lambda: 0.0) -> Rounds:
        return Rounds(self.node, clock_ms=clock, chance=chance)

    def get(self, path: str, **headers: str) -> Reply:
        """Ask this city as a stranger."""
        request = Request("stranger", "GET", self.url + path, {"accept-encoding": "identity", **headers}, b"")
        return self.wire.call(request)


def make(folder: Path, wire: Wire, name: str, base_url: str, *, database: Path, **settings: Any) -> City:
    """Put a city up over a copy of a migrated database."""
    folder.mkdir(parents=True, exist_ok=True)
    if "database_url" not in settings:
        shutil.copy(database, folder / "node.db")
    values: dict[str, Any] = {
        "data": folder,
        "name": name.capitalize(),
        "base_url": base_url,
        "rate_public_per_min": 0,
        "rate_feed_per_min": 0,
        "rate_token_per_min": 0,
    }
    made = Settings(**(values | settings))
    _keys_of(name, made)
    node = build(made, outbound=Door(wire, name))
    node.federation.exchanging.intake._judge._parser = LASTING
    node.create_collection(NAME, title=f"Open data of {name.capitalize()}", visibility="public", at_ms=clock_ms())
    wire.apps[base_url] = Lazy(node)
    return City(node, wire, name)


_keys: dict[str, Path] = {}


def _keys_of(name: str, settings: Settings) -> None:
    """Make a city's keys, the same for every city of that name: eight files that are flushed to the disk."""
    if name in _keys and _keys[name].is_dir():
        shutil.copytree(_keys[name], keys_folder(settings))
    else:
        make_keys(settings)
        _keys[name] = keys_folder(settings)


@contextmanager
def cities(folder: Path, database: Path, **urls: str) -> Iterator[tuple[City, ...]]:
    """Put cities up, by name and base URL, on one wire; they know nothing of each other yet."""
    with Wire() as wire, ExitStack() as stack:
        made = []
        for name, url in urls.items():
            made.append(make(folder / name, wire, name, url, database=database))
            stack.callback(made[-1].node.close)
        yield tuple(made)


def migrated(path: Path) -> Path:
    """Make a migrated database, for those who have no fixture."""
    db = Database(f"sqlite:///{path}")
    db.upgrade()
    db.scrub()
    db.close()
    return path
