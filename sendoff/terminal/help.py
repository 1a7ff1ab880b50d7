"""Help for people: rich-click's panels. Loaded for a terminal only, as it costs 80 ms."""

from __future__ import annotations

from pathlib import Path

import click


def _spare_the_lookup() -> None:
    """Give click its `__version__`, which it would find with importlib.metadata in 30 ms.

    rich-click asks for it when it is imported, to tell click 8 from click 9.
    """
    for entry in Path(click.__file__).parents[1].iterdir():
        name = entry.name
        if name.startswith("click-") and name.endswith(".dist-info"):
            vars(click)["__version__"] = name.removeprefix("click-").removesuffix(".dist-info")


_spare_the_lookup()

from rich_click import RichHelpConfiguration  # noqa: E402 - after the line above, on purpose
from rich_click.rich_command import RichCommand, RichGroup  # noqa: E402
from rich_click.rich_context import RichContext  # noqa: E402

from sendoff.cli import COMMANDS, EXAMPLE, Root  # noqa: E402


class _InOrder(RichGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)


def rich_help(command: click.Command, ctx: click.Context) -> str:
    """The help of `command` with colours and panels.

    A twin of the command is rendered, so that commands need not be rich-click's, and a group's
    commands need not be loaded.
    """
    twin: RichCommand
    if isinstance(command, click.Group):
        twin = _InOrder(
            name=command.name,
            help=command.help,
            params=command.params,
            epilog=f"Example: {EXAMPLE}" if isinstance(command, Root) else None,
            commands={name: _stub(command, ctx, name) for name in command.list_commands(ctx)},
        )
    else:
        example = getattr(command, "example", "")
        twin = RichCommand(
            name=command.name,
            help=command.help,
            params=command.params,
            epilog=f"Example: {example}" if example else None,
        )
    context = RichContext(
        twin,
        info_name=ctx.command_path,
        help_option_names=ctx.help_option_names,
        rich_help_config=RichHelpConfiguration(
            style_option="cyan",
            style_command="cyan",
            style_options_panel_border="dim",
            style_commands_panel_border="dim",
            max_width=100,
            text_markup=None,
        ),
    )
    return twin.get_help(context)


def _stub(group: click.Group, ctx: click.Context, name: str) -> click.Command:
    if isinstance(group, Root):
        return RichCommand(name=name, short_help=COMMANDS[name])
    found = group.get_command(ctx, name)
    return RichCommand(name=name, short_help=found.get_short_help_str() if found else "")
