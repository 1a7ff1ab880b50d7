"""One command line: parsed, run, and every error caught once."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130


def run(arguments: list[str]) -> int:
    """Run one command line and return the exit code."""
    import click

    from packer.errors import SendoffError
    from sendoff.cli import root
    from sendoff.terminal import failure

    machine = "--json" in _own(arguments)
    try:
        return root.main(arguments, prog_name="sendoff", standalone_mode=False) or 0
    except SendoffError as error:
        return failure.report(error, machine=machine)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return error.exit_code
    except click.ClickException as error:
        return failure.report(failure.from_click(error), machine=machine)
    except click.Abort:
        # Click's word for Ctrl-C. Nothing is started by then, or what was goes with it: whoever has
        # a run to go on has caught it before.
        sys.stderr.write("stopped\n")
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("SENDOFF_DEBUG"):
            raise
        from sendoff import unforeseen

        return failure.report(unforeseen.told(error), machine=machine)


def _own(arguments: list[str]) -> list[str]:
    """The arguments that are sendoff's, not the experiment's."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments
