"""What one call of sendoff works with: a project, the settings in force, and places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dispatcher.places import Places
from dispatcher.run import Run
from packer.record import Record
from sendoff.configuration import Configuration, load
from sendoff.settings import Settings


class Session(Record, frozen=True):
    """One project as configured."""

    project: Path
    configuration: Configuration

    @classmethod
    def open(cls, project: Path, flags: Mapping[str, Any] | None = None) -> Session:
        """The session for the project in the directory `project`.

        Raises:
            InvalidConfigurationFile, UnknownSetting, InvalidSetting
        """
        project = project.resolve()
        return cls(project=project, configuration=load(project, flags or {}))

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.configuration.settings

    @property
    def embedded(self) -> bool:
        """Whether the registry is a directory of this machine."""
        return self.settings.registry.startswith("/")

    @property
    def places(self) -> Places:
        """Where images, runs and caches are."""
        settings = self.settings
        return Places(
            layout=Path(settings.registry) if self.embedded else settings.cache / "images",
            store=settings.store,
            store_in_cluster=settings.store_in_cluster,
            region=settings.store_region,
            insecure=settings.store_insecure,
            cache=settings.cache,
            state=settings.state,
        )

    def runs(self) -> list[Run]:
        """All runs in the store, the newest first."""
        from dispatcher import dispatch

        return dispatch.runs(self.places)
