"""What `citynode doctor` looks at: each check is one sentence with `ok`, `warn` or `fail`, and what to do.

It reads and never mends. A check that cannot be made because an earlier one failed is left out, so the first `fail` is
the one to mend.
"""

import shutil
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from node.assembly import Node, build, keys_folder
from node.catalog.source_office import MINUTE_MS, Standing
from node.cli.common import now_ms
from node.cli.store_process import wanted
from node.db import Database
from node.errors import NodeError
from node.federation.identity.identity import read_statement
from node.jobs.claim import is_claimed
from node.keys import Keyring
from node.outbound.engine import Address, child_at
from node.settings import Settings, load

LOW_SPACE_BYTES = 2 << 30
NO_SPACE_BYTES = 64 << 20  # a database that grows by one harvest, and its log, need that much
KNOCK_S = 2.0
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str


def examine(data: Path | None) -> list[Check]:
    """Look at everything that usually goes wrong."""
    try:
        settings = load(data=data)
    except NodeError as error:
        return [Check("settings", "fail", str(error))]
    return list(_checks(settings))


def _checks(settings: Settings) -> Iterator[Check]:
    if not settings.file.is_file():
        yield Check("settings", "fail", f"There is no node in {settings.data}. Make one: citynode init")
        return
    yield Check("settings", "ok", f"{settings.file} is read")
    yield _folder(settings.data)
    yield _space(settings.data)
    yield _address(settings)
    keys = _keys(settings)
    database = _database(settings)
    yield keys
    yield database
    if "fail" not in (keys.state, database.state):
        yield from _node(settings)


def _folder(folder: Path) -> Check:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o007:
        return Check("data folder", "warn", f"Everybody on this host may enter {folder}. Run: chmod 700 {folder}")
    return Check("data folder", "ok", f"{folder} is private")


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    shown = f"{free / (1 << 30):.1f} GiB are free" if free >= 1 << 30 else f"{free >> 20} MiB are free"
    if free < NO_SPACE_BYTES:
        return Check("disk", "fail", f"{shown}: nothing more can be written soon. Make room")
    if free < LOW_SPACE_BYTES:
        return Check("disk", "warn", f"{shown}. A harvest spills to disk: keep 2 GiB free")
    return Check("disk", "ok", shown)


def _address(settings: Settings) -> Check:
    if settings.on_loopback:
        return Check("base URL", "warn", f"{settings.base_url} is this machine alone. Publish under a public name")
    if not settings.base_url.startswith("https://"):
        return Check("base URL", "warn", f"{settings.base_url} has no TLS. Put a proxy before it (docs/operate.md)")
    return Check("base URL", "ok", settings.base_url)


def _keys(settings: Settings) -> Check:
    try:
        keyring = Keyring.opened(keys_folder(settings), settings.key_passphrase.get_secret_value(), now_ms=now_ms())
    except NodeError as error:
        return Check("keys", "fail", str(error))
    lost = keyring.lost(now_ms())
    if lost:
        return Check("keys", "warn", f"The replaced {lost[0].purpose} key is gone before its overlap is over")
    ending = [key for key in keyring.published() if key.until_ms is not None and key.is_in_force(now_ms())]
    overlaps = "".join(f"; the replaced {key.purpose} key signs for {_days(key.until_ms)} more" for key in ending)
    locked = "encrypted" if settings.key_passphrase.get_secret_value() else "readable by this user alone"
    return Check("keys", "ok", locked + overlaps)


def _days(until_ms: int | None) -> str:
    return f"{-(-((until_ms or 0) - now_ms()) // DAY_MS)} d"


def _database(settings: Settings) -> Check:
    try:
        db = Database(settings.database)
        try:
            revision = db.revision()
        finally:
            db.close()
    except NodeError as error:
        return Check("database", "fail", str(error))
    if not revision:
        return Check("database", "fail", "It has no tables. Run: citynode db upgrade")
    return Check("database", "ok", f"{db.dialect}, revision {revision}")


def _node(settings: Settings) -> Iterator[Check]:
    node = build(settings)
    try:
        for probe in node.probes():
            if not probe.ok:
                yield Check(probe.name, "fail", probe.detail)
                return
        published = node.published_as()
        if published and published != settings.base_url:
            yield Check("base URL", "fail", f"The node has published as {published}. Set base_url back to that")
        yield from _stores(settings)
        yield _identity(node)
        if held_back := node.federation.watching.recovery.held_back():
            yield Check("history", "fail", f"Own collections take nothing. {held_back} See docs/recover.md")
        sources = node.harvesting.office.list()
        if not sources:
            yield Check("sources", "warn", "There is none. Add one: citynode sources add NAME LOCATION --kind KIND")
        yield from map(_source, sources)
        for reminder in node.federation.agreeing.office.reminders():
            yield Check("agreements", "warn", f"{reminder['sentence']} See: citynode agreements list")
    finally:
        node.close()


def _stores(settings: Settings) -> Iterator[Check]:
    """Knock at the triple stores of a node that runs; there is nothing to say of one that does not."""
    for name in wanted(settings):
        if not is_claimed(settings.data, name):
            continue
        title = f"triple store {name}"
        found = child_at(settings.data / "graph" / f"{name}.address")
        if found is not None and _is_open(found):
            yield Check(title, "ok", "it can be reached")
        else:
            yield Check(title, "warn", "It cannot be reached. If it stays so for a minute, restart the node")


def _is_open(found: Address) -> bool:
    where = urlsplit(found.query_url)
    try:
        socket.create_connection((where.hostname or "", where.port or 0), KNOCK_S).close()
    except OSError:
        return False
    return True


def _identity(node: Node) -> Check:
    """Read our own statement as a peer would: what does not fit is better found here than there."""
    own = node.federation.identity
    try:
        read_statement(own.statement(now_ms()), url=own.url, now_ms=now_ms())
    except NodeError as error:
        return Check("identity", "fail", f"No other city can read this node's statement: {error}")
    return Check("identity", "ok", f"fingerprint {own.fingerprint}")


def _source(source: Standing) -> Check:
    title, run = f"source {source.name}", source.newest
    if run is None:
        return _unread(title, source)
    if run.state in ("failed", "cancelled"):
        return Check(title, "warn", f"Run {run.id} {run.state}: {run.reason}")
    if source.paused:
        return Check(title, "ok", f"run {run.id} {run.state}; it is paused")
    every_ms = source.wanted.every_min * MINUTE_MS
    if every_ms and run.ended_ms and now_ms() - run.ended_ms > 2 * max(every_ms, DAY_MS // 24):
        return Check(title, "warn", f"Its last run ended long ago (run {run.id}). Is the worker running?")
    return Check(title, "ok", f"run {run.id} {run.state}")


def _unread(title: str, source: Standing) -> Check:
    """Say what comes next for a source of which nothing was published: it may have been read for show, or wait."""
    trial, name = source.trial, source.name
    if trial is not None and trial.state in ("failed", "cancelled"):
        again = f"Mend it, then: citynode sources test {name}"
        return Check(title, "warn", f"It was read for show, and run {trial.id} {trial.state}: {trial.reason} {again}")
    if trial is not None and not trial.is_live:
        way = f"sources resume {name}" if source.paused else f"harvest run {name}"
        return Check(title, "warn", f"It was read for show (run {trial.id}). Publish it: citynode {way}")
    if source.paused:
        return Check(title, "warn", f"It is paused and was never read. Read it for show: citynode sources test {name}")
    return Check(title, "warn", f"It was never harvested. Run: citynode harvest run {name}")
