"""The ASGI app of a node: what a web server is given.

A room of its own, because here the web meets what `assembly` built. One app per process: it keeps encoded replies in
memory, and they are as true as the shelf's version that they were made at.
"""

from typing import cast

from node.assembly import Node
from node.web.assemble import build
from node.web.ports.ports import Site
from node.web.wire.front import Front


def create_app(node: Node) -> Front:
    """Build the app over a node's parts; opens nothing by itself."""
    # The web names only the attributes of `Held` it reads; the shelf takes back no other `Held` than it gave.
    return build(cast(Site, node.site))
