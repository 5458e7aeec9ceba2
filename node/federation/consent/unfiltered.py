"""Which cities got a dataset with all its rows before it was marked as being about residents.

Nobody knows whose rows went then, so a withdrawal is told to them whoever it is of. What left under an agreement that
names a legal basis did not leave by oversight: by consent it was filtered, and on another basis a withdrawal changes
nothing. What is known is known from the transfers; it is asked anew each time and kept nowhere.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from node.federation.consent.rules import Json
from node.federation.moved import UnfilteredTold
from node.federation.moving import Personal
from node.federation.policy.bases import LEGAL, NOT_PERSONAL, TRANSFER

# What began to go out of some datasets: a row for each agreement, dataset, city and purpose, the oldest first.
Gave = Callable[[Collection[str]], Sequence[UnfilteredTold]]


@dataclass(frozen=True, slots=True)
class Unfiltered:
    """Asks. `personal` gives the datasets that are marked, `about` what stands beside the rules of an agreement."""

    personal: Callable[[], Mapping[str, Personal]]
    gave: Gave
    about: Callable[[str], Json]

    def of(self, datasets: Collection[str]) -> Sequence[UnfilteredTold]:
        """Give who got any of these with all its rows, though no agreement says why data about persons may go."""
        found = self.gave(datasets) if datasets else ()
        return [each for each in found if not _names_bases(self.about(each.agreement))]

    def by_source(self) -> Iterator[tuple[UnfilteredTold, str]]:
        """Give all of the datasets that rest on consent today, each with the source that knows who withdraws."""
        sources = {dataset: said.consent for dataset, said in self.personal().items() if said.consent}
        for each in self.of(sources):
            yield each, sources[each.dataset]


def _names_bases(about: Json) -> bool:
    legal, transfer = about.get("legalBasis", ""), about.get("transferBasis", "")
    return legal in LEGAL and transfer in TRANSFER and transfer != NOT_PERSONAL
