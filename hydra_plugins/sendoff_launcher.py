"""Where Hydra looks for launchers; it runs this module without importing it."""

from __future__ import annotations

from hydra.core.config_store import ConfigStore

from sendoff import hydra_launcher


class SendoffLauncher(hydra_launcher.SendoffLauncher):  # type: ignore[misc]
    """Under the name that Hydra takes plugins by."""


ConfigStore.instance().store(
    group="hydra/launcher",
    name="sendoff",
    node=hydra_launcher.SendoffLauncherConf,
    provider="sendoff",
)
