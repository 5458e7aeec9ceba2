"""What the client raises: one class for each thing that the caller can do about it.

    ClientError
    ├── Refused        the request must be changed; trying it again as it is will not help
    │   ├── NotAllowed     no token, one that does not hold, or one without the right
    │   └── NotThere       nothing of that name, or no longer
    ├── Unavailable    try again later; the client has tried as often as its patience allowed
    │   └── TooMany        faster than the node answers one caller; `retry_after_s` says when to come back
    └── BadAnswer      what came is no answer of a city node, or is too large

`code`, `detail` and `fix` are the node's own words where it answered with a problem document (RFC 9457).
"""

from collections.abc import Mapping


class ClientError(Exception):
    """The root; catches everything the client raises."""

    def __init__(
        self, detail: str, *, status: int = 0, code: str = "", fix: str = "", retry_after_s: float = 0
    ) -> None:
        super().__init__(" ".join(part for part in (detail, fix) if part))
        self.detail, self.status, self.code, self.fix = detail, status, code, fix
        self.retry_after_s = retry_after_s


class Refused(ClientError):
    """The request must be changed."""


class NotAllowed(Refused):
    """No token, one that does not hold, or one without the right."""


class NotThere(Refused):
    """Nothing of that name, or no longer."""


class Unavailable(ClientError):
    """Try again later."""


class TooMany(Unavailable):
    """Faster than the node answers one caller."""


class BadAnswer(ClientError):
    """No answer of a city node, or one that is too large."""


def error_of(status: int, problem: Mapping[str, object], *, retry_after_s: float = 0) -> ClientError:
    """Make the error for a status and the problem document that came with it, if any."""
    detail = str(problem.get("detail") or problem.get("title") or f"The node answered {status}.")
    code, fix = str(problem.get("type", "")).rpartition("/")[2], str(problem.get("fix", ""))
    kind: type[ClientError] = Refused
    if status in (401, 403):
        kind = NotAllowed
    elif status in (404, 410):
        kind = NotThere
    elif status == 429:
        kind = TooMany
    elif status >= 500:
        kind = Unavailable
    elif status < 400:
        kind = BadAnswer
    return kind(detail, status=status, code=code, fix=fix, retry_after_s=retry_after_s)
