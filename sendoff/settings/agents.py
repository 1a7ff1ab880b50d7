"""The settings that keep agents within bounds."""

from __future__ import annotations

from sendoff.settings import values
from sendoff.settings.setting import Setting

OF_AGENTS: tuple[Setting, ...] = (
    Setting(
        key="budget-gpu-hours",
        read=values.hours,
        default=lambda _: 0.0,
        help="GPU-hours that the runs of a group may use together; 0: any number",
    ),
    Setting(
        key="budget-runs",
        read=values.count,
        default=lambda _: 0,
        help="indexes of a group's runs that may be under way at once; 0: any number",
    ),
    Setting(
        key="mcp-token-file",
        read=values.path,
        default=lambda _: None,
        help="file with the token that clients of `sendoff mcp --http` have to send",
    ),
)
