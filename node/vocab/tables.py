"""How one authority table is held: concepts with codes, IRIs and labels, and the words that name them exactly.

A table is a tab-separated file of ours in `data/` (or an official file, see `official.py`), read when it is first
asked and never at import. Words match after normalisation (case, accents, punctuation) and only whole: there is no
nearest match, and a word that two concepts share names neither. Pure but for reading its own package's files.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from node.errors import Misconfigured

LABEL_LANGUAGES = ("en", "fi", "sv")
_DATA = Path(__file__).parent / "data"
_COLUMNS = ("code", "iri", "en", "fi", "sv", "also")
_NOT_WORD = re.compile(r"[\W_]+")
_WEB = re.compile(r"https?://(?:www\.)?([^\s]+)\Z", re.IGNORECASE)
_CC_TAIL = re.compile(r"(creativecommons\.org/\S+?)/(?:deed|legalcode)(?:\.[\w-]+)?\Z")
# First in `also`: the code and the labels are no words of this concept, only its IRI and what follows are.
_SILENT = "-"


@dataclass(frozen=True, slots=True)
class Concept:
    """One row. `words` are other spellings and addresses; `facts` the columns only this table has."""

    code: str
    iri: str
    labels: Mapping[str, str]
    words: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    def label(self, language: str) -> str:
        """Give the label in a language (a tag's first part decides), else in English, else empty."""
        return self.labels.get(language[:2].lower()) or self.labels.get("en", "")


def key_of(text: str) -> str:
    """Normalise a word or an address for look-up; an address keeps its path, its query and its fragment.

    `+` and `&` are words of their own: `GPL-3.0+` is another licence than `GPL-3.0`.

    >>> key_of(" CC-BY_4.0 "), key_of("Päivittäin")
    ('cc by 4 0', 'paivittain')
    >>> key_of("http://www.Example.org/A/") == key_of("https://example.org/a")
    True
    """
    web = _WEB.match(text.strip())
    if web:
        address = web.group(1).lower().rstrip("/")
        return "//" + _CC_TAIL.sub(r"\1", address)
    plain = text if text.isascii() else unicodedata.normalize("NFKD", text)
    if not plain.isascii():
        plain = "".join(c for c in plain if not unicodedata.combining(c))
    spelt = plain.casefold().replace("+", " plus ").replace("&", " and ")
    return _NOT_WORD.sub(" ", spelt).strip()


def _row(cells: list[str], columns: list[str], base: str) -> Concept:
    code, iri, en, fi, sv, also = cells[:6]
    return Concept(
        code=code,
        iri=iri or base + code,
        labels={language: text for language, text in (("en", en), ("fi", fi), ("sv", sv)) if text},
        words=tuple(also.split("|")) if also else (),
        facts=dict(zip(columns[6:], cells[6:], strict=True)),
    )


def _read(path: Path, base: str) -> Iterator[Concept]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            f"The table {path} cannot be read: {error}.", fix="Import it again, or remove it."
        ) from error
    lines = [line.split("\t") for line in text.split("\n") if line and not line.startswith("#")]
    columns = lines[0] if lines else []
    if tuple(columns[:6]) != _COLUMNS or any(len(cells) != len(columns) for cells in lines):
        raise Misconfigured(f"{path} is no table of ours.", fix="Import it again: citynode tables import FILE")
    return (_row(cells, columns, base) for cells in lines[1:])


def write(path: Path, concepts: Iterable[Concept], *, note: str) -> None:
    """Write concepts as a table file, whole or not at all; `note` stands in its first line."""

    def cell(text: str) -> str:
        return " ".join(text.split())

    rows = ["# " + cell(note), "\t".join((*_COLUMNS, "media"))]
    for concept in concepts:
        labels = (cell(concept.labels.get(language, "")) for language in LABEL_LANGUAGES)
        media = concept.facts.get("media", "")
        rows.append("\t".join((cell(concept.code), concept.iri, *labels, "|".join(concept.words), media)))
    draft = path.with_name(path.name + ".part")
    draft.write_text("\n".join(rows) + "\n", "utf-8")
    draft.replace(path)


class Table:
    """One authority table, read on first use and then kept; safe to share between threads."""

    def __init__(self, name: str, base: str, rows: Callable[[], Iterable[Concept]] | None = None) -> None:
        """Name a table; `base` begins its IRIs. Without `rows` it is our own file `data/{name}.tsv`."""
        self.name = name
        self.base = base
        self._source = rows or (lambda: _read(_DATA / f"{name}.tsv", base))
        self._newer: Path | None = None

    def grow(self, path: Path | None) -> None:
        """Take a newer edition's file along (None: ours alone): its labels win, its new concepts are added.

        What was read already is forgotten, so call it before others use the table.
        """
        self._newer = path
        for name in ("concepts", "_codes", "_iris", "_spelt"):
            self.__dict__.pop(name, None)

    @cached_property
    def concepts(self) -> tuple[Concept, ...]:
        """All concepts in the order of the file, then what a newer edition adds."""
        ours = tuple(self._source())
        return ours if self._newer is None else tuple(_merged(ours, _read(self._newer, self.base)))

    @cached_property
    def _codes(self) -> dict[str, Concept]:
        return {concept.code: concept for concept in self.concepts}

    @cached_property
    def _iris(self) -> dict[str, Concept]:
        return {concept.iri: concept for concept in self.concepts}

    @cached_property
    def _spelt(self) -> tuple[dict[str, Concept], frozenset[str]]:
        found: dict[str, Concept] = {}
        shared: set[str] = set()
        for concept in self.concepts:
            for key in _keys(concept):
                if found.setdefault(key, concept) is not concept:
                    shared.add(key)
        return {key: concept for key, concept in found.items() if key not in shared}, frozenset(shared)

    @property
    def ambiguous(self) -> frozenset[str]:
        """Words that two concepts share, and that therefore name neither."""
        return self._spelt[1]

    def by_code(self, code: str) -> Concept | None:
        """Find by the table's own code, exactly."""
        return self._codes.get(code)

    def by_iri(self, iri: str) -> Concept | None:
        """Find by IRI, or by another address of the same thing (http or https, with or without the last slash)."""
        return self._iris.get(iri) or (self.find(iri) if "://" in iri else None)

    def find(self, text: str) -> Concept | None:
        """Find by a code, a label, an IRI or another known spelling; None if nothing is exactly that."""
        return self._spelt[0].get(key_of(text)) if text else None

    def label(self, iri: str, language: str) -> str:
        """Give a concept's label, in English if there is none in that language; empty for an unknown IRI."""
        concept = self.by_iri(iri)
        return concept.label(language) if concept else ""

    def __iter__(self) -> Iterator[Concept]:
        """Give the concepts in the order of the file."""
        return iter(self.concepts)

    def __len__(self) -> int:
        return len(self.concepts)

    def __contains__(self, iri: object) -> bool:
        """Tell whether exactly this IRI is in the table."""
        return iri in self._iris


def _merged(ours: tuple[Concept, ...], newer: Iterable[Concept]) -> Iterator[Concept]:
    found = {concept.iri: concept for concept in newer}
    for concept in ours:
        other = found.pop(concept.iri, None)
        yield replace(concept, labels={**concept.labels, **other.labels}) if other else concept
    # A new row has every column its table has, so that nobody who asks for a fact must think of editions.
    blank = dict.fromkeys(ours[0].facts, "") if ours else {}
    for concept in found.values():
        yield replace(concept, facts={**blank, **concept.facts})


def _keys(concept: Concept) -> set[str]:
    silent = concept.words[:1] == (_SILENT,)
    spoken = () if silent else (concept.code, *concept.labels.values())
    return {key_of(word) for word in (concept.iri, *spoken, *concept.words)} - {""}
