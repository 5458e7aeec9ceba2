"""The lines of a record: how text, dates, addresses and unknown fields of strangers' JSON become triples.

The lower half of the sheet (`jsonmap`): what is here knows terms and literals, nothing of datasets. Every method
writes a mended value, or lets it travel as it is, and notes one finding per fault and property. Free text without a
language gets the source's tag; names and codes stay untagged. No I/O.
"""

import re
from collections.abc import Mapping
from typing import Any

from node.catalog.portals import jsonvalues as values
from node.records import Finding, Level
from node.vocab.ntriples import Triple, language_tag, literal
from node.vocab.terms import DCAT, DCT, RDF, SCHEMA, SKOS, XSD

_TYPE = f"<{RDF.type}>"
_PROPERTY_VALUE = f"<{SCHEMA.PropertyValue}>"
_ADDITIONAL = f"<{SCHEMA.additionalProperty}>"
_VALUE_NAME, _VALUE = f"<{SCHEMA.name}>", f"<{SCHEMA.value}>"
_MAX_CARRIED_CHARS = 100_000
_LANGUAGE_KEY = re.compile(r"[a-zA-Z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*(?:-[A-Za-z0-9]{1,8})*")


class Lines:
    """One record's triples being written. `subject` is its IRI as a term; `language` tags free text that names none."""

    __slots__ = ("_faults", "_labels", "_said", "base", "language", "subject", "triples")

    def __init__(self, iri: str, *, language: str, base: str = "") -> None:
        """Start without any triple.

        Args:
            iri: The record's, without brackets.
            language: A tag, or empty.
            base: Against which addresses that begin with `/` resolve.
        """
        self.subject = f"<{iri}>"
        self.language = language_tag(language)
        self.base = base
        self.triples: list[Triple] = []
        self._faults: dict[tuple[str, str], Finding] = {}
        self._said: set[tuple[object, ...]] = set()
        self._labels = 0

    @property
    def findings(self) -> list[Finding]:
        """What was found, at most once per code and property."""
        return list(self._faults.values())

    def find(self, code: str, level: Level, path: str, message: str) -> None:
        """Note a finding; the first of each code and property is kept."""
        if (code, path) not in self._faults:
            self._faults[code, path] = Finding(code, level, path, message)

    # --- terms

    def put(self, subject: str, predicate: str, term: str) -> None:
        """Write one triple; `predicate` is a plain IRI, the others are terms. An empty term writes nothing."""
        if term:
            self.triples.append((subject, f"<{predicate}>", term))

    def once(self, *what: object) -> bool:
        """Tell whether this is said for the first time: two blank nodes alike would tie, and say nothing more."""
        new = what not in self._said
        self._said.add(what)
        return new

    def blank(self, subject: str, predicate: str, *types: str) -> str:
        """Hang a new blank node of the given types on a subject."""
        self._labels += 1
        node = f"_:b{self._labels}"
        self.triples.append((subject, f"<{predicate}>", node))
        for each in types:
            self.triples.append((node, _TYPE, f"<{each}>"))
        return node

    def _literal(self, text: str, path: str, tag: str = "") -> str:
        """Spell a literal; what no document can carry is replaced, with a finding."""
        if text.isprintable():
            return values.literal_term(text, tag)
        mended = values.fit(text)
        if mended != text:
            message = "Characters that no document may carry were replaced by U+FFFD. Take them out at the source."
            self.find("characters-mended", "repaired", path, message)
        return literal(mended, language=tag)

    # --- text

    def name(self, subject: str, predicate: str, value: object) -> None:
        """Write a name or code: trimmed, untagged; nothing if it is empty."""
        if text := values.line_of(value):
            self.triples.append((subject, f"<{predicate}>", self._literal(text, predicate)))

    def text(self, subject: str, predicate: str, value: object, language: str | None = None) -> None:
        """Write free text as it is, tagged by `language` or by the source's; nothing if it is blank."""
        text = value if isinstance(value, str) else values.text_of(value)
        if not text or text.isspace():
            return
        tag = self.language if language is None else self.tag(language, predicate)
        self.triples.append((subject, f"<{predicate}>", self._literal(text, predicate, tag)))

    def tag(self, language: str, path: str) -> str:
        """Give a good language tag; empty, with a finding, if it is none."""
        tag = language_tag(language)
        if not tag and language:
            message = f"{language[:40]!r} is no language tag. Write one as in BCP 47."
            self.find("language-dropped", "repaired", path, message)
        return tag

    def texts(self, subject: str, predicate: str, plain: object, tongues: Mapping[str, Any]) -> None:
        """Write free text in several languages; the plain value only where no language already says it.

        A plain value beside another text in the source's own language is written as it stands, if it differs.
        """
        if not tongues:
            self.text(subject, predicate, plain)
            return
        said = []
        for language, value in tongues.items():
            for each in values.list_of(value) if not isinstance(value, str) else (value,):
                text = values.text_of(each)
                if text and not text.isspace():
                    said.append(text)
                    term = self._literal(text, predicate, self.tag(language, predicate))
                    self.triples.append((subject, f"<{predicate}>", term))
        text = values.text_of(plain)
        # Most often it is one of them letter for letter; only else is white space set aside.
        if text and text not in said and "".join(text.split()) not in {"".join(each.split()) for each in said}:
            self.text(subject, predicate, text)

    def concept(self, subject: str, predicate: str, label: object, tongues: Mapping[str, Any] | None = None) -> None:
        """Write a value that is no term of a list as a concept with its own label."""
        line = values.line_of(label)
        if (line or tongues) and self.once(subject, predicate, line, values.dumps(tongues) if tongues else ""):
            node = self.blank(subject, predicate, SKOS.Concept)
            self.texts(node, SKOS.prefLabel, line, tongues or {})

    def carry(self, subject: str, name: str, value: object) -> None:
        """Let a field that no property is known for travel along as a schema:PropertyValue."""
        terms = self._carried(name, value) if value is not None else []
        if not terms or not self.once(subject, name, *terms):
            return
        self._labels += 1
        node = f"_:b{self._labels}"
        label = self._literal(name, SCHEMA.name)
        self.triples += (subject, _ADDITIONAL, node), (node, _TYPE, _PROPERTY_VALUE), (node, _VALUE_NAME, label)
        self.triples += [(node, _VALUE, term) for term in terms]

    def _carried(self, name: str, value: object) -> list[str]:
        if isinstance(value, bool):
            return [f'"{values.text_of(value)}"^^<{XSD.boolean}>']
        if isinstance(value, int):
            return [f'"{value}"^^<{XSD.integer}>']
        if isinstance(value, dict):
            tagged = self._tagged(value)
            return tagged if tagged is not None else self._carried(name, values.dumps(value))
        if isinstance(value, list):
            if any(isinstance(each, (dict, list)) for each in value):
                return self._carried(name, values.dumps(value))
            return sorted({term for each in value for term in self._carried(name, each)})
        text = values.text_of(value)
        if not text or text.isspace():
            return []
        if len(text) > _MAX_CARRIED_CHARS:
            message = f"The field {name[:80]!r} is past {_MAX_CARRIED_CHARS} characters and was cut. Shorten it."
            self.find("value-too-long", "repaired", "", message)
            text = text[:_MAX_CARRIED_CHARS]
        return [self._literal(text, SCHEMA.value)]

    def _tagged(self, value: Mapping[Any, Any]) -> list[str] | None:
        """Read `{"fi": ["a"], "en": "b"}`; None if the keys are no languages or the values no texts."""
        out = []
        for key, each in value.items():
            if not isinstance(key, str) or not _LANGUAGE_KEY.fullmatch(key):
                return None
            for text in values.list_of(each) if not isinstance(each, str) else (each,):
                if not isinstance(text, str):
                    return None
                if text.strip():
                    out.append(self._literal(text, SCHEMA.value, language_tag(key)))
        return out

    # --- addresses and dates

    def address(self, value: object, path: str) -> str:
        """Give an address as a term, mended with a finding; empty if it is none."""
        raw = values.text_of(value).strip()
        if not raw:
            return ""
        mended = values.address_of(raw, self.base)
        if mended != raw and mended:
            message = f"An address was mended to {mended[:200]}. Write it so at the source."
            self.find("iri-mended", "repaired", path, message)
        return f"<{mended}>" if mended else ""

    def link(self, subject: str, predicate: str, value: object) -> str:
        """Write a link and give its address; a value that is no address becomes a string, with a finding."""
        said = values.line_of(value)
        if not said:
            return ""
        if term := self.address(said, predicate):
            self.triples.append((subject, f"<{predicate}>", term))
            return term[1:-1]
        message = f"{said[:120]!r} is no address. Write a full one, with https://."
        self.find("iri-not-absolute", "repaired", predicate, message)
        self.name(subject, predicate, said)
        return ""

    def page(self, subject: str, predicate: str, value: object, name: str) -> None:
        """Write a link where a portal lets people write anything: what is no address travels as a plain value."""
        if term := self.address(value, predicate):
            self.put(subject, predicate, term)
        else:
            self.carry(subject, name, value)

    def date(self, subject: str, predicate: str, value: object, name: str, *, month_first: bool | None = None) -> bool:
        """Write a date with its precision; one that cannot be read travels as a plain value, with a finding."""
        text = values.line_of(value)
        if not text:
            return False
        term = values.date_term(text, month_first=month_first)
        if term:
            self.put(subject, predicate, term)
            return True
        message = f"{text[:60]!r} is no date that can be read in one way only. Write it as 2026-01-31."
        self.find("date-unreadable", "repaired", predicate, message)
        self.carry(subject, name, value)
        return False

    def period(self, subject: str, start: object, end: object, name: str, *, month_first: bool | None = None) -> None:
        """Write a period; ends that cannot be read travel as plain values."""
        ends = []
        for predicate, value, suffix in ((DCAT.startDate, start, "from"), (DCAT.endDate, end, "to")):
            text = values.line_of(value)
            term = values.date_term(text, month_first=month_first) if text else ""
            if term:
                ends.append((predicate, term))
            elif text:
                message = f"{text[:60]!r} is no date that can be read in one way only. Write it as 2026-01-31."
                self.find("date-unreadable", "repaired", DCT.temporal, message)
                self.carry(subject, f"{name}_{suffix}", value)
        if ends and self.once(subject, *ends):
            node = self.blank(subject, DCT.temporal, DCT.PeriodOfTime)
            for predicate, term in ends:
                self.put(node, predicate, term)
