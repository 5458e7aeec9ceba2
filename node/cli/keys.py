"""Commands on the node's keys and on who it is: list, rotate, encrypt, and the identity that other cities compare.

A rotation needs no restart: running processes notice it. Passphrases are read from the settings or from a file, never
from the command line, where every user of the host could read them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli import say
from node.cli.asking import YesOption, confirm
from node.cli.common import DataOption, JsonOption, now_ms, opened, settings_of
from node.errors import Misconfigured

if TYPE_CHECKING:
    from node.assembly import Node
    from node.keys import PublicKey

app = typer.Typer(help="The node's keys: list, rotate, encrypt.", no_args_is_help=True)

# One thumbprint in 64 begins with "-" (base64url, RFC 4648 section 5), and is no option for that.
ANY_THUMBPRINT = {"ignore_unknown_options": True}
PurposeArgument = Annotated[
    str, typer.Argument(metavar="PURPOSE", help="entity, token, client, checkpoint, record or witness.")
]
PurposesArgument = Annotated[list[str], typer.Argument(metavar="PURPOSE...", help="Every purpose whose key is lost.")]
OverlapOption = Annotated[
    int,
    typer.Option(
        "--overlap-days", metavar="N", min=0, max=366, help="How long the old key goes on signing; 0 ends it."
    ),
]
OldOption = Annotated[
    Path | None,
    typer.Option("--old-passphrase-file", metavar="FILE", help="Holds the passphrase the keys have until now."),
]


def register(root: typer.Typer) -> None:
    """Add the command `identity` to the root."""
    root.command()(identity)


def identity(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Print who this node is for other cities: its address, its fingerprint and its keys."""
    with opened(data) as node:
        own = node.federation.identity
        if as_json:
            say.document(own.summary())
            return
        say.line(f"issuer       {own.url}")
        say.line(f"fingerprint  {own.fingerprint}")
        say.line(f"did          {own.did_name}")
        say.line("Another city needs both, by one way that it trusts (telephone, paper): citynode peers invite")


@app.command("list")
def list_(as_json: JsonOption = False, data: DataOption = None) -> None:
    """List every key there ever was, those in use first."""
    from node.federation.identity.key_office import state_of

    with opened(data) as node:
        keys, now = node.keyring.published(), now_ms()
        if as_json:
            say.document([key.document() | {"state": state_of(key, now)} for key in keys])
            return
        heads = ("purpose", "state", "kind", "from", "until", "thumbprint")
        say.table(heads, [_row(key, state_of(key, now)) for key in keys])


def _row(key: "PublicKey", state: str) -> tuple[str, ...]:
    until = "-" if key.until_ms is None else say.moment(key.until_ms)
    return key.purpose, state, key.alg, say.moment(key.since_ms), until, key.kid


@app.command()
def rotate(
    purpose: PurposeArgument,
    overlap_days: OverlapOption = 7,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Replace a key: the old one signs the new one, and goes on beside it for the days of the overlap."""
    with opened(data) as node:
        new = node.federation.key_office.rotate(purpose, overlap_days=overlap_days)
        if as_json:
            say.document(new)
            return
        say.line(f"The {new['purpose']} key is now {new['kid']}, signed by {new['endorsed_by']}")
        if new["purpose"] == "entity":
            say.line(
                "The fingerprint of this city is another one now. Peers that know the old key take it by themselves."
            )
            say.line(f"Tell the new fingerprint to cities that you invite from now on: {node.keyring.fingerprint}")
        say.line("Back up the keys again, an older backup lacks this one: citynode db backup FILE")


@app.command(context_settings=ANY_THUMBPRINT)
def retire(
    kid: Annotated[
        str, typer.Argument(metavar="THUMBPRINT", help="Of a replaced key (`keys list`), or its beginning.")
    ],
    yes: YesOption = False,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Ask, end the overlap of a key that was replaced now, and destroy its private half."""
    with opened(data) as node:
        office = node.federation.key_office
        key = office.named(kid)
        if key["state"] == "overlapping":  # else there is nothing to ask: it is refused, and says why
            confirm(f"Destroy the private half of the replaced {key['purpose']} key {key['kid']} for good?", yes=yes)
        old = office.retire(str(key["kid"]))
        if as_json:
            say.document(old)
            return
        say.line(f"The {old['purpose']} key {old['kid']} signs no longer; what it signed stays proven")


@app.command("replace-lost")
def replace_lost_(purposes: PurposesArgument, data: DataOption = None) -> None:
    """Make new keys for some that are lost for good; peers must approve this node again. Look for a backup first."""
    from node.assembly import keys_folder
    from node.federation.identity.key_office import purpose_of
    from node.keys import replace_lost

    wanted, settings = [purpose_of(word) for word in purposes], settings_of(data)
    passphrase = settings.key_passphrase.get_secret_value()
    for purpose in wanted:
        new = replace_lost(keys_folder(settings), purpose, passphrase, now_ms=now_ms())
        say.line(f"The {new.purpose} key is now {new.kid}; no key vouches for it")
    with opened(data) as node:
        if "checkpoint" in wanted:
            _sign_again(node, now_ms())
        say.line(f"Ask each peer to approve this node again by its fingerprint: {node.keyring.fingerprint}")


def _sign_again(node: "Node", now: int) -> None:
    """Let the new key sign what stands, so that nobody has to wait for the next change to meet it."""
    with node.db.read() as tx:
        own = [collection.name for collection in node.journals.collections(tx) if not collection.is_mirror]
    for name in own:
        node.journals.checkpoint(name, at_ms=now)


@app.command("encrypt")
def encrypt_(old_passphrase_file: OldOption = None, data: DataOption = None) -> None:
    """Encrypt every private key with the passphrase that the setting key_passphrase holds."""
    from node.assembly import keys_folder
    from node.keys import encrypt

    settings = settings_of(data)
    old = _passphrase_in(old_passphrase_file) if old_passphrase_file else ""
    count = encrypt(keys_folder(settings), settings.key_passphrase.get_secret_value(), old=old)
    with opened(data):  # with the keys as they are now: what was done stands in the trail
        pass
    say.line(f"{count} private keys are encrypted. Start running processes again, so that they know the passphrase.")


def _passphrase_in(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}.", fix="Name a file that holds the passphrase.") from error
