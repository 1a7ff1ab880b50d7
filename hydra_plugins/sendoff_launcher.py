"""Where Hydra looks for launchers; it runs this module without importing it."""

from __future__ import annotations

from hydra.core.config_store import ConfigStore

from sendoff.hydra_launcher import SendoffLauncher, SendoffLauncherConf

__all__ = ["SendoffLauncher"]

ConfigStore.instance().store(
    group="hydra/launcher", name="sendoff", node=SendoffLauncherConf, provider="sendoff"
)
