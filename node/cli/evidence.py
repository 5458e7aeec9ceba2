"""Commands on evidence: what this city can show of data that moved; the bundle for others, and its verification.

`verify` opens no data folder, reads no setting and asks nobody: an auditor runs it on a machine that has never seen a
node. Its exit code is the verdict: 0 proven, 1 refuted, 3 not proven; 2 is wrong use, such as a file that is not there,
or is no bundle.
`erase` is for good: the entry stays and says nothing any more.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.cli.plain_files import WRONG_USE, open_plain, write_plain
from node.errors import Malformed, Refused
from node.federation.evidence.statements import TYPES, bound_ms
from node.federation.moved import StatementTold, StatementWish
from node.keys.public import moment

app = typer.Typer(help="Evidence of data that moved: list, show, export, verify, erase.", no_args_is_help=True)

_NAMED = "A statement's name or our id of a transfer, or the beginning of either."
TransferOption = Annotated[
    str, typer.Option("--transfer", metavar="PID", help="Only of this transfer, by our id or its beginning.")
]
AgreementOption = Annotated[
    str, typer.Option("--agreement", metavar="NAME", help="Only under this agreement: its IRI, or the end of it.")
]
KindOption = Annotated[str, typer.Option("--kind", metavar="KIND", help=f"Only of this kind: {', '.join(TYPES)}.")]
SinceOption = Annotated[
    str, typer.Option("--since", metavar="D", help="From this day on (YYYY-MM-DD, UTC), or this moment.")
]
UntilOption = Annotated[str, typer.Option("--until", metavar="D", help="Until this day or moment, with it.")]


@app.command("list")
def listed(
    transfer: TransferOption = "",
    agreement: AgreementOption = "",
    kind: KindOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what is stated, the newest first."""
    wish = _wish(transfer, agreement, kind, since, until)
    with opened(data) as node:
        found = node.federation.moving.evidencing.desk.statements(wish, limit=limit)
    if as_json:
        say.document([_json(each) for each in found])
        return
    rows = [
        (say.moment(each.at_ms), each.kind, say.short(each.peer, 40), say.short(each.dataset, 50), _name(each.record))
        for each in found
    ]
    say.table(("when", "kind", "with", "dataset", "name"), rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_NAMED)],
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Show one statement, and check it now as anybody could; exit 1 if it does not hold."""
    with opened(data) as node:
        desk = node.federation.moving.evidencing.desk
        found = desk.named(name)
        report = desk.report(found)
    if as_json:
        say.document({"record": found.record, "kind": found.kind, "statement": found.document, **report.document()})
    else:
        say.lines([f"{found.kind} {found.record}", *_told(found.document), *report.lines()])
    if report.exit_code:
        raise typer.Exit(report.exit_code)


@app.command()
def export(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help=f"Of these alone. {_NAMED}")] = None,
    transfer: TransferOption = "",
    agreement: AgreementOption = "",
    kind: KindOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    part: Annotated[
        int, typer.Option("--part", metavar="N", min=0, help="Which thousand, where one file does not hold all.")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to, also over a file; else it is printed.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Write a bundle that anybody can verify without a node: citynode evidence verify FILE."""
    wish = _wish(transfer, agreement, kind, since, until)
    if names and (part or wish != StatementWish()):
        raise typer.BadParameter("Name statements and transfers, or say which by options.")
    with opened(data) as node:
        body = node.federation.moving.evidencing.desk.export(wish, names=names or (), part=part)
    if out is None:
        say.raw(body.decode())
        return
    write_plain(out, body)
    say.line(f"Wrote {out}: {len(body)} bytes")
    say.line(f"Anybody can check it without a node: citynode evidence verify {out}")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What citynode evidence export wrote.")],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="CITY=FINGERPRINT", help="A city's fingerprint, learnt another way; repeatable."),
    ] = None,
    as_json: JsonOption = False,
    data: DataOption = None,  # noqa: ARG001 (every command takes it; this one needs no data folder)
) -> None:
    """Prove a bundle: exit 0 proven, 1 refuted, 2 wrong use, 3 not proven. Needs no node, network or data folder.

    What is no export of evidence, such as a picture or the export of an agreement, is wrong use.
    """
    from node.federation.evidence.verify import MAX_BYTES, pins_of
    from node.federation.evidence.verify import verify as verified

    try:
        trusted = pins_of(key or ())
        with open_plain(file) as opened_file:
            body = opened_file.read(MAX_BYTES + 1)
    except Malformed as problem:
        say.error(problem)
        raise typer.Exit(WRONG_USE) from problem
    except OSError as problem:
        fix = "Give what citynode evidence export writes."
        say.error(Refused(f"{file} cannot be read: {problem.strerror}.", fix=fix))
        raise typer.Exit(WRONG_USE) from problem
    report = verified(body, trusted=trusted, now_ms=now_ms())
    if as_json:
        say.document(report.document())
    else:
        say.lines(report.lines())
    if report.exit_code:
        raise typer.Exit(report.exit_code)


@app.command()
def erase(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A statement's whole name, as list shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; it cannot be undone.")] = False,
    data: DataOption = None,
) -> None:
    """Destroy one statement for good; its entry stays, so everything else still holds.

    The other city may have its own copy of a receipt, and what was exported before is out of reach.
    """
    if not yes:
        raise Refused(f"The statement {name[:80]} would be destroyed for good.", fix="If that is meant, say --yes.")
    with opened(data) as node:
        gone = node.federation.moving.evidencing.desk.erase(name)
    say.line(f"Erased: {gone} entries say nothing any more, and the journal still proves all others")


def _wish(transfer: str, agreement: str, kind: str, since: str, until: str) -> StatementWish:
    if kind and kind not in TYPES:
        raise Malformed(f"{kind[:40]!r} is no kind of evidence.", fix=f"There are {', '.join(TYPES)}.")
    return StatementWish(transfer, agreement, kind, bound_ms(since), bound_ms(until, is_end=True))


def _json(told: StatementTold) -> dict[str, object]:
    shown = {name: value for name, value in asdict(told).items() if name not in ("at_ms", "document")}
    return {**shown, "at": moment(told.at_ms), "statement": told.document}


def _name(record: str) -> str:
    return record.rpartition("/")[2]


def _told(document: dict[str, object]) -> list[str]:
    """Say the members of a statement that a person reads, one a line."""
    plain = [f"  {name}: {value}" for name, value in document.items() if isinstance(value, str) and name != "receipt"]
    parts = document.get("parts")
    rows = parts if isinstance(parts, list) else []
    return [
        *plain,
        *(f"  part {each['part']}: {each['bytes']} bytes, {each['digest'] or 'no digest'}" for each in rows),
    ]
