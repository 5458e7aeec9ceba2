"""A browser at the desk of a whole node, in one process: it signs in, keeps its cookie, and sends the forms of pages.

`at_desk` opens a session for an account with the roles that a test names; it takes a node, or a rig that has one.
Forms are sent as a browser sends them: with the token of the page, the cookie, and where they come from.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from urllib.parse import urlencode

import httpx

from node.app import create_app
from node.assembly import Node
from node.web.wire.front import Front
from tests.web.find_rig import Rig

PASSWORD = "correct horse battery staple"  # noqa: S105
_TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')


def app_of(where: "Node | Rig") -> Front:
    """Give the app of a node; it can be built once, since its metrics are registered once."""
    if isinstance(where, Rig):
        return where.client.app
    made: Front = where.registry.__dict__.setdefault("app of tests", None) or create_app(where)
    where.registry.__dict__["app of tests"] = made
    return made


class Browser:
    """One person's browser; `page` and `press` give replies, redirects are followed by hand."""

    def __init__(self, where: "Node | Rig", *, language: str = "en") -> None:
        node = where.node if isinstance(where, Rig) else where
        self.node, self.language = node, language
        self.base = node.settings.base_url
        transport = httpx.ASGITransport(app=app_of(where), raise_app_exceptions=False)  # type: ignore[arg-type]
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(transport=transport, base_url=self.base)
        self.token = ""
        self.name = ""

    def get(self, path: str, **headers: str) -> httpx.Response:
        spoken = {"accept": "text/html", "accept-language": self.language}
        given = spoken | {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self._runner.run(self._client.get(path, headers=given))
        found = _TOKEN.search(reply.text) if reply.headers.get("content-type", "").startswith("text/html") else None
        self.token = found.group(1) if found else self.token
        return reply

    def press(self, path: str, fields: Mapping[str, str | list[str]] | None = None, **headers: str) -> httpx.Response:
        """Send a form; the token is that of the page seen last."""
        body = urlencode({"token": self.token, **(fields or {})}, doseq=True).encode()
        given = {
            "accept": "text/html",
            "accept-language": self.language,
            "content-type": "application/x-www-form-urlencoded",
            "origin": self.base,
            "sec-fetch-site": "same-origin",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return self._runner.run(self._client.post(path, content=body, headers=given))

    def press_file(self, path: str, fields: Mapping[str, str], file: bytes) -> httpx.Response:
        """Send a form with a file field, as a browser does: also where no file was chosen."""
        headers = {"accept": "text/html", "accept-language": self.language, "origin": self.base}
        sent = {"file": ("" if not file else "a.csv", file, "text/csv")}
        data = {"token": self.token, **fields}
        return self._runner.run(self._client.post(path, data=data, files=sent, headers=headers))

    def send_query(self, path: str, fields: Mapping[str, list[str]]) -> httpx.Response:
        """Send a form that asks."""
        mark = "&" if "?" in path else "?"
        return self.get(f"{path}{mark}{urlencode(fields, doseq=True)}")

    def after(self, reply: httpx.Response) -> httpx.Response:
        """Go where an act sent the browser."""
        assert reply.status_code == 303, (reply.status_code, text_of(reply)[:600])
        return self.get(reply.headers["location"])

    def sign_in(self, name: str, roles: Iterable[str]) -> None:
        """Make an account if there is none, and open a session of it."""
        people, self.name = self.node.staff.people, name
        if name not in {one.name for one in people.list()}:
            people.add(name, roles=roles)
            with self.node.db.write() as tx:  # as if it had set a password: that takes a tenth of a second
                tx.run("UPDATE staff SET state = 'active' WHERE name = ?", name)
        token = self.node.staff.sessions.open(name)
        secure = self.base.startswith("https:")
        self._client.cookies.set("__Secure-citynode-desk" if secure else "citynode-desk", token)

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@contextmanager
def at_desk(where: "Node | Rig", *roles: str, name: str = "maija", language: str = "en") -> Iterator[Browser]:
    """Sit down at the desk with these roles."""
    browser = Browser(where, language=language)
    try:
        browser.sign_in(name, roles or ("viewer",))
        yield browser
    finally:
        browser.close()


def text_of(reply: httpx.Response) -> str:
    """Give what a page says, without its marks."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", reply.text))).strip()
