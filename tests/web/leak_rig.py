"""Two cities that differ by what is restricted alone, and what a door is through which it might show."""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import httpx

from node.assembly import keys_folder, make_keys
from node.journal import Draft, catch_up
from node.records import KINDS
from node.settings import Settings
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of as written
from node.web.assemble import build
from tests.catalog.graph.engines import running
from tests.catalog.rig import BASE, City, datasets, make_city
from tests.federation.agreed import agree_alone, change, now_ms, pair_of, peer, permits, stand_in
from tests.journal.rig import payload_of
from tests.web.client import Client
from tests.web.test_feed_rights import Rig

LONDON, OSLO = "https://london.example", "https://oslo.example"
WORD = "zanzibar"
SECRET, GONE = f"{BASE}/datasets/{WORD}", f"{BASE}/datasets/{WORD}-gone"
MIRRORED = f"{LONDON}/datasets/{WORD}"
# A public practice that names what is secret, by an address that tells nothing, and is named by what is secret.
TOUCHED, QUIET = "/practices/open", f"{BASE}/datasets/quiet"


@dataclass(frozen=True)
class Door:
    """A way in: where it may show a secret if one asks for it by name, and where it may if one asks for everything."""

    name: str
    named: Callable[["World"], Sequence[str]] = lambda _: ()
    general: Sequence[str] = ()
    accept: str = "*/*"
    body: Mapping[str, Any] | None = None  # asked with POST, if there is one


@dataclass
class World:
    """A city, its app, and those who come to it."""

    city: City
    rig: Rig
    agreement: str = f"{BASE}/agreements/none"
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def pair(self) -> str:
        return pair_of(self.city.node, stand_in(self.city.node, LONDON))

    def enter(self, who: str, method: str, path: str, door: Door) -> httpx.Response:
        return self.ask(who, "POST" if door.body else method, path, door.accept, door.body)

    def ask(self, who: str, method: str, path: str, accept: str = "*/*", body: Any = None) -> httpx.Response:
        headers = {"accept": accept, "x-request-id": "leaks"}
        if who == "oslo":
            token = self.rig.peer_token(OSLO)
            proof = self.rig.key.proof(method, BASE + path.partition("?")[0], now_ms=now_ms(), token=token)
            headers |= {"authorization": f"DPoP {token}", "dpop": proof}
        elif who != "nobody":
            headers |= {"authorization": f"Bearer {self.secrets[who]}"}
        if body:
            headers["content-type"] = "application/json"
        return self.rig.say(method, path, headers=headers, body=body)


def _knowledge(kind: str, slug: str, **said: Any) -> Draft:
    iri = f"{BASE}/{KINDS[kind]}/{slug}"
    body = written(TABLES[kind], iri, example_of(TABLES[kind]) | {"title": {"en": slug.title()}} | said)
    return Draft(iri, slug, kind, "put", body)


def _public(city: City) -> None:
    """What both have: peers, tokens, public records."""
    node = city.node
    for name, url in (("london", LONDON), ("oslo", OSLO)):
        peer(node, name, url)
    drafts = [
        Draft(f"{BASE}/datasets/d{n}", f"d{n}", "dataset", "put", payload_of(f"{BASE}/datasets/d{n}", "Open"))
        for n in (1, 2)
    ]
    drafts.append(_knowledge("practice", "open", uses=[QUIET, f"{BASE}/datasets/d1"], review="2000"))
    with node.db.write() as tx:
        node.journals.append(tx, "open-data", drafts, at_ms=2_000, salts=lambda: b"s" * 16)


def _secret(city: City, world: World) -> None:
    """What only one has."""
    node = city.node
    node.create_collection(WORD, title=WORD.title(), visibility="restricted", at_ms=1_000)
    city.add(city.write(datasets(WORD)), f"{WORD}-portal", collection=WORD)
    city.run(f"{WORD}-portal")
    both = [
        Draft(iri, iri.rpartition("/")[2], "dataset", "put", payload_of(iri, WORD.title()))
        for iri in (SECRET, GONE, QUIET)
    ]
    both.append(_knowledge("practice", WORD, uses=[f"{BASE}/datasets/d1"], review="2000"))
    both.append(_knowledge("question", WORD, about=f"{BASE}{TOUCHED}"))
    with node.db.write() as tx:
        iri = f"{LONDON}/collections/{WORD}"
        node.journals.create(tx, name=f"london/{WORD}", iri=iri, title=WORD.title(), visibility="restricted", at_ms=1)
        node.journals.append(tx, WORD, both, at_ms=now_ms())
        node.journals.append(tx, WORD, [Draft(GONE, f"{WORD}-gone", "dataset", "withdraw", None)], at_ms=now_ms())
        tx.run(
            "INSERT INTO follow (peer, collection, iri, local, themes, created_at, paused, etag, known_size, known_at,"
            " known_note, checked_at, level_at, last_error_code, last_error, last_error_at)"
            " VALUES ('london', ?, ?, ?, '[]', 1, ?, '', 7, 1, '', 1, 1, '', '', 0)",
            *(WORD, iri, f"london/{WORD}", False),
        )
        tx.run(
            "INSERT INTO offer (iri, target, covers, about, rules, peers, automatic, published_at)"
            " VALUES (?, ?, '[]', ?, '{}', '[\"london\"]', ?, 1)",
            *(f"{BASE}/offers/{WORD}", f"{BASE}/collections/{WORD}", f'{{"title":"{WORD}"}}', False),
        )
    node.journals.checkpoint(WORD, at_ms=now_ms())
    world.agreement = agree_alone(node, LONDON, WORD, rules=permits("index", "read"), title=WORD.title())
    ended = agree_alone(node, LONDON, WORD, mirror=True, title=WORD.title())
    change(node, ended, "revoked")
    for follower in node.followers:
        catch_up(node.journals, follower)


def _made(folder: Path, migrated: Path, keys: Path) -> World:
    folder.mkdir()
    shutil.copy(migrated, folder / "node.db")
    settings = Settings(data=folder, name="Testville", base_url=BASE)
    shutil.copytree(keys, keys_folder(settings))
    rates = {"rate_feed_per_min": 0, "rate_public_per_min": 0, "rate_token_per_min": 0}
    city = make_city(folder, **rates, metrics=True, link_check_days=0)
    _public(city)
    return World(city, Rig(city, None, ""))  # type: ignore[arg-type]


@contextmanager
def twin_cities(folder: Path, migrated: Path) -> Iterator[tuple[World, World]]:
    """Put them up with their search and their stores: first the one that holds secrets."""
    settings = Settings(data=folder / "keys", name="Testville", base_url=BASE)
    (folder / "keys").mkdir()
    make_keys(settings)
    full, empty = (_made(folder / name, migrated, keys_folder(settings)) for name in ("full", "empty"))
    stack = ExitStack()
    for world, store in product((full, empty), ("public", "restricted")):
        stack.enter_context(running(world.city.folder / "graph", store))
    _secret(full.city, full)
    empty.agreement = full.agreement
    for world in (full, empty):
        node = world.city.node
        node.journals.checkpoint("open-data", at_ms=3_000)
        for follower in node.followers:
            catch_up(node.journals, follower)
        for reading in (*node.finding.readings, *node.finding.apart):
            reading.catch_up(threading.Event())
        for name in ("program", "innovator"):
            issued = node.federation.named_tokens.issue(name, scopes=["read:open-data"], now_ms=now_ms())
            world.secrets[name] = issued[1]
        world.rig.client = Client(build(node.site), BASE)
    with stack:
        yield full, empty
        for world in (full, empty):
            world.rig.client.close()
            world.city.node.close()
