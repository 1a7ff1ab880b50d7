"""The files of an environment, with what is odd among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from packer.environment.installed_files import Root, Tree
from packer.errors import DistUnresolvable


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "pkg" / "__pycache__").mkdir(parents=True)
    (tmp_path / "site" / "pkg" / "a.py").write_text("")
    (tmp_path / "site" / "pkg" / "__pycache__" / "a.pyc").write_text("")
    return tmp_path / "site"


def files(site: Path) -> set[str]:
    return set(Tree([Root(source=str(site), path="lib")]).files)


def test_links_that_lead_nowhere_or_in_a_circle_are_overlooked(site: Path) -> None:
    (site / "itself").symlink_to("itself")
    (site / "gone.py").symlink_to("nothing.py")
    (site / "beneath.py").symlink_to("pkg/a.py/b.py")
    (site / "pkg" / "up").symlink_to("..")
    (site / "other").symlink_to("pkg")
    assert files(site) == {"lib/pkg/a.py", "lib/other/a.py"}


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("mode", [0o000, 0o600])
def test_a_directory_that_may_not_be_read_is_named(tmp_path: Path, mode: int) -> None:
    site = tmp_path / "own"
    closed = site / "closed"
    closed.mkdir(parents=True)
    (closed / "a.py").write_text("")
    closed.chmod(mode)
    with pytest.raises(DistUnresolvable) as refused:
        files(site)
    closed.chmod(0o700)
    assert refused.value.name.startswith("lib/closed")
    assert refused.value.why() == "Permission denied"
    assert refused.value.evidence() == str(closed)
    assert refused.value.fix().startswith(f"chmod -R u+rX '{closed}'")
