"""Two cities that have signed an agreement, each with its journals and a mirror of the other's: real databases."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from node.db import Database
from node.federation.agreement_desk.export import Sources
from node.federation.agreements.agreements import Agreement, Agreements, pair_collection
from node.federation.agreements.follower import AgreementsFollower
from node.federation.agreements.text import AgreementText, read_text
from node.federation.identity.identity import read_statement
from node.federation.identity.own import City, OwnIdentity
from node.federation.pair_journals import PairJournals
from node.federation.peers.entries import proposed
from node.federation.peers.store import PeerStore
from node.journal.journal import Journals
from node.journal.mirror import Arrived
from node.keys import Keyring
from tests.federation.agreement_rig import negotiation_of
from tests.federation.signing_rig import FEDERATION, HELSINKI, LONDON, NOW, Pair

NAMES = {HELSINKI: "helsinki", LONDON: "london"}


class Town:
    """One city."""

    def __init__(self, folder: Path, migrated: Path, url: str, keyring: Keyring) -> None:
        self.url, self.keyring = url, keyring
        path = folder / f"{NAMES[url]}.db"
        shutil.copy(migrated, path)
        self.db = Database(f"sqlite:///{path}")
        self.journals = Journals(self.db, keyring)
        city = City(url, NAMES[url].capitalize(), "citynode/test", FEDERATION)
        self.identity = OwnIdentity(city, keyring, collections=list)
        self.peers = PeerStore(self.db, chance=lambda: 0.0)
        self.follower = AgreementsFollower(url, lambda other: NAMES.get(other, ""), clock_ms=lambda: 0)
        self.pairs = PairJournals(self.journals, base_url=url, peers=self.peers, followers=(self.follower,))
        self.agreements = Agreements(self.db, unsigned="never", is_public=lambda _: False)
        self.sources = Sources(self.journals, keyring, self.identity, self.peers, FEDERATION)

    def knows(self, other: "Town") -> None:
        """Pin the other's keys, as a person would have approved them."""
        identity = read_statement(other.identity.statement(NOW), url=other.url, now_ms=NOW)
        peer = proposed(NAMES[other.url], other.url, identity.fingerprint, at_ms=NOW, identity=identity)
        with self.db.write() as tx:
            self.peers.insert(tx, replace(peer, state="active", approved_at=NOW))
            self.peers.pin(tx, peer.name, identity.keys, NOW)

    def concludes(self, text: AgreementText, at_ms: int) -> None:
        with self.db.write() as tx:
            self.pairs.concluded(tx, negotiation_of(text, us=self.url), at_ms)
        self.pairs.sign(at_ms)

    def says(self, iri: str, state: str, reason: str, at_ms: int, *, signs: bool = True) -> None:
        with self.db.write() as tx:
            self.pairs.change(tx, iri, state, reason, at_ms)
        if signs:
            self.pairs.sign(at_ms)

    def mirrors(self, other: "Town") -> None:
        """Take over all that is new in the other's journal of this pair."""
        name = pair_collection(self.url)
        local, iri = f"{NAMES[other.url]}/{name}", f"{other.url}/collections/{name}"
        with other.db.read() as tx:
            entries = other.journals.entries(tx, name)
            note = other.journals.newest_checkpoint(tx, name)
            held = other.journals.payloads(tx, [each.opening.digest for each in entries if each.opening])
        with self.db.write() as tx:
            if not any(each.name == local for each in self.journals.collections(tx)):
                self.journals.create(tx, name=local, iri=iri, title="Theirs", visibility="restricted", at_ms=NOW)
            size = self.journals.get(tx, local).size
            arrived = [Arrived(each, held[each.opening.digest]) for each in entries[size:] if each.opening]
            self.journals.mirror(tx, local, arrived, at_ms=NOW)
            assert note
            self.journals.keep_note(tx, local, note, NOW)

    def agreement(self, iri: str) -> Agreement:
        return self.agreements.get(iri)


@dataclass
class Towns:
    """Helsinki and London, level with each other."""

    pair: Pair
    helsinki: Town
    london: Town

    @classmethod
    def made(cls, folder: Path, migrated: Path, pair: Pair) -> "Towns":
        helsinki, london = (Town(folder, migrated, url, pair.keyrings[url]) for url in (HELSINKI, LONDON))
        helsinki.knows(london)
        london.knows(helsinki)
        return cls(pair, helsinki, london)

    def agree(self, signed: str, at_ms: int = NOW + 3_000) -> str:
        text = read_text(signed)
        for town in (self.helsinki, self.london):
            town.concludes(text, at_ms)
        self.level()
        return text.iri

    def level(self) -> None:
        self.helsinki.mirrors(self.london)
        self.london.mirrors(self.helsinki)

    def close(self) -> None:
        for town in (self.helsinki, self.london):
            town.db.close()
