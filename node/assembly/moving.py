"""Data that move, put together: origins, transfers, the door, pulls and pushes, evidence, consent.

Only wiring, one line per part; no logic but what follows from the settings. Opens no connection and reads no journal.
Stands on agreements, which say what may move.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.assembly import consenting as consentings
from node.assembly import deleting as deletings
from node.assembly import evidencing as evidencings
from node.assembly import origins as own_origins
from node.assembly import pulling as pullings
from node.assembly import pushing
from node.assembly import serving as servings
from node.assembly import transferring as transferrings
from node.assembly import unfiltered as unfiltereds
from node.assembly.agreeing import Agreeing
from node.assembly.ground import Ground
from node.federation.consent.rows import as_filtered
from node.federation.data.origins import DataOrigins
from node.federation.deletions.deletions import Deletions
from node.federation.moving import Moved, Part
from node.federation.pushes.incoming import Incoming
from node.federation.pushes.pusher import Pusher
from node.federation.rights.rights import Rights
from node.federation.transfer import Json, Transfer
from node.federation.transfers.service import Transfers


@dataclass(frozen=True, slots=True)
class Moving:
    """The parts."""

    ground: Ground
    origin_parts: own_origins.OriginParts
    transferring: transferrings.Transferring
    incoming: Incoming
    consenting: consentings.Consenting
    evidencing: evidencings.Evidencing
    deletions: Deletions
    door: servings.DataDoor
    pusher: Pusher
    pulling: pullings.Pulling

    @property
    def origins(self) -> DataOrigins:
        """Give where our own data lie."""
        return self.origin_parts.origins

    @property
    def transfers(self) -> Transfers:
        """Give what moves between us and other cities."""
        return self.transferring.transfers


def build(ground: Ground, agreeing: Agreeing, rights: Rights) -> Moving:  # noqa: ARG001 (parts come as they are made)
    """Put it together."""
    unfiltered = unfiltereds.build(ground, agreeing)
    origin_parts = own_origins.build(ground, unfiltered)

    # Evidence asks the books of the door and of what was brought to us, and both come with the transfers it is told of.
    def delivered(pid: str, parts: Mapping[str, Part]) -> Sequence[Moved]:
        # The books of a part whose rows were left out are those of a filtered one, as the door announced it.
        by_consent = gate.verdict(transferring.transfers.get(pid)).by_consent
        announced = {name: as_filtered(part) for name, part in parts.items()} if by_consent else parts
        return door.streams.delivered(pid, announced)

    def arrived(pid: str) -> Sequence[Moved]:
        return incoming.moved(pid)

    evidencing = evidencings.build(ground, agreeing, evidencings.Books(origin_parts.origins.known, delivered, arrived))
    stating = consentings.Stating(evidencing.state, evidencing.stated, evidencing.evidence.check)
    consenting = consentings.build(ground, agreeing, origin_parts, unfiltered, stating)
    gate = consenting.gate

    # The door looks at transfers, and a transfer that starts says where the door is.
    def address(transfer: Transfer) -> Json:
        return door.tokens.address(transfer)

    told = transferrings.Told(address, evidencing.concluded, evidencing.answered, evidencing.stopped)
    transferring = transferrings.build(ground, agreeing, origin_parts.origins, told, further=gate.check)
    door = servings.build(ground, transferring.transfers, transferring.permission, origin_parts.origins, gate)
    incoming = pushing.incoming(ground, transferring.transfers)
    others = pullings.Others(transferring.transfers, evidencing.evidence, origin_parts.sink, incoming)
    return Moving(
        ground,
        origin_parts,
        transferring,
        incoming=incoming,
        consenting=consenting,
        evidencing=evidencing,
        deletions=deletings.build(ground, agreeing, evidencing),
        door=door,
        pusher=pushing.pusher(ground, transferring.transfers, door, evidencing),
        pulling=pullings.build(ground, agreeing, others),
    )
