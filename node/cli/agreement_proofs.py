"""Commands that prove agreements: one file with everything that proves one, and the verdict on a file or an address.

Proving needs no node of one's own: a file proves itself, and the file of a public agreement is fetched from the address
of its page. Addresses of this machine are asked only if the person who calls named one. What this node holds itself it
proves by both whole journals. The exit code is the verdict: 0 proven, 1 refuted, 3 incomplete; 2 is wrong use, such as
a file that is no export, and no verdict.
"""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.agreements import NameArgument
from node.cli.common import DataOption, JsonOption, now_ms, opened
from node.cli.plain_files import check_replaceable, open_plain
from node.errors import Conflict, Malformed, Misconfigured, NotFound, Refused, TooLarge

if TYPE_CHECKING:
    from node.federation.agreements.verifier import AgreementReport


_ADDRESS = ("http://", "https://")
_WRONG_USE = 2
_FIX = "Give what citynode agreements export writes, or the file that the page of a public agreement gives."


def export(
    name: NameArgument,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to; standard output without it.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Write everything that proves an agreement into one file, which needs no node to be verified."""
    if to is not None:
        check_replaceable(to)
    with opened(data) as node:
        body = node.federation.agreeing.office.readings.export(name)
    if to is None:
        sys.stdout.buffer.write(body)
        sys.stdout.flush()
        return
    try:
        with to.open("xb") as file:
            file.write(body)
    except FileExistsError as error:
        raise Conflict(f"{to} is there already.", fix="Give another name.") from error
    except OSError as error:
        raise Conflict(f"{to} cannot be written: {error.strerror}.") from error
    say.line(f"Wrote {len(body)} bytes to {to}")
    say.note(
        f"Anyone can verify it: citynode agreements verify {to} --fingerprint F --fingerprint G"
        " (F: citynode identity; G: citynode peers show PEER)"
    )


def verify(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL|NAME",
            help="An export; the address of a public agreement; or one that this node holds.",
        ),
    ],
    fingerprint: Annotated[
        list[str] | None,
        typer.Option("--fingerprint", metavar="F", help="Of a city's key, told by a trusted way; repeatable."),
    ] = None,
    federation: Annotated[str, typer.Option("--federation", metavar="IRI", help="Which the proofs must be for.")] = "",
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Prove an agreement: exit 0 proven, 1 refuted, 2 wrong use, 3 something is missing. A file needs no node.

    The address of a public agreement, of its page or of the file that the page gives, needs no node either. What is no
    export of an agreement, such as a picture, an empty file or a folder, is wrong use.
    """
    try:
        report = _held(what, data)
        body = b"" if report else _export_of(what)
    except Refused as problem:
        if what.startswith(_ADDRESS) and not isinstance(problem, Malformed):
            raise  # what a city answers is no fault of who asks
        say.error(problem)
        raise typer.Exit(_WRONG_USE) from problem
    if report is None:
        from node.federation.agreements.published import verify_export

        report = verify_export(body, trusted=fingerprint or (), federation=federation, now_ms=now_ms())
    if as_json:
        say.document(report.document())
    else:
        say.lines(report.lines())
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _held(what: str, data: Path | None) -> "AgreementReport | None":
    """Prove what this node holds; None for a file, and for an address of which it holds nothing.

    Raises:
        NotFound: It is no address, and nothing of that name is here.
    """
    is_address = what.startswith(_ADDRESS)
    if not is_address and os.path.lexists(what):
        return None
    if not is_address and (what.endswith(".json") or "/" in what):
        raise NotFound(f"There is no file {what}.", fix="Give the path of an export, or the name of an agreement.")
    try:
        with opened(data) as node:
            return node.federation.agreeing.office.readings.verify(what)
    except (NotFound, Misconfigured):
        if not is_address:
            raise
        return None


def _export_of(what: str) -> bytes:
    """Read an export, from a file or from the city at an address."""
    from node.cli.verify import way_to
    from node.federation.verifier.web import Web

    if what.startswith(_ADDRESS):
        return Web(way_to(what)).agreement(what)
    return _read(Path(what))


def _read(path: Path) -> bytes:
    """Read a file that calls itself an export: anything else is nothing that could be refuted. Raises Refused."""
    from node.federation.agreements.verifier import MAX_BYTES, VERSION

    try:
        with open_plain(path) as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.", fix=_FIX) from error
    if len(body) > MAX_BYTES:
        raise TooLarge(f"{path} is no export of an agreement: none has more than {MAX_BYTES:,} bytes.", fix=_FIX)
    if not re.search(rb'"citynode"\s*:\s*"' + VERSION.encode() + b'"', body):
        raise Malformed(f"{path} is {'no export of an agreement' if body else 'empty'}.", fix=_FIX)
    return body
