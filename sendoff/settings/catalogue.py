"""Every setting there is: its name, how its value is read, and what it is by default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dispatcher.request import IdleLimit
from dispatcher.runner.assignment import BYTE_LIMIT, FILE_LIMIT
from packer.building.image_settings import ImageSettings
from packer.environment.cuda import TORCH_INDEX
from packer.project.snapshot import DEFAULT_LIMIT
from packer.record import Record
from sendoff.settings import addresses, values
from sendoff.settings.agents import OF_AGENTS
from sendoff.settings.cluster import ON_CLUSTERS
from sendoff.settings.setting import Setting, xdg


class Settings(Record, frozen=True):
    """The values in force. Durations are seconds, sizes bytes, paths absolute."""

    target: str
    registry: str
    """A repository, or the absolute directory of an OCI layout."""
    store: str
    """A URL, or an absolute directory."""
    base: str
    bases: str
    cache: Path
    state: Path
    python: str
    gpu: str
    cuda: str
    torch_index: str
    cpus: float
    memory: int
    timeout: float
    grace: float
    idle_limit: IdleLimit | None
    retries: int
    max_parallel: int
    group: str
    limit: int
    outputs: tuple[str, ...]
    result_files: int
    result_size: int
    env: dict[str, str]
    deterministic: bool
    reuse: bool
    secrets: tuple[str, ...]
    inputs: tuple[str, ...]
    context: str
    namespace: str
    queue: str
    priority: str
    pull_secret: str
    spot: bool
    per_pod: int
    pending_timeout: float
    queue_timeout: float
    longest: float
    keep: float
    store_in_cluster: str
    registry_in_cluster: str
    secrets_from: str
    secret_keys: dict[str, str]
    node_selector: dict[str, str]
    tolerations: tuple[str, ...]
    labels: dict[str, str]
    runtime_class: str
    user: int
    scratch: int
    scalable: tuple[str, ...]
    store_region: str
    store_insecure: bool
    store_role: str
    store_patience: float
    classes: dict[str, dict[str, Any]]
    registry_insecure: tuple[str, ...]
    registry_ca: Path | None
    builder: str
    image: ImageSettings
    budget_gpu_hours: float
    budget_runs: int
    mcp_token_file: Path | None
    prices: dict[str, float]
    currency: str


SETTINGS: tuple[Setting, ...] = (
    Setting(key="target", read=values.target, default=lambda _: "local", help="where runs go"),
    Setting(
        key="registry",
        read=addresses.registry,
        default=lambda environ: str(xdg(environ, "XDG_DATA_HOME", ".local/share") / "registry"),
        help="where images go: a repository, or the directory of an OCI layout",
    ),
    Setting(
        key="store",
        read=addresses.address,
        default=lambda environ: str(xdg(environ, "XDG_DATA_HOME", ".local/share") / "store"),
        help="where runs and results are kept: http(s)://HOST/BUCKET[/PREFIX], or a directory",
    ),
    Setting(
        key="base",
        read=values.text,
        default=lambda _: "",
        help="base image of targets other than local: REPOSITORY@sha256:…, or a name below `bases`",
    ),
    Setting(
        key="bases",
        read=addresses.prefix,
        default=lambda _: "",
        help="where base images are that have names: registry.example/base, with cpu and others",
    ),
    Setting(
        key="cache",
        read=values.path,
        default=lambda environ: xdg(environ, "XDG_CACHE_HOME", ".cache"),
        help="what can be made again: wheels, known layers, unpacked images",
    ),
    Setting(
        key="state",
        read=values.path,
        default=lambda environ: xdg(environ, "XDG_STATE_HOME", ".local/state"),
        help="what the local target knows of its processes",
    ),
    Setting(
        key="python",
        read=values.text,
        default=lambda _: "",
        help="the sandbox's interpreter; empty: the active environment's, else that on PATH",
    ),
    Setting(
        key="gpu", read=values.text, default=lambda _: "", help="GPU class, such as h100 or h100:2"
    ),
    Setting(
        key="cuda",
        read=values.cuda,
        default=lambda _: "",
        help="CUDA line to pack for, such as 12.8, or none; empty: as the GPU class implies",
    ),
    Setting(
        key="torch-index",
        read=addresses.address,
        default=lambda _: TORCH_INDEX,
        help="where PyTorch's builds are: an index for each CUDA line (cu128), and cpu",
    ),
    Setting(
        key="cpus", read=values.cores, default=lambda _: 0.0, help="cores; 0: as the target likes"
    ),
    Setting(
        key="memory", read=values.memory, default=lambda _: 0, help="memory; 0: as the target likes"
    ),
    Setting(key="timeout", read=values.duration, default=lambda _: 0.0, help="time limit; 0: none"),
    Setting(
        key="grace",
        read=values.duration,
        default=lambda _: 30.0,
        help="time between asking a command to stop and making it",
    ),
    Setting(
        key="idle-limit",
        read=values.idle_limit,
        default=lambda _: None,
        help="end a run whose GPUs are all less busy for so long, such as 5%,10m; off: never",
    ),
    Setting(
        key="retries",
        read=values.count,
        default=lambda _: 0,
        help="further attempts after a failure of the infrastructure",
    ),
    Setting(
        key="max-parallel",
        read=values.count,
        default=lambda _: 0,
        help="indexes of a sweep that run at once; 0: as the target likes",
    ),
    Setting(
        key="group", read=values.text, default=lambda _: "", help="a label shared by related runs"
    ),
    Setting(
        key="limit",
        read=values.size,
        default=lambda _: DEFAULT_LIMIT,
        help="size that the project's files may have together",
    ),
    Setting(
        key="outputs",
        read=values.texts,
        default=lambda _: (),
        help="patterns of result files; none: whatever the command writes",
    ),
    Setting(
        key="result-files",
        read=values.count,
        default=lambda _: FILE_LIMIT,
        help="files that an index may leave as results; with more it has failed",
    ),
    Setting(
        key="result-size",
        read=values.size,
        default=lambda _: BYTE_LIMIT,
        help="size that they may have together",
    ),
    Setting(
        key="env",
        read=values.variables,
        default=lambda _: {},
        help="environment variables of commands",
    ),
    Setting(
        key="deterministic",
        read=values.switch,
        default=lambda _: False,
        help="whether commands get the variables with which frameworks repeat themselves",
    ),
    Setting(
        key="reuse",
        read=values.switch,
        default=lambda _: False,
        help="whether an earlier run of the same request on the same image may answer",
    ),
    Setting(
        key="secrets",
        read=values.secrets,
        default=lambda _: (),
        help="names of secret environment variables; never their values",
    ),
    Setting(
        key="inputs",
        read=values.inputs,
        default=lambda _: (),
        help="files and directories besides the project: SRC:DST, read-only for the command",
    ),
    Setting(
        key="store-region",
        read=values.text,
        default=lambda _: "",
        help="the store's region; empty: $AWS_REGION, or MinIO's default",
    ),
    Setting(
        key="store-insecure",
        read=values.switch,
        default=lambda _: False,
        help="whether a store beyond private networks may be spoken to without TLS",
    ),
    Setting(
        key="store-role",
        read=values.text,
        default=lambda _: "",
        help="ARN of the role that runs get credentials of; AWS asks for one, MinIO does not",
    ),
    Setting(
        key="store-patience",
        read=values.duration,
        default=lambda _: 300.0,
        help="time that runs wait for a store which is away when their command has ended",
    ),
    Setting(
        key="registry-insecure",
        read=values.texts,
        default=lambda _: (),
        help="registries besides this machine's own that may be spoken to without TLS",
    ),
    Setting(
        key="registry-ca",
        read=values.path,
        default=lambda _: None,
        help="file of authorities that registries' certificates are trusted by",
    ),
    Setting(
        key="builder",
        read=values.builder,
        default=lambda _: "",
        help="BuildKit, for what has to be run: docker, unix://…, tcp://…, kubernetes://NAMESPACE; "
        "native: nothing is run; buildkit[+…]: environments are installed there too",
    ),
    Setting(
        key="image",
        read=values.image,
        default=lambda _: ImageSettings(),
        help="steps on the base image: apt, run, build-apt, secrets, cache",
    ),
    Setting(
        key="prices",
        read=values.prices,
        default=lambda _: {},
        help="what an hour of one GPU costs, by class: h100 = 2.49",
    ),
    Setting(
        key="currency",
        read=values.text,
        default=lambda _: "USD",
        help="what prices are in",
    ),
    *ON_CLUSTERS,
    *OF_AGENTS,
)

BY_KEY = {setting.key: setting for setting in SETTINGS}
