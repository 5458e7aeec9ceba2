"""`citynode sparql FILE`: a query put to this node's own triple stores, its answer on standard output.

For the operator on the host: asked of the engine itself and not through the web, so it works without a token, also over
the restricted store, and under the same bounds. The node has to run, since the engine is a process of its.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from node.catalog.graph.asking import GRAPHS, RESULTS, Dataset
from node.cli.common import DataOption, JsonOption, opened
from node.errors import Malformed, NotFound, TooLarge, Unavailable

_NOT_RUNNING = "The triple store is not running."


def sparql(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file with one query; - reads standard input.")],
    form: Annotated[
        str, typer.Option("--form", metavar="FORM", help=f"{', '.join(RESULTS)}; of graphs {', '.join(GRAPHS)}.")
    ] = "",
    restricted: Annotated[
        bool, typer.Option("--restricted", help="Ask the restricted store; its graphs are collections.")
    ] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Put a SPARQL query to this node: what is public, by default as a table of values (TSV) or as Turtle."""
    with opened(data) as node:
        asked = node.finding.sparql
        query = _read(file, asked.bounds.query_bytes)
        question = asked.read(query)
        forms = RESULTS if question.form in ("select", "ask") else GRAPHS
        usual = ("json", "tsv") if forms is RESULTS else ("jsonld", "ttl")
        chosen = form or (usual[0] if as_json else usual[1])
        if chosen not in forms:
            raise Malformed(f"{chosen!r} is no form of this answer.", fix=f"Write --form {'|'.join(forms)}.")
        store = "restricted" if restricted else "public"
        if asked.offered and not asked.runs(store):
            raise Unavailable(_NOT_RUNNING, fix="Start the node: citynode run")
        answer = asked.ask(store, query, question, Dataset(), media_type=forms[chosen])
    sys.stdout.flush()
    sys.stdout.buffer.write(answer.body if answer.body.endswith(b"\n") else answer.body + b"\n")
    sys.stdout.buffer.flush()


def _read(file: str, most: int) -> str:
    """Read a query of at most `most` bytes."""
    try:
        if file == "-":
            body = sys.stdin.buffer.read(most + 1)
        else:
            with Path(file).open("rb") as opened_file:
                body = opened_file.read(most + 1)
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.", fix="Name a file with a query, or - .") from error
    if len(body) > most:
        raise TooLarge(f"A query may have {most} bytes here.", fix="Ask in several queries.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(f"{file} is not in UTF-8.", fix="Save it as UTF-8.") from error
