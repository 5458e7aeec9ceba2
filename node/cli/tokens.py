"""Commands on tokens: what lets named people of the staff, and programs, use the API.

A secret is printed once, alone on standard output so that it can be piped into a file or a vault; the node keeps only
its hash. Peers need none of these: they prove who they are with their pinned keys.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.federation.answers import Decision
from node.federation.tokens.secrets import NamedToken

app = typer.Typer(help="Tokens: access for staff and programs.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Who holds it: a person or a program.")]


@app.command()
def issue(
    name: NameArgument,
    staff: Annotated[bool, typer.Option("--staff", help="May do everything over the API.")] = False,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="read:COLLECTION", help="What a program may do; repeatable.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="How long it lasts.")] = 90,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Issue a token; its secret is shown this once and cannot be had again."""
    with opened(data) as node:
        token, secret = node.federation.named_tokens.issue(
            name, now_ms=now_ms(), staff=staff, scopes=scope or (), days=days
        )
        here = {each.name for each in node.shelf.collections()}
    for missing in sorted({each.removeprefix("read:") for each in token.scopes} - here):
        say.note(f"! There is no collection {missing} here; the token can read it once there is one.")
    if as_json:
        say.document({"name": token.name, "token": secret, "expires_at": say.moment(token.expires_at_ms)})
        return
    say.line(secret)
    may = "everything" if token.staff else ", ".join(sorted(token.scopes))
    say.note(
        f"{token.name} may do {may} until {say.moment(token.expires_at_ms)}. This is shown only now; keep it safe."
    )
    say.note("Send it as: Authorization: Bearer cn_…")


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the tokens, without their secrets."""
    with opened(data) as node:
        found, now = node.federation.named_tokens.list(), now_ms()
        decisions = node.federation.agreeing.decisions
        ended = {each.name: decisions.alive(each.agreement, now) for each in found if each.agreement}
    if as_json:
        say.document(
            [
                {
                    "name": token.name,
                    "id": token.id,
                    "staff": token.staff,
                    "scopes": sorted(token.scopes),
                    "agreement": token.agreement,
                    "purpose": token.purpose,
                    "recipient": token.recipient,
                    "state": token.state_at(now),
                    "agreement_state": _of_agreement(ended.get(token.name)),
                    "created_at": say.moment(token.created_at_ms),
                    "expires_at": say.moment(token.expires_at_ms),
                    "last_used_at": say.moment(token.last_used_at_ms),
                }
                for token in found
            ]
        )
        return
    say.table(
        ("name", "may", "state", "expires", "last used"),
        [
            (
                token.name,
                _may(token),
                _state(token.state_at(now), _of_agreement(ended.get(token.name))),
                say.moment(token.expires_at_ms),
                say.moment(token.last_used_at_ms),
            )
            for token in found
        ],
    )


def _of_agreement(found: Decision | None) -> str:
    """Name the state of the agreement that a token is bound to; empty if it is bound to none."""
    if found is None:
        return ""
    return "in-force" if found.allowed else found.code


def _state(own: str, agreement: str) -> str:
    """Say what lets a token be of no use: its own end before that of its agreement."""
    return f"agreement {agreement}" if own == "good" and agreement not in ("", "in-force") else own


def _may(token: NamedToken) -> str:
    if token.agreement:
        return f"what {token.agreement} permits"
    return "everything" if token.staff else " ".join(sorted(token.scopes))


@app.command()
def revoke(name: NameArgument, data: DataOption = None) -> None:
    """End a token at once."""
    with opened(data) as node:
        node.federation.named_tokens.revoke(name, now_ms=now_ms())
    say.line(f"Revoked the token {name}; it ends with its next use")
