"""What a table of fields is: how a kind of knowledge is declared once, for all that is made of it.

A kind (practice, AI system, challenge …) is a table of fields. Files, payloads, shapes, the published vocabulary,
pages, imports and exports are all made from the table, so a field that is added here is added everywhere. Values only:
no I/O, no clock, no RDF library.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from node.vocab.tables import Table
from node.vocab.terms import CN

Form = Literal["text", "markdown", "plain", "date", "number", "link", "email", "code", "language", "flag", "group"]
"""How a value is written. `text` and `markdown` are by language, everything else is the same in all languages."""
Need = Literal["must", "should", "may"]
"""`must`: an error without it. `should`: without it lint says what a reader in another city will miss."""
Words = Mapping[str, str]
"""A text for people by language: en, fi and sv."""
Said = Mapping[str, Any]
"""A description as plain values: what files, programs, importers and exporters speak. See `checking`."""
BY_LANGUAGE: frozenset[Form] = frozenset({"text", "markdown"})


def in_sentence(label: str) -> str:
    """Write a label within a sentence: “Practice” as practice, “AI system” as it is."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


@dataclass(frozen=True, slots=True)
class Code:
    """One value of a closed list; `iri` is empty where the word is ours."""

    code: str
    label: Words
    iri: str = ""


@dataclass(frozen=True)
class Codes:
    """A closed list of our own or of someone else's IRIs; small, in the order that people expect."""

    name: str
    label: Words
    codes: tuple[Code, ...]

    @cached_property
    def _by_code(self) -> dict[str, Code]:
        return {each.code: each for each in self.codes}

    @cached_property
    def _by_iri(self) -> dict[str, Code]:
        return {self._iri(each): each for each in self.codes}

    def _iri(self, code: Code) -> str:
        return code.iri or f"{CN.NS}{self.name}-{code.code}"

    def by_code(self, code: str) -> Code | None:
        """Find a value by its code."""
        return self._by_code.get(code)

    def by_iri(self, iri: str) -> Code | None:
        """Find a value by its IRI."""
        return self._by_iri.get(iri)

    def iri_of(self, code: str) -> str:
        """Give the IRI of a value; empty if there is none of that code."""
        found = self._by_code.get(code)
        return self._iri(found) if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One property of a kind.

    Attributes:
        name: Its key in files and JSON, in snake case.
        term: The property's IRI.
        form: How its values are written.
        label: What people call it; also the heading of its section in Markdown files.
        hint: One sentence that says what to write.
        need: Whether it may be left out.
        many: Whether it has several values.
        codes: For `code`: the list, ours or one of `node.vocab.lists`.
        fields: For `group`: the fields of its node.
        cls: For `group`: the class of its node; empty for none.
        to: For `link`: the kinds it points to; none for any web page.
        back: For `link`: what the page of the target calls the way back; empty where it is not shown there.
        most: How many values it may have.
        reason: Why no existing term does; there if and only if the term is ours.
        example: A value for new files, documents and tests.
        short: Whether it belongs to what is shown first.
        section: The key of the section of a page that it stands in.
    """

    name: str
    term: str
    form: Form
    label: Words
    hint: Words
    need: Need = "may"
    many: bool = False
    codes: Codes | Table | None = None
    fields: tuple["Field", ...] = ()
    cls: str = ""
    to: tuple[str, ...] = ()
    back: Words = field(default_factory=dict)
    most: int = 50
    reason: str = ""
    example: object = None
    short: bool = False
    section: str = ""

    @property
    def by_language(self) -> bool:
        """Tell whether values are texts by language."""
        return self.form in BY_LANGUAGE

    def called(self, language: str) -> str:
        """Give the label as a file in that language has it, with the English one beside it."""
        ours, english = self.label.get(language, self.label["en"]), self.label["en"]
        return ours if ours == english else f"{ours} ({english})"

    def field(self, name: str) -> "Field | None":
        """Find a field of a group."""
        return next((each for each in self.fields if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTable:
    """A kind of knowledge.

    Attributes:
        kind: A key of `records.KINDS`.
        cls: Its class; every record is a `dcat:Resource` beside it.
        title: What one is called.
        plural: What several are called.
        about: What it is, in a sentence: the definition of its class.
        command: The group of commands, and the folder of its files.
        collection: Where its records are published unless somebody says otherwise.
        fields: Its fields, in the order of its pages and files.
        sections: The sections of its page by key, in order.
        more_classes: Further classes of each record.
        reason: Why the class is one of ours; there if and only if it is.
    """

    kind: str
    cls: str
    title: Words
    plural: Words
    about: Words
    command: str
    collection: str
    fields: tuple[Field, ...]
    sections: Mapping[str, Words] = field(default_factory=dict)
    more_classes: tuple[str, ...] = ()
    reason: str = ""

    def field(self, name: str) -> Field | None:
        """Find a field by its name."""
        return next((each for each in self.fields if each.name == name), None)
