"""The desk's pages on other cities: how each stands, how one is added in five steps, and what stops the exchange.

Nothing of a new city is shown and nothing of ours is sent before somebody compared its key and said yes. A page of a
city that was only proposed asks that city for its statement, so that what is approved is what was read just now; no
other page asks anybody but by a press of a button. Tables of many peers are in `peer_tables`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node.errors import Changed, Malformed, NodeError
from node.federation.peers.store import mark_of_follows
from node.stale import mark_of
from node.vocab.lists import DATA_THEMES
from node.web.desk.frame import CLASH, Clerk, Desk
from node.web.forms.forms import Form
from node.web.portal.reach import reach_of
from node.web.ports.peers import Json
from node.web.ports.ports import Federation
from node.web.wire.problems import Problem, problem_of
from node.web.wording.words import known

_NAME = "/peers/{name}"


def add(desk: Desk) -> None:
    """Put the pages on the desk of a node that knows other cities."""
    federation = desk.parts.site.federation
    if federation is None:
        return
    cities = Cities(desk, federation)
    _add_pages(desk, cities)
    _add_admission(desk, cities)
    _add_exchange(desk, cities)
    _add_stopping(desk, cities)


@dataclass(frozen=True, slots=True)
class Tried:
    """What stood in a form that was refused, and what is wrong with it: `faults` are keys of the words by field.

    `wrong` is what the office said of it, where no field alone is at fault; `clash` is `follows` or `note` where the
    page was old, and that was changed since.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    wrong: Problem | None = None
    clash: str = ""

    @property
    def of_whole(self) -> bool:
        """Tell whether it was a form that only the whole page has."""
        return self.clash == "note"

    @property
    def status(self) -> int:
        """Give the status of the page that shows it again."""
        return self.wrong.status if self.wrong else 400 if self.faults else CLASH if self.clash else 200


class Cities:
    """What the pages are made of. Methods that read block."""

    def __init__(self, desk: Desk, federation: Federation) -> None:
        self._desk = desk
        self.federation = federation
        self.office = federation.office

    async def all(self, request: Request, clerk: Clerk) -> Response:
        """Write the list of cities."""
        peers = await self._desk.does(self.office.list)
        return self._desk.page(
            request,
            clerk,
            "peers.html",
            nav="peers",
            peers=[(each, reach_of(each["days"]), needs(each)) for each in peers],
            waiting=sum(needs(each) for each in peers),
            invite=await self._desk.does(self.office.invite),
            ms=ms,
        )

    async def form(self, request: Request, clerk: Clerk, said: Mapping[str, str], wrong: Problem | None) -> Response:
        """Write the form of a new city, with what was typed and what is wrong with it."""
        status, key = wrong.status if wrong else 200, said_of(wrong)
        page = self._desk.page
        return page(request, clerk, "peer_add.html", nav="peers", status=status, said=said, wrong=wrong, wrong_key=key)

    async def one(
        self, request: Request, clerk: Clerk, name: str, *, walk: Json | None = None, tried: Tried | None = None
    ) -> Response:
        """Write the page of one city: the steps while it is new, else how it stands."""
        told = await self._desk.does(lambda: self._told(name))
        # Whoever wants to mirror nothing sees the whole page all the same.
        tried = tried or Tried()
        whole = told["step"] == 5 or (told["step"] == 4 and (tried.of_whole or "whole" in request.query_params))
        template = "peer.html" if whole else "peer_new.html"
        language = self._desk.parts.pages.visitor(request).language
        themes = [(each.iri, each.label(language)) for each in DATA_THEMES]
        more = {"walk": walk, "ms": ms, "themes": themes, "tried": tried, **told}
        return self._desk.page(request, clerk, template, nav="peers", status=tried.status, **more)

    async def review(self, request: Request, clerk: Clerk, name: str, *, tried: Tried | None = None) -> Response:
        """Write what approving a city again would pin."""
        tried = tried or Tried()
        peer = await self._desk.does(lambda: self.office.show(name))
        review, trouble = await self._desk.does(lambda: self._looked_at(name))
        told = {"review": review, "trouble": trouble, "trouble_key": said_of(trouble), "walk": None}
        more: dict[str, Any] = {"ms": ms, "peer": peer, "told": told, "tried": tried}
        return self._desk.page(request, clerk, "peer_review.html", nav="peers", status=tried.status, **more)

    def _told(self, name: str) -> dict[str, Any]:
        peer = self.office.show(name)
        # Only a city that was just proposed is asked for what it shows; of the others a person asks to see it.
        review, trouble = self._looked_at(name) if peer["state"] == "proposed" else (None, None)
        return {
            "peer": peer,
            "reach": reach_of(peer["days"]),
            "mark": mark_of_follows(
                [(each["collection"], each["themes"]) for each in peer["follows"]], every=peer["follows_all"]
            ),
            "note_mark": mark_of(peer["note"]),
            "titles": {str(each["name"]): str(each["title"]) for each in peer["shown"]},
            "held": self.held(name),
            "refused": self.federation.refusal_office.of(name),
            "invite": self.office.invite(),
            "review": review,
            "trouble": trouble,
            "trouble_key": said_of(trouble),
            "step": _step(peer, review),
        }

    def _looked_at(self, name: str) -> tuple[Json | None, Problem | None]:
        """Ask a city for its statement; what goes wrong is shown on the page that wanted it."""
        try:
            return self.office.review(name), None
        except NodeError as error:
            return None, problem_of(error)

    def held(self, name: str) -> int:
        """Count the records that are held of a city."""
        shelf = self._desk.parts.site.shelf
        return sum(shelf.count(each.name) for each in shelf.collections() if each.name.startswith(f"{name}/"))


def _add_pages(desk: Desk, cities: Cities) -> None:
    @desk.get("/peers")
    async def all_of_them(request: Request, clerk: Clerk) -> Response:
        return await cities.all(request, clerk)

    @desk.get("/new-peer", "run")
    async def new(request: Request, clerk: Clerk) -> Response:
        return await cities.form(request, clerk, {"invite": "", "name": "", "note": ""}, None)

    @desk.get(_NAME)
    async def one(request: Request, clerk: Clerk) -> Response:
        return await cities.one(request, clerk, name_of(request))

    @desk.get(f"{_NAME}/test")
    async def tested(request: Request, clerk: Clerk) -> Response:  # noqa: ARG001  (a test is pressed, not looked at)
        return desk.back(request, f"/desk/peers/{name_of(request)}")

    @desk.get(f"{_NAME}/review", "decide")
    async def review(request: Request, clerk: Clerk) -> Response:
        return await cities.review(request, clerk, name_of(request))


def _add_admission(desk: Desk, cities: Cities) -> None:
    @desk.post("/new-peer", "run", "peer.add")
    async def propose(request: Request, clerk: Clerk, form: Form) -> Response:
        said = {"invite": form.text("invite"), "name": form.text("name"), "note": form.text("note", most=1_000)}
        form.told["target"] = said["name"][:63]
        try:
            await desk.does(
                lambda: cities.office.add(said["invite"], name=said["name"], note=said["note"], untold=True)
            )
        except NodeError as error:
            return await cities.form(request, clerk, said, problem_of(error))
        return desk.back(request, f"/desk/peers/{said['name']}", "desk.peers.note.added")

    @desk.post(f"{_NAME}/test", "run", "peer.test")
    async def test(request: Request, clerk: Clerk, form: Form) -> Response:
        name = name_of(request)
        walk = await desk.does(lambda: cities.office.test(name))
        form.told["result"] = walk["failed_at"] or "ok"
        return await cities.one(request, clerk, name, walk=walk)

    @desk.post(f"{_NAME}/approve", "decide", "peer.approve")
    async def approve(request: Request, clerk: Clerk, form: Form) -> Response:
        name, compared, told_by = name_of(request), form.text("compared"), form.text("told_by", most=200)
        faults = {} if compared in ("same", "different", "vouched") else {"compared": "desk.peers.compare_first"}
        if compared in ("same", "different") and not told_by.strip():
            faults["told_by"] = "desk.peers.told_by_first"
        if faults:
            form.told["refused"] = Malformed.code
            tried = Tried({"told_by": told_by, "compared": compared}, faults=faults)
            peer = await desk.does(lambda: cities.office.show(name))
            again = cities.one if peer["state"] == "proposed" else cities.review
            return await again(request, clerk, name, tried=tried)
        if compared == "different":
            form.told["different"] = True
            await desk.does(lambda: cities.office.differs(name, by=clerk.name, told_by=told_by))
            return desk.back(request, f"/desk/peers/{name}", "desk.peers.note.differs")
        review = form.text("review", needed=True, most=100)
        # What was compared is what the page showed; `review` names that, too.
        fingerprint = form.text("fingerprint", most=100) if compared == "same" else ""
        await desk.does(
            lambda: cities.office.approve(name, by=clerk.name, review=review, fingerprint=fingerprint, told_by=told_by)
        )
        return desk.back(request, f"/desk/peers/{name}", "desk.peers.note.approved")


def _add_exchange(desk: Desk, cities: Cities) -> None:
    @desk.post(f"{_NAME}/follow", "run", "peer.follow")
    async def follow(request: Request, clerk: Clerk, form: Form) -> Response:
        name, themes, every = name_of(request), form.many("theme"), form.text("how") == "all"
        chosen = [] if every else [*form.many("collection"), *form.text("other", most=500).split()]
        try:
            mark = form.text("mark", most=64)
            done = await desk.does(
                lambda: cities.office.follow(name, chosen, all_of_them=every, themes=themes, mark=mark)
            )
        except (Malformed, Changed) as error:
            form.told["refused"] = error.code
            return await cities.one(request, clerk, name, tried=_tried(form, error, chosen))
        form.told["follows"] = len(done["follows"])
        key = "desk.peers.note.follows_unseen" if done["warnings"] else "desk.peers.note.follows"
        return desk.back(request, f"/desk/peers/{name}#follows", key, n=len(done["follows"]))

    @desk.post(f"{_NAME}/unfollow", "run", "peer.unfollow")
    async def unfollow(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        name, collection = name_of(request), form.text("collection", needed=True, most=63)
        form.told["collection"] = collection
        await desk.does(lambda: cities.office.unfollow(name, collection))
        return desk.back(request, f"/desk/peers/{name}#follows", "desk.peers.note.unfollowed", collection=collection)

    @desk.post(f"{_NAME}/note", "run", "peer.note")
    async def annotate(request: Request, clerk: Clerk, form: Form) -> Response:
        name, note, mark = name_of(request), form.text("note", most=1_000), form.text("mark", most=64)
        try:
            await desk.does(lambda: cities.office.annotate(name, note, mark=mark))
        except Changed:
            return await cities.one(request, clerk, name, tried=Tried({"note": note}, clash="note"))
        return desk.back(request, f"/desk/peers/{name}", "desk.peers.note.noted")


def _tried(form: Form, error: Malformed | Changed, chosen: Sequence[str]) -> Tried:
    """Keep what stood in a form of what is to be followed."""
    typed = {"how": form.text("how"), "other": form.text("other", most=500)}
    lists = {"collection": form.many("collection"), "theme": form.many("theme")}
    if isinstance(error, Changed):
        return Tried(typed, lists, clash="follows")
    faults = {} if chosen else {"how": "desk.peers.choose_first"}
    return Tried(typed, lists, faults, None if faults else problem_of(error))


def _add_stopping(desk: Desk, cities: Cities) -> None:
    @desk.post(f"{_NAME}/pause", "run", "peer.pause")
    async def pause(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        await desk.does(lambda: cities.office.pause(name_of(request)))
        return desk.back(request, f"/desk/peers/{name_of(request)}", "desk.peers.note.paused")

    @desk.post(f"{_NAME}/resume", "run", "peer.resume")
    async def resume(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        await desk.does(lambda: cities.office.resume(name_of(request)))
        return desk.back(request, f"/desk/peers/{name_of(request)}", "desk.peers.note.resumed")

    @desk.post(f"{_NAME}/block", "decide", "peer.block")
    async def block(request: Request, clerk: Clerk, form: Form) -> Response:  # noqa: ARG001
        await desk.does(lambda: cities.office.block(name_of(request)))
        return desk.back(request, f"/desk/peers/{name_of(request)}", "desk.peers.note.blocked")


def name_of(request: Request) -> str:
    """Give the name of the city that an address is about."""
    return str(request.path_params["name"])[:63]


def needs(peer: Json) -> bool:
    """Tell whether a city waits for a person."""
    if peer["state"] == "blocked":
        return False
    if peer["state"] == "paused":
        return bool(peer["quarantine"])
    waits = ("quarantine", "stale", "at_odds", "warnings")
    return peer["state"] == "proposed" or any(peer[each] for each in waits)


def said_of(problem: Problem | None) -> str:
    """Give the key of the sentence that says what went wrong with another city."""
    if problem is None:
        return ""
    own = f"desk.peers.wrong.{problem.code}"
    return own if known(own) else f"problem.{problem.code}"


def ms(moment: str | None) -> int:
    """Give a time of an office's answer in milliseconds, 0 for none."""
    return int(datetime.fromisoformat(moment).timestamp() * 1000) if moment else 0


def _step(peer: Json, review: Json | None) -> int:
    """Say which step a new city waits at; 5 for one that has come through, whatever became of it since."""
    if peer["state"] == "proposed":
        return 3 if review else 2
    new = peer["state"] in ("approved", "active") and not peer["quarantine"]
    return 4 if new and not peer["follows"] else 5
