"""Commands on drafts: what is being written at the desk, for who would rather not write in a browser.

A draft saved here is the one that the desk shows, and the other way round. Publishing, asking for a review, withdrawing
with a reason and taking up an older version do what the desk's buttons do.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import say
from node.cli.acts import user
from node.cli.asking import YesOption, confirm
from node.cli.common import DataOption, JsonOption, opened
from node.errors import Malformed, NotFound
from node.vocab.kinds import TABLES

if TYPE_CHECKING:
    from node.catalog.author.drafts import Draft

app = typer.Typer(help="Drafts of what this city writes: go on with them, publish them.", no_args_is_help=True)
MOST_BYTES = 512 * 1024
KindArgument = Annotated[str, typer.Argument(metavar="KIND", help=f"One of: {', '.join(TABLES)}.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the record's address ends in.")]


def described(file: Path) -> dict[str, Any]:
    """Read a description from a file of JSON or YAML, or from standard input. Raises Malformed, NotFound."""
    import yaml

    if str(file) == "-":
        text = sys.stdin.read(MOST_BYTES + 1)
    elif file.is_file():
        text = file.read_bytes()[: MOST_BYTES + 1].decode("utf-8", "replace")
    else:
        raise NotFound(f"There is no file {file}.", fix="Name a readable file, or - for standard input.")
    if len(text) > MOST_BYTES:
        raise Malformed(f"A description has at most {MOST_BYTES:,} bytes.")
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Malformed(f"{file} is neither JSON nor YAML.", fix="Mend it.") from error
    if not isinstance(said, dict):
        raise Malformed(f"{file} holds no fields.", fix="Write name: value.")
    return said


@app.command("list")
def list_(
    kind: Annotated[str, typer.Option("--kind", help="Of one kind.")] = "",
    state: Annotated[str, typer.Option("--state", help="draft, review or withdrawn.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List drafts, the last saved first."""
    with opened(data) as node:
        found = node.knowledge.drafts.list(kind, state=state)
    if as_json:
        say.document([_head(each) for each in found])
        return
    rows = [(one.kind, one.slug, one.state, one.version, one.who, say.moment(one.at_ms)) for one in found]
    say.table(("kind", "name", "state", "version", "by", "saved"), rows)


@app.command()
def show(kind: KindArgument, name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Show a draft, and what keeps it from being published."""
    with opened(data) as node:
        draft = node.knowledge.drafts.get(kind, name)
        problems = node.knowledge.drafts.check(kind, name, draft.said, collection=draft.collection)
    if as_json:
        say.document({**_head(draft), "said": draft.said, "problems": [vars_of(each) for each in problems]})
        return
    say.line(f"{draft.kind} {draft.slug}, {draft.state} {draft.version} by {draft.who}, {say.moment(draft.at_ms)}")
    for field, value in draft.said.items():
        say.line(f"  {field}: {value}")
    say.lines(f"{each.level}: {each.message} ({each.pointer})" for each in problems)


def vars_of(problem: Any) -> dict[str, str]:  # noqa: ANN401 (a Problem; its module is loaded late)
    """Write a problem for programs."""
    return {name: getattr(problem, name) for name in ("pointer", "code", "level", "message")}


@app.command()
def save(
    kind: KindArgument,
    name: NameArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The description, as JSON or YAML; - for input.")],
    collection: Annotated[str | None, typer.Option("--collection", help="Where it is to stand.")] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Save a description as the next version of a draft."""
    said = described(file)
    with opened(data) as node:
        draft = node.knowledge.drafts.save(kind, name, said, who=user(), collection=collection)
    _said(draft, f"Saved version {draft.version} of {kind} {name}", as_json=as_json)


@app.command()
def ask(
    kind: KindArgument,
    name: NameArgument,
    note: Annotated[str, typer.Option("--note", help="What somebody should look at.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Ask somebody else to read a draft."""
    with opened(data) as node:
        draft = node.knowledge.drafts.ask(kind, name, who=user(), note=note)
    _said(draft, f"{kind} {name} waits for a reader", as_json=as_json)


@app.command()
def publish(kind: KindArgument, name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """Publish a draft as it was saved."""
    with opened(data) as node:
        outcome = node.knowledge.drafts.publish(kind, name)
    problems = [each for _, many in outcome.refused for each in many if each.level == "error"]
    for each in problems:
        say.note(f"{each.message} ({each.pointer})")
    if problems:
        raise Malformed(f"{kind} {name} was not published.", fix=f"Mend it: citynode drafts show {kind} {name}")
    done = [*outcome.put, *outcome.unchanged]
    if as_json:
        say.document({"published": done})
    else:
        say.lines(f"Published {iri}" for iri in done)


@app.command()
def discard(
    kind: KindArgument, name: NameArgument, yes: YesOption = False, as_json: JsonOption = False, data: DataOption = None
) -> None:
    """Ask, and throw a draft away; what is published stays."""
    with opened(data) as node:
        version = node.knowledge.drafts.get(kind, name).version
        confirm(f"Throw version {version} of {kind} {name} away? Nothing keeps its text.", yes=yes)
        draft = node.knowledge.drafts.discard(kind, name)
    _said(draft, f"Threw the draft of {kind} {name} away", as_json=as_json)


@app.command()
def withdraw(
    kind: KindArgument,
    name: NameArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; needed.")],
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Withdraw a published record; its text stays as a draft, to be restored from."""
    with opened(data) as node:
        done = node.knowledge.drafts.withdraw(kind, name, who=user(), reason=reason)
    if as_json:
        say.document({"withdrawn": list(done.withdrawn)})
    else:
        say.lines(f"Withdrew {iri}" for iri in done.withdrawn)


@app.command()
def history(kind: KindArgument, name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
    """List what a record said before, the newest first."""
    from node.catalog.author.office import table_of

    with opened(data) as node:
        iri = node.knowledge.authoring.iri_of(table_of(kind).kind, name)
        versions = node.knowledge.histories.of(table_of(kind), iri)
    if as_json:
        say.document(
            [{"collection": one.collection, "seq": one.seq, "op": one.op, "said": one.said} for one in versions]
        )
        return
    rows = [(one.collection, one.seq, one.op, say.moment(one.at_ms), "" if one.said else "gone") for one in versions]
    say.table(("collection", "entry", "what", "at", "text"), rows)


@app.command()
def restore(
    kind: KindArgument,
    name: NameArgument,
    entry: Annotated[int, typer.Option("--entry", min=1, help="The entry, as history lists it.")],
    collection: Annotated[str, typer.Option("--collection", help="Its collection; else the kind's own.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Take an older version up again as a draft."""
    from node.catalog.author.office import table_of

    with opened(data) as node:
        table = table_of(kind)
        iri = node.knowledge.authoring.iri_of(table.kind, name)
        said = node.knowledge.histories.said(table, iri, collection or table.collection, entry)
        draft = node.knowledge.drafts.save(kind, name, said, who=user())
    _said(draft, f"Entry {entry} of {name} is a draft now; look at it, then publish it", as_json=as_json)


def _said(draft: "Draft", sentence: str, *, as_json: bool) -> None:
    if as_json:
        say.document(_head(draft))
    else:
        say.line(sentence)


def _head(draft: "Draft") -> dict[str, object]:
    names = ("kind", "slug", "state", "version", "who", "at_ms", "collection", "note")
    return {name: getattr(draft, name) for name in names}
