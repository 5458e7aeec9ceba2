"""How the pages of sources and runs do an act: beside the event loop, and with a "no" that helps a person on.

That a run is under way is no fault of ours and not to be tried again at once, as it is for programs; so at the desk it
is a clash with what is there. What else clashes is said by the page that asked, in its reader's language.
"""

from collections.abc import Callable
from typing import TypeVar

from node.errors import AlreadyRunning, Conflict
from node.web.desk.frame import Desk

T = TypeVar("T")


async def act(desk: Desk, work: Callable[[], T], *, clash: str = "") -> T:
    """Do an act of an office; `clash` is the key of what a page says if it cannot be done as things stand.

    Raises:
        Conflict: A run of the source is under way, or whatever else the office says clashes.
    """
    try:
        return await desk.does(work)
    except AlreadyRunning as error:
        busy = Conflict(error.message, fix="Wait until it has ended, or stop it.")
        busy.said = ("desk.run.busy", {})
        raise busy from error
    except Conflict as error:
        error.said = (clash, {}) if clash else error.said
        raise
