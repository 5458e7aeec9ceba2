"""The entry of the command `citynode`: its groups, and the one place where an error becomes an exit code.

Expected errors are one line on standard error, never a traceback; the branch an error is of decides the code, as
`node/errors.py` draws it. What is not expected keeps its traceback: that is a fault of ours.
"""

import os
import sys

import typer

from node.cli import (
    agreement_comments,
    agreement_grants,
    agreement_proofs,
    agreements,
    audit,
    authoring,
    catalog,
    collections,
    consent,
    corrections,
    data,
    database,
    drafts,
    evidence,
    exchange,
    harvest,
    importing,
    index,
    journal,
    keys,
    models,
    numbers,
    offers,
    operate,
    peers,
    previews,
    quality,
    recover,
    reports,
    say,
    search,
    sets,
    sources,
    sparql,
    staff,
    submissions,
    tables,
    tasks,
    today,
    tokens,
    twins,
    verify,
    vocabulary,
    witness,
)
from node.errors import Misconfigured, NodeError, Unavailable, needs_room
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
app.command()(numbers.numbers)
app.command()(today.today)
app.command(context_settings=search.DASHES)(search.search)
app.add_typer(collections.app, name="collections")
app.add_typer(data.app, name="data")
app.add_typer(consent.app, name="consent")
app.add_typer(sources.app, name="sources")
app.add_typer(harvest.app, name="harvest")
app.add_typer(catalog.app, name="catalog")
app.add_typer(journal.app, name="journal")
app.add_typer(peers.app, name="peers")
app.add_typer(offers.app, name="offers")
app.add_typer(agreements.app, name="agreements")
agreements.app.command()(agreement_grants.grant)
agreements.app.command()(agreement_comments.rewrite)
agreements.app.command()(agreement_proofs.export)
agreements.app.command()(agreement_proofs.verify)
agreements.app.add_typer(agreement_comments.app, name="comments")
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
app.add_typer(previews.app, name="previews")
app.add_typer(drafts.app, name="drafts")
app.add_typer(corrections.app, name="corrections")
app.add_typer(submissions.app, name="submissions")
app.add_typer(reports.app, name="reports")
app.add_typer(tokens.app, name="tokens")
app.add_typer(staff.app, name="staff")
app.add_typer(audit.app, name="audit")
app.add_typer(database.app, name="db")
app.add_typer(evidence.app, name="evidence")
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
        with needs_room():
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
