"""Asks an ASGI app without a socket; sends no header that the test did not write."""

import asyncio
from collections.abc import Mapping

import httpx

from node.web.wire.front import Front


class Client:
    """One visitor of one app."""

    def __init__(self, app: Front, base_url: str) -> None:
        self.app = app
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
        self._client = httpx.AsyncClient(transport=transport, base_url=base_url)
        self._client.headers.clear()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, headers=headers, params=params, content=content))

    def get(self, path: str, **more: Mapping[str, str]) -> httpx.Response:
        return self.ask("GET", path, **more)

    def head(self, path: str, **more: Mapping[str, str]) -> httpx.Response:
        return self.ask("HEAD", path, **more)

    def page(self, path: str, language: str = "en") -> str:
        return self.get(path, headers={"accept": "text/html", "accept-language": language}).text

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
