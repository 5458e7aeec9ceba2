"""The command `verify`: proves what a node or a file says, without a node of one's own.

It opens no data folder and reads no setting; a stranger can run it. Addresses of this machine are asked only if the
person who calls named one. The exit code is the verdict: 0 proven, 1 refuted, 3 nobody could be reached; 2 is wrong
use, such as a file that is not there, and no verdict.
"""

import ipaddress
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

import node
from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms
from node.errors import Refused

if TYPE_CHECKING:
    from node.outbound import Outbound

_WRONG_USE = 2


def verify(
    target: Annotated[
        str, typer.Argument(metavar="URL|FILE", help="A node, a collection, a record; or a file of one.")
    ],
    against: Annotated[
        str, typer.Option("--against", metavar="FILE|URL", help="An older checkpoint that must be continued.")
    ] = "",
    key: Annotated[
        str, typer.Option("--key", metavar="VKEY", help="The collection's verifier key, noted before.")
    ] = "",
    identity: Annotated[
        str, typer.Option("--identity", metavar="FINGERPRINT", help="The city's fingerprint, learnt another way.")
    ] = "",
    statement: Annotated[
        str, typer.Option("--statement", metavar="FILE|URL", help="A copy of the city's entity statement.")
    ] = "",
    document: Annotated[
        str, typer.Option("--document", metavar="FILE", help="The record's document, for a proof in a file.")
    ] = "",
    witness: Annotated[
        list[str] | None, typer.Option("--witness", metavar="VKEY", help="A witness's verifier key; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
    data: DataOption = None,  # noqa: ARG001 (every command takes it; this one needs no data folder)
) -> None:
    """Prove a node's checkpoints, a collection or a record; exit 0 proven, 1 refuted, 2 wrong use, 3 unreachable."""
    from node.federation.verifier.verifier import Wish, is_url
    from node.federation.verifier.verifier import verify as verified

    outbound = way_to(*(given for given in (target, against, statement) if is_url(given)))
    wish = Wish(target, against, key, identity, statement, document, tuple(witness or ()))
    try:
        report = verified(wish, outbound=outbound, now_ms=now_ms())
    except Refused as problem:
        # Only what was asked for can be wrong here; whatever a node says is in the report.
        say.error(problem)
        raise typer.Exit(_WRONG_USE) from problem
    if as_json:
        say.document(report.document())
    else:
        say.lines(report.lines())
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def way_to(*named: str) -> "Outbound":
    """Give the way to addresses that somebody named on the command line, and to public ones; without a node."""
    from node.outbound import Outbound, origin_of

    return Outbound(
        loopback_allowed=any(map(_is_loopback, named)),
        private_origins=frozenset(map(origin_of, named)),
        user_agent=f"citynode/{node.__version__} verify",
    )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
