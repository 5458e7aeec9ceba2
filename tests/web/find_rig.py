"""A whole node with something to find in it, and a client: own records, a mirror, a restricted collection, all indexed.

What is asked goes through the real index; the words of the records are ours.
"""

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from node.assembly import Node
from node.journal import Draft, catch_up
from node.web.assemble import build
from tests.catalog.rig import BASE, make_city
from tests.federation.agreed import peer
from tests.web.cities import NOISE, PARKING, parking, payload, small
from tests.web.client import Client

LONDON = "https://london.example"
SECRET = f"{BASE}/datasets/zanzibar"
TWIN = "https://data.example.org/id/kerb"
HARM = "https://data.example.org/id/harm"
MANY = 24


def dataset(iri: str, title: str, *more: tuple[str, str, str], about: str = "") -> Draft:
    """A small record under any IRI."""
    triples = [(iri, "rdf:type", "dcat:Dataset"), (iri, "dct:title", f'"{title}"@en')]
    triples += [(iri, "dct:description", f'"{about}"@en')] if about else []
    return Draft(iri, iri.rpartition("/")[2], "dataset", "put", payload(*triples, *more))


def doubled() -> Draft:
    """A record of another IRI that has the title and the landing page of the parking areas."""
    return dataset(TWIN, "Kerbside parking areas", (TWIN, "dcat:landingPage", "https://hri.fi/data/parking"))


@dataclass
class Rig:
    """A node, and who comes to it."""

    node: Node
    client: Client

    def put(self, collection: str, *drafts: Draft) -> None:
        with self.node.db.write() as tx:
            self.node.journals.append(tx, collection, drafts, at_ms=int(time.time() * 1000))
        for follower in self.node.followers:
            catch_up(self.node.journals, follower)

    def read(self) -> None:
        """Let everything that reads the shelf catch up."""
        for reading in self.node.finding.readings:
            reading.catch_up(threading.Event())

    def get(self, path: str, accept: str = "application/json", **headers: str) -> httpx.Response:
        return self.client.get(path, headers={"accept": accept} | headers)

    def json(self, path: str, **headers: str) -> Any:
        reply = self.get(path, **headers)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def page(self, path: str, language: str = "en") -> str:
        return self.get(path, "text/html", **{"accept-language": language}).text

    def bearer(self, name: str, **more: Any) -> dict[str, str]:
        _, secret = self.node.federation.named_tokens.issue(name, now_ms=int(time.time() * 1000), **more)
        return {"authorization": f"Bearer {secret}"}

    def close(self) -> None:
        self.client.close()
        self.node.close()


def empty(folder: Path, migrated: Path, **settings: Any) -> Rig:
    """A node with nothing in it and no index."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(migrated, folder / "node.db")
    rates = dict.fromkeys(("rate_public_per_min", "rate_feed_per_min", "rate_token_per_min"), 0)
    more: dict[str, Any] = {"languages": ("en", "fi", "sv"), "sparql": "off", "link_check_days": 0}
    city = make_city(folder, **(rates | more | settings))
    return Rig(city.node, Client(build(city.node.site), BASE))  # type: ignore[arg-type]


def full(folder: Path, migrated: Path) -> Rig:
    """A node with all of it."""
    rig = empty(folder, migrated)
    node = rig.node
    peer(node, "london", LONDON)
    node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1_000)
    node.create_collection("copy", title="Open data", visibility="public", at_ms=1_000)
    rig.put("open-data", PARKING, NOISE, *(Draft(i, s, "dataset", "put", p) for i, s, p in map(small, range(MANY))))
    harm = "<script>alert(1)</script> & <mark>x</mark>"
    rig.put("open-data", dataset(HARM, f"Harm {harm}", about=f"harmful {harm}"))
    rig.put("copy", Draft(PARKING.record, "parking", "dataset", "put", parking()), doubled())
    with node.db.write() as tx:  # as if it had come from London, which takes longer than all of this
        iri = f"{LONDON}/collections/open-data"
        tx.run("UPDATE collection SET name = 'london/open-data', iri = ? WHERE name = 'copy'", iri)
    zembla = (SECRET, "dct:spatial", '"Zembla"@en')
    rig.put("plans", dataset(SECRET, "Zanzibar plans", zembla, about="zanzibar zanzibar"))
    rig.read()
    return rig
