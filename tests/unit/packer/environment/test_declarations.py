"""What a project's files ask for by name."""

from __future__ import annotations

from pathlib import Path

from packer.environment import declarations


def test_what_pyproject_and_requirements_ask_for(tmp_path: Path) -> None:
    assert declarations.names(tmp_path) == ()
    (tmp_path / "pyproject.toml").write_text(
        "[project]\ndependencies = ['NumPy>=2', 'a.b[c] ; python_version > \"3\"']\n"
        "[project.optional-dependencies]\nplot = ['matplotlib']\n"
        "[dependency-groups]\ndev = ['pytest', {include-group = 'lint'}]\nlint = ['ruff']\n"
        "[tool.poetry.dependencies]\npython = '^3.11'\nPyYAML = '*'\n"
        "[tool.poetry.group.dev.dependencies]\nrich = {version = '*'}\n"
    )
    (tmp_path / "requirements-gpu.txt").write_text("-r other.txt\n# no\ntorch==2\n")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("scipy\n")
    assert set(declarations.names(tmp_path)) == {
        *("a-b", "matplotlib", "numpy", "pytest", "ruff"),
        *("python", "pyyaml", "rich"),
        *("torch", "scipy"),
    }
    assert [path.name for path in declarations.files(tmp_path)] == [
        "pyproject.toml",
        "base.txt",
        "requirements-gpu.txt",
    ]
    (tmp_path / "pyproject.toml").write_text("broken [")
    assert declarations.names(tmp_path) == ("scipy", "torch")
