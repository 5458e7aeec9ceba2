"""What only twin services can do among the groups of `authoring`: ask one what it speaks, and begin its file.

The group itself, with `new`, `lint`, `publish` and the rest, is made of the table of fields. Asks over the node's way
out, so what the node never fetches is not probed either.
"""

import threading
from pathlib import Path
from typing import Annotated

import typer

from node.cli import say
from node.cli.authoring import GROUPS, FolderOption, folder_of
from node.cli.common import DataOption, JsonOption, opened
from node.errors import Malformed
from node.vocab.kinds.data_service import STANDARDS, TABLE


def register() -> None:
    """Add these commands to the group `twins`."""
    GROUPS[TABLE.kind].command()(probe)


def probe(
    url: Annotated[str, typer.Argument(metavar="URL", help="The address of the service.")],
    write: Annotated[str, typer.Option("--write", metavar="NAME", help="Begin a file of that name.")] = "",
    folder: FolderOption = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Ask a service which standard it speaks: OGC API Features, WFS, SensorThings, NGSI-LD, STAC or 3D Tiles."""
    from node.catalog.twins import Prober

    with opened(data) as node:
        found = Prober(node.outbound, stop=threading.Event()).probe(url)
        path: Path | None = None
        if write and found.speaks:
            said = found.said(url, language=node.settings.languages[0])
            path = folder_of(node, TABLE, folder).write(write, said)
    if as_json:
        say.document({"url": url, "speaks": found.speaks, "tried": found.tried, "file": str(path or "")})
    else:
        for each in found.speaks:
            known = STANDARDS.by_code(each.standard)
            say.line(f"{known.label['en'] if known else each.standard} {each.version}  {each.endpoint}".rstrip())
    if not found.speaks:
        tried = "; ".join(f"{each.url}: {each.outcome}" for each in found.tried)
        raise Malformed(
            "None of the standards was recognised.",
            fix=f"Describe it by hand: citynode twins new NAME ({tried[:1500]})",
        )
    if path:
        say.note(f"Began {path}. Fill it in, then: citynode twins lint {write}")
    elif not as_json:
        say.note(f"Begin its file: citynode twins probe {url} --write NAME")
