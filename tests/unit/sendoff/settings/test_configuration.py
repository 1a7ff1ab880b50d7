from __future__ import annotations

from pathlib import Path

import pytest

from sendoff.errors import InvalidConfigurationFile, InvalidSetting, UnknownSetting
from sendoff.settings.configuration import load


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "config" / "sendoff").mkdir(parents=True)
    return tmp_path / "project"


def user_file(project: Path) -> Path:
    return project.parent / "config" / "sendoff" / "config.toml"


def test_the_embedded_default_needs_nothing(project: Path, environ: dict[str, str]) -> None:
    found = load(project, {}, environ)
    home = project.parent / "home"
    assert found.settings.target == "local"
    assert found.settings.registry == str(home / ".local/share/sendoff/registry")
    assert found.settings.store == str(home / ".local/share/sendoff/store")
    assert found.settings.cache == home / ".cache/sendoff"
    assert found.settings.state == home / ".local/state/sendoff"
    assert set(found.sources.values()) == {"default"}


def test_the_strongest_source_wins(project: Path, environ: dict[str, str]) -> None:
    user, pyproject = user_file(project), project / "pyproject.toml"
    own = project / "sendoff.toml"
    user.write_text('group = "user"\ntimeout = "1m"\n')
    assert load(project, {}, environ).settings.group == "user"
    pyproject.write_text('[tool.sendoff]\ngroup = "pyproject"\n')
    assert load(project, {}, environ).settings.group == "pyproject"
    own.write_text('group = "own"\n')
    assert load(project, {}, environ).settings.group == "own"
    variables = {**environ, "SENDOFF_GROUP": "variable"}
    assert load(project, {}, variables).settings.group == "variable"
    found = load(project, {"group": "flag", "timeout": None}, variables)
    assert found.settings.group == "flag"
    assert found.settings.timeout == 60
    assert found.sources["group"] == "--group"
    assert found.sources["timeout"] == str(user)
    assert load(project, {}, variables).sources["group"] == "SENDOFF_GROUP"
    assert load(project, {}, environ).sources["group"] == str(own)


def test_paths_are_relative_to_the_file_that_has_them(
    project: Path, environ: dict[str, str]
) -> None:
    (project / "sendoff.toml").write_text('store = "results"\nregistry = "~/images"\n')
    settings = load(project, {}, environ).settings
    assert settings.store == str(project / "results")
    assert settings.registry == str(Path("~/images").expanduser())


def test_every_kind_of_value(project: Path, environ: dict[str, str]) -> None:
    (project / "sendoff.toml").write_text(
        'timeout = 90\nmemory = "2Gi"\ncpus = 1.5\nretries = 2\nmax-parallel = 3\n'
        'outputs = ["*.pt"]\nsecrets = ["TOKEN"]\n[env]\nA = "1"\n'
    )
    settings = load(project, {}, environ).settings
    assert (settings.timeout, settings.memory, settings.cpus) == (90, 2 << 30, 1.5)
    assert (settings.retries, settings.max_parallel) == (2, 3)
    assert (settings.outputs, settings.secrets, settings.env) == (("*.pt",), ("TOKEN",), {"A": "1"})
    variables = {**environ, "SENDOFF_OUTPUTS": "a, b", "SENDOFF_ENV": "X=1,Y=a=b"}
    settings = load(project, {}, variables).settings
    assert (settings.outputs, settings.env) == (("a", "b"), {"X": "1", "Y": "a=b"})


def test_an_unknown_key_is_refused_with_the_nearest(project: Path, environ: dict[str, str]) -> None:
    (project / "pyproject.toml").write_text("[tool.sendoff]\nmax_paralel = 2\n")
    with pytest.raises(UnknownSetting) as caught:
        load(project, {}, environ)
    assert caught.value.nearest == "max-parallel"
    assert "pyproject.toml [tool.sendoff]" in caught.value.what()
    # Nothing lists the settings while one is unknown.
    assert "remove it from" in caught.value.fix()
    variable = UnknownSetting("SENDOFF_TIMOUT", "the environment", "SENDOFF_TIMEOUT")
    assert "unset SENDOFF_TIMOUT" in variable.fix()


def test_a_mistyped_variable_is_refused_and_others_are_not(
    project: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(UnknownSetting, match="SENDOFF_TIMOUT"):
        load(project, {}, {**environ, "SENDOFF_TIMOUT": "1"})
    load(project, {}, {**environ, "SENDOFF_ROOT": "/x", "SENDOFF_OUTPUT_DIR": "/y"})
    load(project, {}, {**environ, "SENDOFF_SOMETHING_ELSE": "1"})


def test_an_empty_variable_is_an_unset_one(project: Path, environ: dict[str, str]) -> None:
    (project / "sendoff.toml").write_text('store = "results"\n')
    names = ("STORE", "CACHE", "STATE", "REGISTRY", "TARGET", "TIMEOUT", "IDLE_LIMIT")
    variables = {**environ, **{f"SENDOFF_{name}": "" for name in names}}
    assert load(project, {}, variables) == load(project, {}, environ)


@pytest.mark.parametrize(
    "line",
    [
        'timeout = "soon"',
        "timeout = -1",
        "timeout = true",
        "timeout = nan",
        "keep = inf",
        'memory = "lots"',
        "memory = 100",
        "scratch = 50",
        "scratch = 0",
        "longest = 0",
        "longest = 14",
        "cpus = -1",
        "cpus = true",
        "retries = 1.5",
        "group = 3",
        "outputs = [1]",
        "env = { A = 1 }",
        "env = { 'A B' = 'x' }",
        "env = { '' = 'x' }",
        'secrets = ["A B"]',
        "store = 1",
        'store = ""',
        'cache = ""',
        'cache = "~nobody.here/x"',
        'registry = ""',
        'store = "s3://bucket/prefix"',
        'torch-index = "file:///wheels"',
        'store-in-cluster = "minio/bucket"',
        'registry = "https://registry.example/team/runs"',
        'registry = "docker://registry.example/team/runs"',
        'bases = "https://registry.example/base"',
    ],
)
def test_a_value_that_can_not_be_read(line: str, project: Path, environ: dict[str, str]) -> None:
    (project / "sendoff.toml").write_text(line)
    with pytest.raises(InvalidSetting) as caught:
        load(project, {}, environ)
    assert str(project / "sendoff.toml") in caught.value.what()


def test_a_secret_s_value_is_refused_and_not_repeated(
    project: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(InvalidSetting, match="by its name alone") as caught:
        load(project, {"secrets": ("TOKEN=geheim",)}, environ)
    assert "geheim" not in str(caught.value.as_dict())
    assert "geheim" not in repr(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("store", "http://minio:geheim@minio.example/runs"),
        ("store", "s3://minio:geheim@minio.example/runs"),
        ("store-in-cluster", "https://minio:geheim@minio.example/runs"),
        ("store-in-cluster", "minio:geheim@minio.example/runs"),
        ("torch-index", "https://ada:geheim@mirror.example/whl"),
        ("registry", "ada:geheim@registry.example/team/runs"),
        ("registry", "https://ada:geheim@registry.example/team/runs"),
        ("registry-in-cluster", "ada:geheim@registry.example/team/runs"),
        ("registry-in-cluster", "http://ada:geheim@registry.example/team/runs"),
        ("bases", "ada:geheim@registry.example/base"),
        ("bases", "https://ada:geheim@registry.example/base"),
    ],
)
def test_a_login_in_an_address_is_refused_and_not_repeated(
    key: str, value: str, project: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(InvalidSetting, match="no setting holds one") as caught:
        load(project, {key: value}, environ)
    assert "geheim" not in str(caught.value.as_dict())
    assert "geheim" not in repr(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("store", "https://minio.example/runs/@team"),
        ("store", "/data/@team"),
        ("registry", "/data/@team"),
        ("registry-in-cluster", "https://registry.example/team/runs"),
    ],
)
def test_an_at_sign_elsewhere_is_no_login(
    key: str, value: str, project: Path, environ: dict[str, str]
) -> None:
    settings = load(project, {key: value}, environ).settings
    assert getattr(settings, key.replace("-", "_")) == value


def test_a_file_that_is_not_toml(project: Path, environ: dict[str, str]) -> None:
    (project / "sendoff.toml").write_text("target = local")
    with pytest.raises(InvalidConfigurationFile, match=r"sendoff\.toml"):
        load(project, {}, environ)
    (project / "sendoff.toml").unlink()
    (project / "pyproject.toml").write_bytes(b"tool.sendoff\xff")
    with pytest.raises(InvalidConfigurationFile):
        load(project, {}, environ)


@pytest.mark.parametrize("text", ["[tool]\nsendoff = 3\n", "tool = 'sendoff'\n"])
def test_a_table_that_is_none(text: str, project: Path, environ: dict[str, str]) -> None:
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(InvalidConfigurationFile, match="and no table"):
        load(project, {}, environ)


def test_a_relative_xdg_path_is_ignored(project: Path, environ: dict[str, str]) -> None:
    settings = load(project, {}, {**environ, "XDG_DATA_HOME": "data"}).settings
    assert settings.store == str(project.parent / "home/.local/share/sendoff/store")


@pytest.mark.parametrize(
    ("given", "is_repository"),
    [
        ("registry.example/team/runs", True),
        ("localhost/runs", True),
        ("127.0.0.1:5000/runs/", True),
        ("images/here", False),
        ("./registry.example/x", False),
        ("images", False),
        ("images/", False),
        ("/", False),
    ],
)
def test_a_registry_is_a_repository_or_a_directory(
    project: Path, environ: dict[str, str], given: str, is_repository: bool
) -> None:
    found = load(project, {}, {**environ, "SENDOFF_REGISTRY": given}).settings.registry
    assert found == (given.rstrip("/") if is_repository else str(Path(given).absolute()))


def test_settings_of_a_cluster(project: Path, environ: dict[str, str]) -> None:
    (project / "sendoff.toml").write_text(
        """
        target = "kubernetes"
        store = "https://store.example/runs/team"
        spot = true
        pending-timeout = "5m"
        [classes.big]
        resource = "nvidia.com/gpu"
        """
    )
    found = load(project, {}, environ).settings
    assert found.store == "https://store.example/runs/team"
    assert (found.target, found.spot, found.pending_timeout) == ("kubernetes", True, 300)
    assert found.classes == {"big": {"resource": "nvidia.com/gpu"}}
    with pytest.raises(InvalidSetting):
        load(project, {"classes": {"big": 1}}, environ)
    with pytest.raises(InvalidSetting):
        load(project, {"spot": "perhaps"}, environ)
