"""Keeps a node's processes alive and stops them together: what `citynode run` is.

One thread, no framework: start the children, look at them ten times a second, start again what died (with back-off,
and saying so), and on SIGTERM, SIGINT or SIGHUP end them all within the grace time. Children run in sessions of
their own, so that Ctrl-C reaches the supervisor alone, and die with it even if it is killed (Linux: the kernel's
parent-death signal). It knows argument vectors only: no settings, no database, nothing of what a child does.
"""

import contextlib
import ctypes
import functools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import structlog

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_AFTER_S = 60.0  # a child that lived this long is forgiven its earlier deaths
LOOK_EVERY_S = 0.1
GRACE_S = 8.0
WRONG_USE = 2  # the exit code of a child that will fail in the same way for ever
_PR_SET_PDEATHSIG = 1

_ANONYMOUS = re.compile(rb"^RssAnon:\s+(\d+) kB", re.MULTILINE)

log = structlog.get_logger("citynode.supervisor")


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive: its name in the log, what to execute, and the descriptors it inherits.

    One that others' doings may end, such as a query that eats memory, is started again sooner (`delays_s`), and at once
    if it was ended on purpose, which a signal says that nothing else sends (`ended_by`). One whose memory others fill
    is ended when that is more than `memory_bytes`; 0 means no bound.
    """

    name: str
    argv: tuple[str, ...]
    descriptors: tuple[int, ...] = ()
    delays_s: tuple[float, float] = (FIRST_DELAY_S, LONGEST_DELAY_S)
    ended_by: int = 0
    memory_bytes: int = 0


@dataclass(slots=True)
class _Kept:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    delay_s: float = 0.0
    start_at: float = field(default=0.0)

    def __post_init__(self) -> None:
        """Begin with the shortest delay."""
        self.delay_s = self.child.delays_s[0]


class Supervisor:
    """Starts children, restarts those that die, ends all of them when told to."""

    def __init__(
        self, children: Sequence[Child], *, grace_s: float = GRACE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what to keep alive; `grace_s` is what a child has to stop by itself before it is killed."""
        self._kept = [_Kept(child) for child in children]
        self._grace_s = grace_s
        self._clock = clock
        self._stop = False
        self._code = 0

    def run(self) -> int:
        """Keep the children alive until a signal or `stop`.

        Returns:
            0 after a stop that was asked for; 2 if a child said that its settings are wrong, since restarting it
            would say the same again.
        """
        with self._signals():
            try:
                while not self._stop:
                    for kept in self._kept:
                        self._look_at(kept)
                    time.sleep(LOOK_EVERY_S)
            finally:
                self._end_all()
        return self._code

    def stop(self) -> None:
        """Ask for the end; `run` returns when all children are gone."""
        self._stop = True

    def _look_at(self, kept: _Kept) -> None:
        now = self._clock()
        if kept.process is None:
            if now >= kept.start_at:
                self._start(kept, now)
            return
        code = kept.process.poll()
        if code is not None:
            self._died(kept, code, now)
        elif kept.child.memory_bytes and _filled_bytes(kept.process.pid) > kept.child.memory_bytes:
            log.warning("needs more memory than it may have and is killed", process=kept.child.name)
            _signal(kept, signal.SIGKILL)

    def _start(self, kept: _Kept, now: float) -> None:
        kept.process = subprocess.Popen(  # noqa: S603 (our own interpreter and our own modules)
            kept.child.argv,
            stdin=subprocess.DEVNULL,
            pass_fds=kept.child.descriptors,
            start_new_session=True,
            preexec_fn=functools.partial(_die_with, os.getpid()),  # noqa: PLW1509 (this process has one thread)
        )
        kept.started = now
        log.info("started", process=kept.child.name, pid=kept.process.pid)

    def _died(self, kept: _Kept, code: int, now: float) -> None:
        if code == WRONG_USE:
            log.error("stopping: a process says that its settings are wrong", process=kept.child.name)
            kept.process, self._stop, self._code = None, True, WRONG_USE
            return
        if kept.child.ended_by and code == -kept.child.ended_by:
            log.warning("was ended on purpose, starting it again", process=kept.child.name)
            self._start(kept, now)
            return
        if now - kept.started > STEADY_AFTER_S:
            kept.delay_s = kept.child.delays_s[0]
        log.error("died, starting it again", process=kept.child.name, how=_how(code), in_s=kept.delay_s)
        kept.process, kept.start_at = None, now + kept.delay_s
        kept.delay_s = min(kept.delay_s * 2, kept.child.delays_s[1])

    def _end_all(self) -> None:
        living = [kept for kept in self._kept if kept.process is not None and kept.process.poll() is None]
        for kept in living:
            _signal(kept, signal.SIGTERM)
        until = self._clock() + self._grace_s
        for kept in living:
            if not _gone(kept, max(0.0, until - self._clock())):
                log.warning("did not stop in time and is killed", process=kept.child.name)
                _signal(kept, signal.SIGKILL)
                _gone(kept, self._grace_s)
        log.info("stopped")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def on_signal(number: int, _frame: FrameType | None) -> None:
            log.info("stopping", signal=signal.Signals(number).name)
            self._stop = True

        names = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {name: signal.signal(name, on_signal) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


def _filled_bytes(pid: int) -> int:
    """Give the memory that a process really fills, without files; 0 where the system does not tell.

    Looked at and not left to the kernel's own limits: those count what is merely set aside, such as the stacks of
    threads that idle.
    """
    try:
        told = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    found = _ANONYMOUS.search(told)
    return int(found[1]) << 10 if found else 0


def _how(code: int) -> str:
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name


def _signal(kept: _Kept, number: signal.Signals) -> None:
    if kept.process is not None:
        with contextlib.suppress(ProcessLookupError):
            kept.process.send_signal(number)


def _gone(kept: _Kept, within_s: float) -> bool:
    if kept.process is None:
        return True
    try:
        kept.process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


# Looked up before any fork: between fork and exec nothing may be imported.
_prctl = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent goes, however that happens."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it went between fork and here
            os._exit(1)
