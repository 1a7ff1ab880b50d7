from __future__ import annotations

import pytest

from packer.layers import library_layers
from packer.layers.library_layers import PINS_FORMAT


def test_pins_of_another_format_are_refused():
    assert library_layers.read(f'format = "{PINS_FORMAT}"\nwheels = []\n'.encode()) == ()
    with pytest.raises(ValueError, match=r"sendoff\.pins/9"):
        library_layers.read(b'format = "sendoff.pins/9"\nwheels = []\n')
