"""The command `models inspect`, and the group that the commands on kept models join (`models_kept`).

Inspecting needs no node: a file here or at an address is read by the same child process that reads the models of a
harvest, and what it says of itself is printed. Addresses of this machine are asked only because the person who calls
named one. A model with errors is still described; only what is no model at all is refused.
"""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

import node
from node.cli import models_kept, say
from node.cli.common import DataOption, JsonOption, now_ms

if TYPE_CHECKING:
    from node.catalog.models.facts import ModelFacts

app = typer.Typer(help="3D city models: what a file says of itself, and the records of them.", no_args_is_help=True)
models_kept.register(app)

_SHOWN = 30
_FETCH_S = 600.0
_MIB = 1 << 20


@app.command()
def inspect(
    source: Annotated[
        str, typer.Argument(metavar="FILE|URL", help="CityJSON, CityJSONSeq, CityGML, tileset.json; or packed.")
    ],
    max_mib: Annotated[int, typer.Option("--max-mib", min=1, help="Fetch at most so much of a URL.")] = 1_000,
    as_json: JsonOption = False,
    data: DataOption = None,  # noqa: ARG001 (every command takes it; this one needs no data folder)
) -> None:
    """Say what a 3D city model holds: format, levels of detail, place, objects, and what is wrong with it."""
    from node.catalog.models.facts import facts_to_json
    from node.catalog.models.inspect import inspect_file

    is_url = urlsplit(source).scheme in ("http", "https")
    facts = _fetched(source, max_mib * _MIB) if is_url else inspect_file(Path(source))
    if as_json:
        say.document(facts_to_json(facts))
        return
    say.table(("what", "says"), [each for each in _rows(facts) if each[1]])
    for problem in facts.problems:
        times = f" ({problem.times} times)" if problem.times > 1 else ""
        say.line(f"{problem.level}: {problem.where}: {problem.message}{times} [{problem.code}]")


def _fetched(url: str, max_bytes: int) -> "ModelFacts":
    from node.catalog.models.fetching import Fetching
    from node.catalog.models.inspect import Limits
    from node.outbound import Outbound, origin_of

    outbound = Outbound(
        loopback_allowed=False,  # but for the origin that was named
        private_origins=frozenset({origin_of(url)}),
        user_agent=f"citynode/{node.__version__} models inspect",
    )
    with tempfile.TemporaryDirectory(prefix="citynode-models-") as folder:
        fetching = Fetching(
            outbound, Path(folder), max_bytes=max_bytes, deadline_s=_FETCH_S, limits=Limits(), clock_ms=now_ms
        )
        return fetching.read_new(url, stop=threading.Event())


def _rows(facts: "ModelFacts") -> Iterator[tuple[str, str]]:
    yield "format", f"{facts.format} {facts.version}".strip()
    yield "type", f"{facts.type} ({'objects with meanings' if facts.type == 'semantic' else 'surfaces alone'})"
    yield "title", facts.title
    yield "identifier", facts.identifier
    yield "date", facts.epoch
    yield "levels of detail", ", ".join(facts.lods)
    yield "reference system", f"{facts.crs_name} {facts.crs}".strip()
    yield "extent", " ".join(f"{each:.10g}" for each in facts.extent or ())
    yield "west south east north", " ".join(f"{each:.6f}" for each in facts.bbox or ())
    yield "heights", " to ".join(f"{each:.10g}" for each in facts.heights or ())
    # What a tile holds is a file: how many objects are in it, a tileset does not say.
    counted = "contents of tiles" if facts.format == "3D Tiles" else "objects"
    yield counted, f"{facts.objects} ({_counts(facts)})" if facts.objects else "0"
    yield "tiles", str(facts.tiles or "")
    yield "textures", str(facts.textures or "")
    yield "materials", str(facts.materials or "")
    yield "attributes", _named(facts.attributes)
    yield "extensions", _named(facts.extensions)
    yield "written by", facts.generator
    yield "size", f"{facts.bytes} bytes in {facts.files} files" if facts.files > 1 else f"{facts.bytes} bytes"
    yield "read", "whole" if facts.whole else "in part: counts are lower bounds"


def _counts(facts: "ModelFacts") -> str:
    return _named(tuple(f"{count} {kind}" for kind, count in facts.counts.items()))


def _named(names: tuple[str, ...]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
