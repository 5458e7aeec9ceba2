"""Commands on peers: the other cities this node knows, from the invitation to the block.

A peer is proposed by its address and the fingerprint that came by a trusted way, tested, and approved by a person who
has read what that pins; then its collections can be followed. What changes much (approve, import) is shown first and
asked for, unless `--yes` says that somebody has looked.
"""

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from node.cli import say
from node.cli.asking import YesOption, confirm
from node.cli.common import DataOption, JsonOption, opened
from node.cli.plain_files import open_plain
from node.errors import Conflict, NotFound

if TYPE_CHECKING:
    from node.federation.peers.office import PeerOffice
    from node.federation.peers.peer_test import Walk

app = typer.Typer(help="Peers: the other cities this node knows.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="N", help="Name of the peer on this node.")]
CollectionArgument = Annotated[str, typer.Argument(metavar="COLLECTION", help="Name of a collection.")]
FingerprintOption = Annotated[
    str, typer.Option("--fingerprint", metavar="F", help="Of that city's entity key, told by a trusted way.")
]


@app.command()
def invite(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Print one string with our address and fingerprint, to send to another city by a trusted way."""
    with opened(data) as node:
        said = node.federation.office.invite()
        if as_json:
            say.document(said)
            return
        say.line(str(said["invitation"]))
        say.note(f"The fingerprint, to be read out in groups: {_in_groups(str(said['fingerprint']))}")
        say.note(
            "Send all of it by one way that is trusted already: a telephone call, paper, a meeting."
            " There: citynode peers add INVITATION --name NAME"
        )


@app.command()
def add(
    invitation: Annotated[str, typer.Argument(metavar="URL|INVITATION", help="What the other city sent.")],
    name: Annotated[str, typer.Option("--name", metavar="N", help="What it is called here: a-z, 0-9 and -.")],
    fingerprint: FingerprintOption = "",
    note: Annotated[str, typer.Option("--note", help="For the staff of this city.")] = "",
    untold: Annotated[
        bool, typer.Option("--compare-later", help="Take an address alone; approving asks for the fingerprint.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Propose a peer: fetch its statement and compare the fingerprint; nothing is exchanged yet."""
    with opened(data) as node:
        said = node.federation.office.add(invitation, name=name, fingerprint=fingerprint, note=note, untold=untold)
        told = "fingerprint as told" if said["fingerprint"] else "fingerprint still to be compared"
        say.line(f"Proposed {name}: {said['title']} at {said['url']}, {told}")
        say.line(f"Next: citynode peers approve {name}")


@app.command("test")
def try_out(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Walk to a peer (DNS, TLS, identity, keys, token, feed) and name the step that fails, and why."""
    with opened(data) as node:
        walk = node.federation.office.walk(name)
        if as_json:
            say.document(node.federation.office.told(walk))
        else:
            _print_walk(walk)
        if walk.error is not None:
            raise walk.error


def _print_walk(walk: "Walk") -> None:
    say.line(f"{walk.peer} ({walk.state}) at {walk.url}")
    rows = [(step.name, step.result, f"{step.ms:.1f} ms" if step.ms else "", step.detail) for step in walk.steps]
    say.table(("step", "result", "time", "what was found"), rows)


@app.command()
def approve(
    name: NameArgument,
    yes: YesOption = False,
    fingerprint: FingerprintOption = "",
    told_by: Annotated[
        str, typer.Option("--told-by", metavar="ROLE", help="Who at that city read it to you; kept with the key.")
    ] = "",
    data: DataOption = None,
) -> None:
    """Show what approving a peer would pin, ask, and pin it: its keys and namespaces. Ends a block or a quarantine."""
    with opened(data) as node:
        office = node.federation.office
        review = office.review(name)
        _print_review(review)
        confirm(f"Approve {name}?", yes=yes)
        by, digest = _person(), str(review["review"])
        said = office.approve(name, by=by, review=digest, fingerprint=fingerprint, told_by=told_by)
        say.line(f"Approved {name}: {said['effect']}")
        followed = [each["collection"] for each in cast("list[dict[str, str]]", said["follows"])]
        if followed:
            say.line(f"Follows {', '.join(followed)} of {name} already")
        say.line(f"Next: citynode {f'exchange run {name}' if followed else f'peers follow {name} --all'}")


def _print_review(review: dict[str, Any]) -> None:
    say.line(f"{review['name']}: {review['title']} at {review['url']}")
    same = review["fingerprint"] == review["told_fingerprint"]
    told = "as you were told" if same else f"you were told {review['told_fingerprint'] or 'none'}"
    say.line(f"Fingerprint {review['fingerprint']}, {told}")
    say.line(f"In groups, as it is read out: {_in_groups(str(review['fingerprint']))}")
    for word, keys in (("Pins", review["new_keys"]), ("Ends", review["lost_keys"])):
        for key in keys:
            say.line(f"{word} the {key['purpose']} key {key['kid']} ({key['alg']})")
    for claim in review["namespaces"]:
        say.line(f"{'New namespace' if claim['new'] else 'Namespace'} {claim['prefix']}")
    for each in review["collections"]:
        say.line(f"Public collection {each['name']}: {each['title']}")
    for warning in review["warnings"]:
        say.line(f"! {warning}")


def _in_groups(fingerprint: str) -> str:
    """Write a fingerprint as pages do: in groups of four, so that two people can compare it by telephone."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def _person() -> str:
    """Name who is at the command line; a person is a login until accounts exist."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "command line"


@app.command()
def follow(
    name: NameArgument,
    collections: Annotated[list[str] | None, typer.Argument(metavar="[COLLECTION]...", help="At the peer.")] = None,
    theme: Annotated[
        list[str] | None, typer.Option("--theme", metavar="IRI", help="Only records with this theme; may be repeated.")
    ] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All public ones, now and later.")] = False,
    data: DataOption = None,
) -> None:
    """Mirror collections of a peer from now on."""
    with opened(data) as node:
        said = node.federation.office.follow(name, collections or [], all_of_them=all_of_them, themes=theme or [])
        for each in cast("list[dict[str, str]]", said["follows"]):
            say.line(f"Follows {each['collection']} of {name} as {each['local']}")
        for warning in cast("list[str]", said["warnings"]):
            say.note(f"! {warning}")
        if all_of_them:
            say.line(f"Public collections that {name} begins later are followed too")
        say.line(f"Next: citynode exchange run {name}")


@app.command()
def unfollow(name: NameArgument, collection: CollectionArgument, data: DataOption = None) -> None:
    """Stop mirroring a collection; what is held of it stays."""
    with opened(data) as node:
        was_all = node.federation.office.show(name)["follows_all"]
        node.federation.office.unfollow(name, collection)
        say.line(f"Follows {collection} of {name} no more; what is held of it stays")
        if was_all:
            say.line(f"What {name} begins later is not followed by itself any more: citynode peers follow {name} --all")


def _act(act: str, name: str, data: Path | None) -> None:
    with opened(data) as node:
        said = getattr(node.federation.office, act)(name)
        say.line(f"{name} is {said['state']}. {said['effect']}")


@app.command()
def pause(name: NameArgument, data: DataOption = None) -> None:
    """Stop all exchange with a peer for a while."""
    _act("pause", name, data)


@app.command()
def resume(name: NameArgument, data: DataOption = None) -> None:
    """End a pause."""
    _act("resume", name, data)


@app.command()
def block(name: NameArgument, yes: YesOption = False, data: DataOption = None) -> None:
    """Say what would be hidden, ask, stop all exchange with a peer and hide it, until somebody approves it again."""
    with opened(data) as node:
        state = node.federation.office.show(name)["state"]
        if state != "blocked":
            names = [each.name for each in node.shelf.collections()]
            held = sum(node.shelf.count(each) for each in names if each.startswith(f"{name}/"))
            records = f"{held} record{'' if held == 1 else 's'} of {name}"
            say.line(f"{records} will no longer be shown here, and nothing is exchanged, until you approve it again.")
            confirm(f"Block {name}?", yes=yes)
    _act("block", name, data)


@app.command()
def note(
    name: NameArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="For the staff of this city; empty takes it away.")],
    data: DataOption = None,
) -> None:
    """Write the note about a peer that this city's staff sees, in the place of the one before."""
    with opened(data) as node:
        node.federation.office.annotate(name, text)
        say.line(f"Noted about {name}")


@app.command()
def differs(
    name: NameArgument,
    told_by: Annotated[str, typer.Option("--told-by", metavar="ROLE", help="Who at that city read it to you.")] = "",
    data: DataOption = None,
) -> None:
    """Note that a city read out another fingerprint than its address shows: keeps the evidence, and blocks it."""
    with opened(data) as node:
        said = node.federation.office.differs(name, by=_person(), told_by=told_by)
        say.line(f"{name} is {said['state']}. {said['effect']}")
        say.line("Tell that city: somebody may be answering in its place")


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the peers and how the exchange with each stands."""
    with opened(data) as node:
        found = node.federation.office.list()
        if as_json:
            say.document(found)
            return
        say.table(
            ("name", "state", "follows", "lag", "last contact", "failures", "url"), [_row(each) for each in found]
        )


def _row(peer: dict[str, Any]) -> tuple[object, ...]:
    held_apart = peer["quarantine"] and peer["state"] != "blocked"  # who blocked it has seen the evidence
    state = "quarantined" if held_apart else "at odds" if peer["at_odds"] else peer["state"]
    contact = f"{peer['last_out_at'] or 'never'}{' (stale)' if peer['stale'] else ''}"
    return (peer["name"], state, len(peer["follows"]), peer["lag"], contact, peer["failures"], peer["url"])


@app.command()
def show(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show all that is known of a peer: health, keys, namespaces, evidence."""
    with opened(data) as node:
        peer = node.federation.office.show(name)
        if as_json:
            say.document(peer)
            return
        _print_peer(peer)


_FACTS = (
    ("url", "URL"),
    ("fingerprint", "Fingerprint"),
    ("approved_at", "Approved"),
    ("last_out_at", "Answered us"),
    ("last_in_at", "Asked us"),
    ("failures", "Failures in a row"),
    ("circuit", "Circuit"),
    ("next_attempt_at", "Next attempt"),
    ("last_error", "Last error"),
    ("statement_expires_at", "Statement good until"),
    ("note", "Note"),
)


def _print_peer(peer: dict[str, Any]) -> None:
    more = " and held apart" if peer["quarantine"] else " and at odds" if peer["at_odds"] else ""
    say.line(f"{peer['name']}: {peer['title']}, {peer['state']}{more}")
    say.line(peer["effect"])
    say.lines(f"{said + ':':<22}{peer[key]}" for key, said in _FACTS if peer[key])
    say.lines(f"! {each['warning']}" for each in peer["warnings"])
    say.lines(f"Namespace {each}" for each in peer["namespaces"])
    say.lines(
        f"Key {key['purpose']} {key['kid']}{' until ' + key['until'] if key['until'] else ''}" for key in peer["keys"]
    )
    for each in peer["follows"]:
        state = "stale, " if each["stale"] else ""
        say.line(
            f"Follows {each['collection']}: {state}verified up to {each['verified_up_to']} of {each['known_size']}"
        )
        if each["last_error"]:
            say.line(f"  {each['last_error']} [{each['last_error_code']}]")
    if peer["follows_all"]:
        say.line("Follows all that it names as public, also what comes later")
    if peer["offered"]:
        say.line(f"Not followed: {', '.join(peer['offered'])}")
        say.note(f"To mirror them: citynode peers follow {peer['name']} {peer['offered'][0]} … or --all")
    for each in peer["evidence"]:
        say.line(f"Evidence {each['id']} ({each['at']}, {each['kind']}): {each['summary']}")
    if peer["evidence"]:
        say.note(f"The evidence itself: citynode peers show {peer['name']} --json")


@app.command("export")
def export_(data: DataOption = None) -> None:
    """Write the peers as CSV on standard output."""
    with opened(data) as node:
        sys.stdout.write(node.federation.office.export())


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV as `peers export` writes it.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Show what a CSV of peers would change, ask, and do it: all or none. It approves nobody and lowers no block."""
    with opened(data) as node:
        table = _read(file)
        plan = node.federation.office.plan(table)
        changes = cast("list[dict[str, str]]", plan["changes"])
        if as_json:
            say.document(_imported(node.federation.office, table, plan) if yes else plan)
            return
        say.lines(each["sentence"] for each in changes)
        count = sum(each["change"] != "keep" for each in changes)
        if not count:
            say.line("Nothing would change")
            return
        peers = f"{count} peer{'s' if count > 1 else ''}"
        confirm(f"Change {peers}?", yes=yes)
        _imported(node.federation.office, table, plan)
        say.line(f"Changed {peers}")


def _imported(office: "PeerOffice", table: bytes, plan: dict[str, Any]) -> dict[str, Any]:
    return office.take(table, plan=str(plan["plan"]))


def _read(file: Path) -> bytes:
    from node.federation.peers.peer_csv import MAX_BYTES

    try:
        with open_plain(file) as opened_file:
            return opened_file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {file}.", fix="Give the path of a CSV file.") from error
    except OSError as error:
        raise Conflict(f"{file} cannot be read: {error.strerror}.", fix="See its permissions.") from error
