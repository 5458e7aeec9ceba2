"""Deletion, put together: what agreements that are over oblige to, what moved under them, and the word between cities.

Only wiring: the agreements say what is over, transfers and pulls what moved and where to, evidence signs and files.
Opens nothing.
"""

import random
from collections.abc import Sequence

from node.assembly.agreeing import Agreeing
from node.assembly.clock import clock_ms
from node.assembly.evidencing import Evidencing
from node.assembly.ground import Ground
from node.assembly.pulling import FOLDER
from node.federation.deletions.deletions import Deletions, Files
from node.federation.deletions.post import Post
from node.federation.deletions.store import DeletionStore
from node.federation.dialogues.outgoing import Outbox
from node.federation.moved import FetchedTold
from node.federation.pulls.naming import lying, place_of
from node.federation.pulls.store import PullStore
from node.federation.transfers.store import TransferStore


def build(ground: Ground, agreeing: Agreeing, evidencing: Evidencing) -> Deletions:
    """Put it together."""
    pulls, own = PullStore(ground.db), (ground.settings.data / FOLDER).absolute()

    def fetched(agreement: str) -> Sequence[FetchedTold]:
        lie = ((each, place_of(each, own)) for each in pulls.of_agreement(agreement))
        return [FetchedTold(each.id, each.dataset, place, each.got) for each, place in lie if place]

    def left(agreement: str) -> Sequence[str]:
        return list(dict.fromkeys(file for each in pulls.of_agreement(agreement) for file in lying(each, own)))

    return Deletions(
        DeletionStore(ground.db),
        Post(Outbox(ground.db, chance=random.random), ground.client),
        agreements=agreeing.agreements,
        moved=TransferStore(ground.db).moved,
        files=Files(fetched, left),
        evidence=evidencing.evidence,
        base_url=ground.settings.base_url,
        clock_ms=clock_ms,
    )
