"""What is put into a container before it starts."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from dispatcher.docker.container import SCRATCH


def archive(files: Mapping[str, bytes]) -> bytes:
    """A tar with the scratch folder, which anyone may write to, and `files` by absolute path."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        scratch = tarfile.TarInfo(SCRATCH[1:])
        scratch.type, scratch.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(scratch)
        for path, content in files.items():
            entry = tarfile.TarInfo(path[1:])
            entry.size, entry.mode = len(content), 0o444
            tar.addfile(entry, io.BytesIO(content))
    return data.getvalue()
