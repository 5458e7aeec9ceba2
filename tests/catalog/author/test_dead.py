"""Laws of dead links: what is gone is named at its place, what answers in any way is not, and each is asked once."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from node.catalog.author.dead import links
from node.catalog.author.office import Written
from node.outbound import Looked
from node.outbound.look import trouble
from node.vocab.kinds import TABLES, example_of

PRACTICE = TABLES["practice"]
WEB = "https://web.example"
LONG = "Four inland yards melt the snow in basins, and litter stays behind."


@dataclass
class Internet:
    """A way out to a web of a few answers."""

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def look(self, url: str, *, method: str = "HEAD", deadline_s: float, stop: threading.Event) -> Looked:
        self.asked[method, url] += 1
        page = url.rpartition("/")[2]
        if page == "late":
            return trouble("late")
        if page == "moved":
            return Looked(301, {}, f"{WEB}/gone", b"", "")
        if page == "round":
            return Looked(302, {}, url, b"", "")
        status = {"gone": 404, "closed": 403, "busy": 503, "no-head": 404 if method == "HEAD" else 200}.get(page, 200)
        return Looked(status, {}, "", b"", "")


def test_what_leads_nowhere_is_named_at_its_place_and_nothing_else() -> None:
    pages = ("gone", "moved", "late", "closed", "busy", "no-head", "round", "good")
    text = " ".join(f"[{page}]({WEB}/{page})" for page in pages)
    said = example_of(PRACTICE) | {"approach": {"en": f"{LONG} {text}", "fi": LONG}, "code": f"{WEB}/gone"}
    web = Internet()
    found = links(PRACTICE, Written("x", said, file="x.md", places={"/code": ("x.md", 4)}), "en", web)
    told = {(each.pointer, each.message.split("”")[0].rpartition("/")[2]): each for each in found}
    assert set(told) == {("/code", "gone"), *(("/approach/en", page) for page in ("gone", "moved", "late"))}
    assert {(each.code, each.level) for each in found} == {("dead-link", "warning")}
    assert (told["/code", "gone"].file, told["/code", "gone"].line) == ("x.md", 4)
    assert web.asked["HEAD", f"{WEB}/good"] == 1
    assert web.asked["GET", f"{WEB}/good"] == 0
    assert web.asked["HEAD", f"{WEB}/gone"] == 2  # once for itself, once for what moved there
    assert web.asked["HEAD", f"{WEB}/round"] <= 10


def test_links_of_a_description_with_errors_are_not_tried() -> None:
    web = Internet()
    assert links(PRACTICE, Written("x", example_of(PRACTICE) | {"status": "odd"}), "en", web) == ()
    assert web.asked == {}
