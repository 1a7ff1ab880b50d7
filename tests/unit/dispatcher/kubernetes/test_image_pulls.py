"""Images that a node can't have, whoever asks for them; the rest is in test_diagnosis."""

from __future__ import annotations

import pytest

from dispatcher.kubernetes.image_pulls import of_pull
from dispatcher.kubernetes.run_objects import Waiting
from dispatcher.kubernetes.settings import ClusterSettings


@pytest.mark.parametrize(
    "said",
    [
        (
            "rpc error: code = NotFound desc = failed to pull and unpack image "
            '"r.example/x@sha256:6105d6cc": no match for platform in manifest: not found'
        ),
        (
            "choosing image instance: no image found in manifest list for architecture arm64, "
            'variant "v8", OS linux'
        ),
        'Image architecture mismatch: image uses "amd64", expecting "arm64"',
    ],
)
def test_an_image_for_another_platform_is_not_gone(said: str) -> None:
    trouble = of_pull(
        Waiting(reason="ErrImagePull", message=said), [], since=0, settings=ClusterSettings()
    )
    assert (trouble.failure.code, trouble.failure.blame) == ("PLATFORM_UNFIT", "config")
    assert "linux/amd64" in trouble.failure.fix
    assert trouble.over(31), "what is wrong stays wrong"
