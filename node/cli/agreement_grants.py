"""Innovators' access: tokens for entrepreneurs and programmes that act under one of this city's agreements.

A token is bound to the agreement, to one purpose and to its holder, and looked at with every request: it is worth
nothing while the agreement is not in force, and nothing any more once it is over or `citynode tokens revoke` ended it.
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from node.cli import say
from node.cli.agreements import NameArgument
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Malformed, NotFound


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
    """Issue a token to somebody who acts under an agreement; its secret is shown this once."""
    from node.federation.policy.terms import DPV

    purpose = purpose if ":" in purpose else DPV + purpose
    with opened(data) as node:
        agreeing = node.federation.agreeing
        found = agreeing.office.readings.finder.find(name).agreements
        if len(found) != 1:
            raise NotFound(f"{name[:200]} is not one agreement.", fix="List them: citynode agreements list")
        iri, at_ms = found[0].iri, now_ms()
        whom = recipient or _only(agreeing.decisions.recipients(iri))
        actions = agreeing.decisions.grantable(iri, purpose, whom, at_ms)
        token, secret = node.federation.named_tokens.grant(
            to, agreement=iri, purpose=purpose, recipient=whom, now_ms=at_ms, days=days
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


def _only(recipients: Sequence[str]) -> str:
    """Take the one recipient that there is; nobody if none is named. Raises Malformed if there are several."""
    if len(recipients) > 1:
        raise Malformed("The agreement names several recipients.", fix=f"Say --recipient {' or '.join(recipients)}.")
    return recipients[0] if recipients else ""
