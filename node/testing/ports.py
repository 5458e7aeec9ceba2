"""Ports for nodes that are killed and started again, so each must keep its own while nobody listens on it.

The kernel gives outgoing connections ports of its ephemeral range, and may give away the port of a node that is just
down. So ports are taken from below that range. A port once given is not given again by this process.
"""

import random
import socket
import threading
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 10_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_chance = random.SystemRandom()
_given: set[int] = set()
_lock = threading.Lock()


def free_port() -> int:
    """Give a port of 127.0.0.1 that nobody listens on, outside the range of outgoing connections."""
    with _lock:
        while True:
            port = _chance.randrange(LOWEST, _first_ephemeral())
            if port not in _given and _is_free(port):
                _given.add(port)
                return port


def _first_ephemeral() -> int:
    try:
        first = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768
    # A machine may give the whole range to outgoing connections; then there is nothing to keep out of.
    return first if first > LOWEST + 1_000 else 32_768


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
