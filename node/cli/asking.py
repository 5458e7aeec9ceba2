"""Asking whoever is at the terminal before something is said or done that a slip must not do.

Where nobody is there to be asked, it is refused, with the option that says it beforehand. Prints to standard error, so
that results can be piped; decides and changes nothing else. What is asked is what has no way back, and what takes many
published records away at once.
"""

import sys
from typing import Annotated

import typer

from node.errors import Refused

YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def confirm(question: str, *, yes: bool = False, fix: str = "Run it in a terminal, or say --yes.") -> None:
    """Ask; `yes` says that it was said beforehand. Raises Refused."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("Somebody has to agree to this.", fix=fix)
    if not typer.confirm(question, err=True):
        raise Refused("Nothing was changed.")
