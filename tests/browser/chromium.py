"""A headless Chromium steered over two pipes by its own protocol (CDP): no driver, no port, no package."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
]


class Tab:
    """One page. `asked` are the addresses it requested, `said` its errors (console, exceptions, failed loads)."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._number, self._session, self._rest = 0, "", b""
        self._heard: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.said: list[str] = []

    def attach(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._next()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                result: dict[str, Any] = heard["result"]
                return result

    def visit(self, url: str, *, width: int = 1280, height: int = 900) -> None:
        """Open an address and wait until it is loaded and quiet."""
        self.asked.clear()
        self.said.clear()
        self._heard.clear()
        self.wide(width, height)
        self.call("Page.navigate", url=url)
        while not any(heard.get("method") == "Page.loadEventFired" for heard in self._heard):
            self._next()
        with contextlib.suppress(TimeoutError):
            while True:
                self._next(within_s=0.3)

    def wide(self, width: int, height: int = 900) -> None:
        """Make the window so wide; a narrow one is a phone's."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def value(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def promised(self, expression: str) -> Any:
        """Give what a promise comes to."""
        given = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return given["result"].get("value")

    def scheme(self, colours: str, *, media: str = "") -> None:
        """Prefer light or dark, on paper (`print`) or on a screen; empty for what the browser has."""
        wish = [{"name": "prefers-color-scheme", "value": colours}]
        self.call("Emulation.setEmulatedMedia", media=media, features=wish)

    def press(self, key: str) -> None:
        """Press one key and let go."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def picture(self) -> bytes:
        return b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def _next(self, within_s: float = 30) -> dict[str, Any]:
        until = time.monotonic() + within_s
        while b"\0" not in self._rest:
            if not select.select([self._back], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError
            part = os.read(self._back, 1 << 16)
            assert part, "Chromium has gone"
            self._rest += part
        one, _, self._rest = self._rest.partition(b"\0")
        heard: dict[str, Any] = json.loads(one)
        self._heard.append(heard)
        self._note(heard.get("method", ""), heard.get("params", {}))
        return heard

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.said.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))
        elif method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(params["exceptionDetails"]))


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """Start Chromium with a profile in `folder` and give a tab."""
    assert PROGRAM is not None
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()

    def join() -> None:
        # Chromium reads commands from descriptor 3 and answers on 4; the pipes may have those very numbers.
        spare_in, spare_out = os.dup2(theirs_in, 100), os.dup2(theirs_out, 101)
        os.dup2(spare_in, 3)
        os.dup2(spare_out, 4)

    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, *QUIET, f"--user-data-dir={folder / 'profile'}"],
            preexec_fn=join,  # noqa: PLW1509 (one thread here)
            close_fds=False,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        tab = Tab(ours_out, ours_in)
        tab.attach()
        yield tab
    finally:
        with contextlib.suppress(BrokenPipeError):
            os.write(ours_out, b'{"id":0,"method":"Browser.close"}\0')
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(ours_out)
        os.close(ours_in)
