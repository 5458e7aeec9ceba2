"""What tests of the door of data share: Helsinki hands out a file, London has a transfer of it that is started.

Whole nodes in one process, and the protocol between them as it is; `Knock` asks the door as London would, chunk by
chunk, and can take as long as it likes.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from node.assembly.clock import clock_ms
from node.federation.moved import OriginWish
from node.federation.moving import TRANSFER_ACCESS
from node.journal import catch_up
from tests.federation.agreed import agree, permits
from tests.federation.cities import HELSINKI, LONDON, City, Wire, make

PART = "noise.csv"
BODY = bytes(range(256)) * 5_000  # 1.28 MB: three chunks


@dataclass
class Answer:
    """What the door answered: `ended` tells whether the body came to its end."""

    status: int
    headers: dict[str, str]
    body: bytes
    ended: bool

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Pair:
    """The two cities, and the transfer between them."""

    helsinki: City
    london: City
    folder: Path
    pid: str = ""
    agreement: str = ""

    @property
    def dataset(self) -> str:
        return self.helsinki.record(1)

    @property
    def door(self) -> Any:
        return self.helsinki.federation.moving.door

    def lay(self, body: bytes = BODY, name: str = PART, **wish: Any) -> Path:
        """Put a file where the dataset's data lie."""
        path = self.folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        office = self.helsinki.federation.moving.origin_parts.office
        office.add(OriginWish(self.dataset, str(path), name, **wish), by="a test", files=True)
        return path

    def start(self, *constraint: dict[str, Any], part: str = "", purpose: str = "", jkt: bool = True) -> str:
        """Agree, request and start; give the provider's pid."""
        rules = permits("use", constraint=constraint)
        self.agreement = agree(self.helsinki.node, self.london.node, records=[self.dataset], rules=rules)
        return self.request(part=part, purpose=purpose, jkt=jkt)

    def request(self, *, part: str = "", purpose: str = "", jkt: bool = True) -> str:
        """Request a transfer under the agreement, and let both sides say what follows."""
        thumbprint = self.london.federation.token_source.thumbprint if jkt else ""
        ours = self.london.federation.moving.transfers
        made = ours.request(self.helsinki.url, self.agreement, self.dataset, part, purpose, jkt=thumbprint)
        self.settle()
        self.pid = ours.get(made.pid).other_pid
        return self.pid

    def settle(self) -> None:
        for _ in range(2):
            for city in (self.london, self.helsinki):
                city.federation.moving.transfers.deliver(clock_ms())

    def sql(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return self.helsinki.sql(sql, *params)

    def streams(self) -> list[tuple[Any, ...]]:
        """What the books say: part, first byte, bytes, whether whole, how it ended."""
        rows = self.sql("SELECT part, begins, sent, whole, how FROM data_stream ORDER BY id")
        return [(part, begins, sent, bool(whole), how) for part, begins, sent, whole, how in rows]

    def granted(self, pid: str) -> Any:
        """What the token endpoint decides on a token of London's for a transfer."""
        return self.door.tokens.granted(self.london.url, [{"type": TRANSFER_ACCESS, "transfer": pid}])

    # ---------------------------------------------------------------- asking

    def headers(self, path: str, method: str = "GET", pid: str = "") -> dict[str, str]:
        """What London shows: a token for the transfer, a proof of its key, and its signature."""
        url, london = self.helsinki.url + path, self.london.federation
        details = [{"type": TRANSFER_ACCESS, "transfer": pid or self.pid}]
        shown = london.token_source.headers(self.helsinki.url, method, url, details=details)
        return {**shown, **london.dsp.messages.sign_request(method, url, shown, None)}

    def ask(
        self, path: str = "", method: str = "GET", *, shown: Mapping[str, str] | None = None, **more: str
    ) -> Answer:
        """Ask the door for a path below the transfer, as London unless something else is shown."""
        path = f"/data/{self.pid}{path}"
        said = self.headers(path, method) if shown is None else dict(shown)
        said |= {name.replace("_", "-"): value for name, value in more.items()}
        return self.helsinki.wire.run(knock(self.helsinki, method, path, said))


async def knock(city: City, method: str, path: str, headers: Mapping[str, str], *, receive: Any = None) -> Answer:
    """Ask an app as its server would, and take what comes."""
    sent: list[dict[str, Any]] = []

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await city.wire.apps[city.url](scope_of(city, method, path, headers), receive or never, send)
    return answer_of(sent)


def scope_of(city: City, method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    parts = urlsplit(city.url + path)
    lowered = {"host": parts.netloc} | {name.lower(): value for name, value in headers.items()}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in lowered.items()],
        "client": ("127.0.0.1", 50_000),
        "server": (parts.hostname, parts.port),
    }


def answer_of(sent: list[dict[str, Any]]) -> Answer:
    named = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    bodies = sent[1:]
    ended = bool(bodies) and not bodies[-1].get("more_body", False)
    return Answer(sent[0]["status"], named, b"".join(each.get("body", b"") for each in bodies), ended)


@contextmanager
def pair(folder: Path, database: Path, **settings: Any) -> Iterator[Pair]:
    """Put both up, with one dataset at Helsinki, which has these settings, and nothing laid yet."""
    with Wire() as wire, ExitStack() as stack:
        helsinki = make(folder / "helsinki", wire, "helsinki", HELSINKI, database=database, **settings)
        stack.callback(helsinki.node.close)
        london = make(folder / "london", wire, "london", LONDON, database=database)
        stack.callback(london.node.close)
        helsinki.publish_many(1)
        for follower in helsinki.node.followers:
            catch_up(helsinki.node.journals, follower)
        for city, other in ((helsinki, london), (london, helsinki)):
            city.meet(other, follow=())
        yield Pair(helsinki, london, folder)
