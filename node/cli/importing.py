"""Commands that bring records of other registers in, and write ours for others: `import` and `export` of each kind.

What a file says is read by a mapping: one that comes along (`--from`), one that the city wrote itself (`--mapping`), or
the one that knows the file best. The report tells what became of every record, and what of it found no place here.
"""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.authoring import GROUPS, CollectionOption, DryOption
from node.cli.common import DataOption, JsonOption, opened
from node.cli.plain_files import check_replaceable
from node.errors import Conflict, Malformed, NotFound, Refused
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import is_language
from node.vocab.kinds.field import KindTable, in_sentence

if TYPE_CHECKING:
    from node.catalog.author.import_files import Row
    from node.catalog.author.importing import Batch, Importer, Report
    from node.vocab.kinds.mapping import Mapping

FromOption = Annotated[str, typer.Option("--from", metavar="MAPPING", help="How to read it; else the one that fits.")]
MappingOption = Annotated[Path | None, typer.Option("--mapping", metavar="FILE", help="A mapping of your own.")]
_SHOWN = 10
# Between two collections of garbage. A register is one great heap that is used to the end; looking through it again
# after every 700 objects took a tenth of the time.
_OBJECTS = 50_000


def register() -> None:
    """Add `import` and `export` to the commands of each kind."""
    for kind, group in GROUPS.items():
        _add_import(group, TABLES[kind])
        _add_export(group, TABLES[kind])


def _add_import(group: typer.Typer, table: KindTable) -> None:
    @group.command("import", help=f"Publish {in_sentence(table.plural['en'])} from a file of another register.")
    def import_(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, CSV, Markdown, or a folder of them.")],
        start: FromOption = "",
        mapping: MappingOption = None,
        translated_from: Annotated[
            str, typer.Option("--translated-from", metavar="LANGUAGE", help="Other languages are a machine's, from it.")
        ] = "",
        publisher: Annotated[str, typer.Option("--publisher", help="Who answers for records that do not say.")] = "",
        drafts: Annotated[
            Path | None, typer.Option("--drafts", metavar="DIR", help="Write files to edit; publish nothing.")
        ] = None,
        collection: CollectionOption = "",
        dry_run: DryOption = False,
        as_json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        from node.catalog.author.importing import Importer, batch_of

        if translated_from and not is_language(translated_from):
            raise Malformed(f"{translated_from[:40]!r} is no language.", fix="Write a tag such as nl or fi.")
        gc.set_threshold(_OBJECTS)
        rows, declared = _read(table, file, start, mapping)
        with opened(data) as node:
            batch = batch_of(
                table, rows, declared, translated_from=translated_from, language=node.settings.languages[0]
            )
            importer = Importer(node.knowledge.authoring, table)
            if drafts is not None:
                _say_drafts(importer, batch, drafts, collection, table)
                return
            report = importer.run(batch, declared, publisher=publisher, collection=collection, dry_run=dry_run)
        if as_json:
            say.document(report.document())
        else:
            _say(report, table)
        if report.refused:
            raise Malformed(
                f"Not published: {len(report.refused)} of {report.read}.",
                fix="Mend them in the file, or write drafts: --drafts DIR",
            )


def _add_export(group: typer.Typer, table: KindTable) -> None:
    @group.command(help=f"Write our {in_sentence(table.plural['en'])} as another register has them, or as they are.")
    def export(
        to: Annotated[str, typer.Option("--to", metavar="MAPPING", help="As whom; else our own form.")] = "",
        mapping: MappingOption = None,
        form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="json or csv.")] = "json",
        language: Annotated[str, typer.Option("--language", help="Of the texts, where there are several.")] = "",
        collection: Annotated[
            str, typer.Option("--collection", metavar="NAME", help="Only of it, also restricted; else all public ones.")
        ] = "",
        out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Else standard output.")] = None,
        data: DataOption = None,
    ) -> None:
        from node.catalog.author.importing import OWN, Importer, mapping_of, text_of

        if form not in ("json", "csv"):
            raise Malformed(f"{form[:40]!r} is no format.", fix="Write json or csv.")
        if out is not None:
            check_replaceable(out)
        declared = _own_mapping(table, mapping) if mapping else mapping_of(table, [], name=to or OWN)
        with opened(data) as node:
            importer = Importer(node.knowledge.authoring, table)
            records, left = importer.export(declared, language=language, collection=collection)
        text = text_of(records, declared, form)
        if out is None:
            say.raw(text)
            _say_left(left)
            return
        try:
            with out.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        except FileExistsError as error:
            raise Conflict(f"{out} is there already.", fix="Choose another name, or take the file away.") from error
        except OSError as error:
            raise Refused(f"{out} cannot be written: {error.strerror}.") from error
        say.line(f"Wrote {len(records)} to {out}")
        _say_left(left)


def _say_left(left: int) -> None:
    if left:
        what = (
            "1 entry that not everyone may read was" if left == 1 else f"{left} entries that not everyone may read were"
        )
        say.note(f"{what} left out; to write them: --collection NAME")


def _read(table: KindTable, file: Path, start: str, mapping: Path | None) -> "tuple[list[Row], Mapping | None]":
    from node.catalog.author import import_files
    from node.catalog.author.importing import OWN, mapping_of
    from node.vocab.kinds.mapping import builtin

    if mapping is not None:
        declared = _own_mapping(table, mapping)
        return import_files.read(file, records=declared.records), declared
    records = builtin(start).records if start and start != OWN else "records"
    rows = import_files.read(file, records=records)
    return rows, mapping_of(table, rows, name=start)


def _own_mapping(table: KindTable, file: Path) -> "Mapping":
    from node.vocab.kinds.mapping import MAX_BYTES, read_mapping

    if file.exists() and not file.is_file():
        raise NotFound(f"{file} is no plain file.", fix="Name the file of the mapping.")
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(MAX_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"{file} cannot be read: {error}.") from error
    found = read_mapping(text, file=file.name)
    if found.table.kind != table.kind:
        fix = f"Give it to: citynode {found.table.command} import"
        raise Malformed(f"{file.name} is for {in_sentence(found.table.plural['en'])}.", fix=fix)
    return found


def _say_drafts(importer: "Importer", batch: "Batch", folder: Path, collection: str, table: KindTable) -> None:
    files = importer.draft(batch, folder, collection=collection)
    say.lines(str(each) for each in files)
    say.note(f"Edit them, then: citynode {table.command} publish --folder {folder}")


def _say(report: "Report", table: KindTable) -> None:
    would = "would be " if report.dry_run else ""
    records = "record" if report.read == 1 else "records"
    say.line(
        f"{report.read} {records} read as {report.mapping}: {len(report.new)} {would}new, {len(report.changed)}"
        f" {would}changed, {len(report.same)} the same, {len(report.refused)} refused"
    )
    if report.changed:
        say.line(f"{'Would change' if report.dry_run else 'Changed'}: {_some(report.changed)}")
    if report.merged:
        say.line(f"Languages of one thing, made one: {_some(report.merged)}")
    if report.skipped:
        say.line(f"Of another kind, passed over: {report.skipped}")
    say.lines(f"Stands there twice, the first was taken: {slug} ({', '.join(at)})" for slug, at in report.twice.items())
    say.lines(f"Perhaps the same: {one} and {other}" for one, other in report.alike)
    say.lines(f"Left out of {number}: {path} ({_WHY[why]})" for path, why, number in report.left)
    if report.warned:
        _say_missed(report, table)
    for each in report.refused:
        for problem in each.problems:
            say.note(f"{each.place}: error: {problem.message} ({problem.pointer}) [{problem.code}]")


def _say_missed(report: "Report", table: KindTable) -> None:
    say.line(f"A reader in another city will miss something in {report.warned}:")
    shown, rest = report.missed[:_SHOWN], report.missed[_SHOWN:]
    say.lines(f"  in {number}: {f'{path} ' if path else ''}[{code}]" for path, code, number in shown)
    if rest:
        say.line(f"  and {len(rest)} more: --json names all")
    say.note(f"To mend them as files: --drafts DIR, then citynode {table.command} lint --folder DIR")


_WHY = {
    "no-field": "no field for it",
    "unknown-word": "a word that no code has",
    "no-address": "no web address",
    "no-mail": "no mail address",
    "no-date": "no date",
    "no-number": "no number",
    "no-truth": "neither yes nor no",
    "no-text": "a bare yes or no",
    "shortened": "too long, shortened",
}


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
