"""The process of one triple store: hands the bounds of the settings to the engine and turns into it.

Two of them belong to a node, of what everyone may query and of what partners may; `citynode run` keeps both alive, and
`citynode store` starts one by hand. An address in the settings takes the place of the public one.
"""

from typing import NoReturn

from node.errors import Misconfigured
from node.jobs import store
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


def become_store(settings: Settings, name: str) -> NoReturn:
    """Turn into the engine of one store. Raises Misconfigured."""
    if name not in wanted(settings):
        raise Misconfigured(
            f"This node runs no triple store {name!r}.", fix=f"Say one of {', '.join(NAMES)}; see the setting sparql."
        )
    folder = settings.data / "graph"
    store.become(
        store.Store(
            folder=folder / name,
            address=folder / f"{name}.address",
            memory_bytes=settings.sparql_memory_mib << 20,
            timeout_s=settings.sparql_timeout_s + AFTER_S,
        )
    )
