"""Consent, put together: the gate before the door, the sources it asks, withdrawals told and heard, and their desk.

Only wiring. Opens nothing: a source is asked when data about persons are read. What happened is stated in evidence by
whoever comes in as `state`, in the transaction of what makes it true.
"""

import random
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from node.assembly.agreeing import Agreeing
from node.assembly.clock import clock_ms
from node.assembly.ground import Ground
from node.assembly.origins import OriginParts
from node.federation.agreements.agreements import Agreement
from node.federation.consent.acknowledgements import Acknowledgements, Stated
from node.federation.consent.gate import Gate
from node.federation.consent.noticed import Noticed
from node.federation.consent.office import ConsentOffice
from node.federation.consent.post import Post
from node.federation.consent.retention import Retention
from node.federation.consent.rules import Json, names_purposes
from node.federation.consent.sources import Ask, Reply, Sources
from node.federation.consent.store import ConsentStore
from node.federation.consent.unfiltered import Unfiltered
from node.federation.consent.went import Went
from node.federation.consent.withdrawals import CheckSigned, Evidence, Withdrawals
from node.federation.data.origin_store import OriginStore
from node.federation.deletions.store import DeletionStore
from node.federation.dialogues.outgoing import Outbox
from node.federation.moved import UnfilteredTold
from node.federation.transfers.store import TransferStore


@dataclass(frozen=True, slots=True)
class Consenting:
    """The parts. `gate` stands before transfers and the door, `office` is what commands, API and pages use."""

    gate: Gate
    office: ConsentOffice
    withdrawals: Withdrawals
    acknowledgements: Acknowledgements
    retention: Retention


@dataclass(frozen=True, slots=True)
class Stating:
    """Who states in evidence, finds again what was stated, and checks what other cities have stated."""

    state: Evidence
    stated: Stated
    check: CheckSigned


def build(
    ground: Ground, agreeing: Agreeing, origins: OriginParts, unfiltered: Unfiltered, stating: Stating
) -> Consenting:
    """Put it together."""
    store = ConsentStore(ground.db)
    deadline_s = float(ground.settings.consent_deadline_s)
    sources = Sources(
        _asking(ground, deadline_s), origins.credentials.headers, deadline_s=deadline_s, monotonic=time.monotonic
    )
    noticed = Noticed(store, sources, Went(ground.db))
    post = Post(Outbox(ground.db, chance=random.random), ground.client)

    def about(iri: str) -> Json:
        held = agreeing.agreements.find(iri)
        return held.text.about if held else {}

    def is_bound(iri: str) -> bool:
        held = agreeing.agreements.find(iri)
        return held is not None and names_purposes(held.text.policy)

    transfers = TransferStore(ground.db)

    def gave_under(peer: str, iri: str, dataset: str) -> bool:
        return _gives(agreeing.agreements.find(iri), peer) and transfers.took(peer, iri, dataset)

    deleted = partial(_deleted, DeletionStore(ground.db))
    withdrawals = Withdrawals(
        noticed,
        post,
        origins=origins.origins,
        unfiltered=lambda: _without(unfiltered.by_source(), deleted()),
        evidence=stating.state,
        check=stating.check,
        base_url=ground.settings.base_url,
        clock_ms=clock_ms,
    )
    acknowledgements = Acknowledgements(
        store, post, gave_under=gave_under, evidence=stating.state, stated=stating.stated, clock_ms=clock_ms
    )
    office = ConsentOffice(
        store,
        sources,
        withdrawals,
        acknowledgements,
        personal=OriginStore(ground.db).personal_ones,
        credentials=origins.credentials,
        check_url=ground.outbound.check,
        base_url=ground.settings.base_url,
        clock_ms=clock_ms,
    )
    gate = Gate(noticed, origins.origins, about, is_bound, clock_ms)
    retention = Retention(store, deleted=deleted, days=ground.settings.withdrawal_days)
    return Consenting(gate, office, withdrawals, acknowledgements, retention)


def _deleted(said: DeletionStore) -> Mapping[str, int]:
    """Give the agreements whose taker has said that all of it is deleted, and when that was heard."""
    return {each.agreement: each.at for each in said.all().values() if each.by == each.peer}


def _without(
    left: Iterable[tuple[UnfilteredTold, str]], deleted: Collection[str]
) -> Iterator[tuple[UnfilteredTold, str]]:
    """Leave out who has deleted everything: it holds nobody's row, and is not to hear of anybody anew."""
    return (each for each in left if each[0].agreement not in deleted)


def _gives(held: Agreement | None, peer: str) -> bool:
    """Tell whether a peer gives us data under an agreement, whether or not it is still in force."""
    return held is not None and held.role == "consumer" and held.text.assigner == peer


def _asking(ground: Ground, deadline_s: float) -> Ask:
    """Give the way out to consent services: one question within the city's deadline, no redirect."""

    def ask(url: str, body: bytes, headers: Mapping[str, str], most: int) -> Reply:
        return ground.outbound.ask(
            url, method="POST", body=body, headers=headers, max_bytes=most, deadline_s=deadline_s
        )

    return ask
