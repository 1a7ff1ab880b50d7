"""The console command: hands over to a warm process, or does the command itself."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line of this process and exit with its code."""
    from sendoff.warm.client import SERVE, Handover

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


if __name__ == "__main__":
    main()
