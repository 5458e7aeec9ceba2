"""Reads strangers' RDF into canonical N-Triples lines; runs in the child process only.

Fast first: a good document goes from pyoxigraph's parser straight into its serialiser. What the strict parser refuses
is read again leniently, triple by triple, and mended value by value; what even that refuses is read once more from a
copy with its syntax repaired. No single value ends a file. Surprises: strict JSON-LD drops bad values in silence, so
JSON-LD always takes the second way; and the lenient parser lets anything through, so every line is checked.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, cast

import pyoxigraph as ox

from node.errors import Malformed
from node.vocab.decode import (
    Kind,
    is_rdf,
    kind_of,
    plain_copy,
    refuse_declarations,
    refuse_depth,
    repaired,
    root_of,
)
from node.vocab.notes import Notes, Report, shorten
from node.vocab.ntriples import iri, language_tag, literal
from node.vocab.read_jsonld import ways_to_read
from node.vocab.stripes import without_stray_text

_FORMATS = {
    Kind.TURTLE: ox.RdfFormat.TURTLE,
    Kind.NTRIPLES: ox.RdfFormat.N_TRIPLES,
    Kind.NQUADS: ox.RdfFormat.N_QUADS,
    Kind.TRIG: ox.RdfFormat.TRIG,
    Kind.RDFXML: ox.RdfFormat.RDF_XML,
}
_LINE_KINDS = (Kind.NTRIPLES, Kind.NQUADS)
_GRAPH_KINDS = (Kind.NQUADS, Kind.TRIG)
_BATCH = 4096
_MAX_KNOWN = 100_000
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NEEDS_TAG = (_RDF + "langString", _RDF + "dirLangString")

Quads = Iterable[ox.Quad]
Way = Callable[[Notes], Quads]


def read_rdf(
    path: Path, to: Path, scratch: Path, *, media_type: str, base_iri: str, keep_graphs: bool = False
) -> Report:
    """Write `path` as lines to `to`; see `Parser.rdf_to_lines` for what holds. `scratch` is a folder for copies."""
    kind = kind_of(path, media_type)
    base = iri(base_iri)[1:-1]
    source = plain_copy(path, scratch / "plain")
    writer = _Writer(kind, to, keep_graphs=keep_graphs)
    try:
        if kind is Kind.JSONLD:
            return writer.first_that_reads(ways_to_read(source, base))
        if kind is Kind.RDFXML:
            refuse_declarations(source)
            refuse_depth(source)
        return writer.fast(source, base) or writer.first_that_reads(_ways(source, scratch, kind, base))
    except SyntaxError as error:
        reason = _xml_reason(source, scratch, error) if kind is Kind.RDFXML else _reason(error)
        fix = f"The document is no good {kind.value}; whoever publishes it must mend it."
        raise Malformed(reason, fix=fix) from error


class _Sink:
    """A file that counts lines, and notices directions and triple terms as they pass.

    A line feed ends a line in N-Triples and stands nowhere else. What looks like a direction or a triple term may also
    stand in a text, which then costs time and nothing else.
    """

    _ODD = (b"--ltr ", b"--rtl ", b" <<( ")
    _KEEP = 6

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._tail = b""
        self.lines = 0
        self.odd = False

    def write(self, chunk: bytes) -> int:
        self.lines += chunk.count(b"\n")
        seam = self._tail + chunk[: self._KEEP]
        self.odd = self.odd or any(mark in chunk or mark in seam for mark in self._ODD)
        self._tail = chunk[-self._KEEP :]
        return self._file.write(chunk)

    def flush(self) -> None:
        self._file.flush()


def _parse(source: Path, kind: Kind, base: str, *, lenient: bool) -> Iterator[ox.Quad]:
    return ox.parse(path=source, format=_FORMATS[kind], base_iri=base, rename_blank_nodes=True, lenient=lenient)


def _ways(source: Path, scratch: Path, kind: Kind, base: str) -> Iterator[Way]:
    """Give the ways to read a document that the strict parser refused, the most forgiving last."""
    yield lambda _: _parse(source, kind, base, lenient=True)
    mended = scratch / "mended"
    yield lambda notes: _parse(repaired(source, mended, kind, notes), kind, base, lenient=True)
    # Other XML must not become RDF by leaving out what makes it something else.
    if kind is Kind.RDFXML and is_rdf(root_of(mended)):
        striped = scratch / "striped"
        yield lambda notes: _parse(
            without_stray_text(repaired(source, mended, kind, notes), striped, notes), kind, base, lenient=True
        )


class _Writer:
    """Writes a document's lines to a file, anew for every way that is tried."""

    def __init__(self, kind: Kind, to: Path, *, keep_graphs: bool) -> None:
        self._kind = kind
        self._to = to
        self._keep_graphs = keep_graphs

    def fast(self, source: Path, base: str) -> Report | None:
        """Go from parser to serialiser without touching a triple; None if something is there to mend."""
        quads = _parse(source, self._kind, base, lenient=False)
        merge = self._kind in _GRAPH_KINDS and not self._keep_graphs
        with self._to.open("wb") as file:
            sink = _Sink(file)
            out = cast("IO[bytes]", sink)
            try:
                if merge:
                    ox.serialize((quad.triple for quad in quads), out, ox.RdfFormat.N_TRIPLES)
                else:
                    ox.serialize(quads, out, ox.RdfFormat.N_QUADS)
            except SyntaxError:
                return None
        return None if sink.odd else Report(triples=sink.lines)

    def first_that_reads(self, ways: Iterable[Way]) -> Report:
        """Write what the first way gives that reads to the end; of a line format at least what the last one gave.

        Raises:
            SyntaxError: Of the last way, which was the most forgiving.
        """
        last = SyntaxError("nothing to read")
        report, notes = Report(), Notes()
        for way in ways:
            report, notes = Report(), Notes()
            try:
                self._write(way(notes), report, notes)
            except SyntaxError as error:
                last = error
            else:
                report.findings = notes.findings()
                return report
        if self._kind in _LINE_KINDS:
            report.findings, report.incomplete = notes.findings(), _reason(last)
            return report
        raise last

    def _write(self, quads: Quads, report: Report, notes: Notes) -> None:
        with self._to.open("wb") as file:
            for batch in _batches(_lines(quads, notes, keep_graphs=self._keep_graphs)):
                file.write("".join(batch).encode())
                report.triples += len(batch)


def _reason(error: SyntaxError) -> str:
    message = re.sub(r"^Parser error .*?: ", "", error.msg)
    place = f"Line {error.lineno}, column {error.offset}: " if error.lineno else ""
    return f"{place}{shorten(message, 300)}."


def _xml_reason(source: Path, scratch: Path, error: SyntaxError) -> str:
    """Say what is wrong with RDF/XML that no way could read, with the line: as an ordinary XML parser sees it first."""
    read_last = next(path for path in (scratch / "striped", scratch / "mended", source) if path.exists())
    try:
        root = root_of(read_last)
    except SyntaxError as ill_formed:
        return _reason(ill_formed)
    if not is_rdf(root):
        return f"Its root element is <{shorten(root)}>, which is not RDF."
    return f"Line {_line_of_failure(read_last)}: {shorten(error.msg, 300)}."


class _OneLineAtATime:
    """A file that counts the lines it has handed out; pyoxigraph's RDF/XML errors do not say where they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.lines = 0

    def read(self, size: int) -> bytes:
        line = self._file.readline(size)
        self.lines += line.endswith(b"\n")
        return line


def _line_of_failure(source: Path) -> int:
    with source.open("rb") as file, suppress(SyntaxError):
        counted = _OneLineAtATime(file)
        for _ in ox.parse(cast("IO[bytes]", counted), format=ox.RdfFormat.RDF_XML, base_iri="x:", lenient=True):
            pass
    return counted.lines


def _batches(lines: Iterator[str]) -> Iterator[list[str]]:
    """Cut into lists; what was read before an error still comes, and then the error."""
    failure: list[SyntaxError] = []

    def until_error() -> Iterator[str]:
        try:
            yield from lines
        except SyntaxError as error:
            failure.append(error)

    rest = until_error()
    while batch := list(islice(rest, _BATCH)):
        yield batch
    if failure:
        raise failure[0]


_IRI = r'<([A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|^`\\\x7f-\x9f\[\]]+)>'
_CLEAN = re.compile(
    rf'(?:{_IRI}|_:[0-9A-Za-z]+) {_IRI} (?:{_IRI}|_:[0-9A-Za-z]+|"(?:[^"\\\n]|\\.)*+"'
    rf"(?:@[a-z]{{1,8}}(?:-[a-z0-9]{{1,8}})*+|\^\^{_IRI})?)\Z"
)


def _lines(quads: Quads, notes: Notes, *, keep_graphs: bool) -> Iterator[str]:
    """Spell every triple as a line: as it is if it is clean, else mended, else not at all."""
    known: set[str] = set()
    for quad in quads:
        line = str(quad.triple)
        match = _CLEAN.match(line)
        if match is None or not _are_known(match.groups(), known):
            line = _mended(quad, notes)
        if line:
            graph = _graph(quad.graph_name, notes) if keep_graphs else ""
            yield f"{line} {graph}.\n"


def _are_known(iris: tuple[str | None, ...], known: set[str]) -> bool:
    """Have the strict parser judge the IRIs of a line, and remember the good ones."""
    for one in iris:
        if one is not None and one not in known:
            if not _is_good(one):
                return False
            if len(known) >= _MAX_KNOWN:
                known.clear()
            known.add(one)
    return True


def _graph(name: ox.NamedNode | ox.BlankNode | ox.DefaultGraph, notes: Notes) -> str:
    """Spell a graph's name with a space behind it; empty for the default graph and for what is no name."""
    if isinstance(name, ox.BlankNode):
        return f"{name} "
    spelled = _mended_iri(name.value, "", notes) if isinstance(name, ox.NamedNode) else ""
    return f"{spelled} " if spelled else ""


def _is_good(value: str) -> bool:
    if value in _NEEDS_TAG:
        return False
    try:
        ox.NamedNode(value)
    except ValueError:
        return False
    return True


def _mended(quad: ox.Quad, notes: Notes) -> str:
    predicate = _mended_iri(quad.predicate.value, "", notes)
    if not predicate:
        notes.note("iri-not-absolute", "", f"Values of the property {shorten(quad.predicate.value)} were left out")
        return ""
    path = predicate[1:-1]
    subject = _subject(quad.subject, path, notes)
    value = _object(quad.object, path, notes) if subject else ""
    return f"{subject} {predicate} {value}" if value else ""


def _subject(term: ox.NamedNode | ox.BlankNode | ox.Triple, path: str, notes: Notes) -> str:
    if isinstance(term, ox.BlankNode):
        return str(term)
    if isinstance(term, ox.Triple):
        return _without_triple_term(path, notes)
    subject = _mended_iri(term.value, "", notes)
    if not subject:
        notes.note(
            "iri-not-absolute", path, f"What is said of {shorten(term.value)} was left out: it is no absolute IRI"
        )
    return subject


def _object(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple, path: str, notes: Notes) -> str:
    if isinstance(term, ox.BlankNode):
        return str(term)
    if isinstance(term, ox.Literal):
        return _literal(term, path, notes)
    if isinstance(term, ox.NamedNode):
        spelled = _mended_iri(term.value, path, notes)
        if not spelled:
            notes.note("iri-not-absolute", path, f"{shorten(term.value)} is no absolute IRI and became a text")
        return spelled or literal(term.value)
    return _without_triple_term(path, notes)


def _without_triple_term(path: str, notes: Notes) -> str:
    notes.note("triple-term-dropped", path, "A triple about a triple was left out")
    return ""


def _literal(term: ox.Literal, path: str, notes: Notes) -> str:
    if term.direction is not None:
        notes.note("direction-dropped", path, "A base direction was left out")
    if term.language is not None:
        return literal(term.value, language=_language(term.language, path, notes))
    if term.datatype.value in _NEEDS_TAG:
        notes.note("language-dropped", path, "A text that should have a language tag has none")
        return literal(term.value)
    datatype = _mended_iri(term.datatype.value, path, notes)
    if not datatype:
        notes.note("iri-not-absolute", path, f"The datatype {shorten(term.datatype.value)} was left out")
    return literal(term.value, datatype=datatype[1:-1])


def _language(tag: str, path: str, notes: Notes) -> str:
    mended = language_tag(tag)
    if not mended:
        notes.note("language-dropped", path, f"The language tag {shorten(tag)} is none and was dropped")
    elif mended != tag.lower():
        notes.note("language-mended", path, f"The language tag {shorten(tag)} became {mended}")
    return mended


def _mended_iri(value: str, path: str, notes: Notes) -> str:
    """Spell an IRI that the strict parser takes, percent-encoding what it must; empty if there is none."""
    spelled = iri(value)
    if not spelled:
        return ""
    with suppress(ValueError):
        ox.NamedNode(spelled[1:-1])
        if spelled[1:-1] != value:
            notes.note("iri-mended", path, f"{shorten(value)} has characters that an IRI may not have")
        return spelled
    return ""
