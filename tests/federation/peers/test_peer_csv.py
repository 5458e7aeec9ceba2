"""Laws of the table of peers: out and in gives the same, nothing runs in a spreadsheet, and no file lowers a block."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.db import Database
from node.errors import Conflict, ForbiddenAddress, Malformed, Refused, TooLarge
from node.federation.peers import peer_csv
from node.federation.peers.peers import MAX_PEERS, Peer, proposed
from node.federation.peers.states import STATES, State
from tests.federation.fake_peer import NOW_MS
from tests.federation.peer_rig import Rig, rig

HEAD = "name,url,fingerprint,state,title,note\r\n"
F = "a" * 43


@pytest.fixture
def city(db: Database) -> Iterator[Rig]:
    made = rig(db)
    yield made
    made.outbound.close()


def hold(city: Rig, name: str, state: State, note: str = "") -> None:
    with city.db.write() as tx:
        city.peers.insert(tx, proposed(name, f"https://{name}.example", F, at_ms=NOW_MS, note=note))
        city.peers.change(tx, name, state=state)


def take(city: Rig, text: str) -> list[peer_csv.Change]:
    changes = peer_csv.plan(peer_csv.read(text.encode()), city.peers)
    peer_csv.apply(changes, city.peers, at_ms=NOW_MS)
    return changes


texts = st.text(max_size=60).map(lambda text: text.replace("\x00", "").strip())


@given(st.lists(st.tuples(texts, texts), max_size=5), st.sampled_from(sorted(STATES)))
def test_what_was_written_is_read_again(words: list[tuple[str, str]], state: State) -> None:
    peers: list[Peer] = []
    for n, (title, note) in enumerate(words):
        peer = proposed(f"p{n}", f"https://p{n}.example", "-" * 43, at_ms=1, title=title, note=note)
        peers.append(peer)
    # A spreadsheet and a text file end lines in different ways; inside a cell they stay as they are.
    rows = peer_csv.read(peer_csv.write(peers).encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode())
    assert [(row.name, row.url, row.fingerprint) for row in rows] == [(p.name, p.url, p.fingerprint) for p in peers]
    assert [(row.title, row.note) for row in rows] == [(p.title, p.note) for p in peers]


@given(texts)
def test_no_cell_begins_like_a_formula(note: str) -> None:
    peer = proposed("p", "https://p.example", "-" * 43, at_ms=1, note=note)
    (_, cells) = list(csv.reader(io.StringIO(peer_csv.write([peer]), newline="")))
    assert all(not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "|", "%")) for cell in cells)


@pytest.mark.parametrize(
    "formula", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\uff1d1", "'=1", "|calc"]
)
def test_known_formulas_are_made_harmless_and_come_back(formula: str) -> None:
    written = peer_csv.write([proposed("p", "https://p.example", F, at_ms=1, note=formula)])
    (_, cells) = list(csv.reader(io.StringIO(written, newline="")))
    assert cells[-1].startswith(f"'{formula[0]}")
    assert peer_csv.read(written.encode())[0].note == formula.strip()


def test_lines_end_as_the_standard_says_and_both_ends_and_a_mark_are_read() -> None:
    written = peer_csv.write([proposed("p", "https://p.example", F, at_ms=1, note='a "b", c')])
    assert written == f'{HEAD}p,https://p.example,{F},proposed,,"a ""b"", c"\r\n'
    for text in (written, written.replace("\r\n", "\n"), "\ufeff" + written):
        assert peer_csv.read(text.encode())[0].note == 'a "b", c'
    assert peer_csv.read(f"url,fingerprint,name\nhttps://p.example,{F},p\n".encode())[0].state == "proposed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name,url\nx,y\n",
        "name,url,fingerprint,colour\nx,y,z,red\n",
        f"{HEAD}p,https://p.example,{F}\n",
        f"{HEAD}p,https://p.example,{F},friendly,,\n",
        f"{HEAD}p,https://p.example,{F},,,{'x' * 3000}\n",
        f"{HEAD}p,https://p.example,{F},,,\np,https://q.example,{F},,,\n",
        f"{HEAD}p,https://p.example,{F},,,\nq,https://p.example,{F},,,\n",
        f'{HEAD}p,https://p.example,{F},,,"open\n',
        f"{HEAD}p,https://p.example,{F},,,a\x00b\n",
        "\xff\xfe",
    ],
)
def test_what_is_no_table_of_peers_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        peer_csv.read(text.encode("latin-1"))


def test_a_table_is_bounded() -> None:
    with pytest.raises(TooLarge):
        peer_csv.read(b"x" * (peer_csv.MAX_BYTES + 1))
    rows = "".join(f"p{n},https://p{n}.example,{F},,,\n" for n in range(MAX_PEERS + 1))
    with pytest.raises(TooLarge):
        peer_csv.read((HEAD + rows).encode())


def test_new_peers_are_proposed_and_never_approved(city: Rig) -> None:
    rows = "".join(f"{state},https://{state}.example,{F},{state},T,n\n" for state in STATES)
    changes = take(city, HEAD + rows)
    assert {change.what for change in changes} == {"add"}
    wanted = dict.fromkeys(STATES, "proposed") | {"blocked": "blocked"}
    assert {peer.name: peer.state for peer in city.peers.list()} == wanted
    assert "a person approves it" in next(change.sentence for change in changes if change.name == "active")


AFTER: dict[State, dict[State, State]] = {
    # held -> said by the file -> held afterwards
    "proposed": {"proposed": "proposed", "approved": "proposed", "active": "proposed", "paused": "proposed"},
    "approved": {"proposed": "approved", "approved": "approved", "active": "approved", "paused": "paused"},
    "active": {"proposed": "active", "approved": "active", "active": "active", "paused": "paused"},
    "paused": {"proposed": "paused", "approved": "paused", "active": "paused", "paused": "paused"},
    "blocked": {"proposed": "blocked", "approved": "blocked", "active": "blocked", "paused": "blocked"},
}


@pytest.mark.parametrize("held", STATES)
@pytest.mark.parametrize("said", STATES)
def test_a_file_makes_a_peer_more_restricted_or_leaves_it(held: State, said: State, city: Rig) -> None:
    hold(city, "p", held)
    (change,) = take(city, f"{HEAD}p,https://p.example,{F},{said},,\n")
    wanted = "blocked" if said == "blocked" else AFTER[held][said]
    assert city.peers.get("p").state == wanted
    assert change.what == ("keep" if wanted == held else "change")
    assert (said == held) == ("stays as it is" in change.sentence)


def test_what_a_node_exports_changes_nothing_on_the_same_node(city: Rig) -> None:
    for state in STATES:
        hold(city, state, state, note="=note")
    text = city.office.export()
    assert {change.what for change in take(city, text)} == {"keep"}
    assert city.office.export() == text


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"p,https://elsewhere.example,{F},,,", Conflict),
        (f"p,https://p.example,{'b' * 43},,,", Conflict),
        (f"q,https://p.example,{F},,,", Conflict),
        (f"q,http://127.0.0.1:8001/,{F},,,", Conflict),
        (f"q,http://q.example,{F},,,", Malformed),
        (f"q,https://10.0.0.1,{F},,,", ForbiddenAddress),
        (f"q,https://169.254.169.254,{F},,,", ForbiddenAddress),
        ("q,https://q.example,short,,,", Malformed),
        (f"Q/q,https://q.example,{F},,,", Malformed),
    ],
)
def test_one_line_that_cannot_be_taken_takes_none(line: str, kind: type[Refused], city: Rig) -> None:
    hold(city, "p", "active")
    with pytest.raises(kind, match="Line 3"):
        take(city, f"{HEAD}good,https://good.example,{F},,,\n{line}\n")
    assert [peer.name for peer in city.peers.list()] == ["p"]


def test_a_plan_that_no_longer_fits_is_not_done(city: Rig) -> None:
    hold(city, "p", "active")
    table = f"{HEAD}new,https://new.example,{F},,,\np,https://p.example,{F},paused,,\n".encode()
    plan = city.office.plan(table)
    changes = peer_csv.plan(peer_csv.read(table), city.peers)
    city.peers.block("p")
    with pytest.raises(Conflict):
        city.office.take(table, plan=str(plan["plan"]))
    with pytest.raises(Conflict):
        peer_csv.apply(changes, city.peers, at_ms=NOW_MS)
    assert [(peer.name, peer.state) for peer in city.peers.list()] == [("p", "blocked")]
    again = city.office.plan(table)
    assert city.office.take(table, plan=str(again["plan"]))["touched"] == 1
    assert city.peers.get("p").state == "blocked"


def test_a_line_without_a_fingerprint_is_proposed_and_compared_before_it_is_approved(city: Rig) -> None:
    table = f"{HEAD}turku,https://turku.example,,active,,\r\n".encode()
    [change] = peer_csv.plan(peer_csv.read(table), city.peers)
    assert (change.what, change.state) == ("add", "proposed")
    assert "The file tells no fingerprint" in change.sentence
    peer_csv.apply([change], city.peers, at_ms=NOW_MS)
    assert city.peers.get("turku").fingerprint == ""
    out = peer_csv.write(city.peers.list()).encode()
    assert [one.what for one in peer_csv.plan(peer_csv.read(out), city.peers)] == ["keep"]
    told = out.replace(b"turku.example,,", b"turku.example," + b"a" * 43 + b",")
    with pytest.raises(Conflict, match="is another city here"):
        peer_csv.plan(peer_csv.read(told), city.peers)
