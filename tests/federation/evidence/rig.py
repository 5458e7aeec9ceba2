"""Two cities under a signed agreement that have moved data: each with its own office of evidence over its own journal.

Helsinki provides, London consumes. What each side's books say is the test's to write; nothing else is made up.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from node.db import Tx
from node.federation.evidence import bundle
from node.federation.evidence.desk import EvidenceDesk
from node.federation.evidence.office import Evidence, Sources
from node.federation.evidence.proofs import Hand
from node.federation.evidence.store import EvidenceFollower
from node.federation.moving import Format, Moved
from node.federation.transfer import Role, Transfer
from node.federation.transfers.moves import new
from tests.federation.export_rig import Town, Towns
from tests.federation.signing_rig import FEDERATION, HELSINKI, LONDON, NOW, Pair

DATASET = f"{HELSINKI}/datasets/plans"
PURPOSE = "https://w3id.org/dpv#ImprovePublicServices"
PIDS = {HELSINKI: "aaaaaaaa-0000-4000-8000-000000000001", LONDON: "bbbbbbbb-0000-4000-8000-000000000002"}
LATER = NOW + 3_600_000


def moved(name: str = "plans.csv", data: bytes = b"a;b\n1;2\n", *, digest: bool = True) -> Moved:
    """What one end says of a part."""
    return Moved(name, "text/csv", len(data), "sha256:" + sha256(data).hexdigest() if digest else "")


@dataclass
class Side:
    """One city's office of evidence, and what its books say."""

    town: Town
    books: list[Moved] = field(default_factory=list)
    ended: list[Transfer] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    days: int = 7
    witnesses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        town = self.town
        self.hand = Hand(town.keyring, url=town.url, federation=FEDERATION)

        def keys_of(url: str):
            peer = town.peers.by_url(url)
            return town.peers.keys(peer.name, "record") if peer else ()

        def digest_of(iri: str) -> str:
            held = town.agreements.find(iri)
            return held.digest if held else ""

        sources = Sources(
            keys_of,
            digest_of,
            lambda each: each.clause,
            lambda _: self.books,
            lambda *_: self.ended,
            lambda _, pid: self.forgotten.append(pid),
        )
        self.evidence = Evidence(
            town.journals,
            self.hand,
            sources,
            followers=(EvidenceFollower(town.url),),
            receipt_days=self.days,
        )
        self.sources = bundle.Sources(
            town.sources, town.agreements, lambda *_: self.witnesses, self.hand, self.evidence.sign
        )
        self.desk = EvidenceDesk(self.evidence, self.sources, dict, lambda: LATER)

    @contextmanager
    def writing(self) -> Iterator[Tx]:
        with self.town.db.write() as tx:
            yield tx

    def transfer(self, agreement: str, *, format: Format = "HttpData-PULL", receipt: str = "") -> Transfer:
        """The transfer as this side holds it: requested at NOW, started two seconds later."""
        role: Role = "provider" if self.town.url == HELSINKI else "consumer"
        other = LONDON if role == "provider" else HELSINKI
        late = 0 if role == "consumer" else 1_000  # a message is under way for a second
        return new(
            role,
            other,
            NOW + 10_000 + late,
            pid=PIDS[self.town.url],
            other_pid=PIDS[other],
            state="COMPLETED",
            format=format,
            agreement=agreement,
            dataset=DATASET,
            purpose=PURPOSE,
            clause=f"{agreement}#permission/1",
            started_at=NOW + 13_000 - late,
            changed_at=NOW + 20_000,
            receipt=receipt,
        )


@dataclass
class Rig:
    """Both cities."""

    towns: Towns
    helsinki: Side
    london: Side
    agreement: str

    @classmethod
    def made(cls, folder: Path, migrated: Path, pair: Pair) -> "Rig":
        towns = Towns.made(folder, migrated, pair)
        agreement = towns.agree(pair.signed())
        return cls(towns, Side(towns.helsinki), Side(towns.london), agreement)

    def pulled(
        self, told: Sequence[Moved], books: Sequence[Moved] | None = None, *, at_ms: int = NOW + 30_000
    ) -> tuple[str, str]:
        """Let London complete a pull; give the half that it signed, and what Helsinki answers."""
        ours = self.london.transfer(self.agreement)
        half = self.london.evidence.half(ours, told, now_ms=at_ms)
        self.helsinki.books = list(told if books is None else books)
        with self.helsinki.writing() as tx:
            answer = self.helsinki.evidence.concluded(
                tx, self.helsinki.transfer(self.agreement), half, now_ms=at_ms + 1_000
            )
        return half, answer

    def filed(self, half: str, answer: str, *, at_ms: int = NOW + 32_000) -> str:
        """Let London take the answer."""
        with self.london.writing() as tx:
            return self.london.evidence.answered(
                tx, self.london.transfer(self.agreement, receipt=half), answer, now_ms=at_ms
            )

    def close(self) -> None:
        self.towns.close()


def kinds(side: Side) -> list[str]:
    """What a side's journal states, the oldest first."""
    return [each.kind for each in reversed(side.evidence.store.list())]
