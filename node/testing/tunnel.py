"""One exchange through the fault proxy that is carried piece by piece: data that move, in either direction.

Nothing is read ahead but what the sockets hold, so whoever reads slowly slows the other down, and whoever goes is gone
for the other too. The harm falls on the body that matters: that of the request if it has one, else the answer's.
Loopback only; a thread for the way there, the caller's own for the way back, and both end together.
"""

import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import BinaryIO

from node.testing.ports import LOOPBACK
from node.testing.wire import Request

PIECE_BYTES = 64 << 10
DRIP_EVERY = 1 << 20
CONNECT_S = 5.0


@dataclass(slots=True)
class Harm:
    """What is done to the body of one exchange: at which byte, and whether it was reached.

    `drip_s` is what each MiB of a dripping body takes.
    """

    kind: str
    at: int
    other: int
    drip_s: float
    fell: bool = False

    def done_to(self, piece: bytes, begins: int) -> bytes | None:
        """Give what is left of a piece that begins at a byte; None where the body ends in it."""
        where = self.at - begins
        if self.kind not in ("cut", "corrupt") or not 0 <= where < len(piece):
            return piece
        self.fell = True
        if self.kind == "cut":
            return None
        return piece[:where] + bytes([piece[where] ^ self.other]) + piece[where + 1 :]


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of it: the status of the answer, 0 if there was none, and how much of the body went on."""

    status: int
    sent_bytes: int


class Tunnel:
    """One connection through to the node. `node` is its socket."""

    def __init__(
        self, caller: socket.socket, incoming: BinaryIO, head: Request, harm: Harm, leaving: threading.Event
    ) -> None:
        self.node = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._caller, self._incoming, self._head = caller, incoming, head
        self._harm, self._leaving = harm, leaving
        self._sent = {"there": 0, "back": 0}
        self._status = 0

    def carry(self, port: int) -> Carried:
        """Carry it to its end; both sockets can say nothing more afterwards."""
        there = threading.Thread(target=self._guarded, name=f"tunnel {port}", daemon=True)
        try:
            self.node.settimeout(CONNECT_S)
            self.node.connect((LOOPBACK, port))
            self.node.settimeout(None)
            self.node.sendall(self._head.head)
            there.start()
            self._back()
        except OSError:
            pass
        finally:
            for one in (self.node, self._caller):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            if there.ident:
                there.join()
            self.node.close()
        return Carried(self._status, self._sent["there" if self._head.has_body else "back"])

    def _guarded(self) -> None:
        """Carry what the caller says; when it goes, the node hears it."""
        with contextlib.suppress(OSError, ValueError):
            while piece := self._incoming.read1(PIECE_BYTES):  # type: ignore[attr-defined]
                if not self._passed(self.node, piece, "there", self._head.has_body):
                    break
        with contextlib.suppress(OSError):
            self.node.shutdown(socket.SHUT_RDWR)

    def _back(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.node.recv(PIECE_BYTES)
            if not piece:
                return
            head += piece
        head, mark, piece = head.partition(b"\r\n\r\n")
        words = head.split(b" ", 2)
        self._status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        self._caller.sendall(head + mark)
        while piece or (piece := self.node.recv(PIECE_BYTES)):
            if not self._passed(self._caller, piece, "back", not self._head.has_body):
                return
            piece = b""

    def _passed(self, to: socket.socket, piece: bytes, way: str, harmed: bool) -> bool:  # noqa: FBT001 (which way)
        """Pass a piece on; False where it is the last one."""
        begins = self._sent[way]
        left = self._harm.done_to(piece, begins) if harmed else piece
        # What comes before the cut still goes.
        to.sendall(piece[: self._harm.at - begins] if left is None else left)
        self._sent[way] += len(piece)
        if harmed and self._harm.kind == "drip" and self._harm.drip_s:
            self._harm.fell = True
            self._leaving.wait(self._harm.drip_s * len(piece) / DRIP_EVERY)
        return left is not None and not self._leaving.is_set()
