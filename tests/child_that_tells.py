"""A child process for tests: says its environment, takes more memory than it may, or computes without end."""

import os
import sys

from node.children import bound_memory, die_with_parent


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> None:
    die_with_parent(int(sys.argv[1]))
    asked = sys.stdin.readline().strip()
    if asked == "environment":
        say("".join(f"{name}={value}\n" for name, value in os.environ.items()))
    elif asked == "memory":
        bound_memory(64 << 20)
        try:
            bytearray(1 << 30)
        except MemoryError:
            say("MemoryError\n")
    elif asked == "errors":
        sys.stderr.write("x" * 1_000_000 + "\nmemory allocation failed\x1b[31m\nnote: run with a backtrace\n")
        sys.stderr.flush()
        say("said\n")
    elif asked == "compute":
        say("begun\n")
        while True:
            pass
    sys.stdin.readline()


if __name__ == "__main__":
    main()
