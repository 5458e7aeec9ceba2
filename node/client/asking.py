"""One request after another to one node: retries, waiting, the token, and bounds on what comes back.

Everything asked here only reads, so that asking again is safe. The token goes to the node's own address and nowhere
else, and redirects are not followed: a node has none. `sleep`, `chance` and the transport come in, so that tests wait
for nothing.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from node.client.noes import BadAnswer, ClientError, Unavailable, error_of

USER_AGENT = "citynode-client"
Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one call may try: so many requests, each so long, and between them at most so long a pause.

    The pauses double from `first_wait_s`, with chance in them so that many clients do not come back at once. A node
    that asks for a longer pause than `most_wait_s` is not asked again: the error says when.
    """

    tries: int = 4
    timeout_s: float = 30
    first_wait_s: float = 0.5
    most_wait_s: float = 30
    most_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What came: a success with its body."""

    url: str
    media_type: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """Read the body as a JSON object. Raises BadAnswer."""
        found = json_object(self.body)
        if found is None:
            raise BadAnswer(f"{self.url} did not answer with JSON, but with {self.media_type or 'something else'}.")
        return found


class Asker:
    """Asks one node; safe in several threads, like the connections it holds."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str | Callable[[], str] = "",
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.username:
            raise ValueError(f"{base_url!r} is no address of a node; write https://data.example.org.")
        self.base_url = base_url.rstrip("/")
        self._token = token
        self._patience = patience or Patience()
        self._sleep, self._chance = sleep, chance
        self._http = httpx.Client(
            transport=transport,
            timeout=self._patience.timeout_s,
            follow_redirects=False,
            headers={"user-agent": USER_AGENT},
        )

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def get(self, path: str, params: Params = (), *, accept: str = "application/json") -> Reply:
        """Read an address of the node, given without the base URL or with it.

        Raises:
            ClientError: See its branches; `Unavailable` only after every try.
        """
        return self._ask("GET", self._address(path), params, accept, b"", "")

    def post(self, path: str, body: bytes, media_type: str, *, accept: str) -> Reply:
        """Send a question that is too long for an address. Raises as `get` does."""
        return self._ask("POST", self._address(path), (), accept, body, media_type)

    def _address(self, path: str) -> str:
        """Give the whole address. Raises BadAnswer for one elsewhere, to which our token must not go."""
        if path.startswith("/"):
            return self.base_url + path
        if path == self.base_url or path.startswith((self.base_url + "/", self.base_url + "?")):
            return path
        raise BadAnswer(f"The node sends us on to {path[:200]!r}, which is not its own address.")

    def _ask(self, method: str, url: str, params: Params, accept: str, body: bytes, kind: str) -> Reply:
        headers = {"accept": accept} | ({"content-type": kind} if kind else {})
        error: ClientError = Unavailable(f"{self.base_url} was not asked.")
        for attempt in range(max(1, self._patience.tries)):
            if attempt:
                self._pause(attempt, error)
            try:
                return self._once(method, url, params, headers | self._credentials(), body)
            except Unavailable as again:
                error = again
        raise error

    def _credentials(self) -> dict[str, str]:
        token = self._token() if callable(self._token) else self._token
        return {"authorization": f"Bearer {token}"} if token else {}

    def _pause(self, attempt: int, error: ClientError) -> None:
        """Wait as long as the node asked, else twice as long as before. Raises the error if that is too long."""
        if error.retry_after_s > self._patience.most_wait_s:
            raise error
        grown = self._patience.first_wait_s * 2 ** (attempt - 1) * (0.5 + self._chance() / 2)
        self._sleep(error.retry_after_s or min(grown, self._patience.most_wait_s))

    def _once(self, method: str, url: str, params: Params, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            # httpx drops the query of the address itself where it is given parameters, even none.
            asked = self._http.stream(method, url, params=list(params) or None, headers=headers, content=body or None)
            with asked as reply:
                content = self._read(reply)
        except httpx.TransportError as error:
            raise Unavailable(f"{self.base_url} cannot be reached: {error}.") from error
        if reply.status_code == 200:
            kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Reply(str(reply.url), kind, reply.headers, content)
        raise _error(reply, content)

    def _read(self, reply: httpx.Response) -> bytes:
        """Read the body up to the bound. Raises BadAnswer beyond it."""
        pieces, read = [], 0
        for piece in reply.iter_bytes():
            read += len(piece)
            if read > self._patience.most_bytes:
                raise BadAnswer(f"More than {self._patience.most_bytes} bytes came.", fix="Ask for less at once.")
            pieces.append(piece)
        return b"".join(pieces)


def _error(reply: httpx.Response, content: bytes) -> ClientError:
    problem = json_object(content) or {}
    wait = _wait_s(reply.headers.get("retry-after", ""), reply.headers.get("date", ""))
    return error_of(reply.status_code, problem, retry_after_s=wait)


def _wait_s(value: str, date: str) -> float:
    """Read Retry-After: seconds, or a time, counted from the node's own clock (RFC 9110, 10.2.3); 0 for none."""
    if value.strip().isascii() and value.strip().isdigit():
        return float(value[:9])
    try:
        until, now = (parsedate_to_datetime(text) for text in (value, date))
        return max(0.0, (until.astimezone(UTC) - now.astimezone(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return 0.0


def json_object(body: bytes) -> dict[str, object] | None:
    """Read a JSON object; nothing if it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
