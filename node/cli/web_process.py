"""One web process: uvicorn over the socket it was handed, serving what `assembly` built.

Links are made from the base URL alone and no address of a visitor is written down. What a proxy forwards is believed in
one place, `web.limits`, and only of proxies that the settings trust; hence uvicorn's own handling is off. Replies that
stand in memory reach neither the routers nor a task (`web.quick`); keep this process thin.
"""

import signal
import socket

import uvicorn

from node.app import create_app
from node.assembly import build
from node.settings import Settings
from node.web.wire.front import Front
from node.web.wire.quick import quick_way

GRACE_S = 5


def answer(settings: Settings, door: socket.socket) -> None:
    """Serve readers until SIGTERM or SIGINT; requests under way have 5 s to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn sends itself the signal again when it has stopped: without this nothing after it would be done.
        signal.signal(number, _end)
    node = build(settings)
    try:
        with node.readers.usage.counting():
            uvicorn.Server(_configured(create_app(node))).run(sockets=[door])
    finally:
        node.close()


def _end(*_: object) -> None:
    raise SystemExit(0)


def _configured(app: Front) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=quick_way(app),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=30,
    )
