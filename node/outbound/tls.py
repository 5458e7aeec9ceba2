"""The certificates that peers and portals are checked against: loaded once, when they are first needed.

Loading takes longer than many a request, and plain addresses never need it. Only the system's bundle of the HTTP
library is trusted; no environment variable changes that.
"""

import ssl
import threading

import httpx


class Certificates:
    """One TLS context for every connection; safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context: ssl.SSLContext | None = None

    def of(self, scheme: str) -> ssl.SSLContext:
        """Give the context for a scheme; that of http trusts nobody and is never used."""
        if scheme != "https":
            return self._plain
        with self._lock:
            if self.context is None:
                self.context = httpx.create_ssl_context(trust_env=False)
            return self.context
