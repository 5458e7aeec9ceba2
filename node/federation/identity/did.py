"""The did:web of a city: its base URL in the spelling of the DID method, which leads back to its DID document.

A key of a city is named `{did}#{kid}`, `kid` being its thumbprint. Nobody is asked: which keys a city has is what was
pinned of its statement. Pure.
"""

from urllib.parse import quote, urlsplit

from node.errors import Malformed


def did_web(url: str) -> str:
    """Give the did:web of a base URL; Malformed if it is no address on the web."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Malformed(f"{ascii(url)[:100]} is no base URL of a city.")
    segments = [quote(part, safe="-._") for part in parts.path.split("/") if part]
    return ":".join(["did:web", quote(parts.netloc, safe="-._"), *segments])
