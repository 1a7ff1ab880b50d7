"""`sendoff completion`."""

from __future__ import annotations

import click

from sendoff.cli import Command


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    r"""Print a shell's completion script.

    It completes commands, options, and the ids of runs. Install it with

    \b
    eval "$(sendoff completion bash)"           in ~/.bashrc
    eval "$(sendoff completion zsh)"            in ~/.zshrc
    sendoff completion fish > ~/.config/fish/completions/sendoff.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    from sendoff.cli import root

    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    script = kinds[shell](root, {}, "sendoff", "_SENDOFF_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return 0
