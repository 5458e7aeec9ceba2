"""Commands on data origins: where the bytes of this city's datasets lie, which other cities may read under agreements.

Only here may an origin be a file or folder of this machine; the web takes addresses alone. `add` reads before it writes
anything down, `test` reads all of an origin now instead of when the worker comes by.
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from node.cli import say
from node.cli.acts import user
from node.cli.common import DataOption, JsonOption, opened
from node.errors import NodeError
from node.federation.moved import OriginTold, OriginWish
from node.federation.moving import Origins, Part

app = typer.Typer(help="Origins: where the data of our datasets lie.", no_args_is_help=True)

DatasetArgument = Annotated[
    str, typer.Argument(metavar="DATASET", help="The record's IRI, or the last part of its address here.")
]
PartOption = Annotated[
    str, typer.Option("--part", metavar="NAME", help="What the part is called; of a folder what its parts begin with.")
]
ColumnOption = Annotated[
    str, typer.Option("--subject-column", metavar="COLUMN", help="The column that says whom a row is about.")
]
_SHOWN = 20
ConsentOption = Annotated[str, typer.Option("--consent", metavar="SOURCE", help="The consent source that knows them.")]


@app.command()
def add(
    dataset: DatasetArgument,
    location: Annotated[
        str, typer.Argument(metavar="LOCATION", help="A file, a folder, https://… or s3://BUCKET/KEY (or …/FOLDER/).")
    ],
    part: PartOption = "",
    media_type: Annotated[str, typer.Option("--type", metavar="TYPE", help="Its media type, if not as it seems.")] = "",
    credential: Annotated[
        str, typer.Option("--credential", metavar="NAME", help="What the place is shown; see data credentials.")
    ] = "",
    personal: Annotated[bool, typer.Option("--personal", help="The dataset is about residents.")] = False,
    column: ColumnOption = "",
    consent: ConsentOption = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Register where data of a dataset lie; nobody may read them before an agreement says so."""
    wish = OriginWish(dataset, location, part, media_type, credential, personal, column, consent)
    with opened(data) as node:
        told = node.federation.moving.origin_parts.office.add(wish, by=user(), files=True)
    if as_json:
        say.document(told)
        return
    say.line(f"Registered {told.part or 'a folder'} of {told.dataset}: {told.kind} {told.location}")
    _note_left_out(told)
    needs = [option for option, said in (("--subject-column", told.column), ("--consent", told.consent)) if not said]
    if told.is_personal and needs:
        say.note(f"It is about residents: where their consent is the basis, also give {' and '.join(needs)}.")
    if personal or column or consent:
        _note_unfiltered(told)


@app.command("list")
def list_(
    dataset: Annotated[str, typer.Argument(metavar="[DATASET]", help="Of this dataset alone.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List where data lie, and what was wrong when they were read last."""
    with opened(data) as node:
        found = node.federation.moving.origin_parts.office.list(dataset)
    if as_json:
        say.document({"origins": found})
        return
    say.table(
        ("dataset", "part", "kind", "location", "credential", "residents", "trouble"),
        [
            (each.dataset, each.part, each.kind, each.location, each.credential, _residents(each), each.trouble)
            for each in found
        ],
        none="No data origin is registered yet: citynode data origins add DATASET LOCATION",
    )


@app.command("test")
def read(
    dataset: DatasetArgument,
    part: PartOption = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Read all of a dataset's origins now: reachable, whole, and what the record promises."""
    with opened(data) as node:
        office = node.federation.moving.origin_parts.office
        names = [each.part for each in office.list(dataset) if not part or each.part == part]
        found = [office.test(dataset, name, whole=True) for name in names or [part]]
        is_good = not any(each.trouble for each in found)
        parts = _parts(node.federation.moving.origins, found[0].dataset) if is_good else ()
    if as_json:
        say.document({"origins": found, "parts": parts})
    else:
        say.table(
            ("part", "type", "bytes", "digest"),
            [(each.name, each.media_type, "" if each.size is None else each.size, each.digest) for each in parts],
        )
        say.lines(f"{each.part or each.location}: {each.trouble}" for each in found if each.trouble)
        for each in found:
            _note_left_out(each)
    if any(each.trouble for each in found):
        raise typer.Exit(1)


def _parts(origins: Origins, dataset: str) -> Sequence[Part]:
    """Give the parts of a dataset. What is wrong with an origin that was not tested is said here with its place."""
    try:
        return origins.parts(dataset)
    except NodeError as error:
        if isinstance(error.__cause__, NodeError):
            raise error.__cause__ from None
        raise


@app.command("set")
def set_(
    dataset: DatasetArgument,
    part: PartOption = "",
    media_type: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Its media type.")] = None,
    credential: Annotated[
        str | None, typer.Option("--credential", metavar="NAME", help="What the place is shown; '' for nothing.")
    ] = None,
    personal: Annotated[
        bool | None, typer.Option("--personal/--not-personal", help="Whether the dataset is about residents.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--subject-column", metavar="COLUMN", help="The column that says whom a row is about.")
    ] = None,
    consent: Annotated[
        str | None, typer.Option("--consent", metavar="SOURCE", help="The consent source that knows them.")
    ] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Change an origin, or say of whom its dataset is; what is not named stays as it is."""
    from node.federation.data.origin_office import Changes

    with opened(data) as node:
        told = node.federation.moving.origin_parts.office.change(
            dataset, part, Changes(media_type, credential, personal, column, consent)
        )
    if as_json:
        say.document(told)
        return
    say.line(f"{told.part or 'the folder'} of {told.dataset}: {told.media_type or 'as it seems'}, {_residents(told)}")
    if personal or column or consent:
        _note_unfiltered(told)


@app.command()
def remove(dataset: DatasetArgument, part: PartOption = "", data: DataOption = None) -> None:
    """Forget an origin: nothing of it is handed out any more; the data stay where they are."""
    with opened(data) as node:
        node.federation.moving.origin_parts.office.remove(dataset, part)
    say.line(f"Removed {part or 'the folder'} of {dataset}")


def _note_left_out(told: OriginTold) -> None:
    """Say which files are no parts: nobody gets them, and nothing else would tell."""
    if told.left_out:
        shown = ", ".join(ascii(each)[1:-1] if not each.isprintable() else each for each in told.left_out[:_SHOWN])
        more = f" and {len(told.left_out) - _SHOWN} more" if len(told.left_out) > _SHOWN else ""
        say.note(
            f"Left out, since a part is named by letters a to z, digits and ._-/ alone: {shown}{more}."
            " Rename them, or register each by itself with --part."
        )


def _note_unfiltered(told: OriginTold) -> None:
    """Say who has all rows from before the dataset was marked: the mark takes nothing back, and people must act."""
    if not told.unfiltered:
        return
    say.note("Before it was marked, these cities got it with all its rows:")
    for each in told.unfiltered:
        last = f", last {say.moment(each.until_ms)}" if each.until_ms > each.since_ms else ""
        say.note(f"  {each.peer}, {say.moment(each.since_ms)}{last}, under {each.agreement}")
    each_is = "Each" if told.consent else "With --consent SOURCE each"
    say.note(
        f"{each_is} withdrawal is told to them, whoever it is of. For everybody else's rows: revoke that agreement, if"
        " a clause then obliges to delete (citynode agreements revoke), or ask the city to delete them."
    )


def _residents(told: OriginTold) -> str:
    if not told.is_personal:
        return "no"
    return " ".join(["yes", *([f"by {told.column}"] if told.column else []), *([told.consent] if told.consent else [])])
