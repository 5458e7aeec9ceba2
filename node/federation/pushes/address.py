"""Where a push goes: the protocol's data address, as a consumer writes it and as a provider reads it. Pure.

A city's own door takes parts below `/data/incoming/{consumerPid}/`, from where the last attempt ended, and knows its
provider by the token that peers have of each other. Any other address takes each part as one body, with a bearer token
if one is given. Both are a stranger's words to the provider: bounded, and never below somebody else than was said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from node.errors import ForbiddenAddress, Malformed
from node.federation.moving import NS

CITY, HTTP = f"{NS}incoming", "https://w3id.org/idsa/v4.1/HTTP"
PATH = "/data/incoming"
MAX_ENDPOINT = 2_000
MAX_SECRET = 8 * 1024
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the parts of one transfer go. `bearer` opens the address and is never shown."""

    endpoint: str
    is_city: bool
    is_single: bool
    bearer: str = field(default="", repr=False)

    def url(self, part: str) -> str:
        """Give where a part goes."""
        return self.endpoint if self.is_single else f"{self.endpoint}/{quote(part)}"


def at_our_door(base_url: str) -> Json:
    """Write the address of our own door."""
    return {"@type": "DataAddress", "endpointType": CITY, "endpoint": base_url + PATH}


def elsewhere(endpoint: str, bearer: str = "") -> Json:
    """Write another address. Raises Malformed, ForbiddenAddress where `target` would."""
    shown = (("authorization", bearer), ("authType", "bearer")) if bearer else ()
    address = {
        "@type": "DataAddress",
        "endpointType": HTTP,
        "endpoint": endpoint,
        "endpointProperties": [{"@type": "EndpointProperty", "name": name, "value": value} for name, value in shown],
    }
    target(address, "", "", is_single=True, allow_http=True)  # what is too open is said by who would bring it
    return address


def target(address: Json, peer_url: str, consumer_pid: str, *, is_single: bool, allow_http: bool) -> Target:
    """Read where a push goes.

    Args:
        address: As it stands in the request.
        peer_url: The consumer's base URL.
        consumer_pid: Its id of the transfer.
        is_single: Whether the transfer is about one part, which then is what the address itself names.
        allow_http: Whether data and tokens may go where they can be read on their way, in closed test networks.

    Raises:
        Malformed: It names no place, or no way to show who brings something.
        ForbiddenAddress: It leads elsewhere than it says, or is plain http.
    """
    endpoint, kind = _text(address, "endpoint", MAX_ENDPOINT), _text(address, "endpointType", MAX_ENDPOINT)
    if kind == CITY:
        if endpoint != peer_url + PATH or not consumer_pid:
            raise ForbiddenAddress(
                f"{endpoint[:200]!r} is not the door of {peer_url}.", fix=f"Give {peer_url}{PATH}, or an https address."
            )
        return Target(f"{endpoint}/{quote(consumer_pid)}", is_city=True, is_single=False)
    properties = _properties(address)
    scheme = properties.get("authType", "bearer").lower()
    if scheme not in ("bearer", "none"):
        raise Malformed("Data are brought with a bearer token or with none.", fix="Give authType bearer.")
    bearer = properties.get("authorization", "")
    _check(endpoint, bearer)
    if urlsplit(endpoint).scheme != "https" and not allow_http:
        raise ForbiddenAddress("Data are brought to https addresses alone.", fix="Give an https address.")
    if not is_single and urlsplit(endpoint).query:
        raise Malformed(
            "An address with a query is that of one part; several go below an address.",
            fix="Ask for one part by its name, or give an address without a query.",
        )
    # Some write the scheme before the token.
    bearer = bearer[7:] if bearer[:7].lower() == "bearer " else bearer
    return Target(
        endpoint.rstrip("/") if not is_single else endpoint, is_city=False, is_single=is_single, bearer=bearer
    )


def _check(endpoint: str, bearer: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.fragment:
        raise Malformed("The data address has no http address as its endpoint.")
    if not endpoint.isascii() or not endpoint.isprintable() or any(c in endpoint for c in " \\"):
        raise Malformed("The endpoint of the data address is no proper address.")
    if bearer and (not bearer.isascii() or not bearer.isprintable()):
        raise Malformed("The token of the data address cannot stand in a header.")


def _properties(address: Json) -> dict[str, str]:
    """Give the endpoint's properties by name, whatever prefix a connector gives the names."""
    said = address.get("endpointProperties", ())
    found = {}
    for each in said[:50] if isinstance(said, list | tuple) else ():
        if isinstance(each, Mapping):
            name = _text(each, "name", 200).rpartition("/")[2].rpartition(":")[2]
            found[name] = _text(each, "value", MAX_SECRET)
    return found


def _text(said: Json, name: str, most: int) -> str:
    value = said.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise Malformed(f"{name} of the data address is no text of at most {most:,} characters.")
    return value
