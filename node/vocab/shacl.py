"""Our rules written as SHACL, for everyone who checks with a SHACL engine instead of with our code.

Three of the files in `shapes/` are what this module writes from `node.vocab.rules`: `mandatory.ttl` (violations),
`recommended.ttl` (warnings) and `hvd.ttl` (high-value datasets; its targets are SPARQL targets of SHACL-AF). They are
committed, so that nobody needs Python to read them, and a test compares; after a change of the rules write them anew
with `write_all(Path("node/vocab/shapes"))`.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from node.errors import NotFound
from node.vocab.check import (
    LEXICAL,
    problem_of_absence,
    problem_of_number,
    problem_of_table,
    problem_of_value,
    shortened,
)
from node.vocab.rules import HVD_DISTRIBUTION, HVD_LEGISLATION, HVD_SHAPES, SHAPES, Rule, Shape
from node.vocab.terms import PREFIXES

_USED = ("adms", "dcat", "dcatap", "dct", "foaf", "locn", "odrl", "org", "prov", "rdf", "sh", "skos", "spdx", "xsd")
_HEADER = "".join(f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n" for prefix in _USED)
_TITLES = {
    "mandatory": "DCAT-AP 3.0.1: what a description must have, and what its values must be",
    "recommended": "DCAT-AP 3.0.1: what a description should have",
    "hvd": "DCAT-AP HVD 3.0.0: what high-value datasets must have beyond that",
}


def text_of(part: str) -> str:
    """Write one of the three files: `mandatory`, `recommended` or `hvd`."""
    if part == "hvd":
        shapes = [_hvd_shape(shape) for shape in (*HVD_SHAPES, HVD_DISTRIBUTION)]
    else:
        shapes = [_shape(shape, list(_properties(shape, part)), _class_targets(shape)) for shape in SHAPES]
    note = f"# {_TITLES[part]}.\n# Written by node/vocab/shacl.py from node/vocab/rules.py.\n"
    return note + _HEADER + "@prefix : <https://w3id.org/citynode/shapes#> .\n" + "".join(filter(None, shapes))


def write_all(folder: Path) -> None:
    """Write the three files anew."""
    for part in _TITLES:
        (folder / f"{part}.ttl").write_text(text_of(part), encoding="utf-8")


PUBLISHED = ("feed", "hvd", "kinds", "mandatory", "recommended")


@cache
def published(part: str) -> bytes:
    """Read one of the files that every node serves: the three, `kinds`, or `feed`, written by hand. Raises NotFound."""
    if part not in PUBLISHED:
        raise NotFound(f"There are no shapes {part[:40]!r}.", fix=f"There are {', '.join(PUBLISHED)}.")
    return (files("node.vocab") / "shapes" / f"{part}.ttl").read_bytes()


def _properties(shape: Shape, level: str) -> Iterator[str]:
    for rule in shape.rules:
        if rule.need == level:
            yield _property(rule, problem_of_absence(rule), "sh:minCount 1")
        if level == "recommended" and rule.table:
            yield _property(rule, problem_of_table(rule), _from_table(rule))
        if level == "mandatory" and rule.values:
            yield _property(rule, problem_of_value(rule), _values(rule))
        if level == "mandatory" and not rule.several:
            yield _property(rule, problem_of_number(rule), "sh:maxCount 1")


def _values(rule: Rule) -> str:
    match rule.values:
        case "iri":
            return "sh:nodeKind sh:IRI"
        case "literal":
            return "sh:nodeKind sh:Literal"
        case "text":
            return "sh:datatype rdf:langString"
        case _:
            names = [f"[ sh:datatype xsd:{name} ]" for name in LEXICAL[rule.values]]
            return f"sh:or ( {' '.join(names)} )" if len(names) > 1 else names[0].strip("[] ")


def _from_table(rule: Rule) -> str:
    choices = "|".join(beginning.replace(".", "[.]") for beginning in rule.table)
    # A literal there is told apart already, as not being an IRI.
    return f'sh:or ( [ sh:nodeKind sh:Literal ] [ sh:pattern "^({choices})" ] )'


def _property(rule: Rule, said: tuple[str, str], constraint: str) -> str:
    code, message = said
    severity = "sh:Warning" if code == "not-from-table" or code.endswith("-recommended") else "sh:Violation"
    return (
        f"  sh:property [\n    sh:path {shortened(rule.path)} ;\n    {constraint} ;\n"
        f'    sh:severity {severity} ;\n    dct:identifier "{code}" ;\n    sh:message "{message}"@en\n  ]'
    )


def _class_targets(shape: Shape) -> str:
    return f"sh:targetClass {' , '.join(shortened(name) for name in shape.classes)}"


def _shape(shape: Shape, properties: list[str], target: str) -> str:
    if not properties:
        return ""
    return f"\n:{shape.name}\n  a sh:NodeShape ;\n  {target} ;\n" + " ;\n".join(properties) + " .\n"


def _hvd_shape(shape: Shape) -> str:
    holder = "?dataset" if shape is HVD_DISTRIBUTION else "$this"
    where = f"$this a <{shape.classes[0]}> . {holder} <{PREFIXES['dcatap']}applicableLegislation> <{HVD_LEGISLATION}> ."
    if shape is HVD_DISTRIBUTION:
        dcat = PREFIXES["dcat"]
        where += f" ?dataset a <{dcat}Dataset> ; <{dcat}distribution> $this ."
    target = f'sh:target [ a sh:SPARQLTarget ; sh:select "SELECT $this WHERE {{ {where} }}" ]'
    return _shape(shape, list(_properties(shape, "mandatory")), target)
