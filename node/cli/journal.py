"""Commands on journals: prove that nothing was changed, prove one record, read everything anew.

`verify` recomputes every hash from the stored bytes and takes no short cut; it is what an auditor runs. `rebuild`
throws the readings away and makes them again: rebuilt equals lived.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli import say
from node.cli.common import DataOption, JsonOption, opened
from node.errors import NotFound, Refuted
from node.journal import rebuild as read_again
from node.journal.verify import verify as verified

if TYPE_CHECKING:
    from node.assembly import Node

app = typer.Typer(help="Journals: verify, prove, rebuild.", no_args_is_help=True)


@app.command()
def verify(
    collection: Annotated[
        str | None, typer.Argument(metavar="[COLLECTION]", help="One collection; all of them if left out.")
    ] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Recompute every commitment, leaf, root, payload and signature, compare the shelf; exit 1 names what is wrong."""
    found: list[dict[str, Any]] = []
    with opened(data) as node:
        names = [collection] if collection else [info.name for info in node.shelf.collections()]
        for name in names:
            found.append(_verified(node, name))
            if not as_json:
                one = found[-1]
                say.line(f"{name}: {'proven, ' + str(one['size']) + ' entries' if one['proven'] else 'REFUTED'}")
    if as_json:
        say.document(found)
    wrong = [one for one in found if not one["proven"]]
    if wrong:
        fix = "" if wrong[0]["size"] is not None else "Keep the files and restore a backup."
        raise Refuted(f"{wrong[0]['collection']}: {wrong[0]['reason']}", fix=fix)


def _verified(node: "Node", name: str) -> dict[str, Any]:
    try:
        found = verified(node.journals, name, [node.keyring.public_key("checkpoint")])
    except Refuted as error:
        return {"collection": name, "proven": False, "size": None, "reason": error.message}
    astray = node.shelf.astray(name)
    if astray:
        reason = f"The shelf shows {astray!r} otherwise than the journal, which is right: citynode journal rebuild."
        return {"collection": name, "proven": False, "size": found.size, "reason": reason}
    return {"collection": name, "proven": True, "size": found.size, "root": found.root.hex(), "reason": ""}


@app.command()
def proof(
    iri: Annotated[str, typer.Argument(metavar="IRI", help="The record's IRI.")],
    as_json: JsonOption = False,  # noqa: ARG001 (a proof is JSON either way; reading commands take the option)
    data: DataOption = None,
) -> None:
    """Print what proves that a record is in the journal, as JSON."""
    with opened(data) as node:
        held = node.shelf.by_iri(iri)
        shown = node.proofs.proof(held) if held else None
        if shown is None:
            raise NotFound(f"There is no record {iri}.", fix="Give the IRI as it stands in the catalogue.")
        say.document(shown)


@app.command()
def rebuild(data: DataOption = None) -> None:
    """Throw every reading of the journals away and read them again."""
    with opened(data) as node:
        for follower in node.followers:
            say.line(f"{follower.name}: read {read_again(node.journals, follower)} entries again")
