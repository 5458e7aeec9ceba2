"""Commands on evidence: what this city can show of data that moved; the bundle for others, and its verification.

`verify` opens no data folder, reads no setting and asks nobody: an auditor runs it on a machine that has never seen a
node. Its exit code is the verdict: 0 proven, 1 refuted, 3 not proven; 2 is wrong use, such as a file that is not there.
`erase` is for good: the entry stays and says nothing any more.
"""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Malformed, Refused
from node.federation.moved import StatementTold
from node.keys.public import moment
from node.staff.export import day_ms

app = typer.Typer(help="Evidence of data that moved: list, show, export, verify, erase.", no_args_is_help=True)
_WRONG_USE = 2

TransferOption = Annotated[str, typer.Option("--transfer", metavar="PID", help="Only of this transfer, by our id.")]
AgreementOption = Annotated[str, typer.Option("--agreement", metavar="IRI", help="Only under this agreement.")]
SinceOption = Annotated[str, typer.Option("--since", metavar="D", help="From this day on (YYYY-MM-DD, UTC).")]


@app.command("list")
def listed(
    transfer: TransferOption = "",
    agreement: AgreementOption = "",
    since: SinceOption = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what is stated, the newest first."""
    from_ms = _day_ms(since)
    with opened(data) as node:
        desk = node.federation.moving.evidencing.desk
        found = desk.statements(transfer=transfer, agreement=agreement, since_ms=from_ms, limit=limit)
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
    name: Annotated[str, typer.Argument(metavar="NAME", help="A statement's name, or our id of a transfer.")],
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
    transfer: TransferOption = "",
    agreement: AgreementOption = "",
    since: SinceOption = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; else it is printed.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Write a bundle that anybody can verify without a node: citynode evidence verify FILE."""
    from_ms = _day_ms(since)
    with opened(data) as node:
        desk = node.federation.moving.evidencing.desk
        body = desk.export(transfer=transfer, agreement=agreement, since_ms=from_ms)
    if out is None:
        say.raw(body.decode())
        return
    _write(out, body)
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
    """Prove a bundle: exit 0 proven, 1 refuted, 2 wrong use, 3 not proven. Needs no node, network or data folder."""
    from node.federation.evidence.verify import MAX_BYTES, pins_of
    from node.federation.evidence.verify import verify as verified

    try:
        trusted = pins_of(key or ())
        with file.open("rb") as opened_file:
            body = opened_file.read(MAX_BYTES + 1)
    except Malformed as problem:
        say.error(problem)
        raise typer.Exit(_WRONG_USE) from problem
    except OSError as problem:
        say.error(Refused(f"{file} cannot be read: {problem.strerror}."))
        raise typer.Exit(_WRONG_USE) from problem
    report = verified(body, trusted=trusted, now_ms=now_ms())
    if as_json:
        say.document(report.document())
    else:
        say.lines(report.lines())
    if report.exit_code:
        raise typer.Exit(report.exit_code)


@app.command()
def erase(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A statement's name, as list shows it.")],
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


def _day_ms(day: str) -> int:
    if not day:
        return 0
    try:
        return day_ms(day)
    except ValueError as error:
        raise Malformed(f"{day[:40]!r} is no day.", fix="Write YYYY-MM-DD.") from error


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


def _write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(body)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
