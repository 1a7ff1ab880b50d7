"""A fresh working directory for each attempt: the code of the image, copied."""

from __future__ import annotations

import os

from dispatcher.runner.working_copy import copy, remove
from packer.image_paths import EDITABLE, PREFIX, RUNNER, WORKSPACE

__all__ = ["Workspace", "remove"]

_CODE = (WORKSPACE, EDITABLE)


class Workspace:
    """The folder `root` of one attempt; in-image paths below it are as in a container."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.directory = root + WORKSPACE
        """The command's working directory."""
        self.outputs = root + "/outputs"

    def fill(self, layers: list[str], environment: str) -> None:
        """Copy the code out of unpacked layers and link to the environment's root.

        Copied, not linked: the command may write to it.

        Raises:
            OSError: among others, no room.
        """
        for part in _CODE:
            os.makedirs(self.root + part, exist_ok=True)
            for layer in layers:
                if os.path.isdir(layer + part):
                    copy(layer + part, self.root + part)
        for part in (PREFIX, RUNNER):
            os.symlink(environment + part, self.root + part)
        os.mkdir(self.outputs)
