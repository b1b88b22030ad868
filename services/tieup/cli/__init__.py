"""The `tieup` command: one module per group of commands, all of them thin.

Heavy modules are imported inside the commands that need them, so that `tieup --help` starts fast.
"""

import sys


def main() -> None:
    """Run the command and end the process with its exit code: 0, 1 failed, 2 wrong use."""
    from tieup.cli.app import run

    sys.exit(run(sys.argv[1:]))
