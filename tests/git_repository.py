"""A git repository that packages are installed from."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path


class GitRepository:
    """One in a directory that is not there yet, whoever the user of this machine is."""

    def __init__(self, place: Path) -> None:
        self._place = place
        place.mkdir()
        self._git("init", "--quiet")

    @property
    def url(self) -> str:
        return self._place.as_uri()

    def commit(self, files: Mapping[str, str]) -> str:
        """Write these files, by their paths in it, and commit all: the commit's id."""
        for name, text in files.items():
            path = self._place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._git("add", ".")
        self._git("commit", "--quiet", "-m", "as it is now")
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        author = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
        done = subprocess.run(
            ["git", *author, "-C", str(self._place), *arguments],
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(self._place)},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()
