"""The folder of a kind: a file for each description, its translations beside it, all of it reviewable in git.

`NAME.md` is the description in its main language, `NAME.sv.md` what of it is said in Swedish; kinds without long texts
may be `NAME.yaml` or `NAME.json`. A description is read whole with everything that is wrong with its files, each fault
with its line; nothing is published from here. Names that begin with a dot or an underscore, and README.md, are none.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from node.catalog.author import files, front
from node.catalog.author.office import Place, Written
from node.errors import Conflict, Malformed, NotFound
from node.records import slug_of
from node.vocab.kinds.checking import MOST_PROBLEMS, Problem, is_language, is_missing, pointer
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.naming import name_for
from node.vocab.kinds.writing import tidy
from node.vocab.ntriples import language_tag

MOST_FILES = 20_000
_GUESSES = 20
"""In files with more faults than that, nobody is helped by guesses at what was meant, which take their time."""
_FORMS = {".md": "md", ".yaml": "yaml", ".yml": "yaml", ".json": "json"}
_OWN_WORDS = frozenset({"language", "collection", "translated", "translated_from"})
"""Keys of the front matter that say something of the file and not of what it describes; no field has such a name."""


@dataclass(slots=True)
class _Read:
    """A description as it is put together from its files."""

    table: KindTable
    said: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def fault(self, path: Path, line: int, code: str, message: str, at: str = "") -> None:
        if len(self.problems) < MOST_PROBLEMS:  # any one of them keeps it from being published
            self.problems.append(Problem(at, code, message, "error", line, str(path)))


class Folder:
    """The files of one kind. Reads and writes in its folder alone."""

    def __init__(self, path: Path, table: KindTable, language: str, others: Sequence[str] = ()) -> None:
        """Take the folder, also one that is not there yet.

        Texts that name no language are in `language`; `others` are those that new files may be translated into.
        """
        self.path = path
        self.table = table
        self.language = language
        self.others = others
        self._known = _headings(table)

    def names(self) -> list[str]:
        """List the names that have a file, in their order.

        Raises:
            NotFound: There is no such folder.
            Malformed: It holds more than 20,000 files.
        """
        if not self.path.is_dir():
            fix = f"Begin: citynode {self.table.command} new NAME"
            raise NotFound(f"There is no folder {self.path}.", fix=fix)
        found = {_name(path) for path in self._files()}
        return sorted(found)

    def _files(self) -> Iterator[Path]:
        with os.scandir(self.path) as entries:
            for number, entry in enumerate(entries):
                if number >= MOST_FILES:
                    raise Malformed(f"{self.path} holds more than {MOST_FILES:,} files.")
                path = self.path / entry.name
                if path.suffix in _FORMS and entry.name[0] not in "._" and path.stem != "README" and entry.is_file():
                    yield path

    def stamps(self) -> dict[str, tuple[tuple[str, int, int], ...]]:
        """Give, for each name, its files with their sizes and times: what differs when one was changed."""
        found: dict[str, list[tuple[str, int, int]]] = {}
        for path in self._files() if self.path.is_dir() else ():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # taken away in this very moment
            found.setdefault(_name(path), []).append((path.name, status.st_size, status.st_mtime_ns))
        return {name: tuple(sorted(each)) for name, each in found.items()}

    def read(self, name: str) -> Written:
        """Read a description from its files.

        Raises:
            NotFound: There are none of that name.
        """
        paths = sorted(path for path in self._files() if _name(path) == name) if self.path.is_dir() else []
        if not any(path.stem == name for path in paths):
            raise NotFound(self._missing(name, paths), fix=f"Write it: citynode {self.table.command} new {name}")
        return self._read(name, paths)

    def everything(self) -> list[Written]:
        """Read all descriptions, by name; a translation without its original is one with a fault.

        Raises:
            NotFound: There is no such folder.
            Malformed: It holds more than 20,000 files.
        """
        by_name: dict[str, list[Path]] = {name: [] for name in self.names()}
        for path in sorted(self._files()):
            by_name.setdefault(_name(path), []).append(path)
        return [self._read(name, paths) for name, paths in by_name.items()]

    def _read(self, name: str, paths: Sequence[Path]) -> Written:
        read = _Read(self.table)
        mains = [path for path in paths if path.stem == name]
        if not mains:
            read.fault(self.path / f"{name}.md", 0, "no-original", self._missing(name, paths))
            return Written(name, {}, str(self.path / f"{name}.md"), problems=tuple(read.problems))
        language, collection = self._main(read, mains[0])
        for path in mains[1:]:
            read.fault(path, 0, "twice", f"{mains[0].name} describes the same: keep one of the two.")
        for path in paths:
            if path.stem != name:
                self._translation(read, path, path.stem[len(name) + 1 :], language)
        return Written(name, read.said, str(mains[0]), collection, read.places, tuple(read.problems))

    def _missing(self, name: str, paths: Sequence[Path]) -> str:
        if paths:
            return f"{paths[0]} is a translation of {name}.md, and there is none."
        return f"There is no file {name}.md in {self.path}."

    def new(self, name: str, *, title: str, review: str, language: str = "") -> Path:
        """Write the file of something new, to be edited, in a language (else that of the folder).

        Raises:
            Malformed: The name can be none, or there is no such language.
            Conflict: There is one already.
        """
        tag = language_tag(language or self.language)
        if not is_language(tag):
            raise Malformed(f"“{language[:40]}” is no language.", fix="Write a tag such as en or sv.")
        others = [*dict.fromkeys((self.language, *self.others))]
        text = files.template(self.table, name, title=title, language=tag, others=others, review=review)
        return self._create(name, {"": text}, instead=False)

    def write(self, name: str, said: Mapping[str, Any], *, collection: str = "", instead: bool = False) -> Path:
        """Write the files of a description; with `instead` also over those that are there.

        Raises:
            Malformed: The name can be none.
            Conflict: There is one already, and it was not to be written over.
        """
        return self._create(name, files.written(self.table, said, collection=collection), instead=instead)

    def _create(self, name: str, texts: Mapping[str, str], *, instead: bool) -> Path:
        if not name or slug_of(name) != name:
            such = f", such as {name_for(name, self.table.kind)}" if name.strip() else ""
            raise Malformed(f"“{name[:60]}” is no name.", fix=f"Write a-z, 0-9 and -, at most 80{such}.")
        self.path.mkdir(parents=True, exist_ok=True)
        standing = next((path for path in sorted(self._files()) if _name(path) == name), None)
        if standing is not None and not instead:
            raise Conflict(f"There is {standing} already.", fix="Edit it, or choose another name.")
        paths = {self.path / f"{name}{'.' + language if language else ''}.md": text for language, text in texts.items()}
        for path in paths:
            if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
                raise Conflict(f"{path} is no plain file.", fix="Take it away, or choose another name.")
        for path, text in paths.items():
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            part.write_text(text, "utf-8")
            part.replace(path)
        written = {f"{name}{'.' + language if language else ''}.md" for language in texts}
        for path in [path for path in self._files() if _name(path) == name and path.name not in written]:
            path.unlink()  # a translation, or another form, of what was written over
        return self.path / f"{name}.md"

    # ---------------------------------------------------------------- reading

    def _opened(self, read: _Read, path: Path) -> front.Front:
        with path.open("rb") as opened:
            found = front.read(opened.read(front.MAX_BYTES + 1), _FORMS[path.suffix])
        for fault in found.faults:
            read.fault(path, fault.line, fault.code, fault.message)
        return found

    def _main(self, read: _Read, path: Path) -> tuple[str, str]:
        """Take in the main file; give the language of its texts and the collection that it names."""
        found = self._opened(read, path)
        words = {name: found.values.pop(name) for name in sorted(_OWN_WORDS) if name in found.values}
        language = self._spoken(read, path, found, words)
        collection = words.get("collection") or ""
        if not isinstance(collection, str):
            read.fault(path, found.lines.get("/collection", 0), "wrong-value", "Write the name of one collection.")
            collection = ""
        read.places |= {at: (str(path), line) for at, line in found.lines.items()}
        read.said = tidy(self.table, found.values, language)
        for section in found.sections:
            self._section(read, path, section, language)
        return language, collection

    def _spoken(self, read: _Read, path: Path, found: front.Front, words: Mapping[str, Any]) -> str:
        """Give the tag of a file's texts, with what they were translated from: `en-t-nl`."""
        language = words.get("language") or self.language
        source = words.get("translated_from") or ""
        for name, tag in (("language", language), ("translated_from", source)):
            if tag and not (isinstance(tag, str) and is_language(language_tag(tag))):
                line = found.lines.get(f"/{name}", 0)
                message = f"“{str(tag)[:40]}” is no language: write a tag such as en or sv."
                read.fault(path, line, "unknown-language", message)
                return self.language
        return language_tag(f"{language}-t-{source}" if source else language)

    def _translation(self, read: _Read, path: Path, tag: str, main: str) -> None:
        """Take in what a second file says in its language."""
        found = self._opened(read, path)
        words = {name: found.values.pop(name) for name in sorted(_OWN_WORDS) if name in found.values}
        tag = language_tag(tag)
        if not tag or not is_language(tag):
            message = "The name of a translation ends with its language, such as NAME.sv.md; this one is none."
            read.fault(path, 0, "unknown-language", message)
            return
        if words.get("translated") is not None:
            if words["translated"] != "machine":
                line = found.lines.get("/translated", 0)
                read.fault(path, line, "wrong-value", "Write `translated: machine`, or take it out.")
            tag = f"{tag}-t-{main.partition('-t-')[0]}"
        if tag == main:
            read.fault(path, 0, "same-language", f"The main file is in {main} already: name it after its language.")
            return
        said = tidy(self.table, found.values, tag)
        _Merging(read, path, found.lines, tag).into(read.said, said, self.table.fields, "")
        for section in found.sections:
            self._section(read, path, section, tag)

    def _section(self, read: _Read, path: Path, section: front.Section, language: str) -> None:
        """Take in a section as the text of the field that its heading names, in any of our languages."""
        known = self._known
        named = known.get(_folded(section.heading))
        if not section.text:
            if named is not None:  # a place where something may be missing
                read.places.setdefault(pointer("", named.name), (str(path), section.line))
            return
        if named is None:
            few, words = len(read.problems) < _GUESSES, files.words_of(language)
            near = get_close_matches(_folded(section.heading)[:60], known, 1) if few else []
            listed = ", ".join(each.label[words] for each in self.table.fields if files.is_section(each))
            wanted = f"Did you mean “{known[near[0]].label[words]}”?" if near else f"Known are: {listed}."
            message = f"There is no section “{section.heading[:60]}”. {wanted}"
            read.fault(path, section.line, "unknown-section", message)
            return
        place = pointer("", named.name)
        texts = read.said.get(named.name)
        if named.many:
            texts = texts[0] if isinstance(texts, list) and texts else {}
        if not isinstance(texts, Mapping) or language in texts:
            if not is_missing(texts):
                message = f"{named.label['en']} stands twice in {language}: keep one."
                read.fault(path, section.line, "twice", message, place)
                return
            texts = {}
        texts = {**texts, language: section.text}
        read.said[named.name] = [texts] if named.many else texts
        read.places[pointer(f"{place}/0" if named.many else place, language)] = (str(path), section.line)


@dataclass(frozen=True, slots=True)
class _Merging:
    """Puts the texts of a translation beside those of the main file; what is no text has one value in all languages."""

    read: _Read
    path: Path
    lines: Mapping[str, int]
    tag: str

    def into(self, main: dict[str, Any], said: Mapping[str, Any], fields: Sequence[Field], at: str) -> None:
        known = {each.name: each for each in fields}
        for name, value in said.items():
            place = pointer(at, name)
            if name not in known:
                self._fault(place, "unknown-field", f"There is no field “{name[:60]}”.")
            elif known[name].many:
                self._several(main, value, known[name], place)
            else:
                main[name] = self._one(main.get(name), value, known[name], place)

    def _several(self, main: dict[str, Any], values: Any, field_: Field, at: str) -> None:  # noqa: ANN401
        standing = main.get(field_.name)
        if not isinstance(values, list) or not (field_.by_language or field_.form == "group"):
            self._one(standing, values, field_, at)
            return
        if field_.by_language:  # words like keywords: each language has its own
            main[field_.name] = [*(standing if isinstance(standing, list) else []), *values]
            return
        if not isinstance(standing, list) or len(standing) < len(values):
            message = f"{field_.label['en']}: the main file has fewer of them. They are translated in their order."
            self._fault(at, "untranslatable", message)
            return
        for number, value in enumerate(values):
            standing[number] = self._one(standing[number], value, field_, pointer(at, number))

    def _one(self, main: Any, value: Any, field_: Field, at: str) -> Any:  # noqa: ANN401 (of any form)
        if field_.form == "group" and isinstance(value, Mapping):
            made = dict(main) if isinstance(main, Mapping) else {}
            self.into(made, value, field_.fields, at)
            return made
        if not field_.by_language or not isinstance(value, Mapping):
            message = f"{field_.label['en']} is the same in all languages: say it in the main file."
            self._fault(at, "not-a-text", message)
            return main
        self.read.places[pointer(at, self.tag)] = (str(self.path), self._line(at))
        return {**(main if isinstance(main, Mapping) else {}), **value}

    def _fault(self, at: str, code: str, message: str) -> None:
        self.read.fault(self.path, self._line(at), code, message, at)

    def _line(self, at: str) -> int:
        while at and at not in self.lines:
            at = at.rpartition("/")[0]
        return self.lines.get(at, 0)


def _name(path: Path) -> str:
    return path.name.partition(".")[0]


def _folded(heading: str) -> str:
    return " ".join(heading.replace("_", " ").casefold().split()).rstrip(":")


def _headings(table: KindTable) -> dict[str, Field]:
    """Give the fields that are texts by the headings that name them: their names, and their labels in all languages."""
    known: dict[str, Field] = {}
    for each in table.fields:
        if each.by_language:
            for heading in (each.name, *each.label.values()):
                known.setdefault(_folded(heading), each)
    return known
