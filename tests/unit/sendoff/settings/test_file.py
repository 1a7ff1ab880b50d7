from __future__ import annotations

import errno
import os
import tomllib
from pathlib import Path

import pytest

from packer.errors import DiskFull
from sendoff.errors import ConfigurationExists, InvalidSetting, UnknownSetting
from sendoff.settings import file as settings_file
from sendoff.settings.catalogue import BY_KEY
from sendoff.settings.configuration import load

GIVEN = {
    "target": "kubernetes",
    "registry": "registry.example/team/runs",
    "store": 'https://minio.example/runs/ä"b',
    "timeout": "30m",
    "scratch": "5Gi",
    "retries": "2",
    "cpus": "1.5",
    "spot": "yes",
    "tolerations": "team=vision:NoSchedule, sku",
    "labels": "cost=4,team=x",
    "secret-keys": "TOKEN=logins/hub",
}


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sendoff.toml"
    settings_file.write(path, settings_file.checked(GIVEN, "test", tmp_path), force=False)
    found = load(tmp_path, {}, {"HOME": str(tmp_path)})
    for key, value in GIVEN.items():
        setting = BY_KEY[key]
        assert getattr(found.settings, setting.field) == setting.read(value, tmp_path)
        assert found.sources[key] == str(path)
    text = path.read_text()
    assert 'timeout = "30m"' in text
    assert "retries = 2" in text
    assert f"# {BY_KEY['spot'].help}\nspot = true\n" in text


def test_a_file_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "sendoff.toml"
    path.write_text("gpu = 'h100'\n")
    with pytest.raises(ConfigurationExists) as caught:
        settings_file.write(path, {"gpu": "a40"}, force=False)
    assert path.read_text() == "gpu = 'h100'\n"
    assert caught.value.fix() == "sendoff init --force"
    settings_file.write(path, {"gpu": "a40"}, force=True)
    assert tomllib.loads(path.read_text()) == {"gpu": "a40"}


def test_what_was_written_survives_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is the outermost edge: here it takes half of what is written."""
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\nname = 'x'\n")
    path.chmod(0o640)
    write = Path.write_bytes

    def half(self: Path, content: bytes) -> int:
        write(self, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(DiskFull):
        settings_file.write(path, {"gpu": "a40"}, force=False)
    monkeypatch.setattr(Path, "write_bytes", write)
    assert path.read_text() == "[project]\nname = 'x'\n"
    assert [each.name for each in tmp_path.iterdir()] == ["pyproject.toml"]
    settings_file.write(path, {"gpu": "a40"}, force=False)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_table_is_added_to_a_pyproject_once(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "x"')
    settings_file.write(path, {"gpu": "a40"}, force=False)
    expected = {"project": {"name": "x"}, "tool": {"sendoff": {"gpu": "a40"}}}
    assert tomllib.loads(path.read_text()) == expected
    with pytest.raises(ConfigurationExists):
        settings_file.write(path, {"gpu": "h100"}, force=True)
    assert tomllib.loads(path.read_text()) == expected


def test_the_lines_of_a_pyproject_end_as_they_did(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    before = b'[project]\r\nname = "x"\r\nversion = "1"'
    path.write_bytes(before)
    settings_file.write(path, {"gpu": "a40", "retries": 2}, force=False)
    written = path.read_bytes()
    assert written.startswith(before)
    assert written.count(b"\n") == written.count(b"\r\n")
    assert tomllib.loads(written.decode())["tool"]["sendoff"] == {"gpu": "a40", "retries": 2}


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("gpus", "h100", UnknownSetting),
        ("retries", "many", InvalidSetting),
        ("tolerations", "a:Never", InvalidSetting),
        ("secret-keys", "TOKEN=logins", InvalidSetting),
    ],
)
def test_what_can_not_be_read_is_not_written(tmp_path, key, value, error) -> None:
    with pytest.raises(error):
        settings_file.checked({key: value}, "test", tmp_path)
