"""What approving a peer would pin, as a person reads it before saying yes.

A value, made by `peers` from a statement that was just fetched. Its digest names what would be pinned (address, keys,
namespaces), so that a yes is to what was read and to nothing else.
"""

from dataclasses import dataclass

from node.errors import Conflict, KeyChanged, Refused
from node.federation.identity.identity import Identity
from node.federation.peers.namespaces import Claim
from node.federation.peers.store import Peer
from node.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Review:
    """What approving a peer would pin, for a person to read first. `digest` names exactly this."""

    peer: Peer
    identity: Identity
    new_keys: tuple[PublicKey, ...]
    lost_keys: tuple[PublicKey, ...]
    claims: tuple[Claim, ...]
    vouched: bool
    digest: str

    @property
    def warnings(self) -> list[str]:
        """Give what a person should think about, one sentence each."""
        said = [sentence for claim in self.claims for sentence in claim.warnings]
        if self.is_untold:
            said.insert(0, "Nobody has told its fingerprint yet: have that city read it to you, by a way you trust.")
        elif not self.vouched:
            said.insert(0, "Its keys are not vouched for by those that were pinned: compare the new fingerprint.")
        return said

    @property
    def is_untold(self) -> bool:
        """Tell whether the peer was proposed by its address alone, so that only a comparison can vouch for it."""
        return not self.peer.fingerprint

    def refusal(self) -> Refused:
        """Say why nothing is pinned: the fingerprint was not compared, or is not the one that was pinned."""
        name = self.peer.name
        if self.is_untold:
            return Conflict(
                f"Nobody has told the fingerprint of {name} yet; the one that answers is {self.identity.fingerprint}.",
                fix=f"Have that city read it to you by a trusted way: citynode peers approve {name} --fingerprint F",
            ).on_page("no.peer.untold", name=name)
        return KeyChanged(
            f"{name} shows other keys than those that were pinned, not signed by them: {self.identity.fingerprint}.",
            fix=f"Ask that city by a trusted way; then citynode peers approve {name} --fingerprint F",
        ).on_page("no.peer.key_changed", name=name)
