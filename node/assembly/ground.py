"""What stands before agreements do: the parts that `agreeing` and `speaking` are both built upon.

Values alone; nothing is made here. They stand apart from both builders so that neither has to know the other for them,
and so that a new part has one place to be handed through.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.assembly.oauth import OAuth
from node.db import Database
from node.federation.client import PeerClient
from node.federation.identity.own import OwnIdentity
from node.federation.peers.peers import Peers
from node.journal import Follower
from node.journal.journal import Journals
from node.keys import Keyring
from node.outbound import Outbound
from node.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands before agreements do."""

    settings: Settings
    db: Database
    keyring: Keyring
    journals: Journals
    outbound: Outbound
    identity: OwnIdentity
    peers: Peers
    client: PeerClient
    oauth: OAuth
    followers: Sequence[Follower]
