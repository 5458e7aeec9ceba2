"""What refuses an entry, by one that is perfect except there, and what is good to the byte; its page is taken."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from node.errors import Refused
from tests.federation.exchange.intake_rig import sets, sound, started, without
from tests.federation.origins import DCAT, DCT, LOCAL, TYPE, URL, Break, Mirror, Origin, payload_of, record_of, spelt

OTHER = "https://london.example"
OURS = "https://stockholm.example"


def flips(text: str) -> str:
    return text[:4] + ("A" if text[4] != "A" else "B") + text[5:]


LONG = f'<{record_of(1)}> <{DCT}description> "{"x" * (1 << 20)}"@en .'
MANY = [f'<{record_of(1)}> <{DCAT}keyword> "{n:05}" .' for n in range(10_001)]
POISON = [f"_:a{n} <{DCT}relation> _:a{(n + 1) % 50} ." for n in range(50)]
NESTED = "<<( " * 5_000 + f"<{URL}/s> <{URL}/p> <{URL}/o>" + " )>>" * 5_000
IS_A = f"<{record_of(1)}> <{TYPE}>"
TITLE = f"<{record_of(1)}> <{DCT}title>"


def lines_of(*lines: str) -> str:
    return "".join(line + "\n" for line in lines)


Add = Callable[[Origin], int]


# Each entry is what its origin committed to and signed, and is refused for what it says.
REFUSED: dict[str, tuple[Add, str]] = {
    "6 an opening with a member too many": (lambda o: o.put(1, more="x"), "bad-opening"),
    "6 an opening with a member too few": (lambda o: o.put(1, kind=...), "bad-opening"),
    "6 an opening of another doing": (lambda o: o.put(1, op="move"), "stops"),
    "6 a doing that is no text": (lambda o: o.withdraw(1, op=1), "bad-opening"),
    "6 no doing": (lambda o: o.withdraw(1, op=...), "bad-opening"),
    "6 a record that is a number": (lambda o: o.withdraw(1, record=1), "bad-opening"),
    "6 a digest that is none": (lambda o: o.put(1, digest="sha256:xyz"), "bad-opening"),
    "6 a digest with a withdrawal": (lambda o: o.withdraw(1, digest="sha256:" + "0" * 64), "bad-opening"),
    "6 a salt that is too short": (lambda o: o.withdraw(1, salt="AAAA"), "bad-opening"),
    "6 a salt with padding": (lambda o: o.withdraw(1, salt="A" * 22 + "=="), "bad-opening"),
    "6 a salt in broken base64": (lambda o: o.withdraw(1, salt="A"), "bad-opening"),
    "6 a salt that is no ASCII": (lambda o: o.withdraw(1, salt="ä" * 22), "bad-opening"),
    "6 an erasure with a record": (lambda o: o.erase(1, record=record_of(1)), "bad-opening"),
    "6 an erasure of text": (lambda o: o.erase("1"), "bad-opening"),
    "6 an erasure of less than nothing": (lambda o: o.erase(-1), "bad-opening"),
    "6 an erasure of nothing": (lambda o: o.erase(0), "bad-erasure"),
    "6 an erasure of itself": (lambda o: o.erase(4), "bad-erasure"),
    "6 an erasure of what is to come": (lambda o: o.erase(400), "bad-erasure"),
    "6 a put without its payload": (lambda o: o.add(o.lines[0]["opening"]), "payload-missing"),
    "6 a put with another payload": (lambda o: o.put(1, digest="sha256:" + "0" * 64), "digest-mismatch"),
    "6 1 MiB in one literal": (lambda o: o.put(1, payload_of(record_of(1), LONG)), "too-large"),
    "6 10,001 triples": (lambda o: o.put(1, payload_of(record_of(1), *MANY)), "too-large"),
    "6 no N-Quads": (lambda o: o.put(1, "<a b\n"), "not-canonical"),
    "6 no triples": (lambda o: o.put(1, lines_of("<http://a/ <http://b/> <http://c/> .")), "malformed"),
    "6 no last line": (lambda o: o.put(1, payload_of(record_of(1))[:-1]), "not-canonical"),
    "6 not sorted": (lambda o: o.put(1, lines_of(f'{TITLE} "b"@en .', f'{TITLE} "a"@en .')), "not-canonical"),
    "6 a line twice": (lambda o: o.put(1, lines_of(f'{TITLE} "a"@en .', f'{TITLE} "a"@en .')), "not-canonical"),
    "6 spaces": (lambda o: o.put(1, lines_of(f'{TITLE}  "a"@en .')), "not-canonical"),
    "6 a comment": (lambda o: o.put(1, lines_of(f'{TITLE} "a"@en . # x')), "not-canonical"),
    "6 a tag in capitals": (lambda o: o.put(1, payload_of(record_of(1), f'{TITLE} "a"@EN .')), "not-canonical"),
    "6 a tag that is none": (lambda o: o.put(1, payload_of(record_of(1), f'{TITLE} "a"@en-abcdefghi .')), "malformed"),
    "6 an escape too many": (lambda o: o.put(1, payload_of(record_of(1), f'{TITLE} "\\u0041" .')), "not-canonical"),
    "6 a type too many": (
        lambda o: o.put(1, payload_of(record_of(1), f'{TITLE} "a"^^<http://www.w3.org/2001/XMLSchema#string> .')),
        "not-canonical",
    ),
    "6 a graph": (lambda o: o.put(1, payload_of(record_of(1), f'{TITLE} "a" <http://g/> .')), "malformed"),
    "6 a relative IRI": (lambda o: o.put(1, payload_of(record_of(1), f"{TITLE} <a> .")), "malformed"),
    "6 an IRI with an open bracket": (
        lambda o: o.put(1, payload_of(record_of(1), f"{TITLE} <http://[x> .")),
        "malformed",
    ),
    "6 a direction": (lambda o: o.put(1, payload_of(record_of(1), f'{TITLE} "a"@ar--rtl .')), "not-canonical"),
    "6 a triple term": (
        lambda o: o.put(1, payload_of(record_of(1), f"{TITLE} <<( <http://s/> <http://p/> <http://o/> )>> .")),
        "not-canonical",
    ),
    "6 triple terms 5,000 deep": (lambda o: o.put(1, payload_of(record_of(1), f"{TITLE} {NESTED} .")), "not-canonical"),
    "6 a version": (lambda o: o.put(1, 'VERSION "1.2" x\n' + payload_of(record_of(1))), "not-canonical"),
    "6 a blank node": (lambda o: o.put(1, payload_of(record_of(1), f"{TITLE} _:b .")), "blank-nodes"),
    "6 a poison graph": (lambda o: o.put(1, payload_of(record_of(1), *POISON)), "blank-nodes"),
    "6 a record with a space": (lambda o: o.put(1, "", record=f"{URL}/a b"), "bad-record-iri"),
    "6 a record that is a script": (lambda o: o.put(1, "", record="javascript:alert(1)"), "bad-record-iri"),
    "6 a record of no host": (lambda o: o.put(1, "", record="https:///a"), "bad-record-iri"),
    "6 a record that is a name": (lambda o: o.put(1, "", record="urn:a:b"), "bad-record-iri"),
    "6 a record that ends its term": (lambda o: o.put(1, "", record=f"{URL}/a> <b"), "bad-record-iri"),
    "6 a record of many lines": (lambda o: o.put(1, "", record=f"{URL}/a\u2028b"), "bad-record-iri"),
    "6 a record of 10,000 characters": (lambda o: o.put(1, "", record=URL + "/" + "a" * 10_000), "bad-record-iri"),
    "6 a record that is anonymous": (lambda o: o.put(1, "", record=f"{URL}/.well-known/genid/x"), "bad-record-iri"),
    "6 a record of nothing": (lambda o: o.withdraw(1, record=""), "bad-record-iri"),
    "6 a slug with a path": (lambda o: o.put(1, slug="../../etc/passwd"), "bad-slug"),
    "6 a slug in capitals": (lambda o: o.put(1, slug="A"), "bad-slug"),
    "6 a slug of 101 characters": (lambda o: o.put(1, slug="a" * 101), "bad-slug"),
    "6 a slug of nothing": (lambda o: o.put(1, slug=""), "bad-slug"),
    "6 a slug with a NUL": (lambda o: o.put(1, slug="a\0"), "bad-slug"),
    "7 another city's record": (
        lambda o: o.put(1, payload_of(f"{OTHER}/d1"), record=f"{OTHER}/d1"),
        "foreign-record",
    ),
    "7 our own record": (lambda o: o.put(1, payload_of(f"{OURS}/d1"), record=f"{OURS}/d1"), "foreign-record"),
    "7 another city's withdrawal": (lambda o: o.withdraw(1, record=f"{OTHER}/d1"), "foreign-record"),
    "7 another city's subject": (
        lambda o: o.put(1, payload_of(record_of(1), f'<{OTHER}/d1> <{DCT}title> "Ours" .')),
        "foreign-subject",
    ),
    "7 a part of our own": (
        lambda o: o.put(1, payload_of(record_of(1), f'<{URL}/london/d1> <{DCT}title> "Ours" .')),
        "foreign-subject",
    ),
    "8 a kind that is unknown": (lambda o: o.put(1, kind="weather"), "kind-unknown"),
    "8 a kind that is unknown, withdrawn": (lambda o: o.withdraw(1, kind="weather"), "kind-unknown"),
    "8 a class of another kind": (lambda o: o.put(1, kind="data-service"), "class-missing"),
    "8 no triples at all": (lambda o: o.put(1, ""), "class-missing"),
    "8 the class of something else": (
        lambda o: o.put(1, lines_of(f'{TITLE} "a" .', f"<{URL}/x> <{TYPE}> <{DCAT}Dataset> .")),
        "class-missing",
    ),
    "8 no class": (lambda o: o.put(1, lines_of(f'{TITLE} "a" .'), kind="set"), "class-missing"),
    "8 no title": (lambda o: o.put(1, lines_of(f"{IS_A} <{DCAT}Dataset> .")), "title-missing"),
    "8 an empty title": (
        lambda o: o.put(1, lines_of(f'{TITLE} ""@en .', f'{TITLE} ""@fi .', f"{IS_A} <{DCAT}Dataset> .")),
        "title-missing",
    ),
    "8 a title that is an IRI": (
        lambda o: o.put(1, lines_of(f"{TITLE} <http://a/> .", f"{IS_A} <{DCAT}Dataset> .")),
        "title-missing",
    ),
}


STOPPED = {name for name, (_, code) in REFUSED.items() if code == "stops"}


@pytest.mark.parametrize("name", [name for name in REFUSED if name not in STOPPED])
def test_an_entry_that_is_perfect_but_for_one_thing_is_refused(origin: Origin, mirror: Mirror, name: str):
    add, code = REFUSED[name]
    mirror.book.table |= {
        f"{OTHER}/": frozenset({"london"}),
        f"{OURS}/": frozenset({""}),
        f"{URL}/london/": frozenset({"london"}),
    }
    started(mirror, origin)
    before = mirror.held()
    bad = add(origin)
    origin.put(9)
    found = mirror.take(origin.page(3))
    assert (found.entries, found.refused, found.size) == (2, 1, 5)
    assert mirror.codes() == {bad: code}
    assert mirror.held() == before | {record_of(9): 5}
    assert mirror.entries()[bad - 1].opening is None
    detail = mirror.refusals()[0][2]
    assert len(detail) <= 200
    assert detail.isprintable()
    sound(mirror, origin)


def test_a_payload_beside_another_doing_stops_the_page(origin: Origin, mirror: Mirror):
    origin.put(1, op="move")
    with pytest.raises(Refused, match="is no put"):
        mirror.take(origin.page())


SENT: dict[str, tuple[Break, str]] = {
    "another salt": (
        lambda e, ls: sets("opening", "salt", flips(ls[0]["opening"]["salt"]))(e, ls),
        "commitment-mismatch",
    ),
    "another record": (sets("opening", "record", record_of(7)), "commitment-mismatch"),
    "another payload": (sets("line", "payload", payload_of(record_of(3), title="Flipped")), "digest-mismatch"),
    "no payload": (without("line", "payload"), "payload-missing"),
    "a target": (sets("opening", "target", 1), "bad-opening"),
}


@pytest.mark.parametrize("name", SENT)
def test_what_does_not_arrive_as_it_was_committed_to_is_asked_for_again(origin: Origin, mirror: Mirror, name: str):
    change, code = SENT[name]
    started(mirror, origin)
    origin.put(3)
    envelope, lines = origin.told(3)
    change(envelope, lines)
    mirror.take(spelt(envelope, lines))
    assert mirror.codes() == {4: code}
    assert len(mirror.held()) == 3
    sound(mirror, origin)
    assert mirror.refill(origin.stubs(4)).entries == 1
    assert mirror.codes() == {}
    assert len(mirror.held()) == 4
    sound(mirror, origin)


GOOD = {
    "letters that look like ends of lines": '"a\u2028b\u0085c\u2029d"@en',
    "a script": '"<script>alert(1)</script>"@en',
    "all escapes": '"\\t\\b\\n\\r\\f\\"\\\\\\u0000\\u001F\\u007F"',
    "characters that are none": '"\ufffe\uffff\U0010fffe"',
    "a tag of three parts": '"a"@zh-hant-hk',
    "a number as it was written": '"01"^^<http://www.w3.org/2001/XMLSchema#integer>',
    "an IRI in Finnish": "<https://helsinki.example/käsi?a=b&c=(d)#e>",
    "a mail address": "<mailto:a+b@example.org>",
    "a number of an area": "<tel:+358401234567>",
    "a language of its own": '"a"^^<http://example.org/type>',
}


@pytest.mark.parametrize("name", GOOD)
def test_whatever_is_canonical_is_taken_to_the_byte(origin: Origin, mirror: Mirror, name: str):
    payload = payload_of(record_of(1), f"<{record_of(1)}> <{DCT}description> {GOOD[name]} .")
    origin.put(1, payload)
    assert mirror.take(origin.page()).refused == 0
    (held,) = mirror.shelf.page(LOCAL, offset=0, limit=9)
    assert mirror.shelf.payload(held).decode() == payload
    sound(mirror, origin)


TITLES = ["http://purl.org/dc/elements/1.1/title", "http://www.w3.org/2000/01/rdf-schema#label"]


@pytest.mark.parametrize("title", TITLES)
def test_other_words_for_a_title_do(origin: Origin, mirror: Mirror, title: str):
    payload = lines_of(*sorted([f'<{record_of(1)}> <{title}> "a" .', f"{IS_A} <{DCAT}Dataset> ."]))
    origin.put(1, payload)
    assert mirror.take(origin.page()).refused == 0


def test_the_longest_prefix_decides_and_a_shared_one_gives_no_authority(origin: Origin, mirror: Mirror):
    mirror.book.table = {
        f"{OTHER}/": frozenset({"london"}),
        f"{OTHER}/shared/": frozenset({"london", "paris"}),
        f"{OTHER}/lent#": frozenset({"helsinki"}),
        f"{URL}/": frozenset({"helsinki"}),
        f"{URL}/ours/": frozenset(),
    }
    good = [f"{OTHER}/shared/x", f"{OTHER}/lent#x", f"{OTHER}2/x", f"{URL}/ours/x", "https://nobody.example/x"]
    for number, subject in enumerate(good):
        origin.put(number, payload_of(record_of(number), f'<{subject}> <{DCT}title> "x" .'))
    bad = [f"{OTHER}/x", f"{OTHER}/sharedx/y", f"{OTHER}/lent/x", f"{OTHER}/", OTHER]
    for number, subject in enumerate(bad, 50):
        origin.put(number, payload_of(record_of(number), f'<{subject}> <{DCT}title> "x" .'))
    mirror.take(origin.page())
    assert mirror.codes() == dict.fromkeys(range(6, 11), "foreign-subject")
    sound(mirror, origin)


def test_what_was_taken_once_may_go_though_the_namespace_went_to_another(origin: Origin, mirror: Mirror):
    record = f"{OTHER}/d1"
    origin.put(1, payload_of(record), record=record)
    mirror.take(origin.page())
    assert mirror.held() == {record: 1}
    mirror.book.table |= {f"{OTHER}/": frozenset({"london"})}
    origin.put(1, payload_of(record, title="b"), record=record)
    origin.withdraw(1, record=record)
    mirror.take(origin.page(1))
    assert mirror.codes() == {2: "foreign-record"}
    assert mirror.held() == {}
    sound(mirror, origin)


def test_the_first_that_is_heard_of_a_foreign_record_is_no_withdrawal(origin: Origin, mirror: Mirror):
    mirror.book.table |= {f"{OTHER}/": frozenset({"london"})}
    origin.withdraw(1, record=f"{OTHER}/d1")
    mirror.take(origin.page())
    assert mirror.codes() == {1: "foreign-record"}


def test_records_without_a_followed_theme_are_known_and_not_kept(origin: Origin, mirror: Mirror):
    def themed(number: int, *themes: str) -> None:
        record = record_of(number)
        origin.put(number, payload_of(record, *(f"<{record}> <{DCAT}theme> <http://t/{theme}> ." for theme in themes)))

    mirror.follow = replace(mirror.follow, themes=("http://t/a", "http://t/b"))
    themed(1, "a")
    themed(2, "c")
    themed(3)
    themed(4, "b", "c")
    found = mirror.take(origin.page())
    assert (found.entries, found.refused) == (4, 0)
    assert mirror.codes() == {2: "not-followed", 3: "not-followed"}
    assert mirror.held() == {record_of(1): 1, record_of(4): 4}
    themed(1, "c")
    themed(2, "a")
    origin.withdraw(4)
    mirror.take(origin.page(4))
    assert mirror.held() == {record_of(2): 6}
    sound(mirror, origin)
    assert mirror.entries()[4].opening is not None
    mirror.follow = replace(mirror.follow, themes=())
    assert mirror.refill(origin.stubs(2, 3, 5)).entries == 3
    assert mirror.held() == {record_of(1): 5, record_of(2): 6, record_of(3): 3}
    sound(mirror, origin)
