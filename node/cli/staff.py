"""Commands on the desk's accounts: make one, list them, change roles, links for passwords, who is signed in.

What the page "People" of the desk does, for whoever has the host and no account yet, or lost the only one. A link is
printed once, alone on standard output, so that it can be piped to where it is sent from.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened

app = typer.Typer(help="Accounts of the desk: who may sign in, and to do what.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What somebody signs in with.")]
RolesOption = Annotated[
    list[str],
    typer.Option(
        "--role", metavar="ROLE", help="viewer, editor, steward, approver or admin; repeatable, or with commas."
    ),
]


@app.command()
def add(
    name: NameArgument,
    role: RolesOption,
    shown: Annotated[str, typer.Option("--shown", help="What the desk calls them, such as a role and a unit.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Make an account and print the link by which its person sets a password."""
    with opened(data) as node:
        made = node.staff.office.add(name, roles=_each(role), shown=shown)
    _linked(made, as_json=as_json)


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List every account with its roles."""
    with opened(data) as node:
        found = node.staff.office.list()
    if as_json:
        say.document({"accounts": found})
        return
    rows = [
        (
            each["name"],
            each["shown"],
            " ".join(_words(each["roles"])),
            each["state"],
            _with(each),
            each["seen_at"] or "-",
        )
        for each in found
    ]
    say.table(("name", "called", "roles", "state", "signs in with", "last signed in"), rows)
    if not rows:
        say.note("Make the first: citynode staff add NAME --role admin")


@app.command()
def roles(name: NameArgument, role: RolesOption, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Give an account these roles and no others; whoever has it is signed out."""
    with opened(data) as node:
        told = node.staff.office.grant(name, _each(role))
    _told(told, f"{name} has the roles {' '.join(_words(told['roles']))} now, and is signed out", as_json=as_json)


@app.command()
def link(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Print a link by which somebody sets a (new) password; forgets wrong guesses too."""
    with opened(data) as node:
        made = node.staff.office.link(name)
    _linked({"name": name, **made}, as_json=as_json)


@app.command()
def disable(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Let somebody in no more, at once; the account stays, since the audit trail names it."""
    with opened(data) as node:
        told = node.staff.office.disable(name)
    _told(told, f"{name} is disabled and signed out", as_json=as_json)


@app.command()
def enable(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Let somebody in again, and forget wrong guesses at their password."""
    with opened(data) as node:
        told = node.staff.office.enable(name)
    _told(told, f"{name} is {told['state']}", as_json=as_json)


@app.command("forget-phone")
def forget_phone(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Take away the second factor of somebody who lost their phone; be sure that it is them who asks."""
    with opened(data) as node:
        told = node.staff.office.forget_phone(name)
    _told(told, f"{name} signs in with the password alone until they set up another phone", as_json=as_json)


@app.command()
def sessions(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """List where somebody is signed in."""
    with opened(data) as node:
        told = node.staff.office.sessions(name)
    if as_json:
        say.document(told)
        return
    found = cast("Sequence[Mapping[str, Any]]", told["signed_in"])
    heads = ("id", "about", "way", "began", "last seen", "ends")
    keys = ("id", "about", "way", "began_at", "seen_at", "ends_at")
    say.table(heads, [[each[key] or "-" for key in keys] for each in found])


@app.command()
def revoke(
    name: NameArgument,
    session: Annotated[str, typer.Option("--session", metavar="ID", help="One of them; else all.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Sign somebody out, at once."""
    with opened(data) as node:
        told = node.staff.office.revoke(name, session)
    _told(told, f"Ended: {told['ended']}", as_json=as_json)


def _each(roles: Sequence[str]) -> list[str]:
    """Take roles as somebody wrote them: one by one, or several with commas between."""
    return [role.strip() for said in roles for role in said.split(",") if role.strip()]


def _linked(made: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        say.document(made)
        return
    say.line(str(made["link"]))
    say.note(
        f"{made['name']} sets a password with this, once, until {made['link_ends_at']}. Whoever has it has the account."
    )


def _told(told: Mapping[str, object], line: str, *, as_json: bool) -> None:
    if as_json:
        say.document(told)
    else:
        say.line(line)


def _words(value: object) -> list[str]:
    return [str(each) for each in cast("Sequence[object]", value)]


def _with(told: Mapping[str, object]) -> str:
    if told["from_city"]:
        return "the city's sign-in"
    return "password and phone" if told["second_factor"] else "password"
