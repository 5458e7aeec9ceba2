"""The worker process: hands the built node to the timetable and stops it on SIGTERM or SIGINT.

Signals are turned into an event here, at the edge; the timetable waits on it and lets a run end as cancelled. What is
harvested and when is not decided here.
"""

import signal
import threading

from node.assembly import build
from node.jobs.worker import run_worker
from node.settings import Settings


def work(settings: Settings) -> None:
    """Run the timetable until a signal."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    node = build(settings)
    try:
        run_worker(node, stop)
    finally:
        node.close()
