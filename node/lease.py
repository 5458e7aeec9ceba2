"""Leases: of several processes on one database, exactly one holds a name at a time, and loses it when it is silent.

Owns the table `lease`. A lease is taken or renewed inside a write transaction, so two workers can never both believe
they hold it while their clocks agree within the lease's length. What a killed process of this machine held is taken
over at once; that of another machine when its time is up, since nobody here can see whether it lives.
"""

import functools
import os
import secrets
import socket
from pathlib import Path

from node.db import Database, Tx


class Lease:
    """One name in one database, wanted by this process."""

    def __init__(self, db: Database, name: str, *, length_ms: int) -> None:
        """Want a name; nothing is taken yet."""
        self._db = db
        self._name = name
        self._length_ms = length_ms
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}:{_place()}"

    def hold(self, now_ms: int) -> bool:
        """Take or renew the lease; False while somebody else holds it."""
        until = now_ms + self._length_ms
        with self._db.write() as tx:
            taken = tx.run(
                "INSERT INTO lease (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET holder = excluded.holder, until = excluded.until WHERE lease.until < ? OR lease.holder = ?",
                *(self._name, self.holder, until, now_ms, self.holder),
            )
            return taken == 1 or self._inherit(tx, until)

    def _inherit(self, tx: Tx, until_ms: int) -> bool:
        """Take what a process of this machine held that is gone."""
        (row,) = tx.rows("SELECT holder FROM lease WHERE name = ?", self._name)
        if not _is_gone(row[0]):
            return False
        tx.run("UPDATE lease SET holder = ?, until = ? WHERE name = ?", self.holder, until_ms, self._name)
        return True

    def release(self) -> None:
        """Give the lease back, if it is ours."""
        with self._db.write() as tx:
            tx.run("DELETE FROM lease WHERE name = ? AND holder = ?", self._name, self.holder)


@functools.cache
def _place() -> str:
    """Name this boot of this machine and its numbering of processes; empty where the system does not tell.

    Host names do not: containers of one service may share theirs, and cannot see each other's processes.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink().name}"
    except OSError:
        return ""


def _is_gone(holder: str) -> bool:
    """Tell whether a holder is a process of this place that has ended; a number given anew counts as living."""
    _, _, rest = holder.partition(":")
    number, _, token_and_place = rest.partition(":")
    _, _, place = token_and_place.partition(":")
    if not place or place != _place() or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
