"""The command `citynode today`: what waits for a person, why, what happens if nobody does anything, and the week.

The same sentences as on the desk's first page, in English. Reads the database alone, so it may run beside a node that
is served; the exit code is 0 whatever it says.
"""

from typing import Annotated

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened

Language = Annotated[str, typer.Option("--language", metavar="en|fi|sv", help="In which language it is said.")]


def today(language: Language = "en", as_json: JsonOption = False, data: DataOption = None) -> None:
    """Say what needs a person today, what runs, and how the week went."""
    from node.web.api.sources import today_json
    from node.web.wording import needs
    from node.web.wording.words import words

    with opened(data) as node:
        if as_json:
            say.document(today_json(node.today))
            return
        day = node.today.look()
    listed = [needs.told(need, language) for need in (*day.urgent, *day.soon)]
    if not listed:
        say.line(words(language, "today.nothing"))
    for one in listed:
        say.line(f"{'!' if one.urgent else '-'} {one.title}")
        say.line(f"  {one.text}")
        say.line(f"  {one.way}: {one.path}")
    for run in day.running:
        say.line(f"> {run.source}, run {run.id}: {run.state} {run.stage}".rstrip())
    for fact in day.week:
        say.line(f"  {needs.fact(fact, language)}")
