"""Commands on the exchange with peers: pull now, see how mirrors stand, what was refused, ask for it again.

The worker does all of this by itself; here a person looks on. A pull works in the process of the command, under the
same lease as the worker's, so that no peer is asked twice at a time.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import AlreadyRunning, NodeError, NotFound, PeerUnreachable, TooManyRequests, Unavailable

if TYPE_CHECKING:
    from node.assembly import Node
    from node.federation.exchange.visits import Visited

app = typer.Typer(
    help="Exchange with other cities: their mirrors here, and what they hold of ours.", no_args_is_help=True
)

PeerArgument = Annotated[str | None, typer.Argument(metavar="[N]", help="A peer; all of them if left out.")]
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_OK, _REFUSED, _TRY_AGAIN = 0, 1, 3
_MOST_NAMED = 20


@app.command()
def run(
    name: PeerArgument = None,
    wait: Annotated[bool, typer.Option("--wait", help="Try again until everything is level.")] = False,
    timeout: Annotated[int, typer.Option("--timeout", metavar="S", min=1, help="How long to wait at most.")] = 300,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Pull what is followed of one peer, or of all; exit 3 if one cannot be reached, 1 if something is refused."""
    with opened(data) as node:
        until = time.monotonic() + (timeout if wait else 0)
        names = [name] if name else _followed(node)
        done = [_visit(node, each, until, timeout) for each in names]
        if as_json:
            say.document([_document(each, visited, error) | _offered(node, visited) for each, visited, error in done])
        else:
            for each, visited, error in done:
                _told(each, visited, error)
                _tell_offered(each, _offered(node, visited)["offered"])
        raise typer.Exit(max(_code(visited, error) for _, visited, error in done))


@app.command()
def status(name: PeerArgument = None, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show how every mirror stands: held, known, last checked, what is wrong."""
    with opened(data) as node:
        at_ms = now_ms()
        health = node.federation.health
        found = [health.of(name, at_ms)] if name else health.all(at_ms)
        if as_json:
            say.document(
                [
                    {
                        "peer": peer.name,
                        "state": peer.state,
                        "circuit": peer.circuit,
                        "stale": peer.stale,
                        "mirror": each,
                    }
                    for peer in found
                    for each in peer.follows
                ]
            )
            return
        say.table(
            ("mirror", "state", "held", "known", "checked", "level", "circuit", "error"),
            [
                (
                    *(each.local, "stale" if each.stale else peer.state, each.held_size, each.known_size),
                    *(_age(each.checked_age_ms), _age(each.level_age_ms), peer.circuit),
                    each.last_error_code or peer.last_error_code or "-",
                )
                for peer in found
                for each in peer.follows
            ],
        )
        for reminder in node.federation.agreeing.office.reminders():
            say.note(f"! {reminder['sentence']}")


@app.command()
def refusals(name: PeerArgument = None, as_json: JsonOption = False, data: DataOption = None) -> None:
    """List what this city refuses of others, and what others refuse of this city."""
    with opened(data) as node:
        ours = [{"by": "", **asdict(each)} for each in node.federation.exchanging.reports.refused(name or "")]
        rows = ours + _heard(node, name or "")
        if as_json:
            say.document(rows)
            return
        say.table(
            ("who", "collection", "entry", "code", "record", "what"),
            [
                (each["by"] or "this city", each["collection"], each["seq"], each["code"], *_shown(each))
                for each in rows
            ],
        )


@app.command()
def retry(
    name: Annotated[str, typer.Argument(metavar="N", help="Name of the peer on this node.")],
    collection: Annotated[str, typer.Argument(metavar="[COLLECTION]", help="Its name at the peer.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Ask a peer again for entries that were refused or withheld, after an approval or an upgrade."""
    with opened(data) as node:
        visited = node.federation.exchanging.visits.retry(name, collection)
        asked = visited.asked_again
        if as_json:
            say.document(_document(name, visited, None) | {"asked": asked.asked, "filled": asked.filled})
        else:
            _told(name, visited, None)
            say.line(f"{name}: asked again for {_entries(asked.asked)}, held now: {asked.filled}")
        raise typer.Exit(_code(visited, None))


def _followed(node: "Node") -> list[str]:
    names = list(dict.fromkeys(each.peer for each in node.federation.peers.follows() if not each.paused))
    able = [name for name in names if node.federation.peers.get(name).exchanges]
    if not able:
        raise NotFound("This node follows no peer.", fix="citynode peers follow N COLLECTION")
    return able


def _visit(node: "Node", name: str, until: float, timeout_s: int) -> "tuple[str, Visited | None, NodeError | None]":
    """Visit a peer, again and again until it is level, somebody must act, or the time is up."""
    failures = 0
    while True:
        visited, error = None, None
        try:
            visited = node.federation.exchanging.visits.visit(name, by_hand=True)
            error = visited.pulled.error
        except NodeError as problem:
            error = problem
        level = visited is not None and visited.pulled.level
        if level or not _passes(error) or time.monotonic() >= until:
            return name, visited, error
        failures = failures + 1 if isinstance(error, PeerUnreachable) else 0
        if failures == 1:
            say.note(f"{name} does not answer; waiting up to {timeout_s} s, Ctrl-C stops")
        time.sleep(min(_pause(error, failures), max(0.0, until - time.monotonic())))


def _passes(error: NodeError | None) -> bool:
    return error is None or isinstance(error, Unavailable)


def _pause(error: NodeError | None, failures: int) -> float:
    """Say how long to wait: as long as the peer asks for, or longer with each time in a row that it is silent."""
    if isinstance(error, TooManyRequests):
        return float(error.retry_after_s)
    if isinstance(error, PeerUnreachable):
        # Before the power, so that an hour of failures costs nothing.
        grown = _LONGEST_PAUSE_S if failures > 5 else min(_LONGEST_PAUSE_S, 2.0 ** (failures - 1))
        return max(grown, float(error.retry_after_s))
    return _PAUSE_S if isinstance(error, AlreadyRunning) else 2 * _PAUSE_S


def _code(visited: "Visited | None", error: NodeError | None) -> int:
    error = error or (visited.pulled.error if visited else None)
    if error is not None:
        return _TRY_AGAIN if isinstance(error, Unavailable) else _REFUSED
    if visited is not None and visited.contradictions:
        return _REFUSED
    return _OK if visited is None or visited.pulled.level else _TRY_AGAIN


def _document(name: str, visited: "Visited | None", error: NodeError | None) -> dict[str, Any]:
    pulled = visited.pulled if visited else None
    return {
        "peer": name,
        "level": bool(pulled and pulled.level and error is None),
        "unchanged": bool(pulled and pulled.unchanged),
        "took_ms": pulled.took_ms if pulled else 0,
        "error": _error(error),
        "contradictions": list(visited.contradictions) if visited else [],
        "collections": [
            {
                "collection": each.collection,
                "entries": each.entries,
                "refused": each.refused,
                "size": each.size,
                "level": each.level,
                "error": _error(each.error),
            }
            for each in (pulled.collections if pulled else ())
        ],
    }


def _error(error: NodeError | None) -> dict[str, str] | None:
    return {"code": error.code, "message": error.message, "fix": error.fix} if error else None


def _told(name: str, visited: "Visited | None", error: NodeError | None) -> None:
    for each in visited.pulled.collections if visited else ():
        if each.error is not None:
            say.note(f"{each.collection}: {each.error} [{each.error.code}]")
        elif each.entries:
            refused = f", {each.refused} refused" if each.refused else ""
            new = f"{each.entries} new entr{'y' if each.entries == 1 else 'ies'}"
            say.line(f"{each.collection}: {new}{refused}, {_entries(each.size)} held")
        elif each.level:
            say.line(f"{each.collection} is level: {_entries(each.size)} held")
        else:
            say.line(f"{each.collection}: nothing new yet, {_entries(each.size)} held")
    if error is not None and visited is None:
        say.error(error)
    for each_one in visited.contradictions if visited else ():
        say.note(f"{name} is held apart: {each_one}")


def _entries(count: int) -> str:
    """Count entries of a journal; records are fewer, since each change of one is an entry."""
    return f"{count} entr{'y' if count == 1 else 'ies'}"


def _offered(node: "Node", visited: "Visited | None") -> dict[str, list[str]]:
    """Give what a city that was visited shows and this one does not follow."""
    return {"offered": node.federation.peers.offered(visited.pulled.peer) if visited else []}


def _tell_offered(name: str, offered: Sequence[str]) -> None:
    """Say it: a collection begins with its first record, so a city's first answer is in one that nobody follows yet."""
    if offered:
        more = ", …" if len(offered) > _MOST_NAMED else ""
        say.note(f"{name} also shows: {', '.join(offered[:_MOST_NAMED])}{more}, not followed here")
        say.note(f"To mirror: citynode peers follow {name} {offered[0]}; all, also what comes later: --all")


def _heard(node: "Node", peer: str) -> list[dict[str, Any]]:
    found = []
    for info in node.shelf.collections():
        if "/" not in info.name:
            heard = node.federation.refusals.list(info.name)
            found += [
                {"by": each.peer, "collection": info.name, "seq": each.seq, "code": each.code, "at_ms": each.at_ms}
                for each in heard
                if peer in ("", each.peer)
            ]
    return found


def _shown(row: dict[str, Any]) -> Sequence[str]:
    return str(row.get("record", "")) or "-", str(row.get("detail", "")) or "-"


def _age(age_ms: int) -> str:
    return f"{say.duration(age_ms)} ago" if age_ms >= 0 else "never"
