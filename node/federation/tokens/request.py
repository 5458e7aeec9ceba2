"""What a form asks of the token endpoint, read strictly: parameters once, one resource, known scopes, whole details.

Pure. A parameter that stands twice is refused, since two readers may each take another one of the two. Everything is
bounded: the form, its parameters, the scopes, and the `authorization_details` (RFC 9396), whose members are a closed
list so that nothing is granted that nobody read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from node.federation.moving import TRANSFER_ACCESS
from node.federation.tokens.metadata import DETAILS_TYPE, SCOPE_FEDERATION
from node.federation.tokens.secrets import SCOPE

FORM = "application/x-www-form-urlencoded"
MAX_FORM_BYTES = 64 * 1024
MAX_PARAMETERS = 32
MAX_SCOPES = 50
MAX_DETAILS_BYTES = 8 * 1024
MAX_DETAILS = 10
MAX_DATASETS = 100
ACTIONS = frozenset({"read", "use", "distribute", "derive", "aggregate", "index", "translate"})
_IRI = re.compile(r'https?://[^\s<>"{}|\\^`]{1,2040}')
_PID = re.compile(r"[\x21-\x7e]{1,200}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

Details = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to an endpoint of the authorization server.

    `dpop` are all DPoP headers it had. `admit` is called with the name of the peer once it is known and before
    anything is issued; it may raise TooManyRequests.
    """

    body: bytes
    content_type: str
    dpop: Sequence[str] = ()
    admit: Callable[[str], None] = field(default=lambda _name: None)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answers: always JSON, never to be stored."""

    status: int
    body: Mapping[str, object]
    headers: Sequence[tuple[str, str]] = ()


class WrongRequestError(Exception):
    """A request that cannot be granted as it is; `code` is OAuth's. Stays within the token service."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_form(body: bytes, content_type: str) -> dict[str, str]:
    """Give the parameters of a form; empty ones count as absent (RFC 6749, 3.2).

    Raises:
        WrongRequestError: It is no form, too large, not UTF-8, or names a parameter twice.
    """
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise WrongRequestError("invalid_request", f"Send a form: Content-Type {FORM}.")
    if len(body) > MAX_FORM_BYTES:
        raise WrongRequestError("invalid_request", f"A form has at most {MAX_FORM_BYTES} bytes.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError as error:
        raise WrongRequestError("invalid_request", "The form cannot be read.") from error
    form = dict(pairs)
    if len(form) < len(pairs):
        raise WrongRequestError("invalid_request", "A parameter stands twice in the form.")
    return {name: value for name, value in form.items() if value}


def asked_scopes(form: Mapping[str, str]) -> frozenset[str]:
    """Give the scopes asked for, `federation` if none is named.

    `read:NAME` says for what the token is wanted and grants nothing by itself: the city's sharing decides at each
    request. So it is taken for any name, and tells nobody which collections there are.

    Raises:
        WrongRequestError: One of them is none that a peer may have.
    """
    scopes = form.get("scope", SCOPE_FEDERATION).split(" ")
    if len(scopes) > MAX_SCOPES or not all(each == SCOPE_FEDERATION or SCOPE.fullmatch(each) for each in scopes):
        raise WrongRequestError("invalid_scope", "A scope is federation, or read: and the name of a collection.")
    return frozenset(scopes)


def check_resource(form: Mapping[str, str], base_url: str) -> None:
    """Make sure that the token is wanted for this node (RFC 8707). Raises WrongRequestError."""
    if form.get("resource") != base_url:
        raise WrongRequestError(
            "invalid_target", f"resource must be {base_url}, for which alone tokens are issued here."
        )


def asked_details(form: Mapping[str, str]) -> Details:
    """Give the `authorization_details` asked for; none if the form has none.

    Raises:
        WrongRequestError: They are not spelt as this node understands them.
    """
    text = form.get("authorization_details")
    if text is None:
        return ()
    try:
        details = orjson.loads(text) if len(text) <= MAX_DETAILS_BYTES else None
    except orjson.JSONDecodeError:
        details = None
    if not isinstance(details, list) or not 1 <= len(details) <= MAX_DETAILS:
        raise _wrong_details(f"They are a JSON array of 1 to {MAX_DETAILS} objects, at most {MAX_DETAILS_BYTES} bytes.")
    return tuple(_checked_detail(each) for each in details)


def _checked_detail(detail: object) -> Mapping[str, Any]:
    if isinstance(detail, dict) and detail.get("type") == TRANSFER_ACCESS:
        return _checked_transfer(detail)
    if not isinstance(detail, dict) or detail.get("type") != DETAILS_TYPE:
        raise _wrong_details(f"Each is an object of the type {DETAILS_TYPE} or {TRANSFER_ACCESS}.")
    unknown = detail.keys() - _MEMBERS.keys() - {"type"}
    if unknown or not {"agreement", "digest"} <= detail.keys():
        raise _wrong_details(f"The members are {', '.join(('type', *_MEMBERS))}; agreement and digest must be there.")
    for name, fits in _MEMBERS.items():
        if name in detail and not fits(detail[name]):
            raise _wrong_details(f"{name} is not spelt as it has to be.")
    return detail


def _checked_transfer(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    pid = detail.get("transfer")
    if detail.keys() != {"type", "transfer"} or not isinstance(pid, str) or not _PID.fullmatch(pid):
        raise _wrong_details("One for a transfer has, beside its type, the provider's id of it as transfer.")
    return detail


def _is_iri(value: object) -> bool:
    return isinstance(value, str) and _IRI.fullmatch(value) is not None


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _are_datasets(value: object) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= MAX_DATASETS and all(_is_iri(each) for each in value)


def _are_actions(value: object) -> bool:
    if not isinstance(value, list) or not 1 <= len(value) <= len(ACTIONS):
        return False
    return all(isinstance(each, str) and each in ACTIONS for each in value)


_MEMBERS: dict[str, Callable[[object], bool]] = {
    "agreement": _is_iri,
    "digest": _is_digest,
    "purpose": _is_iri,
    "datasets": _are_datasets,
    "actions": _are_actions,
}


def _wrong_details(message: str) -> WrongRequestError:
    return WrongRequestError("invalid_authorization_details", f"authorization_details cannot be granted. {message}")
