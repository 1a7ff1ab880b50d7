"""Importing a large environment: from the image's files against the sandbox with its .pyc."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench import sandbox
from bench.measure import Row, command, ms, paired, ratio

IMPORTS = "import scipy.stats, scipy.optimize, pandas, sklearn.ensemble, sklearn.linear_model"
WITHIN = 0.05


def rows(folder: Path) -> list[Row]:
    installed = sandbox.venv("science", sandbox.SCIENCE)
    project = sandbox.project(folder / "project", 1, 100)
    env = sandbox.environment(folder, installed)
    done = subprocess.run(
        [sandbox.SENDOFF, "run", "--", "python", "-c", "import sys; print(sys.prefix)"],
        env=env,
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    packed = done.stdout.split()[-1]
    clean = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    ours, theirs = paired(
        (None, command([f"{packed}/bin/python", "-c", IMPORTS], env=clean)),
        (None, command([f"{installed}/bin/python", "-c", IMPORTS], env=clean)),
        warmup=2,
    )
    share = 1 / ratio(ours, theirs) - 1
    return [
        Row(
            "import scipy, pandas, scikit-learn from the image",
            f"{ms(ours.median)}, {share:+.1%}",
            f"sandbox with .pyc: {ms(theirs.median)}",
            f"within {WITHIN:.0%}",
            share <= WITHIN,
        )
    ]
