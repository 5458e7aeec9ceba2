"""Two real cities that move data: a rig over `node.testing` with what only tests of transfers need.

Agreements are put in force and origins registered by looking into the data folders, as a command does, since their
commands have tests of their own and each costs a second. What is tested itself (getting, cutting, killing) goes through
processes, addresses and the network alone.
"""

import contextlib
import hashlib
import http.client
import json
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from node.assembly import Node, build
from node.assembly.clock import clock_ms
from node.federation.moved import OriginWish
from node.federation.pulls.door import way_of
from node.federation.signing.messages import SignedTokens
from node.journal import Draft, catch_up
from node.settings import load
from node.testing import City, Cluster, wait_for
from tests.federation.agreed import agree, change, permits

PLANS = "plans"
RATE_MIB = 48
ENVIRON = {
    "CITYNODE_PEER_POLL_S": "60",
    "CITYNODE_NOTIFY_AFTER_MS": "200",
    "CITYNODE_DATA_STALL_S": "3",
    # So that a kill falls into the middle of a transfer, and not behind its end.
    "CITYNODE_DATA_RATE_MIB": str(RATE_MIB),
    "CITYNODE_DATA_STREAMS": "64",
    "CITYNODE_RATE_PUBLIC_PER_MIN": "0",
    "CITYNODE_RATE_FEED_PER_MIN": "0",
    "CITYNODE_RATE_TOKEN_PER_MIN": "0",
}
MIB = 1 << 20


@contextlib.contextmanager
def inside(one: City) -> Iterator[Node]:
    """Look into a city's data folder, as its commands do."""
    environ = {key: value for key, value in one.surroundings().items() if key.startswith("CITYNODE_")}
    node = build(load(environ=environ, data=one.folder))
    try:
        yield node
    finally:
        node.federation.moving.pusher.close()
        node.close()


class Movers:
    """Helsinki, which has data, and London, which gets them; each behind a proxy."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.helsinki, self.london = cluster.cities
        self.folder = cluster.folder
        self._number = 0
        self._sizes: dict[int, Path] = {}

    def found(self, datasets: int) -> None:
        """Give Helsinki restricted records, start both cities, and let them know each other."""
        self.datasets = [f"{self.helsinki.base_url}/datasets/plan{number}" for number in range(datasets)]
        with inside(self.helsinki) as node:
            node.create_collection(PLANS, title="Plans", visibility="restricted", at_ms=clock_ms())
            with node.db.write() as tx:
                node.journals.append(tx, PLANS, [_draft(iri) for iri in self.datasets], at_ms=clock_ms())
            node.journals.checkpoint(PLANS, at_ms=clock_ms())
            for follower in node.followers:
                catch_up(node.journals, follower)
        self.cluster.start().introduce_all()

    # ------------------------------------------------------------ data

    def file(self, size: int) -> Path:
        """Give a file of random bytes, the same for each size."""
        if size not in self._sizes:
            path = self.folder / f"{size}.bin"
            path.write_bytes(random.Random(size).randbytes(size))
            self._sizes[size] = path
        return self._sizes[size]

    def dataset(self, *sizes: int, rules: Any = None) -> "Moving":
        """Let the next record have so many parts, under an agreement of its own."""
        iri = self.datasets[self._number]
        self._number += 1
        parts = {f"part{number}.bin": self.file(size) for number, size in enumerate(sizes)}
        with inside(self.helsinki) as helsinki, inside(self.london) as london:
            for name, path in parts.items():
                register(helsinki, iri, name, path)
            agreement = agree(helsinki, london, records=[iri], rules=rules or permits("use"))
        return Moving(self, iri, agreement, parts)


def register(node: Node, dataset: str, part: str, path: Path) -> None:
    """Let a file be a part of a dataset."""
    wish = OriginWish(dataset, str(path), part=part, media_type="application/octet-stream")
    node.federation.moving.origin_parts.office.add(wish, by="the rig", files=True)


def _draft(iri: str) -> Draft:
    lines = (
        f'<{iri}> <http://purl.org/dc/terms/description> "A plan."@en .\n',
        f'<{iri}> <http://purl.org/dc/terms/title> "Plan {iri[-1]}"@en .\n',
        f"<{iri}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .\n",
    )
    return Draft(iri, iri.rpartition("/")[2], "dataset", "put", "".join(lines).encode())


class Moving:
    """One dataset that moves from Helsinki to London."""

    def __init__(self, movers: Movers, dataset: str, agreement: str, parts: Mapping[str, Path]) -> None:
        self.movers, self.dataset, self.agreement, self.parts = movers, dataset, agreement, parts
        self.helsinki, self.london = movers.helsinki, movers.london
        self.to = movers.folder / f"to-{Path(dataset).name}"

    def words(self, *more: object) -> tuple[object, ...]:
        """Spell the command that gets it."""
        return ("data", "get", self.dataset, "--peer", "helsinki", "--to", f"{self.to}/", "--wait", "60", *more)

    def get(self, *more: object) -> None:
        """Get it to its end, again and again as a person would who sees that it can be gone on with."""
        until = time.monotonic() + 60
        while (done := self.london.ran(*self.words(*more))).returncode and time.monotonic() < until:
            time.sleep(0.2)
        assert done.returncode == 0, done.stdout + done.stderr

    def here(self) -> int:
        """How many bytes of it are in London so far, whole or not, fetched or brought."""
        return size_of(self.to) + size_of(self.london.folder / "incoming")

    def until_under_way(self, least: int) -> None:
        wait_for(lambda: self.here() >= least, "bytes to come", self.london.log, 60, every_s=0.02)

    def until_still(self, least_s: float) -> float:
        """Look until nothing more has come for so long; give when the last byte came."""
        size, at = self.here(), time.monotonic()
        while time.monotonic() < at + least_s:
            time.sleep(0.02)
            if self.here() != size:
                size, at = self.here(), time.monotonic()
        return at

    def is_exact(self) -> bool:
        return all(digest(self.to / name) == digest(path) for name, path in self.parts.items())

    def transfer(self, one: City) -> dict[str, Any]:
        """The newest transfer of this dataset as a city has it."""
        found = one.api("GET", "/data/transfers?ended=true")["transfers"]
        newest: dict[str, Any] = next(each for each in found if each["dataset"] == self.dataset)
        return newest

    def streams(self) -> list[dict[str, Any]]:
        """What Helsinki streamed of it, in order."""
        pid = self.transfer(self.helsinki)["pid"]
        found: list[dict[str, Any]] = self.helsinki.api("GET", f"/data/transfers/{pid}")["streams"]
        return found

    def states(self) -> list[str]:
        return [str(self.transfer(one)["state"]) for one in (self.helsinki, self.london)]

    def receipts(self) -> list[dict[str, Any]]:
        """What each city filed of this dataset, the newest first of each kind, provider and consumer."""
        return [one_receipt(one, self.dataset) for one in (self.helsinki, self.london)]

    def change(self, state: str) -> float:
        """Let Helsinki say how it stands to the agreement from now on; gives when that was written."""
        with inside(self.helsinki) as node:
            change(node, self.agreement, state, reason="The law asks for it.")
            return time.monotonic()


def size_of(folder: Path) -> int:
    """Add up the files below a folder; one that goes away meanwhile has none."""
    found = 0
    for each in folder.rglob("*") if folder.exists() else ():
        with contextlib.suppress(FileNotFoundError):
            found += each.stat().st_size if each.is_file() else 0
    return found


def one_receipt(one: City, dataset: str) -> dict[str, Any]:
    with inside(one) as node:
        sql = "SELECT kind, document FROM receipt WHERE dataset = ? ORDER BY at DESC"
        rows = node.db.hot().rows(sql, (dataset,))
    return {str(kind): json.loads(document) for kind, document in reversed(rows)}


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Reader:
    """London at Helsinki's data door by hand: one request, read as one likes."""

    def __init__(self, movers: Movers, moving: Moving) -> None:
        self._peer = movers.helsinki.base_url
        self._moving = moving
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            node = stack.enter_context(inside(self._moving.london))
            source = node.federation.token_source
            self._tokens = SignedTokens(source, node.federation.dsp.messages)
            transfers = node.federation.moving.transfers
            asked = transfers.request(self._peer, self._moving.agreement, self._moving.dataset, jkt=source.thumbprint)
            started = lambda: transfers.get(asked.pid).state == "STARTED"  # noqa: E731
            wait_for(started, "the transfer to start", self._moving.helsinki.log, 30)
            self.way = way_of(transfers.get(asked.pid))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def opened(self) -> http.client.HTTPResponse:
        """Ask for the first part."""
        url = f"{self.way.endpoint}/part0.bin"
        headers = self._tokens.headers(self._peer, "GET", url, details=self.way.details)
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self._stack.callback(connection.close)
        connection.request("GET", urlsplit(url).path, headers=dict(headers))
        return connection.getresponse()

    def fetched(self) -> str:
        """Ask for the first part until there is room for the question; say what came: whole, short or refused."""
        while True:
            with self.opened() as answer:
                body = b"" if answer.status == http.HTTPStatus.TOO_MANY_REQUESTS else answer.read()
                if answer.status == http.HTTPStatus.OK:
                    return "whole" if len(body) == int(answer.headers["content-length"]) else "short"
                if answer.status == http.HTTPStatus.FORBIDDEN:
                    return "refused"
                assert answer.status == http.HTTPStatus.TOO_MANY_REQUESTS, body
            time.sleep(0.05)


class Clockwork:
    """A folder that makes the Python processes that have it on their path see another time."""

    def __init__(self, folder: Path, ahead_s: float) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(
            "import time\n"
            "_ns, _s = time.time_ns, time.time\n"
            f"time.time_ns = lambda: _ns() + int({ahead_s} * 1e9)\n"
            f"time.time = lambda: _s() + {ahead_s}\n"
        )
        self.environ = {"PYTHONPATH": str(folder)}
