"""Every numbered check, by a page that is perfect except there: the code it gets, and that nothing else is touched."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from node.errors import BrokenHistory, Conflict, NodeError, Refused
from node.journal import note
from node.journal.entry import at_text
from node.keys import Keyring
from tests.federation.exchange.intake_rig import forked, sets, sound, started, without
from tests.federation.origins import AT, IRI, NOW, Break, Mirror, Origin, Told, follow_of, peer_of, spelt


def drops(envelope: Told, lines: list[Told]) -> None:
    del lines[1]


def swaps(envelope: Told, lines: list[Told]) -> None:
    lines[0], lines[1] = lines[1], lines[0]


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
