"""Commands on the authority tables: the EU's lists of themes, licences, formats … that give codes their labels.

The node ships compact tables of its own, so none of these is needed to run one. A newer official file is read once,
here, and kept in the data folder as a table of ours; every process takes it along at its next start.
"""

from pathlib import Path
from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, settings_of
from node.errors import NotFound

app = typer.Typer(help="Authority tables: labels of themes, licences, formats ...", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The official table as SKOS: .rdf, .ttl, .nt, .jsonld")],
    table: Annotated[str, typer.Option("--table", metavar="NAME", help="Which table; else told by its IRIs.")] = "",
    data: DataOption = None,
) -> None:
    """Read an official authority table and use its labels and new codes from the next start on."""
    from node.assembly import tables_folder
    from node.vocab import lists
    from node.vocab.official import load_official
    from node.vocab.tables import write

    settings = settings_of(data)
    wanted = [one for one in lists.TABLES if one.name == table] if table else list(lists.TABLES)
    if not wanted:
        raise NotFound(f"There is no table {table!r}.", fix="List them: citynode tables list")
    found = load_official(file)
    known = next((one for one in wanted if found.base.startswith(one.base) or one.base == found.base), None)
    if known is None:
        raise NotFound(f"No table of ours has IRIs that begin with {found.base}.", fix="Say which: --table NAME")
    official = load_official(file, base=known.base)
    version = official.concepts[0].facts.get("version", "")
    new = sum(1 for concept in official if concept.iri not in known)
    folder = tables_folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(folder / f"{known.name}.tsv", official.concepts, note=f"Imported from {file.name}, edition {version or '?'}.")
    say.line(f"Imported {len(official)} concepts into {known.name}, {new} of them new; used from the next start on")


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="theme, format, licence, or a name of citynode tables list")
    ],
    lang: Annotated[str, typer.Option("--lang", metavar="TAG", help="Language of the labels: en, fi or sv.")] = "en",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List the codes of a table and what they are called."""
    from node.assembly import tables_folder
    from node.vocab import lists, mappings

    lists.grow(tables_folder(settings_of(data)))
    known = {one.name: one for one in lists.TABLES} | dict(mappings.TABLES)
    if name not in known:
        raise NotFound(f"There is no table {name[:40]!r}.", fix="List them: citynode tables list")
    rows = [(concept.code, concept.label(lang), concept.iri) for concept in known[name]]
    if as_json:
        say.document([{"code": code, "label": label, "iri": iri} for code, label, iri in rows])
        return
    say.table(("code", "label"), [(code, label) for code, label, _ in rows])


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the authority tables, and which have a newer edition in the data folder."""
    from node.assembly import tables_folder
    from node.vocab import lists

    grown = set(lists.grow(tables_folder(settings_of(data))))
    rows = [
        {
            "name": one.name,
            "concepts": len(one),
            "base": one.base,
            "edition": "imported" if one.name in grown else "ours",
        }
        for one in lists.TABLES
    ]
    if as_json:
        say.document(rows)
        return
    say.table(
        ("name", "concepts", "edition", "base"), [(r["name"], r["concepts"], r["edition"], r["base"]) for r in rows]
    )
