"""The door of data, put together: who may knock, what may go out now, the books, and how fast.

Only wiring. One of it in each process; what it counts over all processes stands in the database. Opens nothing and
starts no thread before the first stream.
"""

import os
import socket
from dataclasses import dataclass
from typing import cast

from node.assembly.clock import clock_ms
from node.assembly.ground import Ground
from node.federation.answers import Decision
from node.federation.data.door_tokens import DoorTokens
from node.federation.data.limits import Lanes
from node.federation.data.origins import DataOrigins
from node.federation.data.serving import Serving, Sieves, Ways
from node.federation.data.streams import Streams
from node.federation.moving import Going
from node.federation.signing.messages import MessageSigning
from node.federation.transfer import Transfer
from node.federation.transfers.decider import Permission
from node.federation.transfers.service import Transfers

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DataDoor:
    """The parts; see `web.data_ports`."""

    tokens: DoorTokens
    serving: Serving
    streams: Streams
    stall_s: float
    at_once: int
    messages: MessageSigning


def build(
    ground: Ground, transfers: Transfers, permission: Permission, origins: DataOrigins, sieves: Sieves
) -> DataDoor:
    """Put it together."""
    settings, peers = ground.settings, ground.peers

    def name_of(url: str) -> str:
        found = peers.by_url(url)
        return found.name if found is not None and found.exchanges else ""

    def decide(going: Going, now_ms: int) -> Decision:
        # What is asked about was given by `transfers` a moment ago.
        return permission.decide(cast(Transfer, going), now_ms)

    streams = Streams(ground.db, process=f"{socket.gethostname()}:{os.getpid()}", most=settings.data_streams)
    ways = Ways(transfers.get, decide, lambda url: bool(name_of(url)), origins.path, sieves)
    return DataDoor(
        tokens=DoorTokens(
            base_url=settings.base_url,
            access=ground.oauth.access,
            issuing=ground.oauth.issuing,
            keyring=ground.keyring,
            transfer=transfers.get,
            name_of=name_of,
            bearers=frozenset(settings.data_bearer_peers),
            clock_ms=clock_ms,
        ),
        serving=Serving(
            ways,
            origins,
            streams,
            Lanes(settings.data_rate_mib * MIB / settings.workers),
            clock_ms=clock_ms,
            accel=settings.data_accel,
        ),
        streams=streams,
        stall_s=float(settings.data_stall_s),
        at_once=settings.data_streams,
        messages=ground.oauth.messages,
    )
