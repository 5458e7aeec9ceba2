"""Commands on journals: prove that nothing was changed, prove one record, erase one entry, read everything anew.

`verify` recomputes every hash from the stored bytes and takes no short cut; it is what an auditor runs. `rebuild`
throws the readings away and makes them again: rebuilt equals lived.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.catalog import correction_store
from node.catalog.shelf import save_findings
from node.cli import say
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.errors import Conflict, NotFound, Refused, Refuted
from node.journal import catch_up
from node.journal import rebuild as read_again
from node.journal.verify import verify as verified

if TYPE_CHECKING:
    from node.assembly import Node

app = typer.Typer(help="Journals: verify, prove, erase, rebuild.", no_args_is_help=True)


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
                say.line(f"{name}: {_told(one)}")
    if as_json:
        say.document(found)
    wrong = [one for one in found if not one["proven"]]
    if wrong:
        fix = "" if wrong[0]["size"] is not None else "Keep the files and restore a backup."
        raise Refuted(f"{wrong[0]['collection']}: {wrong[0]['reason']}", fix=fix)


def _told(one: dict[str, Any]) -> str:
    if not one["proven"]:
        return "REFUTED"
    stubs = f", {one['stubs']} of them stubs" if one["stubs"] else ""
    signed = one["signed"] or 0
    # A mirror gets its origin's note once all that was signed is there.
    behind = f"; {one['size'] - signed} of them are under no checkpoint yet" if signed < one["size"] else ""
    return f"proven, {one['size']} entries{stubs}{behind}"


def _verified(node: "Node", name: str) -> dict[str, Any]:
    from node.assembly.federation import keys_of  # with the node it comes, and is not loaded for --help

    try:
        found = verified(node.journals, name, keys_of(node.journals, node.federation.peers)(name))
    except Refuted as error:
        return {"collection": name, "proven": False, "size": None, "reason": error.message}
    astray = node.shelf.astray(name)
    if astray:
        reason = f"The shelf shows {astray!r} otherwise than the journal, which is right: citynode journal rebuild."
        return {"collection": name, "proven": False, "size": found.size, "reason": reason}
    facts = {"size": found.size, "root": found.root.hex(), "stubs": found.stubs, "signed": found.signed}
    return {"collection": name, "proven": True, **facts, "reason": ""}


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
def erase(
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="One of this city's own.")],
    seq: Annotated[int, typer.Argument(metavar="SEQ", help="The entry's number, as its proof shows it.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept here, told to nobody.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; it cannot be undone.")] = False,
    data: DataOption = None,
) -> None:
    """Destroy what one entry holds, here and at every mirror; the entry itself stays, so every proof still holds.

    A record's newest state is never erased: write a newer one or withdraw the record first. Done again, it only cleans
    the files again.
    """
    if not yes:
        raise Refused(f"Entry {seq} of {collection} would be destroyed for good.", fix="If that is meant, say --yes.")
    with opened(data) as node:
        erased_before = _erase(node, collection, seq, reason)
        node.journals.checkpoint(collection, at_ms=now_ms())
        for follower in node.followers:
            catch_up(node.journals, follower)
        node.db.scrub()
        before = " before" if erased_before else ""
        say.line(f"Entry {seq} of {collection} was erased{before}; nothing of it is left in the database")
        say.line(f"Mirrors hear of it with their next pull: citynode collections erasures {collection}")


def _erase(node: "Node", collection: str, seq: int, reason: str) -> bool:
    """Erase an entry, and what is kept beside its record; tell whether it was erased before."""
    with node.db.write() as tx:
        if node.journals.get(tx, collection).is_mirror:
            raise Conflict(f"{collection} is a mirror.", fix="Ask its city to erase; the erasure will reach you.")
        opening = node.journals.entry(tx, collection, seq).opening
        node.federation.erasures.explain(tx, collection, seq, reason)
        if opening is None:
            return True
        node.journals.erase(tx, collection, seq, at_ms=now_ms())
        node.runs.forget(tx, opening.record)
        correction_store.forget_source(tx, opening.digest)
        if node.journals.newest(tx, collection, opening.record) is None:
            save_findings(tx, node.journals.get(tx, collection).id, {opening.record: ()})
    return False


@app.command()
def rebuild(data: DataOption = None) -> None:
    """Throw every reading of the journals away and read them again."""
    with opened(data) as node:
        for follower in node.followers:
            say.line(f"{follower.name}: read {read_again(node.journals, follower)} entries again")
