"""The entry of the command `citynode`: its groups, and the one place where an error becomes an exit code.

Expected errors are one line on standard error, never a traceback; the branch an error is of decides the code, as
`node/errors.py` draws it. What is not expected keeps its traceback: that is a fault of ours.
"""

import os
import sys

import typer

from node.cli import (
    agreement_grants,
    agreements,
    authoring,
    catalog,
    collections,
    database,
    exchange,
    harvest,
    importing,
    index,
    journal,
    keys,
    models,
    offers,
    operate,
    peers,
    quality,
    recover,
    say,
    search,
    sets,
    sources,
    sparql,
    submissions,
    tables,
    tasks,
    tokens,
    twins,
    verify,
    vocabulary,
    witness,
)
from node.errors import Misconfigured, NodeError, Unavailable
from node.vocab.kinds import TABLES

DONE, REFUSED, WRONG_USE, TRY_AGAIN, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="citynode",
    help="A city's portal in, a linked-data catalogue out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
operate.register(app)
keys.register(app)
recover.register(app)
app.command()(verify.verify)
app.command()(sparql.sparql)
app.command()(tasks.tasks)
app.command(context_settings=search.DASHES)(search.search)
app.add_typer(collections.app, name="collections")
app.add_typer(sources.app, name="sources")
app.add_typer(harvest.app, name="harvest")
app.add_typer(catalog.app, name="catalog")
app.add_typer(journal.app, name="journal")
app.add_typer(peers.app, name="peers")
app.add_typer(offers.app, name="offers")
app.add_typer(agreements.app, name="agreements")
agreements.app.command()(agreement_grants.grant)
app.add_typer(exchange.app, name="exchange")
app.add_typer(quality.app, name="quality")
app.add_typer(index.app, name="index")
app.add_typer(tables.app, name="tables")
app.add_typer(vocabulary.app, name="vocabulary")
app.add_typer(sets.app, name="sets")
for kind, group in authoring.GROUPS.items():
    app.add_typer(group, name=TABLES[kind].command)
twins.register()
importing.register()
app.add_typer(models.app, name="models")
app.add_typer(submissions.app, name="submissions")
app.add_typer(tokens.app, name="tokens")
app.add_typer(database.app, name="db")
app.add_typer(witness.app, name="witness")
app.add_typer(keys.app, name="keys")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, a pager) has enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code


def _run(arguments: list[str] | None) -> int:
    try:
        app(arguments, prog_name="citynode")
    except SystemExit as ended:
        return _code(ended)
    except NodeError as problem:
        say.error(problem)
        return exit_code(problem)
    except KeyboardInterrupt:
        say.note("citynode: interrupted")
        return INTERRUPTED
    return DONE


def exit_code(problem: NodeError) -> int:
    """Give the exit code of an error by its branch."""
    if isinstance(problem, Misconfigured):
        return WRONG_USE
    return TRY_AGAIN if isinstance(problem, Unavailable) else REFUSED


def _code(ended: SystemExit) -> int:
    if ended.code is None:
        return DONE
    return ended.code if isinstance(ended.code, int) else REFUSED
