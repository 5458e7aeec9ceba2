"""The command `citynode`, and `python -m node`, which is the same.

The supervisor starts its children the second way, so that they run with its own interpreter and its own packages,
whatever is on the PATH. Nothing else stands here: to load the commands takes a moment, and a Ctrl-C within it is an end
like any other.
"""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command of the command line and give its exit code."""
    try:
        from node.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
