"""What `citynode init` does: make a data folder into a node, once.

The settings file is written last, because its being there is what says that a node is complete; a node whose making
was interrupted is made to the end by saying `init` again. Nothing that exists is ever overwritten.
"""

import json
import os
from pathlib import Path

from node.cli.common import now_ms
from node.errors import Conflict, Misconfigured
from node.settings import Settings, load

FIRST_COLLECTION = "open-data"
FIRST_ACCOUNT = "admin"
# Whoever begins must be able to do all of the first hour alone, approving the first peer too; docs/desk.md says more.
FIRST_ROLES = ("approver", "admin")


def begin(*, data: Path | None, name: str, base_url: str, languages: str) -> tuple[Settings, str]:
    """Make the node, or find that it is made already with the same name and address.

    Returns:
        The settings as a later start will read them, and the link by which the desk's first account gets its password;
        empty if nothing was made.

    Raises:
        Conflict: Another node lives in the folder.
        Misconfigured: A value does not fit.
    """
    wanted = load(data=data, overrides={"name": name, "base_url": base_url, "languages": languages})
    if not wanted.name.strip():
        raise Misconfigured("The city needs a name.", fix="Say it: --name Helsinki.")
    if wanted.file.is_file():
        return _as_it_is(data, wanted), ""
    _private_folder(wanted.data)
    link = _make(wanted)
    _write(wanted.file, _toml(wanted))
    return load(data=data), link


def _as_it_is(data: Path | None, wanted: Settings) -> Settings:
    held = load(data=data)
    if (held.name, held.base_url) != (wanted.name, wanted.base_url):
        raise Conflict(
            f"{held.data} is the node of {held.name} at {held.base_url}.",
            fix=f"Choose another folder, or edit {held.file}; an address that was published should never change.",
        )
    return held


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"{folder} cannot be made: {error.strerror}.", fix="Choose another --data DIR.") from error


def _make(settings: Settings) -> str:
    from node.assembly import build, make_keys

    make_keys(settings)
    node = build(settings)
    try:
        node.db.upgrade()
        node.create_collection(FIRST_COLLECTION, title="Open data", visibility="public", at_ms=now_ms(), exist_ok=True)
        if not node.staff.people.list():
            node.staff.people.add(FIRST_ACCOUNT, roles=FIRST_ROLES)
        return str(node.staff.office.link(FIRST_ACCOUNT)["link"])
    finally:
        node.close()


def _toml(settings: Settings) -> str:
    # A JSON string is a TOML basic string.
    spelled = {key: json.dumps(getattr(settings, key), ensure_ascii=False) for key in ("name", "base_url")}
    languages = json.dumps(list(settings.languages))
    return (
        "# Settings of this node. The environment (CITYNODE_NAME …) goes before this file.\n"
        "# All of them, with units and defaults: citynode config show\n\n"
        f"name = {spelled['name']}\nbase_url = {spelled['base_url']}\nlanguages = {languages}\n"
    )


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".part")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o600)
    draft.rename(path)
