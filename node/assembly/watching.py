"""The parts that watch over histories: our witness, the asking of others, the comparing of heads, recovery, epochs.

Only wiring, as in `federation`; what is needed of the settings is the base URL, the names of the witnesses and the
folder where a fetched tail waits until it is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.db import Database
from node.federation.client import PeerClient
from node.federation.exchange.epochs import Epochs
from node.federation.exchange.heads import Heads
from node.federation.exchange.recover import Recovery
from node.federation.exchange.shown import ReadersOf
from node.federation.identity.own import OwnIdentity
from node.federation.origins import Origins
from node.federation.peers.peers import Peers
from node.federation.witness.cosign import Cosigning
from node.federation.witness.cosigners import Cosigners
from node.federation.witness.witness import Witness
from node.journal import Follower
from node.journal.journal import Journals
from node.keys import Keyring
from node.settings import Settings


@dataclass(frozen=True, slots=True)
class Watching:
    """Whatever watches over histories."""

    witness: Witness
    cosigning: Cosigning
    cosigners: Cosigners
    heads: Heads
    recovery: Recovery
    epochs: Epochs
    origins: Origins


def build(  # noqa: PLR0913  (the rooms that histories are watched from)
    settings: Settings,
    *,
    db: Database,
    keyring: Keyring,
    journals: Journals,
    identity: OwnIdentity,
    peers: Peers,
    client: PeerClient,
    followers: Sequence[Follower],
    readers: ReadersOf,
) -> Watching:
    """Put the parts together; opens no connection."""
    recovery = Recovery(
        db, journals, peers, client, folder=settings.data / "work", base_url=settings.base_url, readers=readers
    )
    cosigning = Cosigning(db, journals, peers, client, witnesses=settings.witnesses)
    return Watching(
        witness=Witness(db, keyring, peers, base_url=settings.base_url),
        cosigning=cosigning,
        cosigners=Cosigners(
            peers, settings.name, settings.base_url, lambda: keyring.published("witness"), cosigning.newest
        ),
        heads=Heads(db, journals, peers, client, notice=recovery.notice),
        recovery=recovery,
        epochs=Epochs(db, journals, keyring, peers, client, base_url=settings.base_url, followers=followers),
        origins=Origins(identity, peers),
    )
