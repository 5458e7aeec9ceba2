"""Commands on what this city's own words mean in the EU's tables: check the file, publish it, show what is in force.

The file is `mappings.csv` in the data folder, one match a line. What is published stands in the public collection
`vocabularies`; peers that follow it understand our themes, formats, licences and keywords as we do.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.errors import Malformed
from node.vocab.mappings import TABLES

app = typer.Typer(help="Vocabulary: what our own words mean in the EU's tables.", no_args_is_help=True)


@app.command()
def check(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Check the file of matches; say how many there are, and every line that cannot be used."""
    with opened(data) as node:
        vocabularies = node.finding.vocabularies
        try:
            matches = vocabularies.drafted()
        except Malformed as bad:
            if not bad.faults:
                raise
            for fault in bad.faults:
                say.note(fault)
            lines = f"{len(bad.faults)} line{'s' * (len(bad.faults) > 1)}"
            raise Malformed(f"{lines} of {vocabularies.file.name} cannot be used; see above.") from bad
        counts = {table: sum(1 for each in matches if each.table == table) for table in TABLES}
        if as_json:
            say.document({"file": str(vocabularies.file), "matches": counts})
            return
        if not matches:
            say.line(f"No matches in {vocabularies.file}; docs/vocabulary.md says how to write them")
            return
        say.table(("table", "matches"), list(counts.items()))


@app.command()
def publish(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Publish the matches as SKOS records, one for each table; what changed nothing writes nothing."""
    with opened(data) as node:
        found = node.finding.vocabularies.publish()
    if as_json:
        say.document(found)
        return
    for verb, records in (("Published", found.put), ("Withdrew", found.withdrawn)):
        say.lines(f"{verb} {record}" for record in records)
    if not found.put and not found.withdrawn:
        say.line("Nothing changed")


@app.command()
def show(
    city: Annotated[str, typer.Option("--city", metavar="NAME", help="Only this city's: a peer, or our own.")] = "",
    table: Annotated[str, typer.Option("--table", metavar="NAME", help="theme, format, licence or keyword.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Show the matches in force: ours as published, and those of the cities that we mirror."""
    if table and table not in TABLES:
        raise Malformed(f"There is no table {table[:40]!r}.", fix=f"The tables are {', '.join(TABLES)}.")
    with opened(data) as node:
        published = node.finding.vocabularies.published()
    rows = [
        {"city": name, "table": each.table, "value": each.value, "match": "exact" if each.exact else "close"}
        | {"code": each.code, "label": _label(each.table, each.code), "language": each.language}
        for name, matches in sorted(published.items())
        for each in matches
        if city in ("", name) and table in ("", each.table)
    ]
    if as_json:
        say.document(rows)
        return
    columns = ("city", "table", "value", "match", "code", "label")
    say.table(columns, [[row[column] for column in columns] for row in rows])


def _label(table: str, code: str) -> str:
    concept = TABLES[table].by_code(code)
    return concept.label("en") if concept else ""
