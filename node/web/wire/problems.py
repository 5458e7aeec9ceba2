"""How a "no" is said over HTTP: the one table from error to status, and RFC 9457 documents or pages from it.

Machines get `application/problem+json`; a browser gets the same in words, in its language. The type of a problem is
`<base>/problems/{code}`, which can be read there. Errors know nothing of HTTP; a test walks their tree against this
table, so that a new class cannot be forgotten.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from node import errors

# Error class -> status. A subclass without a line of its own is a mistake that the tests find.
STATUS: dict[type[errors.NodeError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotAgreed: 403,
    errors.Quarantined: 403,
    errors.ForbiddenAddress: 403,
    errors.NotFound: 404,
    errors.NotAcceptable: 406,
    errors.Conflict: 409,
    errors.Withdrawn: 410,
    errors.Changed: 412,
    errors.TooLarge: 413,
    errors.WrongRange: 416,
    errors.Refused: 422,
    errors.UnknownKind: 422,
    errors.Refuted: 422,
    errors.BadSignature: 422,
    errors.BrokenHistory: 422,
    errors.Fork: 422,
    errors.WrongRoot: 422,
    errors.KeyChanged: 422,
    errors.TooManyRequests: 429,
    errors.NodeError: 500,
    errors.Misconfigured: 500,
    errors.Unavailable: 503,
    errors.JournalBusy: 503,
    errors.AlreadyRunning: 503,
    errors.Stopped: 503,
    errors.SourceUnreachable: 502,
    errors.PeerUnreachable: 502,
    errors.OriginChanged: 503,
    errors.ConsentUnknown: 503,
}
# Problems that HTTP itself has and our tree has not.
HTTP_ONLY: dict[str, int] = {"method-not-allowed": 405, "address-too-long": 414, "internal": 500}
RETRY_AFTER_S = 30

CODES: dict[str, int] = {kind.code: status for kind, status in STATUS.items()} | HTTP_ONLY


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one request. `more` joins the document as further members.

    `said` is what a page says instead of the detail, in its reader's language: a key of the words, and values; `field`
    is which value of a form is wrong. `size` is of what ranges were asked of.
    """

    code: str
    status: int
    detail: str
    fix: str = ""
    more: Mapping[str, object] = field(default_factory=dict)
    challenge: str = ""
    retry_after_s: int = 0
    nonce: str = ""
    said: tuple[str, Mapping[str, object]] = ("", {})
    size: int | None = None
    field: str = ""

    def document(self, *, base_url: str, instance: str, title: str) -> bytes:
        """Write problem+json; members in a fixed order, `more` last."""
        members: dict[str, object] = {
            "type": f"{base_url}/problems/{self.code}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.fix:
            members["fix"] = self.fix
        members["instance"] = instance
        return json.dumps(members | dict(self.more), ensure_ascii=False, indent=1).encode() + b"\n"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Say when to come back, if that is the thing to do, and how to prove who one is."""
        said: tuple[tuple[str, str], ...] = (("www-authenticate", self.challenge),) if self.challenge else ()
        said += (("dpop-nonce", self.nonce),) if self.nonce else ()
        said += (("content-range", f"bytes */{self.size}"),) if self.size is not None else ()
        after = self.retry_after_s or (RETRY_AFTER_S if self.status == 503 else 0)
        return (*said, ("retry-after", str(after))) if after else said


def problem_of(error: errors.NodeError) -> Problem:
    """Translate an error of ours. What only the operator may know is not said outside."""
    status = STATUS[type(error)]
    if status == 500:
        return internal()
    more: dict[str, object] = {}
    if isinstance(error, errors.Withdrawn) and error.iri:
        more = {"record": error.iri, "withdrawn_at_ms": error.at_ms}
        more |= {"mirror": error.mirror} if error.mirror else {}
    if isinstance(error, errors.Malformed) and error.places:
        # The member and its spelling are those of the example in RFC 9457, 3.
        more = {"errors": [{"detail": detail, "pointer": f"#{at}"} for at, detail in error.places]}
    if isinstance(error, errors.NotAcceptable) and error.available:
        more = {"available": [{"media_type": kind, "href": href} for kind, href in error.available.items()]}
    if isinstance(error, errors.NotAgreed):
        said = {"agreement": error.agreement, "clause": error.clause, "operand": error.operand}
        more = {name: value for name, value in said.items() if value}
    challenge = error.challenge if isinstance(error, errors.Unauthenticated) else ""
    nonce = error.nonce if isinstance(error, errors.Unauthenticated) else ""
    size = error.size if isinstance(error, errors.WrongRange) else None
    wait = error.retry_after_s if isinstance(error, errors.Unavailable) and status in (429, 503) else 0
    told = (error.code, status, error.message, error.fix)
    return Problem(*told, more, challenge, wait, nonce, error.said, size, error.field)


def internal() -> Problem:
    """Say that the fault is ours, and nothing else."""
    return Problem("internal", 500, "Something broke on our side. It has been written down.", "Try again in a minute.")
