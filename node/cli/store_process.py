"""The process of one triple store: hands the bounds of the settings to the engine and turns into it.

Two of them belong to a node, of what everyone may query and of what partners may; `citynode run` keeps both alive, and
`citynode store` starts one by hand. An address in the settings takes the place of the public one.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import NoReturn

from node.errors import Misconfigured
from node.jobs import store
from node.jobs.claim import claim
from node.settings import Settings

NAMES = ("public", "restricted")
# The engine gives up by itself, if it can, only after we have said that time is up: it would write that into an answer.
AFTER_S = 1


def wanted(settings: Settings) -> tuple[str, ...]:
    """Name the stores that this node runs itself."""
    if settings.sparql == "off":
        return ()
    return NAMES if settings.sparql == "embedded" else ("restricted",)


def memory_of(settings: Settings) -> int:
    """Give the bytes that one store may fill."""
    return store.OWN_BYTES + (settings.sparql_memory_mib << 20)


@contextlib.contextmanager
def claimed(settings: Settings) -> Iterator[dict[str, int]]:
    """Keep everybody else from supervising this node's stores; gives the descriptors that hold the claims, by store.

    Raises:
        AlreadyRunning: A node runs on this data folder, or one of its stores does.
    """
    with contextlib.ExitStack() as held:
        claims: dict[str, int] = {}
        for name in wanted(settings):
            claims[name] = claim(settings.data, name)
            held.callback(os.close, claims[name])
        yield claims


def become_store(settings: Settings, name: str, claim_fd: int | None = None) -> NoReturn:
    """Turn into the engine of one store, under the claim of who started this or one of its own.

    Raises:
        AlreadyRunning: Somebody else supervises it.
        Misconfigured: This node has no such store, or it cannot be started.
    """
    if name not in wanted(settings):
        raise Misconfigured(
            f"This node runs no triple store {name!r}.", fix=f"Say one of {', '.join(NAMES)}; see the setting sparql."
        )
    folder = settings.data / "graph"
    # The engine keeps it open, and with it the claim for as long as it lives.
    os.set_inheritable(claim(settings.data, name) if claim_fd is None else claim_fd, True)
    store.become(
        store.Store(
            folder=folder / name,
            address=folder / f"{name}.address",
            memory_bytes=settings.sparql_memory_mib << 20,
            timeout_s=settings.sparql_timeout_s + AFTER_S,
        )
    )
