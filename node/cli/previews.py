"""Commands on looks inside files: what was seen in which file of our datasets, and doing the worker's round by hand.

The worker looks by itself; these show what it found and why it shows nothing, and look again where somebody knows that
a file is another now.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.cli.looking import look_now, say_looked
from node.errors import NotFound

app = typer.Typer(help="Looks inside files: rows, maps and pictures of what our datasets hold.", no_args_is_help=True)


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the files of our open datasets that are looked into, and what came of each."""
    with opened(data) as node:
        rows = [
            {
                "state": each.state,
                "looked": say.moment(each.checked_ms) if each.checked_ms else "",
                "file": each.url,
                "dataset": each.dataset,
                "detail": each.detail,
                "preview": each.file,
            }
            for each in node.knowledge.previews.looks.all()
        ]
    if as_json:
        say.document(rows)
        return
    columns = ("state", "looked", "file", "detail")
    say.table(columns, [[row[column] for column in columns] for row in rows])


@app.command()
def read(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Look into every file that is due now, as the worker would; may fetch much."""
    with opened(data) as node:
        previews = node.knowledge.previews
        looked = look_now(previews.keeper, previews.previewer.round, lambda: [e.state for e in previews.looks.all()])
    say_looked(looked, as_json, did="Looked into", none="No dataset names such a file.")


@app.command()
def again(
    dataset: Annotated[str, typer.Argument(metavar="IRI", help="The dataset.")],
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Have the files of a dataset looked into again at once, whether or not they say that they changed."""
    with opened(data) as node:
        count = node.knowledge.previews.previewer.again(dataset)
    if not count:
        raise NotFound(f"No file of {dataset} is looked into.", fix="`citynode previews list` names those that are.")
    if as_json:
        say.document({"dataset": dataset, "files": count})
        return
    say.line(f"{count} files are looked into next.")
