"""What the city's staff does with offers, said in JSON values: the one desk behind the command line and the API.

Each method is one act and answers with how things stand afterwards. Knows no caller: whoever calls has made sure that
it is the city's own staff.
"""

from collections.abc import Callable, Sequence

from node.federation.agreement_desk.drafting import Words, iri_in, template_named, written
from node.federation.agreement_desk.readings import Readings
from node.federation.agreement_desk.view import Json, Views
from node.federation.offers import OfferDraft, Offers


class OfferOffice:
    """The desk. Safe to share by threads; asking a peer takes as long as that peer does."""

    def __init__(
        self, offers: Offers, readings: Readings, views: Views, *, base_url: str, clock_ms: Callable[[], int]
    ) -> None:
        """Work with this table."""
        self._offers = offers
        self._readings = readings
        self._views = views
        self._base = base_url
        self._clock_ms = clock_ms

    def list(self, *, withdrawn: bool = False) -> Sequence[Json]:
        """Give our offers in order of IRI."""
        return [self._views.offer(each) for each in self._offers.list(withdrawn=withdrawn)]

    def of_peer(self, peer: str) -> Sequence[Json]:
        """Give what a peer offers us, asked of it now. Raises what asking raises."""
        return self._readings.offers_of(peer)

    def publish(
        self,
        target: str,
        words: Words,
        *,
        name: str = "",
        peers: Sequence[str] = (),
        covers: Sequence[str] = (),
        automatic: bool = False,
        by: str = "",
    ) -> Json:
        """Publish an offer. Raises what `Offers.publish` raises, and Malformed for terms that cannot be read."""
        now_ms, template = self._clock_ms(), template_named(words.template) if words.template else None
        about, rules = written(words, template, now_ms)
        covered = [iri_in(self._base, each) for each in covers]
        about |= {"covers": covered} if covered else {}
        draft = OfferDraft(iri_in(self._base, target), rules, about, name=name, peers=peers, automatic=automatic)
        return self._views.offer(self._offers.publish(draft, by=by, at_ms=now_ms))

    def withdraw(self, iri: str) -> Json:
        """Take an offer back. Raises NotFound, Conflict."""
        return self._views.offer(self._offers.withdraw(iri, at_ms=self._clock_ms()))
