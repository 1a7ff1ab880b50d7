"""The commit that a project is at, asked for beside other work."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from packer.project import repository
from packer.project.repository import Revision


class Asking(threading.Thread):
    """Asks git while other work goes on. Nothing waits for it but the record of the run."""

    def __init__(self, project: Path) -> None:
        super().__init__(name="git", daemon=True)
        self._project = os.fsencode(project.resolve())
        self._revision: Revision | None = None

    def run(self) -> None:
        """Ask."""
        with suppress(OSError):
            self._revision = repository.revision(self._project)

    def found(self) -> Revision | None:
        """What git said; None where the project is in no repository, or it could not be asked."""
        self.join()
        return self._revision
