"""What went out before it was marked as being about residents, put together.

Transfers say what began, agreements say on which basis, origins say what is marked.
Only wiring; opens nothing.
"""

from collections.abc import Collection, Sequence

from node.assembly.agreeing import Agreeing
from node.assembly.ground import Ground
from node.federation.consent.rules import Json
from node.federation.consent.unfiltered import Unfiltered
from node.federation.data.origin_store import OriginStore
from node.federation.moved import UnfilteredTold
from node.federation.transfers.store import TransferStore


def build(ground: Ground, agreeing: Agreeing) -> Unfiltered:
    """Put it together."""
    transfers = TransferStore(ground.db)

    def gave(datasets: Collection[str]) -> Sequence[UnfilteredTold]:
        return [UnfilteredTold(*each) for each in transfers.gave(datasets)]

    def about(iri: str) -> Json:
        held = agreeing.agreements.find(iri)
        return held.text.about if held else {}

    return Unfiltered(OriginStore(ground.db).personal_ones, gave, about)
