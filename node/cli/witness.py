"""Commands on witnesses: who cosigned our checkpoints, and asking them now.

The worker asks by itself every hour and soon after a change; these are for the operator who wants to see it. A witness
that is `ahead` has seen more of us than we hold: then `citynode recover` comes first.
"""

from dataclasses import asdict

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import PeerUnreachable

app = typer.Typer(help="Witnesses: who cosigns our checkpoints.", no_args_is_help=True)


@app.command()
def run(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Ask every witness to cosign the newest checkpoint of every public collection of ours."""
    with opened(data) as node:
        outcomes = node.federation.watching.cosigning.run(now_ms())
    if as_json:
        say.document(outcomes)
    elif outcomes:
        say.table(
            ("collection", "size", "witness", "state", "detail"),
            [(one.collection, one.size, one.witness, one.state, one.detail) for one in outcomes],
        )
    else:
        say.line("There is no active peer that could cosign")
    if outcomes and all(one.state == "unreachable" for one in outcomes):
        raise PeerUnreachable("None of the witnesses answered.", fix="Try again later.")


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List who cosigned which checkpoint, and when."""
    with opened(data) as node:
        found = node.federation.watching.cosigning.held()
    if as_json:
        say.document([asdict(one) for one in found])
        return
    say.table(
        ("collection", "size", "witness", "when"),
        [(one.collection, one.size, one.witness, say.moment(one.at_ms)) for one in found],
    )
