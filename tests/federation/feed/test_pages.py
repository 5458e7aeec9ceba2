"""A page says the same to its reader as to its writer, in one spelling only; broken ones are in `test_intake`."""

import base64

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from node.errors import Malformed
from node.federation.feed import feed_pages, pages
from node.journal import Entry, Opening
from node.journal.entry import at_text
from node.vocab.parse import Parser
from node.vocab.peer_payload import _PLAIN, fault_of, looked_at

IRI = "https://helsinki.example/collections/open-data"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=4)
TIMES = st.integers(0, 253_402_300_799_999)


@st.composite
def openings(draw: st.DrawFn) -> Opening:
    salt = draw(st.binary(min_size=16, max_size=16))
    op = draw(st.sampled_from(["put", "withdraw", "erase"]))
    if op == "erase":
        return Opening("erase", salt, target=draw(st.integers(0, 2**53 - 1)))
    digest = "sha256:" + draw(st.binary(min_size=32, max_size=32)).hex() if op == "put" else ""
    return Opening(op, salt, draw(TEXTS), draw(TEXTS), draw(TEXTS), digest)


@st.composite
def entries(draw: st.DrawFn) -> list[tuple[Entry, bytes | None]]:
    after = draw(st.integers(0, 1_000))
    found = []
    for number, at_ms in enumerate(sorted(draw(st.lists(TIMES, min_size=1, max_size=5))), 1):
        opening = draw(st.none() | openings())
        payload = draw(st.none() | TEXTS) if opening and opening.op == "put" else None
        entry = Entry(IRI, after + number, at_ms, draw(st.binary(min_size=32, max_size=32)), opening)
        found.append((entry, None if payload is None else payload.encode()))
    return found


@pytest.mark.slow  # many examples
@given(entries(), HASHES, HASHES, TEXTS)
def test_what_is_written_is_what_is_read(told: list, consistency: list, through: list, checkpoint: str):
    after, end = told[0][0].seq - 1, told[-1][0].seq
    head = feed_pages.envelope(
        collection=IRI,
        after=after,
        end=end,
        size=end + 5,
        checkpoint=checkpoint,
        consistency=consistency,
        through=through,
    )
    data = head + b"".join(feed_pages.line_of(entry, payload) for entry, payload in told)
    page = pages.read_page(data)
    assert (page.collection, page.after, page.end, page.size, page.checkpoint) == (IRI, after, end, end + 5, checkpoint)
    assert (page.consistency, page.through) == (tuple(consistency), tuple(through))
    for (entry, payload), line in zip(told, page.lines, strict=True):
        assert (line.leaf, line.payload) == (entry.leaf(), payload)
        assert entry.opening == (pages.opening_of(line.opening) if line.opening is not None else None)
    for line in data.splitlines():
        assert rfc8785.dumps(orjson.loads(line)) == line
    again = feed_pages.envelope_of_stubs(
        collection=IRI, seqs=[entry.seq for entry, _ in told], size=end, checkpoint=checkpoint
    )
    stubs = pages.read_stubs(again + b"".join(feed_pages.line_of(entry, payload) for entry, payload in told))
    assert stubs.lines == page.lines


@given(TIMES)
def test_a_time_is_read_as_it_is_written(at_ms: int):
    assert pages._at_ms(at_text(at_ms)) == at_ms


@given(st.binary(max_size=20))
def test_a_salt_has_one_spelling(raw: bytes):
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    if len(raw) == 16:
        assert pages._salt(text) == raw
    else:
        with pytest.raises(Malformed):
            pages._salt(text)


TERMS = [
    "http://a/", "https://a.b:80/c?d=e&f#g", "http://a", "http://a#b", "http://a?b", "http://a:", "http://a:99999/b",
    "http://a/%20", "http://a/%2", "http://a/%zz", "http://a/b#c#d", "http://[::1]/", "http://a/[b]", "mailto:a@b",
    "mailto:", "urn:a:b", "urn:uuid:1", "urn:", "a", "//a/b", "http:a", "http:///a", "http://a@b/c", "http://ä/ö",
    "x:y",    "http://a/ ", "http://a/|", "http://-/", "http://./", "http://a/\ue000", "http://a/'()*+,;=:@!$&", "HTTP://a/",
]  # fmt: skip
TAGS = ["@en", "@fi", "@EN", "@en-gb", "@zh-hant", "@e", "@abcd", "@en--ltr", "@en-", "@1a", "@sgn"]
TYPES = [
    "http://www.w3.org/2001/XMLSchema#string",
    "http://www.w3.org/2001/XMLSchema#stringy",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#dirLangString",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON",
]
PIECES = [
    "a", "ä", "\u2028", "\u0085", "\ufffe", "\uffff", "\ufffd", "\ufeff", "\\n", "\\t", "\\u0000", "\\u000B", "\\u000b",
    "\\u0041", "\\u007F", "\\/", "\\'", "\\", '\\"', "\x00", "\x7f", "\x1f", "\r", "\U0010ffff", "<", " ",
]  # fmt: skip
IRIS = st.sampled_from(TERMS).map("<{}>".format)


@st.composite
def lines(draw: st.DrawFn) -> str:
    literal = '"' + "".join(draw(st.lists(st.sampled_from(PIECES), max_size=4))) + '"'
    literal += draw(
        st.sampled_from(["", *TAGS]) | (IRIS | st.sampled_from(TYPES).map("<{}>".format)).map("^^{}".format)
    )
    term = draw(
        st.one_of(IRIS, st.just(literal), st.sampled_from(["_:a", "<<( <http://a/> <http://a/> <http://a/> )>>"]))
    )
    end = draw(st.sampled_from([" .\n", " .\n", " .\n", ".\n", " . \n", " . #\n"]))
    return f"{draw(IRIS)} {draw(IRIS)} {term}{end}"


@pytest.mark.slow  # many examples
@given(st.lists(lines(), max_size=3, unique=True).map(sorted))
def test_what_is_plain_is_what_a_parser_reads_and_writes_again(drawn: list[str]):
    """The regular expression takes less than the parser, never more."""
    payload = "".join(drawn).encode()
    if _PLAIN.match(payload):
        import node.vocab.peer_payload as module

        assert module._parsed(payload, payload.split(b"\n")[:-1]) == ("", "")
    assert fault_of(payload, payload.split(b"\n"))[0] in {"", "malformed", "not-canonical", "blank-nodes"}


@pytest.mark.parametrize(
    "term", [f"<{term}>" for term in TERMS] + [f'"a"{tag}' for tag in TAGS] + [f'"{p}"' for p in PIECES]
)
def test_each_odd_term_is_judged_alike_by_both(term: str):
    import node.vocab.peer_payload as module

    payload = f"<http://a/> <http://a/> {term} .\n".encode()
    lines_of = payload.split(b"\n")[:-1]
    if _PLAIN.match(payload):
        assert module._parsed(payload, lines_of) == ("", "")


def test_the_plain_form_takes_time_in_proportion():
    """No input makes the regular expression go back and forth: 1 MiB of any of these is judged at once."""
    nearly = [
        "<http://a/" + "%20" * 300_000,
        '<http://a/> <http://a/> "' + "\\n" * 500_000,
        "<http://a/" + "a" * 1_000_000,
    ]
    nearly += ["<http://a/> <http://a/> <http://a/> .\n" * 27_000 + "x", '<http://a/> <http://a/> "' + "\xef" * 500_000]
    for text in nearly:
        assert _PLAIN.match(text.encode()) is None


def test_the_child_tells_which_of_many_is_wrong():
    good = b'<http://a/> <http://a/> "a" .\n'
    payloads = [good, b"", good + good, good[:-1], b"x\n", good]
    with Parser() as parser:
        found = parser.look_at(payloads, [], 10.0)
        assert found == looked_at(payloads, [])
        assert parser.look_at([], [], 10.0) == {}
    assert {place: told[0] for place, told in found.items()} == dict.fromkeys((2, 3, 4), "not-canonical")


def test_subjects_that_are_asked_after_are_told():
    subjects = [
        "http://a/x",
        "http://b/x",
        "http://b:80/x",
        "http://b",
        "http://bb/x",
        "urn:b",
        "http://b#x",
        "http://b?c/d",
    ]
    payload = "".join(sorted(f"<{subject}> <http://p/> <http://o/> .\n" for subject in subjects)).encode()
    assert looked_at([payload], []) == {}
    told = ["http://b#x", "http://b/x", "http://b", "urn:b"]
    assert looked_at([b"x", payload, payload], ["http://b/"])[1] == ("", "", told)
