"""The triple store's process: finds the engine's program, bounds it, says where it listens, and becomes it.

This process turns into `oxigraph serve`, so that whoever keeps it alive looks at the engine itself. It listens on the
loopback alone, at a port that was free, and writes that down for those who ask it (`outbound.engine`); everything it
holds can be made again, so a store that it cannot open any more is thrown away. Memory is bounded by the supervisor,
which ends it when a query fills too much, and far above that by the kernel, wherever nobody supervises it.
"""

import contextlib
import os
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import structlog

from node.errors import Misconfigured
from node.outbound import engine

PROGRAM = "oxigraph"
# Deeply nested queries are read by recursion; the usual two MiB overflow long before the bounds of `lexer`.
STACK_BYTES = 16 << 20
# What the store takes for itself while nobody asks anything: caches and what is not on the disk yet.
OWN_BYTES = 256 << 20
# The engine starts a thread for each answer and lets it idle for two or three seconds; their stacks count for the
# kernel, though hardly any of it is ever touched.
_MOST_THREADS = 2_048
_BROKEN = ("corrupt", "checksum", "no such file", "manifest", "invalid argument", "not a directory")
_LOOK_S = 60.0

log = structlog.get_logger("citynode.store")


@dataclass(frozen=True, slots=True)
class Store:
    """One store: its folder, the file that says where it listens, and its bounds."""

    folder: Path
    address: Path
    memory_bytes: int  # for what it is asked, beside OWN_BYTES
    timeout_s: int  # after which the engine gives a query up by itself, as far as it can


def program() -> Path:
    """Find the engine that came with this program.

    Raises:
        Misconfigured: It is not installed.
    """
    places = [Path(sys.executable).parent / PROGRAM, Path(sysconfig.get_path("scripts")) / PROGRAM]
    with contextlib.suppress(metadata.PackageNotFoundError):
        places += [Path(str(each.locate())) for each in metadata.files(PROGRAM) or () if each.name == PROGRAM]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place.resolve()
    raise Misconfigured(
        "The program oxigraph is not installed.", fix="pip install oxigraph, or set CITYNODE_SPARQL=off."
    )


def become(store: Store) -> NoReturn:
    """Turn into the engine; does not come back.

    Raises:
        Misconfigured: There is no program, or it cannot be started.
    """
    argv, environ = prepared(store)
    limit = OWN_BYTES + 2 * store.memory_bytes + _MOST_THREADS * STACK_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # It writes a line for each answer that somebody did not wait for; what keeps it from starting was said before.
    with open(os.devnull, "r+b", buffering=0) as nowhere:  # noqa: PTH123 (a descriptor is what is wanted)
        for descriptor in (1, 2):
            os.dup2(nowhere.fileno(), descriptor)
    try:
        os.execve(argv[0], argv, environ)  # noqa: S606 (our own program, no shell)
    except OSError as error:
        raise Misconfigured(f"{argv[0]} cannot be started: {error.strerror}.", fix="Install oxigraph anew.") from error


def prepared(store: Store) -> tuple[list[str], dict[str, str]]:
    """Make ready what the engine needs, and give its arguments and its environment."""
    found = program()
    store.folder.parent.mkdir(parents=True, exist_ok=True)
    store.address.unlink(missing_ok=True)
    _throw_away_broken(found, store.folder)
    port = _free_port()
    engine.tell(store.address, port=port, pid=os.getpid(), born=_born(store.folder))
    bounds = ["--timeout-s", str(store.timeout_s)]
    argv = [str(found), "serve", "--location", str(store.folder), "--bind", f"127.0.0.1:{port}", *bounds]
    return argv, {"RUST_MIN_STACK": str(STACK_BYTES), "PATH": os.defpath, "HOME": str(store.folder.parent)}


def _throw_away_broken(found: Path, folder: Path) -> None:
    """Open the store once, and remove it if it is damaged: whoever fills it sees that it is new and fills it again."""
    if not folder.exists():
        return
    asked = [str(found), "query", "--location", str(folder), "--query", "ASK {}", "--results-format", "json"]
    try:
        done = subprocess.run(asked, capture_output=True, timeout=_LOOK_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return
    said = done.stderr.decode("utf-8", "replace").lower()
    if not done.returncode:
        return
    if "lock" in said or not any(word in said for word in _BROKEN):
        log.error("the triple store cannot be opened", folder=folder.name, why=said[-300:])
    else:
        log.error("the triple store is damaged and is made anew", folder=folder.name, why=said[-300:])
        shutil.rmtree(folder, ignore_errors=True)
        folder.unlink(missing_ok=True)


def _born(folder: Path) -> str:
    """Give the word that tells this store from one that was thrown away; a new one where there is no store."""
    mark = folder.with_name(f"{folder.name}.born")
    if not folder.exists():
        mark.unlink(missing_ok=True)
    if not mark.exists():
        folder.mkdir(exist_ok=True)
        part = mark.with_name(f"{mark.name}.part")
        part.write_text(secrets.token_hex(8))
        part.replace(mark)
    return mark.read_text().strip()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])
