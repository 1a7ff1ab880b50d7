"""Runs from start to end, in real containers."""

from __future__ import annotations


def test_a_run_ends_with_its_manifest(lab):
    manifest = lab.end(["sh", "-c", "echo hello; echo 1 > out.txt"])
    assert manifest.state == "succeeded", manifest.failure
    assert [file.path for file in manifest.files] == ["out.txt"]
