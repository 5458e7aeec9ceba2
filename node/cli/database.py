"""Commands on the database: bring it up to date, copy a whole node into one file, and back.

A backup is one tar file with the database, the keys and the settings file: each alone is useless after a fire. It
holds private keys, so only its owner may read it. PostgreSQL has its own tools, and the command names them.
"""

import io
import os
import shutil
import tarfile
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Annotated

import typer

from node.cli import say
from node.cli.acts import noted
from node.cli.common import DataOption, JsonOption, now_ms, settings_of
from node.cli.plain_files import check_replaceable, open_plain
from node.copies import backup, restore
from node.db import Database
from node.errors import Conflict, Malformed, NotFound, Refused
from node.journal.behind import mark_restored
from node.keys.files import held
from node.keys.history import FILE_NAME as HISTORY_NAME
from node.settings import FILE_NAME, load

app = typer.Typer(help="The database: upgrade, backup, restore.", no_args_is_help=True)

_DATABASE = "node.db"
_KEYS = "keys"
_READINGS = ("search", "graph")


@app.command()
def upgrade(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Bring the tables to the newest revision; safe to repeat."""
    db = Database(settings_of(data).database)
    try:
        before = db.revision()
        db.upgrade()
        after = db.revision()
    finally:
        db.close()
    if as_json:
        say.document({"before": before, "after": after})
    else:
        say.line(f"At revision {after}" + (", as before" if before == after else f", from {before or 'nothing'}"))


@app.command("backup")
def backup_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, such as backup.tar.")],
    data: DataOption = None,
) -> None:
    """Copy the whole node (database, keys, settings) into one file, while it runs."""
    check_replaceable(file)
    settings = settings_of(data)
    if file.exists():
        raise Conflict(f"{file} exists already.", fix="Name another file, or move it away.")
    db = Database(settings.database)
    try:
        with _in_trail(db), tempfile.TemporaryDirectory(dir=_folder_of(file), prefix=".backup-") as work:
            copy = Path(work) / _DATABASE
            backup(db, copy)
            draft = Path(work) / "backup.tar"
            _pack(draft, copy, settings.data)
            os.link(draft, file)
    finally:
        db.close()
    say.line(f"Wrote {file} ({file.stat().st_size} bytes); it holds private keys, so keep it safe")


def _in_trail(db: Database) -> AbstractContextManager[None]:
    """Write down that somebody takes a copy of everything; tables of an older program are copied all the same."""
    from node.staff.trail import Trail

    return noted(Trail(db, now_ms)) if db.revision() == db.newest_revision() else nullcontext()


@app.command("restore")
def restore_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `citynode db backup` wrote.")],
    data: DataOption = None,
) -> None:
    """Put a backup into a data folder that holds no node yet."""
    folder = load(data=data).data
    for name in (_DATABASE, FILE_NAME, _KEYS):
        if (folder / name).exists():
            raise Conflict(f"{folder / name} exists already.", fix="Restore into an empty folder: --data DIR.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _READINGS:
        # Whatever lies there was read from another database, and would be taken for a reading of this one.
        shutil.rmtree(folder / name, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as work:
        _unpack(file, Path(work))
        restore(Path(work) / _DATABASE, folder / _DATABASE)
        _mark_restored(folder / _DATABASE)
        (Path(work) / _KEYS).rename(folder / _KEYS)
        (Path(work) / FILE_NAME).rename(folder / FILE_NAME)
    say.line(f"Restored {file} into {folder}")
    say.line(f"Next: citynode journal verify --data {folder}")
    say.line(f"Then: citynode recover --data {folder} (or recover --alone: until then nothing is written or signed)")


def _mark_restored(database: Path) -> None:
    """Hold own collections back until mirrors were asked whether this backup is the newest that was signed."""
    db = Database(f"sqlite:///{database.absolute()}")
    try:
        with db.write() as tx:
            mark_restored(tx, now_ms())
    finally:
        db.close()


def _folder_of(file: Path) -> Path:
    folder = file.absolute().parent
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.", fix="Make it, or name another file.")
    return folder


def _pack(draft: Path, database: Path, folder: Path) -> None:
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        with tarfile.open(fileobj=out, mode="w") as packed:
            packed.add(database, _DATABASE)
            packed.add(folder / FILE_NAME, FILE_NAME)
            with held(folder / _KEYS):  # a rotation in between would leave two halves that do not fit
                for key in sorted((folder / _KEYS).iterdir()):
                    packed.add(key, f"{_KEYS}/{key.name}")
        out.flush()
        os.fsync(out.fileno())


def _unpack(file: Path, work: Path) -> None:
    """Take the files a backup has and nothing else: a name in a tar file may point anywhere.

    Raises:
        NotFound: There is no such file.
        Malformed: It is no backup of ours, or parts are missing.
    """
    (work / _KEYS).mkdir(mode=0o700)
    try:
        with open_plain(file) as opened, tarfile.open(fileobj=opened) as packed:
            for member in packed:
                if member.isfile() and _is_ours(member.name):
                    _write(work / member.name, packed.extractfile(member) or io.BytesIO())
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {file}.", fix="Name what `citynode db backup` wrote.") from error
    except (tarfile.TarError, OSError) as error:
        raise Malformed(f"{file} is no backup of a node.", fix="Name what `citynode db backup` wrote.") from error
    missing = [name for name in (_DATABASE, FILE_NAME) if not (work / name).is_file()]
    if missing or not any((work / _KEYS).iterdir()):
        raise Refused(f"{file} is not whole: {', '.join(missing) or _KEYS} is missing.", fix="Take another backup.")


def _is_ours(name: str) -> bool:
    folder, _, key = name.rpartition("/")
    if folder == _KEYS:
        return key == HISTORY_NAME or (key.endswith(".pem") and not key.startswith("."))
    return name in (_DATABASE, FILE_NAME)


def _write(path: Path, content: IO[bytes]) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        while part := content.read(1 << 20):
            out.write(part)
        out.flush()
        os.fsync(out.fileno())
