"""Commands on what this city writes itself: one group for each kind of knowledge, all of them alike.

Files in a folder are the drafts: `new` writes one, `lint` says what to mend and what a reader elsewhere will miss,
`publish` puts it into the journal, `watch` does so at every save. Groups are made from the tables of kinds, so a new
kind has its commands at once; other modules add to `GROUPS` what one kind alone can do.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Conflict, Malformed, NotFound
from node.vocab.kinds import TABLES
from node.vocab.kinds.checking import Problem
from node.vocab.kinds.field import KindTable, in_sentence
from node.vocab.kinds.naming import free, name_for

if TYPE_CHECKING:
    from node.assembly import Node
    from node.catalog.author.folder import Folder
    from node.catalog.author.office import Judged, Outcome, Written
    from node.catalog.author.watch import Event, Watch
    from node.catalog.shelf import Held

_MOST_LINES = 40
"""How many warnings lint writes out before it counts them instead."""
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9 and -; ends the record's address.")]
NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME|FILE]...", help="Names or files; all of the folder if none.")
]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="Where the files are; else a folder of the data folder.")
]
CollectionOption = Annotated[
    str, typer.Option("--collection", metavar="NAME", help="Where to publish; else as the file says.")
]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen and publish nothing.")]


def group(kind: str) -> typer.Typer:
    """Make the commands of a kind."""
    table = TABLES[kind]
    made = typer.Typer(help=f"{table.plural['en']}: {table.about['en']}", no_args_is_help=True)
    for add in (_add_new, _add_edit, _add_lint, _add_publish, _add_withdraw, _add_list, _add_show, _add_watch):
        add(made, table)
    return made


def folder_of(node: "Node", table: KindTable, folder: Path | None) -> "Folder":
    """Give the folder of a kind: the one that was named, else that of the data folder."""
    from node.catalog.author.folder import Folder

    settings = node.settings
    first, *others = settings.languages
    return Folder(folder or settings.data / table.command, table, first, others)


def _add_new(made: typer.Typer, table: KindTable) -> None:
    @made.command(help=f"Write the file of a new {in_sentence(table.title['en'])}, to be filled in.")
    def new(
        name: Annotated[
            str, typer.Argument(metavar="[NAME]", help="a-z, 0-9 and -; ends the record's address. Else of the title.")
        ] = "",
        title: Annotated[str, typer.Option("--title", help="What people read.")] = "",
        language: Annotated[
            str, typer.Option("--lang", metavar="TAG", help="What it is written in; else the node's first language.")
        ] = "",
        folder: FolderOption = None,
        data: DataOption = None,
    ) -> None:
        today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
        with opened(data) as node:
            # A year ahead; the 28th is in every month.
            review = today.replace(year=today.year + 1, day=min(today.day, 28)).isoformat()
            place = folder_of(node, table, folder)
            name = name or _name_of_title(node, table, place, title)
            if node.knowledge.authoring.find(table.kind, name):
                fix = f"Write its file: citynode {table.command} edit {name}"
                raise Conflict(f"{name[:80]} is published already.", fix=fix)
            path = place.new(name, title=title, review=review, language=language)
        say.line(str(path))
        say.note(f"It is written in {language or place.language}; --lang TAG begins one in another language.")
        say.note(f"Fill it in, then: citynode {table.command} lint {name}")


def _name_of_title(node: "Node", table: KindTable, place: "Folder", title: str) -> str:
    """Make a name of a title, in any script, that no record, draft or file has. Raises Malformed."""
    if not any(each.isalnum() for each in title):
        raise Malformed("A name is missing.", fix=f"citynode {table.command} new NAME, or new --title TITLE")
    files = set(place.names()) if place.path.is_dir() else set()

    def is_taken(name: str) -> bool:
        known = node.knowledge
        return bool(name in files or known.authoring.find(table.kind, name) or known.drafts.find(table.kind, name))

    return free(name_for(title, table.kind), is_taken)


def _add_edit(made: typer.Typer, table: KindTable) -> None:
    @made.command(help="Write the file of what is published, also of what came by an import or a submission.")
    def edit(name: NameArgument, folder: FolderOption = None, data: DataOption = None) -> None:
        with opened(data) as node:
            held = _published(node, table, name)
            collection = "" if held.collection == table.collection else held.collection
            said = node.knowledge.authoring.draft(held)
            path = folder_of(node, table, folder).write(name, said, collection=collection)
        say.line(str(path))
        say.note(f"Edit it, then: citynode {table.command} publish {name}")


def _published(node: "Node", table: KindTable, name: str) -> "Held":
    held = node.knowledge.authoring.find(table.kind, name)
    if held is None:
        raise NotFound(f"No {in_sentence(table.title['en'])} {name[:80]} of ours is published.")
    return held


def _add_lint(made: typer.Typer, table: KindTable) -> None:
    @made.command(help="Say what keeps files from being published, and what a reader in another city will miss.")
    def lint(
        names: NamesArgument = None,
        collection: CollectionOption = "",
        links: Annotated[bool, typer.Option("--links", help="Also try every link, which takes its time.")] = False,
        everything: Annotated[bool, typer.Option("--all", help="Write every warning out, however many.")] = False,
        folder: FolderOption = None,
        as_json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        with opened(data) as node:
            files = _written(node, table, names or []) if folder is None else _files(node, table, folder, names or [])
            outcome = node.knowledge.authoring.publish(
                table.kind, files, collection=collection, dry_run=True, strict=False
            )
            outcome = _with_dead_links(node, table, files, outcome) if links else outcome
        if as_json:
            say.document([_document(name, each) for name, found in _all(outcome) for each in found])
        else:
            _say_lint(table, files, outcome, everything=everything or bool(names))
        _end(outcome, "With these errors nothing can be published: {}.")


def _say_lint(table: KindTable, files: "Sequence[Written]", outcome: "Outcome", *, everything: bool) -> None:
    """Write every error out, and every warning unless there are so many that they are better counted."""
    levels = Counter(each.level for _, found in _all(outcome) for each in found)
    counted = levels["warning"] > _MOST_LINES and not everything
    say.lines(_told(outcome, ("error",) if counted else ("error", "warning")))
    if counted:
        say.table(("warnings", "code", "field", "such as"), list(_by_code(outcome)))
        say.note(f"Each of the warnings: citynode {table.command} lint --all, or lint NAME")
    what = " and ".join(
        f"{levels[each]} {each}{'' if levels[each] == 1 else 's'}" for each in ("error", "warning") if levels[each]
    )
    many = f"{len(files)} {in_sentence((table.title if len(files) == 1 else table.plural)['en'])}"
    say.note(f"{what} in {sum(1 for _ in _all(outcome))} of {many}." if what else f"Nothing to mend in {many}.")


def _by_code(outcome: "Outcome") -> "Iterator[tuple[object, ...]]":
    """Count the warnings by what they say of which field, the most frequent first."""
    first: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for name, problem in ((name, each) for name, found in _all(outcome) for each in found):
        if problem.level == "warning":
            key = problem.code, ".".join(step for step in problem.pointer.split("/")[1:] if not step.isdigit())
            counts[key] += 1
            first.setdefault(key, name)
    yield from ((count, code, field, first[code, field]) for (code, field), count in counts.most_common())


def _with_dead_links(node: "Node", table: KindTable, files: "list[Written]", outcome: "Outcome") -> "Outcome":
    from node.catalog.author import dead

    language = node.settings.languages[0]
    found = {each.slug: dead.links(table, each, language, node.outbound) for each in files}
    # Who was judged already is judged once, with these links too.
    refused = tuple((name, (*said, *found.pop(name, ()))) for name, said in outcome.refused)
    warned = tuple((name, (*said, *found.pop(name, ()))) for name, said in outcome.warned)
    return replace(outcome, refused=refused, warned=(*warned, *(each for each in found.items() if each[1])))


def _add_publish(made: typer.Typer, table: KindTable) -> None:
    @made.command(help="Publish files as they are; all of them, or none if one has an error.")
    def publish(
        names: NamesArgument = None,
        collection: CollectionOption = "",
        dry_run: DryOption = False,
        folder: FolderOption = None,
        as_json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        with opened(data) as node:
            files = _files(node, table, folder, names or [])
            outcome = node.knowledge.authoring.publish(table.kind, files, collection=collection, dry_run=dry_run)
        if as_json:
            say.document(
                {
                    "put": outcome.put,
                    "unchanged": outcome.unchanged,
                    "problems": [_document(name, each) for name, found in _all(outcome) for each in found],
                }
            )
        else:
            for text in _told(outcome, ("error",)):
                say.note(text)
            _note_warnings(table, outcome)
            did = "Would publish" if dry_run else "Published"
            say.lines(f"{did} {iri}" for iri in outcome.put)
            say.lines(f"Unchanged {iri}" for iri in outcome.unchanged)
        _end(outcome, "Nothing was published; mend first: {}.")


def _add_withdraw(made: typer.Typer, table: KindTable) -> None:
    @made.command(help="Withdraw what is published; its file stays.")
    def withdraw(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
        with opened(data) as node:
            done = node.knowledge.authoring.withdraw(table.kind, name)
        if as_json:
            say.document(done)
        else:
            say.lines(f"Withdrew {iri}" for iri in done.withdrawn)


def _add_list(made: typer.Typer, table: KindTable) -> None:
    @made.command("list", help="List what is written and what is published, with what differs.")
    def list_(folder: FolderOption = None, as_json: JsonOption = False, data: DataOption = None) -> None:
        with opened(data) as node:
            rows = list(_rows(node, table, folder_of(node, table, folder)))
        if as_json:
            say.document(rows)
            return
        columns = ("name", "state", "collection", "title", "record")
        say.table(
            columns,
            [[say.short(row[column]) if column == "title" else row[column] for column in columns] for row in rows],
        )


def _rows(node: "Node", table: KindTable, folder: "Folder") -> Iterator[dict[str, str]]:
    office = node.knowledge.authoring
    held = {each.slug: each for each in office.own(table.kind)}
    written = {each.slug: each for each in folder.everything()} if folder.path.is_dir() else {}
    outcome = office.publish(table.kind, list(written.values()), dry_run=True, strict=False)
    refused, put = {name for name, _ in outcome.refused}, set(outcome.put)
    for name in sorted(held.keys() | written.keys()):
        here = held.get(name)
        iri = office.iri_of(table.kind, name)
        said = written[name].said if name in written else office.said(here) if here else {}
        changed = name in refused or iri in put
        state = ("changed" if changed and name in written else "published") if here else "draft"
        yield {
            "name": name,
            "state": state + (", with errors" if name in refused else ""),
            "collection": here.collection if here else "",
            "title": _title(said, node.settings.languages),
            "record": iri if here else "",
        }


def _title(said: object, languages: Sequence[str]) -> str:
    texts = said.get("title") if isinstance(said, dict) else None
    if not isinstance(texts, dict):
        return ""
    return str(next((texts[each] for each in languages if each in texts), next(iter(texts.values()), "")))


def _add_show(made: typer.Typer, table: KindTable) -> None:
    @made.command(help="Show what is published.")
    def show(name: NameArgument, as_json: JsonOption = False, data: DataOption = None) -> None:
        with opened(data) as node:
            held = _published(node, table, name)
            said = node.knowledge.authoring.said(held)
        if as_json:
            say.document({"record": held.iri, "collection": held.collection, "digest": held.digest, "said": said})
            return
        say.line(f"{held.iri}  ({held.collection}, {say.moment(held.at_ms)})")
        for field in table.fields:
            if field.name in said:
                say.line(f"{field.label['en']}:")
                say.lines(f"    {text}" for text in _shown(said[field.name]))


def _shown(value: object) -> Iterator[str]:
    """Write a value as lines: texts with their language, groups as `key: value`."""
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, dict | list):
                yield f"{key}:"
                yield from (f"    {line}" for line in _shown(each))
            else:
                first, *rest = str(each).split("\n")
                yield f"{key}: {first}"
                yield from (f"    {line}" for line in rest)
    elif isinstance(value, list):
        for each in value:
            yield from _shown(each)
    else:
        yield str(value)


def _add_watch(made: typer.Typer, table: KindTable) -> None:
    @made.command(help="Publish files whenever they are saved and have no error, until Ctrl-C.")
    def watch(
        collection: CollectionOption = "",
        every: Annotated[float, typer.Option("--every", metavar="SECONDS", min=0.05, help="How often to look.")] = 1.0,
        folder: FolderOption = None,
        data: DataOption = None,
    ) -> None:
        from node.catalog.author.watch import Watch

        with opened(data) as node:
            place = folder_of(node, table, folder)
            say.note(f"Watching {place.path}; Ctrl-C ends it.")
            keep_watching(Watch(place, node.knowledge.authoring, collection=collection), every, time.sleep)


def keep_watching(watch: "Watch", every: float, sleep: Callable[[float], None]) -> None:
    """Look again and again, and tell what happened; ends when `sleep` does, by Ctrl-C."""
    while True:
        for event in watch.round():
            say.lines(_heard(event))
        sleep(every)


_HEARD = {
    "published": "published",
    "unchanged": "unchanged",
    "refused": "not published",
    "gone": "its file is gone; the record stays until it is withdrawn",
}


def _heard(event: "Event") -> Iterator[str]:
    yield f"{event.name}: {_HEARD[event.what]}"
    yield from (f"    {_line(event.name, each)}" for each in event.problems)


# ---------------------------------------------------------------- files and problems


def _files(node: "Node", table: KindTable, folder: Path | None, names: Sequence[str]) -> "list[Written]":
    """Read what was named: names in the folder, files anywhere; everything in the folder if nothing was."""
    place = folder_of(node, table, folder)
    if not names:
        found = place.everything()
        if not found:
            raise NotFound(f"There is nothing in {place.path}.", fix=f"Begin: citynode {table.command} new NAME")
        return found
    return [_file(place, name) for name in dict.fromkeys(names)]


def _written(node: "Node", table: KindTable, names: Sequence[str]) -> "list[Written]":
    """Read what was named, or everything in the folder, and what is published and has no file there."""
    from node.catalog.author.office import Written

    office, place = node.knowledge.authoring, folder_of(node, table, None)
    files = {each.slug: each for each in place.everything()} if place.path.is_dir() and not names else {}
    taken = set(place.names()) if place.path.is_dir() else set()
    own = {each.slug: each for each in office.own(table.kind)}
    if not names and not files and not own:
        return _files(node, table, None, ())
    found = []
    for name in dict.fromkeys(names) or sorted(files.keys() | own.keys()):
        held = own.get(name)
        if name in files:
            found.append(files[name])
        elif held is not None and name not in taken:
            found.append(Written(name, office.said(held)))
        else:
            found.append(_file(place, name))
    return found


def _file(place: "Folder", name: str) -> "Written":
    from node.catalog.author.folder import Folder

    path = Path(name)
    if path.suffix or len(path.parts) > 1:
        return Folder(path.parent, place.table, place.language).read(path.name.partition(".")[0])
    return place.read(name)


def _all(outcome: "Outcome") -> "Iterator[Judged]":
    yield from sorted((*outcome.refused, *outcome.warned), key=lambda judged: judged[0])


def _told(outcome: "Outcome", levels: Sequence[str] = ("error", "warning")) -> Iterator[str]:
    for name, problems in _all(outcome):
        yield from (_line(name, each) for each in problems if each.level in levels)


def _note_warnings(table: KindTable, outcome: "Outcome") -> None:
    """Say how much lint would say; the warnings themselves are not in the way of a publication."""
    warned = [name for name, problems in _all(outcome) if any(each.level == "warning" for each in problems)]
    if warned:
        named = warned[0] if len(warned) == 1 else ""
        say.note(f"A reader elsewhere will miss something: citynode {table.command} lint {named}".rstrip())


def _line(name: str, problem: Problem) -> str:
    """Write a problem as compilers do: where, how grave, what to do."""
    file = _near(problem.file) if problem.file else name
    place = f"{file}:{problem.line}" if problem.line else file
    at = f" ({problem.pointer})" if problem.pointer else ""
    return f"{place}: {problem.level}: {problem.message}{at} [{problem.code}]"


def _near(file: str) -> str:
    """Name a file from where the command was given, if that is shorter."""
    try:
        return min(os.path.relpath(file), file, key=len)
    except ValueError:  # another drive
        return file


def _document(name: str, problem: Problem) -> dict[str, object]:
    return {
        "name": name,
        "file": problem.file,
        "line": problem.line,
        "pointer": problem.pointer,
        "level": problem.level,
        "code": problem.code,
        "message": problem.message,
    }


def _end(outcome: "Outcome", sentence: str) -> None:
    """End with exit code 1 where there are errors."""
    if outcome.refused:
        named = ", ".join(name for name, _ in outcome.refused[:5])
        more = f" and {len(outcome.refused) - 5} more" if len(outcome.refused) > 5 else ""
        raise Malformed(sentence.format(named + more))


GROUPS: dict[str, typer.Typer] = {kind: group(kind) for kind in TABLES if kind != "city-model"}
"""The groups by kind. City models are read from their files, so their commands are others: `node.cli.models`."""
