"""The console command: hands over to a warm process, or does the command itself."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line of this process and exit with its code."""
    from sendoff.warm.client import SERVE, Handover

    if None in (sys.stdin, sys.stdout, sys.stderr):
        _open_closed()
    arguments = sys.argv[1:]
    if arguments[:1] == [SERVE]:
        from sendoff.warm.server import serve

        serve(*arguments[1:])
        return
    try:
        handover = Handover(arguments)
        code = handover.status()
        if code is not None:
            # Nothing was opened or written here that Python would have to see to.
            os._exit(code)
        from sendoff.command_line import run

        code = run(arguments)
        handover.prepare()
    except KeyboardInterrupt:
        from sendoff.command_line import INTERRUPTED

        code = INTERRUPTED
    sys.exit(code)


def _open_closed() -> None:
    """Have streams that were closed (`>&-`) lead nowhere.

    The next file that is opened would have their number, and what a program prints in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # It gets the lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115 (as long as the process)
    sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115


if __name__ == "__main__":
    main()
