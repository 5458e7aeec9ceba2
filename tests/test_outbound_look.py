"""Laws of looking at a stranger's link: one request, no body, no way around the rules, every fault an answer."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from node.errors import Stopped
from node.outbound import Looked, Outbound
from tests.catalog.quality.linked import Say, Web
from tests.test_outbound import HOSTILE

STOP = threading.Event()


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(web: Web) -> None:
    web.says.clear()
    web.asked.clear()


def door(*addresses: str, loopback: bool = True) -> Outbound:
    def resolver(_host: str, _port: int) -> list[str]:
        if not addresses:
            raise OSError("unknown")
        return list(addresses)

    return Outbound(
        loopback_allowed=loopback, private_origins=frozenset(), user_agent="citynode/test", resolver=resolver
    )


def look(way: Outbound, url: str, method: str = "HEAD", **more: object) -> Looked:
    return way.look(url, method=method, **({"deadline_s": 5.0, "stop": STOP} | more))  # type: ignore[arg-type]


def test_what_a_link_says_of_itself_is_told_without_its_body(web: Web) -> None:
    web.says["/a"] = Say(200, {"Content-Type": "text/csv", "Content-Length": "5000000000"})
    looked = look(door("127.0.0.1"), web.url("/a#part"))
    assert (looked.status, looked.trouble, looked.headers["content-length"]) == (200, "", "5000000000")
    said = web.asked[0]
    assert (said.method, said.host, said.path) == ("HEAD", "files.example", "/a")
    assert (said.headers["user-agent"], said.headers["accept-encoding"]) == ("citynode/test", "identity")
    assert "cookie" not in said.headers
    assert "referer" not in said.headers


def test_a_redirect_is_told_and_not_followed(web: Web) -> None:
    web.says["/a"] = Say(302, {"Location": "../b?c=d"})
    assert look(door("127.0.0.1"), web.url("/x/../a")).location == web.url("/b?c=d")
    web.says["/a"] = Say(302, {"Location": "/" + "x" * 2_000})
    assert look(door("127.0.0.1"), web.url("/a")).location == ""
    assert [one.path for one in web.asked] == ["/a", "/a"]


def test_as_much_of_a_body_is_read_as_was_asked_for(web: Web) -> None:
    web.says["/a"] = Say(200, {"Content-Encoding": "gzip"}, b"x" * 1_000_000)
    assert look(door("127.0.0.1"), web.url("/a"), "GET", max_bytes=10).body == b"x" * 10
    assert look(door("127.0.0.1"), web.url("/a"), "GET").body == b""


@pytest.mark.parametrize("url", [*HOSTILE, "", "no address", "http://[::1", "https://user:secret@files.example/"])
def test_a_hostile_address_is_never_asked_and_looks_like_an_unknown_name(url: str, web: Web) -> None:
    assert look(door("127.0.0.1", loopback=False), url) == Looked(0, {}, "", b"", "no-address")
    assert web.asked == []


def test_an_unknown_name_and_a_private_one_look_alike(web: Web) -> None:
    unknown, private = look(door(), web.url("/a")), look(door("10.0.0.1", loopback=False), web.url("/a"))
    assert unknown == private
    assert unknown.trouble == "no-address"


def test_every_fault_is_an_answer(web: Web) -> None:
    def nonsense(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"220 mail.example ESMTP\r\n")
        request.close_connection = True

    web.says["/nonsense"] = nonsense
    web.says["/headers"] = Say(200, {f"X-{n}": "y" for n in range(200)})
    way = door("127.0.0.1")
    assert look(way, web.url("/nonsense")).trouble == "broken"
    assert look(way, web.url("/headers")).trouble == "broken"
    assert look(way, web.url("/a").replace("http:", "https:")).trouble == "tls"
    with Web() as gone:
        port = gone.port
    assert look(way, f"http://files.example:{port}/").trouble == "unreachable"


def left_since(before: set[threading.Thread]) -> list[threading.Thread]:
    return [each for each in set(threading.enumerate()) - before if each.name == "outbound"]


def test_headers_that_drip_cost_the_deadline_and_no_thread(web: Web) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        while not web.leaving.wait(0.02):
            request.wfile.write(b"H")
            request.wfile.flush()

    web.says["/drip"] = drip
    before = set(threading.enumerate())  # other tests may have left one in a name lookup
    begun = time.monotonic()
    assert look(door("127.0.0.1"), web.url("/drip"), deadline_s=0.1).trouble == "late"
    assert time.monotonic() - begun < 2.0
    until = time.monotonic() + 5.0
    while left_since(before) and time.monotonic() < until:
        time.sleep(0.01)
    assert left_since(before) == []


def test_a_stop_is_heard(web: Web) -> None:
    web.says["/slow"] = lambda _: web.leaving.wait(5)  # type: ignore[assignment, return-value]
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Stopped):
        look(door("127.0.0.1"), web.url("/slow"), stop=stopped)


def test_other_methods_are_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="HEAD or GET"):
        look(door("127.0.0.1"), "http://files.example/", "POST")
