"""Several builds as the file that `docker buildx bake` reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packer.buildkit.build import Build, Secret
from packer.record import encode

# No attestations in the image itself: provenance makes a digest random by design.
_PLAIN = ["type=provenance,disabled=true", "type=sbom,disabled=true"]


def render(builds: Mapping[str, Build], files: Mapping[str, Path], empty: Path) -> bytes:
    """The JSON of it: each build as a target, and the group `default` of all.

    `files` has the Dockerfile of each; `empty` is the context of those without one.
    """
    targets = {name: _target(build, files[name], empty) for name, build in builds.items()}
    return encode({"group": {"default": {"targets": sorted(builds)}}, "target": targets})


def _target(build: Build, dockerfile: Path, empty: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "attest": _PLAIN,
        "args": build.arguments,
        "cache-from": [joined(build.cache_from)] if build.cache_from else [],
        "cache-to": [joined(build.cache_to)] if build.cache_to else [],
        "context": str(build.context or empty),
        "contexts": build.contexts,
        "dockerfile": str(dockerfile),
        "no-cache": build.fresh,
        "output": [joined(build.output.fields) if build.output else "type=cacheonly"],
        "platforms": [build.platform] if build.platform else [],
        "secret": [secret(each) for each in build.secrets],
        "tags": list(build.tags),
        "target": build.target,
    }
    return {key: _literal(value) for key, value in found.items() if value or value is False}


def joined(fields: Mapping[str, str]) -> str:
    """Fields as buildx takes them: CSV, one record."""
    return ",".join(map(quoted, (f"{name}={value}" for name, value in fields.items())))


def secret(given: Secret) -> str:
    """A secret as buildx takes it."""
    source = {"src": str(given.file)} if given.file else {"env": given.variable or given.name}
    return joined({"id": given.name, **source})


def quoted(field: str) -> str:
    """A field of a CSV record (RFC 4180)."""
    if not any(letter in field for letter in ',"\n'):
        return field
    return '"' + field.replace('"', '""') + '"'


def _literal(value: Any) -> Any:
    """`value` with what HCL would take for a template (HCL JSON syntax, "Expressions") as text."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, Mapping):
        return {name: _literal(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_literal(part) for part in value]
    return value
