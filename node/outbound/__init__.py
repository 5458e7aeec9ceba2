"""The only way out: fetches documents over HTTP for this node, from addresses it may fetch, within limits.

Nobody else opens a connection outwards or imports the HTTP client. Every host is resolved here, every answer of the
resolver checked, and the connection made to the checked address itself, so that a second answer cannot lead elsewhere;
the certificate is still checked for the name. No proxies or credentials from the environment, no cookies, redirects
followed by hand (portals) or not at all (peers). What would surprise: blocking work happens in a daemon thread, which
is abandoned when the caller's time is up or its stop event set, because name lookups cannot be interrupted.
"""

from node.outbound.addresses import Address, Resolver, is_public, origin_of, system_resolver
from node.outbound.ask import Reply
from node.outbound.door import Outbound
from node.outbound.download import Answer, Progress
from node.outbound.look import Looked
from node.outbound.stream import Span, Stream

__all__ = [
    "Address",
    "Answer",
    "Looked",
    "Outbound",
    "Progress",
    "Reply",
    "Resolver",
    "Span",
    "Stream",
    "is_public",
    "origin_of",
    "system_resolver",
]
