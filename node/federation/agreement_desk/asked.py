"""What a question to the simulator is about: a collection of ours, or one record in each collection that it stands in.

A record is named as people have it before them: by its IRI, by the address of its page, or by the end of either. What
agreements cover is known though nothing of it is here.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from node.errors import Malformed, NotFound
from node.federation.agreement_desk.drafting import iri_in
from node.federation.agreements.text import checked_id

_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """Looks up what is asked about, for the city at `base_url`.

    `holds` tells of an IRI whether it is something of ours, `homes` in which collections of ours a record stands, by
    their IRIs, and `called` which records of ours have an address that ends so.
    """

    base_url: str
    holds: Callable[[str], bool]
    homes: Callable[[str], Sequence[str]]
    called: Callable[[str], Sequence[str]]

    def about(self, collection: str, record: str, covered: Collection[str]) -> Sequence[tuple[str, str]]:
        """Give the IRIs of a collection and a record to ask about, either may be empty; `covered` by agreements.

        Raises:
            NotFound: This city has no such collection or record, or the record stands in another collection.
            Malformed: Nothing is asked about, or several records are called so.
        """
        if not (collection or record):
            raise Malformed(
                "Nothing is asked about.",
                fix="Name a collection of ours, --collection NAME, or a record, --record IRI",
            ).on_page("no.agreement.about", field="collection")
        within = self._collection(collection, covered) if collection else ""
        one = self._record(record, covered) if record else ""
        homes = self.homes(one) if one else ()
        if not within:
            return [(home, one) for home in homes or ("",)]
        if homes and within not in (one, *homes) and self.holds(within):
            raise _no_record(record)
        return [(within, one)]

    def _collection(self, name: str, covered: Collection[str]) -> str:
        iri = checked_id(iri_in(self.base_url, name))
        if iri not in covered and not self.holds(iri):
            raise NotFound(f"This city has no collection {name[:200]}.", fix="See: citynode collections list").on_page(
                "no.agreement.collection", field="collection", name=name[:200]
            )
        return iri

    def _record(self, name: str, covered: Collection[str]) -> str:
        iri = checked_id(name)
        if iri in covered or self.homes(iri):
            return iri
        own = "/" not in iri or iri.startswith(f"{self.base_url}/")
        found = self.called(iri.rstrip("/").rpartition("/")[2]) if own else ()
        if not found:
            raise _no_record(name)
        if len(found) > 1:
            raise Malformed(
                f"{len(found)} records are called so: {', '.join(found[:_MOST_TOLD])}.", fix="Write the IRI of one."
            ).on_page("no.agreement.records", field="record", name=name[:200])
        return found[0]


def _no_record(name: str) -> NotFound:
    error = NotFound(f"There is no record {name[:200]} there.", fix="Write its IRI, as its page has it.")
    error.on_page("no.agreement.record", field="record", name=name[:200])
    return error
