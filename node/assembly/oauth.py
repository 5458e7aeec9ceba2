"""OAuth, put together: the authorization server, what tells callers apart, our tokens elsewhere, and tokens by name.

Only wiring. The secret of the nonces is drawn from a signature, so that every process and host that has the node's
keys has the same one and none is written down: Ed25519 signs the same bytes in the same way, and nobody else can.
"""

import hashlib
import random
from dataclasses import dataclass

from node.assembly.clock import clock_ms
from node.db import Database
from node.federation.dcp import SelfIssuedTokens
from node.federation.peers.store import PeerStore
from node.federation.signing.messages import MessageSigning
from node.federation.tokens.access import Access
from node.federation.tokens.clients import Clients, Renew
from node.federation.tokens.dpop import Nonces, Proofs
from node.federation.tokens.jwt import AccessTokens
from node.federation.tokens.replay import Replay
from node.federation.tokens.secrets import NamedTokens
from node.federation.tokens.source import Claims, TokenSource
from node.federation.tokens.tokens import Grants, Tokens
from node.keys import Keyring
from node.outbound import Outbound
from node.settings import Settings

# No signed note and no JWT can spell this: it has neither a line's end nor a dot.
_NONCE_SEED = b"citynode secret of the DPoP nonces, version 1"


@dataclass(frozen=True, slots=True)
class OAuth:
    """The parts of OAuth. `named` are the tokens of staff and programs, `self_issued` what DCP has in its place.

    `messages` signs what goes with our tokens and checks what comes with those of peers; `issuing` writes tokens.
    """

    tokens: Tokens
    access: Access
    source: TokenSource
    named: NamedTokens
    self_issued: SelfIssuedTokens
    messages: MessageSigning
    issuing: AccessTokens


def build(
    settings: Settings,
    *,
    db: Database,
    keyring: Keyring,
    outbound: Outbound,
    renew: Renew,
    grants: Grants,
    claims: Claims,
) -> OAuth:
    """Put it together; opens no connection.

    Args:
        settings: All of them.
        db: The node's.
        keyring: Its keys.
        outbound: The way out.
        renew: Called when a peer signs with a key that is not pinned yet.
        grants: Decides what a peer's token may say of agreements.
        claims: Says what our tokens say of agreements.
    """
    # The book alone, and not the peers' whole life: that speaks to peers, with tokens from here.
    directory = PeerStore(db, chance=random.random)
    replay = Replay(db, settings.data)
    proofs = Proofs(settings.base_url, replay, Nonces(hashlib.sha256(keyring.sign("checkpoint", _NONCE_SEED)).digest()))
    clients = Clients(settings.base_url, directory, replay, renew)
    access = AccessTokens(settings.base_url, keyring, db)
    named = NamedTokens(db)
    return OAuth(
        tokens=Tokens(clients=clients, proofs=proofs, access=access, clock_ms=clock_ms, grants=grants),
        access=Access(tokens=access, proofs=proofs, clients=clients, named=named, clock_ms=clock_ms),
        source=TokenSource(
            base_url=settings.base_url,
            keyring=keyring,
            outbound=outbound,
            clock_ms=clock_ms,
            allow_http=settings.allow_http_peers,
            claims=claims,
        ),
        named=named,
        self_issued=SelfIssuedTokens(settings.base_url, directory, replay, renew, clock_ms=clock_ms),
        messages=MessageSigning(keyring, directory, replay, renew, clock_ms=clock_ms),
        issuing=access,
    )
