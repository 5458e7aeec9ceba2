"""`citynode consent`: who knows which residents agreed, and what follows when one of them takes consent back.

Only here may a consent source be a file of this machine, and only here is a resident's key written: read from the
command line or from standard input, kept in the consent file alone.
"""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Malformed

if TYPE_CHECKING:
    from node.federation.consent.withdrawals import Watched
    from node.federation.moved import ConsentTold

app = typer.Typer(help="Residents' consent: sources, and withdrawals of it.", no_args_is_help=True)
sources = typer.Typer(help="Consent sources: who is asked which residents agreed.", no_args_is_help=True)
app.add_typer(sources, name="sources")

NameArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="The consent source's name.")]


@sources.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What datasets call it: a-z, 0-9 and -.")],
    location: Annotated[
        str, typer.Argument(metavar="LOCATION", help="A file of consent records (.csv, .jsonl), or https://…")
    ],
    credential: Annotated[
        str, typer.Option("--credential", metavar="NAME", help="What the service is shown; see data credentials.")
    ] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Add a consent source, once it has answered a question."""
    with opened(data) as node:
        told = node.federation.moving.consenting.office.add(name, location, credential=credential, files=True)
    if as_json:
        say.document(told)
        return
    say.line(f"Added {told.name}: {told.kind} {told.location}")
    say.note(
        f"Let datasets rest on it: citynode data origins set DATASET --subject-column COLUMN --consent {told.name}"
    )


@sources.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the sources, and what was wrong when they were asked last."""
    with opened(data) as node:
        found = node.federation.moving.consenting.office.sources()
    if as_json:
        say.document({"sources": found})
        return
    rows = [
        (each.name, each.kind, each.location, say.moment(each.checked_ms) if each.checked_ms else "-", each.trouble)
        for each in found
    ]
    say.table(("source", "kind", "location", "asked", "trouble"), rows)


@sources.command("check")
def check(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Ask a source now; exits 1 if it cannot say who agreed."""
    with opened(data) as node:
        told = node.federation.moving.consenting.office.check(name)
    _said(told, as_json=as_json)
    if told.trouble:
        raise typer.Exit(1)


@sources.command()
def remove(name: NameArgument, data: DataOption = None) -> None:
    """Forget a source that no dataset rests on."""
    with opened(data) as node:
        node.federation.moving.consenting.office.remove(name)
    say.line(f"Forgot {name}.")


@app.command()
def withdraw(
    name: NameArgument,
    subjects: Annotated[
        list[str] | None, typer.Argument(metavar="SUBJECT…", help="The persons' keys; - reads them, one a line.")
    ] = None,
    dataset: Annotated[str, typer.Option("--dataset", metavar="IRI", help="From this dataset alone.")] = "",
    purpose: Annotated[str, typer.Option("--purpose", metavar="NAME", help="For this purpose alone.")] = "",
    recipient: Annotated[str, typer.Option("--recipient", metavar="URL", help="Towards this city alone.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Write into a consent file that persons take back consent, and tell the cities that hold their data."""
    keys = _keys(subjects or [])
    with opened(data) as node:
        office = node.federation.moving.consenting.office
        found = office.withdraw(name, keys, dataset=dataset, purpose=purpose, recipient=recipient)
        node.federation.moving.consenting.withdrawals.round(now_ms())
    if as_json:
        say.document(found)
    else:
        say.line(f"Written into {name}: {_counted(len(keys))}.")
        if found.unknown:
            which = "this key: is it" if len(keys) == 1 else f"{found.unknown} of these keys: are they"
            say.note(f"The source had never named {which} spelt as it stands there?")
        _watched(found)
    if found.troubles:
        raise typer.Exit(3)


@app.command()
def watch(
    name: Annotated[str, typer.Argument(metavar="[SOURCE]", help="This source alone.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Look now who has withdrawn, and let the cities that hold their data know; the worker does so every minute."""
    with opened(data) as node:
        found = node.federation.moving.consenting.office.watch(name)
        node.federation.moving.consenting.withdrawals.round(now_ms())
    if as_json:
        say.document(found)
    else:
        _watched(found)
    if found.troubles:
        raise typer.Exit(3)


def _keys(given: list[str]) -> list[str]:
    keys = [line.strip() for line in sys.stdin] if given == ["-"] else given
    keys = [key for key in keys if key]
    if not keys:
        raise Malformed("Nobody is named.", fix="Give keys, or - to read them from standard input.")
    return keys


def _said(told: "ConsentTold", *, as_json: bool) -> None:
    if as_json:
        say.document(told)
    else:
        trouble = told.trouble.removeprefix(f"{told.name}: ")
        say.line(f"{told.name}: {trouble or 'answers'}")


def _watched(found: "Watched") -> None:
    """Say whom it was told, or first of all why that cannot be known yet: then a count of none says nothing."""
    for name, trouble in sorted(found.troubles.items()):
        say.line(f"Which cities have to be told cannot be known yet. {name}: {trouble.removeprefix(f'{name}: ')}")
    if found.troubles:
        say.line("Have it mended: what is written stands, and the cities are told by themselves within a minute.")
    if found.told or not found.troubles:
        is_are = "is" if found.told == 1 else "are"
        say.line(f"{_counted(found.told)} {is_are} told to cities that hold the data.")


def _counted(count: int) -> str:
    return f"{count} withdrawal{'' if count == 1 else 's'}"
