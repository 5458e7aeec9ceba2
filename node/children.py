"""Child processes for strangers' bytes: started with nothing of ours, held by a lifeline, limited by the kernel.

Both sides of it. The parent starts one of our own modules with an environment of its own (a stranger's bytes and the
node's secrets do not meet in one process) and two pipes; what is said through them is the caller's. The child sets its
limits before it reads anything, and dies when its parent does, even in the middle of a computation. What a child writes
to its error output becomes one line of our log, bounded. Touches processes; no files, no network, no clock.
"""

import contextlib
import fcntl
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parents[1]
_ENVIRONMENT = {
    "PYTHONPATH": str(_ROOT),
    "PATH": os.defpath,
    "LC_ALL": "C.UTF-8",
    # The allocator that Arrow would choose takes addresses by the gigabyte, which count against the limit of memory.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
_STATM = Path("/proc/self/statm")
_SPARE_S = 5
# Of what a child says of its end, the last: there stands what it died of.
_SAID_BYTES = 2_000
_LAST_WORDS_S = 1.0
_log = logging.getLogger("citynode.children")


class Child:
    """The parent's side: a running process, its pipes, and the lifeline that ends it."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Start `python -m module LIFELINE argument …`."""
        # Nobody writes to the lifeline: its reading end signals the child when our end closes, so it dies with us. (A
        # parent-death signal would fire when the *thread* that started it ends.)
        lifeline, self._lifeline = os.pipe()
        try:
            self.process = subprocess.Popen(  # noqa: S603  (our own module, arguments of our own)
                [sys.executable, "-P", "-m", module, str(lifeline), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[lifeline],
                env=_ENVIRONMENT,
                bufsize=0,
                process_group=0,  # Ctrl-C at a terminal is for the node alone, which then ends its child
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)
        assert self.process.stdin is not None  # noqa: S101  (for the type checker: PIPE was asked for)
        assert self.process.stdout is not None  # noqa: S101
        self.to: IO[bytes] = self.process.stdin
        self.answers: IO[bytes] = self.process.stdout
        self._module = module
        self._said = bytearray()
        # Read as it comes: a child that nobody listens to would wait for room in the pipe.
        self._listener = threading.Thread(target=self._listen, name=f"{module} said", daemon=True)
        self._listener.start()

    def ready(self, seconds: float, *, writing: bool = False) -> bool:
        """Wait until something can be read from it, or written to it; False if that takes longer."""
        poller = select.poll()
        poller.register(self.to if writing else self.answers, select.POLLOUT if writing else select.POLLIN)
        return bool(poller.poll(1000 * seconds))

    def end(self, grace_s: float = 0) -> int:
        """Let it finish dying, by force if it lives; close the pipes. Gives the exit code; again and again the same."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            # A closed pipe comes a moment before the exit code of a process that died by itself.
            self.process.wait(grace_s)
        self.process.kill()
        code = self.process.wait()
        if not self.to.closed:
            self.to.close()
            self.answers.close()
            os.close(self._lifeline)
            self._tell()
        return code

    def _listen(self) -> None:
        assert self.process.stderr is not None  # noqa: S101
        with self.process.stderr as errors:
            while chunk := errors.read(1 << 12):
                self._said += chunk
                del self._said[:-_SAID_BYTES]

    def _tell(self) -> None:
        """Write down what it said, in one line without anything that would steer a terminal."""
        self._listener.join(_LAST_WORDS_S)
        words = " ".join(self._said.decode("utf-8", "replace").split())
        if line := "".join(char for char in words if char.isprintable()):
            _log.warning("child-said %s: %s", self._module, line)


def die_with_parent(lifeline: int) -> None:
    """Have the kernel send the child SIGIO, whose default is death, when the parent's end of the lifeline closes."""
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def bound_memory(memory_bytes: int) -> None:
    """Bound what this process may allocate, and leave no picture of it behind when it dies of that.

    RLIMIT_DATA counts what is allocated and not what is mapped from files, which the kernel can drop again.
    """
    _bound(resource.RLIMIT_DATA, memory_bytes)
    _bound(resource.RLIMIT_CORE, 0)


def bound_growth(more_bytes: int) -> None:
    """Bound what this process may allocate beyond what it has now: for one whose own libraries take as they like."""
    try:
        pages = int(_STATM.read_text().split()[5])
    except FileNotFoundError:  # not Linux: then what there is counts too
        pages = 0
    bound_memory(pages * resource.getpagesize() + more_bytes)


def bound_time(seconds: float) -> None:
    """Bound the processor time that this process may use from now on, with some to spare for saying how far it came."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _bound(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime + seconds) + _SPARE_S)


def bound_output(most_bytes: int) -> None:
    """Bound the size of each file that this process writes."""
    _bound(resource.RLIMIT_FSIZE, most_bytes)


def _bound(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
