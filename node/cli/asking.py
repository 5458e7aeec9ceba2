"""Asking whoever is at the terminal before something is said or done that a slip must not do.

Where nobody is there to be asked, it is refused, with the option that says it beforehand. Prints to standard error, so
that results can be piped; decides and changes nothing else.
"""

import sys

import typer

from node.errors import Refused


def confirm(question: str, *, yes: bool = False, fix: str = "Run it in a terminal, or say --yes.") -> None:
    """Ask; `yes` says that it was said beforehand. Raises Refused."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("Somebody has to agree to this.", fix=fix)
    if not typer.confirm(question, err=True):
        raise Refused("Nothing was changed.")
