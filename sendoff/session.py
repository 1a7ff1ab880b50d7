"""What one call of sendoff works with: a project, the settings in force, and places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher.places import Places
from dispatcher.runner.address import is_s3
from packer.record import Record
from sendoff.settings.catalogue import Settings
from sendoff.settings.configuration import Configuration, load

if TYPE_CHECKING:
    from dispatcher.budget import Budget
    from dispatcher.kubernetes.settings import ClusterSettings
    from dispatcher.store import Runs


class Session(Record, frozen=True):
    """One project as configured."""

    project: Path
    configuration: Configuration

    @classmethod
    def open(cls, project: Path, flags: Mapping[str, Any] | None = None) -> Session:
        """The session for the project in the directory `project`.

        Raises:
            ProjectMissing, InvalidConfigurationFile, UnknownSetting, InvalidSetting
        """
        project = project.resolve()
        if not project.is_dir():
            # Its settings would be the defaults, and whoever mistyped it none the wiser.
            from packer.project.tree_errors import ProjectMissing

            raise ProjectMissing(str(project))
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
            role=settings.store_role,
            store_patience=settings.store_patience,
            # Runs of a cluster have their results in a bucket; nobody else pays for the import.
            cluster=self.cluster() if is_s3(settings.store) else None,
            cache=settings.cache,
            state=settings.state,
            budget=self._budget(),
        )

    def _budget(self) -> Budget | None:
        hours, runs = self.settings.budget_gpu_hours, self.settings.budget_runs
        if not (hours or runs):
            return None
        from dispatcher.budget import Budget

        return Budget(gpu_hours=hours, runs=runs)

    def cluster(self) -> ClusterSettings:
        """How the cluster is used."""
        from dispatcher.kubernetes.settings import ClusterSettings
        from dispatcher.kubernetes.tolerations import parse
        from dispatcher.kubernetes.trouble import NEVER

        settings = self.settings
        return ClusterSettings(
            context=settings.context,
            namespace=settings.namespace,
            repository=settings.registry_in_cluster,
            queue=settings.queue,
            priority_class=settings.priority,
            runtime_class=settings.runtime_class,
            image_pull_secrets=(settings.pull_secret,) if settings.pull_secret else (),
            secrets_from=settings.secrets_from,
            secrets=settings.secret_keys,
            gpu_classes=settings.classes,
            scalable=settings.scalable,
            spot=settings.spot,
            node_selector=settings.node_selector,
            tolerations=tuple(map(parse, settings.tolerations)),
            labels=settings.labels,
            scratch=settings.scratch,
            user=settings.user,
            pending_timeout=settings.pending_timeout or NEVER,
            queue_timeout=settings.queue_timeout,
            longest=settings.longest,
            ttl=round(settings.keep),
        )

    def runs(self) -> Runs:
        """The runs in the store.

        Raises:
            StoreFailed: it is far away, and can't be used from here.
        """
        from dispatcher.store import Runs

        return Runs.at(self.places)
