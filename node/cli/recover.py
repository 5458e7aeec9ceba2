"""Commands after a loss: ask mirrors for our own signed tail, go on without them, or open a new epoch.

Each of them ends with what still holds own collections back, if anything does. What to do in which case, step by step,
is in `docs/recover.md`.
"""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import peers, say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import BrokenHistory, Conflict, Malformed, PeerUnreachable, Refused

if TYPE_CHECKING:
    from node.assembly import Node
    from node.federation.exchange.epochs import Loss
    from node.federation.exchange.recover import Checked, Outcome, Prospect


_FIX = "docs/recover.md says what can be done."
_LEVEL = "Nothing that was signed is missing, as far as they show"


def register(app: typer.Typer) -> None:
    """Add `recover` to the root, and the approval of epochs to the commands on peers."""
    app.command()(recover)
    peers.app.command("approve-epoch")(approve_epoch)


def recover(
    check: Annotated[bool, typer.Option("--check", help="Ask mirrors and say what is missing; fetch nothing.")] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Go on with what is here, although not every peer was asked.")
    ] = False,
    new_epoch: Annotated[
        str, typer.Option("--new-epoch", metavar="COLLECTION", help="Give the lost tail up, with --reason.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for everyone to read.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Open the new epoch without asking.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Bring own collections level with what this city has signed, from the mirrors of its peers."""
    if sum((check, alone, bool(new_epoch))) > 1:
        raise Malformed("One thing at a time.", fix="Say one of --check, --alone and --new-epoch.")
    with opened(data) as node:
        if new_epoch:
            _begin_anew(node, new_epoch, reason, yes=yes, as_json=as_json)
        elif check:
            _checked(node, as_json=as_json)
        elif alone:
            node.federation.watching.recovery.alone()
            _told(node, {"alone": True}, as_json=as_json)
        else:
            _recovered(node, as_json=as_json)


def _recovered(node: "Node", *, as_json: bool) -> None:
    from node.journal import catch_up

    outcome = node.federation.watching.recovery.run(now_ms())
    for follower in node.followers:
        catch_up(node.journals, follower)
    if not as_json:
        say.lines(_lines(outcome))
    _told(node, asdict(outcome), as_json=as_json)


def _lines(outcome: "Outcome") -> list[str]:
    told = _asked(outcome.checked)
    for one in outcome.recovered:
        done = f"fetched {one.entries} entries from {one.peer}, complete up to {one.size}"
        told.append(f"{one.collection}: {one.error or done}")
    return told if outcome.recovered else [*told, _LEVEL]


def _asked(checked: "Checked") -> list[str]:
    told = [f"Asked {', '.join(checked.asked) or 'nobody: there are no peers'}"]
    told += [f"No answer of {', '.join(checked.silent)}"] if checked.silent else []
    return told + [f"{peer}: {why}" for peer, why in checked.why.items()]


def _checked(node: "Node", *, as_json: bool) -> None:
    found = node.federation.watching.recovery.check(now_ms())
    if not as_json:
        missing = [f"{one.collection}: {one.peer} holds {one.size} entries that were signed" for one in found.behind]
        say.lines([*_asked(found), *(missing or [_LEVEL])])
    if found.asked and len(found.silent) == len(found.asked):
        raise PeerUnreachable("None of the peers answered.", fix="Try again later.")
    _told(node, asdict(found), as_json=as_json, fix="Run: citynode recover" if found.asked else _FIX)


def _begin_anew(node: "Node", name: str, reason: str, *, yes: bool, as_json: bool) -> None:
    from node.federation.exchange.epochs import check_reason

    check_reason(reason)
    watching = node.federation.watching
    prospect = watching.recovery.prospect(name, now_ms())
    if prospect.peer:
        raise Conflict(
            f"{prospect.peer} holds {prospect.size} entries of {name} that were signed, and can give them back.",
            fix="Run: citynode recover",
        )
    loss = _loss(node, name, reason, prospect)
    for line in _given_up(loss, prospect):
        say.note(line)
    _agree(f"Open epoch {loss.collection.epoch + 1} of {name}?", yes=yes)
    at_ms = now_ms()
    opened_epoch = watching.epochs.open(name, reason, at_ms, common=prospect.common)
    watching.recovery.alone()
    node.journals.checkpoint(name, at_ms=at_ms)
    if not as_json:
        say.line(f"{name} goes on from {opened_epoch.from_size} entries as epoch {opened_epoch.number}")
        say.line(f"Every peer that mirrors it has to approve that: citynode peers approve-epoch PEER {name}")
    epoch = {"collection": name, "epoch": opened_epoch.number, "statement": opened_epoch.statement}
    _told(node, epoch, as_json=as_json)


def _loss(node: "Node", name: str, reason: str, prospect: "Prospect") -> "Loss":
    try:
        return node.federation.watching.epochs.loss(name, reason)
    except Conflict as problem:
        silent = ", ".join(prospect.checked.silent)
        if not silent or "/" in name:
            raise
        raise Conflict(
            f"Not known yet whether anything that was signed of {name} is missing here: no answer of {silent}.",
            fix="Run citynode recover --check until they answer; only what is known to be lost can be given up.",
        ) from problem


def _given_up(loss: "Loss", prospect: "Prospect") -> list[str]:
    """Say what a new epoch would give up, and who might still have it."""
    name, size = loss.collection.name, loss.collection.size
    told = [f"{name} has {size} entries here; {loss.signed} were signed."]
    if loss.signed > size:
        told.append(f"Entries {size + 1} to {loss.signed} are given up for good, and every mirror has to agree.")
    else:
        told.append("What others hold of it is another history; it is given up, and every mirror has to agree.")
        told.append(f"Up to entry {min(prospect.common, size)} the two are one; from there on what is here holds.")
    told += [f"{peer} cannot give them back: {error}" for peer, error in prospect.errors.items()]
    told += [f"{peer} gave no answer, and may hold them." for peer in prospect.checked.silent]
    return told


def _agree(question: str, *, yes: bool) -> None:
    """Ask a person; where there is none, refuse."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("Somebody has to agree to this; nothing was changed.", fix="Run it in a terminal, or say --yes.")
    if not typer.confirm(question, err=True):
        raise Refused("Nothing was changed.")


def _told(node: "Node", told: dict[str, Any], *, as_json: bool, fix: str = _FIX) -> None:
    held_back = node.federation.watching.recovery.held_back()
    if as_json:
        say.document(told | {"held_back": held_back})
    if held_back:
        raise BrokenHistory(held_back, fix=fix)


def approve_epoch(
    peer: Annotated[str, typer.Argument(metavar="PEER")],
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="Its name at the peer.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this only show the statement.")] = False,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who answers for it.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Accept that a peer's collection began anew: our mirror is cut back to where it says, and goes on from there."""
    with opened(data) as node:
        epochs = node.federation.watching.epochs
        offered = epochs.offered(peer, collection) or epochs.look(peer, collection, now_ms())
        if yes:
            offered = epochs.approve(peer, collection, by=by or "command line", now_ms=now_ms())
        if offered is None:
            say.line(f"{peer} has opened no epoch of {collection} that is not approved")
            return
        if as_json:
            say.document({**asdict(offered), "approved": yes})
            return
        say.line(f"Epoch {offered.number} of {offered.collection}, from {offered.from_size} entries: {offered.reason}")
        say.line(
            "Approved; the next exchange goes on from there" if yes else "To accept it say --yes; ask that city first"
        )
