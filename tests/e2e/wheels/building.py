"""A process of its own that builds layers: `python building.py JOB`, JOB a file of JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from packer.environment.interpreter import Interpreter
from packer.environment.lock import Lock
from packer.images.layout import Layout
from packer.layers.environment_image import build_layers
from packer.progress import SILENT
from packer.record import decode


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    os.umask(int(job["umask"], 8))
    root = Path(job["root"])
    paths = {digest: Path(path) for digest, path in job["wheels"].items()}
    layers = build_layers(
        decode(job["lock"], Lock),
        {},
        lambda _: (each for each in paths.items()),
        decode(job["interpreter"], Interpreter),
        Layout(root / "layout"),
        root / "memory",
        SILENT,
    )
    sys.stdout.write(json.dumps([[layer.digest, layer.diff_id, layer.size] for layer in layers]))


if __name__ == "__main__":
    main()
