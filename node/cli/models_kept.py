"""Commands on the city models that this node keeps records of: list them, publish one by hand, look again, take back.

Models of our own open datasets are found and read by the worker; these commands show what it found, do what no dataset
tells (a file on this machine, a dataset of a restricted collection), and do its round where no worker runs.
"""

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.cli.looking import look_now, say_looked
from node.errors import Malformed, NotFound
from node.vocab.kinds.checking import is_link

if TYPE_CHECKING:
    from node.assembly import Node
    from node.catalog.models.facts import ModelFacts
    from node.catalog.models.telling import Dataset

KIND = "city-model"
_IN = re.compile(r"(.+)@([a-z]{2,3})\Z", re.DOTALL)
_TEAM = re.compile(r"([^<>]*)<([^<>]+)>\s*\Z")
# What of a warning a person can mend with an option of `publish`.
_AT = {
    "/about": "--dataset",
    "/contact": "--contact",
    "/epoch": "--date",
    "/file": "--url",
    "/license": "--licence",
    "/title": "--title",
}


def register(app: typer.Typer) -> None:
    """Add these commands to the group `models`."""
    app.command("list")(list_)
    app.command()(read)
    app.command()(publish)
    app.command()(withdraw)


def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List the files of our datasets that may be models, what became of each, and models published by hand."""
    with opened(data) as node:
        known = {each.slug: each for each in node.knowledge.models.inspections.all()}
        held = {each.slug: each for each in node.knowledge.authoring.own(KIND)}
        by_hand = {slug: node.knowledge.authoring.said(each) for slug, each in held.items() if slug not in known}
        rows = [
            {
                "name": slug,
                "state": known[slug].state if slug in known else "by hand",
                "detail": known[slug].detail if slug in known else "",
                "file": known[slug].url if slug in known else by_hand[slug].get("file", ""),
                "dataset": known[slug].dataset if slug in known else by_hand[slug].get("about", ""),
                "record": held[slug].iri if slug in held else "",
                "looked": say.moment(known[slug].checked_ms) if slug in known and known[slug].checked_ms else "",
            }
            for slug in sorted(known.keys() | held.keys())
        ]
    if as_json:
        say.document(rows)
        return
    columns = ("name", "state", "looked", "file", "detail")
    say.table(columns, [[row[column] for column in columns] for row in rows])


def read(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Look at every file that is due now, as the worker would; may fetch much."""
    with opened(data) as node:
        models = node.knowledge.models
        looked = look_now(models.keeper, models.inspector.round, lambda: [e.state for e in models.inspections.all()])
    say_looked(looked, as_json, did="Looked at", none="No dataset names a model.")


def publish(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="The model.")],
    dataset: Annotated[str, typer.Option("--dataset", metavar="IRI", help="The dataset that it belongs to.")] = "",
    title: Annotated[
        list[str],
        typer.Option(
            "--title", metavar="TEXT[@LANGUAGE]", help="What people read, in each language; else the dataset's."
        ),
    ] = [],  # noqa: B006 (read, never written)
    url: Annotated[str, typer.Option("--url", help="Where others can download a FILE.")] = "",
    name: Annotated[str, typer.Option("--name", help="Ends the record's address; else made of dataset and file.")] = "",
    licence: Annotated[
        str, typer.Option("--licence", metavar="CODE", help="Such as CC_BY_4_0; else the dataset's.")
    ] = "",
    date: Annotated[str, typer.Option("--date", metavar="DAY", help="When the city looked so; else the file's.")] = "",
    contact: Annotated[
        str, typer.Option("--contact", metavar="TEAM", help="As “Team <mail@city.example>”; else the dataset's.")
    ] = "",
    collection: Annotated[str, typer.Option("--collection", metavar="NAME", help="Where to publish.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Read a model and publish what it says of itself, as a record beside its dataset."""
    from node.catalog.author.office import Written
    from node.catalog.models.telling import said_of, slug_for

    if not dataset and not title:
        raise Malformed(
            "Nothing says what this is a model of.", fix="Name its dataset with --dataset, or give --title."
        )
    with opened(data) as node:
        address = url or (source if is_link(source) else "")
        node.knowledge.models.withholder.check(dataset, address, collection)
        around, facts = _dataset(node, dataset), _facts(node, source)
        language = node.settings.languages[0]
        named = _by_language(title, language)
        said = said_of(facts, dataset=around, language=language, file=address, title=named or None)
        said |= _given(language, licence=licence, date=date, contact=contact)
        slug = name or slug_for(
            around.slug if around else next(iter(named.values())), address or Path(source).resolve().as_uri()
        )
        outcome = node.knowledge.authoring.publish(KIND, [Written(slug, said)], collection=collection)
    for _, problems in (*outcome.refused, *outcome.warned):
        for each in problems:
            at = f" ({_AT.get(each.pointer, each.pointer)})" if each.pointer else ""
            say.note(f"{each.level}: {each.message}{at} [{each.code}]")
    if outcome.refused:
        raise Malformed(f"{slug} was not published.", fix="Mend what is said above.")
    if as_json:
        say.document({"put": outcome.put, "unchanged": outcome.unchanged, "said": said})
        return
    say.lines(f"Published {iri}" for iri in outcome.put)
    say.lines(f"Unchanged {iri}" for iri in outcome.unchanged)


def _by_language(titles: list[str], language: str) -> dict[str, str]:
    """Read titles as `Text` or `Text@sv`; one that names no language is in the node's."""
    found = ((match[1], match[2]) if (match := _IN.match(each)) else (each, language) for each in titles)
    return {tag: text.strip() for text, tag in found}


def _given(language: str, *, licence: str, date: str, contact: str) -> dict[str, Any]:
    """Say what the person who calls knows, and neither the file nor a dataset."""
    found = _TEAM.match(contact)
    team, mail = (found[1], found[2] or "") if found else (contact, "")
    said: dict[str, Any] = {"license": licence, "epoch": date}
    if contact:
        said["contact"] = {"name": {language: team.strip() or mail}} | ({"email": mail} if mail else {})
    return {name: value for name, value in said.items() if value}


def withdraw(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `models list` shows it.")],
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Withdraw the record of a model; its file is not looked at again by itself."""
    from node.catalog.models.inspections import withhold

    with opened(data) as node:
        done = node.knowledge.authoring.withdraw(KIND, name)
        with node.db.write() as tx:
            withhold(tx, name)
    if as_json:
        say.document(done)
        return
    say.lines(f"Withdrew {iri}" for iri in done.withdrawn)


def _dataset(node: "Node", iri: str) -> "Dataset | None":
    """Find what the model belongs to. Raises NotFound."""
    from node.catalog.models.telling import Dataset

    if not iri:
        return None
    held = node.shelf.by_iri(iri)
    if held is None or held.kind not in ("dataset", "dataset-series"):
        raise NotFound(f"No dataset {iri[:200]} is held here.", fix="Give --title instead, or harvest it first.")
    return Dataset(held.iri, held.slug, node.shelf.payload(held))


def _facts(node: "Node", source: str) -> "ModelFacts":
    """Read a model. Raises Malformed for what is none, NotFound, or what the way out raises."""
    files, stop = node.knowledge.models.files, threading.Event()
    if is_link(source):
        return files.read_new(source, stop=stop)
    return files.read_file(Path(source))
