"""Commands on corrections: what this city sets right in records that its sources publish otherwise.

A correction is a JSON or YAML file, or standard input, with the fields that shall say something else; `show` writes the
fields there are and what the source says in them. It stands at every harvest until it is taken back.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import say
from node.cli.acts import user
from node.cli.common import DataOption, JsonOption, opened
from node.cli.drafts import described

if TYPE_CHECKING:
    from node.catalog.corrections import Sheet

app = typer.Typer(help="Set records of sources right, so that it survives every harvest.", no_args_is_help=True)
IriArgument = Annotated[str, typer.Argument(metavar="IRI", help="The record.")]


@app.command("list")
def list_(
    changed: Annotated[bool, typer.Option("--changed", help="Those whose source says something else by now.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List corrections, the last first."""
    with opened(data) as node:
        found = node.knowledge.corrections.list(changed=changed)
    if as_json:
        say.document([{"record": one.iri, "said": one.said, "source_says": one.now, "by": one.who} for one in found])
        return
    rows = [
        (one.iri, ", ".join(one.said), one.who, say.moment(one.at_ms), "changed" if one.changed_ms else "")
        for one in found
    ]
    say.table(("record", "fields", "by", "at", "source"), rows)


@app.command()
def show(iri: IriArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show what the source of a record says, and its correction."""
    with opened(data) as node:
        sheet = node.knowledge.corrections.show(iri)
    _told(sheet, as_json=as_json)


@app.command("set")
def set_(
    iri: IriArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What it shall say, as JSON or YAML; - to be asked.")],
    note: Annotated[str, typer.Option("--note", help="Why; for the desk alone.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Correct a record at once, and from now on at every harvest."""
    said = described(file)
    with opened(data) as node:
        sheet = node.knowledge.corrections.set(iri, said, who=user(), note=note)
    _told(sheet, as_json=as_json)


@app.command()
def remove(iri: IriArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Take a correction back: the record says again what its source says."""
    with opened(data) as node:
        sheet = node.knowledge.corrections.remove(iri)
    if sheet is not None:
        _told(sheet, as_json=as_json)
    elif as_json:
        say.document({"record": iri, "correction": None})


def _told(sheet: "Sheet", *, as_json: bool) -> None:
    fix = sheet.correction
    told: dict[str, Any] = {
        "record": sheet.held.iri,
        "source": sheet.source,
        "source_says": sheet.says,
        "correction": fix.said if fix else None,
    }
    if as_json:
        say.document(told)
        return
    say.line(f"{sheet.held.iri}  (source {sheet.source})")
    for name, value in sheet.says.items():
        say.line(f"  {name}: {value}")
    if fix is None:
        say.line("Nothing of it is corrected.")
        return
    say.line(f"Corrected by {fix.who}, {say.moment(fix.at_ms)}{f': {fix.note}' if fix.note else ''}")
    for name, value in fix.said.items():
        say.line(f"  {name}: {value}")
    if fix.changed_ms:
        say.note(f"Since {say.moment(fix.changed_ms)} the source says something else where it was corrected.")
