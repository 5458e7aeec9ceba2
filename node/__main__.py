"""Makes `python -m node` the same as the command `citynode`.

The supervisor starts its children this way, so that they run with its own interpreter and its own packages,
whatever is on the PATH. Nothing else stands here.
"""

import sys

from node.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
