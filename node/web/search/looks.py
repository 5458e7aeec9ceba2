"""What a list says of a record, worked out of its payload once and kept: searches come again, and so do their hits.

A look depends on the payload's bytes and the reader's language alone, so it is kept by digest and is never wrong; but
for agreements, which name cities as these are called now, and are looked at anew. Who may see it was decided before it
is asked for. Bounded, the longest unused goes first. Safe to share by threads.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from node.vocab import lists, ntriples
from node.vocab.terms import DCAT, DCT
from node.web.ports.ports import Held
from node.web.records.view import RowView, look_quickly
from node.web.search.agreed import agreed_in
from node.web.search.facts import RowFact, row_facts
from node.web.wording.graph import Described

LEAD = 240
MAX_CODES = 12
MAX_LOOKS = 5_000  # some 4 KiB each
_THEME = "http://publications.europa.eu/resource/authority/data-theme/"
_NAMING = "agreement"
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """One record for one reader; `changed` is empty where its source does not say.

    `facts` are what its kind's table says first, of what has no files; `way` is who opens to whom in an agreement.
    """

    view: RowView
    formats: tuple[str, ...]
    themes: tuple[str, ...]
    changed: str
    facts: tuple[RowFact, ...] = ()
    way: str = ""


class Looks:
    """Keeps looks."""

    def __init__(
        self,
        languages: Sequence[str],
        *,
        most: int = MAX_LOOKS,
        city_at: Callable[[str], str] = str,
        titles: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Prefer these languages where a text is not in the reader's.

        Args:
            languages: Of the node, in its order.
            most: How many looks are kept.
            city_at: Names a city by its base URL.
            titles: Gives the titles of the collections that everybody may see, by IRI.
        """
        self._languages, self._most, self._city_at, self._titles = languages, most, city_at, titles
        self._kept: OrderedDict[_Key, Look] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, helds: Sequence[Held], reader: str, payloads: Callable[[Sequence[Held]], Sequence[bytes]]
    ) -> list[Look | None]:
        """Give the looks of records in their order; None of one that was erased. `payloads` reads those not known."""
        keys = [(held.digest, held.iri, reader) for held in helds]
        with self._lock:
            known = {key: self._kept[key] for key in keys if key in self._kept}
            for key in known:
                self._kept.move_to_end(key)
        missing = [(key, held) for key, held in zip(keys, helds, strict=True) if key not in known]
        made = {}
        for (key, held), payload in zip(missing, payloads([held for _, held in missing]), strict=True):
            if payload:
                made[key] = self._look(held, reader, payload)
        with self._lock:
            self._kept.update({key: made[key] for key, held in missing if key in made and held.kind != _NAMING})
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        known |= made
        return [known.get(key) for key in keys]

    def _look(self, held: Held, reader: str, payload: bytes) -> Look:
        said = Described(ntriples.triples_of(payload), held.iri, reader, self._languages)
        way, facts = "", row_facts(held.kind, held.iri, payload, reader, self._languages)
        if held.kind == _NAMING:
            way, facts = agreed_in(held.iri, payload, reader, self._city_at, self._titles())
        codes = tuple(formats_in(said)), tuple(themes_in(said))
        return Look(look_quickly(said, LEAD, city_at=self._city_at), *codes, changed_in(said), facts, way)

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._kept)


def formats_in(said: Described) -> list[str]:
    """Give the codes of the EU table of file types, or what stands instead, of all files; sorted."""
    found = set[str]()
    for file in said.values(said.iri, DCAT.distribution):
        named = said.value(file, DCT.format)
        concept = lists.FILE_TYPES.by_iri(named) or lists.FILE_TYPES.by_iri(
            lists.format_of(said.value(file, DCAT.mediaType).removeprefix(lists.IANA))
        )
        if concept is not None:
            found.add(concept.code)
        elif named and "//" not in named:
            found.add(named[:40])
    return sorted(found)[:MAX_CODES]


def themes_in(said: Described) -> list[str]:
    """Give the codes of the EU data themes."""
    themes = (value.removeprefix(_THEME) for value in said.values(said.iri, DCAT.theme) if value.startswith(_THEME))
    return sorted(set(themes))[:MAX_CODES]


def changed_in(said: Described) -> str:
    """Give when the thing changed by its source's word, as RFC 3339 in UTC; nothing where it says nothing."""
    for value in said.values(said.iri, DCT.modified) or said.values(said.iri, DCT.issued):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            continue
        return _spelt(at if at.tzinfo else at.replace(tzinfo=UTC))
    return ""


def rfc3339(ms: int) -> str:
    """Write a time of ours."""
    return _spelt(datetime.fromtimestamp(ms / 1000, UTC))


def _spelt(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
