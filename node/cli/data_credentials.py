"""Commands on the credentials that this city's own servers and stores ask for when its data are read from there.

A secret comes from a file or standard input, so that it stands in no history and no list of processes; it is sealed at
once and shown to nobody again, nor sent to any place but the one that it is for.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.errors import Malformed, NotFound

app = typer.Typer(help="Credentials: what the places of our data are shown.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What origins call it.")]
_MOST = 16_384


@app.command("set")
def set_(
    name: NameArgument,
    kind: Annotated[str, typer.Option("--kind", metavar="bearer|basic|header|s3", help="How it is shown.")],
    where: Annotated[str, typer.Option("--for", metavar="URL", help="The only place it is for; of s3 the endpoint.")],
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="The secret's file; standard input if left out.")
    ] = None,
    user: Annotated[str, typer.Option("--user", help="Of basic: the user's name.")] = "",
    header: Annotated[str, typer.Option("--header", help="Of header: its name, such as X-API-Key.")] = "",
    key_id: Annotated[str, typer.Option("--key-id", help="Of s3: the access key's id.")] = "",
    region: Annotated[str, typer.Option("--region", help="Of s3: the region; us-east-1 if left out.")] = "",
    addressing: Annotated[
        str,
        typer.Option(
            "--addressing",
            metavar="path|virtual",
            help="Of s3: https://HOST/BUCKET/KEY (path, if left out) or https://BUCKET.HOST/KEY.",
        ),
    ] = "",
    data: DataOption = None,
) -> None:
    """Write a credential; one of this name is replaced. The secret is read from a file or standard input."""
    secret = _secret(file)
    more = {"user": user, "header": header, "key_id": key_id, "region": region, "addressing": addressing}
    with opened(data) as node:
        told = node.federation.moving.origin_parts.office.set_credential(name, kind, where, secret, more)
    say.line(f"Set {told.name} ({told.kind}) for {told.where}")


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the credentials; what they are is never told."""
    with opened(data) as node:
        found = node.federation.moving.origin_parts.office.credentials()
    if as_json:
        say.document({"credentials": found})
        return
    say.table(
        ("name", "kind", "for", "since"),
        [(each.name, each.kind, each.where, say.moment(each.at_ms)) for each in found],
    )


@app.command()
def remove(name: NameArgument, data: DataOption = None) -> None:
    """Forget a credential that no origin needs."""
    with opened(data) as node:
        node.federation.moving.origin_parts.office.remove_credential(name)
    say.line(f"Removed {name}")


def _secret(file: Path | None) -> str:
    try:
        text = sys.stdin.read(_MOST) if file is None else file.read_text()[:_MOST]
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.", fix="Give a file with the secret alone.") from error
    except UnicodeDecodeError as error:
        raise Malformed("The secret is no text.", fix="Give one line of printable characters.") from error
    return text.strip()
