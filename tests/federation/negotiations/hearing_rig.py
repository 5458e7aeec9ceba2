"""What tests of one side that hears share: its messages, and the side in every state."""

import itertools
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.federation.agreements.text import compose, dsp_agreement
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.negotiation import Kind, Negotiation, Role, State
from node.federation.negotiations.store import NegotiationStore
from node.keys import Keyring
from tests.federation.negotiating import HELSINKI, LONDON, OFFER, RULES, TARGET, Clock, Known, Line, Side

NAMES: Mapping[Kind, str] = {
    "request": "ContractRequestMessage",
    "offer": "ContractOfferMessage",
    "accept": "ContractNegotiationEventMessage",
    "agree": "ContractAgreementMessage",
    "verify": "ContractAgreementVerificationMessage",
    "finalize": "ContractNegotiationEventMessage",
    "terminate": "ContractNegotiationTerminationMessage",
}


TABLES = ("negotiation", "message", "outgoing")
NOW = 1_750_000_000_000
NUMBERS = itertools.count(1)


@pytest.fixture
def clock(keyring: Keyring, their_keys: Keyring) -> Clock:
    ages = [key.since_ms for ring in (keyring, their_keys) for key in ring.published()]
    return Clock(max(NOW, *ages) + 1_000)


def sides_on(databases: tuple[Database, Database], clock: Clock, keyring: Keyring, their_keys: Keyring) -> Any:
    line, keys = Line(), {HELSINKI: keyring, LONDON: their_keys}
    made = [Side(url, db, clock, line, Known(keys)) for url, db in zip((HELSINKI, LONDON), databases, strict=True)]
    return made[0], made[1]


@pytest.fixture
def sides(tmp_path: Path, migrated: Path, clock: Clock, keyring: Keyring, their_keys: Keyring) -> Iterator[Any]:
    databases = []
    for name in ("a", "b"):
        shutil.copy(migrated, tmp_path / f"{name}.db")
        databases.append(Database(f"sqlite:///{tmp_path / name}.db"))
    yield sides_on((databases[0], databases[1]), clock, keyring, their_keys)
    for each in databases:
        each.close()


def message(kind: Kind, consumer: str, provider: str, at_ms: int = NOW, **more: Any) -> dict[str, Any]:
    """Write a message as another connector would; an empty pid is left out."""
    said: dict[str, Any] = {"@context": [DSP_CONTEXT], "@type": NAMES[kind]}
    said |= {name: pid for name, pid in (("consumerPid", consumer), ("providerPid", provider)) if pid}
    if kind in ("request", "offer"):
        said["offer"] = {"@type": "Offer", **OFFER}
    if kind in ("accept", "finalize"):
        said["eventType"] = {"accept": "ACCEPTED", "finalize": "FINALIZED"}[kind]
    if kind == "agree":
        text = compose(f"{LONDON}/agreements/{next(NUMBERS)}", TARGET, LONDON, HELSINKI, at_ms, {}, RULES)
        said["agreement"] = dsp_agreement(text)
    return said | more


def first(**more: Any) -> dict[str, Any]:
    return message("request", "c-1", "", callbackAddress=f"{HELSINKI}/dsp/2025-1/", **more)


def held(side: Side, role: Role, state: State) -> Negotiation:
    """Put a negotiation into a state, as if it had come so far."""
    peer = LONDON if role == "consumer" else HELSINKI
    store = NegotiationStore(side.db)
    made = side.negotiations._new(role, peer, OFFER, {}, side.clock())
    signed = compose(f"{LONDON}/agreements/1", TARGET, LONDON, HELSINKI, NOW, {}, RULES).text
    made = replace(made, other_pid="theirs", other_url=f"{peer}/dsp/2025-1", state=state, signed=signed)
    with side.db.write() as tx:
        store.insert(tx, made)
    return made


def everything(db: Database) -> list[Any]:
    with db.read() as tx:
        return [tx.rows(f"SELECT * FROM {table} ORDER BY 1") for table in TABLES]  # noqa: S608 - names of tables
