"""The areas of the desk, put together on one frame.

An area is a module with `add(desk)`; it takes what it needs from `desk.parts.site` and stays away where that is not
there. The only module of the desk that knows all the others.
"""

from collections.abc import Callable

from fastapi import APIRouter

from node.web.desk import (
    account,
    agreements,
    collections,
    corrections,
    data_origins,
    deletions,
    evidence,
    inbox,
    keys,
    numbers,
    peer_tables,
    peers,
    people,
    prove,
    record_edit,
    records,
    runs,
    sign_in,
    sources,
    submissions,
    today,
    trail,
    transfers,
    withdrawals,
)
from node.web.desk.frame import Desk
from node.web.parts import Parts
from node.web.ports.staff import Staff
from node.web.wire.front import Scope

AREAS: tuple[Callable[[Desk], None], ...] = (
    today.add,
    agreements.add,
    transfers.add,
    data_origins.add,
    withdrawals.add,
    deletions.add,
    evidence.add,
    sources.add,
    collections.add,
    runs.add,
    records.add,
    record_edit.add,
    corrections.add,
    submissions.add,
    inbox.add,
    numbers.add,
    peers.add,
    peer_tables.add,
    keys.add,
    sign_in.add,
    account.add,
    people.add,
    prove.add,
    trail.add,
)


def router(parts: Parts, staff: Staff, address_of: Callable[[Scope], str]) -> APIRouter:
    """Make the router of everything below `/desk`."""
    desk = Desk(parts, staff, address_of)
    for add in AREAS:
        add(desk)
    return desk.router
