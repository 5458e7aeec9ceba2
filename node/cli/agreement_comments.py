"""Comments on agreements from the command line, and drafts written anew: what the desk does, for scripts and terminals.

A comment is said by the person whose staff token is shown, else by the account of the host. It never leaves this node.
A draft says something else from the moment on; who approved it before has approved something that is gone.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.acts import user
from node.cli.agreement_words import print_thing, words_of
from node.cli.agreements import (
    FileOption,
    LangOption,
    NameArgument,
    ReviewOption,
    TitleOption,
    TokenFileOption,
    TokenOption,
    UntilOption,
    person_of,
)
from node.cli.common import DataOption, JsonOption, opened

app = typer.Typer(help="What our own people say about an agreement; no other city sees it.", no_args_is_help=True)


@app.command("list")
def list_(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the comments on a draft, a negotiation or an agreement, the oldest first."""
    with opened(data) as node:
        found = list(node.federation.agreeing.office.comments(name))
    _print(found, as_json=as_json)


@app.command()
def add(
    name: NameArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be said, in one or more lines.")],
    token: TokenOption = "",
    token_file: TokenFileOption = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Comment on a draft, a negotiation or an agreement."""
    with opened(data) as node:
        by = person_of(node, token, token_file, needed=False) or user()
        found = list(node.federation.agreeing.office.comment(name, text, by=by))
    _print(found, as_json=as_json)


@app.command()
def settle(
    name: NameArgument,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Which comment; see list.")],
    again: Annotated[bool, typer.Option("--open", help="Open it again instead.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Note that a comment is settled."""
    with opened(data) as node:
        found = list(node.federation.agreeing.office.settle(name, number, settled=not again))
    _print(found, as_json=as_json)


def rewrite(
    name: NameArgument,
    file: FileOption = None,
    title: TitleOption = "",
    until: UntilOption = "",
    review: ReviewOption = "",
    lang: LangOption = "en",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Let a draft say something else; what is not said anew stays, and who approved it has to read it again."""
    said = {"title": title, "until": until, "review": review}
    with opened(data) as node:
        office = node.federation.agreeing.office
        found = office.rewrite(name, words_of(office, "", None, file, name, lang, said))
    if as_json:
        say.document(found)
    else:
        print_thing(found)


def _print(found: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        say.document(found)
    elif found:
        rows = [
            (each["id"], each["at"], each["who"], "settled" if each["settled"] else "", each["said"]) for each in found
        ]
        say.table(("number", "at", "who", "", "comment"), rows)
    else:
        say.line("No comments.")
