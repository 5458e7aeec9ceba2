"""What a command does stands in the audit trail: who of this host, which command, on what, and how it ended.

Every command that opens the node is written down but those that are known to read only; so a new one is written down
until somebody says here that it changes nothing. What the desk writes down is written down here too, such as a look at
another city or at a source of consent. Of what was typed only the first argument is kept, a name in nearly all of them:
options may hold what nobody should read.
"""

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from typer.main import get_current_context  # type: ignore[attr-defined]  # typer hides the click that it carries

from node.errors import NodeError

if TYPE_CHECKING:
    from node.staff.trail import Trail

# Commands that change nothing of the node, by their last word or in full.
READING = frozenset(
    """
    check diff erasures explain export history identity invite lint list new numbers proof refusals search show
    simulate sparql stats status suggest tasks templates today verify
    """.split()  # noqa: SIM905 (a list of words reads better as words)
)
READING_IN_FULL = frozenset({"data deletions", "quality fix", "staff sessions"})
# Those that do something although others of their last word read.
WRITING = frozenset({"audit export", "consent sources check"})
_MOST_TARGET = 200


@contextmanager
def noted(trail: "Trail") -> Iterator[None]:
    """Write down the command that runs, around its work; nothing if it only reads, or if this is no command.

    The tables must be those of this program (`Database.check_revision`), since what runs is written down first.
    """
    said = _command()
    if said is None or _reads(said[0]):
        yield
        return
    number = trail.begin(who=user(), way="command", source=socket.gethostname(), act=said[0], target=said[1])
    outcome = "failed"
    try:
        yield
        outcome = "done"
    except NodeError as error:
        outcome = f"refused {error.code}"
        raise
    except KeyboardInterrupt:
        outcome = "refused interrupted"
        raise
    except typer.Exit as ended:
        outcome = "refused" if ended.exit_code else "done"
        raise
    finally:
        trail.end(number, outcome)


def _reads(command: str) -> bool:
    last = command.rpartition(" ")[2]
    return command not in WRITING and (last in READING or command in READING_IN_FULL)


def _command() -> tuple[str, str] | None:
    """Give the command that runs and its first argument."""
    context = get_current_context(silent=True)
    if context is None:
        return None
    path = context.command_path.partition(" ")[2]
    arguments = [each.name for each in context.command.params if each.param_type_name == "argument" and each.name]
    value = context.params.get(arguments[0]) if arguments else ""
    words = value if isinstance(value, (list, tuple)) else [value]
    return path, " ".join(str(word) for word in words if word is not None)[:_MOST_TARGET]


def user() -> str:
    """Name the account of the host; by its number, which no variable of the environment can change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
