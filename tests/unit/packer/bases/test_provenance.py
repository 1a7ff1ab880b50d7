from __future__ import annotations

import json
from pathlib import Path

from packer.bases import catalogue as catalogues
from packer.bases import plan as plans
from packer.bases import provenance
from packer.bases.plan import Wish
from packer.bases.provenance import Circumstances
from packer.digest import Digest


def test_a_statement(text: str, golden) -> None:
    [target] = plans.plan(catalogues.parse(text), Wish(names=("cpu:3.11",)))
    seen = Circumstances(
        started="2026-01-02T03:04:05Z",
        finished="2026-01-02T03:05:05Z",
        dockerfile=Digest("sha256:" + "5" * 64),
        versions={"sendoff": "1.0", "buildkit": "v0.34.2"},
        materials=({"uri": "pkg:docker/debian@bookworm-slim", "digest": {"sha256": "1" * 64}},),
    )
    made = provenance.statement(target, Digest("sha256:" + "6" * 64), seen)
    golden("bases/provenance.json", json.dumps(json.loads(made), indent=1) + "\n")


def test_a_folder_stands_for_its_files(folder: Path) -> None:
    first = provenance.of_folder(folder / "cpu")
    assert first == provenance.of_folder(folder / "cuda")
    (folder / "cpu" / "steps").mkdir()
    (folder / "cpu" / "steps" / "a.sh").write_text("true\n")
    assert provenance.of_folder(folder / "cpu") != first
