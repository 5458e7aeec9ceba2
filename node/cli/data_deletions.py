"""`citynode data deletions` and `deleted`: files fetched under agreements that are over, and the word on them.

The node says what lies where as far as it put it there; people delete it, with every copy and backup. What is said is
signed, stands in evidence, and is told to the city that gave the data.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.acts import user
from node.cli.asking import confirm
from node.cli.common import DataOption, JsonOption, now_ms, opened

if TYPE_CHECKING:
    from node.federation.moved import DeletionTold

_NONE = "Nothing has to be deleted; what is said to be gone: --ended."


def deletions(
    ended: Annotated[bool, typer.Option("--ended", help="Also what is said to be deleted.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what must be deleted since its agreement is over: here (in) and in other cities (out)."""
    with opened(data) as node:
        found = node.federation.moving.deletions.list(ended=ended)
    if as_json:
        say.document({"deletions": found})
        return
    heads = ("agreement", "way", "city", "title", "over", "delete before", "state", "where")
    say.table(heads, [_row(each) for each in found], none=_NONE)


def deleted(
    name: Annotated[str, typer.Argument(metavar="AGREEMENT", help="The beginning of its id, or its IRI.")],
    other_files: Annotated[
        bool, typer.Option("--other-files", help="What stands where it was put is something else by now.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Tell the other city that what was fetched under an agreement is deleted, copies and backups included.

    Nothing is deleted by this: it is the city's signed word that it was, refused while files stand where they were put.
    """
    with opened(data) as node:
        desk = node.federation.moving.deletions
        told = desk.named(name)
        if not told.said_ms:
            for each in told.fetched:
                say.note(f"Pull {each.number} put {each.got} bytes of {each.dataset} to {each.target}")
            if not other_files:
                desk.see_gone(told)
            confirm("Is all of it deleted, copies and backups included?", yes=yes)
        told = desk.deleted(told.agreement, by=user(), other_files=other_files)
        desk.round(now_ms())
        told = desk.named(told.agreement)
    if as_json:
        say.document(told)
        return
    how = "knows it" if told.told_ms else "is told as soon as it answers"
    say.line(f"It is stated that what {told.peer} gave under {told.agreement} is deleted; {told.peer} {how}.")


def _row(each: "DeletionTold") -> tuple[str, ...]:
    state = f"said gone {say.moment(each.said_ms)}" if each.said_ms else "open"
    where = ", ".join(dict.fromkeys(one.target for one in each.fetched))
    name = each.agreement.rpartition("/")[2][:8]
    over = f"{each.state} {say.moment(each.ended_ms)}"
    return (name, each.direction, each.peer, each.title, over, say.moment(each.due_ms), state, where)
