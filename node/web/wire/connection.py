"""The connection that a stream goes over, as far as a stream must know it: what is still on this side, and its end.

Our own server puts it into the scope (`quick`); under another there is none, and nothing is known. What the kernel took
and did not send is on this side too. An end that drops it needs a reset: closed plainly, the kernel would go on sending
what it holds for minutes, to whoever begins to read again. May touch the socket of a transport, and nothing else.
"""

import contextlib
import fcntl
import socket
import struct
from collections.abc import Mapping
from typing import Any

# Where our own server puts the transport.
CONNECTION = "citynode.connection"
# How much the kernel takes before it goes out: enough that no line waits for us, however wide, since it sends from it
# all the time; what is under way and unconfirmed comes on top.
_UNSENT_BYTES = 256 * 1024
_UNSENT_ASKED = 0x894B  # Linux: SIOCOUTQNSD
_AT_ONCE = struct.pack("ii", 1, 0)
# What a socket says that is no TCP, or is closed: asyncio's the first, uvloop's the second (it has no descriptor then).
_CLOSED = (OSError, ValueError)


class Connection:
    """A connection that bytes of a part go over."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        """Take the connection of a request."""
        self._transport = scope.get("extensions", {}).get(CONNECTION, {}).get("transport")
        self._socket: Any = self._transport.get_extra_info("socket") if self._transport is not None else None

    def narrow(self) -> None:
        """Let the kernel hold no more than it needs."""
        if self._socket is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with contextlib.suppress(*_CLOSED):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)

    @property
    def is_known(self) -> bool:
        """Tell whether our own server serves it."""
        return self._transport is not None

    @property
    def unsent(self) -> int:
        """Give how many bytes wait here for the other side to take them; 0 once it is closed."""
        if self._transport is None or self._transport.is_closing():
            return 0
        return int(self._transport.get_write_buffer_size()) + self._in_kernel()

    def drop(self) -> None:
        """End it at once, with a reset: of what was not sent nothing goes out any more."""
        if self._transport is None:
            return
        with contextlib.suppress(*_CLOSED):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._transport.abort()

    def _in_kernel(self) -> int:
        with contextlib.suppress(*_CLOSED):
            return int(struct.unpack("i", fcntl.ioctl(self._socket.fileno(), _UNSENT_ASKED, bytes(4)))[0])
        return 0
