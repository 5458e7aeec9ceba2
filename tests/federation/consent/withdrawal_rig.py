"""One city's consent: its file, its books, what it states, and a wire that goes nowhere."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.db import Database, Tx
from node.errors import BadSignature, NotFound, PeerUnreachable
from node.federation.consent.acknowledgements import Acknowledgements
from node.federation.consent.noticed import Noticed
from node.federation.consent.post import Post, read_told
from node.federation.consent.records import Asked
from node.federation.consent.sources import ConsentSource, Sources, write_withdrawal
from node.federation.consent.store import ConsentStore, Stage, Withdrawal, salted_key
from node.federation.consent.went import Went
from node.federation.consent.withdrawals import Withdrawals
from node.federation.dialogues.outgoing import Outbox
from node.federation.moved import UnfilteredTold
from node.federation.moving import Personal
from node.federation.policy.quantities import instant_text
from node.federation.policy.terms import DPV

HELSINKI, LONDON, GHENT = "https://h.example", "https://london.example", "https://ghent.example"
DATASET, AGREEMENT = f"{HELSINKI}/datasets/energy", f"{HELSINKI}/agreements/1"
RESEARCH = DPV + "AcademicResearch"
NOW = 1_795_000_000_000
HEAD = "pii_principal_identifier,event_time,event_state,purpose,recipient_third_parties\n"


@dataclass
class Wire:
    """Carries messages to whoever is there, as the client would."""

    away: bool = False
    deaf: bool = False
    said: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def tell_withdrawals(self, url: str, said: Mapping[str, Any]) -> None:
        self._tell("withdrawals", said)

    def tell_erasure(self, url: str, said: Mapping[str, Any]) -> None:
        self._tell("erasure", said)

    def _tell(self, what: str, said: Mapping[str, Any]) -> None:
        if self.away:
            raise PeerUnreachable("away")
        if self.deaf:
            raise NotFound("There is no such withdrawal that your city was told of.")
        self.said.append((what, said))


@dataclass
class Rig:
    """One city's consent: its file, its books, what it states, and a wire that goes nowhere."""

    db: Database
    file: Path
    wire: Wire = field(default_factory=Wire)
    now_ms: int = NOW
    stated: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    marked: Personal | None = field(default_factory=lambda: Personal("subject", "residents"))

    unfiltered: list[tuple[UnfilteredTold, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = ConsentStore(self.db)
        self.post = Post(Outbox(self.db, chance=lambda: 0.5), self.wire)
        nothing = Sources(lambda *_: pytest.fail("no service"), lambda *_: {}, deadline_s=1, monotonic=lambda: 0.0)
        self.noticed = Noticed(self.store, nothing, Went(self.db))
        self.withdrawals = Withdrawals(
            self.noticed, self.post, origins=self,  # type: ignore[arg-type]
            unfiltered=lambda: self.unfiltered,
            evidence=self.state, check=self.check, base_url=HELSINKI, clock_ms=lambda: self.now_ms,
        )  # fmt: skip
        self.acknowledgements = Acknowledgements(
            self.store, self.post, gave_under=lambda *said: said == (HELSINKI, AGREEMENT, DATASET),
            evidence=self.state, stated=self.said, clock_ms=lambda: self.now_ms,
        )  # fmt: skip

    def personal(self, dataset: str) -> Personal | None:
        return self.marked if dataset == DATASET else None

    def state(self, tx: Tx, kind: str, each: Withdrawal, said: Mapping[str, Any], at_ms: int) -> str:
        assert tx.row("SELECT 1 FROM withdrawal WHERE id = ?", each.id), "stated where it is written"
        self.stated.append((kind, each.id, said))
        return bytes_of(said).decode()

    def said(self, tx: Tx, kind: str, each: Withdrawal) -> str:
        stated = [said for what, name, said in self.stated if (what, name) == (kind, each.id)]
        return bytes_of(stated[-1]).decode() if stated else ""

    def check(self, document: Mapping[str, Any], signer: str, now_ms: int) -> None:
        if document.get("signer", signer) != signer:
            raise BadSignature("Another has signed it.")

    def read(
        self, peer: str = LONDON, agreement: str = AGREEMENT, dataset: str = DATASET, purpose: str = RESEARCH
    ) -> None:
        """Let data begin to go to a city, as the gate does."""
        self.now_ms += 1_000
        name = self.marked.consent if self.marked else "residents"
        asked = Asked(dataset, purpose, peer)
        self.noticed.allowed(self.store.source(name), agreement, asked, lambda: self.now_ms)

    def heard_of(self, stage: Stage = "any") -> list[Withdrawal]:
        return list(self.store.each("in", stage))

    def agree(self, *subjects: str, purpose: str = "AcademicResearch") -> None:
        self.now_ms += 1_000
        with self.file.open("a") as file:
            for subject in subjects:
                when = instant_text(self.now_ms)
                file.write(f"{subject},{when},ConsentGiven,{purpose},{LONDON} {GHENT}\n")

    def withdraw(self, *subjects: str) -> None:
        self.now_ms += 1_000
        for subject in subjects:
            source = ConsentSource("residents", "file", str(self.file))
            write_withdrawal(source, subject, Asked("", "", ""), self.now_ms)

    def watch(self) -> int:
        return self.withdrawals.watch(self.now_ms).told

    def deliver(self) -> list[tuple[str, Mapping[str, Any]]]:
        self.wire.said.clear()
        while self.withdrawals.round(self.now_ms):
            pass
        return list(self.wire.said)

    def told(self) -> Mapping[str, Any]:
        """The one message that is delivered now."""
        ((what, said),) = self.deliver()
        assert what == "withdrawals"
        return said


_names = itertools.count()


def bytes_of(said: Mapping[str, Any]) -> bytes:
    return orjson.dumps(said)


def heard(rig: Rig, *subjects: str, salt: str = "ab" * 16) -> dict[str, Any]:
    keys = [
        {"id": f"{next(_names):032x}", "key": salted_key(salt, each), "at": "2026-11-22T10:00:00.000Z"}
        for each in subjects
    ]
    said = {"agreement": AGREEMENT, "dataset": DATASET, "algorithm": "HMAC-SHA-256", "salt": salt, "withdrawals": keys}
    rig.acknowledgements.hear(HELSINKI, read_told(bytes_of(said)))
    return said
