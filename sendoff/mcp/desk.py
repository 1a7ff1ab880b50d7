"""The place a server works at: one project, and the runs of its store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sendoff.errors import Misuse
from sendoff.mcp.questions import Wishes
from sendoff.mcp.under_way import UnderWay
from sendoff.selection import Selection, select
from sendoff.session import Session

_NO_WISHES = frozenset(
    {"project", "name", "command", "commands", "parameters", "zipped", "count", "idempotency_key"}
)


class Desk:
    """Opens what a tool works with; settings are read anew each time, so that changes count."""

    def __init__(self, project: Path) -> None:
        self.project = project.resolve()
        self.under_way = UnderWay()

    def session(self, wishes: Mapping[str, Any] | None = None, project: str = ".") -> Session:
        """The session of a directory of the project.

        Raises:
            ProjectMissing
            Misuse: its runs would be kept where the other tools do not look.
            SendoffError: what the configuration raises.
        """
        session = Session.open(self.project / project, wishes)
        if project != "." and session.settings.store != Session.open(self.project).settings.store:
            raise Misuse(
                f"{project} has a store of its own: {session.settings.store}",
                "this server looks for runs in that of its own project",
                f"start another one there: sendoff mcp --project {project}",
            )
        return session

    def select(self, names: Sequence[str]) -> tuple[Selection, ...]:
        """What names of runs mean.

        Raises:
            RunUnknown, RunAmbiguous, IndexUnknown
        """
        return select(names, self.project)


def asked(wishes: Wishes) -> dict[str, Any]:
    """The settings among what a tool was given."""
    fields = {name: getattr(wishes, name) for name in wishes.__struct_fields__}
    return {
        name: value
        for name, value in fields.items()
        if name not in _NO_WISHES and value is not None
    }
