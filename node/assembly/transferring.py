"""Transfers, put together: who may have data, where agreements are read, and what is told of each change.

Only wiring. The door's tokens and the evidence come in as callables, since they look at transfers themselves; what else
must hold before data move, such as a legal basis, comes in as `further`.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from node.assembly.agreeing import Agreeing
from node.assembly.clock import clock_ms
from node.assembly.ground import Ground
from node.db import Tx
from node.errors import NotAgreed
from node.federation.dsp.documents import PATH
from node.federation.moving import PUSH, Origins
from node.federation.negotiations.parties import PeerParties
from node.federation.pushes.address import target
from node.federation.transfer import Json, Transfer
from node.federation.transfers.decider import AgreedDecider, Further, Permission
from node.federation.transfers.service import Hooks, House, Transfers


@dataclass(frozen=True, slots=True)
class Told:
    """What others are asked when a transfer starts, ends or stands still; `Hooks` says when each is called."""

    address: Callable[[Transfer], Json] = field(default=lambda _: {})
    concluded: Callable[[Tx, Transfer, str], str] = field(default=lambda _, __, receipt: receipt)
    answered: Callable[[Tx, Transfer, str], str] = field(default=lambda _, mine, receipt: receipt or mine.receipt)
    stopped: Callable[[Tx, Transfer], None] = field(default=lambda *_: None)


@dataclass(frozen=True, slots=True)
class Transferring:
    """The parts."""

    transfers: Transfers
    permission: Permission


def build(
    ground: Ground, agreeing: Agreeing, origins: Origins, told: Told, *, further: Further = lambda _: None
) -> Transferring:
    """Put it together."""
    permission = Permission(agreeing.decisions, agreeing.agreements, origins, further)

    def may_ask(transfer: Transfer, now_ms: int) -> None:
        held = agreeing.agreements.find(transfer.agreement)
        if held is None or held.role != "consumer" or held.text.assigner != transfer.peer:
            raise NotAgreed(f"There is no such agreement in which {transfer.peer} provides.")
        if not held.in_force(now_ms):
            state = held.state_at(now_ms)
            raise NotAgreed(f"The agreement {held.iri} is not in force: {state}.", agreement=held.iri)

    def admits(transfer: Transfer, now_ms: int) -> Transfer:
        if transfer.format == PUSH:  # an address that nothing can be brought to is refused before it counts as a use
            single, allow_http = bool(transfer.part), ground.settings.on_loopback or ground.settings.allow_http_peers
            target(transfer.address, transfer.peer, transfer.consumer_pid, is_single=single, allow_http=allow_http)
        return permission.admitted(transfer, now_ms)

    house = House(
        callback=ground.settings.base_url + PATH,
        clock_ms=clock_ms,
        chance=random.random,
        admits=admits,
        may_ask=may_ask,
        stands=lambda agreement, now_ms: agreeing.decisions.alive(agreement, now_ms).code,
        new_id=lambda: str(uuid4()),
    )
    hooks = Hooks(permission.spend, permission.resumes, told.address, told.concluded, told.answered, told.stopped)
    transfers = Transfers(
        ground.db,
        house,
        parties=PeerParties(ground.peers),
        sender=agreeing.dsp.client,
        decider=AgreedDecider(permission),
        hooks=hooks,
    )
    return Transferring(transfers, permission)
