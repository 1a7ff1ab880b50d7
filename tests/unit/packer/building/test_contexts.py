"""What a builder is given for a layer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from packer.building import contexts
from packer.layers.environment_plan import LayerPlan
from packer.wheels.errors import WheelHashMismatch


def test_wheels_lie_beside_what_says_how_to_install_them(tmp_path: Path, make_wheel) -> None:
    pin, path = make_wheel({"foo.py": "x = 1\n"})
    plan = LayerPlan(wheels=(pin,))
    place = contexts.layer(tmp_path / "layer", plan, "3.11", {pin.sha256: path}, {})
    assert (place / "wheels" / pin.filename).read_bytes() == path.read_bytes()
    told = json.loads((place / "plan.json").read_bytes())
    assert told["wheels"] == [{"name": pin.name, "filename": pin.filename}]


def test_a_damaged_wheel_is_refused_and_goes(tmp_path: Path, make_wheel) -> None:
    pin, path = make_wheel({"foo.py": "x = 1\n"})
    path.write_bytes(bytes(pin.size))
    plan = LayerPlan(wheels=(pin,))
    with pytest.raises(WheelHashMismatch):
        contexts.layer(tmp_path / "layer", plan, "3.11", {pin.sha256: path}, {})
    assert not path.exists()
