"""Every numbered check, by a page that is perfect except there: the code it gets, and that nothing else is touched."""

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from node.errors import BrokenHistory, Conflict, NodeError, NotAgreed, Refused
from node.federation.answers import Decision, Extent
from node.federation.feed.pages import opening_of, read_page
from node.federation.identity.identity import Identity
from node.journal import Arrived, catch_up_in, note, rebuild
from node.journal.entry import at_text
from node.journal.verify import verify
from node.keys import Keyring
from node.vocab.parse import Parser
from tests.federation.origins import (
    AT,
    DCAT,
    DCT,
    IRI,
    LOCAL,
    NOW,
    TYPE,
    URL,
    Break,
    Mirror,
    Origin,
    Told,
    follow_of,
    payload_of,
    peer_of,
    record_of,
    spelt,
)

OTHER = "https://london.example"
OURS = "https://stockholm.example"


def sound(mirror: Mirror, origin: Origin) -> None:
    """See that the mirror holds, and that the shelf is what a rebuilt one would be."""
    verify(mirror.journals, LOCAL, [origin.keyring.public_key("checkpoint")])
    lived = mirror.rows()
    assert mirror.shelf.astray(LOCAL) == ""
    rebuild(mirror.journals, mirror.intake._followers[0])
    assert mirror.rows() == lived


def started(mirror: Mirror, origin: Origin, count: int = 3) -> None:
    for number in range(count):
        origin.put(number)
    mirror.take(origin.page())


# ------------------------------------------------------------------ what stops a page


def sets(place: str, key: str, value: Any, line: int = 0) -> Break:
    def change(envelope: Told, lines: list[Told]) -> None:
        if place == "envelope":
            envelope[key] = value
        elif place == "line":
            lines[line] = lines[line] | {key: value}
        else:
            lines[line] = lines[line] | {place: lines[line][place] | {key: value}}

    return change


def without(place: str, key: str) -> Break:
    def change(envelope: Told, lines: list[Told]) -> None:
        told = envelope if place == "envelope" else lines[0]
        del told[key]

    return change


def drops(envelope: Told, lines: list[Told]) -> None:
    del lines[1]


def swaps(envelope: Told, lines: list[Told]) -> None:
    lines[0], lines[1] = lines[1], lines[0]


def flips(text: str) -> str:
    return text[:4] + ("A" if text[4] != "A" else "B") + text[5:]


def flips_proof(key: str) -> Break:
    def change(envelope: Told, lines: list[Told]) -> None:
        raw = base64.b64decode(envelope[key][0])
        envelope[key] = [base64.b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode(), *envelope[key][1:]]

    return change


def flips_commit(envelope: Told, lines: list[Told]) -> None:
    entry = lines[0]["entry"]
    lines[0] = lines[0] | {
        "entry": entry | {"commit": entry["commit"][:-1] + ("0" if entry["commit"][-1] != "0" else "1")}
    }


def flips_signature(envelope: Told, lines: list[Told]) -> None:
    head, _, line = envelope["checkpoint"].rstrip("\n").rpartition(" ")
    raw = base64.b64decode(line)
    envelope["checkpoint"] = f"{head} {base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode()}\n"


def flips_root(envelope: Told, lines: list[Told]) -> None:
    body = envelope["checkpoint"].split("\n")
    raw = base64.b64decode(body[2])
    body[2] = base64.b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode()
    envelope["checkpoint"] = "\n".join(body)


HASH = base64.b64encode(bytes(32)).decode()
# The page holds entries 4 to 6 of 9; the mirror has the first 3.
STOPS: dict[str, tuple[Break, str]] = {
    "1 another version": (sets("envelope", "v", 2), "malformed"),
    "1 a truth for a version": (sets("envelope", "v", True), "malformed"),
    "1 a member too many": (sets("envelope", "more", 1), "malformed"),
    "1 a member too few": (without("envelope", "through"), "malformed"),
    "1 another collection": (sets("envelope", "collection", IRI + "2"), "malformed"),
    "1 numbers as text": (sets("envelope", "after", "3"), "malformed"),
    "1 a negative number": (sets("envelope", "after", -1), "malformed"),
    "1 a huge number": (sets("envelope", "size", 2**53), "malformed"),
    "1 an end that is announced and does not come": (sets("envelope", "end", 2**32), "malformed"),
    "1 an end beyond the size": (sets("envelope", "size", 5), "malformed"),
    "1 a proof that is no list": (sets("envelope", "through", HASH), "malformed"),
    "1 a proof of 65 hashes": (sets("envelope", "through", [HASH] * 65), "malformed"),
    "1 a proof of numbers": (sets("envelope", "through", [1]), "malformed"),
    "1 a proof of short hashes": (sets("envelope", "consistency", ["AAAA"]), "malformed"),
    "1 a proof in broken base64": (sets("envelope", "consistency", ["!" + HASH[1:]]), "malformed"),
    "1 a proof in base64 that is not canonical": (sets("envelope", "consistency", [HASH[:-2] + "B="]), "malformed"),
    "1 a dropped line": (drops, "malformed"),
    "1 swapped lines": (swaps, "malformed"),
    "1 a line without its entry": (without("line", "entry"), "malformed"),
    "1 a line with a member too many": (sets("line", "more", 1), "malformed"),
    "1 an entry that is none": (sets("line", "entry", []), "malformed"),
    "1 an entry of another version": (sets("entry", "v", 2), "malformed"),
    "1 an entry with a member too many": (sets("entry", "x", 2), "malformed"),
    "1 an entry of another collection": (sets("entry", "collection", IRI + "2"), "malformed"),
    "1 a wrong number": (sets("entry", "seq", 5), "malformed"),
    "1 no number": (sets("entry", "seq", 0), "malformed"),
    "1 a fraction": (sets("entry", "seq", 4.5), "malformed"),
    "1 no time": (sets("entry", "at", "2024-13-01T00:00:00.000Z"), "malformed"),
    "1 a time with an offset": (sets("entry", "at", "2024-01-01T00:00:00.000+00:00"), "malformed"),
    "1 a time without milliseconds": (sets("entry", "at", "2024-01-01T00:00:00Z"), "malformed"),
    "1 a time before 1970": (sets("entry", "at", "1969-12-31T23:59:59.999Z"), "malformed"),
    "1 a time before that of the entry before it": (sets("entry", "at", at_text(AT - 1), line=1), "malformed"),
    "1 a commitment that is none": (sets("entry", "commit", "sha256:" + "A" * 64), "malformed"),
    "1 a commitment of no text": (sets("entry", "commit", None), "malformed"),
    "1 an opening that is none": (sets("line", "opening", None), "malformed"),
    "1 an opening with something inside": (sets("opening", "slug", ["a"]), "malformed"),
    "1 an opening with a truth": (sets("opening", "slug", True), "malformed"),
    "1 an opening with a huge number": (sets("opening", "slug", 2**60), "malformed"),
    "1 an opening of many members": (sets("line", "opening", {str(n): 1 for n in range(17)}), "malformed"),
    "1 a payload without an opening": (without("line", "opening"), "malformed"),
    "1 a payload that is no text": (sets("line", "payload", 1), "malformed"),
    "1 a payload with a withdrawal": (sets("opening", "op", "withdraw"), "malformed"),
    "1 a checkpoint of another size": (sets("envelope", "size", 8), "malformed"),
    "1 a checkpoint of 100 kB": (sets("envelope", "checkpoint", "x" * 100_000), "malformed"),
    "2 no note": (sets("envelope", "checkpoint", "x"), "malformed"),
    "2 a wrong signature": (flips_signature, "bad-signature"),
    "2 another root": (flips_root, "bad-signature"),
    "3 a proof that does not hold": (flips_proof("consistency"), "refuted"),
    "4 another commitment": (flips_commit, "wrong-root"),
    "4 another time": (sets("entry", "at", at_text(AT + 1), line=2), "wrong-root"),
    "4 a proof that does not hold": (flips_proof("through"), "wrong-root"),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_page_that_is_perfect_but_for_one_thing_is_stopped(origin: Origin, mirror: Mirror, name: str):
    change, code = STOPS[name]
    started(mirror, origin)
    for number in range(3, 9):
        origin.put(number)
    envelope, lines = origin.told(3, 6)
    change(envelope, lines)
    with pytest.raises(Refused) as caught:
        mirror.take(spelt(envelope, lines))
    assert caught.value.code == code
    assert mirror.size == 3
    assert mirror.take(origin.page(3, 6)).size == 6
    assert mirror.take(origin.page(6)).size == 9
    sound(mirror, origin)


BYTES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda page: b"", "malformed"),
    "only a line's end": (lambda page: b"\n", "malformed"),
    "no end": (lambda page: page[:-1], "malformed"),
    "cut in the middle": (lambda page: page[: len(page) // 2], "malformed"),
    "no JSON": (lambda page: b"<html>\n", "malformed"),
    "a list": (lambda page: b"[]\n", "malformed"),
    "a space more": (lambda page: page.replace(b'"v":1', b'"v": 1'), "malformed"),
    "keys twice": (lambda page: page.replace(b'"v":1', b'"v":1,"v":1'), "malformed"),
    "keys in another order": (
        lambda page: page.replace(b',"v":1}', b"}").replace(b'{"at"', b'{"v":1,"at"'),
        "malformed",
    ),
    "not a number": (lambda page: page.replace(b'"v":1', b'"v":NaN'), "malformed"),
    "a number of 400 digits": (lambda page: page.replace(b'"v":1', b'"v":' + b"1" * 400), "malformed"),
    "one and nothing": (lambda page: page.replace(b'"v":1', b'"v":1.0'), "malformed"),
    "half a character": (lambda page: page.replace(b"A title", rb"\ud800"), "malformed"),
    "no UTF-8": (lambda page: page.replace(b"A title", b"\xff"), "malformed"),
    "an escape too many": (lambda page: page.replace(b"A title", rb"\u0041 title"), "malformed"),
    "CRLF": (lambda page: page.replace(b"\n", b"\r\n"), "malformed"),
    "a NUL": (lambda page: page.replace(b"A title", b"\0"), "malformed"),
    "nested 600 deep": (lambda page: b'{"a":' * 600 + b"1" + b"}" * 600 + b"\n", "malformed"),
    "nested 100,000 deep": (lambda page: b"[" * 100_000 + b"]" * 100_000 + b"\n", "malformed"),
    "1,002 lines": (lambda page: page + b"{}\n" * 1_002, "too-large"),
    "a line of 5 MiB": (lambda page: page + b'"' + b"x" * (5 << 20) + b'"\n', "too-large"),
    "17 MiB": (lambda page: page + b"x" * (17 << 20), "too-large"),
    "the next page as well": (lambda page: page + page, "malformed"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_page_are_stopped(origin: Origin, mirror: Mirror, name: str):
    change, code = BYTES[name]
    origin.put(1)
    with pytest.raises(Refused) as caught:
        mirror.take(change(origin.page()))
    assert caught.value.code == code
    assert mirror.size == 0
    assert mirror.take(origin.page()).entries == 1


def test_any_flipped_byte_is_noticed(origin: Origin, mirror: Mirror):
    """The page is stopped, or its entry refused; nothing that was not signed is ever kept."""
    started(mirror, origin, 2)
    origin.put(7)
    good = origin.page(2)
    for at in range(0, len(good), 7):
        page = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        try:
            mirror.take(page)
        except NodeError:
            continue
        assert set(mirror.codes().values()) <= {"commitment-mismatch", "digest-mismatch", "bad-opening"}, good[
            at : at + 9
        ]
        assert set(mirror.codes()) == {3}
        break
    assert len(mirror.held()) == 2
    sound(mirror, origin)


def test_a_feed_of_empty_pages_is_no_feed(origin: Origin, mirror: Mirror):
    started(mirror, origin)
    origin.put(9)
    with pytest.raises(Refused, match="holds no entry"):
        mirror.take(origin.page(3, 3))


def test_a_dropped_page_is_a_gap_and_swapped_ones_are_one_too(origin: Origin, mirror: Mirror):
    for number in range(9):
        origin.put(number)
    pages = [origin.page(0, 3), origin.page(3, 6), origin.page(6, 9)]
    for wrong in ([pages[0], pages[2]], [pages[2], pages[1]]):
        with pytest.raises(Conflict, match="begins after entry"):
            mirror.take_all(wrong)
    assert mirror.size == 3
    assert [each.size for each in mirror.take_all(pages[1:])] == [6, 9]
    sound(mirror, origin)


def test_a_page_that_came_before_changes_nothing(origin: Origin, mirror: Mirror):
    for number in range(9):
        origin.put(number)
    pages = [origin.page(0, 3), origin.page(3, 6), origin.page(6, 9)]
    mirror.take_all([pages[0], pages[1], pages[0], pages[1], pages[2], pages[2]])
    before = mirror.rows()
    old = origin.page(0, 3, size=3)
    for page in (*pages, origin.page(9, 9), old):
        found = mirror.take(page)
        assert (found.entries, found.size) == (0, 9)
    assert mirror.rows() == before
    sound(mirror, origin)


def test_of_a_page_that_begins_before_our_end_the_rest_is_taken(origin: Origin, mirror: Mirror):
    started(mirror, origin)
    for number in range(3, 9):
        origin.put(number)
    assert mirror.take(origin.page(0, 2)).entries == 0
    assert mirror.take(origin.page(1, 6)).entries == 3
    assert mirror.take(origin.page(0)).entries == 3
    sound(mirror, origin)


def test_what_came_before_must_be_what_is_held(origin: Origin, mirror: Mirror):
    started(mirror, origin)
    origin.put(4)
    envelope, lines = origin.told(1)
    flips_commit(envelope, lines)
    with pytest.raises(Refused) as caught:
        mirror.take(spelt(envelope, lines))
    assert caught.value.code == "wrong-root"


def forked(origin: Origin, keep: int, count: int) -> Origin:
    """The same city tells another story after some entries."""
    other = Origin(origin.keyring)
    for number in range(keep):
        other.put(number)
    for number in range(keep, count):
        other.put(number, payload_of(record_of(number), title="Another story"))
    return other


@pytest.mark.parametrize(("keep", "count"), [(0, 3), (2, 3), (2, 2), (1, 2), (2, 9), (0, 4)])
def test_another_history_is_broken_and_both_notes_prove_it(origin: Origin, mirror: Mirror, keep: int, count: int):
    started(mirror, origin)
    other = forked(origin, keep, count)
    if keep == count == 2:
        # Not another history, only a shorter one: an old page, as a cache may have kept it.
        assert mirror.take(other.page(0)).entries == 0
        return
    with pytest.raises(BrokenHistory) as caught:
        mirror.take(other.page(min(3, count)))
    keys = {note.origin_of(IRI): [origin.keyring.public_key("checkpoint")]}
    sizes = [note.opened(text, keys, lambda *_: True).size for text in (caught.value.held, caught.value.shown)]
    assert sizes == [3, count]
    assert mirror.size == 3


def test_before_the_first_note_is_kept_the_one_that_was_shown_is_the_evidence(origin: Origin, mirror: Mirror):
    for number in range(4):
        origin.put(number)
    mirror.take(origin.page(0, 2))
    mirror.follow = replace(mirror.follow, known_note=origin.note())
    with pytest.raises(BrokenHistory) as caught:
        mirror.take(forked(origin, 1, 4).page(2))
    assert caught.value.held == origin.note()


def test_a_mirror_that_is_not_there_yet_has_no_history_to_break(origin: Origin, mirror: Mirror):
    origin.put(1)
    mirror.follow = replace(mirror.follow, known_note="n")
    empty = Origin(origin.keyring)
    envelope, _ = empty.told(0)
    envelope["checkpoint"] = empty.note(0, bytes(32))
    with pytest.raises(BrokenHistory) as caught:
        mirror.take(spelt(envelope, []))
    assert caught.value.held == "n"


def test_only_a_pinned_key_of_that_city_signs(origin: Origin, mirror: Mirror, keyring: Keyring):
    other = Origin(keyring)
    other.put(1)
    with pytest.raises(Refused) as caught:
        mirror.take(other.page())
    assert caught.value.code == "bad-signature"
    assert mirror.size == 0


def test_a_key_whose_time_is_over_proves_what_is_held_and_signs_nothing_new(origin: Origin, mirror: Mirror):
    started(mirror, origin)
    mirror.book.pinned = [origin.key(until_ms=NOW)]
    assert mirror.take(origin.page(0)).entries == 0
    origin.put(9)
    with pytest.raises(Refused) as caught:
        mirror.take(origin.page(3))
    assert caught.value.code == "bad-signature"
    mirror.book.pinned = [origin.key(until_ms=NOW + 1)]
    assert mirror.take(origin.page(3)).entries == 1


def test_a_note_under_another_name_is_none(origin: Origin, mirror: Mirror):
    origin.put(1)
    envelope, lines = origin.told(0)
    text = note.Checkpoint(note.origin_of(IRI) + "2", 1, origin.root(1))
    key = origin.keyring.public_key("checkpoint")
    name = note.origin_of(IRI)
    signed = note.SignedNote(
        text.body(),
        (note.Signature(name, note.key_hint(name, key), origin.keyring.sign("checkpoint", text.body().encode())),),
    )
    envelope["checkpoint"] = signed.render()
    with pytest.raises(Refused, match="another collection"):
        mirror.take(spelt(envelope, lines))


def test_an_entry_may_not_be_older_than_what_is_held(origin: Origin, mirror: Mirror):
    started(mirror, origin)
    origin.at_ms = AT - 1
    origin.put(9)
    with pytest.raises(Refused, match="time of entry 4"):
        mirror.take(origin.page(3))


@pytest.mark.parametrize(
    ("peer", "follow", "code"),
    [
        (peer_of(state="paused"), follow_of(), "not-agreed"),
        (peer_of(state="blocked"), follow_of(), "not-agreed"),
        (peer_of(state="proposed"), follow_of(), "not-agreed"),
        (peer_of(quarantine="It forked."), follow_of(), "quarantined"),
        (peer_of(), follow_of(paused=True), "not-agreed"),
        (peer_of(), follow_of(peer="london"), "not-agreed"),
    ],
)
def test_what_is_not_allowed_is_not_taken(origin: Origin, mirror: Mirror, peer: Any, follow: Any, code: str):
    origin.put(1)
    page, text, again = origin.page(), origin.note(), origin.stubs(1)
    mirror.take(page)
    mirror.peer, mirror.follow = peer, follow
    origin.put(2)
    doings = [
        lambda: mirror.take(origin.page(1)),
        lambda: mirror.keep(text),
        lambda: mirror.refill(again),
    ]
    for doing in doings:
        with pytest.raises(Refused) as caught:
            doing()
        assert caught.value.code == code
    assert mirror.size == 1


# ------------------------------------------------------------------ what refuses an entry

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


# ------------------------------------------------------------------ erasures, stubs, notes, the pipeline


def test_whoever_stops_listening_leaves_nothing_behind(origin: Origin, mirror: Mirror):
    for number in range(8):
        origin.put(number)
    pages = (origin.page(number, number + 1) for number in range(8))
    taken = mirror.intake.accept_all(pages, mirror.follow, mirror.peer, NOW, restricted=False)
    assert next(taken).size == 1
    taken.close()
    size = mirror.size
    assert 1 <= size <= 4
    assert mirror.take(origin.page(size)).size == 8
    sound(mirror, origin)


def test_of_two_writers_the_slower_one_writes_nothing(origin: Origin, mirror: Mirror):
    for number in range(9):
        origin.put(number)

    def race():
        yield origin.page(0, 3)
        while mirror.size < 3:
            time.sleep(0.001)
        with mirror.db.write() as tx:
            other = [Arrived(each.entry, each.payload) for each in entries_of(origin, 3, 6)]
            mirror.journals.mirror(tx, LOCAL, other, at_ms=NOW)
            catch_up_in(tx, mirror.journals, mirror.intake._followers[0], LOCAL)
        yield origin.page(3, 5)
        yield origin.page(5, 7)

    with pytest.raises(Conflict, match="goes on with entry 7"):
        list(mirror.intake.accept_all(race(), mirror.follow, mirror.peer, NOW, restricted=False))
    assert mirror.size == 6
    assert mirror.take(origin.page(5)).size == 9
    sound(mirror, origin)


def entries_of(origin: Origin, after: int, end: int) -> list[Arrived]:
    """What a page says, taken as it is."""
    lines = read_page(origin.page(after, end)).lines
    return [Arrived(replace(line.entry, opening=opening_of(line.opening or {})), line.payload) for line in lines]


def test_a_mirror_is_called_what_its_origin_calls_it(origin: Origin, mirror: Mirror):
    origin.put(1)
    facts = {"collections": (("open-data", IRI, "Avoin\ndata"), ("other", IRI + "2", "Other"))}
    mirror.book.said = Identity(
        url=URL, name="Helsinki", software="", fingerprint="f", federation="x", namespaces=(), endpoints={},
        protocols={}, keys=(), issued_ms=1, expires_ms=2, statement="", **facts,
    )  # fmt: skip
    mirror.take(origin.page())
    with mirror.db.read() as tx:
        held = mirror.journals.get(tx, LOCAL)
        assert (held.title, held.visibility) == ("Avoin data", "public")


def test_an_erasure_arrives_and_is_to_be_confirmed(origin: Origin, mirror: Mirror):
    started(mirror, origin)
    origin.put(0, payload_of(record_of(0), title="b"))
    origin.erase(1)
    origin.erase(1)
    origin.erase(5)
    found = mirror.take(origin.page(3))
    assert found.erased == (1,)
    assert mirror.codes() == {6: "bad-erasure", 7: "bad-erasure"}
    with mirror.db.read() as tx:
        assert tx.rows("SELECT target, at FROM erasure_told") == [(1, None)]
    sound(mirror, origin)


def test_stubs_are_filled_when_the_origin_shows_them(origin: Origin, mirror: Mirror):
    for number in range(3):
        origin.put(number)
    envelope, lines = origin.told(0)
    mirror.take(spelt(envelope, [{"entry": line["entry"]} for line in lines]))
    assert mirror.codes() == dict.fromkeys((1, 2, 3), "withheld")
    assert mirror.held() == {}
    still, _ = origin.told(0)
    stub = {"v": 1, "collection": IRI, "seqs": [1], "size": 3, "checkpoint": still["checkpoint"]}
    assert mirror.refill(spelt(stub, [{"entry": lines[0]["entry"]}])).entries == 0
    assert mirror.refill(origin.stubs(1, 3)).entries == 2
    assert mirror.refill(origin.stubs(1, 3)).entries == 0
    assert mirror.held() == {record_of(0): 1, record_of(2): 3}
    assert mirror.codes() == {2: "withheld"}
    sound(mirror, origin)


def test_a_stub_that_is_refused_again_keeps_the_new_code(origin: Origin, mirror: Mirror):
    origin.put(1, title := payload_of(record_of(1)), kind="weather")
    assert title
    origin.put(2)
    origin.erase(2)
    origin.erase(2)
    envelope, lines = origin.told(0)
    del lines[0]["payload"]
    lines[3] = {"entry": lines[3]["entry"]}
    mirror.take(spelt(envelope, lines))
    assert mirror.codes() == {1: "payload-missing", 4: "withheld"}
    assert mirror.refill(origin.stubs(1, 2, 4)).entries == 0
    assert [(seq, code, tries) for seq, code, _, _, tries in mirror.refusals()] == [
        (1, "kind-unknown", 1),
        (4, "bad-erasure", 1),
    ]
    sound(mirror, origin)


@pytest.mark.parametrize("name", ["another entry", "another collection", "another order", "no list", "one too many"])
def test_an_answer_with_other_entries_is_stopped(origin: Origin, mirror: Mirror, name: str):
    started(mirror, origin)
    other = forked(origin, 0, 3)
    good = {"v": 1, "collection": IRI, "seqs": [1, 2], "size": 3, "checkpoint": origin.note()}
    lines = origin.lines[:2]
    wrong: dict[str, tuple[bytes, str]] = {
        "another entry": (other.stubs(2), "wrong-root"),
        "another collection": (Origin(origin.keyring, IRI + "2").stubs(), "malformed"),
        "another order": (spelt(good | {"seqs": [2, 1]}, [lines[1], lines[0]]), "malformed"),
        "no list": (spelt(good | {"seqs": 1}, lines), "malformed"),
        "one too many": (spelt(good, [*lines, lines[0]]), "malformed"),
    }
    page, code = wrong[name]
    with pytest.raises(Refused) as caught:
        mirror.refill(page)
    assert caught.value.code == code


def test_an_empty_collection_is_mirrored_with_its_note(origin: Origin, mirror: Mirror):
    mirror.take(origin.page(), restricted=True)
    mirror.take(origin.page())
    with mirror.db.read() as tx:
        held = mirror.journals.get(tx, LOCAL)
        assert (held.visibility, held.iri, held.title, held.size) == ("restricted", IRI, "open-data", 0)
        assert mirror.journals.newest_checkpoint(tx, LOCAL) == origin.note()


def test_a_note_is_kept_when_all_it_covers_is_here(origin: Origin, mirror: Mirror):
    assert not mirror.keep(forked(origin, 1, 1).note())
    for number in range(3):
        origin.put(number)
    mirror.take(origin.page(0, 2))
    assert not mirror.keep(origin.note())
    mirror.take(origin.page(2))
    twice = origin.note() + origin.note().rpartition("\n\n")[2]
    assert mirror.keep(twice)
    with mirror.db.read() as tx:
        assert mirror.journals.newest_checkpoint(tx, LOCAL) == twice
    with pytest.raises(BrokenHistory):
        mirror.keep(forked(origin, 1, 3).note())


def test_what_is_good_is_written_before_an_error_is_told(origin: Origin, mirror: Mirror):
    for number in range(9):
        origin.put(number)
    pages = [origin.page(0, 3), origin.page(3, 6), b"{}\n", origin.page(6, 9)]
    seen = []
    with pytest.raises(Refused):
        seen.extend(mirror.intake.accept_all(pages, mirror.follow, mirror.peer, NOW, restricted=False))
    assert mirror.size == 6

    def cut():
        yield origin.page(6, 8)
        raise Conflict("The line was cut.")

    with pytest.raises(Conflict, match="cut"):
        list(mirror.intake.accept_all(cut(), mirror.follow, mirror.peer, NOW, restricted=False))
    assert mirror.size == 8
    with pytest.raises(Refused):
        mirror.take(b"")
    assert mirror.take(origin.page(8)).size == 9
    sound(mirror, origin)


class _Weak(Parser):
    """A parser that runs out of time whenever it gets a payload that is longer than it can bear, or too many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def look_at(self, payloads: Any, origins: Any, timeout_s: float) -> dict[int, tuple[str, str, list[str]]]:
        return super().look_at(payloads, origins, timeout_s if sum(map(len, payloads)) <= self._most else 0.0)


@pytest.fixture
def weak(origin: Origin, mirror: Mirror):
    """Give a page of which one payload is fine, one is not canonical, and two kill the parser."""
    origin.put(1)
    origin.put(2, payload_of(record_of(2), f'<{record_of(2)}> <{DCT}title> "a"@EN .'))
    for number in (3, 4):
        origin.put(number, payload_of(record_of(number), title="x" * 900))
    with _Weak(900) as parser:
        mirror.intake._judge._parser = parser
        yield origin.page()


def test_of_a_page_that_kills_the_parser_the_harmless_ones_are_kept(origin: Origin, mirror: Mirror, weak: bytes):
    found = mirror.take(weak)
    assert (found.entries, found.refused) == (4, 3)
    assert mirror.codes() == {2: "not-canonical", 3: "too-large", 4: "too-large"}
    assert mirror.held() == {record_of(1): 1}
    sound(mirror, origin)


def test_a_page_of_poison_has_an_end(mirror: Mirror, weak: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("node.federation.exchange.judge._ALONE_S", 1.0)
    mirror.take(weak)
    assert [detail[:7] for _, code, detail, _, _ in mirror.refusals() if code == "too-large"] == ["Reading"] * 2
    assert "the page took too long" in mirror.refusals()[-1][2]


def test_the_intake_ends_its_child(origin: Origin, mirror: Mirror):
    with Parser() as parser:
        mirror.intake._judge._parser = parser
        origin.put(1)
        mirror.take(origin.page())
        child = parser._child
        mirror.intake.close()
        assert child is not None
        assert not child.alive()


def test_what_is_agreed_no_longer_once_it_was_judged_is_not_filled(origin: Origin, mirror: Mirror):
    origin.put(1)
    envelope, lines = origin.told(0)
    mirror.take(spelt(envelope, [{"entry": line["entry"]} for line in lines]), restricted=True)
    told = iter([Extent(Decision(allowed=True)), Extent(Decision(allowed=False))])

    class EndsMeanwhile:
        def mirrored(self, peer: str, collection: str, now_ms: int, *, name: str = "") -> Extent:
            return next(told)

    mirror.intake._agreed = EndsMeanwhile()
    with pytest.raises(NotAgreed):
        mirror.refill(origin.stubs(1))
    assert mirror.held() == {}
    assert mirror.codes() == {1: "withheld"}
