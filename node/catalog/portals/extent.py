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
_CATALOGUES = {f"<{DCAT.Catalog}>"}
_STRUCTURE = (
    _CATALOGUES
    | {
        f"<{term}>"
        for term in (
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
    }
    | {f"<https://www.w3.org/ns/activitystreams#{act}>" for act in ("Create", "Update", "Delete")}
)


class Extents:
    """The records of a spilled graph, and what belongs to each."""

    def __init__(self, spill: Spill) -> None:
        """Find the records and the nodes where extents stop."""
        self._spill = spill
        self.structure = {s for s, types in spill.types.items() if any(right_term(t) in _STRUCTURE for t in types)}
        self.catalogues = {s for s, types in spill.types.items() if any(right_term(t) in _CATALOGUES for t in types)}
        self.records: dict[str, str] = {}
        self._reached: set[str] = set()
        for subject, types in spill.types.items():
            kind = _kind_of(types)
            if kind and subject not in self.structure:
                self.records[subject] = kind
        self._drop_embedded()

    def _drop_embedded(self) -> None:
        """A blank node is a record only if it is a dataset or series to which only catalogues and feeds point."""
        blank = {s for s in self.records if is_anonymous(s)}
        if not blank:
            return
        for subject, _, object_ in self._spill.lines():
            if object_ in blank and subject not in self.structure:
                self.records.pop(object_, None)
        for subject in blank:
            if self.records.get(subject) == "data-service":
                del self.records[subject]

    def of(self, record: str) -> list[Triple]:
        """Give the extent of a record.

        Raises:
            TooLarge: More triples than a record may have; the walk stops there.
        """
        near: dict[str, list[Triple]] = {}
        extent: list[Triple] = []
        waiting, seen = [record], {record}
        while waiting:
            subject = waiting.pop()
            found = self._spill.triples(subject, near)
            extent += found
            if len(extent) > MAX_TRIPLES and len(extent := list(dict.fromkeys(extent))) > MAX_TRIPLES:
                raise TooLarge(f"The record reaches more than {MAX_TRIPLES} triples.", fix="Link less, or split it.")
            for _, _, object_ in found:
                if object_ not in seen and object_[:1] != '"' and self._belongs(object_):
                    seen.add(object_)
                    waiting.append(object_)
        seen.discard(record)
        self._reached |= seen
        return extent

    def _belongs(self, node: str) -> bool:
        return node in self._spill and node not in self.records and node not in self.structure

    def unreached(self) -> tuple[int, int]:
        """Count the subjects and triples that no record reached (once all extents were asked for)."""
        left = [
            s
            for s in self._spill.subjects()
            if s not in self._reached and s not in self.records and s not in self.structure
        ]
        return len(left), sum(self._spill.count(s) for s in left)


def _kind_of(types: list[str]) -> str:
    found = {_KINDS.get(right_term(t), "") for t in types}
    return next((kind for kind in _KINDS.values() if kind in found), "")
