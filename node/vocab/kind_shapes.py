"""The kinds of knowledge written as SHACL, for everyone who checks a record with an engine instead of with our code.

`shapes/kinds.ttl` is what this module writes from the tables; it is committed, so that nobody needs Python to read it,
and a test compares. After a change of a table write it anew with `write(Path("node/vocab/shapes"))`. A shape asks what
`kinds.checking` asks of what a city writes: what must be there, of which form, how often, from which list. Properties
that no table has may stand beside them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from node.vocab.check import shortened
from node.vocab.kinds import TABLES
from node.vocab.kinds.field import Codes, Field, Form
from node.vocab.ntriples import literal
from node.vocab.terms import DCAT, PREFIXES

_FORMS: dict[Form, str] = {
    "text": "sh:datatype rdf:langString",
    "markdown": "sh:datatype rdf:langString",
    "plain": "sh:datatype xsd:string",
    "number": "sh:datatype xsd:decimal",
    "flag": "sh:datatype xsd:boolean",
    "date": "sh:or ( [ sh:datatype xsd:gYear ] [ sh:datatype xsd:gYearMonth ] [ sh:datatype xsd:date ] )",
    "link": "sh:nodeKind sh:IRI",
    "code": "sh:nodeKind sh:IRI",
    "language": "sh:nodeKind sh:IRI",
    "group": "sh:nodeKind sh:IRI",
    "email": 'sh:nodeKind sh:IRI ;\n    sh:pattern "^mailto:"',
}


_PREFIXED = re.compile(r"(?<![\w-])([a-z][\w-]*):(?=[A-Za-z_])")
_LOCAL = re.compile(r"[A-Za-z_](?:[\w-]*\w)?\Z", re.ASCII)


def text() -> str:
    """Write the file."""
    shapes = "".join(_Writer().shapes())
    met = set(_PREFIXED.findall(shapes))
    head = "".join(f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n" for prefix in PREFIXES if prefix in met)
    note = (
        "# What a record of each kind of knowledge must have.\n"
        "# Written by node/vocab/kind_shapes.py from the tables of node/vocab/kinds.\n"
    )
    return f"{note}{head}@prefix : <https://w3id.org/citynode/shapes#> .\n{shapes}"


def write(folder: Path) -> None:
    """Write the file anew."""
    (folder / "kinds.ttl").write_text(text(), encoding="utf-8")


class _Writer:
    """Writes each shape once; a group that several kinds share is one shape, named for itself alone."""

    def __init__(self) -> None:
        met = [each for table in TABLES.values() for each in _groups(table.fields)]
        times = Counter(id(each) for each in met)
        shared = {id(each): _spelt(each) for each in met if times[id(each)] > 1}
        names = Counter(shared.values())
        self._shared = {group: name for group, name in shared.items() if names[name] == 1}
        self._done: set[str] = set()

    def shapes(self) -> Iterator[str]:
        """Give every shape: a kind's, then those of its groups."""
        for table in TABLES.values():
            # Services that were harvested follow DCAT-AP alone: what asks more must not reach them by their class.
            yield from self._shape(table.kind, table.fields, "" if table.cls in DCAT else table.cls)

    def _shape(self, name: str, fields: Sequence[Field], target: str = "") -> Iterator[str]:
        if name in self._done:
            return
        self._done.add(name)
        parts = ["a sh:NodeShape", *([f"sh:targetClass {_named(target)}"] if target else [])]
        parts += [self._property(name, each) for each in fields]
        yield f"\n:{name}\n  " + " ;\n  ".join(parts) + " .\n"
        for each in fields:
            if each.fields:
                yield from self._shape(self._name_of(name, each), each.fields)

    def _name_of(self, holder: str, group: Field) -> str:
        shared = self._shared.get(id(group))
        return f"any-{shared}" if shared else f"{holder}-{_spelt(group)}"

    def _property(self, holder: str, field: Field) -> str:
        asked = [f"sh:path {_named(field.term)}", *_number(field), _FORMS[field.form]]
        if field.fields:
            asked.append(f"sh:node :{self._name_of(holder, field)}")
        if field.cls:
            asked.append(f"sh:class {_named(field.cls)}")
        if isinstance(field.codes, Codes):
            iris = " ".join(_named(field.codes.iri_of(code.code)) for code in field.codes.codes)
            asked.append(f"sh:in ( {iris} )")
        said = literal(f"{field.label['en']}: {field.hint['en']}", language="en")
        return "sh:property [\n    " + " ;\n    ".join([*asked, f"sh:message {said}"]) + "\n  ]"


def _groups(fields: Sequence[Field]) -> Iterator[Field]:
    for each in fields:
        if each.fields:
            yield each
            yield from _groups(each.fields)


def _spelt(field: Field) -> str:
    return field.name.replace("_", "-")


def _named(iri: str) -> str:
    """Write an IRI with a prefix where Turtle allows that."""
    short = shortened(iri)
    return short if _LOCAL.match(short.partition(":")[2]) else f"<{iri}>"


def _number(field: Field) -> Iterator[str]:
    if field.need == "must":
        yield "sh:minCount 1"
    if not field.by_language:
        yield f"sh:maxCount {field.most if field.many else 1}"
    elif not field.many:
        yield "sh:uniqueLang true"
