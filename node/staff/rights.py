"""Roles of the desk and what each of them may do. Pure; the one table that everything else asks.

Roles are held together, not above each other: that two people approve means nothing if one of them may do anything.
A role is a word in the database and in the settings; what it may do is decided here, at the moment it is asked.
"""

from collections.abc import Iterable
from typing import Literal, get_args

Role = Literal["viewer", "editor", "steward", "approver", "admin"]
Right = Literal["read", "write", "run", "decide", "rule"]
ROLES: tuple[Role, ...] = get_args(Role)
RIGHTS: tuple[Right, ...] = get_args(Right)

# write: drafts, publications, corrections, moderation. run: sources, runs, peers' tests and pauses. decide: held
# withdrawals, keys of peers, agreements. rule: people, keys, settings.
_HOLDERS: dict[Right, frozenset[str]] = {
    "read": frozenset(ROLES),
    "write": frozenset({"editor", "steward", "admin"}),
    "run": frozenset({"steward", "admin"}),
    "decide": frozenset({"approver"}),
    "rule": frozenset({"admin"}),
}


def may(roles: Iterable[str], right: Right) -> bool:
    """Tell whether somebody with these roles has a right."""
    return not _HOLDERS[right].isdisjoint(roles)


def holders(right: Right) -> list[str]:
    """List the roles that have a right, in the order of `ROLES`."""
    return [role for role in ROLES if role in _HOLDERS[right]]
