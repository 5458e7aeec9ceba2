"""Finds out what a stranger's document is and makes it readable: its kind, its encoding, its syntax.

Runs in the child process only, on files mapped into memory, so that a large document costs no memory. The bytes win
over the media type where they are plain. A repair never changes a good document: it is tried only after a parser
refused, and stands only if the parser then takes the whole. RDF/XML with a document type is refused outright: its
entities are the known bombs, and no catalogue needs them.
"""

import codecs
import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from html.entities import html5
from pathlib import Path
from xml.parsers import expat  # for naming a line only; declarations were refused before

from node.errors import Malformed, TooLarge
from node.vocab.notes import Notes, shorten
from node.vocab.ntriples import language_tag

_HEAD_BYTES = 4096
_CHUNK_CHARS = 1 << 20


class Kind(Enum):
    """A syntax of RDF."""

    TURTLE = "Turtle"
    NTRIPLES = "N-Triples"
    NQUADS = "N-Quads"
    TRIG = "TriG"
    RDFXML = "RDF/XML"
    JSONLD = "JSON-LD"


_KINDS = {
    "text/turtle": Kind.TURTLE,
    "application/x-turtle": Kind.TURTLE,
    "text/n3": Kind.TURTLE,
    "application/n-triples": Kind.NTRIPLES,
    "application/n-quads": Kind.NQUADS,
    "application/trig": Kind.TRIG,
    "application/rdf+xml": Kind.RDFXML,
    "application/xml": Kind.RDFXML,
    "text/xml": Kind.RDFXML,
    "application/ld+json": Kind.JSONLD,
    "application/json": Kind.JSONLD,
}
# Possessive, so that a block of comments has one reading only: with two, each comment doubled the time.
_HTML = re.compile(
    r"\s*+(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_XML = re.compile(r"\s*<(?:\?xml[\s?]|!--|!DOCTYPE|(?:[\w-]+:)?RDF[\s>])")
_JSON = re.compile(r'\s*(?:\{\s*(?:"|\})|\[\s*(?:\{\s*"|\]))')
# Byte order marks, then the NUL bytes that an ASCII character leaves in wide encodings; longest first.
_MARKS = [
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_WIDE = [
    (re.compile(rb"\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"),
]
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DECLARATION = re.compile(r"""(\A\s*<\?xml[^>]*?)\s+encoding\s*=\s*(?:"[^"]*"|'[^']*')""")
_KNOWN = re.compile(
    r"(?:utf[-_]?(?:8|16|32).*|us-ascii|ascii|iso-?8859-?\d+|latin-?1|windows-125\d|cp125\d|koi8-[ru])\Z"
)
_MAX_XML_DEPTH = 256
# What opens an element, what closes one, and what holds tags that are none. What is never closed reaches to the end:
# looked for again from every opener, its end would cost the square of the document's length.
_TAG = re.compile(
    rb"""<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|</|"""
    rb"""<[A-Za-z_:\x80-\xff][^<>"']*+(?:"[^"]*+"[^<>"']*+|'[^']*+'[^<>"']*+)*+(?<!/)>""",
    re.DOTALL,
)
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MAX_DECLARATION = len(b"<!DOCTYPE") - 1


def _one_byte(error: UnicodeError) -> tuple[str, int]:
    """Read a byte that is no UTF-8 as Windows-1252, where almost all of them come from."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101  (for the type checker: only ever asked to decode)
    return error.object[error.start : error.start + 1].decode("cp1252", "replace"), error.start + 1


codecs.register_error("node-cp1252", _one_byte)


def decode(body: bytes) -> str:
    """Read UTF-8 with or without a mark, stray bytes as Windows-1252."""
    return body.decode("utf-8-sig", "node-cp1252")


def encoding_of(head: bytes) -> str:
    """Name the encoding by its mark, its NUL bytes, or what an XML declaration says; `utf-8` if nothing tells."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    for pattern, encoding in _WIDE:
        if pattern.match(head):
            return encoding
    declared = _DECLARED.match(head)
    name = declared.group(1).decode().lower() if declared else "utf-8"
    # The declaration itself was read as ASCII, so it cannot be right about a wide encoding.
    return "utf-8" if name.startswith(("utf", "us-ascii", "ascii")) and _KNOWN.match(name) else name


def head_of(path: Path) -> str:
    """Give the first few thousand characters, decoded."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    encoding = encoding_of(head)
    return head.decode(encoding, "replace") if _KNOWN.match(encoding) else head.decode("latin-1")


def refuse_html(head: str, wanted: str) -> None:
    """Raise Malformed if the document is a web page."""
    if _HTML.match(head):
        raise Malformed(
            f"The portal answered with an HTML page instead of {wanted}.",
            fix="Check the address in a browser: it may be an error page, a login or the portal's front page.",
        )


def kind_of(path: Path, media_type: str) -> Kind:
    """Tell the syntax: by the bytes where they are plain, else as the portal said, else Turtle."""
    head = head_of(path)
    refuse_html(head, "RDF")
    said = _KINDS.get(media_type.partition(";")[0].strip().lower())
    if _XML.match(head):
        return Kind.RDFXML
    if said not in (Kind.TURTLE, Kind.TRIG, Kind.JSONLD) and _JSON.match(head):
        return Kind.JSONLD
    if said in (Kind.TURTLE, Kind.NTRIPLES) and _JSON.match(head) and '"@' in head:
        return Kind.JSONLD
    return said or Kind.TURTLE


def plain_copy(path: Path, scratch: Path) -> Path:
    """Give a UTF-8 file without a mark: the document itself, or `scratch` written from it.

    Raises:
        Malformed: An encoding that we do not read.
    """
    with path.open("rb") as file:
        encoding = encoding_of(file.read(_HEAD_BYTES))
    if encoding == "utf-8":
        return path
    if not _KNOWN.match(encoding):
        raise Malformed(f"Its encoding {encoding} is not one we read.", fix="Publish it in UTF-8.")
    _transcode(path, scratch, encoding, "replace")
    return scratch


def _transcode(path: Path, to: Path, encoding: str, errors: str) -> None:
    with (
        path.open(encoding=encoding, errors=errors, newline="") as source,
        to.open("w", encoding="utf-8", newline="") as out,
    ):
        first = source.read(_CHUNK_CHARS)
        out.write(_DECLARATION.sub(r"\1", first, count=1))
        while chunk := source.read(_CHUNK_CHARS):
            out.write(chunk)


def is_utf8(path: Path) -> bool:
    """Tell whether the whole file is UTF-8."""
    reader = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_CHARS):
                reader.decode(chunk)
        reader.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap | bytes]:
    """Map a file for reading; empty bytes for an empty one, which cannot be mapped."""
    if not path.stat().st_size:
        yield b""
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        yield view


class Window:
    """What a reader goes through from front to back; the memory behind it is given back as it goes.

    Pages mapped from a file count as memory of the process until they are dropped, and a file may be larger than that.
    """

    _STEP = 32 << 20

    def __init__(self, view: mmap.mmap | bytes) -> None:
        """Start at the front."""
        self._view = view
        self._dropped = 0

    def passed(self, at: int) -> None:
        """Say that nothing before this byte is needed soon."""
        if at - self._dropped >= self._STEP and isinstance(self._view, mmap.mmap):
            length = (at - self._dropped) // mmap.PAGESIZE * mmap.PAGESIZE
            self._view.madvise(mmap.MADV_DONTNEED, self._dropped, length)
            self._dropped += length


def refuse_declarations(path: Path) -> None:
    """Raise Malformed on a document type or an entity declaration anywhere, also where XML would not see one."""
    line, tail = 1, b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_CHARS):
            body = tail + chunk
            if found := _DOCTYPE.search(body):
                line += body.count(b"\n", 0, found.start())
                message = f"Line {line}: a document type or an entity declaration."
                raise Malformed(message, fix="Publish RDF/XML without one.")
            tail = body[-_MAX_DECLARATION:]
            line += body.count(b"\n") - tail.count(b"\n")


def refuse_depth(path: Path) -> None:
    """Raise TooLarge on XML nested beyond reason: the parser's time grows with the square of the depth."""
    depth = 0
    with mapped(path) as view:
        window = Window(view)
        for found in _TAG.finditer(view):
            window.passed(found.start())
            mark = view[found.start() + 1]
            depth += -1 if mark == ord("/") else mark != ord("!")
            if depth > _MAX_XML_DEPTH:
                line = _line_of(view, found.start())
                raise TooLarge(f"Line {line}: nested deeper than {_MAX_XML_DEPTH} elements.", fix="Publish Turtle.")


def _line_of(view: mmap.mmap | bytes, at: int) -> int:
    return sum(view[start : min(start + _CHUNK_CHARS, at)].count(b"\n") for start in range(0, at, _CHUNK_CHARS)) + 1


def repaired(path: Path, to: Path, kind: Kind, notes: Notes) -> Path:
    """Write a copy with stray bytes and known faults of syntax mended; lines stay where they were."""
    source = path
    if not is_utf8(path):
        notes.note("encoding-mended", "", "Bytes that are no UTF-8 were read as Windows-1252")
        source = to.with_name(to.name + ".utf8")
        _transcode(path, source, "utf-8", "node-cp1252")
    pattern, mend = (_XML_FAULTS, _mend_xml) if kind is Kind.RDFXML else (_TURTLE_TOKENS, _mend_turtle)
    try:
        with mapped(source) as view, to.open("wb") as out:
            done, window = 0, Window(view)
            for found in pattern.finditer(view):
                mended = mend(found, notes)
                if mended != found.group():
                    out.write(view[done : found.start()])
                    out.write(mended)
                    done = found.end()
                elif found.end() - done > _CHUNK_CHARS:
                    out.write(view[done : found.end()])
                    done = found.end()
                    window.passed(done)
            out.write(view[done:])
    finally:
        if source is not path:
            source.unlink()
    return to


def root_of(path: Path) -> str:
    """Give the name of an XML document's root element as written.

    Only for documents without a document type (`refuse_declarations`), so there is nothing that expands.

    Raises:
        SyntaxError: Ill-formed; with line and column.
    """
    roots: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: None if roots else roots.append(name)
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        place = (str(path), error.lineno, error.offset + 1, None)
        raise SyntaxError(expat.ErrorString(error.code), place) from error
    return roots[0]


def is_rdf(root: str) -> bool:
    """Tell whether a root element's name says RDF."""
    return root.rpartition(":")[2] == "RDF"


# A string with the tag behind it, an IRI, a comment; whatever else there is holds none of the faults mended here.
_TURTLE_TOKENS = re.compile(
    rb'(?P<string>"""(?:[^"\\]++|\\.|""?(?!"))*+"""|'
    rb"'''(?:[^'\\]++|\\.|''?(?!'))*+'''|"
    rb"\"(?:[^\"\\]++|\\.)*+\"|'(?:[^'\\]++|\\.)*+')(?P<tag>@[A-Za-z0-9_-]*)?"
    rb"|(?P<prefix>@(?:prefix[ \t]+[^\s:]*:|base)[ \t]*<[^<>\s]*>)(?!\s*\.)"
    rb"|(?P<iri><[^<>\"{}|^`\n]*>)|#[^\n]*|\\.",
    re.DOTALL,
)
_BAD_ESCAPE = re.compile(rb"\\(?![tbnrf\"'\\]|u[0-9A-Fa-f]{4}|U00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})(.?)", re.DOTALL)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|(u[dD][89a-fA-F][0-9A-Fa-f]{2})|.)", re.DOTALL
)
_BAD_IRI_ESCAPE = re.compile(rb"\\(?!u[0-9A-Fa-f]{4}|U00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})")


def _mend_turtle(found: re.Match[bytes], notes: Notes) -> bytes:
    if iri := found["iri"]:
        mended = _BAD_IRI_ESCAPE.sub(b"%5C", iri)
        if mended != iri:
            notes.note("iri-mended", "", f"{shorten(iri.decode(errors='replace'))} has a backslash in it")
        return mended
    if prefix := found["prefix"]:
        notes.note("syntax-mended", "", f"The full stop behind {shorten(prefix.decode(errors='replace'))} was missing")
        return prefix + b" ."
    if not (string := found["string"]):
        return found.group()
    return _mend_string(string, notes) + _mend_tag(found["tag"] or b"", notes)


def _mend_string(string: bytes, notes: Notes) -> bytes:
    if b"\\" not in string:
        return string

    def one(found: re.Match[bytes]) -> bytes:
        escape = found.group()
        if found[1]:
            notes.note("text-mended", "", "Half a surrogate pair became U+FFFD")
            return b"\\uFFFD"
        if len(escape) == 2 and _BAD_ESCAPE.match(string, found.start()):
            notes.note("text-mended", "", "A backslash that escapes nothing was read as a backslash")
            return b"\\" + escape
        return escape

    return _ESCAPE.sub(one, string)


def _mend_tag(tag: bytes, notes: Notes) -> bytes:
    if b"_" not in tag and tag != b"@":
        return tag
    mended = language_tag(tag[1:].decode())
    if mended:
        notes.note("language-mended", "", f"The language tag {tag[1:].decode()} became {mended}")
        return b"@" + mended.encode()
    notes.note("language-dropped", "", f"The language tag {shorten(tag[1:].decode())} is none and was dropped")
    return b""


_XML_FAULTS = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    rb"|&(?:#\d+;|#x[0-9A-Fa-f]+;|(?P<name>[A-Za-z][A-Za-z0-9]*);)?",
    re.DOTALL,
)
_XML_NAMES = (b"amp", b"lt", b"gt", b"quot", b"apos")


def _mend_xml(found: re.Match[bytes], notes: Notes) -> bytes:
    text, name = found.group(), found["name"]
    if not text.startswith(b"&") or name in _XML_NAMES or text.startswith(b"&#"):
        return text
    known = html5.get(name.decode() + ";", "") if name else ""
    notes.note("text-mended", "", "An ampersand or a name of HTML in the XML was read as the character it stands for")
    return "".join(f"&#{ord(char)};" for char in known).encode() or b"&amp;" + text[1:]
