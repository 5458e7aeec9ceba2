"""Files on web servers as origins: one address, one part, with the city's own credential where one is asked for.

A credential goes to the one place it is for and is left out of every message. Redirects are followed within that
place alone. The address is that of a file: what stands behind it may change, and is then another version.
"""

import threading
from collections.abc import Sequence

from node.errors import NotFound, SourceUnreachable
from node.federation.data.credentials import Credentials
from node.federation.data.places import Registered
from node.federation.data.remote import Asked, Remote, RemoteBytes
from node.federation.moving import Part


class HttpsPlace:
    """Opens addresses. Safe to share by threads."""

    def __init__(self, remote: Remote, credentials: Credentials) -> None:
        """Read through this, with these credentials."""
        self._remote = remote
        self._credentials = credentials

    def parts(self, origin: Registered) -> Sequence[Part]:
        """Give the one part. Raises what opening raises, nothing there being unreachable."""
        try:
            return [self._remote.look(self._asked(origin))]
        except NotFound as error:
            raise SourceUnreachable(error.message, fix=error.fix) from error

    def left_out(self, origin: Registered) -> Sequence[str]:  # noqa: ARG002
        """Name nothing: an address is one part."""
        return ()

    def open(self, origin: Registered, part: str, *, start: int, stop: threading.Event | None = None) -> RemoteBytes:  # noqa: ARG002
        """Open it from a byte on. Raises NotFound, SourceUnreachable."""
        return self._remote.open(self._asked(origin), start=start, stop=stop)

    def _asked(self, origin: Registered) -> Asked:
        def headers() -> dict[str, str]:
            return dict(self._credentials.headers(origin.credential, origin.location))

        return Asked(origin, origin.name, origin.location, headers)
