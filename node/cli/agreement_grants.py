"""Innovators' access: tokens for entrepreneurs and programmes that act under one of this city's agreements.

A token is bound to the agreement, to one purpose and to its holder, and looked at with every request: it is worth
nothing while the agreement is not in force, and nothing any more once it is over or `citynode tokens revoke` ended it.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.agreements import NameArgument
from node.cli.common import DataOption, JsonOption, now_ms, opened


def grant(
    name: NameArgument,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="What the token is called: who holds it.")],
    purpose: Annotated[str, typer.Option("--purpose", metavar="IRI", help="For what: an IRI, or its DPV name alone.")],
    recipient: Annotated[
        str, typer.Option("--recipient", metavar="IRI", help="Which of the recipients that the agreement names it is.")
    ] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="How long it lasts at most.")] = 90,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Issue a token to somebody who acts under an agreement that grants to this city; shown this once.

    Its purpose is one that the agreement names, its holder a recipient that the agreement names.
    """
    with opened(data) as node:
        found = node.federation.agreeing.office.readings.grantable(name, purpose, recipient)
        iri, purpose, whom, actions = found.agreement, found.purpose, found.recipient, found.actions
        token, secret = node.federation.named_tokens.grant(
            to, agreement=iri, purpose=purpose, recipient=whom, now_ms=now_ms(), days=days
        )
    if as_json:
        until = say.moment(token.expires_at_ms)
        bound = {"agreement": iri, "purpose": purpose, "recipient": whom, "actions": list(actions)}
        say.document({"name": token.name, "token": secret, "expires_at": until, **bound})
        return
    say.line(secret)
    say.note(
        f"{token.name} may {', '.join(actions)} under {iri}, for {purpose}, until {say.moment(token.expires_at_ms)}"
        f" or the agreement's end. This is shown only now; to end it: citynode tokens revoke {token.name}"
    )
