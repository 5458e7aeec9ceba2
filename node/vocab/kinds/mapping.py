"""Mappings: how somebody else's records become descriptions of ours and ours become theirs, declared in a TOML file.

    name = "our-old-register"
    kind = "ai-system"
    language = "fi"                       # of texts; language_from = "lang" reads it from each record
    key = ["id", "{unit} {name}"]         # what names a record: the first of them that is there

    [fields]                              # our fields, each with the place of its value in their record
    title = "name"
    contact.email = { from = "contact", only = "email" }
    documentation = ["manual", "website"]                         # all of them; for one value the first that is there
    description = { template = "{how}[, in {where}]" }            # what stands in [] goes where nothing fills it
    risks = [{ name = "risk", mitigation = [{ description = "measure" }] }]
    laws = { each = "acts", fields = { name = "title", page = "link" } }
    license = { always = "CC_BY_4_0" }
    status = { from = "phase", codes = "status" }

    [codes.status]                        # our codes, each with their words; the first is what an export writes
    operational = ["in use", "live"]

A place is a key, or keys and numbers with dots between them (`owner.name`, `tags.0`). `docs/ai-register.md` has all of
the form. Reading is done by `mapped_in`, writing by `mapped_out`. Values only: no I/O but the package's own mappings.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as made
from functools import cache
from pathlib import Path
from typing import Any

from node.errors import Malformed, NotFound
from node.vocab.kinds import TABLES
from node.vocab.kinds.field import Field, KindTable
from node.vocab.tables import key_of

MAX_BYTES = 256 * 1024
_FOLDER = Path(__file__).parent.parent / "data" / "mappings"
_TOP = {
    "codes", "csv", "dates", "export", "fields", "formats", "html", "ignore", "key", "kind", "language",
    "language_from", "languages", "name", "parts", "records", "title", "unknown", "where",
}  # fmt: skip
_RULE = {"always", "codes", "cut", "else", "from", "language", "only", "out", "split", "template", "to", "write"}
_ONLY = ("email", "link", "text")
_DATES = ("", "dmy", "mdy")
_FORMATS = ("json", "csv", "md")
_PLACE = re.compile(r"\{([^{}]+)\}")
_MAX_BITS = 64
_MAX_STEPS = 20
"""How deep a place may lie."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """How one of our values is found in their record.

    Attributes:
        field: Our field.
        paths: The places of its value, in order.
        template: A text made of several places, instead of `paths`.
        to: The place that an export writes to, where there is nothing to read.
        out: What an export writes there: a template of our own names.
        write: Whether an export writes it; not where another field has the same place.
        codes: Our code by their word (see `tables.key_of`).
        words: Their word by our code.
        otherwise: Our code for a word that `codes` lacks.
        always: A value that does not depend on their record.
        split: What stands between several values in one text.
        cut: The longest text, in characters; 0 for as long as the field takes.
        only: Take a value only if it is an `email`, a `link`, or neither (`text`).
        language: Of the text, whatever the record's.
    """

    field: Field
    paths: tuple[str, ...] = ()
    template: str = ""
    to: str = ""
    out: str = ""
    write: bool = True
    codes: Dict[str, str] = made(default_factory=dict)
    words: Dict[str, str] = made(default_factory=dict)
    otherwise: str = ""
    always: Any = None
    split: str = ""
    cut: int = 0
    only: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """How the things of a group are found: one for each of `parts` that says something."""

    field: Field
    parts: tuple[tuple["Rule", ...], ...]


@dataclass(frozen=True, slots=True)
class Each:
    """How the things of a group are found: one for each thing in the list at `path`."""

    field: Field
    path: str
    rules: tuple["Rule", ...]


Rule = Leaf | Group | Each


@dataclass(frozen=True, slots=True)
class Mapping:
    """A declared mapping.

    Attributes:
        name: What it is called on the command line.
        title: What it is for.
        table: The kind that it describes.
        rules: How our fields are found.
        formats: Of the file: `json`, `csv`, `md`; an export writes the first unless told otherwise.
        records: The place of the list of records; empty where the document is the list.
        where: Only records that have one of these words at each of these places are of the kind.
        parts: Keys of a record under which its values stand in parts that are read as one.
        key: What names a record, in order of trust: places, or templates with `{place}`.
        language: Of texts that name none.
        language_from: Places where a record says its language, in order.
        languages: Their word for a language by its tag; the first is written.
        dates: The order of `12/11/2026`: `dmy` or `mdy`; empty where no such date is read.
        html: Whether texts are HTML.
        unknown: Words that say nothing, in lower case.
        ignore: Places that carry nothing for a reader, and are not counted as left out.
        export: Values that every record of theirs has.
        delimiter: Between the values of CSV.
    """

    name: str
    title: str
    table: KindTable
    rules: tuple[Rule, ...]
    formats: tuple[str, ...] = ("json", "csv")
    records: str = ""
    where: Dict[str, tuple[str, ...]] = made(default_factory=dict)
    parts: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    language: str = "en"
    language_from: tuple[str, ...] = ()
    languages: Dict[str, tuple[str, ...]] = made(default_factory=dict)
    dates: str = ""
    html: bool = False
    unknown: frozenset[str] = frozenset()
    ignore: tuple[str, ...] = ()
    export: Dict[str, str] = made(default_factory=dict)
    delimiter: str = ","


def builtins() -> tuple[str, ...]:
    """List the names of the mappings that come along."""
    return tuple(sorted(each.stem for each in _FOLDER.glob("*.toml")))


@cache
def builtin(name: str) -> Mapping:
    """Give a mapping that comes along. Raises NotFound."""
    if name not in builtins():
        raise NotFound(f"There is no mapping {name[:60]!r}.", fix=f"There are {', '.join(builtins())}.")
    return read_mapping((_FOLDER / f"{name}.toml").read_text("utf-8"), file=f"{name}.toml")


def read_mapping(text: str, *, file: str = "the mapping") -> Mapping:
    """Read a mapping.

    Raises:
        Malformed: It is no TOML, or says something that a mapping has not; the message says where and what to write.
    """
    if len(text) > MAX_BYTES:
        raise Malformed(f"{file} has more than {MAX_BYTES:,} characters.", fix="A mapping is a page or two.")
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with thousands of digits
        raise Malformed(f"{file} is no TOML: {str(error).rstrip('.')}.") from error
    try:
        return _Reader(file, said).mapping()
    except ValueError as error:  # a hexadecimal number that is too long to be written out
        raise Malformed(f"{file}: a number is too long.", fix="Write words in quotes.") from error


class _Reader:
    """Reads one declaration; knows its file for what it says of faults."""

    def __init__(self, file: str, said: dict[str, Any]) -> None:
        self._file = file
        self._said = said

    def mapping(self) -> Mapping:
        self._known(self._said, _TOP, "a mapping")
        kind = self._word("kind")
        table = TABLES.get(kind)
        if table is None:
            raise self._fault(f"kind is {kind!r}", f"write one of {', '.join(sorted(TABLES))}")
        fields = self._table("fields")
        if not fields:
            raise self._fault("it has no [fields]", "say where our fields are found, as title = “name”")
        return Mapping(
            name=self._word("name"),
            title=self._word("title", ""),
            table=table,
            rules=self._rules(table.fields, fields, "fields"),
            formats=self._formats(),
            records=self._place(self._word("records", ""), "records"),
            where={self._place(path, "where"): words for path, words in self._lists("where").items()},
            parts=self._words("parts"),
            key=tuple(self._place(each, "key") for each in self._words("key")),
            language=self._word("language", "en"),
            language_from=tuple(self._place(each, "language_from") for each in self._words("language_from")),
            languages=self._lists("languages"),
            dates=self._choice("dates", _DATES),
            html=self._flag(self._said, "html", "html", default=False),
            unknown=frozenset(word.casefold() for word in self._words("unknown")),
            ignore=self._words("ignore"),
            export=self._export(),
            delimiter=self._delimiter(),
        )

    def _formats(self) -> tuple[str, ...]:
        found = self._words("formats") or ("json", "csv")
        stray = next((each for each in found if each not in _FORMATS), None)
        if stray is not None:
            raise self._fault(f"formats has {stray[:40]!r}", f"write some of {', '.join(_FORMATS)}")
        return found

    def _export(self) -> dict[str, str]:
        found = self._table("export")
        for key, value in found.items():
            self._place(key, "export")
            if isinstance(value, dict | list):
                raise self._fault(f"export.{key[:60]} is no value", "write it in quotes: “owner.name” = “value”")
        return {key: str(value) for key, value in found.items()}

    def _delimiter(self) -> str:
        said = self._table("csv")
        self._known(said, {"delimiter"}, "csv")
        found = said.get("delimiter", ",")
        if not isinstance(found, str) or len(found) != 1 or found in '"\r\n':
            raise self._fault(f"csv.delimiter is {str(found)[:40]!r}", "write one character, such as “;”")
        return found

    def _rules(self, fields: Sequence[Field], said: Dict[str, Any], at: str) -> tuple[Rule, ...]:
        known = {each.name: each for each in fields}
        self._known(said, set(known), at)
        return tuple(rule for name, value in said.items() for rule in self._of(known[name], value, f"{at}.{name}"))

    def _of(self, field: Field, said: Any, at: str) -> tuple[Rule, ...]:  # noqa: ANN401 (whatever somebody wrote)
        if field.form != "group":
            return self._leaves(field, said, at)
        things = said if isinstance(said, list) else [said]
        if not all(isinstance(each, dict) for each in things):
            raise self._fault(f"{at} is a group", "write { name = “place”, … }, or several of them in []")
        parts = tuple(self._rules(field.fields, each, at) for each in things if "each" not in each)
        lists = tuple(self._each(field, each, at) for each in things if "each" in each)
        return (Group(field, parts), *lists) if parts else lists

    def _each(self, field: Field, said: Dict[str, Any], at: str) -> Each:
        self._known(said, {"each", "fields"}, at)
        inside = said.get("fields")
        if not isinstance(said["each"], str) or not isinstance(inside, dict):
            raise self._fault(f"{at} is no rule", "write { each = “place”, fields = { … } }")
        return Each(field, self._place(said["each"], at), self._rules(field.fields, inside, at))

    def _leaves(self, field: Field, said: Any, at: str) -> tuple[Leaf, ...]:  # noqa: ANN401 (as above)
        if isinstance(said, list) and any(isinstance(each, dict) for each in said):
            return tuple(self._leaf(field, each, at) for each in said)
        return (self._leaf(field, said, at),)

    def _leaf(self, field: Field, said: Any, at: str) -> Leaf:  # noqa: ANN401 (as above)
        if isinstance(said, str | list):
            return Leaf(field, paths=self._places(said, at))
        if not isinstance(said, dict):
            raise self._fault(f"{at} is {said!r}", "write the place of its value in quotes")
        self._known(said, _RULE, at)
        if not {"from", "template", "always", "to"} & set(said):
            raise self._fault(f"{at} says no place", "write from, template, always or to")
        if said.get("only", "text") not in _ONLY:
            raise self._fault(f"{at} has only = {said['only']!r}", f"write one of {', '.join(_ONLY)}")
        words = self._codes(field, said.get("codes"), at)
        text = {
            key: self._text(said, key, at) for key in ("else", "language", "only", "out", "split", "template", "to")
        }
        for each in (*_PLACE.findall(text["template"]), *_PLACE.findall(text["out"])):
            self._place(each, at)
        return Leaf(
            field,
            paths=self._places(said.get("from", []), f"{at}.from"),
            template=text["template"],
            to=self._place(text["to"], at),
            out=text["out"],
            write=self._flag(said, "write", f"{at}.write", default=True),
            codes={key_of(word): code for code, several in words.items() for word in several},
            words={code: several[0] for code, several in words.items() if several},
            otherwise=text["else"],
            always=self._fixed(said.get("always"), at),
            split=text["split"],
            cut=self._cut(said.get("cut", 0), at),
            only=text["only"],
            language=text["language"],
        )

    def _codes(self, field: Field, name: object, at: str) -> dict[str, tuple[str, ...]]:
        if name is None:
            return {}
        found = self._table("codes").get(str(name))
        if not isinstance(found, dict):
            raise self._fault(f"{at} uses the codes {str(name)[:40]!r}", f"declare them under [codes.{name}]")
        stray = next((code for code in found if field.codes is None or field.codes.by_code(code) is None), None)
        if stray is not None:
            raise self._fault(f"codes.{name} has {stray!r}", f"which is no code of {field.name}")
        return {code: self._several(words, f"codes.{name}.{code}") for code, words in found.items()}

    def _fixed(self, said: object, at: str) -> object:
        if isinstance(said, int) and said.bit_length() > _MAX_BITS:
            raise self._fault(f"{at}.always is too large", "write it in quotes")
        return said

    def _cut(self, said: object, at: str) -> int:
        if not isinstance(said, int) or isinstance(said, bool) or said < 0:
            raise self._fault(f"{at}.cut is {said!r}", "write a number of characters")
        return said

    # ---------------------------------------------------------------- simple values

    def _word(self, key: str, default: str | None = None) -> str:
        value = self._said.get(key, default)
        if not isinstance(value, str):
            raise self._fault(f"{key} is missing" if value is None else f"{key} is {value!r}", "write it in quotes")
        return value

    def _words(self, key: str) -> tuple[str, ...]:
        value = self._said.get(key, [])
        if not isinstance(value, str | list) or not all(isinstance(each, str) for each in value):
            raise self._fault(f"{key} is {value!r}", "write words in quotes, several of them in []")
        return self._several(value, key)

    def _several(self, said: object, at: str) -> tuple[str, ...]:
        words = [said] if isinstance(said, str) else said
        if not isinstance(words, list) or not all(isinstance(each, str) for each in words):
            raise self._fault(f"{at} is {said!r}", "write words in quotes, several of them in []")
        return tuple(words)

    def _lists(self, key: str) -> dict[str, tuple[str, ...]]:
        return {name: self._several(words, f"{key}.{name[:60]}") for name, words in self._table(key).items()}

    def _place(self, said: str, at: str) -> str:
        if said.count(".") >= _MAX_STEPS:
            raise self._fault(f"{at} has a place of {said.count('.') + 1:,} steps", f"write at most {_MAX_STEPS}")
        return said

    def _places(self, said: object, at: str) -> tuple[str, ...]:
        return tuple(self._place(each, at) for each in self._several(said, at))

    def _text(self, said: Dict[str, Any], key: str, at: str) -> str:
        value = said.get(key, "")
        if not isinstance(value, str):
            raise self._fault(f"{at}.{key} is {value!r}", "write it in quotes")
        return value

    def _flag(self, said: Dict[str, Any], key: str, at: str, *, default: bool) -> bool:
        value = said.get(key, default)
        if not isinstance(value, bool):
            raise self._fault(f"{at} is {value!r}", "write true or false")
        return value

    def _table(self, key: str) -> dict[str, Any]:
        value = self._said.get(key, {})
        if not isinstance(value, dict):
            raise self._fault(f"{key} is {value!r}", f"write it as a part that begins with [{key}]")
        return value

    def _choice(self, key: str, choices: Sequence[str]) -> str:
        value = self._word(key, "")
        if value not in choices:
            raise self._fault(f"{key} is {value!r}", f"write one of {', '.join(filter(None, choices))}")
        return value

    def _known(self, said: Dict[str, Any], known: set[str], where: str) -> None:
        stray = next((key for key in said if key not in known), None)
        if stray is not None:
            near = difflib.get_close_matches(stray, known, 1)
            more = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known)[:12])} …"
            raise self._fault(f"{where} has no {stray[:60]!r}", more)

    def _fault(self, what: str, fix: str) -> Malformed:
        return Malformed(
            f"{self._file}: {what[:200]}.", fix=f"{fix[:1].upper()}{fix[1:]}{'' if fix[-1] in '?…' else '.'}"
        )
