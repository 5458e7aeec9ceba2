"""Laws of trying links: politely, never where we may not go, resumable, and every answer comes back to its records."""

import threading
from collections.abc import Iterator

import pytest

from node.catalog.quality.checker import LinkChecker, Pace
from node.catalog.quality.store import DAY_MS
from node.catalog.quality.verdicts import HOUR_MS
from node.journal.journal import Journals
from node.outbound import Outbound
from tests.catalog.quality.linked import Say, Web
from tests.catalog.quality.rig import STOP, Town, draft
from tests.journal.rig import NAME

GAP = 5_000
slow = pytest.mark.slow  # together more than a second


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


@pytest.fixture
def town(journals: Journals, web: Web) -> Town:
    web.says.clear()
    web.asked.clear()
    return Town(journals)


def door(**names: str) -> Outbound:
    def resolver(host: str, _port: int) -> list[str]:
        if host.startswith("unknown"):
            raise OSError("unknown")
        return [names.get(host.partition(".")[0], "127.0.0.1")]

    return Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="citynode/test", resolver=resolver)


def checker(town: Town, way: Outbound | None = None) -> LinkChecker:
    return LinkChecker(
        town.journals.db,
        way or door(),
        Pace(every_ms=30 * DAY_MS, pause_s=0.0),
        clock_ms=lambda: town.now_ms,
        ticks=lambda: 0.0,
        chance=lambda: 0.5,
    )


def publish(town: Town, *urls: str) -> None:
    """Put a record for each address, as its access and download address alike."""
    town.put(*(draft(n, access=url, download=url) for n, url in enumerate(urls)))
    town.level()


def states(town: Town) -> dict[str, tuple[object, ...]]:
    return {
        str(row[0]).rpartition("/")[2]: row[1:]
        for row in town.rows("SELECT url, state, detail, status, fails FROM link")
    }


def test_a_link_is_asked_with_head_and_its_records_have_their_points(town: Town, web: Web) -> None:
    web.says["/a"] = Say(200, {"Content-Length": "1234", "Content-Type": "text/CSV; charset=utf-8"})
    publish(town, web.url("/a"))
    assert town.points(0) == 325
    assert checker(town).round(STOP) == 1
    assert town.level() == 1
    assert town.points(0) == 405
    assert [f"{one.method} {one.path}" for one in web.asked] == ["GET /robots.txt", "HEAD /a"]
    tried = town.rows("SELECT bytes, media_type, checked_at, next_at FROM link")
    assert tried == [(1234, "text/csv", town.now_ms, town.now_ms + 30 * DAY_MS)]


@slow
def test_where_head_brings_nothing_good_one_byte_is_asked_for(town: Town, web: Web) -> None:
    web.says["HEAD /a"] = Say(405)
    web.says["GET /a"] = Say(206, {"Content-Range": "bytes 0-0/777"}, b"x")
    publish(town, web.url("/a"))
    checker(town).round(STOP)
    assert web.paths() == ["HEAD /a", "GET /a"]
    assert web.asked[-1].headers["range"] == "bytes=0-0"
    assert states(town) == {"a": ("ok", "", 206, 0)}
    assert town.rows("SELECT bytes FROM link") == [(777,)]


@slow
def test_one_origin_is_asked_one_link_at_a_time_and_left_alone_in_between(town: Town, web: Web) -> None:
    for name in "abc":
        web.says[f"/{name}"] = Say(200)
    publish(town, *(web.url(f"/{name}") for name in "abc"), web.url("/a", "other.example"))
    trying = checker(town)
    assert trying.round(STOP) == 2
    assert trying.round(STOP) == 0
    town.now_ms += GAP - 1
    assert trying.round(STOP) == 0
    town.now_ms += 1
    assert trying.round(STOP) == 1
    # A harvest that brings new links does not shorten the wait.
    publish(town, *(web.url(f"/{name}") for name in "abcd"), web.url("/a", "other.example"))
    assert trying.round(STOP) == 0
    town.now_ms += GAP
    assert trying.round(STOP) == 1
    assert sorted(web.paths()) == ["HEAD /a"] * 2 + ["HEAD /b", "HEAD /c"]


@slow
def test_robots_are_asked_first_once_a_day_and_heard(town: Town, web: Web) -> None:
    web.says["/robots.txt"] = Say(200, {}, b"User-agent: citynode\nDisallow: /private\nCrawl-delay: 60\n")
    web.says["/private/a"] = web.says["/b"] = Say(200)
    publish(town, web.url("/private/a"), web.url("/b"))
    trying = checker(town)
    for _ in range(2):
        assert trying.round(STOP) == 1
        town.now_ms += 59_999
        assert trying.round(STOP) == 0
        town.now_ms += 1
    assert states(town) == {"a": ("unknown", "robots", 0, 0), "b": ("ok", "", 200, 0)}
    assert web.paths(robots=True) == ["GET /robots.txt", "HEAD /b"]


@slow
@pytest.mark.parametrize("status", [500, 503])
def test_robots_that_cannot_be_had_forbid_everything_for_now(status: int, town: Town, web: Web) -> None:
    web.says["/robots.txt"] = Say(status, {"Retry-After": "7200"})
    web.says["/a"] = Say(200)
    publish(town, web.url("/a"))
    trying = checker(town)
    trying.round(STOP)
    assert (web.paths(), states(town)) == ([], {"a": ("unknown", "busy", status, 0)})
    web.says["/robots.txt"] = Say(404)
    town.now_ms += 2 * HOUR_MS - 1
    assert trying.round(STOP) == 0
    town.now_ms += 1
    trying.round(STOP)
    assert states(town) == {"a": ("ok", "", 200, 0)}


def test_redirects_are_followed_a_few_times_and_each_is_a_stranger_anew(town: Town, web: Web) -> None:
    web.says["/a"] = Say(302, {"Location": web.url("/b", "other.example")})
    web.says["/b"] = Say(301, {"Location": "/c"})
    web.says["/c"] = Say(200)
    web.says["/loop"] = Say(302, {"Location": "/loop"})
    web.says["/in"] = Say(302, {"Location": web.url("/secret", "inside.example")})
    web.says["/mail"] = Say(302, {"Location": "http://mail.example:25/"})
    web.says["/file"] = Say(302, {"Location": "file:///etc/passwd"})
    publish(town, *(web.url(f"/{name}", f"{name}.example") for name in ("a", "loop", "in", "mail", "file")))
    checker(town, door(inside="10.0.0.7")).round(STOP)
    assert states(town) == {
        "a": ("ok", "", 200, 0),
        "loop": ("unknown", "redirects", 302, 1),
        "in": ("unknown", "broken", 0, 1),
        "mail": ("unknown", "port", 0, 0),
        "file": ("unknown", "port", 0, 0),
    }
    assert ("other.example", "/robots.txt") in {(one.host, one.path) for one in web.asked}
    assert len([one for one in web.asked if one.path == "/loop"]) == 6


@slow
def test_what_is_gone_fails_at_once_and_who_guards_the_data_is_unknown(town: Town, web: Web) -> None:
    web.says["/guarded"] = Say(403)
    web.says["/broken"] = Say(500)
    publish(town, *(web.url(f"/{name}", f"{name}.example") for name in ("gone", "guarded", "broken")))
    checker(town).round(STOP)
    assert states(town) == {
        "gone": ("failed", "gone", 404, 1),
        "guarded": ("unknown", "guarded", 403, 0),
        "broken": ("unknown", "server-error", 500, 1),
    }
    town.level()
    assert [town.points(n) for n in range(3)] == [325, 325, 325]
    assert [one.record[-1] for one in town.book.failing(NAME, limit=9)] == ["0", "0"]


@slow
@pytest.mark.parametrize("host", ["unknown.example", "inside.example"])
def test_an_origin_that_cannot_be_reached_is_asked_three_times_for_all_its_links(
    host: str, town: Town, web: Web
) -> None:
    publish(town, *(web.url(f"/{name}", host) for name in "abc"))
    trying = checker(town, door(inside="192.168.0.1"))
    for hours in (1, 4):
        assert trying.round(STOP) == 1
        assert {state[0] for state in states(town).values()} == {"unknown"}
        town.now_ms += hours * HOUR_MS - 1
        assert trying.round(STOP) == 0
        town.now_ms += 1
    trying.round(STOP)
    # Who wrote the link is not told which of the two it was.
    assert {state[:2] for state in states(town).values()} == {("failed", "no-address")}
    assert town.level() == 3
    assert web.asked == []


@slow
def test_a_busy_server_is_left_alone_as_long_as_it_says(town: Town, web: Web) -> None:
    web.says["/a"] = Say(429, {"Retry-After": "10000"})
    web.says["/b"] = Say(200)
    publish(town, web.url("/a"))
    trying = checker(town)
    trying.round(STOP)
    publish(town, web.url("/a"), web.url("/b"))
    town.now_ms += 9_999_000
    assert trying.round(STOP) == 0
    town.now_ms += 1_000
    assert trying.round(STOP) == 1
    assert web.paths().count("HEAD /b") + web.paths().count("HEAD /a") == 2


@slow
def test_what_a_dead_worker_left_the_next_one_takes_up_and_nothing_is_asked_twice(town: Town, web: Web) -> None:
    for name in "ab":
        web.says[f"/{name}"] = Say(200)
    publish(town, *(web.url(f"/{name}", f"{name}.example") for name in "ab"))
    stopped = threading.Event()
    stopped.set()
    assert checker(town).round(stopped) == 0
    assert checker(town).round(STOP) == 2
    town.now_ms += 2 * GAP
    assert checker(town).round(STOP) == 0
    assert sorted(web.paths()) == ["HEAD /a", "HEAD /b"]


@slow
def test_an_origin_whose_links_all_went_is_forgotten(town: Town, web: Web) -> None:
    publish(town, web.url("/a"))
    town.put(draft(0, access="http://elsewhere.example/", download="http://elsewhere.example/"))
    town.level()
    checker(town, door(elsewhere="10.0.0.1")).round(STOP)
    assert [row[0] for row in town.rows("SELECT host FROM link_host")] == ["http://elsewhere.example:80"]
