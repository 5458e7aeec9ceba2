"""Peers as a table for spreadsheets: out with every cell made harmless, in with every change shown first.

RFC 4180, UTF-8: name, url, fingerprint, state, title, note. A file pins no key, so it can propose, pause and block, but
never approve; and it never lowers a block. All of a file is taken or none of it. What would surprise: the `'` that
stands before what a spreadsheet would run as a formula is taken off again on the way in.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from node.cells import harmless, plain
from node.db import Tx
from node.errors import Conflict, Malformed, NodeError, TooLarge
from node.federation.peers.peers import MAX_PEERS, Peer, Peers, proposed, read_invitation
from node.federation.peers.states import STATES, State, after

COLUMNS = ("name", "url", "fingerprint", "state", "title", "note")
MAX_BYTES = 1 << 20
_MAX_CELL = 2_000

What = Literal["add", "change", "keep"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table, and its number in the file."""

    line: int
    name: str
    url: str
    fingerprint: str
    state: State
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a file would do to one peer, said in a sentence."""

    name: str
    what: What
    sentence: str
    state: State
    note: str
    row: Row


def write(peers: Sequence[Peer]) -> str:
    """Write a table, in the order given."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    lines.writerow(COLUMNS)
    for peer in peers:
        lines.writerow([harmless(str(getattr(peer, column))) for column in COLUMNS])
    return out.getvalue()


def read(data: bytes) -> list[Row]:
    """Read a table; a byte order mark, either line end and any order of columns are taken.

    Raises:
        Malformed: It is no such table; the message names the line.
        TooLarge: It has more than 1 MiB or more than 500 peers.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(
            f"A table of peers has at most {MAX_BYTES} bytes.",
        ).on_page("no.peer.table_large", most=MAX_BYTES // 1024)
    try:
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        rows = [(lines.line_num, cells) for cells in lines if cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Malformed(
            f"This is no CSV in UTF-8: {error}.",
            fix="Save it as CSV (UTF-8).",
        ).on_page("desk.peers.no_csv") from error
    if not rows or not {"name", "url", "fingerprint"} <= set(rows[0][1]) <= set(COLUMNS):
        raise Malformed(
            "The first line does not name the columns.",
            fix=f"Write {','.join(COLUMNS)}; the last three may be missing.",
        ).on_page("no.peer.columns", columns=", ".join(COLUMNS))
    if len(rows) - 1 > MAX_PEERS:
        raise TooLarge(f"A table has at most {MAX_PEERS} peers.").on_page("no.peer.table_long", most=MAX_PEERS)
    heads = rows[0][1]
    return _distinct([_row(number, heads, cells) for number, cells in rows[1:]])


def _row(number: int, heads: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(heads) or any(len(cell) > _MAX_CELL or "\x00" in cell for cell in cells):
        raise Malformed(
            f"Line {number} has not {len(heads)} cells of at most {_MAX_CELL} characters.",
        ).on_page("no.peer.line_cells", line=number, count=len(heads), most=_MAX_CELL)
    said = {head: plain(cell).strip() for head, cell in zip(heads, cells, strict=True)}
    state = said.get("state") or "proposed"
    if state not in STATES:
        raise Malformed(
            f"Line {number}: there is no state {state[:40]!r}.", fix=f"Write one of {', '.join(STATES)}."
        ).on_page("no.peer.line_state", line=number, known=", ".join(STATES))
    return Row(
        line=number,
        name=said["name"],
        url=said["url"],
        fingerprint=said["fingerprint"],
        state=state,
        title=said.get("title", ""),
        note=said.get("note", ""),
    )


def _distinct(rows: list[Row]) -> list[Row]:
    for column in ("name", "url"):
        seen: dict[str, int] = {}
        for row in rows:
            value = getattr(row, column)
            if value in seen:
                raise Malformed(
                    f"Line {row.line}: {value[:200]!r} stands in line {seen[value]} already.",
                ).on_page("no.peer.line_twice", line=row.line, value=value[:200], before=seen[value])
            seen[value] = row.line
    return rows


def plan(rows: Sequence[Row], peers: Peers) -> list[Change]:
    """Say what a table would change, in its order; asks no peer.

    Raises:
        Malformed, Conflict, ForbiddenAddress: One line cannot be taken, so none is; the message names it.
    """
    held = {peer.name: peer for peer in peers.list()}
    changes = [_change(row, held.get(row.name), peers) for row in rows]
    added = sum(change.what == "add" for change in changes)
    if len(held) + added > MAX_PEERS:
        raise Conflict(
            f"With these this node would have {len(held) + added} peers; it takes {MAX_PEERS}.",
        ).on_page("no.peer.full", most=MAX_PEERS)
    return changes


def _change(row: Row, peer: Peer | None, peers: Peers) -> Change:
    try:
        return _added(row, peers) if peer is None else _changed(row, peer)
    except NodeError as error:
        told = type(error)(f"Line {row.line}: {error.message}", fix=error.fix)
        raise told.on_page("no.deep.line", line=row.line) from error


def _added(row: Row, peers: Peers) -> Change:
    url, fingerprint = read_invitation(row.url, row.fingerprint, untold=True)
    url = peers.checked(url, row.name)
    peers.check_address(url)
    state: State = "blocked" if row.state == "blocked" else "proposed"
    said = f"{row.name} at {url} is added, {state}."
    if row.state not in ("proposed", "blocked"):
        said += f" The file says {row.state}: a person approves it here first."
    if not fingerprint:
        said += " The file tells no fingerprint: it is compared before anything is approved."
    row = Row(row.line, row.name, url, fingerprint, row.state, row.title, row.note)
    return Change(row.name, "add", said, state, row.note, row)


def _changed(row: Row, peer: Peer) -> Change:
    url, fingerprint = read_invitation(row.url, row.fingerprint, untold=not peer.fingerprint)
    if (url.rstrip("/"), fingerprint) != (peer.url, peer.fingerprint):
        raise Conflict(
            f"{row.name} is another city here: {peer.url} with the fingerprint {peer.fingerprint}.",
            fix="Give it another name in the file, or take its line out.",
        ).on_page("no.peer.other", name=row.name, url=peer.url)
    state, said = _state(row, peer)
    note = row.note or peer.note
    if note != peer.note:
        said.append("its note changes")
    what: What = "change" if (state, note) != (peer.state, peer.note) else "keep"
    return Change(row.name, what, f"{row.name}: {'; '.join(said) or 'stays as it is'}.", state, note, row)


def _state(row: Row, peer: Peer) -> tuple[State, list[str]]:
    """Say which state a line leads to: a file may make a peer more restricted, never less."""
    if row.state == peer.state:
        return peer.state, []
    if row.state == "blocked":
        return "blocked", [f"{peer.state} becomes blocked"]
    if peer.state == "blocked":
        return "blocked", [f"stays blocked, although the file says {row.state}"]
    if row.state == "paused" and peer.state in ("approved", "active"):
        return after("pause", peer.state, name=peer.name), [f"{peer.state} becomes paused"]
    return peer.state, [f"stays {peer.state}, although the file says {row.state}"]


def apply(changes: Sequence[Change], peers: Peers, *, at_ms: int) -> int:
    """Do what was planned, all or none; give how many peers it touched.

    Raises:
        Conflict: A peer has changed since the plan was made.
    """
    touched = [change for change in changes if change.what != "keep"]
    with peers.db.write() as tx:
        tx.lock("peers")
        for change in touched:
            _do(tx, change, peers, at_ms)
    return len(touched)


def _do(tx: Tx, change: Change, peers: Peers, at_ms: int) -> None:
    row = change.row
    if change.what == "add":
        peer = proposed(row.name, row.url, row.fingerprint, at_ms=at_ms, title=row.title, note=row.note)
        peers.insert(tx, peer)
        if change.state == "blocked":
            peers.move(tx, row.name, "block")
        return
    held = peers.get(row.name)
    if _changed(row, held) != change:
        raise Conflict(
            f"{row.name} has changed since the file was looked at.",
            fix="Import it again.",
        ).on_page("no.peer.plan")
    if change.state != held.state:
        # As an act, so that a block that somebody else sets at this moment is not lifted.
        peers.move(tx, row.name, "block" if change.state == "blocked" else "pause")
    peers.change(tx, row.name, note=change.note)
