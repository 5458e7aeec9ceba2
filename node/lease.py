"""Leases: of several processes on one database, exactly one holds a name at a time, and loses it when it is silent.

Owns the table `lease`. A lease is taken or renewed in one statement inside a write transaction, so two workers can
never both believe they hold it while their clocks agree within the lease's length.
"""

import os
import secrets
import socket

from node.db import Database


class Lease:
    """One name in one database, wanted by this process."""

    def __init__(self, db: Database, name: str, *, length_ms: int) -> None:
        """Want a name; nothing is taken yet."""
        self._db = db
        self._name = name
        self._length_ms = length_ms
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def hold(self, now_ms: int) -> bool:
        """Take or renew the lease; False while somebody else holds it."""
        with self._db.write() as tx:
            taken = tx.run(
                "INSERT INTO lease (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET holder = excluded.holder, until = excluded.until WHERE lease.until < ? OR lease.holder = ?",
                self._name,
                self.holder,
                now_ms + self._length_ms,
                now_ms,
                self.holder,
            )
        return taken == 1

    def release(self) -> None:
        """Give the lease back, if it is ours."""
        with self._db.write() as tx:
            tx.run("DELETE FROM lease WHERE name = ? AND holder = ?", self._name, self.holder)
