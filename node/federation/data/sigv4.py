"""Signatures of requests to S3 stores (AWS Signature Version 4): pure functions over values, no clock and no network.

Own code, because the libraries that speak S3 open connections by themselves: past the guard of addresses, following
redirects to anywhere and reading keys from the environment. Tested against an independent implementation.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from node.federation.data.credentials import Keys

EMPTY = hashlib.sha256(b"").hexdigest()
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed: `path` (`/bucket/key`) and `query` unencoded, `body` the hex SHA-256 of what is sent."""

    method: str
    path: str
    query: Mapping[str, str]
    body: str = EMPTY

    def url(self, keys: Keys) -> str:
        """Give the address it is sent to."""
        query, (endpoint, path) = canonical_query(self.query), self.at(keys)
        return f"{endpoint}{canonical_path(path)}{'?' + query if query else ''}"

    def at(self, keys: Keys) -> tuple[str, str]:
        """Give the host and the path there: the bucket stands in the one or in the other, as the store has it."""
        if not keys.is_virtual:
            return keys.endpoint, self.path
        bucket, _, key = self.path.removeprefix("/").partition("/")
        scheme, _, host = keys.endpoint.partition("://")
        return f"{scheme}://{bucket}.{host}", f"/{key}"


def canonical_path(path: str) -> str:
    """Encode a path as it is signed: all but letters, digits and `-._~/`.

    >>> canonical_path("/bucket/a b/ä+.csv")
    '/bucket/a%20b/%C3%A4%2B.csv'
    """
    return quote(path, safe="-._~/")


def canonical_query(query: Mapping[str, str]) -> str:
    """Encode a query as it is signed: in order, each name with a sign of equality."""
    encoded = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in encoded)


def signed(request: Request, keys: Keys, *, now_ms: int) -> dict[str, str]:
    """Give the headers that sign a request."""
    moment = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"x-amz-content-sha256": request.body, "x-amz-date": moment}
    headers |= {"x-amz-security-token": keys.session} if keys.session else {}
    endpoint, path = request.at(keys)
    said = {"host": _host(endpoint), **headers}
    names = ";".join(sorted(said))
    canonical = "\n".join(
        (
            request.method,
            canonical_path(path),
            canonical_query(request.query),
            *(f"{name}:{said[name].strip()}" for name in sorted(said)),
            "",
            names,
            request.body,
        )
    )
    scope = f"{moment[:8]}/{keys.region}/s3/aws4_request"
    to_sign = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.new(_key(keys, moment[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"{keys.key_id}/{scope}"
    return headers | {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    }


def _key(keys: Keys, day: str) -> bytes:
    made = f"AWS4{keys.secret}".encode()
    for step in (day, keys.region, "s3", "aws4_request"):
        made = hmac.new(made, step.encode(), hashlib.sha256).digest()
    return made


def _host(endpoint: str) -> str:
    """Name the host as the way out does: without the port where it is the usual one."""
    parts = urlsplit(endpoint)
    usual = parts.port in (None, _DEFAULT_PORTS.get(parts.scheme))
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return shown if usual else f"{shown}:{parts.port}"
