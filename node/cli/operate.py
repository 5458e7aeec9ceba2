"""Commands of the operator: set a node up, run its processes, look at its settings and its health.

`run` is the whole node; `serve`, `worker` and `store` are its kinds of process, for those who start them by themselves.
The listening socket is opened once, by whoever supervises, and handed to every web process: a crashed one is replaced
without a connection refused.
"""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import structlog
import typer

import node
from node.cli import say
from node.cli.common import DataOption, JsonOption, settings_of
from node.errors import Misconfigured, Unavailable
from node.jobs.supervisor import Child, Supervisor
from node.settings import Settings

log = structlog.get_logger("citynode")
SPOKEN = ("en", "fi", "sv")
# Queries of strangers may end a triple store: it is back at once, and a little later if it goes on dying.
STORE_DELAYS_S = (0.05, 2.0)
config = typer.Typer(help="The settings of this node.", no_args_is_help=True)

PortOption = Annotated[int | None, typer.Option("--port", metavar="N", min=1, max=65535, help="Port to listen on.")]
HostOption = Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", metavar="N", min=1, max=64, help="Web processes.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the root."""
    for command in (init, run, serve, worker, store, doctor, version):
        app.command()(command)
    app.callback()(_root)
    app.add_typer(config, name="config")


def init(
    name: Annotated[str, typer.Option("--name", help="The city's name as people read it.")],
    base_url: Annotated[str, typer.Option("--base-url", metavar="URL", help="Public address of this node.")],
    lang: Annotated[str, typer.Option("--lang", metavar="en,fi,sv", help="Languages of the pages.")] = "en",
    data: DataOption = None,
) -> None:
    """Make a node in the data folder: keys, tables, the settings file and the collection open-data."""
    from node.cli.beginning import FIRST_ACCOUNT, begin

    settings, link = begin(data=data, name=name, base_url=base_url, languages=lang)
    unspoken = [language for language in settings.languages if language not in SPOKEN]
    if unspoken:
        say.note(f"The pages speak {', '.join(SPOKEN)}; of {', '.join(unspoken)} only texts of records are shown.")
    say.line(f"{'Made' if link else 'Found'} the node of {settings.name} in {settings.data}")
    if link:
        say.line(
            f"To set the password of the desk's first account, {FIRST_ACCOUNT}, once the node runs, within 48 hours:"
        )
        say.line(f"  {link}")
        say.line("Next: citynode sources add NAME LOCATION --kind ckan|dcat|datapress|dcat-us, then citynode run")


def run(
    port: PortOption = None, host: HostOption = None, workers: WorkersOption = None, data: DataOption = None
) -> None:
    """Run the whole node: web processes, one worker and the triple stores, until SIGTERM or Ctrl-C."""
    from node.cli.store_process import claimed

    settings = _logged(data, port=port, host=host, workers=workers)
    with claimed(settings) as claims:
        _make_ready(settings)
        with _listening(settings) as door:
            children = [
                *_store_children(settings, claims),
                *_web_children(settings, door),
                Child("worker", _command("worker", settings)),
            ]
            code = _supervised(settings, children)
    raise typer.Exit(code)


def serve(
    port: PortOption = None,
    host: HostOption = None,
    workers: WorkersOption = None,
    fd: Annotated[int | None, typer.Option("--fd", hidden=True)] = None,
    data: DataOption = None,
) -> None:
    """Run web processes alone."""
    if fd is not None:
        from node.cli.web_process import answer

        answer(_logged(data), socket.socket(fileno=fd))
        return
    settings = _started(data, port=port, host=host, workers=workers)
    with _listening(settings) as door:
        code = _supervised(settings, _web_children(settings, door))
    raise typer.Exit(code)


def worker(data: DataOption = None) -> None:
    """Run the worker alone: the timetable, and the harvests that are due."""
    from node.cli.worker_process import work

    work(_started(data))


def store(
    name: Annotated[str, typer.Argument(metavar="NAME", help="public or restricted.")],
    claim_fd: Annotated[int | None, typer.Option("--claim-fd", hidden=True)] = None,
    data: DataOption = None,
) -> None:
    """Run one triple store alone; it listens on this machine only."""
    from node.cli.store_process import become_store

    become_store(_logged(data), name, claim_fd)


def doctor(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Examine this node and say what to mend; exit 1 if something is broken."""
    from node.cli.doctor import examine

    found = examine(data)
    if as_json:
        say.document(found)
    else:
        say.lines(f"{check.state:4}  {check.name}: {check.detail}" for check in found)
    if any(check.state == "fail" for check in found):
        raise typer.Exit(1)


def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    if as_json:
        say.document({"citynode": node.__version__, "python": sys.version.split()[0]})
    else:
        say.line(f"citynode {node.__version__} on Python {sys.version.split()[0]}")


def _versioned(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


def _root(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_versioned, is_eager=True)
    ] = False,
) -> None:
    """A city's portal in, a linked-data catalogue out."""


@config.callback()
def _config() -> None:
    """The settings of this node."""


@config.command("show")
def config_show(as_json: JsonOption = False, data: DataOption = None) -> None:
    """Print every setting with where it came from; secrets are hidden."""
    from node.settings import load

    shown = load(data=data).show()
    if as_json:
        say.document(shown)
        return
    say.table(
        ("setting", "value", "unit", "from", "meaning"),
        [
            (
                one.key,
                ",".join(one.value) if isinstance(one.value, list) else one.value,
                one.unit,
                one.given_by,
                one.meaning,
            )
            for one in shown
        ],
    )


def _logged(data: Path | None, **overrides: object) -> Settings:
    """Load the settings and set logging up as they say."""
    from node.cli import logs

    settings = settings_of(data, **overrides)
    logs.configure(settings.log_format, settings.log_level)
    return settings


def _started(data: Path | None, **overrides: object) -> Settings:
    settings = _logged(data, **overrides)
    _make_ready(settings)
    return settings


def _make_ready(settings: Settings) -> None:
    """Do what must hold before any child is started, so that a wrong setting is said once and not in a loop."""
    from node.db import Database

    db = Database(settings.database)
    try:
        if db.revision() != db.newest_revision():
            db.upgrade()
    finally:
        db.close()
    _refuse_another_address(settings)


def _refuse_another_address(settings: Settings) -> None:
    from node.assembly import build

    node = build(settings)
    try:
        published = node.published_as()
    finally:
        node.close()
    if published and published != settings.base_url:
        raise Misconfigured(
            f"This node has published as {published}, and base_url is {settings.base_url} now.",
            fix="Set base_url back: every address that others hold begins with it. For a new address make a new node.",
        )


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        # With a backlog a burst waits instead of being refused.
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except socket.gaierror as error:
        raise Misconfigured(f"{settings.host!r} is no address to listen on.", fix="Change the setting host.") from error
    except OSError as error:
        where = f"{settings.host} port {settings.port}"
        raise Unavailable(
            f"Cannot listen on {where}: {error.strerror}.", fix="Stop what listens there, or choose another --port."
        ) from error


def _supervised(settings: Settings, children: list[Child]) -> int:
    log.info("listening", host=settings.host, port=settings.port, base_url=settings.base_url, version=node.__version__)
    return Supervisor(children).run()


def _web_children(settings: Settings, door: socket.socket) -> list[Child]:
    argv = (*_command("serve", settings), "--fd", str(door.fileno()))
    return [Child(f"web {number}", argv, (door.fileno(),)) for number in range(1, settings.workers + 1)]


def _store_children(settings: Settings, claims: Mapping[str, int]) -> list[Child]:
    from node.cli.store_process import memory_of
    from node.outbound.engine import END

    argv, most = _command("store", settings), memory_of(settings)
    return [
        Child(f"store {name}", (*argv, name, "--claim-fd", str(fd)), (fd,), STORE_DELAYS_S, END, most)
        for name, fd in claims.items()
    ]


def _command(name: str, settings: Settings) -> tuple[str, ...]:
    return (sys.executable, "-m", "node", name, "--data", str(settings.data))
