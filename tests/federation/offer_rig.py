"""A city with collections, records and offers over a real database; its peers are two names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from node.catalog.offered import Offered
from node.catalog.shelf import ShelfFollower
from node.db import Database
from node.errors import NotFound
from node.federation.offers import OfferDraft, Offers, Published
from node.journal import Draft, catch_up
from node.journal.journal import Journals

BASE = "http://127.0.0.1:8001"
LONDON, OSLO = "https://london.test", "https://oslo.test/a_b"
RULES: dict[str, Any] = {"permission": [{"action": "use"}]}


@dataclass(frozen=True)
class Peer:
    """A peer, as far as offers need one."""

    url: str


KNOWN = {"london": Peer(LONDON), "oslo": Peer(OSLO)}


class Book:
    """The peers of this city."""

    def get(self, name: str) -> Peer:
        if name not in KNOWN:
            raise NotFound(f"There is no peer {name}.")
        return KNOWN[name]

    def by_url(self, url: str) -> Peer | None:
        return next((each for each in KNOWN.values() if each.url == url), None)


@dataclass
class Shop:
    """What is there to be offered, and the offers."""

    db: Database
    journals: Journals
    offers: Offers = field(init=False)

    def __post_init__(self) -> None:
        numbers = count(1)
        holdings = Offered(self.db, self.journals)
        self.offers = Offers(
            self.db, base_url=BASE, holdings=holdings, peers=Book(), new_id=lambda: f"n{next(numbers):05}"
        )

    def collection(self, name: str, *, restricted: bool = False) -> str:
        iri = f"{BASE}/collections/{name}"
        with self.db.write() as tx:
            visibility = "restricted" if restricted else "public"
            self.journals.create(tx, name=name, iri=iri, title=name.capitalize(), visibility=visibility, at_ms=1)
        return iri

    def records(self, collection: str, payloads: dict[str, bytes]) -> None:
        drafts = [Draft(iri, iri.rpartition("/")[2], "dataset", "put", body) for iri, body in payloads.items()]
        with self.db.write() as tx:
            self.journals.append(tx, collection, drafts, at_ms=2)
        catch_up(self.journals, ShelfFollower())

    def publish(self, target: str, *, name: str = "", peers: Sequence[str] = (), **more: Any) -> Published:
        draft = OfferDraft(target, more.pop("rules", RULES), more.pop("about", {}), name, peers, **more)
        return self.offers.publish(draft, by="ada", at_ms=5)
