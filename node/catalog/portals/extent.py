"""Which triples belong to which record of an RDF source: the extent of `formats.md` 2, read from a spill.

A record's extent is its own triples, then those of the non-record subjects it points to, again and again, stopping at
other records, catalogues, catalogue records, concept schemes and feed nodes: the link stays, the description does not
come along. Reads a spill only; knows neither the portal nor the node's names.
"""

from node.catalog.portals.spill import Spill
from node.errors import TooLarge
from node.records import MAX_TRIPLES
from node.vocab.canon import is_anonymous
from node.vocab.mend import right_term
from node.vocab.ntriples import Triple
from node.vocab.terms import DCAT, HYDRA, LDES, SKOS, TREE

# In the order that settles a record of several types.
_KINDS = {
    f"<{DCAT.DatasetSeries}>": "dataset-series",
    f"<{DCAT.DataService}>": "data-service",
    f"<{DCAT.Dataset}>": "dataset",
}
_STRUCTURE = {
    f"<{term}>"
    for term in (
        DCAT.Catalog,
        DCAT.CatalogRecord,
        SKOS.ConceptScheme,
        HYDRA.PagedCollection,
        HYDRA.PartialCollectionView,
        HYDRA.Collection,
        LDES.EventStream,
        TREE.Node,
        TREE.Relation,
        TREE.ViewDescription,
    )
} | {f"<https://www.w3.org/ns/activitystreams#{act}>" for act in ("Create", "Update", "Delete")}


class Extents:
    """The records of a spilled graph, and what belongs to each."""

    def __init__(self, spill: Spill) -> None:
        """Find the records and the nodes where extents stop."""
        self._spill = spill
        self.structure: set[str] = set()
        self.records: dict[str, str] = {}
        self._embedded: set[str] = set()
        self._reached: set[str] = set()
        self._sort()
        self._drop_embedded()

    def _sort(self) -> None:
        # A graph has a million typed subjects and a few dozen sets of types: each set is looked at once.
        sorts: dict[str, tuple[bool, str]] = {}
        for subject, types in self._spill.types.items():
            if types not in sorts:
                right = set(map(right_term, types.split("\n")))
                sorts[types] = (not right.isdisjoint(_STRUCTURE), _kind_of(right))
            is_structure, kind = sorts[types]
            if is_structure:
                self.structure.add(subject)
            elif kind:
                self.records[subject] = kind
        self._spill.types.clear()  # nobody asks again, and of a large source they are a hundred megabytes

    def _drop_embedded(self) -> None:
        """A blank node is a record only if it is a dataset or series to which only catalogues and feeds point."""
        blank = {s for s in self.records if is_anonymous(s)}
        if not blank:
            return
        for subject, _, object_ in self._spill.lines():
            if object_ in blank and subject not in self.structure and self.records.pop(object_, ""):
                self._embedded.add(object_)
        for subject in blank:
            if self.records.get(subject) == "data-service":
                del self.records[subject]

    def of(self, record: str) -> list[Triple]:
        """Give the extent of a record.

        Raises:
            TooLarge: More triples than a record may have; the walk stops there.
        """
        spill, known = self._spill, self._spill.subjects()
        near: dict[str, list[Triple]] = {}
        extent: list[Triple] = []
        waiting, seen = [record], {record}
        while waiting:
            subject = waiting.pop()
            found = spill.triples(subject, near)
            extent += found
            if len(extent) > MAX_TRIPLES and len(extent := list(dict.fromkeys(extent))) > MAX_TRIPLES:
                raise TooLarge(f"The record reaches more than {MAX_TRIPLES} triples.", fix="Link less, or split it.")
            # Literals begin with `"`, which sorts before `<` and `_`; most IRIs are no subjects of the graph at all.
            for object_ in [o for _, _, o in found if o > "<" and o in known]:
                if object_ not in seen and object_ not in self.records and object_ not in self.structure:
                    seen.add(object_)
                    waiting.append(object_)
        seen.discard(record)
        self._reached |= seen
        return extent

    def lost(self) -> list[str]:
        """Give the datasets that are no records because others point to them, and that no record reached all the same.

        Once all extents were asked for; they point to each other in a ring.
        """
        return sorted(self._embedded - self._reached)

    def unreached(self) -> tuple[int, int]:
        """Count the subjects and triples that no record reached (once all extents were asked for)."""
        left = [
            s
            for s in self._spill.subjects()
            if s not in self._reached and s not in self.records and s not in self.structure
        ]
        return len(left), sum(self._spill.count(s) for s in left)


def _kind_of(types: set[str]) -> str:
    return next((kind for name, kind in _KINDS.items() if name in types), "")
