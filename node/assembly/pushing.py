"""Pushes, put together: the door for what is brought to us, and the worker's hands for what we bring.

Only wiring. What is handed out comes from the same hands as what is pulled; receipts come from the evidence. Opens no
connection and makes no folder before something comes.
"""

import random
from collections.abc import Sequence

from node.assembly.clock import clock_ms
from node.assembly.evidencing import Evidencing
from node.assembly.ground import Ground
from node.assembly.serving import DataDoor
from node.federation.moving import Moved
from node.federation.pushes.bringing import Carrier
from node.federation.pushes.incoming import Incoming
from node.federation.pushes.pusher import House, Pusher
from node.federation.pushes.store import IncomingStore, PushStore
from node.federation.signing.messages import SignedTokens
from node.federation.transfer import Transfer
from node.federation.transfers.service import Transfers

FOLDER = "incoming"


def incoming(ground: Ground, transfers: Transfers) -> Incoming:
    """Make what takes parts in."""
    settings = ground.settings
    return Incoming(
        IncomingStore(ground.db),
        settings.data / FOLDER,
        transfer=transfers.get,
        max_bytes=settings.data_max_gib << 30,
        stall_s=float(settings.data_stall_s),
        clock_ms=clock_ms,
    )


def pusher(ground: Ground, transfers: Transfers, door: DataDoor, evidencing: Evidencing) -> Pusher:
    """Make what brings parts."""

    def half_signed(transfer: Transfer, moved: Sequence[Moved], now_ms: int) -> str:
        return evidencing.evidence.half(transfer, moved, now_ms=now_ms)

    settings = ground.settings
    allow_http = settings.on_loopback or settings.allow_http_peers
    house = House(clock_ms, random.random, door.streams.delivered, half_signed, allow_http=allow_http)
    serving, silence_s = door.serving, float(settings.data_stall_s)
    tokens = SignedTokens(ground.oauth.source, ground.oauth.messages)
    carrier = Carrier(serving, serving.lanes.wait_s, ground.outbound, tokens, silence_s=silence_s)
    return Pusher(PushStore(ground.db), transfers, serving, carrier, house)
