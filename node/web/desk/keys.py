"""The desk's page on the node's own keys: what each is for, how old it is, and how the next one takes over.

A rotation asks nothing of other cities; what happens and when is said before the button. Private halves never come near
the web: to encrypt keys, or to replace a lost one, somebody goes to the machine.
"""

from starlette.requests import Request
from starlette.responses import Response

from node.web.desk.frame import Clerk, Desk
from node.web.desk.peers import ms
from node.web.forms.forms import Form, fault
from node.web.ports.peers import KeyOffice

OVERLAPS = (7, 30, 0)


def add(desk: Desk) -> None:
    """Put the page on the desk."""
    federation = desk.parts.site.federation
    if federation is not None:
        _add(desk, federation.key_office)


def _add(desk: Desk, office: KeyOffice) -> None:
    @desk.get("/keys")
    async def all_of_them(request: Request, clerk: Clerk) -> Response:
        told = await desk.does(office.list)
        old = [each["purpose"] for each in told["purposes"] if any(key["old"] for key in each["keys"])]
        return desk.page(request, clerk, "keys.html", nav="keys", keys=told, old=old, overlaps=OVERLAPS, ms=ms)

    @desk.post("/keys/{purpose}/rotate", "rule", "key.rotate")
    async def rotate(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001  (the trail says who)
        days, purpose = form.number("overlap", most=366), str(request.path_params["purpose"])
        if not form.ticked("sure"):
            raise fault("desk.keys.sure_first", "Nobody has said that the key is to be replaced.")
        form.told["overlap_days"] = days
        done = await desk.does(lambda: office.rotate(purpose, overlap_days=days))
        form.told["kid"] = done["kid"]
        said = "desk.keys.note.fingerprint" if purpose == "entity" else "desk.keys.note.rotated"
        return desk.back(request, f"/desk/keys#{purpose}", said)

    @desk.post("/keys/{kid}/retire", "rule", "key.retire")
    async def retire(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        kid = str(request.path_params["kid"])
        done = await desk.does(lambda: office.retire(kid))
        return desk.back(request, f"/desk/keys#{done['purpose']}", "desk.keys.note.retired")
