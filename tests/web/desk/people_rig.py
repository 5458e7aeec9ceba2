"""Accounts to sign in with: a node whose passwords are cheap to try, people, phones, and what their browsers do."""

import re
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher

from node.staff import totp
from tests.web.desk.rig import PASSWORD, Browser, text_of
from tests.web.find_rig import Rig, empty

OTHER = "quite another four words"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def staffed(folder: Path, migrated: Path, **settings: Any) -> Rig:
    """A node with nobody in it yet."""
    made = empty(folder, migrated, **settings)
    made.node.staff.people._hasher = CHEAP
    return made


def emptied(rig: Rig) -> Rig:
    """The same without the people, sessions and acts of another test."""
    with rig.node.db.write() as tx:
        for table in ("staff", "staff_session", "staff_link", "staff_try", "audit"):
            tx.run(f"DELETE FROM {table}")  # noqa: S608
    return rig


def person(rig: Rig, name: str = "maija", *roles: str, password: str = PASSWORD) -> None:
    rig.node.staff.people.add(name, roles=roles or ("editor",), shown=f"{name} of the data team")
    if password:
        rig.node.staff.people.set_password(name, password)


def sign_in(
    browser: Browser, name: str = "maija", password: str = PASSWORD, then: str = "/desk/account"
) -> httpx.Response:
    browser.get("/desk/sign-in")
    return browser.press("/desk/sign-in", {"name": name, "password": password, "then": then})


def with_phone(rig: Rig, name: str = "maija") -> tuple[bytes, list[str]]:
    """Set a phone up for an account, a step ago, so that the code of now is still to be taken."""
    seconds, now = rig.node.staff.seconds, rig.node.staff.seconds._clock_ms
    seconds._clock_ms = lambda: now() - 30_000
    setting = seconds.begin(name)
    secret = seconds._drafted(name, setting.draft)
    codes = seconds.confirm(name, setting.draft, code_now(rig, secret))
    seconds._clock_ms = now
    return secret, codes


def code_now(rig: Rig, secret: bytes, later: int = 0) -> str:
    return totp.code_at(secret, rig.node.staff.seconds._clock_ms() // 1000 // totp.STEP_S + later)


def hidden(reply: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', reply.text)
    assert found, text_of(reply)
    return found[1]
